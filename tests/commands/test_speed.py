"""tools/speed.py: what it measures, what it says when memory ends, how fast a loader reads. No time is asserted."""

import json
import re

import pytest
import torch
from helpers.run import ROOT, TINY, run_tool

from cefl_bench.commands.speed import input_shapes, measure_models, ran_on
from cefl_bench.compute.network import check_device
from cefl_bench.compute.switches import Compute
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.cost.flops import model_cost
from cefl_bench.cost.memory import MemoryGuard, PeakMemory
from cefl_bench.cost.speed import measure_speed
from cefl_bench.cost.speed_table import speed_table
from cefl_bench.cost.stopwatch import Stopwatch
from cefl_bench.cost.trials import SpeedOptions, Trials
from cefl_bench.cost.workload import Workload
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder
from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.parallel.distributed import keep_freed_memory
from cefl_bench.registry import MODELS

CONFIG = str(ROOT / "configs" / "ceflnet_synthetic.py")
CPU = torch.device("cpu")
SHORT = Stopwatch(warmup=1, iterations=3, min_seconds=0.001)
LIMIT = 3
CUDNN = "GET was unable to find an engine to execute this computation"


@pytest.fixture(scope="module")
def small_memory():
    """A backbone that has no memory for more than `LIMIT` videos, each of four clips."""

    @MODELS.register_module(name="SmallMemory")
    class SmallMemory(ClipFeatureEncoder):
        def forward(self, clip_BCTHW):
            if clip_BCTHW.device.type != "meta" and len(clip_BCTHW) > 4 * LIMIT:
                raise torch.OutOfMemoryError("no memory left\nand a second line")
            return super().forward(clip_BCTHW)

    yield SmallMemory
    MODELS.module_dict.pop("SmallMemory")


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """What the tool printed and wrote, in a folder without data."""
    folder = tmp_path_factory.mktemp("speed")
    options = ("--warmup", "1", "--iterations", "3", "--min-seconds", "0.001", "--batch", "3", "--max-batch", "2")
    done = run_tool("speed.py", CONFIG, *options, "--json", "speed.json", "--cfg-options", *TINY, cwd=folder)
    assert done.stderr == ""
    return done.stdout, json.loads((folder / "speed.json").read_text())


def test_json_has_every_number(answer):
    (result,) = answer[1]
    assert result["config"] == "ceflnet_synthetic" and result["device"] == "cpu" and result["threads"] >= 1
    assert result["precision"] == "fp32" and result["compile"] is False and result["memory_format"] == "own"
    assert (result["warmup"], result["iterations"], result["torch"]) == (1, 3, torch.__version__)
    assert result["video_shape"] == [1, 3, 16, 32, 32] and result["matmul_flops_per_s"] > 0
    for mode, batches in (("inference", [1, 2]), ("training", [2])):
        assert [tried["batch"] for tried in result[mode]["tried"]] == batches
        assert result[mode]["fixed"]["batch"] == 3 and result[mode]["best"]["batch"] in (*batches, 3)
    forwards = {"latency": 1, "inference": 1, "training": 3}
    for mode, passes in forwards.items():
        measured = result[mode].get("fixed", result[mode])
        assert measured["p95_ms"] >= measured["median_ms"] > 0 and measured["iqr_ms"] >= 0 and measured["timed"] >= 3
        assert measured["videos_per_s"] == pytest.approx(1000 * measured["batch"] / measured["median_ms"])
        assert measured["flops_per_s"] == pytest.approx(2 * result["cost"]["macs"] * passes * measured["videos_per_s"])
        assert measured["of_matmul"] == pytest.approx(measured["flops_per_s"] / result["matmul_flops_per_s"])
    assert result["latency"]["batch"] == 1
    assert {measured["batch"] for measured in result["preprocessor"].values()} == {3}


def test_table_shows_the_same_numbers(answer):
    table, (result,) = answer
    rows = {line[:24].strip(): line for line in table.splitlines()}
    for name, measured in (
        ("latency", result["latency"]),
        ("training, fixed batch", result["training"]["fixed"]),
        ("preprocessor, training", result["preprocessor"]["training"]),
    ):
        assert f"{measured['videos_per_s']:.1f}" in rows[name] and f"{measured['p95_ms']:.2f}" in rows[name]


