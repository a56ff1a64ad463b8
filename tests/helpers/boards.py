"""Leaderboards of simulated runs, as the product makes them; tests may change their copy."""

import copy
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cefl_bench.report.board import Leaderboard, Table
from cefl_bench.report.external import add_external
from cefl_bench.report.leaderboard import make_leaderboard
from helpers.simulated import Corpus, Method, simulate

SIX = (
    Method("ceflnet_dfew", 0.652, title="CEFLNet", params=13_200_000, macs=4_200_000_000),
    Method("former_dfer_dfew", 0.655, title="Former-DFER", params=18_300_000, macs=9_100_000_000),
    Method("eian_dfew", 0.631, title="ResNet-18 frame mean with EIAN", params=11_400_000, macs=29_200_000_000),
    Method("resnet18_lstm_dfew", 0.618, title="ResNet-18 and LSTM", params=12_400_000, macs=29_300_000_000),
    Method("r3d18_dfew", 0.571, title="R3D-18", start="Kinetics-400", params=33_200_000, macs=41_000_000_000),
    Method("c3d_dfew", 0.2, title="C3D", params=78_400_000, macs=38_600_000_000),
)
LATENCY_MS = {"ceflnet_dfew": 21.0, "former_dfer_dfew": 35.5, "eian_dfew": 60.1, "r3d18_dfew": 48.0, "c3d_dfew": 52.0}
MAFW = tuple(f"a class of long name {number}" for number in range(11))


def board(*tables: Table) -> Leaderboard:
    """A leaderboard of these tables."""
    return {"schema": 3, "made": "2026-02-03T10:00:00+00:00", "left_out": [], "tables": list(tables)}


def table(
    methods: Sequence[Method] = SIX,
    folds: Sequence[int] = (1, 2, 3),
    seeds: Sequence[int] = (0,),
    classes: Sequence[str] | None = None,
    dataset: str = "DFEW",
    external: Sequence[str] = (),
    subjects: int | None = None,
) -> Table:
    """The table of simulated runs; `external` are the names of other code whose predictions are added."""
    given = Corpus(tuple(folds), 100, subjects, dataset, num_folds=len(folds))
    if classes is not None:
        given.classes = tuple(classes)
    key = json.dumps([[str(method) for method in methods], str(given), list(seeds), list(external)])
    if key not in _made:
        _made[key] = _table(methods, given, seeds, external)
    return copy.deepcopy(_made[key])


_made: dict[str, Table] = {}


def _table(methods: Sequence[Method], corpus: Corpus, seeds: Sequence[int], external: Sequence[str]) -> Table:
    with tempfile.TemporaryDirectory() as place:
        folder = simulate(Path(place) / "runs", methods, corpus, seeds)
        (folder / "speed").mkdir()
        speed = [
            {
                "config": f"{method.name}.py",
                "device_name": "a GPU",
                "precision": "fp32",
                "latency": {"median_ms": LATENCY_MS[method.name]},
                "cost": {"params": method.params, "macs": method.macs},
            }
            for method in methods
            if method.name in LATENCY_MS
        ]
        (folder / "speed" / "speed.json").write_text(json.dumps(speed))
        for name in external:
            files = [predictions_file(Path(place) / f"{fold}.csv", corpus, fold) for fold in corpus.folds]
            add_external(folder, name, list(map(str, files)), corpus.name, corpus.folds)
        (made,) = make_leaderboard(folder)["tables"]
    return made


def predictions_file(path: Path, corpus: Corpus, fold: int = 1, every: int = 3) -> Path:
    """A file of other code: right but for one clip in `every`."""
    names, label, *_ = corpus.of(fold)
    rows = [
        f"{name},{true},{(true + (place % every == 0)) % len(corpus.classes)}\n"
        for place, (name, true) in enumerate(zip(names, label.tolist(), strict=True))
    ]
    path.write_text("name,label,pred\n" + "".join(rows))
    return path
