"""Export a checkpoint to a file that runs elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.export.graph import Graph, graph_of
from cefl_bench.export.onnx_file import largest_difference, onnx_bytes
from cefl_bench.export.torch_file import torch_bytes
from cefl_bench.files import atomic_path, check_writable
from cefl_bench.predict.model import TrainedModel

FORMATS: dict[str, tuple[str, Callable[[Graph], bytes]]] = {
    "onnx": (".onnx", onnx_bytes),
    "torch-export": (".pt2", torch_bytes),
}
"""Name -> suffix, and what makes the content of a file."""
MAX_DIFFERENCE = 1e-5
"""Of logits of onnxruntime and PyTorch, as a share of the largest."""


@dataclass(frozen=True)
class ExportOptions:
    """What the command line says."""

    format: str = "onnx"
    out: str | None = None
    """The file; None for the checkpoint's name with another suffix, beside it."""
    config: str | None = None


def export(checkpoint: str, options: ExportOptions) -> Path:
    """Write a checkpoint's network, its preprocessing and what it says of itself to one file.

    Returns:
        The file.

    Raises:
        UserError: naming what is wrong with the checkpoint, the file or the network.
    """
    suffix, content_of = FORMATS[options.format]
    path = Path(options.out or Path(checkpoint).with_suffix(suffix))
    if path.suffix != suffix:
        raise UserError(f"--out {str(path)!r}: expected a name that ends in {suffix}, as --format is {options.format}")
    check_writable("--out", str(path))
    graph = graph_of(TrainedModel(checkpoint, options.config, device="cpu"))
    content = content_of(graph)
    compared = _compared(content, graph) if options.format == "onnx" else ""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    frames = ", ".join(map(str, graph.exported.input_shape))
    print(f"{path}: {len(content) / 1e6:.1f} MB, for frames uint8 (batch, {frames}){compared}")
    return path


def _compared(content: bytes, graph: Graph) -> str:
    """How far onnxruntime is from PyTorch, in words.

    Raises:
        UserError: when it is too far.
    """
    try:
        difference = largest_difference(content, graph)
    except ImportError:
        return "; not compared with PyTorch, as onnxruntime is not installed"
    if not difference <= MAX_DIFFERENCE:
        raise UserError(
            f"onnxruntime differs from PyTorch by {difference:.1e} of the largest score: expected at most "
            f"{MAX_DIFFERENCE:.0e}; nothing was written"
        )
    return f"; differs from PyTorch by {difference:.1e} of the largest score"
