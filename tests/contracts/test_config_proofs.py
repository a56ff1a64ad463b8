"""The contract checks of configs can fail: a leaf with a planted fault breaks the promise that it should."""

from pathlib import Path

import pytest
from helpers.contracts import assert_kept, broken

from cefl_bench.config import bases, load_config
from cefl_bench.contracts.configs import HOUSE, examine_config
from cefl_bench.contracts.promise import outcomes


def leaf(name: str, folder: Path, *lines: str) -> Path:
    """A copy of a leaf of ours with lines added to its end."""
    (folder / "_base_").symlink_to(bases() / "_base_")
    text = (bases() / f"{name}.py").read_text(encoding="utf-8")
    (folder / f"{name}.py").write_text(text + "".join(f"{line}\n" for line in ("", *lines)), encoding="utf-8")
    return folder / f"{name}.py"


CLASSES, TRACK, VALUES = "has the classes of its corpus", "names its track", "values are of the right kind"
VIDEOS, FAIR = "trains on the training videos and tests on the test videos", "has the protocol of the fair track"
BUILT = "model builds on the meta device"


@pytest.mark.parametrize(
    ("name", "line", "reasons"),
    [
        ("ceflnet_dfew", "model.head.num_classes = 6", {CLASSES: "is 6: DFEW has 7 classes"}),
        ("ceflnet_dfew", "track = 'mine'", {TRACK: "track is 'mine'"}),
        (
            "c3d_dfew",
            "model.backbone.init_cfg = dict(timm='a')",
            {TRACK: "timm a: the fair track starts", FAIR: "start"},
        ),
        ("r3d18_dfew", "track = 'pretrained'", {TRACK: "expected the weights to start from"}),
        (
            "r3d18_dfew",
            "track = 'pretrained'\nmodel.backbone.init_cfg = dict(checkpoint='face.pth')",
            {TRACK: "expected start='faces' or the like"},
        ),
        (
            "r3d18_dfew",
            "track = 'pretrained'\nmodel.backbone.init_cfg = dict(torchvision='r3d_18')\nval_cfg = dict(fp16=True)",
            {FAIR: "in loops.val"},
        ),
        ("ceflnet_dfew_paper", "departs_from_released_code = []", {TRACK: "expected a list of lines"}),
        ("c3d_dfew", "model.backbone.dropout = 'much'", {VALUES: "dropout is 'much'", BUILT: "TypeError"}),
        (
            "c3d_dfew",
            "train_dataloader.dataset.split = 'test'",
            {VIDEOS: "expected 'train'", FAIR: "training_loader.split"},
        ),
        (
            "c3d_dfew",
            "train_dataloader.batch_size = 16",
            {FAIR: "this config differs from c3d_dfew in batch_size: 16 != 32"},
        ),
        ("c3d_dfew", "model.backbone.size = 8", {BUILT: "at least 16 pixels"}),
    ],
)
def test_a_faulty_config_breaks_that_promise_and_no_other(name, line, reasons, tmp_path):
    path = leaf(name, tmp_path, line)
    found = broken(examine_config(path, load_config(path)))
    assert set(found) == set(reasons)
    assert all(reason in found[promise] for promise, reason in reasons.items()), found


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        (("configs/ceflnet_dfew.py", "configs/other.py"), "begins with its title and its command"),
        (("import *\n", "import *\n" + 10 * "\n"), "is short"),
    ],
)
def test_a_leaf_of_ours_keeps_the_rules_of_the_house(change, promise, tmp_path):
    path = leaf("ceflnet_dfew", tmp_path)
    assert_kept(outcomes("leaf", (path, load_config(path)), HOUSE))
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    assert set(broken(outcomes("leaf", (path, load_config(path)), HOUSE))) == {promise}
    other = path.rename(tmp_path / "ceflnet_mafw.py")
    assert "is named after its corpus" in broken(outcomes("leaf", (other, load_config(other)), HOUSE))
