"""The protocol: everything that can move a score and is not the method, and its id."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

SCRATCH = "scratch"
"""The start of a model whose weights are all drawn at random."""

DATA_ROOT = "*_dataloader.dataset.data_root"
"""The values of a config that say where a corpus lies."""
LOADER_SPEED = ("batch_size", "num_workers", "persistent_workers", "pin_memory", "prefetch_factor", "dataset")
"""What of a loader changes no batch; the batch size of training stands in the protocol on its own."""


class Rule(NamedTuple):
    """What the values below a path of a config are: part of the protocol, of the method, or neither, and why."""

    path: str
    kind: Literal["protocol", "method", "neither"]
    reason: str


RULES = (
    Rule("model.backbone.init_cfg*", "protocol", "the start: weights learnt from other data move every score"),
    Rule("model.head.*", "method", "its head and its loss, with class weights; a table says which loss"),
    Rule("model.*", "method", "what a table compares"),
    Rule("method", "method", "its name"),
    Rule("title", "method", "its name for people"),
    Rule("departs_from_released_code*", "neither", "what a leaf of the paper track says of itself"),
    Rule("config_name", "neither", "the name of the file and of the run's folder"),
    Rule("classes", "neither", "a name that a config of an own corpus may use for its dataset's classes"),
    Rule(DATA_ROOT, "neither", "where the corpus lies on this machine"),
    Rule("*_dataloader.dataset.sources", "neither", "where the table of sources lies; its hash is with the data"),
    Rule("*_dataloader.dataset.fold", "neither", "a table shows and averages folds"),
    Rule("*_dataloader.dataset.on_error", "neither", "whether a run stops at a broken video; `clips` counts them"),
    Rule("*_dataloader.dataset.pipeline.*.packed", "neither", "packed frames are the same frames"),
    Rule("val_dataloader.*", "neither", "reads what test_dataloader reads; a training whose two differ is refused"),
    Rule("held_out_dataloader.*", "neither", "made of the training and the test loader by --select val"),
    *(
        Rule(f"*_dataloader.{name}", "neither", "how fast batches come, not what is in them")
        for name in ("num_workers", "persistent_workers", "pin_memory", "prefetch_factor")
    ),
    Rule("test_dataloader.batch_size", "neither", "a video is scored alone: the rest of its batch does not matter"),
    Rule("train_dataloader.sampler.*", "protocol", "how often a video is trained on"),
    Rule("train_dataloader.*", "protocol", "what is trained on, in which batches"),
    Rule("test_dataloader.*", "protocol", "what is tested on"),
    Rule("data_preprocessor.*", "protocol", "what the network sees of a frame"),
    Rule("optim_wrapper.*", "protocol", "the schedule"),
    Rule("param_scheduler*", "protocol", "the schedule"),
    Rule("train_cfg.*", "protocol", "the schedule, and which epochs are tested"),
    Rule("test_cfg*", "protocol", "how a test runs, half precision for one"),
    Rule("val_cfg*", "protocol", "how the test after an epoch runs"),
    Rule("custom_hooks*", "protocol", "a hook may do anything, such as average weights"),
    Rule("default_hooks.*", "protocol", "a hook may do anything"),
    Rule("selection", "protocol", "which epoch counts"),
    Rule("track", "protocol", "fair, pretrained or paper"),
    Rule("randomness.seed", "neither", "a table shows and averages seeds"),
    Rule("randomness.*", "protocol", "how a seed is used"),
    Rule("num_processes", "protocol", "batch_size is that of all processes together"),
    Rule("*_evaluator*", "neither", "what is computed of the same predictions"),
    Rule("compute.precision", "protocol", "in half precision a model learns a little differently"),
    Rule("compute.*", "neither", "how fast it runs; float sums may end in another last digit, as on another device"),
    Rule("env_cfg.*", "neither", "how fast it runs; float sums may end in another last digit, as on another device"),
    Rule("data_on", "neither", "where packed frames wait; they are the same"),
    Rule("default_scope", "neither", "types are classes here, never looked up by a name"),
    Rule("log_level", "neither", "what is printed"),
    Rule("launcher", "neither", "who starts the processes; how many is num_processes"),
    Rule("work_dir", "neither", "where results go"),
    Rule("model_wrapper_cfg*", "neither", "how processes share gradients"),
)
"""The first rule that fits a path counts. What none fits is part of the protocol: nothing is left out unseen."""


def kind_of(path: str) -> Rule:
    """The rule for a dotted path of a resolved config."""
    for rule in RULES:
        if fnmatchcase(path, rule.path):
            return rule
    return Rule(path, "protocol", "not known to be anything else")


def leaf_paths(config: Any, prefix: str = "") -> Iterator[str]:
    """The dotted paths of all values of a resolved config; an empty dict or list is a value."""
    if isinstance(config, Mapping) and config:
        for key, value in config.items():
            yield from leaf_paths(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(config, list | tuple) and config:
        for place, value in enumerate(config):
            yield from leaf_paths(value, f"{prefix}.{place}")
    else:
        yield prefix


def protocol_of(
    config: Mapping[str, Any], start: Mapping[str, Any] | None = None, data: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The protocol fields of a resolved config (plain dicts, types as dotted names), by `RULES`.

    Args:
        start: where the initial weights came from, with their hash; what the config says of it where None.
        data: what the files of the corpus say of themselves and no config does, such as the rule of face crops.
    """
    train, test = config["train_dataloader"], config["test_dataloader"]
    protocol = {
        "track": config["track"],
        "dataset": corpus_of(train["dataset"]),
        "data": dict(data or {}),
        "labels": "shuffled" if train["dataset"].get("shuffle_labels") else "official",
        "frames": {"train": _steps(train), "test": _steps(test)},
        "preprocessing": config["data_preprocessor"],
        "start": dict(start) if start is not None else {"source": start_of(config["model"])},
        "batch_size": train["batch_size"] * config.get("num_processes", 1),
        "training_loader": _without(train, *LOADER_SPEED) | {"split": train["dataset"].get("split", "train")},
        "test_loader": _without(test, *LOADER_SPEED),
        "schedule": {
            **{("epochs" if key == "max_epochs" else key): value for key, value in config["train_cfg"].items()},
            "optimizer": config["optim_wrapper"],
            "learning_rate": config.get("param_scheduler"),
        },
        "hooks": {"own": config.get("custom_hooks", []), "default": config.get("default_hooks", {})},
        "loops": {"test": config.get("test_cfg", {}), "val": config.get("val_cfg", {})},
        "seeding": _without(config.get("randomness", {}), "seed"),
        "selection": config.get("selection", "last"),
    }
    stated = {rule.path.partition(".")[0].rstrip("*") for rule in RULES}
    unknown = {
        key: value
        for key, value in config.items()
        if key not in stated and not key.endswith(("_dataloader", "_evaluator"))
    }
    precision = config.get("compute", {}).get("precision")  # a switch at its default is not in a config
    protocol |= {"precision": precision} if precision else {}
    return protocol | _tested_on(train["dataset"], test["dataset"]) | ({"other": unknown} if unknown else {})


