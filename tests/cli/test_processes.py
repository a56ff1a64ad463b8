"""Each tool once as a process of its own, as a person starts it: other tests call tools within their own process.

Training, benchmarks and the doctor are started as processes where they work together, are killed or interrupted.
"""

import os

import pytest
from helpers.run import ROOT, run_process

TOOLS = sorted(path.relative_to(ROOT / "tools").with_suffix("").as_posix() for path in (ROOT / "tools").rglob("*.py"))
ELSEWHERE = {"train", "benchmark", "doctor", "flops"}
PREPARE = {tool for tool in TOOLS if tool.startswith("prepare/")} - {"prepare/dfew", "prepare/synthetic"}
"""Tools that are made alike: of each, the help, which loads nothing; of one, what it says without its corpus."""
REFUSED = {
    "test": (["nowhere.pth"], "checkpoint 'nowhere.pth' does not exist"),
    "audit": (["nowhere.pth"], "checkpoint 'nowhere.pth' does not exist"),
    "explain": (["nowhere.pth"], "checkpoint 'nowhere.pth' does not exist"),
    "export": (["nowhere.pth"], "checkpoint 'nowhere.pth' does not exist"),
    "predict": (["nowhere.pth", "me.mp4"], "checkpoint 'nowhere.pth' does not exist"),
    "publish": (["nowhere"], "result 'nowhere/result.json' does not exist"),
    "demo": (["nowhere.pth"], "nowhere.pth"),
    "zoo": (["--add", "nowhere.json"], "nowhere.json"),
    "score": (["nowhere.csv"], "nowhere.csv"),
    "report": (["nowhere"], "nowhere"),
    "check": (["nowhere.py"], "nowhere.py"),
    "speed": (["ceflnet_nowhere.py"], "ceflnet_nowhere"),
    "simulate": (["--tables", "0"], "--tables is 0: expected 1 or more"),
    "pack": (["ceflnet_synthetic.py"], "synthetic faces is not at"),
    "prepare/synthetic": (["--preset", "nowhere"], "unknown preset 'nowhere'"),
}
"""Tools where something is missing: their arguments, and a part of the error's one line."""


def test_a_tool_does_its_work(tmp_path):
    """That which needs no data."""
    done = run_process("flops.py", "ceflnet_synthetic.py", cwd=tmp_path)
    assert "ceflnet_synthetic" in done.stdout and done.stderr.count("\n") <= 1


@pytest.mark.parametrize("tool", sorted(PREPARE))
def test_a_tool_of_a_corpus_starts(tool, tmp_path):
    done = run_process(f"{tool}.py", "--help", cwd=tmp_path)
    assert f"tools/{tool}.py" in done.stdout and "--root" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("tool", sorted({*TOOLS} - ELSEWHERE - PREPARE))
def test_a_tool_says_in_one_line_what_is_missing(tool, tmp_path):
    words, told = REFUSED.get(tool, (["--root", "nowhere"], "nowhere"))
    environment = os.environ | {"CEFL_BENCH_DATA": str(tmp_path / "data")}
    done = run_process(f"{tool}.py", *words, check=False, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith("error: ") and told in done.stderr.lower()
