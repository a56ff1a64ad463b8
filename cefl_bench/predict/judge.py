"""Puts the pieces of a video through a model, some at a time, and keeps the clips that stand out."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.functional.clips import regroup
from cefl_bench.functional.softmax import softmax
from cefl_bench.media.images import decode_image
from cefl_bench.media.videos import USUAL_RATE
from cefl_bench.predict.about import Chosen, Model
from cefl_bench.predict.result import Clip, Gap, Moment, Window
from cefl_bench.predict.windows import CutFrames, EmptyPiece, FacePiece, Piece

NUM_MOMENTS = 6
"""Clips that are shown."""
NUM_CANDIDATES = 24
"""Clips that are kept for that while the video goes on; neighbours of one another are not shown together."""


class _Candidate(NamedTuple):
    """A clip that may stand out."""

    salience: float
    seconds: float
    person: int
    window: Window
    image: bytes | np.ndarray


class Judge:
    """Collects pieces of a video into batches, and what the model says of them."""

    def __init__(self, model: Model, batch_size: int) -> None:
        self.windows: list[tuple[int, Window]] = []
        """Each with the number of the person; names come when all people are known."""
        self.gaps: list[Gap] = []
        self._model, self._batch_size = model, batch_size
        self._waiting: list[tuple[FacePiece, Chosen]] = []
        self._candidates: list[_Candidate] = []

    def add(self, piece: Piece) -> None:
        """Take the next piece; a batch of them goes through the network."""
        if isinstance(piece, EmptyPiece):
            self.gaps.append(Gap(piece.start, piece.end, piece.reason))
            return
        try:
            chosen = self._model.sample(CutFrames(piece.faces, self._model.about.frame_size))
        except UserError as error:  # the frames are too few for how the model chooses them
            self.gaps.append(Gap(piece.start, piece.end, str(error)))
            return
        self._waiting.append((piece, chosen))
        if len(self._waiting) == self._batch_size:
            self.finish()

    def finish(self) -> None:
        """Put the pieces that wait through the network.

        Raises:
            UserError: when its answers are not finite.
        """
        if not self._waiting:
            return
        answers = self._model.classify(np.stack([chosen.video for _, chosen in self._waiting]))
        weights = answers.clip_weights
        if not np.isfinite(answers.logits).all() or (weights is not None and not np.isfinite(weights).all()):
            raise UserError(
                f"the scores of {self._model.about.method} are not finite: its training diverged, or its file is "
                "damaged; give another checkpoint"
            )
        for place, (piece, chosen) in enumerate(self._waiting):
            shares = None if weights is None else weights[place]
            window = self._window(piece, chosen, answers.logits[place], shares)
            self.windows.append((piece.person, window))
            self._note(piece, window)
        self._waiting = []

    def moments(self, names: dict[int, str]) -> tuple[Moment, ...]:
        """The clips that stand out most, in the order of time, no two of one face in the same half window."""
        chosen: list[_Candidate] = []
        for candidate in self._candidates:
            apart = (candidate.window.end - candidate.window.start) / 2
            near = [
                other
                for other in chosen
                if other.person == candidate.person and abs(other.seconds - candidate.seconds) < apart
            ]
            if not near and len(chosen) < NUM_MOMENTS:
                chosen.append(candidate)
        moments = []
        for candidate in sorted(chosen, key=lambda one: one.seconds):
            image = decode_image(candidate.image) if isinstance(candidate.image, bytes) else candidate.image
            assert image is not None, "we encoded it"
            window = replace(candidate.window, face=names[candidate.person])
            moments.append(Moment(candidate.seconds, window, image))
        return tuple(moments)

    def _window(self, piece: FacePiece, chosen: Chosen, logits: np.ndarray, weights: np.ndarray | None) -> Window:
        about = self._model.about
        scores = softmax(logits.astype(np.float64) / (about.temperature or 1.0))
        x1, y1, x2, y2 = np.median([face.box for face in piece.faces], axis=0).tolist()
        return Window(
            start=piece.start,
            end=piece.end,
            face="",
            label=about.classes[int(logits.argmax())],
            scores=tuple(scores.tolist()),
            logits=tuple(logits.tolist()),
            clips=() if weights is None else _clips(piece, chosen.frame_indices, weights),
            box=(x1, y1, x2 - x1, y2 - y1),
        )

    def _note(self, piece: FacePiece, window: Window) -> None:
        clip = window.most_active
        seconds = (window.start + window.end) / 2 if clip is None else (clip.start + clip.end) / 2
        salience = window.score * (1.0 if clip is None else clip.activation)
        face = piece.faces[int(np.abs(piece.seconds - seconds).argmin())]
        self._candidates.append(_Candidate(salience, seconds, piece.person, window, face.image))
        self._candidates.sort(key=lambda one: -one.salience)
        del self._candidates[NUM_CANDIDATES:]


def _clips(piece: FacePiece, indices: np.ndarray, weights: np.ndarray) -> tuple[Clip, ...]:
    """(N, T) which of its frames were chosen, (N',) weights -> the clips that the model saw."""
    seconds = piece.seconds
    usual = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 1 / USUAL_RATE
    chosen = regroup(indices, len(weights))
    starts, ends = seconds[chosen.min(axis=1)], np.minimum(seconds[chosen.max(axis=1)] + usual, piece.end)
    for clip in range(len(weights) - 1):
        if ends[clip] < starts[clip + 1]:  # what no clip looks at belongs half to the one before, half to the one after
            ends[clip] = starts[clip + 1] = (ends[clip] + starts[clip + 1]) / 2
    parts = zip(starts.tolist(), ends.tolist(), (weights * len(weights)).tolist(), strict=True)
    return tuple(Clip(*part) for part in parts)
