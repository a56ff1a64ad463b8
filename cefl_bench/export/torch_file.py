"""A graph as the bytes of a .pt2 file for programs of PyTorch, with nothing in it of the machine that made it."""

import io
from typing import Any

import torch

from cefl_bench.export.graph import Graph, exporting
from cefl_bench.predict.exported import as_texts

ABOUT_THE_MAKER = ("stack_trace",)
"""What PyTorch notes of each node from whose files it came."""


def torch_bytes(graph: Graph) -> bytes:
    """The content of a .pt2 file, which `torch.export.load` reads; each field of `Exported` is an extra file in it.

    Raises:
        UserError: when the network cannot be exported.
    """
    buffer = io.BytesIO()
    with exporting():
        program: Any = torch.export.export(graph.module, (graph.example,), dynamic_shapes=graph.dynamic_shapes)
        program.example_inputs = None  # they would be written too, and are larger than a small network
        for part in program.graph_module.modules():
            if isinstance(part, torch.fx.GraphModule):
                for node in part.graph.nodes:
                    for name in ABOUT_THE_MAKER:
                        node.meta.pop(name, None)
        torch.export.save(program, buffer, extra_files=as_texts(graph.exported))
    return buffer.getvalue()
