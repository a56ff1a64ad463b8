"""The contracts, as functions: what every backbone, aggregator, head, transform, dataset and config must do."""

import copy
import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from cefl_bench.config import load_config
from cefl_bench.cost.flops import count
from cefl_bench.functional.protocol import difference, is_other_corpus, protocol_of
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.base import Head
from cefl_bench.plain import plain
from cefl_bench.registry import MODELS
from cefl_bench.transforms.read import Reader
from helpers.trees import moving_square, write_images, write_video

CLIPS, FRAMES, SIZE, DIM, CLASSES = 3, 16, 112, 24, 7


def build(cls: type, **arguments) -> nn.Module:
    torch.manual_seed(0)
    module = cls(**{**cls.tiny, **arguments})
    module.init_weights()
    return module


def check_part(module: nn.Module, *inputs: torch.Tensor) -> None:
    """What holds for every part of a model: gradients, half precision, meta device, dump and reload, counted FLOPs."""
    module.train()
    if any(True for _ in module.parameters()):
        _first(module(*inputs)).square().sum().backward()
    unused = [name for name, parameter in module.named_parameters() if parameter.grad is None]
    assert not unused, f"parameters without a gradient: {unused}"

    module.eval()
    with torch.no_grad():
        expected = _first(module(*inputs))
        half = _first(copy.deepcopy(module).bfloat16()(*(x.bfloat16() for x in inputs)))
        assert half.dtype == torch.bfloat16 and torch.isfinite(half).all(), "half precision does not run"
        other = copy.deepcopy(module)
        for parameter in other.parameters():
            parameter.zero_()
        other.load_state_dict(module.state_dict())
        torch.testing.assert_close(_first(other(*inputs)), expected)

        meta = copy.deepcopy(module).to("meta")
        on_meta = [x.to("meta") for x in inputs]
        assert _first(meta(*on_meta)).shape == expected.shape
        has_weights = any(parameter.dim() > 1 for parameter in module.parameters())
        assert (count(meta, *on_meta).macs() > 0) == has_weights, "FLOPs are not counted"


def check_backbone(cls: type[Backbone]) -> None:
    with torch.device("meta"):
        cls(**cls.tiny)
    backbone = build(cls)
    clip_BCTHW = torch.randn(CLIPS, 3, FRAMES, SIZE, SIZE)
    backbone.eval()
    with torch.no_grad():
        feature = backbone(clip_BCTHW)
        assert feature.shape == (CLIPS, backbone.feat_dim), f"{feature.shape}: expected (B, feat_dim)"
        changed = clip_BCTHW.clone()
        changed[1] = torch.randn_like(changed[1])
        again = backbone(changed)
        others = [0, 2]
        assert torch.allclose(again[others], feature[others], atol=1e-4), "a clip's feature depends on the other clips"
        assert not torch.allclose(again[1], feature[1]), "the feature does not depend on the clip"
    check_part(backbone, clip_BCTHW)


def check_aggregator(cls: type[Aggregator]) -> None:
    aggregator = build(cls, in_dim=DIM)
    feature_BND = torch.randn(2, CLIPS, DIM)
    aggregator.eval()
    with torch.no_grad():
        feature, weights = aggregator(feature_BND)
        assert feature.shape == (2, aggregator.feat_dim)
        changed = feature_BND.clone()
        changed[1] += 1
        torch.testing.assert_close(aggregator(changed)[0][0], feature[0], msg="videos mix")
        if weights is not None:
            assert weights.shape == (2, CLIPS)
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
    check_part(aggregator, feature_BND)


def check_head(cls: type[Head]) -> None:
    head = build(cls, in_dim=DIM, num_classes=CLASSES)
    feature_BD = torch.randn(4, DIM)
    assert head(feature_BD).shape == (4, CLASSES)
    losses = head.loss(feature_BD, torch.arange(4))
    assert losses and all(key.startswith("loss_") and loss.dim() == 0 for key, loss in losses.items())
    sum(losses.values()).backward()
    assert all(parameter.grad is not None for parameter in head.parameters())
    check_part(head, feature_BD)


