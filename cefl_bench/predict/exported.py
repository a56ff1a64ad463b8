"""What an exported file says of itself, so that it serves without its checkpoint; nothing here needs torch."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from cefl_bench.errors import UserError
from cefl_bench.predict.about import About

SCHEMA_VERSION = 1
"""Version of `Exported`. Raised when a field changes its meaning or goes."""
INPUT = "video"
LOGITS, CLIP_WEIGHTS = "logits", "clip_weights"
"""Names of outputs. A third one is called as `About.values` says, in the plural: it sums to one over the classes."""
PLURALS = {"score": "scores", "probability": "probabilities"}
NEEDS_EXTRA = (
    "needs the package {}, which is not installed: pip install 'onnx>=1.20' 'onnxruntime>=1.20' 'onnxscript>=0.6'"
)
"""What the extra `export` has; not by our name, which a package index may have for something of a stranger."""


@dataclass(frozen=True)
class Sampling:
    """How the frames of a video are chosen: a function of `functional/sampling.py` with all its options."""

    scheme: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Exported:
    """The metadata of an exported file."""

    about: About
    sampling: Sampling
    input_shape: tuple[int, int, int, int, int]
    """(N, T, H, W, 3) of one video: uint8, RGB."""
    protocol_id: str | None
    """What it was trained and tested by; None where its checkpoint does not say."""
    cefl_bench: str
    """The version that exported it."""
    schema_version: int = SCHEMA_VERSION

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs, in order; `CLIP_WEIGHTS` follow where the model has them."""
        return [LOGITS, PLURALS[self.about.values]]


def as_texts(exported: Exported) -> dict[str, str]:
    """Each field as JSON, by its name."""
    return {name: json.dumps(value, allow_nan=False) for name, value in asdict(exported).items()}


def from_texts(texts: Mapping[str, str], path: str | Path) -> Exported:
    """What `as_texts` gave.

    Raises:
        UserError: naming the file and the field that is missing or of another kind.
    """
    problem = ""
    try:
        values = {name: json.loads(text) for name, text in texts.items() if name in Exported.__dataclass_fields__}
        exported = msgspec.convert(values, Exported)
        if exported.schema_version == SCHEMA_VERSION:
            return exported
        problem = f"its schema is {exported.schema_version}, this version reads {SCHEMA_VERSION}"
    except (ValueError, RecursionError) as error:  # a ValidationError of msgspec, and all that JSON can be wrong with
        problem = str(error).partition("\n")[0]
    raise UserError(f"{str(path)!r} was not exported by tools/export.py of this version ({problem}): export it again")
