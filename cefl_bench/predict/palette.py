"""The colours of classes, the same in the figure and in the annotated video."""

OKABE_ITO = ("#E69F00", "#56B4E9", "#6b7680", "#D55E00", "#CC79A7", "#009E73", "#0072B2", "#B8A800")
"""Told apart by colour-blind people; yellow darkened, black as grey."""
AXIS = "#334155"
AWAY = "#e2e8f0"
WARNING = "#b91c1c"


def class_colours(num_classes: int) -> list[str]:
    """A colour for each class, as `#rrggbb`; of more than eight classes they repeat."""
    return [OKABE_ITO[label % len(OKABE_ITO)] for label in range(num_classes)]


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` -> red, green, blue, 0..255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