def check_reader(cls: type[Reader], folder: Path) -> None:
    """Reads videos, folders of images, or both, frames in any order, and names what it cannot read."""
    truth = moving_square(14, label=2)
    write_video(folder / "video.mp4", truth)
    write_images(folder / "images", truth)
    reader, readable = cls(size=32), []
    for path in ("video.mp4", "images", "missing.mp4", "missing"):
        try:
            readable.append(reader({"path": str(folder / path), "num_frames": -1})["frames"])
            assert not path.startswith("missing"), "opens what is not there"
        except ValueError as error:
            assert path in str(error)
    assert readable, "expected to read videos or folders of images"
    for frames in readable:
        assert len(frames) == 14
        order = np.array([9, 0, 13, 9])
        fetched = frames.fetch(order)
        assert fetched.shape == (4, 32, 32, 3) and fetched.dtype == np.uint8
        columns = [_square_column(frame) for frame in fetched]
        assert columns[0] == columns[3] and columns[1] < columns[0] < columns[2], (
            "frames come in another order than asked"
        )


def check_config(path: Path) -> None:
    """A leaf: named as it says, small, buildable, its class count the dataset's, unchanged by dump and reload."""
    config = load_config(path)
    title = inspect.cleandoc(path.read_text(encoding="utf-8").split('"""')[1]).splitlines()[0]
    assert f"python tools/train.py configs/{path.name}" in title, "the first line states the title and the command"
    assert {"method", "title", "track"} <= set(config), "the axes name the method, its title and the track"
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40, "a leaf stays under 40 lines"
    dataset = config.train_dataloader.dataset.type.METAINFO
    classes = config.train_dataloader.dataset.get("classes", dataset["classes"])
    assert config.model.head.num_classes == len(classes), (
        f"{path.name}: {config.model.head.num_classes} classes, {dataset['name']} has {len(classes)}"
    )
    assert f"_{dataset['key']}" in path.stem, "a leaf is named <method>_<dataset>[_<change>]"
    if is_other_corpus(config.test_dataloader.dataset):
        there = config.test_dataloader.dataset.type.METAINFO["key"]
        assert f"_{dataset['key']}_on_{there}" in path.stem, "it is trained on the one and tested on the other"
    with torch.device("meta"):
        MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    for loader in (config.val_dataloader, config.test_dataloader):
        assert loader.dataset.split == ("all" if is_other_corpus(loader.dataset) else "test")
        assert loader.dataset.pipeline == config.val_dataloader.dataset.pipeline
    assert config.train_dataloader.dataset.split == "train"
    reloaded = Config.fromstring(config.dump(), file_format=".py")
    assert plain(reloaded.to_dict()) == plain(config.to_dict()), "changes when dumped and loaded again"


def protocol_differences(configs: dict[str, Config]) -> Iterator[str]:
    """Fields in which fair leaves of one dataset differ, as `b_dfew differs from a_dfew in batch_size: 16 != 32`."""
    first: dict[tuple[type, type], tuple[str, dict]] = {}
    for name, config in configs.items():
        if config.track == "fair":
            corpora = (config.train_dataloader.dataset.type, config.test_dataloader.dataset.type)
            protocol = protocol_of(plain(config.to_dict()))
            reference_name, reference = first.setdefault(corpora, (name, protocol))
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


def _first(output: torch.Tensor | tuple) -> torch.Tensor:
    return output if torch.is_tensor(output) else output[0]


def _square_column(frame: np.ndarray) -> float:
    """Where the bright square of `moving_square` stands, in pixels."""
    brightness = frame[6:15].astype(float).sum(axis=(0, 2))
    brightness -= brightness.min()
    return float((np.arange(len(brightness)) * brightness).sum() / brightness.sum())
