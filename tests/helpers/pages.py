"""The pages of the documentation, taken apart: links, calls of tools, blocks of code."""

import re
from pathlib import Path

from helpers.run import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TOOL = re.compile(r"(?:\btools/((?:prepare/)?\w+)\.py|\bcefl-bench ((?:prepare )?[a-z]+))(.*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    return [body for kind, body in FENCE.findall(text_of(page)) if kind == language]


def code(page: Path) -> list[str]:
    """All code on a page: a line per command of its shell blocks, and what stands between single backticks."""
    lines: list[str] = []
    for body in blocks(page, "bash"):
        lines += [line.partition("#")[0] for line in body.replace("\\\n", " ").splitlines()]
    return lines + re.findall(r"`([^`]+)`", FENCE.sub("", text_of(page)))


def calls(page: Path) -> list[tuple[str, list[str]]]:
    """The tools that a page calls, as `train` or `prepare dfew`, each with its options."""
    found = []
    for line in code(page):
        for in_checkout, in_console, rest in TOOL.findall(line):
            if "NAME" not in line:
                found.append(((in_checkout or in_console).replace("/", " "), OPTION.findall(rest)))
    return found


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as web hosts make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}
