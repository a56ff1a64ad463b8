"""A graph as the bytes of a .onnx file, with nothing in it of the machine that made it. The one door of `onnx`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from cefl_bench.errors import UserError
from cefl_bench.export.graph import ADVICE, NUM_EXAMPLES, Graph, exporting
from cefl_bench.predict.exported import CLIP_WEIGHTS, INPUT, NEEDS_EXTRA, as_texts

OPSET = 20
ABOUT_THE_MAKER = ("doc_string", "metadata_props")
"""Fields in which PyTorch tells where in whose files each node came from."""


def onnx_bytes(graph: Graph) -> bytes:
    """The content of a .onnx file: one file, the weights inside, the same bytes for the same weights.

    Raises:
        UserError: when a package is not installed, or the network cannot be exported.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401, PyTorch needs it
    except ImportError as error:
        raise UserError(f"--format onnx {NEEDS_EXTRA.format(error.name)}") from None
    names = list(graph.exported.outputs)
    example = graph.example
    with exporting():
        if len(graph.module(example)) > len(names):
            names.append(CLIP_WEIGHTS)
        program: Any = torch.onnx.export(
            graph.module,
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=names,
            dynamic_shapes=graph.dynamic_shapes,
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    proto = program.model_proto
    if not proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param:  # PyTorch warns of it, and goes on
        raise UserError(
            f"the network cannot be exported (it takes {NUM_EXAMPLES} videos and no other number): {ADVICE}"
        )
    forget_the_maker(proto)
    proto.producer_name, proto.producer_version = "cefl_bench", graph.exported.cefl_bench
    onnx.helper.set_model_props(proto, as_texts(graph.exported))
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)


def forget_the_maker(message: Any) -> None:
    """Clear what tells of the machine in a message of protobuf and in all that it holds, in place."""
    for field in message.DESCRIPTOR.fields:
        if field.name in ABOUT_THE_MAKER:
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in _parts(message, field.name):
                forget_the_maker(part)


def _parts(message: Any, name: str) -> Iterator[Any]:
    value = getattr(message, name)
    if hasattr(value, "DESCRIPTOR"):
        if message.HasField(name):
            yield value
    else:
        yield from value


def largest_difference(content: bytes, graph: Graph) -> float:
    """By how much onnxruntime differs from PyTorch on random frames, as a share of the largest logit."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    video = graph.example
    logits = session.run(None, {INPUT: video.numpy()})[0]
    with torch.inference_mode():
        expected = graph.module(video)[0].numpy()
    return float(np.abs(logits - expected).max() / np.abs(expected).max())
