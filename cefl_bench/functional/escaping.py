"""Text of others made safe for a format: one function per format, for names, titles, ids and everything else.

HTML is escaped by the templates (jinja2 with autoescape), cells of CSV files by `tables.csv_cell`.
"""

import re

TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def one_line(text: str) -> str:
    """The text without line breaks and control characters, and one blank where there were several."""
    return " ".join("".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text).split())


def markdown_text(text: str) -> str:
    """Text for Markdown, which would take some characters for a heading, a link, a formula, emphasis or HTML."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*\[\]$|~])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # within a word it is no emphasis
    text = re.sub(r"^(#|[-+](?=[\s-]|$))", r"\\\1", text)  # a heading, a list, a rule
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", text)  # a list with numbers


def latex_text(text: str) -> str:
    """Text for LaTeX: its special characters escaped."""
    return "".join(TEX.get(character, character) for character in one_line(text))
