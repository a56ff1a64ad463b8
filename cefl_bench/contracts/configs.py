"""What every leaf config promises, and the axes that leaves are joined from."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from cefl_bench.commands.facts import config_cost, video_shape
from cefl_bench.config import bases, classes_of, corpora, load_config
from cefl_bench.config_check import check_values
from cefl_bench.contracts.metrics import examine_metric
from cefl_bench.contracts.parts import examine_aggregator, examine_backbone, examine_head
from cefl_bench.contracts.promise import Outcome, expect, outcomes
from cefl_bench.cost.repeats import Repeats
from cefl_bench.functional.loss_options import with_class_weights
from cefl_bench.functional.protocol import SCRATCH, difference, is_other_corpus, protocol_of, start_of
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.plain import plain
from cefl_bench.registry import METRICS, MODELS

TRACKS = ("fair", "pretrained", "paper")
MAX_LEAF_LINES = 40


def examine_leaf(path: str | Path, config: Config) -> Iterator[Outcome]:
    """Check a config, every part of its model, and its metrics.

    Args:
        path: its file; one of `configs/` keeps the rules of the house too.
    """
    yield from examine_config(path, config)
    yield from examine_model(config)
    metrics = config.val_evaluator
    for metric in metrics if isinstance(metrics, list) else [metrics]:
        yield from examine_metric(metric["type"].__name__, partial(METRICS.build, metric), _num_classes(config))


def examine_config(path: str | Path, config: Config) -> Iterator[Outcome]:
    """Check a config, without running its model."""
    yield from outcomes("config", config, CONFIG)
    path = Path(path).resolve()
    if path.parent == bases().resolve():
        yield from outcomes("leaf of configs/", (path, config), HOUSE)


def examine_model(config: Config) -> Iterator[Outcome]:
    """Check the parts of a config's model at the sizes that it trains with, from random weights."""
    yield from outcomes("model", config, MODEL)
    try:
        network = _network(config)
        _, (clips, channels, frames, height, width) = video_shape(config)
    except Exception:  # told above
        return
    if not isinstance(network, Recognizer):
        return
    if network.num_clips is not None:
        frames, clips = clips * frames // network.num_clips, network.num_clips
    backbone, aggregator, head = (dict(config.model[part]) for part in ("backbone", "aggregator", "head"))
    backbone.pop("init_cfg", None)
    head = with_class_weights(head, [1] * network.head.num_classes)
    aggregator["in_dim"], head["in_dim"] = network.backbone.feat_dim, network.aggregator.feat_dim
    names = [type(part).__name__ for part in (network.backbone, network.aggregator, network.head)]
    clip_shape = (channels, frames, height, width)
    yield from examine_backbone(names[0], partial(MODELS.build, backbone), clip_shape)
    yield from examine_aggregator(names[1], partial(MODELS.build, aggregator), clips, aggregator["in_dim"])
    yield from examine_head(names[2], partial(MODELS.build, head), head["in_dim"], network.head.num_classes)


def _num_classes(config: Config) -> int:
    return len(classes_of(config.train_dataloader.dataset))


def protocol_differences(configs: Mapping[str, Config]) -> Iterator[str]:
    """Fields in which leaves of one dataset differ, as `b_dfew differs from a_dfew in batch_size: 16 != 32`.

    Leaves of the fair track, and those of the pretrained track but for their start and their schedule.
    """
    first: dict[Any, tuple[str, dict[str, Any]]] = {}
    fair_first = sorted(configs.items(), key=lambda item: item[1].track != "fair")
    for name, config in fair_first:
        if config.track in ("fair", "pretrained"):
            protocol = protocol_of(plain(config.to_dict()))
            if config.track == "pretrained":
                protocol |= {"track": "fair", "start": {"source": SCRATCH}}
            reference_name, reference = first.setdefault(_corpora_of(config), (name, protocol))
            if config.track == "pretrained":
                protocol |= {"schedule": reference["schedule"]}
            for line in difference(protocol, reference):
                yield f"{name} differs from {reference_name} in {line}"


def axis_overlaps(base: Path) -> Iterator[str]:
    """Names that base files of two axes both set: the later import would win in silence."""
    axes: dict[str, dict[str, Path]] = {}
    for file in sorted(base.rglob("*.py")):
        axis = file.relative_to(base).parts[0]
        for name in Config.fromfile(file, lazy_import=True).to_dict():
            axes.setdefault(name, {})[axis] = file
    for name, files in axes.items():
        if len(files) > 1:
            yield f"{name} is set by {', '.join(str(file.relative_to(base)) for file in files.values())}"


