"""What stands in for objects that checkpoints of others hold beside their weights: keeps plain numbers, does nothing.

torch's safe loader builds what a file names from a list of allowed names. NumPy's own classes on that list would let a
file make arrays over memory that is not its own, so these take their places.
"""

import math
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import numpy as np

PLAIN_KINDS = "biuf"
"""Kinds of NumPy types that hold plain numbers: bool, int, unsigned, float. Not complex, object, structured, text."""
MAX_ITEM_BYTES = 8


class Inert:
    """Takes the place of any object; forgets what it is given."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


class PlainType:
    """Takes the place of `numpy.dtype`."""

    def __init__(self, name: Any = None, *_: Any) -> None:
        if not isinstance(name, str) or len(name) > 8:
            raise UnpicklingError(f"a NumPy type is named {str(name)[:40]!r}: expected a plain number's, such as f8")
        try:
            self.dtype = np.dtype(name)
        except (TypeError, ValueError):
            raise UnpicklingError(f"{name!r} is no NumPy type") from None
        if self.dtype.kind not in PLAIN_KINDS or self.dtype.itemsize > MAX_ITEM_BYTES or self.dtype.shape:
            raise UnpicklingError(f"NumPy type {name!r} holds more than plain numbers")

    def __setstate__(self, state: Any) -> None:
        """Byte order and alignment, which only matter where they are not this machine's."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class PlainArray:
    """Takes the place of `numpy.ndarray`: its numbers are copied out of the file."""

    def __init__(self, *_: Any) -> None:
        self.values = np.zeros(0)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise UnpicklingError("a NumPy array is not written as NumPy writes it")
        _, shape, kind, _, raw = state
        sizes = shape if isinstance(shape, tuple) else ()
        if not all(isinstance(size, int) and size >= 0 for size in sizes) or not isinstance(kind, PlainType):
            raise UnpicklingError("a NumPy array holds more than plain numbers")
        if not isinstance(raw, bytes) or len(raw) != math.prod(sizes) * kind.dtype.itemsize:
            raise UnpicklingError("a NumPy array has another size than it says")
        self.values = np.frombuffer(raw, kind.dtype).copy()


def start_array(*_: Any) -> PlainArray:
    """Takes the place of `numpy.core.multiarray._reconstruct`."""
    return PlainArray()


def plain_scalar(kind: Any = None, raw: Any = None, *_: Any) -> float | int | bool:
    """Takes the place of `numpy.core.multiarray.scalar`: a Python number."""
    if not isinstance(kind, PlainType) or not isinstance(raw, bytes) or len(raw) != kind.dtype.itemsize:
        raise UnpicklingError("a NumPy scalar holds more than a plain number")
    return np.frombuffer(raw, kind.dtype)[0].item()


STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    # the log object in checkpoints of Former-DFER's authors, and the options that many training scripts save
    (Inert, "__main__.RecorderMeter"),
    (Inert, "argparse.Namespace"),
    (PlainArray, "numpy.ndarray"),
    (PlainType, "numpy.dtype"),
    # by their old and new names
    *((start_array, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    *((plain_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
]
"""What a checkpoint may name besides tensors and plain values, and what stands in for it."""
