"""One call from a video to what a model says of the faces in it."""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.faces.frames import frames_of, timed_frames_of
from cefl_bench.faces.several import Face, Sight, follow_faces
from cefl_bench.predict.about import Model
from cefl_bench.predict.judge import Judge
from cefl_bench.predict.prediction import VideoPrediction
from cefl_bench.predict.result import Track
from cefl_bench.predict.windows import in_windows, shown_until
from cefl_bench.sources import CROP_RECORD
from cefl_bench.transforms.pyav_frames import scaled_frames

FACES = ("auto", "find", "none")
"""`find` the faces; with `none` the whole frame is one, as in crops; `auto` knows those that tools/prepare makes."""
FIND_EVERY_SECONDS = 0.08
"""Every second frame at 25 a second, which is enough for two cores; crops are averaged over longer anyway."""
Progress = Callable[[float], None]
"""Called with the seconds of the video that are done; raising from it stops the prediction and leaves nothing."""


@dataclass(frozen=True)
class Choices:
    """How a video is looked at.

    Args:
        faces: one of `FACES`.
        window: seconds that are judged together; None for as long as the training videos are, infinite for the whole
            video at once, in memory for all of it.
        stride: seconds from the start of a window to that of the next, at most a window; None for half a window.
        batch_size: windows that go through the network together.
        find_every: seconds from one frame in which faces are looked for to the next; 0 looks at every frame, as
            tools/prepare does.
    """

    faces: str = "auto"
    window: float | None = None
    stride: float | None = None
    batch_size: int = 8
    find_every: float = FIND_EVERY_SECONDS

    def __post_init__(self) -> None:
        if self.faces not in FACES:
            raise UserError(f"faces is {self.faces!r}: expected one of {', '.join(FACES)}")
        for name, value in (("window", self.window), ("stride", self.stride)):
            if value is not None and not value >= 0.04:
                raise UserError(f"{name} is {value}: expected seconds, 0.04 or more")
        if self.stride == math.inf:
            raise UserError("stride is infinite: expected seconds; a window may be as long as the video")
        if not 0 <= self.find_every <= 1:
            raise UserError(f"find every is {self.find_every}: expected seconds, 0 to 1")
        if self.batch_size < 1:
            raise UserError(f"batch size is {self.batch_size}: expected at least 1")


