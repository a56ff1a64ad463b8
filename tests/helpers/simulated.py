"""A folder of runs as the tools leave them, with simulated predictions: nothing is trained."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from cefl_bench.functional.protocol import protocol_id
from cefl_bench.functional.recall import predicted_class, recall_scores
from cefl_bench.runs.folder import PREDICTIONS, RESULT
from cefl_bench.runs.predictions import write_predictions
from cefl_bench.runs.result import Result, Scores

CLASSES = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
SHARES = (0.21, 0.16, 0.23, 0.185, 0.125, 0.015, 0.075)
"""About the shares of DFEW: one class is rare."""
CLIP, METHOD, RUN = 0.6, 0.2, 0.2
"""What decides whether a prediction is right: how hard the clip is, what the method makes of it, this run's chance."""


@dataclass
class Method:
    """A config of the simulation; `war` is what it would reach on infinitely many clips."""

    name: str
    war: float
    stream: int | None = None
    """Methods of the same stream and `war` predict the same, clip by clip; by default every method has its own."""
    title: str | None = None
    """For people; the name without the corpus where it is not given."""
    start: str = "scratch"
    track: str = "fair"
    folds: Sequence[int] | None = None
    seeds: Sequence[int] | None = None
    params: int = 11_000_000
    macs: int | None = 4_000_000_000
    protocol: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the common protocol."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """Metrics that a contributor added, about what each run has of them."""
    lower_is_better: Sequence[str] = ()
    official_counts: bool = True


METHODS = (
    Method("ceflnet_dfew", 0.62, params=13_200_000, macs=4_210_000_000),
    Method("former_dfer_dfew", 0.61, params=18_500_000, macs=9_100_000_000),
    Method("resnet18_lstm_dfew", 0.56, params=11_900_000, macs=7_600_000_000),
    Method("c3d_dfew", 0.50, params=78_000_000, macs=38_500_000_000),
    Method("ceflnet_dfew_paper", 0.65, track="paper", params=13_200_000, macs=29_000_000_000),
)


@dataclass
class Corpus:
    """The test clips of every fold."""

    folds: Sequence[int] = (1, 2, 3, 4, 5)
    clips: int = 150
    subjects: int | None = None
    """How many people per fold, whose clips are alike hard; None: nobody knows who is in a clip."""
    name: str = "DFEW"
    classes: Sequence[str] = CLASSES
    num_folds: int = 5

    def of(self, fold: int) -> tuple[list[str], np.ndarray, list[str], np.ndarray]:
        """Names, labels (n,), subjects and difficulties (n,) of a fold's test clips."""
        rng = np.random.default_rng([1, fold])
        shares = np.resize(SHARES, len(self.classes))
        label = rng.choice(len(self.classes), self.clips, p=shares / shares.sum())
        hard = rng.standard_normal(self.clips)
        names = [f"{fold}{place:04d}" for place in range(self.clips)]
        if self.subjects is None:
            return names, label, [""] * self.clips, hard
        who = np.arange(self.clips) % self.subjects
        hard = np.sqrt(0.5) * hard + np.sqrt(0.5) * rng.standard_normal(self.subjects)[who]
        return names, label, [f"f{fold}s{person:02d}" for person in who], hard


SMALL = Corpus(folds=(1, 2), clips=60)
TWO = (Method("ceflnet_dfew", 0.62), Method("c3d_dfew", 0.3))


def simulate(out: Path, methods: Sequence[Method] = METHODS, corpus: Corpus | None = None, seeds=(0, 1)) -> Path:
    """Write `out`/<config>/fold<K>_seed<S>/, with the result and the predictions of every method, fold and seed."""
    corpus = corpus or Corpus()
    for place, method in enumerate(methods):
        for fold in method.folds or corpus.folds:
            for seed in method.seeds or seeds:
                folder = out / method.name / f"fold{fold}_seed{seed}"
                _write_run(folder, method, corpus, fold, seed, place if method.stream is None else method.stream)
    return out


