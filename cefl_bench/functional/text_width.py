"""How wide a text is where every letter takes a column, as on a terminal: Chinese letters take two."""

from unicodedata import combining, east_asian_width


def text_width(text: str) -> int:
    """Columns of a text."""
    return sum(2 if east_asian_width(letter) in "WF" else 0 if combining(letter) else 1 for letter in text)


def padded(text: str, width: int, right: bool = False) -> str:
    """The text with blanks behind it, or before it, up to a width; longer texts stay as they are."""
    blanks = " " * (width - text_width(text))
    return blanks + text if right else text + blanks


def first_columns(text: str, width: int) -> str:
    """As many of the first letters as fit into a width."""
    while text_width(text) > width:
        text = text[:-1]
    return text
