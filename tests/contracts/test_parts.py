"""Every registered backbone, aggregator, head and transform keeps its contract."""

import functools
import inspect

import numpy as np
import pytest
from helpers.contracts import assert_kept
from helpers.readers import check_reader
from mmcv.transforms import BaseTransform

from cefl_bench.contracts.metrics import examine_metric
from cefl_bench.contracts.parts import examine_aggregator, examine_backbone, examine_head
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.base import Head
from cefl_bench.registry import HOOKS, METRICS, MODELS, TRANSFORMS, registered
from cefl_bench.transforms.read import Reader

ALL = {**registered(MODELS), **registered(TRANSFORMS), **registered(METRICS), **registered(HOOKS)}


@pytest.mark.parametrize("cls", registered(MODELS, Backbone).values(), ids=lambda cls: cls.__name__)
def test_backbone(cls):
    size = 112 if "size" in inspect.signature(cls).parameters else 64  # some are built for one size
    assert_kept(examine_backbone(cls.__name__, lambda: cls(**cls.tiny), clip_shape=(3, 16, size, size)))


@pytest.mark.parametrize("cls", registered(MODELS, Aggregator).values(), ids=lambda cls: cls.__name__)
def test_aggregator(cls):
    assert_kept(examine_aggregator(cls.__name__, lambda: cls(**cls.tiny, in_dim=24), num_clips=3, in_dim=24))


@pytest.mark.parametrize("cls", registered(MODELS, Head).values(), ids=lambda cls: cls.__name__)
def test_head(cls):
    build = functools.partial(cls, **cls.tiny, in_dim=24, num_classes=7)
    assert_kept(examine_head(cls.__name__, build, in_dim=24, num_classes=7))


@pytest.mark.parametrize("cls", registered(TRANSFORMS, Reader).values(), ids=lambda cls: cls.__name__)
def test_reader(cls, tmp_path):
    check_reader(cls, tmp_path)


@pytest.mark.parametrize("cls", ALL.values(), ids=lambda cls: cls.__name__)
def test_is_documented_and_stands_in_the_file_of_its_name(cls):
    assert cls.__doc__ and len(cls.__doc__.splitlines()[0]) > 10
    file = cls.__module__.rsplit(".", 1)[-1].replace("_", "")
    # Readers share a file, the one door of the decoder; the video preprocessor is the only one of its kind.
    assert cls.__name__.lower().endswith(file) or issubclass(cls, Reader)


@pytest.mark.parametrize(
    "cls",
    [cls for cls in registered(TRANSFORMS, BaseTransform).values() if not issubclass(cls, Reader)],
    ids=lambda cls: cls.__name__,
)
def test_transform_adds_and_keeps(cls):
    """A transform hands on what came in, except `Pack`, whose output is the `Sample`."""

    class Frames:
        def __len__(self):
            return 30

        def fetch(self, indices):
            return np.zeros((len(indices), 8, 8, 3), dtype=np.uint8)

    entry = {"name": "a", "label": 1, "path": "a.mp4", "num_frames": 30, "rng": None, "frames": Frames()}
    entry["frame_indices"] = np.arange(16).reshape(4, 4)
    out = cls()(dict(entry))
    if "video" in out:
        assert out["video"].shape == (4, 4, 8, 8, 3) and out["video"].dtype == np.uint8
    else:
        assert set(entry) <= set(out)


@pytest.mark.parametrize("num_classes", [3, 7])
@pytest.mark.parametrize("cls", registered(METRICS).values(), ids=lambda cls: cls.__name__)
def test_metric(cls, num_classes):
    assert_kept(examine_metric(cls.__name__, cls, num_classes))