class Predictor:
    """Video -> `VideoPrediction`, with a model that was loaded once.

    >>> predictor = Predictor.load("last.pth")
    >>> prediction = predictor("me.mp4")
    >>> prediction.plot()
    """

    def __init__(self, model: Model) -> None:
        self.model, self.about = model, model.about
        self._detector: FaceDetector | None = None

    @classmethod
    def load(cls, checkpoint: str | Path, config: str | Path | None = None, device: str | None = None) -> "Predictor":
        """Load a checkpoint of this toolkit, or a .onnx file that `tools/export.py` made of one.

        A checkpoint is loaded as weights and plain values, never as code, and knows its config. A .onnx file needs no
        config, runs on the CPU, and without torch.

        Raises:
            UserError: naming what is wrong with it.
        """
        suffix = Path(checkpoint).suffix.lower()
        if suffix == ".pt2":
            raise UserError(
                f"{str(checkpoint)!r} is for programs of PyTorch: give the checkpoint, or a .onnx file of it"
            )
        if suffix == ".onnx":
            if config is not None or device not in (None, "cpu"):
                raise UserError(f"{str(checkpoint)!r} takes no config and runs on the CPU: leave both options out")
            from cefl_bench.predict.onnx_model import OnnxModel

            return cls(OnnxModel(checkpoint))
        from cefl_bench.predict.model import TrainedModel  # here, so that a .onnx file needs no torch

        return cls(TrainedModel(checkpoint, config, device))

    def __call__(
        self, video: str | Path, choices: Choices | None = None, progress: Progress | None = None, **options
    ) -> VideoPrediction:
        """Judge the faces in a video file, or in a folder of images, at 25 frames per second.

        Args:
            choices: how to look at it; single ones can be given by their names, such as `window=3.0`.
            progress: called after each frame.

        Raises:
            UserError: naming the video, when it cannot be decoded, or the stride, when it is longer than a window.
        """
        path = Path(video)
        chosen = replace(choices or Choices(), **options)
        whole = chosen.faces == "none" or (chosen.faces == "auto" and (path / CROP_RECORD).is_file())
        if whole:
            return self._judge(self._whole(path), path, chosen, progress)
        return self.watch(timed_frames_of(path), path, chosen, progress)

    def watch(
        self,
        frames: Iterable[tuple[float, np.ndarray]],
        source: Path,
        choices: Choices | None = None,
        progress: Progress | None = None,
    ) -> VideoPrediction:
        """Judge the faces in frames (H, W, 3) from anywhere, such as a camera, each with when it is shown, in seconds.

        Args:
            source: what they are called.
        """
        rule, chosen = self.about.crop, choices or Choices()
        if self._detector is None:
            self._detector = FaceDetector(rule.detect_size, rule.threshold)
        sights = follow_faces(frames, rule, self._detector, chosen.find_every)
        return self._judge(sights, source, chosen, progress)

    def _judge(
        self, sights: Iterable[Sight], source: Path, choices: Choices, progress: Progress | None
    ) -> VideoPrediction:
        window = choices.window or self.about.seconds
        stride = choices.stride or (window / 2 if math.isfinite(window) else 1.0)
        if stride > window:
            raise UserError(
                f"stride is {stride:g}, more than the window of {window:g} s, and would leave parts of the video "
                "unjudged: expected at most a window"
            )
        record, judge = _Record(), Judge(self.model, choices.batch_size)
        for piece in in_windows(record.noted(sights, progress), window, stride):
            judge.add(piece)
        judge.finish()
        names = _names(record.courses, {person for person, _ in judge.windows})
        order = {name: place for place, name in enumerate(names.values())}
        windows = [replace(window, face=names[person]) for person, window in judge.windows]
        windows.sort(key=lambda window: (window.start, order[window.face]))
        return VideoPrediction(
            source=source,
            about=self.about,
            seconds=record.seconds,
            num_frames=record.num_frames,
            width=record.width,
            height=record.height,
            windows=tuple(windows),
            gaps=tuple(judge.gaps),
            tracks=tuple(record.courses[person].as_track(name) for person, name in names.items()),
            moments=judge.moments(names),
        )

    def _whole(self, path: Path) -> Iterator[Sight]:
        height, width = next(frames_of(path)).shape[:2]
        for seconds, frame in scaled_frames(path, self.about.frame_size):
            face = Face(0, True, (0.0, 0.0, float(width), float(height)), frame)
            yield Sight(seconds, width, height, float(frame.mean()) / 255, [face])


class _Course:
    """Where a person's face was, frame by frame; a few MB for an hour."""

    def __init__(self) -> None:
        self._seconds, self._boxes = array("d"), array("f")
        self._end = 0.0
        self.filled = 0.0
        """Its size and its time taken together, in square pixels times seconds."""

    def add(self, seconds: float, end: float, face: Face) -> None:
        """The next frame in which the face is seen, shown from `seconds` to `end`."""
        self._end = end
        x1, y1, x2, y2 = face.box
        self._seconds.append(seconds)
        self._boxes.extend(face.box)
        self.filled += (x2 - x1) * (y2 - y1) * (end - seconds)

    def as_track(self, name: str) -> Track:
        seconds = np.array(self._seconds)
        return Track(name, float(seconds[0]), self._end, seconds, np.array(self._boxes).reshape(-1, 4))


@dataclass
class _Record:
    """What is noted of a video on the way through it."""

    num_frames: int = 0
    seconds: float = 0.0
    width: int = 0
    height: int = 0
    courses: dict[int, _Course] = field(default_factory=dict)
    """By the number of the person."""

    def noted(self, sights: Iterable[Sight], progress: Progress | None) -> Iterator[Sight]:
        for sight, self.seconds in shown_until(sights):
            self.num_frames += 1
            self.width, self.height = sight.width, sight.height
            for face in filter(lambda face: face.found, sight.faces):
                self.courses.setdefault(face.person, _Course()).add(sight.seconds, self.seconds, face)
            if progress is not None:
                progress(sight.seconds)
            yield sight


def _names(courses: Mapping[int, _Course], judged: set[int]) -> dict[int, str]:
    """Names of the people who were judged, first who fills most of the video."""
    most_first = sorted(judged, key=lambda person: -courses[person].filled)
    return {person: f"face {place}" for place, person in enumerate(most_first, start=1)}
