"""A model out of a .onnx file that tools/export.py made, run by onnxruntime: nothing here needs torch."""

import os
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import check_file
from cefl_bench.functional.clips import fetch_clips
from cefl_bench.functional.sampling import sampler
from cefl_bench.predict.about import Answers, Chosen
from cefl_bench.predict.exported import CLIP_WEIGHTS, INPUT, LOGITS, NEEDS_EXTRA, from_texts
from cefl_bench.records import Frames

ERRORS_ALONE = 3
"""The level of onnxruntime's log."""


class OnnxModel:
    """A `Model` out of a .onnx file.

    Args:
        path: what `tools/export.py --format onnx` wrote.

    Raises:
        UserError: naming what is wrong with the file, or the package that is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        check_file(path, "exported model", "a .onnx file, as tools/export.py leaves it")
        try:
            import onnxruntime
        except ImportError:
            raise UserError(f"{str(path)!r} {NEEDS_EXTRA.format('onnxruntime')}") from None
        onnxruntime.set_default_logger_severity(ERRORS_ALONE)
        options = onnxruntime.SessionOptions()
        # its own choice takes all cores of the machine, also those that this process may not use
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # it has a dozen kinds for all that can be wrong with a file
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{str(path)!r} is damaged or not a network ({reason}): copy it again") from None
        exported = from_texts(self._session.get_modelmeta().custom_metadata_map, path)
        self.about = exported.about
        try:
            self._sample = sampler(exported.sampling.scheme, exported.sampling.options)
        except UserError as error:
            raise UserError(f"{str(path)!r}: {error}") from None
        videos, outputs = self._session.get_inputs(), self._session.get_outputs()
        fits = [video.name for video in videos] == [INPUT] and tuple(videos[0].shape[1:]) == exported.input_shape
        if not fits or [outputs[0].name, outputs[0].shape[1]] != [LOGITS, len(self.about.classes)]:
            raise UserError(f"{str(path)!r}: its network is not the one that its metadata tell of: export it again")
        self._outputs = [output.name for output in outputs]

    def sample(self, frames: Frames) -> Chosen:
        indices = self._sample(len(frames), None)
        return Chosen(fetch_clips(frames.fetch, indices), indices)

    def classify(self, video: np.ndarray) -> Answers:
        values = self._session.run(None, {INPUT: video})
        given = dict(zip(self._outputs, values, strict=True))
        return Answers(given[LOGITS], given.get(CLIP_WEIGHTS))
