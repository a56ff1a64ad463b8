"""One video: a plan becomes frames, and frames become H.264 in an mp4 file."""

import io
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np

from cefl_bench.synthesis.anatomy import ACTIONS, load_head
from cefl_bench.synthesis.distractors import draw_distractors, wander
from cefl_bench.synthesis.draws import Draws, normal_quantiles
from cefl_bench.synthesis.exact import fall_off, on_grid
from cefl_bench.synthesis.expression import MAX_WEIGHT
from cefl_bench.synthesis.face import Face
from cefl_bench.synthesis.identity import Identity, draw_identity
from cefl_bench.synthesis.plan import SIZE, VideoPlan
from cefl_bench.synthesis.render import draw

FRAMES_PER_SECOND = 25
# One quantiser for all frames, and no weighted prediction: what x264 decides by floating point is off.
X264 = {"preset": "veryfast", "qp": "22", "x264-params": "weightp=0:cpu-independent=1"}
CAMERA_DISTANCE = 9.0  # decimetres to the eyes
NUM_LIGHT_LEVELS = 2**16
WIDENS_EYES = np.array([name.startswith("eyeWide") for name in ACTIONS])


@lru_cache(maxsize=2)
def face_of(seed: int, subject: int) -> Face:
    """The face of a subject; the videos of one subject come in a row, so two are kept."""
    return Face(load_head(), draw_identity(Draws(seed, 0, subject)))


def render_video(plan: VideoPlan) -> np.ndarray:
    """Frames (F, SIZE, SIZE, 3) uint8, RGB."""
    face = face_of(plan.seed, plan.subject)
    weights, intensities = plan.expression()
    camera = plan.stream("camera")
    distractors = draw_distractors(plan.num_frames, plan.stream("distractors"))
    person = face.identity
    actions = np.clip(person.resting + intensities[:, None] * weights * person.strengths, 0, MAX_WEIGHT)
    actions += distractors.actions
    actions *= 1 - np.outer(distractors.blink, WIDENS_EYES)
    vertices = face.pose(actions, distractors.pose)
    colours = face.shade(vertices, person.light + camera.normals(0, 0.12, 3))
    exposure = camera.normal(1.0, 0.07) * gain(person.skin) * distractors.light
    points = project(vertices, face.eye_height, camera)
    pictures = draw(points, colours * exposure[:, None, None], face.head.triangles, backdrop(person, camera))
    return develop(pictures, camera)


def gain(skin: np.ndarray) -> float:
    """What a camera does for a dark skin (3,) in linear RGB: it evens out three eighths of the difference."""
    fourth_root = np.sqrt(np.sqrt(0.35 / on_grid(skin).mean()))
    return float(fourth_root * np.sqrt(fourth_root))


def project(vertices: np.ndarray, eye_height: float, camera: Draws) -> np.ndarray:
    """Perspective: vertices (F, V, 3) -> column and row in pixels, and depth (F, V, 3); a hand-held frame."""
    drift = wander(len(vertices), 15, camera, 2) * 0.006 + camera.normals(0, 0.018, 2)
    scale = SIZE * CAMERA_DISTANCE / (1.85 * camera.uniform(0.96, 1.05))
    depth = CAMERA_DISTANCE - (vertices[..., 2] - 1.2)
    column = SIZE / 2 + scale * (vertices[..., 0] + drift[:, :1]) / depth
    row = SIZE * 0.38 - scale * (vertices[..., 1] - eye_height + drift[:, 1:]) / depth
    return np.stack([column, row, depth], axis=-1)


def backdrop(person: Identity, camera: Draws) -> np.ndarray:
    """Background (SIZE, SIZE, 3) in linear RGB: a gradient between four corners, with soft spots."""
    corners = on_grid(person.backdrop * camera.normals(1, 0.15, (4, 1)))
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1)
    shares = on_grid(np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], axis=-1))
    spots = np.zeros((SIZE, SIZE))
    for column, row, radius, strength in camera.uniforms((0, 0, 0.05, -0.4), (1, 1, 0.3, 0.4), (6, 4)):
        aside, below = x - column, y - row
        spots += strength * fall_off((aside * aside + below * below) / (radius * radius))
    return np.clip((shares @ corners) * (1 + spots[..., None]), 0.005, 0.95)


def develop(pictures: np.ndarray, camera: Draws) -> np.ndarray:
    """Linear RGB (F, H, W, 3) -> uint8: white balance, display curve, sensor noise."""
    balance = camera.normals(1, (0.025, 0.005, 0.03), 3).astype(np.float32)
    level = np.rint(np.clip(pictures * balance, 0, 1) * np.float32(NUM_LIGHT_LEVELS - 1)).astype(np.uint16)
    noise = normal_quantiles().astype(np.float32)[camera.levels(pictures.shape[:-1])]
    shown = display_curve()[level] + np.float32(camera.uniform(0.003, 0.010)) * noise[..., None]
    return np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)


@cache
def display_curve() -> np.ndarray:
    """Display value (float32, on the grid) of 65,536 levels of light: gamma 2.2.

    As in `normal_quantiles`, the rounding hides what two C libraries may disagree on.
    """
    return on_grid([(level / (NUM_LIGHT_LEVELS - 1)) ** (1 / 2.2) for level in range(NUM_LIGHT_LEVELS)]).astype(
        np.float32
    )


def to_yuv(frames: np.ndarray) -> np.ndarray:
    """RGB (F, H, W, 3) uint8 -> planes Y, U, V one below the other (F, 3 H / 2, W) uint8, as PyAV takes yuv420p.

    BT.601 in whole numbers; swscale's conversion depends on the processor.
    """
    num_frames, height, width, _ = frames.shape
    planes = np.ascontiguousarray(np.moveaxis(frames, -1, 0)).astype(np.int32)
    red, green, blue = planes
    luma = (66 * red + 129 * green + 25 * blue + 128 + (16 << 8)) >> 8
    rows = planes[:, :, 0::2] + planes[:, :, 1::2]
    red, green, blue = rows[..., 0::2] + rows[..., 1::2]
    blueness = (-38 * red - 74 * green + 112 * blue + 512 + (128 << 10)) >> 10
    redness = (112 * red - 94 * green - 18 * blue + 512 + (128 << 10)) >> 10
    below = [chroma.reshape(num_frames, height // 4, width) for chroma in (blueness, redness)]
    return np.concatenate([luma, *below], axis=1).astype(np.uint8)


def encode(frames: np.ndarray) -> bytes:
    """Frames (F, H, W, 3) uint8 -> an mp4 file, whose bytes depend on the frames and on PyAV's version alone.

    That takes one thread and no macroblock tree (there is none with a fixed quantiser): with it, x264 encodes equal
    frames of this size differently from one call to the next.
    """
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(FRAMES_PER_SECOND), options=X264)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in to_yuv(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="yuv420p")))
        container.mux(stream.encode())
    return file.getvalue()
