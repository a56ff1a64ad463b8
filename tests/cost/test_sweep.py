"""The sweep of compute switches: what it measures, what it takes for correct, and what it says to use."""

import pytest
import torch
from helpers.run import SYNTHETIC, TINY

from cefl_bench.commands.speed import input_shapes
from cefl_bench.commands.speed_sweep import sweep_models
from cefl_bench.compute.switches import Compute
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.cost import sweep as sweeping
from cefl_bench.cost.sweep import Combination, SweepOptions, best, combined, sweep
from cefl_bench.cost.sweep_table import sweep_table
from cefl_bench.cost.workload import Workload

CPU = torch.device("cpu")


def measured(ratio, iqr=0.0, correct=True, **compute):
    return Combination(switches="x", compute=compute, ratio=ratio, ratio_iqr=iqr, correct=correct)


@pytest.fixture
def few(monkeypatch):
    """Two switches that run here and one that does not."""
    singles = (Compute(memory_format="contiguous"), Compute(fused=True), Compute(precision="fp16"))
    monkeypatch.setitem(sweeping.SINGLES, "cpu", singles)


def test_a_sweep_measures_checks_and_refuses(few, tmp_path):
    config = load_config(SYNTHETIC, parse_options(TINY))
    (result,) = sweep_models([config], CPU, batch=2, rounds=2, min_seconds=0.01, json_path=str(tmp_path / "s.json"))
    eager, contiguous, fused, half, *_ = result["combinations"]
    assert eager["switches"] == "eager float32" and eager["videos_per_s"] > 0
    assert half["refused"].startswith("--precision fp16 needs a CUDA device") and "ratio" not in half
    for one in (contiguous, fused):
        assert one["correct"] and one["score_error"] < 1e-4 and one["gradient_ratio"] == pytest.approx(1, abs=1e-3)
    table = sweep_table([result])
    assert "--memory-format contiguous" in table and "use in float32: " in table and "needs a CUDA device" in table


@pytest.mark.parametrize(("scores", "gradient"), [(0.01, 1), (0, 3), (0, float("inf")), (float("nan"), 1)], ids=str)
def test_a_combination_that_computes_something_else_is_not_correct(few, monkeypatch, scores, gradient):
    check = Workload.check

    def wrong(self, video):
        right = check(self, video)
        return (right[0] * (1 + scores), right[1] * gradient) if self.compute.fused else right

    monkeypatch.setattr(Workload, "check", wrong)
    config = load_config(SYNTHETIC, parse_options(TINY))
    shape, _ = input_shapes(config)
    result = sweep(config, shape, SweepOptions(CPU, batch=2, rounds=1, min_seconds=0.001))
    assert [one["correct"] for one in result["combinations"][:3]] == [True, True, False]
    assert "fused" not in result["use"] and "fused" not in result["use_in_any_precision"]


def test_what_helps_is_put_together():
    singles = [
        measured(1.5, precision="bf16"),
        measured(1.4, precision="fp16"),
        measured(1.2, memory_format="channels_last"),
        measured(1.3, compile=True),
        measured(1.01, fused=True),
        measured(1.6, correct=False, deterministic=True),
    ]
    own = {"memory_format": "channels_last", "compile": True}
    assert [one.changed() for one in combined(singles)] == [own, own | {"precision": "bf16"}]
    assert combined([measured(0.9, fused=True)]) == []
    assert combined([measured(1.2, fused=True)]) == [], "it was measured already"


def test_chance_is_no_reason_to_set_a_switch():
    assert best([measured(1.3, iqr=0.5, fused=True), measured(1.1, iqr=0.05, compile=True)]) == {"compile": True}
    assert best([measured(1.02, fused=True)]) == {}
