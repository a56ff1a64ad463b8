"""Initial weights: the layouts that circulate are read, counted and refused when they do not fit."""

import hashlib
import sys

import numpy as np
import pytest
import torch
import torchvision

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.c3d import C3D
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder
from cefl_bench.models.backbones.former_dfer import FormerDFER
from cefl_bench.models.backbones.r3d18 import R3D18
from cefl_bench.models.backbones.timm_frames import TimmFrames
from cefl_bench.models.start import InitSource, init_source
from cefl_bench.models.weights import convert, fit_of

BLOCK = {
    "0.fn.norm.weight": (1,),
    "0.fn.norm.bias": (1,),
    "0.fn.fn.to_qkv.weight": (3, 1),
    "0.fn.fn.to_out.0.weight": (1, 1),
    "0.fn.fn.to_out.0.bias": (1,),
    "1.fn.norm.weight": (1,),
    "1.fn.norm.bias": (1,),
    "1.fn.fn.net.0.weight": (2, 1),
    "1.fn.fn.net.0.bias": (2,),
    "1.fn.fn.net.3.weight": (1, 2),
    "1.fn.fn.net.3.bias": (1,),
}
"""Names of one transformer block in the authors' Former-DFER, and shapes in multiples of its width."""


def former_dfer_checkpoint() -> dict[str, torch.Tensor]:
    """The names and shapes of the authors' released checkpoint, with random numbers in it."""
    trunk = torchvision.models.resnet18(weights=None).state_dict()
    weights = {f"s_former.{name}": torch.rand_like(x.float()) for name, x in trunk.items() if "fc." not in name}
    weights["s_former.pos_embedding"] = torch.rand(1, 49, 256)
    weights["t_former.pos_embedding"] = torch.rand(1, 17, 512)
    weights["t_former.cls_token"] = torch.rand(1, 1, 512)
    for part, depth, dim in (("s_former", 1, 256), ("t_former", 3, 512)):
        for layer in range(depth):
            for name, shape in BLOCK.items():
                weights[f"{part}.spatial_transformer.layers.{layer}.{name}"] = torch.rand([n * dim for n in shape])
    weights |= {"fc.weight": torch.rand(7, 512), "fc.bias": torch.rand(7)}
    return {f"module.{name}": tensor for name, tensor in weights.items()}


def test_the_authors_former_dfer_checkpoint_fills_everything(tmp_path, capsys):
    checkpoint = former_dfer_checkpoint()
    torch.save({"epoch": 100, "state_dict": checkpoint}, tmp_path / "former.pth")
    backbone = FormerDFER(init_cfg=dict(checkpoint=str(tmp_path / "former.pth")))
    backbone.init_weights()
    assert "former.pth" in backbone.init_source.source and "100.0% of the trunk" in backbone.init_source.source
    assert "unexpected: fc.weight, fc.bias" in (said := capsys.readouterr().out) and "missing" not in said
    state, theirs = backbone.state_dict(), "module.t_former.spatial_transformer.layers.2."
    torch.testing.assert_close(state["temporal.2.qkv.weight"], checkpoint[f"{theirs}0.fn.fn.to_qkv.weight"])
    torch.testing.assert_close(state["temporal.2.mlp.2.bias"], checkpoint[f"{theirs}1.fn.fn.net.3.bias"])
    torch.testing.assert_close(
        state["trunk.layer3.0.conv1.weight"], checkpoint["module.s_former.layer3.0.conv1.weight"]
    )


def test_a_checkpoint_that_also_holds_the_authors_log_is_read_without_running_it(tmp_path, monkeypatch):
    """Their training script saves an object of its own class beside the weights."""

    class RecorderMeter:
        def __init__(self):
            self.epoch_losses = np.zeros((3, 2), dtype=np.float32)

    RecorderMeter.__module__, RecorderMeter.__qualname__ = "__main__", "RecorderMeter"
    checkpoint = {"state_dict": former_dfer_checkpoint(), "recorder": RecorderMeter(), "best_acc": 65.7}
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["__main__"], "RecorderMeter", RecorderMeter, raising=False)
        torch.save(checkpoint, tmp_path / "former.pth")
    backbone = FormerDFER(init_cfg=dict(checkpoint=str(tmp_path / "former.pth")))
    backbone.init_weights()
    assert "100.0% of the trunk" in backbone.init_source.source


@pytest.mark.parametrize("backbone", [ClipFeatureEncoder, FormerDFER])
def test_a_face_resnet_with_heads_of_its_own_fills_the_trunk(backbone, tmp_path, capsys):
    weights = {f"module.{name}": torch.rand_like(x.float()) for name, x in face_resnet().items()}
    torch.save({"epoch": 3, "state_dict": weights}, tmp_path / "face.pth.tar")
    part = backbone(init_cfg=dict(checkpoint=str(tmp_path / "face.pth.tar")))
    part.init_weights()
    torch.testing.assert_close(part.trunk.layer4[1].conv2.weight, weights["module.layer4.1.conv2.weight"])
    said = capsys.readouterr().out
    assert "100.0% of the trunk" in said and "unexpected: trunk.fc.weight" in said and "missing: " in said


