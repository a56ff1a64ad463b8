"""What `Predictor` gives: all that is known of a video, and what can be made of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cefl_bench.predict.result import VideoResult
from cefl_bench.predict.timeline import to_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class VideoPrediction(VideoResult):
    """All that a model says of a video: see `VideoResult` for its fields."""

    def to_frame(self) -> Any:
        """A pandas DataFrame with the columns of timeline.csv.

        Raises:
            UserError: when pandas is not installed.
        """
        return to_frame(self)

    def plot(self) -> "Figure":
        """A figure: the scores over time, the activation, and the clips that stand out."""
        from cefl_bench.predict.figure import draw_prediction  # matplotlib takes longer to load than judging a clip

        return draw_prediction(self)

    def save(self, folder: str | Path, annotate: bool = True) -> list[Path]:
        """Write timeline.csv, timeline.json, timeline.png and, with `annotate`, annotated.mp4; their paths.

        Each file is written whole or not at all.
        """
        from cefl_bench.predict.saving import save  # as for `plot`

        return save(self, Path(folder), annotate)