def answer(
    label: np.ndarray,
    hard: np.ndarray,
    war: float,
    stream: int,
    fold: int = 1,
    seed: int = 0,
    num_classes: int = len(CLASSES),
) -> np.ndarray:
    """(n,) labels and difficulties -> (n, K) logits that are right with the probability `war`."""
    of_method, of_run = np.random.default_rng([2, stream, fold]), np.random.default_rng([3, stream, fold, seed])
    latent = np.sqrt(CLIP) * hard + np.sqrt(METHOD) * of_method.standard_normal(len(label))
    latent += np.sqrt(RUN) * of_run.standard_normal(len(label))
    off = of_method.choice((1, 2, 3), len(label), p=(0.6, 0.25, 0.15))
    pred = np.where(latent < norm.ppf(war), label, (label + off) % num_classes)
    logits = of_run.normal(0, 0.5, (len(label), num_classes))
    logits[np.arange(len(label)), pred] = logits.max(axis=1) + 0.2 + np.abs(norm.ppf(war) - latent)
    return logits


def _write_run(folder: Path, method: Method, corpus: Corpus, fold: int, seed: int, stream: int) -> None:
    names, label, subjects, hard = corpus.of(fold)
    num_classes = len(corpus.classes)
    scores = answer(label, hard, method.war, stream, fold, seed, num_classes)
    write_predictions(folder / PREDICTIONS, names, label, scores, subjects)
    last = scores_of(label, predicted_class(scores), num_classes, epoch=20)
    if method.extra:
        last["extra"] = {name: value + 0.01 * seed for name, value in method.extra.items()}
    better = answer(label, hard, min(method.war + 0.015, 1), stream, fold, seed, num_classes)
    best = scores_of(label, predicted_class(better), num_classes, epoch=14)
    best = dict(best if best["war"] > last["war"] else last, selected_by="war on the test set, as most papers do")
    protocol = _protocol(method, corpus)
    ramp = 1 - np.exp(-np.arange(1, 21) / 5)
    history = [
        dict(epoch=epoch, loss=2 - share, lr=1e-3, seconds=60.0, uar=last["uar"] * share, war=last["war"] * share)
        for epoch, share in enumerate((ramp / ramp[-1]).tolist(), 1)
    ]
    kind = method.name.partition("_dfew")[0]
    result: Result = dict(
        schema_version=1,
        config_name=method.name,
        config={},
        command=f"python tools/train.py configs/{method.name}.py --fold {fold} --seed {seed}",
        method=kind,
        title=method.title or kind,
        dataset=corpus.name,
        trained_on=corpus.name,
        classes=list(corpus.classes),
        track=method.track,
        protocol_id=protocol_id(protocol),
        protocol=protocol,
        fold=fold,
        num_folds=corpus.num_folds,
        seed=seed,
        metrics={"last": last, "best_test": best},
        lower_is_better=list(method.lower_is_better),
        history=history,
        clips=dict(
            official=len(names),
            official_counts=method.official_counts,
            listed=len(names),
            scored=len(names),
            unreadable={"train": [], "test": []},
        ),
        cost=dict(params=method.params, macs=method.macs, flops=method.macs and 2 * method.macs),
        time=dict(train_seconds=1200.0 + 10 * seed),
        environment=dict(
            python="3.11.7",
            platform="Linux",
            packages=dict(cefl_bench="0.1.0", torch="2.9.0"),
            device="CPU (x86_64)",
            cuda=None,
            driver=None,
            git=dict(commit="0" * 40, dirty=False),
        ),
        data=dict(packed=False),
        data_fingerprint=dict(train=f"train{fold}", test=f"test{fold}"),
        memory=dict(process=10**9),
        init=dict(start=method.start, source=method.start, sha256="0" * 64),
    )
    (folder / RESULT).write_text(json.dumps(result, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def scores_of(label: np.ndarray, pred: np.ndarray, num_classes: int = len(CLASSES), epoch: int | None = None) -> Scores:
    """(n,) labels and predictions -> their scores, as a result has them."""
    found = recall_scores(label, pred, num_classes)
    found["per_class"] = [None if np.isnan(recall) else float(recall) for recall in found["per_class"]]
    return found | {name: found[name].tolist() for name in ("confusion_matrix", "support")} | {"epoch": epoch}


def _protocol(method: Method, corpus: Corpus) -> dict[str, Any]:
    epochs = 20 if method.track == "fair" else 100
    common = dict(track=method.track, dataset=dict(type=corpus.name), batch_size=32, schedule=dict(epochs=epochs))
    return common | {"selection": "last"} | dict(method.protocol)


def rows_of(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a table by their methods."""
    return {row["method"]: row for row in table["rows"]}
