"""All tools as one command: cefl-bench train ceflnet_synthetic"""

import contextlib
import difflib
import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path

from cefl_bench import __version__
from cefl_bench.errors import COMMAND, as_called

HERE = Path(__file__).parent
NO_TOOLS = ("__init__", "__main__", "options")
PREPARE = "prepare"
HELP = ("-h", "--help")


def main() -> None:
    """Run the tool that the first word names: `train`, `test`, .., or two words, such as `prepare dfew`.

    Exit status 2, with the list of tools or the nearest name, when the words name no tool.
    """
    words = sys.argv[1:]
    if words[:1] == ["--version"]:
        print(f"{COMMAND} {__version__}")
        return
    name = " ".join(words[: 2 if words[:1] == [PREPARE] else 1])
    tools = list_tools()
    if name not in tools:
        _explain(name, tools)
    sys.argv = [f"{COMMAND} {name}", *words[len(name.split()) :]]
    tool = importlib.import_module(f"cefl_bench.cli.{name.replace(' ', '.')}").main
    if set(HELP) & set(sys.argv[1:]):
        _help_of(tool)
    else:
        tool()


def list_tools() -> dict[str, str]:
    """What each tool does, by its name: the first line of its file, without the call."""
    tools = {}
    for file in sorted(HERE.rglob("*.py")):
        if file.stem not in NO_TOOLS:
            name = " ".join(file.relative_to(HERE).with_suffix("").parts)
            tools[name] = file.read_text(encoding="utf-8").split('"""')[1].strip().splitlines()[0].partition(":")[0]
    return tools


def _explain(name: str, tools: dict[str, str]) -> None:
    """Print the list of tools, or what the user may have meant by `name`, and exit."""
    asked = name.split(" ")[-1] in HELP
    if asked or name in ("", PREPARE):
        chosen = {tool: does for tool, does in tools.items() if tool.startswith(PREPARE)}
        print(_table(chosen if name.startswith(PREPARE) else tools), file=sys.stdout if asked else sys.stderr)
    else:
        near = difflib.get_close_matches(name, tools, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        print(f"error: there is no tool {name!r}: {hint}{COMMAND} --help lists them", file=sys.stderr)
    raise SystemExit(0 if asked else 2)


def _table(tools: dict[str, str]) -> str:
    width = max(map(len, tools))
    lines = [f"  {name:{width}}  {does}" for name, does in tools.items()]
    return "\n".join([f"usage: {COMMAND} TOOL ...", "", *lines, "", f"{COMMAND} TOOL --help tells a tool's options"])


def _help_of(tool: Callable[[], None]) -> None:
    """Print a tool's help with the calls in it as they are made here."""
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text):
            tool()
    finally:
        print(as_called(text.getvalue()), end="")


if __name__ == "__main__":
    main()
