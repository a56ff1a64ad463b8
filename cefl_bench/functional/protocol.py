"""The protocol: everything that must be equal for two results to be comparable, and nothing else, and its id."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def protocol_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The protocol fields of a resolved config (plain dicts, types as dotted names).

    Left out on purpose: the model, the fold and the seed (they are what a table compares or averages), how the frames
    are grouped into clips, paths, workers, packed frames, hooks, and the number of test clips per batch, which changes
    no score.
    """
    train, test = config["train_dataloader"], config["test_dataloader"]
    return {
        "track": config["track"],
        "dataset": corpus_of(train["dataset"]),
        "labels": "shuffled" if train["dataset"].get("shuffle_labels") else "official",
        "frames": {"train": _steps(train), "test": _steps(test)},
        "preprocessing": config["data_preprocessor"],
        "batch_size": train["batch_size"] * config.get("num_processes", 1),
        "sampler": train["sampler"],
        "drop_last": train.get("drop_last", False),
        "schedule": {
            "epochs": config["train_cfg"]["max_epochs"],
            "optimizer": config["optim_wrapper"],
            "learning_rate": config.get("param_scheduler"),
        },
        "selection": config.get("selection", "last"),
    } | _tested_on(train["dataset"], test["dataset"])


def _tested_on(train: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
    """The test dataset, where it is more than the other side of the fold that is trained on."""
    if is_other_corpus(test):
        return {"test_dataset": _without(test, "data_root", "pipeline", "on_error")}
    same = _without(corpus_of(train), "holdout") == _without(corpus_of(test), "holdout") and test["split"] == "test"
    return {} if same else {"test_dataset": _without(test, "data_root", "fold", "pipeline", "on_error")}


def is_other_corpus(test: Mapping[str, Any]) -> bool:
    """Whether the dataset of a test loader is another corpus than the model was trained on."""
    return test.get("label_map") is not None


def corpus_of(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """What of a dataset's config tells which corpus it is, and which variant of it."""
    return _without(dataset, "data_root", "fold", "pipeline", "split", "on_error", "shuffle_labels")


def protocol_id(protocol: Mapping[str, Any]) -> str:
    """Twelve hex digits of the SHA-256 of the protocol fields, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(protocol, sort_keys=True).encode()).hexdigest()[:12]


def difference(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The fields in which two protocols (or configs) differ, as `path: value != value` lines; empty when equal."""
    lines = []
    for key in sorted({*one, *other}):
        here, there = one.get(key), other.get(key)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            lines += difference(here, there, f"{prefix}{key}.")
        elif here != there:
            lines.append(f"{prefix}{key}: {here!r} != {there!r}")
    return lines


def _steps(loader: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A pipeline; frames that were packed are the same frames."""
    return [_without(step, "packed") for step in loader["dataset"]["pipeline"]]


def _without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
