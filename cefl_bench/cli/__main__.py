"""All tools as one command: cefl-bench train configs/ceflnet_synthetic.py"""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
NO_TOOLS = ("__init__", "__main__", "options")


def main() -> None:
    """Run the tool that the first word names: `train`, `test`, .., and two words `prepare dfew`."""
    words = sys.argv[1:3]
    if words and words[0] == "prepare":
        name, module = " ".join(words), ".".join(words)
    else:
        name = module = "".join(words[:1])
    if name not in _tools():
        print(_help(), file=sys.stdout if name in ("-h", "--help") else sys.stderr)
        raise SystemExit(0 if name in ("-h", "--help") else 2)
    sys.argv = [f"cefl-bench {name}", *sys.argv[1 + len(name.split()) :]]
    importlib.import_module(f"cefl_bench.cli.{module}").main()


def _tools() -> dict[str, str]:
    """What each tool does, by its name."""
    tools = {}
    for file in sorted(HERE.rglob("*.py")):
        if file.stem not in NO_TOOLS:
            name = " ".join(file.relative_to(HERE).with_suffix("").parts)
            tools[name] = file.read_text(encoding="utf-8").split('"""')[1].strip().splitlines()[0].partition(":")[0]
    return tools


def _help() -> str:
    tools = _tools()
    width = max(map(len, tools))
    lines = [f"  {name:{width}}  {does}" for name, does in tools.items()]
    return "\n".join(["usage: cefl-bench TOOL ..., and cefl-bench TOOL --help", "", *lines])


if __name__ == "__main__":
    main()
