"""One video: a plan becomes frames, and frames become H.264 in an mp4 file."""

import io
from fractions import Fraction
from functools import lru_cache

import numpy as np

from cefl_bench.synthesis.anatomy import ACTIONS, load_head
from cefl_bench.synthesis.distractors import draw_distractors, wander
from cefl_bench.synthesis.face import Face
from cefl_bench.synthesis.identity import Identity, draw_identity
from cefl_bench.synthesis.plan import VideoPlan
from cefl_bench.synthesis.render import draw

SIZE, FPS = 112, 25
X264 = {"preset": "veryfast", "crf": "19", "x264-params": "mbtree=0"}
DISTANCE = 9.0  # decimetres from the camera to the eyes


@lru_cache(maxsize=2)
def face_of(seed: int, subject: int) -> Face:
    """The face of a subject; the videos of one subject come in a row, so two are kept."""
    return Face(load_head(), draw_identity(np.random.default_rng(np.random.SeedSequence([seed, 0, subject]))))


def render_video(plan: VideoPlan) -> np.ndarray:
    """Frames (F, SIZE, SIZE, 3) uint8."""
    face = face_of(plan.seed, plan.subject)
    weights, intensities = plan.expression()
    camera = plan.stream("camera")
    distractors = draw_distractors(plan.num_frames, plan.stream("distractors"))
    person = face.identity
    shown = np.clip(person.resting + intensities[:, None] * weights * person.strengths, 0, 1.7)
    actions = shown + distractors.actions
    actions *= 1 - np.outer(distractors.blink, np.char.startswith(ACTIONS, "eyeWide"))
    vertices = face.pose(actions, distractors.pose)
    colours = face.shade(vertices, person.light + camera.normal(0, 0.12, 3))
    exposure = camera.normal(1.0, 0.07) * (0.35 / person.skin.mean()) ** 0.35 * distractors.light
    colours *= exposure[:, None, None].astype(np.float32)
    points = project(vertices, face.eye_height, camera)
    pictures = draw(points, colours, face.head.triangles, backdrop(person, camera))
    return develop(pictures, camera)


def project(vertices: np.ndarray, eye_height: float, camera: np.random.Generator) -> np.ndarray:
    """Perspective: vertices (F, V, 3) -> column and row in pixels, and depth (F, V, 3); a hand-held frame."""
    drift = wander(len(vertices), 15, camera, 2) * 0.006 + camera.normal(0, 0.018, 2)
    scale = SIZE * DISTANCE / (1.85 * camera.uniform(0.96, 1.05))
    depth = DISTANCE - (vertices[..., 2] - 1.2)
    column = SIZE / 2 + scale * (vertices[..., 0] + drift[:, :1]) / depth
    row = SIZE * 0.38 - scale * (vertices[..., 1] - eye_height + drift[:, 1:]) / depth
    return np.stack([column, row, depth], axis=-1).astype(np.float32)


def backdrop(person: Identity, camera: np.random.Generator) -> np.ndarray:
    """Background (SIZE, SIZE, 3) in linear RGB: a gradient between four corners, with soft spots."""
    corners = person.backdrop * camera.normal(1, 0.15, (4, 1))
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1)
    shares = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], axis=-1)
    spots = np.zeros((SIZE, SIZE))
    for column, row, radius, strength in zip(
        *camera.uniform((0, 0, 0.05, -0.4), (1, 1, 0.3, 0.4), (6, 4)).T, strict=True
    ):
        spots += strength * np.exp(-((x - column) ** 2 + (y - row) ** 2) / radius**2)
    return np.clip((shares @ corners) * (1 + spots[..., None]), 0.005, 0.95).astype(np.float32)


def develop(pictures: np.ndarray, camera: np.random.Generator) -> np.ndarray:
    """Linear RGB (F, H, W, 3) -> uint8: white balance, display curve, sensor noise."""
    balance = camera.normal(1, (0.025, 0.005, 0.03))
    shown = np.clip(pictures * balance.astype(np.float32), 0, 1) ** np.float32(1 / 2.2)
    noise = camera.standard_normal(pictures.shape[:-1], np.float32)[..., None]
    shown += np.float32(camera.uniform(0.003, 0.010)) * noise
    return np.round(np.clip(shown, 0, 1) * 255).astype(np.uint8)


def encode(frames: np.ndarray) -> bytes:
    """Frames (F, H, W, 3) uint8 -> an mp4 file, whose bytes depend on the frames alone.

    That takes one thread and no macroblock tree: with it, x264 encodes equal frames of this size differently from one
    call to the next.
    """
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options=X264)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()