def test_a_batch_without_memory_is_reported(small_memory):
    config = load_config(CONFIG, parse_options([*TINY]))
    config.model.backbone.type = small_memory
    options = SpeedOptions(CPU, batch=5, max_batch=16, stopwatch=SHORT)
    result = measure_speed(config, *input_shapes(config), 1, options)
    for mode, fit in (("inference", [1, 2]), ("training", [2])):
        *fitted, last = result[mode]["tried"]
        assert [tried["batch"] for tried in fitted] == fit and last == {"batch": 4, "out_of_memory": "no memory left"}
        assert result[mode]["fixed"] == {"batch": 5, "out_of_memory": "no memory left"}
        assert result[mode]["best"]["batch"] in fit
    table = speed_table([{"config": "small"} | ran_on(options, Compute()) | result])
    assert re.search(r"training, fixed batch +5  out of memory: no memory left", table) and "4: out of memory" in table


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "CUDA out of memory. Tried"),
        (
            RuntimeError("can't allocate memory: you tried"),
            "can't allocate memory: you tried",
        ),
        (RuntimeError("CUDA error: out of memory\nCompile with"), "CUDA error: out of memory"),
        (RuntimeError(CUDNN), CUDNN),
        (MemoryError(), "out of memory"),
        (RuntimeError("shapes do not match"), None),
    ],
    ids=["gpu", "cpu", "driver", "cuDNN", "python", "another error"],
)
def test_only_lack_of_memory_is_an_answer(error, reason):
    def step(batch):
        raise error

    trials = Trials("work", step, SpeedOptions(CPU, stopwatch=SHORT), input_bytes=1)
    if reason is None:
        with pytest.raises(RuntimeError, match="shapes"):
            trials.measure(2)
    else:
        assert trials.measure(2) == {"batch": 2, "out_of_memory": reason}
        assert trials.compare(2, start=1)["best"] is None


def test_the_search_ends_when_nothing_is_gained(monkeypatch):
    """By a clock of its own: a batch of b takes b * b ticks, so that no batch is as fast as a single video."""
    now = [0.0]
    monkeypatch.setattr("cefl_bench.cost.stopwatch.time.perf_counter", lambda: now[0])

    def step(batch):
        return lambda: now.__setitem__(0, now[0] + 0.002 * batch**2)

    found = Trials("work", step, SpeedOptions(CPU, max_batch=1024, stopwatch=SHORT), input_bytes=1).compare(3, start=1)
    assert [tried["batch"] for tried in found["tried"]] == [1, 2, 4]
    assert found["fixed"]["batch"] == 3 and found["best"]["batch"] == 1


def test_a_batch_whose_tensors_kernels_cannot_count_is_not_tried():
    trials = Trials("work", lambda batch: lambda: None, SpeedOptions(CPU, stopwatch=SHORT), 1, elements=2**30)
    assert "videos_per_s" in trials.measure(1)
    assert trials.measure(2)["out_of_memory"].startswith("not tried: its largest tensor would have 2.1e+09 elements")
    assert [tried["batch"] for tried in trials.compare(1, start=1)["tried"]] == [1, 2]


def test_the_largest_tensor_is_found():
    config = load_config(CONFIG, parse_options([*TINY]))
    work = Workload(config, *input_shapes(config), CPU)
    sizes = []
    for module in work.network.modules():
        module.register_forward_hook(lambda _, __, out: sizes.append(out.numel() if torch.is_tensor(out) else 0))
    work.inference(1)()
    assert work.largest_tensor() == max(sizes) >= 3 * 16 * 32 * 32


def test_peak_memory_forgets_the_warm_up():
    calls = []
    SHORT.time(lambda: calls.append("call"), CPU, begin=lambda: calls.append("begin"))
    assert calls.index("begin") == 1 and calls.count("begin") == 1


def test_a_cpu_is_not_swamped():
    config = load_config(CONFIG, parse_options([*TINY]))
    options = SpeedOptions(CPU, batch=100_000_000, max_batch=1, stopwatch=SHORT)
    result = measure_speed(config, *input_shapes(config), 1, options)
    assert "not tried: would need about" in result["inference"]["fixed"]["out_of_memory"]
    assert result["inference"]["best"]["batch"] == 1 and result["training"]["best"] is None


@pytest.mark.skipif(not PeakMemory(CPU).__enter__()._before, reason="needs Linux's /proc")
def test_peak_memory_is_that_of_the_measurement():
    keep_freed_memory()  # what was freed before must not hide what is taken
    for mebibytes in (200, 50):
        with PeakMemory(CPU) as peak:
            torch.ones(mebibytes * 2**18)
        assert mebibytes * 2**20 <= peak.rise + 2**20 and peak.rise < (mebibytes + 30) * 2**20
        assert peak.report["peak_rss_bytes"] > peak.rise == peak.report["rss_rise_bytes"]


