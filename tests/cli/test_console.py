"""`cefl-bench TOOL`: every tool by one command, and messages that name the call which works here."""

import importlib
import sys

import pytest
from helpers.run import ROOT

from cefl_bench import __version__
from cefl_bench.cli.__main__ import main
from cefl_bench.commands.facts import command_line
from cefl_bench.errors import as_called

TOOLS = sorted((ROOT / "tools").rglob("*.py"))


def call(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of `cefl-bench WORDS`."""
    monkeypatch.setattr(sys, "argv", ["cefl-bench", *words])
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    return status, *capsys.readouterr()


def test_the_list_of_tools_has_every_tool_with_what_it_does(monkeypatch, capsys):
    status, out, err = call(monkeypatch, capsys, "--help")
    assert (status, err) == (0, "")
    lines = {line.split("  ")[1]: line for line in out.splitlines() if line.startswith("  ")}
    names = {" ".join(path.relative_to(ROOT / "tools").with_suffix("").parts) for path in TOOLS}
    assert lines.keys() == names
    assert lines["train"].endswith("  Train and test a config")


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: path.stem)
def test_every_tool_says_the_same_in_both_ways(path, monkeypatch, capsys):
    words = path.relative_to(ROOT / "tools").with_suffix("").parts
    status, out, _ = call(monkeypatch, capsys, *words, "--help")
    assert status == 0 and out.startswith(f"usage: cefl-bench {' '.join(words)} ")
    assert "tools/" not in out, "names a call that only a checkout has"
    shell = path.read_text(encoding="utf-8")
    assert f"from cefl_bench.cli.{'.'.join(words)} import main" in shell
    assert f"python tools/{'/'.join(words)}.py" in shell.split('"""')[1], "the first line shows a call"


def test_prepare_alone_lists_the_corpora(monkeypatch, capsys):
    status, out, err = call(monkeypatch, capsys, "prepare")
    assert (status, out) == (2, "")
    assert "prepare dfew" in err and "benchmark" not in err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["trian"], "no tool 'trian': did you mean train?"),
        (["prepare", "dfwe"], "no tool 'prepare dfwe': did you mean prepare dfew?"),
        (["options"], "no tool 'options'"),
        (["prepare.dfew"], "no tool 'prepare.dfew'"),
    ],
)
def test_a_word_that_is_no_tool_is_answered_in_one_line(words, hint, monkeypatch, capsys):
    status, out, err = call(monkeypatch, capsys, *words)
    assert (status, out) == (2, "") and hint in err and err.count("\n") == 1


def test_the_version(monkeypatch, capsys):
    assert call(monkeypatch, capsys, "--version") == (0, f"cefl-bench {__version__}\n", "")


def test_a_message_names_the_call_that_works_here(monkeypatch, capsys, tmp_path):
    missing = str(tmp_path / "last.pth")
    status, _, err = call(monkeypatch, capsys, "test", missing)
    assert status == 1 and err == f"error: checkpoint {missing!r} does not exist: expected a .pth file, as " + (
        "cefl-bench train leaves it, .safetensors, as cefl-bench publish does, or demo, which is built in\n"
    )


@pytest.mark.parametrize(
    ("text", "in_console"),
    [
        ("run python tools/pack.py again", "run cefl-bench pack again"),
        ("run\npython\n  tools/prepare/mmi.py", "run\ncefl-bench prepare mmi"),
        ("srun python tools/train.py CONFIG", "srun cefl-bench train CONFIG"),
        ("torchrun --nproc-per-node=2 tools/train.py C", "torchrun --nproc-per-node=2 -m cefl_bench.cli train C"),
        ("/home/me/tools/mine.py and my/tools/mine.py", "/home/me/tools/mine.py and my/tools/mine.py"),
    ],
)
def test_tools_in_a_text_by_the_name_that_this_process_has(text, in_console, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tools/train.py"])
    assert as_called(text) == text
    monkeypatch.setattr(sys, "argv", ["cefl-bench train"])
    assert as_called(text) == in_console


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["cefl-bench prepare own", "--root", "my data"], "cefl-bench prepare own --root 'my data'"),
        (["tools/train.py", "a.py"], "python tools/train.py a.py"),
    ],
)
def test_a_result_has_the_call_as_a_shell_takes_it(argv, command, monkeypatch):
    monkeypatch.setattr(sys, "argv", argv)
    assert command_line() == command


@pytest.mark.parametrize("name", ["train", "benchmark", "doctor", "flops", "speed", "score"])
def test_home_is_meant_by_a_tilde_that_the_shell_leaves_alone(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    file = "p.csv" if name == "score" else "ceflnet_synthetic"
    option = {"train": "--work-dir", "benchmark": "--out"}.get(name, "--json")
    monkeypatch.setattr(sys, "argv", [name, file, f"{option}=~/there"])
    arguments = vars(importlib.import_module(f"cefl_bench.cli.{name}").parse_arguments())
    assert arguments[option.strip("-").replace("-", "_")] == str(tmp_path / "there")
