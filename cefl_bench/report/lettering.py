"""Names in figures: letters that matplotlib's font lacks come from one of the system, and are never drawn as boxes."""

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import matplotlib
from matplotlib import font_manager

from cefl_bench.functional.escaping import one_line

OWN_FONT = "DejaVu Sans"
"""Comes with matplotlib, and has the letters of most alphabets."""
OWN_FONTS = str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")
LIKELY_FONT = re.compile(r"CJK|Hei|Gothic|Ming|Song|Kai|Noto Sans|Unicode|Sans", re.IGNORECASE)
"""Names of fonts that are likely to have letters which others lack: they are looked into first."""
MAX_NAME_LENGTH = 40
"""Characters of a name in a figure."""


class Lettering(NamedTuple):
    """How the names of a figure are drawn."""

    names: list[str]
    families: list[str]
    """The fonts that have their letters."""

    def applied(self) -> AbstractContextManager[None]:
        """Figures that are made and saved within have these fonts, and take a $ in a name for a $."""
        return matplotlib.rc_context({"font.family": self.families, "text.parse_math": False})


def lettering(names: Sequence[str], instead: Sequence[str]) -> Lettering:
    """Names as a figure can have them: of one line, not too long, and in letters that a font here has.

    Where no font has them, what is in `instead` takes the place of a name, and a line on stderr says so.
    """
    lines = [_shortened(one_line(name)) for name in names]
    families, absent = _families(frozenset("".join([*lines, *instead])))
    lost = [place for place, line in enumerate(lines) if absent & {*line}]
    if lost:
        _say(tuple(names[place] for place in lost), tuple(instead[place] for place in lost))
    shown = [instead[place] if place in lost else line for place, line in enumerate(lines)]
    return Lettering(shown, list(families))


def class_numbers(classes: Sequence[str]) -> list[str]:
    """Names for classes whose own names cannot be drawn."""
    return [f"class {k}" for k in range(len(classes))]


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}…"


@lru_cache(maxsize=64)
def _families(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Names of fonts that have the letters, matplotlib's own first, and the letters that none has."""
    families = [OWN_FONT]
    own = font_manager.get_font(font_manager.findfont(OWN_FONT)).get_charmap()
    absent = {letter for letter in letters if not letter.isspace() and ord(letter) not in own}
    if absent:
        for font in _system_fonts():
            found = {letter for letter in absent if ord(letter) in _charmap(font.fname)}
            if found:
                families.append(font.name)
                absent -= found
            if not absent:
                break
    return tuple(families), frozenset(absent)


def _system_fonts() -> list[font_manager.FontEntry]:
    """Upright fonts of usual weight, the likely ones first; also those that were installed since matplotlib looked.

    Matplotlib's list may be one that another installation left in the user's cache: its own fonts are looked for too.
    """
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for file in [*font_manager.findSystemFonts(), *font_manager.findSystemFonts([OWN_FONTS])]:
        if file not in known:
            try:
                font_manager.fontManager.addfont(file)
            except (OSError, RuntimeError):
                continue  # not a font that matplotlib can read
    upright = [
        font
        for font in font_manager.fontManager.ttflist
        if font.style == "normal"
        and font.weight in (400, "normal", "regular", "book")
        and not font.name.startswith("Last Resort")  # which has a box for every letter
    ]
    return sorted(upright, key=lambda font: (LIKELY_FONT.search(font.name) is None, font.name))


@lru_cache(maxsize=16)
def _charmap(file: str) -> Mapping[int, int]:
    try:
        return font_manager.get_font(file).get_charmap()
    except (OSError, RuntimeError):
        return {}  # such as a font of bitmaps


@lru_cache(maxsize=64)
def _say(lost: tuple[str, ...], instead: tuple[str, ...]) -> None:
    """Say once which names are not drawn."""
    names, places = ", ".join(repr(name) for name in lost), ", ".join(instead)
    print(
        f"warning: no font on this machine has all letters of {names}: figures say {places}; install a font that has "
        "them, such as Noto Sans CJK",
        file=sys.stderr,
    )