def face_resnet() -> dict[str, torch.Tensor]:
    heads = {"alpha.0.weight": torch.rand(1, 512), "alpha.0.bias": torch.rand(1), "pred_fc1.weight": torch.rand(8, 512)}
    return torchvision.models.resnet18(weights=None).state_dict() | heads


def test_torchvision_names_fill_r3d18(tmp_path):
    weights = torchvision.models.video.r3d_18(weights=None).state_dict()
    torch.save(weights, tmp_path / "r3d18.pth")
    backbone = R3D18(init_cfg=dict(checkpoint=str(tmp_path / "r3d18.pth")))
    backbone.init_weights()
    torch.testing.assert_close(backbone.trunk.stem[0].weight, weights["stem.0.weight"])


def test_a_checkpoint_of_this_toolkit_fills_the_backbone_also_without_a_trunk(tmp_path):
    first = C3D(width=4)
    weights = {f"backbone.{name}": tensor for name, tensor in first.state_dict().items()}
    torch.save({"state_dict": weights | {"head.bias": torch.rand(7)}}, tmp_path / "last.pth")
    second = C3D(width=4, init_cfg=dict(checkpoint=str(tmp_path / "last.pth")))
    second.init_weights()
    torch.testing.assert_close(second.state_dict(), first.state_dict())


def test_what_fills_less_than_nine_tenths_is_refused_with_the_names(tmp_path):
    weights = {name: x for name, x in face_resnet().items() if not name.startswith("layer4")}
    torch.save(weights, tmp_path / "half.pth")
    backbone = TimmFrames("resnet18", init_cfg=dict(checkpoint=str(tmp_path / "half.pth")))
    with pytest.raises(UserError, match=r"half.pth.* missing: trunk.layer4.0.conv1.weight.* at least 90%") as error:
        backbone.init_weights()
    assert "\n" not in str(error.value)
    assert not torch.equal(backbone.trunk.conv1.weight, weights["conv1.weight"])


def test_another_shape_is_not_loaded_and_both_names_are_told():
    backbone = TimmFrames("test_resnet")
    weights = convert(backbone.trunk.state_dict())
    weights["trunk.conv1.0.weight"] = torch.rand(1)
    fit = fit_of(backbone, weights)
    assert "trunk.conv1.0.weight" in fit.missing and "trunk.conv1.0.weight" in fit.unexpected
    assert 0.9 < fit.share < 1


@pytest.mark.parametrize(
    ("init_cfg", "message"),
    [
        (dict(), "names 0 sources"),
        (dict(timm="resnet18", checkpoint="a.pth"), "names 2 sources"),
        (dict(type="Pretrained", checkpoint="a.pth"), r"expected dict\(checkpoint=FILE\)"),
        ("face.pth", "init_cfg is 'face.pth': expected dict"),
        (dict(timm="resnet17"), "timm has no network 'resnet17'"),
        (dict(torchvision="resnet17"), "torchvision has no network 'resnet17'"),
        (dict(checkpoint="nowhere.pth"), "'nowhere.pth' does not exist"),
    ],
)
def test_a_source_that_is_none_is_named(init_cfg, message):
    with pytest.raises(UserError, match=message) as error:
        TimmFrames("test_resnet", init_cfg=init_cfg).init_weights()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("init_cfg", "expected"),
    [
        (None, ("scratch", "scratch")),
        (dict(timm="resnet18"), ("ImageNet", "timm resnet18.a1_in1k")),
        (dict(timm="resnet18.tv_in1k"), ("ImageNet", "timm resnet18.tv_in1k")),
        (dict(timm="vit_base_patch16_224.augreg_in21k_ft_in1k"), ("ImageNet-21k",)),
        (dict(timm="resnet18.fb_ssl_yfcc100m_ft_in1k"), ("fb_ssl_yfcc100m_ft_in1k",)),
        (dict(timm="vit_base_patch16_clip_224", start="CLIP"), ("CLIP",)),
        (dict(torchvision="r3d_18"), ("Kinetics-400", "torchvision r3d_18 KINETICS400_V1 (r3d_18-b3b3357e.pth)")),
        (dict(torchvision="resnet18"), ("ImageNet", "torchvision resnet18 IMAGENET1K_V1 (resnet18-f37072fd.pth)")),
    ],
)
def test_the_start_has_a_name_before_anything_is_loaded(init_cfg, expected):
    assert init_source(init_cfg)[: len(expected)] == expected


def test_the_start_of_a_file_is_what_the_config_says_of_it(tmp_path):
    file = tmp_path / "face.pth"
    torch.save({"state_dict": face_resnet()}, file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert init_source(dict(checkpoint=str(file))) == InitSource("file", f"{file} (sha256 {sha256[:12]})")
    backbone = TimmFrames("resnet18", init_cfg=dict(checkpoint=str(file), start="faces"))
    assert backbone.init_source == InitSource("scratch", "scratch"), "nothing is loaded yet"
    backbone.init_weights()
    assert backbone.init_source.start == "faces" and sha256[:12] in backbone.init_source.source