def start_of(model: Mapping[str, Any]) -> str:
    """Where a model's config says that its weights come from: `scratch`, or the library and the name, or `file`."""
    given = {kind: name for kind, name in (model["backbone"].get("init_cfg") or {}).items() if name}
    if not given:
        return SCRATCH
    return ", ".join(f"{kind} {name}" for kind, name in given.items())


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
    return _without(dataset, "data_root", "fold", "pipeline", "split", "on_error", "shuffle_labels", "sources")


def protocol_id(protocol: Mapping[str, Any]) -> str:
    """Twelve hex digits of the SHA-256 of the protocol fields; the order of their keys does not matter."""
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


def other_run(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The `difference` of two resolved configs that makes them two runs: where their corpus lies does not."""
    return [line for line in difference(one, other) if not fnmatchcase(line.partition(":")[0], DATA_ROOT)]


def other_frames(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where two resolved configs show a network other frames in a test: the part of the config, and a `difference`."""
    parts = []
    for config in (one, other):
        steps = {str(place): step for place, step in enumerate(_steps(config["test_dataloader"]))}
        shown = {"data_preprocessor": config["data_preprocessor"], "test_dataloader.dataset.pipeline": steps}
        parts.append(shown)
    for part in parts[0]:
        for line in difference({part: parts[0][part]}, {part: parts[1][part]}):
            yield part, line


def _steps(loader: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A pipeline; frames that were packed are the same frames."""
    return [_without(step, "packed") for step in loader["dataset"]["pipeline"]]


def _without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
