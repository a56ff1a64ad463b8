"""What a tool loads before it works: no library that the work may do without. Read from the imports, not timed."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from helpers.run import ROOT

SLOW = {"matplotlib", "pandas", "scipy", "sklearn", "sympy", "timm", "torchvision", "yapf"}
"""Libraries that take from a third of a second to two seconds of a core to load."""
FRAMEWORKS = {"cv2", "mmcv", "mmengine", "torch", "triton"}
STARTS = {
    "commands.train": SLOW,
    "commands.test": SLOW,
    "commands.predict": (SLOW - {"matplotlib"}) | (FRAMEWORKS - {"cv2"}),
    "predict.predictor": SLOW | (FRAMEWORKS - {"cv2"}),
    "commands.export": SLOW,
    "commands.facts": SLOW,  # of tools/flops.py
    "doctor.examine": SLOW,
    "report.scores": SLOW | FRAMEWORKS,
    "report.pages": SLOW | FRAMEWORKS,
}
"""A module that a tool begins with -> what importing it must not load."""
SHELLS = sorted((ROOT / "cefl_bench" / "cli").rglob("*.py"))


def loaded_at_once(body: list[ast.stmt]) -> list[str]:
    """The dotted names that a module's own lines import, not those within functions or for the type checker alone."""
    names = []
    for line in body:
        match line:
            case ast.Import():
                names += [alias.name for alias in line.names]
            case ast.ImportFrom():
                names += [line.module, *(f"{line.module}.{alias.name}" for alias in line.names)]
            case ast.If() if "TYPE_CHECKING" not in ast.dump(line.test):
                names += loaded_at_once([*line.body, *line.orelse])
            case ast.Try() | ast.With() | ast.ClassDef():
                names += loaded_at_once(line.body)
    return names


@cache
def imports_of(file: Path) -> list[str]:
    return loaded_at_once(ast.parse(file.read_text(encoding="utf-8")).body)


def libraries(path: Path) -> dict[str, tuple[str, ...]]:
    """Every library that importing a file of the package loads, and the files of ours that lead to it."""
    found, todo, seen = {}, [(path, ())], set()
    while todo:
        file, way = todo.pop(0)
        if file in seen:
            continue
        seen.add(file)
        way = (*way, file.stem)
        for name in imports_of(file):
            top, *rest = name.split(".")
            ours = ROOT.joinpath(top, *rest).with_suffix(".py")
            if top != "cefl_bench":
                found.setdefault(top, way)
            elif ours.is_file():
                todo.append((ours, way))
    return found


@pytest.mark.parametrize("start", STARTS)
def test_a_tool_loads_no_library_that_it_may_not_need(start):
    found = libraries(ROOT.joinpath("cefl_bench", *start.split(".")).with_suffix(".py"))
    assert {name: found[name] for name in STARTS[start] & found.keys()} == {}
    assert "numpy" in found, "nothing was followed"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda path: path.stem)
def test_help_needs_no_slow_library(shell):
    found = libraries(shell)
    assert {name: found[name] for name in (SLOW | FRAMEWORKS) & found.keys()} == {}


def test_what_is_read_from_the_imports_is_what_python_loads():
    """Of the tools that need no PyTorch, in one process: every shell, the scores, the report."""
    shells = [".".join(shell.relative_to(ROOT).with_suffix("").parts) for shell in SHELLS if shell.stem != "__main__"]
    code = f"""
import importlib, sys
for name in {[*shells, "cefl_bench.report.scores", "cefl_bench.report.pages"]}:
    importlib.import_module(name)
print(*({SLOW | FRAMEWORKS} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
