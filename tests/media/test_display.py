"""A frame is what a player shows: turned, mirrored and stretched as its file asks. The ffmpeg program is the player."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from helpers.ffmpeg import ffmpeg, played
from helpers.numbered import encode, h264, numbers, painted

from cefl_bench.faces.frames import frames_of
from cefl_bench.media.display import Display, display_filters, shown, square_size
from cefl_bench.transforms.read import VideoFrames

WAYS = {  # a, b, c, d of the matrix (ISO/IEC 14496-12, 6.2.2): a stored (x, y) is shown at (a x + c y, b x + d y)
    "as stored": (1, 0, 0, 1),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "turned by 180": (-1, 0, 0, -1),
    "turned right": (0, 1, -1, 0),
    "turned left": (0, -1, 1, 0),
    "mirrored and turned right": (0, 1, 1, 0),
    "mirrored and turned left": (0, -1, -1, 0),
}


def turn(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write a display matrix into the header of an MP4 file (8.3.2: a, b, u, c, d, the first five in 16.16)."""
    content = path.read_bytes()
    start = content.index(b"tkhd") + 44
    a, b, c, d = matrix
    numbers = b"".join((number << 16).to_bytes(4, "big", signed=True) for number in (a, b, 0, c, d))
    path.write_bytes(content[:start] + numbers + content[start + len(numbers) :])


def assert_shown(path: Path, width: int, height: int, tolerance: float = 3) -> None:
    """The reader and the crop tool see what ffmpeg plays."""
    truth = played(path, width, height)
    cropped = np.stack(list(frames_of(path)))
    assert cropped.shape == truth.shape
    assert np.abs(cropped.astype(int) - truth).mean() < tolerance
    frames = VideoFrames(str(path), 56)
    read = frames.fetch(np.arange(len(frames)))
    small = played(path, 56, 56)
    assert read.shape == small.shape
    assert np.abs(read.astype(int) - small).mean() < tolerance


@pytest.mark.parametrize("keyint", [250, 4], ids=["one key frame", "many"])
@pytest.mark.parametrize("way", WAYS)
def test_a_display_matrix_is_followed(way, keyint, tmp_path):
    path = encode(tmp_path / "phone.mp4", **h264(keyint=keyint, size=(64, 96), order=[149, 3, 200, 97, 18, 240]))
    turn(path, WAYS[way])
    width, height = (64, 96) if WAYS[way][0] == 0 else (96, 64)
    assert_shown(path, width, height)
    assert (numbers(np.stack(list(frames_of(path)))) == [149, 3, 200, 97, 18, 240]) == (way == "as stored")


@pytest.mark.parametrize("way", WAYS)
def test_filters_and_arrays_agree_on_every_way(way):
    a, b, c, d = WAYS[way]
    display = Display(a == 0, mirror_columns=(a or c) < 0, mirror_rows=(d or b) < 0)
    image = painted(147, 64, 96)
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(width=96, height=64, format=av.VideoFormat("rgb24"), time_base=Fraction(1, 25))]
    for name, arguments in [*display_filters(display), ("buffersink", None)]:
        nodes.append(graph.add(name, arguments))
    graph.link_nodes(*nodes).configure()
    graph.push(av.VideoFrame.from_ndarray(image, format="rgb24"))
    np.testing.assert_array_equal(graph.pull().to_ndarray(), shown(image, display))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_an_orientation_in_the_stream_itself_is_followed(suffix, tmp_path):
    """H.264 may carry it too (ITU-T H.264, D.1.27), and a container knows nothing of it."""
    stored = encode(tmp_path / f"stored{suffix}", **h264(size=(64, 96), order=[149, 3, 200, 97]))
    path = tmp_path / f"hinted{suffix}"
    with av.open(str(stored)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        hint = BitStreamFilterContext(
            "h264_metadata=display_orientation=insert:rotate=90:flip=horizontal", stream, copy
        )
        for packet in old.demux(stream):
            for hinted in hint.filter(packet if packet.size else None):
                hinted.stream = copy
                new.mux(hinted)
    assert_shown(path, 64, 96)
    assert numbers(np.stack(list(frames_of(path)))) != [149, 3, 200, 97]


@pytest.mark.parametrize(
    ("suffix", "codec", "size", "pixel", "square"),
    [
        (".mp4", "libx264", (576, 720), "64/45", (576, 1024)),  # PAL, wide
        (".mkv", "libx264", (288, 352), "12/11", (288, 384)),
        (".avi", "mpeg4", (240, 352), "10/11", (264, 352)),
        (".mpg", "mpeg2video", (480, 704), "40/33", (480, 853)),
        (".webm", "libvpx-vp9", (128, 96), "1/2", (256, 96)),
    ],
)
def test_pixels_that_are_not_square_are_stretched(suffix, codec, size, pixel, square, tmp_path):
    path = tmp_path / f"wide{suffix}"
    height, width = size
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s={width}x{height}:d=0.12:r=25", "-vf", f"setsar={pixel}", "-c:v", codec, path
    )
    assert_shown(path, square[1], square[0], tolerance=5)


def test_a_circle_on_a_turned_wide_video_is_round(tmp_path):
    path = tmp_path / "phone.mp4"
    disc = "geq=lum='if(lt(hypot((X-120)*4/3,Y-120),80),235,16)':cb=128:cr=128"
    source = ("-f", "lavfi", "-i", "color=black:s=240x240:d=0.1:r=25", "-vf", f"{disc},setsar=4/3,format=yuv420p")
    ffmpeg(*source, tmp_path / "lying.mp4")
    ffmpeg("-display_rotation", "90", "-i", tmp_path / "lying.mp4", "-c", "copy", path)
    frame = next(frames_of(path))
    assert frame.shape[:2] == (320, 240), "turned: the long side stands"
    inside = frame[..., 0] > 120
    rows, columns = inside.any(axis=1).sum(), inside.any(axis=0).sum()
    assert abs(int(rows) - 160) <= 3 and abs(int(columns) - 160) <= 3


@pytest.mark.parametrize(
    ("aspect", "expected"),
    [
        (0, (704, 480)),
        (1, (704, 480)),
        (200.0, (704, 480)),
        (1 / 200, (704, 480)),
        (1.5, (1056, 480)),
        (0.5, (704, 960)),
    ],
)
def test_a_frame_is_enlarged_to_square_pixels_unless_the_header_is_absurd(aspect, expected):
    assert square_size(704, 480, aspect) == expected


def test_the_shape_of_pixels_changes_nothing_for_a_reader_whose_frames_are_square(tmp_path):
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x120:d=0.2:r=25", "-pix_fmt", "yuv420p")
    for name, pixel in (("square", "1"), ("wide", "16/9")):
        ffmpeg(*source, "-vf", f"setsar={pixel}", tmp_path / f"{name}.mp4")
    square, wide = (VideoFrames(str(tmp_path / f"{name}.mp4"), 56).fetch(np.arange(5)) for name in ("square", "wide"))
    np.testing.assert_array_equal(square, wide)