def _has_a_track(config: Config) -> None:
    expect(config.track in TRACKS, f"track is {config.track!r}: expected one of {', '.join(TRACKS)}")
    start = start_of(config.model)
    if config.track == "fair":
        expect(start == SCRATCH, f"model.backbone.init_cfg is {start}: the fair track starts from scratch")
    if config.track == "pretrained":
        expect(start != SCRATCH, "model.backbone.init_cfg is missing: expected the weights to start from")
        file_only = "checkpoint" in config.model.backbone.init_cfg and not config.model.backbone.init_cfg.get("start")
        expect(not file_only, "model.backbone.init_cfg names a file: expected start='faces' or the like beside it")
    if config.track == "paper":
        departs = config.get("departs_from_released_code")
        stated = isinstance(departs, list) and departs and all(isinstance(line, str) for line in departs)
        expect(bool(stated), "departs_from_released_code is missing: expected a list of lines, as the paper track has")


def _has_the_classes_of_its_corpus(config: Config) -> None:
    dataset = config.train_dataloader.dataset
    classes, name = classes_of(dataset), dataset.get("name", dataset.type.METAINFO["name"])
    expect(
        config.model.head.num_classes == len(classes),
        f"model.head.num_classes is {config.model.head.num_classes}: {name} has {len(classes)} classes; leave it out",
    )


def _reads_the_right_videos(config: Config) -> None:
    split = config.train_dataloader.dataset.split
    expect(split == "train", f"train_dataloader.dataset.split is {split!r}: expected 'train'")
    pipelines = []
    for name in ("val_dataloader", "test_dataloader"):
        dataset = config[name].dataset
        wanted = "all" if is_other_corpus(dataset) else "test"
        expect(dataset.split == wanted, f"{name}.dataset.split is {dataset.split!r}: expected {wanted!r}")
        pipelines.append(plain(list(dataset.pipeline)))
    expect(pipelines[0] == pipelines[1], "val_dataloader and test_dataloader have different pipelines: expected one")


def _network(config: Config) -> nn.Module:
    return MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})


def _can_be_built(config: Config) -> None:
    _network(config)


def _builds_on_meta(config: Config) -> None:
    with Repeats(), torch.device("meta"):
        _network(config)


def _is_the_same_reloaded(config: Config) -> None:
    unformatted = Config(config.to_dict(), format_python_code=False)  # line breaks take most of the time of a dump
    reloaded = Config.fromstring(unformatted.dump(), file_format=".py")
    changed = difference(plain(reloaded.to_dict()), plain(config.to_dict()))
    expect(not changed, f"changes when dumped and loaded again ({'; '.join(changed[:3])})")


def _is_counted(config: Config) -> None:
    config_cost(config)


def _has_the_fair_protocol(config: Config) -> None:
    """Of a fair or pretrained leaf on a corpus of ours: what it shares with other methods, so that a table may rank."""
    if config.track == "paper" or is_other_corpus(config.test_dataloader.dataset):
        return
    key = config.train_dataloader.dataset.type.METAINFO["key"]
    if key not in corpora() or key == "own":
        return
    leaf = bases() / f"c3d_{key}.py"
    reference = load_config(leaf) if leaf.is_file() else load_config(bases() / "c3d_dfew.py", dataset=key)
    for line in protocol_differences({reference.config_name: reference, "this config": config}):
        expect(False, f"{line}; set it back, or name another track")


MODEL: dict[str, Callable[[Config], None]] = {
    "can be built": _can_be_built,
    "the cost of a video is counted": _is_counted,
}
CONFIG: dict[str, Callable[[Config], None]] = {
    "values are of the right kind": check_values,
    "names its track": _has_a_track,
    "has the classes of its corpus": _has_the_classes_of_its_corpus,
    "trains on the training videos and tests on the test videos": _reads_the_right_videos,
    "model builds on the meta device": _builds_on_meta,
    "is the same after dump and reload": _is_the_same_reloaded,
    "has the protocol of the fair track": _has_the_fair_protocol,
}


def _begins_with_its_command(leaf: tuple[Path, Config]) -> None:
    path, _ = leaf
    title = inspect.cleandoc(path.read_text(encoding="utf-8").split('"""')[1]).splitlines()[0]
    command = f"python tools/train.py configs/{path.name}"
    expect(command in title, f"the first line is {title!r}: expected the title and the command, {command!r}")


def _is_short(leaf: tuple[Path, Config]) -> None:
    lines = len(leaf[0].read_text(encoding="utf-8").splitlines())
    expect(lines < MAX_LEAF_LINES, f"{lines} lines: expected under {MAX_LEAF_LINES}; put the rest into _base_")


def _is_named_after_its_corpus(leaf: tuple[Path, Config]) -> None:
    path, config = leaf
    corpus = config.train_dataloader.dataset.type.METAINFO["key"]
    if is_other_corpus(config.test_dataloader.dataset):
        corpus += f"_on_{config.test_dataloader.dataset.type.METAINFO['key']}"
    expect(f"_{corpus}" in path.stem, f"is named {path.stem}: expected <method>_{corpus}[_<change>]")


HOUSE: dict[str, Callable[[tuple[Path, Config]], None]] = {
    "begins with its title and its command": _begins_with_its_command,
    "is short": _is_short,
    "is named after its corpus": _is_named_after_its_corpus,
}


def _corpora_of(config: Config) -> tuple[type, type]:
    return config.train_dataloader.dataset.type, config.test_dataloader.dataset.type
