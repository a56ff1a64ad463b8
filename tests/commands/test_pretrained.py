"""The pretrained track: the fair track's data and schedule, from weights that are named; two starts share no rank."""

import json

import pytest
import timm
import torch
import torchvision
from helpers.run import ROOT
from helpers.simulated import SMALL, TWO, simulate

from cefl_bench.commands.facts import start_facts
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import resolve, run
from cefl_bench.config import load_config
from cefl_bench.functional.protocol import difference, protocol_of
from cefl_bench.models.weights import convert, fit_of
from cefl_bench.plain import plain
from cefl_bench.registry import MODELS
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.runs.checkpoints import weights_sha256

CONFIGS = ROOT / "configs"
LEAVES = sorted(path.stem for path in CONFIGS.glob("*_dfew_pretrained.py"))
KINETICS_FILES = {
    "r3d18": ("r3d_18", "r3d_18-b3b3357e.pth"),
    "mc3_18": ("mc3_18", "mc3_18-a90a0ba3.pth"),
    "r2plus1d_18": ("r2plus1d_18", "r2plus1d_18-91a641e6.pth"),
    "s3d": ("s3d", "s3d-d76dad2f.pth"),
    "swin3d_t": ("swin3d_t", "swin3d_t-7615ae03.pth"),
}
"""Method -> torchvision's network, and the file of its weights as torchvision documents it."""
FACES = {"videomae_b": "VoxCeleb2 + AffectNet", "mae_dfer": "VoxCeleb2", "svfap": "VoxCeleb2"}
SMALL_RUN = (
    "model.backbone.name=test_resnet",
    "model.backbone.init_cfg.timm=None",
    "model.backbone.init_cfg.start=faces",
    "data_preprocessor.size=32",
    "train_cfg.max_epochs=1",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "val_dataloader.num_workers=0",
    "val_dataloader.persistent_workers=False",
)


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_differs_from_its_fair_twin_in_its_start_and_at_most_its_schedule(name):
    twins = [plain(load_config(CONFIGS / f"{leaf}.py").to_dict()) for leaf in (name.removesuffix("_pretrained"), name)]
    changed = {line.split(":")[0] for line in difference(*map(protocol_of, twins))}
    is_transformer = name.startswith(tuple(FACES))
    assert {path for path in changed if not path.startswith("schedule.")} == {"start.source", "track"}
    assert (changed == {"start.source", "track"}) != is_transformer, "transformers have a schedule of their own"
    init_cfg = twins[1]["model"]["backbone"].pop("init_cfg")
    assert twins[0]["model"] == twins[1]["model"]
    facts = start_facts(init_cfg)
    method = name.partition("_dfew")[0]
    if method in FACES:
        assert (facts["source"], facts["start"]) == ("file", FACES[method])
    elif method in KINETICS_FILES:
        network, file = KINETICS_FILES[method]
        assert facts == {"start": "Kinetics-400", "source": f"torchvision {network} KINETICS400_V1 ({file})"}
    else:
        assert facts == {"start": "ImageNet", "source": "timm resnet18.a1_in1k"}


def test_the_networks_with_public_weights_have_a_leaf():
    leaves = {leaf.partition("_dfew")[0] for leaf in LEAVES}
    assert leaves >= {"ceflnet", "resnet18_frames", "resnet18_lstm", *KINETICS_FILES}


@pytest.mark.parametrize("method", KINETICS_FILES)
def test_a_network_of_torchvision_fills_the_whole_trunk(method):
    with torch.device("meta"):
        backbone = MODELS.build(load_config(CONFIGS / f"{method}_dfew.py").model.backbone)
        weights = torchvision.models.get_model(KINETICS_FILES[method][0]).state_dict()
    fit = fit_of(backbone, convert(weights, backbone.state_dict()))
    assert fit.share == 1 and not fit.missing


def test_what_the_protocol_says_of_a_start(tmp_path):
    assert start_facts(None) == start_facts({"timm": None}) == {"source": "scratch"}
    assert start_facts({"timm": "resnet18"}) == start_facts({"timm": "resnet18.a1_in1k"}), "whatever timm prefers later"
    assert start_facts({"timm": "resnet18"}) != start_facts({"timm": "resnet18.tv_in1k"})
    for name, content in (("a.pth", b"one"), ("b.pth", b"one"), ("c.pth", b"two")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (
        start_facts({"checkpoint": str(tmp_path / name), "start": "faces"}) for name in ("a.pth", "b.pth", "c.pth")
    )
    assert a == b != c and a["start"] == "faces"


def test_the_hash_of_weights_knows_their_numbers_and_not_their_order():
    one = {"a": torch.ones(2, 3), "b": torch.tensor(4), "c": torch.ones(2, dtype=torch.bfloat16)}
    assert weights_sha256(one) == weights_sha256(dict(reversed(one.items())))
    assert weights_sha256(one) != weights_sha256(one | {"b": torch.tensor(5)})
    assert weights_sha256(one) != weights_sha256({"x": one["a"], "b": one["b"], "c": one["c"]})


def test_two_runs_from_two_files_share_no_table(with_data, tmp_path):
    """Real trainings on a tree of DFEW, from made weights."""
    for seed in (1, 2):
        torch.manual_seed(seed)
        weights = timm.create_model("test_resnet", num_classes=0).state_dict()
        torch.save(weights, tmp_path / f"weights{seed}.pth")
        folder = tmp_path / "runs" / f"from{seed}" / "fold1_seed0"
        options = (*SMALL_RUN, f"model.backbone.init_cfg.checkpoint={tmp_path / f'weights{seed}.pth'}")
        leaf = str(CONFIGS / "resnet18_frames_dfew_pretrained.py")
        run(resolve(RunOptions(leaf, work_dir=str(folder), cfg_options=options)))
        result = json.loads((folder / "result.json").read_text())
        assert result["track"] == result["protocol"]["track"] == "pretrained"
        assert result["init"]["start"] == result["protocol"]["start"]["start"] == "faces"
        assert result["init"]["weights_sha256"] == weights_sha256(weights)
    board = make_leaderboard(tmp_path / "runs")
    tables = board["tables"]
    assert [len(table["rows"]) for table in tables] == [1, 1] and len({table["protocol_id"] for table in tables}) == 2
    assert {row["start"] for table in tables for row in table["rows"]} == {"faces"}
    assert "pretrained track" in markdown(board) and "| faces |" in markdown(board)


def test_other_weights_under_the_same_name_share_no_table_either(tmp_path):
    """As where a library's file was exchanged: the protocol id, made before it is read, is the same."""
    folder = simulate(tmp_path, TWO, SMALL, seeds=(0,))
    for file in folder.glob("*/*/result.json"):
        result = json.loads(file.read_text())
        result["init"] |= {"start": "ImageNet", "weights_sha256": ("a" if "c3d" in str(file) else "b") * 64}
        file.write_text(json.dumps(result))
    tables = make_leaderboard(folder)["tables"]
    assert [len(table["rows"]) for table in tables] == [1, 1]
    assert len({table["protocol_id"] for table in tables}) == len({table["title"] for table in tables}) == 2
    assert any("start.weights_sha256" in line for line in tables[0]["differs_from_others"])
    for file in folder.glob("*/*/result.json"):
        file.write_text(file.read_text().replace("b" * 64, "a" * 64))
    (table,) = make_leaderboard(folder)["tables"]
    assert len(table["rows"]) == 2 and table["protocol_id"] == json.loads(file.read_text())["protocol_id"]
