"""The compute switches: how the same network is computed, for speed. What the config, the tools and a run share."""

import difflib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import msgspec

from cefl_bench.errors import UserError

Precision = Literal["fp32", "fp32_strict", "tf32", "bf16", "fp16"]
MemoryFormat = Literal["own", "channels_last", "contiguous"]
PRECISIONS: dict[Precision, str] = {
    "fp32": "float32 as PyTorch has it: on a GPU, convolutions may use TF32",
    "fp32_strict": "float32 without TF32",
    "tf32": "convolutions and matrix products in TF32, on a GPU",
    "bf16": "bfloat16 by autocast",
    "fp16": "float16 by autocast with loss scaling, on a GPU",
}
HALF: tuple[Precision, ...] = ("bf16", "fp16")
"""Those that autocast computes in."""
MEMORY_FORMATS: dict[MemoryFormat, str] = {
    "own": "as the model chose",
    "channels_last": "the weights of all 2D and 3D convolutions channels last",
    "contiguous": "the weights of all 2D and 3D convolutions contiguous",
}


@dataclass(frozen=True)
class Compute:
    """`compute` in a config. Every default is what PyTorch does by itself.

    Precision can move a score and is part of the protocol. The others change at most the last digits of a sum.
    """

    precision: Precision = "fp32"
    memory_format: MemoryFormat = "own"
    compile: bool = False
    """Backbone and aggregator through torch.compile."""
    cuda_graphs: bool = False
    """torch.compile with CUDA graphs: one launch for all kernels, for small networks on a GPU."""
    fused: bool = False
    """The optimiser's step in one kernel."""
    deterministic: bool = False
    """Only operators that give the same bits each time; cuDNN otherwise takes the fastest."""

    def changed(self) -> dict[str, Any]:
        """The switches that are not at their defaults."""
        return {name: value for name, value in asdict(self).items() if value != getattr(Compute, name)}

    def flags(self) -> list[str]:
        """The words of a command line that set these switches."""
        words: list[str] = []
        for name, value in self.changed().items():
            words.append(f"--{name.replace('_', '-')}")
            if value is not True:
                words.append(str(value))
        return words

    def __str__(self) -> str:
        return shlex.join(self.flags()) or "no switch"


DEFAULT = Compute()


def compute_of(config: Mapping[str, Any]) -> Compute:
    """The switches of a config, which has none where all are at their defaults.

    Raises:
        UserError: naming the switch that there is not, or the value that it cannot take.
    """
    given = dict(config.get("compute") or {})
    known = [field.name for field in fields(Compute)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UserError(f"compute has no {name!r}: {hint}expected {', '.join(known)}")
    try:
        return msgspec.convert(given, Compute)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].rstrip("`")
        choices: dict[str, Iterable[str]] = {"precision": PRECISIONS, "memory_format": MEMORY_FORMATS}
        words = choices.get(name, ("True", "False"))
        raise UserError(f"compute.{name} is {given.get(name)!r}: expected {', '.join(words)}") from None
