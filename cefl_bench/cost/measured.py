"""What a speed measurement gives, as `tools/speed.py --json` writes it."""

from typing import TypedDict

from typing_extensions import NotRequired

from cefl_bench.records import Cost


class Times(TypedDict):
    """Times of one call, in milliseconds."""

    median_ms: float
    p95_ms: float
    iqr_ms: float
    """75th minus 25th percentile."""
    timed: int
    """How many times were taken."""


class BatchSpeed(TypedDict):
    """One batch, timed; or why there was no memory for it."""

    batch: int
    out_of_memory: NotRequired[str]
    """The reason; there are no times then."""
    median_ms: NotRequired[float]
    p95_ms: NotRequired[float]
    iqr_ms: NotRequired[float]
    timed: NotRequired[int]
    videos_per_s: NotRequired[float]
    memory: NotRequired[dict[str, int]]
    """Peak bytes; empty where the system does not tell them."""
    flops_per_s: NotRequired[float]
    """Where MACs are known: twice the MACs times the throughput, in training three times that, of one view."""
    of_matmul: NotRequired[float]
    """`flops_per_s` as a share of that of a large matrix product."""


class Comparison(TypedDict):
    """Batches of one kind of work."""

    fixed: BatchSpeed
    """The batch that was asked for."""
    best: BatchSpeed | None
    """The one with the most videos a second, None where none fitted into memory."""
    tried: list[BatchSpeed]
    """Every batch of the search, timed briefly."""


class MatrixProduct(Times):
    """A large square matrix product, the fastest that the device is in practice."""

    size: int
    dtype: str
    flops_per_s: float


class Speed(TypedDict):
    """All that is measured of one config's model."""

    video_shape: list[int]
    """(N, C, T, H, W) of one view; a training takes one of a video, inference as many as `cost` says."""
    cost: Cost
    convolutions_channels_last: str
    """Such as `20/20`."""
    matmul: MatrixProduct
    matmul_flops_per_s: float
    memory_measure: str
    latency: BatchSpeed
    """Batch 1."""
    inference: Comparison
    training: Comparison
    preprocessor: dict[str, BatchSpeed]
    """`inference` and `training`."""
