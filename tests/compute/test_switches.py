"""The compute switches: told the same way in a config, on a command line and in a result, and carried out."""

import argparse
import copy
import json

import pytest
import torch
from helpers.run import SYNTHETIC, TINY
from mmengine.optim import AmpOptimWrapper, OptimWrapper, build_optim_wrapper
from torch import nn

from cefl_bench.cli.options import add_compute, compute_given
from cefl_bench.commands.machine import warn_of_unusable_gpu
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import train
from cefl_bench.compute import network
from cefl_bench.compute.autocast import AutocastOptimWrapper
from cefl_bench.compute.network import check_network, optim_wrapper_of, prepare_network, set_up_torch
from cefl_bench.compute.switches import Compute, compute_of
from cefl_bench.config import load_config, set_compute
from cefl_bench.errors import UserError
from cefl_bench.registry import MODELS

ALL = Compute("tf32", "channels_last", True, True, True, True)
SGD = {"type": OptimWrapper, "optimizer": {"type": torch.optim.SGD, "lr": 0.1}}


@pytest.mark.parametrize("compute", [Compute(), ALL, Compute("bf16", fused=True)], ids=str)
def test_the_command_line_says_what_the_config_says(compute):
    parser = argparse.ArgumentParser()
    add_compute(parser)
    arguments = parser.parse_args(compute.flags())
    given = compute_given(arguments)
    assert compute_of({"compute": given}) == compute and not vars(arguments)


def test_a_config_has_only_the_switches_that_are_set():
    assert "compute" not in load_config(SYNTHETIC), "the defaults of the runtime axis are those of Compute"
    config = load_config(SYNTHETIC, {"compute.fused": True, "compute.compile": False})
    assert config.compute == {"fused": True}
    set_compute(config, {"precision": "bf16", "fused": False})
    assert config.compute == {"precision": "bf16"}


def test_precision_belongs_to_the_optimisers_wrapper():
    layer = nn.Linear(2, 2)
    wrapper = build_optim_wrapper(layer, optim_wrapper_of(SGD, Compute("bf16", fused=True), "cpu"))
    assert isinstance(wrapper, AutocastOptimWrapper) and wrapper.optimizer.defaults["fused"] is True
    with wrapper.optim_context(layer):
        assert layer(torch.ones(1, 2)).dtype is torch.bfloat16
    assert layer(torch.ones(1, 2)).dtype is torch.float32
    half = optim_wrapper_of(SGD, Compute("fp16"), "cuda")
    assert (half["type"], half["dtype"]) == (AmpOptimWrapper, "float16")
    assert optim_wrapper_of(SGD, Compute(), "cpu") == SGD


def test_what_an_optimiser_cannot_do_is_told():
    lbfgs = {"type": OptimWrapper, "optimizer": {"type": torch.optim.LBFGS}}
    with pytest.raises(UserError, match="--fused: LBFGS has no fused step"):
        optim_wrapper_of(lbfgs, Compute(fused=True), "cpu")
    with pytest.raises(UserError, match=r"optim_wrapper.type is AmpOptimWrapper, which has a precision of its own"):
        optim_wrapper_of(SGD | {"type": AmpOptimWrapper}, Compute("bf16"), "cpu")


def test_bfloat16_on_a_cpu_is_refused_where_its_gradients_are_wrong():
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3))
    check_network(Compute("bf16"), layers[:1], "cpu")
    check_network(Compute("bf16"), layers, "cuda")
    check_network(Compute(), layers, "cpu")
    with pytest.raises(UserError, match="--precision bf16 on a CPU: 1 is a 3D convolution"):
        check_network(Compute("bf16"), layers, "cpu")


def test_memory_format_and_compilation_are_set_on_the_network():
    config = load_config(SYNTHETIC)
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    weight = next(module.weight for module in model.modules() if isinstance(module, nn.Conv2d))
    prepare_network(model, Compute(memory_format="contiguous"))
    assert weight.is_contiguous() and model.backbone._compiled_call_impl is None
    prepare_network(model, Compute(memory_format="channels_last", compile=True))
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    assert model.backbone._compiled_call_impl is not None and model.aggregator._compiled_call_impl is not None


def test_full_batches_are_compiled_and_tests_of_a_training_are_not(monkeypatch):
    """The last batch of an epoch is smaller, and compiling for it would take as long as for all the others."""
    compiled = []

    def recorded(function, **options):
        assert options == {"dynamic": False, "mode": None}
        return lambda *inputs: compiled.append(len(inputs[0])) or function(*inputs)

    monkeypatch.setattr(torch, "compile", recorded)
    model = nn.ModuleDict({"backbone": nn.Linear(2, 2), "aggregator": nn.Linear(2, 2)})
    prepare_network(model, Compute(compile=True), in_training_alone=True)
    for batch in (4, 3, 4):
        model["backbone"](torch.zeros(batch, 2))
    model.eval()
    model["backbone"](torch.zeros(4, 2))
    assert compiled == [4, 4]
    always = copy.deepcopy(model)
    prepare_network(always, Compute(compile=True))
    always["backbone"](torch.zeros(5, 2))
    assert compiled == [4, 4, 5]


def test_graphs_begin_anew_with_every_step(monkeypatch):
    steps = []
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", lambda: steps.append("begin"))
    config = load_config(SYNTHETIC)
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    prepare_network(model, Compute(cuda_graphs=True))
    for _ in range(2):
        model(torch.zeros(1, 1, 3, 16, 48, 48))
    assert steps == ["begin", "begin"]
    with pytest.raises(UserError, match="--cuda-graphs: gradients of several batches are added up"):
        optim_wrapper_of(SGD | {"accumulative_counts": 2}, Compute(cuda_graphs=True), "cuda")


def test_torch_is_told_which_float32():
    def allowed():
        return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32

    before = allowed()
    for precision, expected in (("tf32", (True, True)), ("fp32_strict", (False, False)), ("fp32", before)):
        set_up_torch(Compute(precision))
        assert allowed() == expected


def test_a_training_with_switches_says_so(with_data, tmp_path):
    folder = tmp_path / "run"
    compute = {"precision": "fp32_strict", "memory_format": "channels_last", "fused": True}
    options = RunOptions(SYNTHETIC, work_dir=str(folder), compute=compute)
    options.cfg_options = (*TINY, "train_cfg.max_epochs=1")
    train(options)
    result = json.loads((folder / "result.json").read_text())
    assert result["protocol"]["precision"] == "fp32_strict"
    assert result["config"]["compute"] == compute == result["environment"]["switches"]
    told = result["environment"]["precision"]
    assert told == {"asked_for": "fp32_strict", "convolutions": "float32", "matrix_products": "float32"}
    assert result["config"]["optim_wrapper"]["type"].endswith(".OptimWrapper"), "the schedule stays the config's"
    assert 0 < result["history"][0]["loss"] < 10


def test_a_gpu_that_cannot_be_used_is_told(tmp_path, monkeypatch, capsys):
    def init():
        raise RuntimeError("The NVIDIA driver on your system is too old\n(found version 11040).")

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(network, "LISTED_GPUS", tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "init", init)
    warn_of_unusable_gpu()
    assert capsys.readouterr().err == "", "no GPU is listed"
    (tmp_path / "0000:01:00.0").mkdir()
    warn_of_unusable_gpu()
    (line,) = capsys.readouterr().err.splitlines()
    assert "driver on your system is too old (found version 11040).): going on with the CPU" in line
    monkeypatch.setattr(torch.version, "cuda", None)
    assert network.unusable_gpu() == "this PyTorch is built without CUDA"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert network.unusable_gpu() is None, "hidden on purpose"