def test_the_guard_learns_from_the_last_batch():
    guard = MemoryGuard(CPU, input_bytes=1)
    guard.learn(1, 2**50)
    assert guard.refuses(1)
    guard.learn(2, 2)
    assert guard.refuses(2) is None
    assert MemoryGuard(torch.device("cuda"), input_bytes=2**50).refuses(1) is None


@pytest.mark.parametrize("options", [{"precision": "fp32_strict"}, {"memory_format": "channels_last"}], ids=str)
def test_precision_and_memory_format_run(options, tmp_path):
    given = SpeedOptions(CPU, batch=2, max_batch=1, stopwatch=SHORT)
    config = load_config(CONFIG, parse_options(TINY) | {"compute": options})
    (result,) = measure_models([config], given, str(tmp_path / "speed.json"))
    assert result["training"]["fixed"]["videos_per_s"] > 0 and options.items() <= result.items()
    assert result["matmul"]["dtype"] == result["arithmetic"]["convolutions"] == "float32"
    told, of = map(int, result["convolutions_channels_last"].split("/"))
    assert told == of > 0


def test_inference_is_of_all_views_that_a_test_takes_and_training_of_one(monkeypatch, tmp_path):
    seen, prepared = {True: set(), False: set()}, {True: set(), False: set()}
    forward, prepare = Recognizer.forward, VideoPreprocessor.forward

    def spy(self, video, mode="tensor", **others):
        if video.device.type == "cpu":
            seen[mode == "loss"].add(video.shape[1])
        return forward(self, video, mode, **others)

    def spy_preprocessor(self, data, training=False):
        prepared[training].add(data["video"].shape[1])
        return prepare(self, data, training)

    monkeypatch.setattr(Recognizer, "forward", spy)
    monkeypatch.setattr(VideoPreprocessor, "forward", spy_preprocessor)
    sampling = ("scheme=dense", "num_frames_per_clip=4", "stride=1", "num_views=3")
    views = [f"{loader}_dataloader.dataset.pipeline.1.{one}" for loader in ("train", "val", "test") for one in sampling]
    config = load_config(CONFIG, parse_options([*TINY, *views, "model.views=True", "model.num_clips=None"]))
    options = SpeedOptions(CPU, batch=2, max_batch=1, stopwatch=SHORT)
    (result,) = measure_models([config], options, str(tmp_path / "speed.json"))
    assert prepared == {True: {1}, False: {3}}
    assert seen == {True: {1}, False: {1, 3}}, "the largest tensor is looked for in one view"
    one = model_cost(config.model | {"data_preprocessor": config.data_preprocessor}, (1, 3, 4, 32, 32))["macs"]
    assert result["cost"]["macs"] == 3 * one
    for measured, macs in ((result["latency"], 3 * one), (result["training"]["fixed"], 3 * one)):
        assert measured["flops_per_s"] == pytest.approx(2 * macs * measured["videos_per_s"])
    assert "a video is 1 x 3 x 4 x 32 x 32 (N x C x T x H x W), in a test 3 views of it;" in speed_table([result])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu_is_one_line():
    done = run_tool("speed.py", CONFIG, "--device", "cuda", check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: --device cuda: there are 0 CUDA devices")


@pytest.mark.parametrize(
    "build",
    [
        lambda: SpeedOptions(CPU, batch=0),
        lambda: SpeedOptions(CPU, max_batch=-1),
        lambda: check_device(Compute(precision="fp16"), "cpu"),
        lambda: check_device(Compute(cuda_graphs=True), "cpu"),
        lambda: Stopwatch(warmup=0),
        lambda: Stopwatch(iterations=1),
        lambda: Stopwatch(min_seconds=float("nan")),
    ],
)
def test_wrong_options_say_what_was_expected(build):
    with pytest.raises(UserError, match=r"--[a-z-]+ .*(expected|use)"):
        build()


def test_a_slow_call_is_timed_less_often():
    calls = []

    def call():
        calls.append(torch.ones(1))

    assert len(Stopwatch(warmup=2, iterations=10, min_seconds=1e-9).time(call, CPU, per_block=3)) == 3
    assert len(calls) in (1 + 9, 2 + 9)
