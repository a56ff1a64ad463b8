"""A trained model as a graph for any number of videos, from frames to scores, and what it says of itself."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from cefl_bench import __version__
from cefl_bench.errors import UserError
from cefl_bench.functional.sampling import LONG_VIDEO, sampler
from cefl_bench.predict.exported import INPUT, Exported, Sampling
from cefl_bench.predict.model import TrainedModel
from cefl_bench.registry import TRANSFORMS
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.sample_clips import SampleClips

NUM_EXAMPLES = 2
"""Videos that a graph is made with: PyTorch would take a single one for the only number there is."""
ADVICE = "a part of it does what a graph for any number of videos cannot hold, such as len() of a tensor"


class NamedScores(nn.Module):
    """uint8 (B, N, T, H, W, 3) -> logits (B, K), scores (B, K) that sum to one; clip weights (B, N) if any.

    Args:
        network: frames -> logits, clip weights or None.
        temperature: what logits are divided by before the softmax; None for 1.
    """

    def __init__(self, network: nn.Module, temperature: float | None) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature or 1.0

    def forward(self, video: torch.Tensor) -> tuple[torch.Tensor, ...]:
        logits, clip_weights = self.network(video)
        scores = (logits / self.temperature).softmax(dim=1)
        return (logits, scores) if clip_weights is None else (logits, scores, clip_weights)


class Graph(NamedTuple):
    """What is exported."""

    module: NamedScores
    exported: Exported

    @property
    def example(self) -> torch.Tensor:
        """Videos of random frames."""
        generator = torch.Generator().manual_seed(0)
        shape = (NUM_EXAMPLES, *self.exported.input_shape)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)

    @property
    def dynamic_shapes(self) -> dict[str, Any]:
        """Which sizes of its input are free."""
        return {INPUT: {0: torch.export.Dim("batch")}}


def graph_of(model: TrainedModel) -> Graph:
    """The graph of a model on the CPU.

    Raises:
        UserError: when its frames are chosen in a way that the file could not tell.
    """
    sampling = _sampling(model.pipeline)
    num_clips, num_frames = sampler(sampling.scheme, sampling.options)(LONG_VIDEO, None).shape
    size = model.about.frame_size
    exported = Exported(
        about=model.about,
        sampling=sampling,
        input_shape=(num_clips, num_frames, size, size, 3),
        protocol_id=model.protocol_id,
        cefl_bench=__version__,
    )
    return Graph(NamedScores(model.network, model.about.temperature).eval(), exported)


@contextlib.contextmanager
def exporting() -> Iterator[None]:
    """Say nothing on the way, and of what PyTorch cannot export one line.

    Raises:
        UserError: with the first line of PyTorch's reason.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    except UserError:
        raise
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        cause = error.__cause__ or error  # the exporter for ONNX wraps it in a page of advice
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        reason = next((line for line in lines if line.startswith("-")), lines[0] if lines else type(cause).__name__)
        raise UserError(f"the network cannot be exported ({reason[:300]}): {ADVICE}") from None
    finally:
        logging.disable(before)


def _sampling(pipeline: Sequence[Mapping[str, Any]]) -> Sampling:
    kinds = [step["type"] for step in pipeline[1:]]
    if kinds != [SampleClips, Pack]:
        names = ", ".join(kind.__name__ for kind in kinds)
        raise UserError(
            f"the test pipeline goes on with {names}: only SampleClips, Pack can be told in an exported file"
        )
    step = TRANSFORMS.build(pipeline[1])
    return Sampling(step.scheme, step.options)
