"""A video that was drawn on again: its frames, their times, its colours and its sound are what they were."""

import av
import numpy as np
import pytest
from helpers.ffmpeg import ffmpeg, played
from helpers.media import write_images
from helpers.numbered import NUM, encode, h264, mpeg4, numbers, painted

from cefl_bench.errors import UserError
from cefl_bench.media.redraw import redraw
from cefl_bench.media.videos import shown_frames

FLASH = "color=black:s=96x64:r=25:d=2,format=yuv420p,drawbox=c=white:t=fill:enable='between(t,0.99,1.09)'"
BEEP = "aevalsrc='if(between(t,1,1.2),0.8*sin(2*PI*880*t),0)':d=2:s=48000"
SOUNDS = {
    "aac.mp4": ("-c:a", "aac"),
    "mp3.mp4": ("-c:a", "libmp3lame"),
    "opus.mkv": ("-c:a", "libopus"),
    "flac.mkv": ("-c:a", "flac"),
    "ac3.mp4": ("-c:a", "ac3"),
    "alac.mov": ("-c:a", "alac"),
    "pcm.avi": ("-c:a", "pcm_s16le"),
    "8 kHz mono.mkv": ("-c:a", "aac", "-ar", "8000", "-ac", "1"),
    "mpeg.ts": ("-c:a", "aac"),
    "mpeg.mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
}
COPIED = ("aac.mp4", "mp3.mp4", "opus.mkv", "flac.mkv", "8 kHz mono.mkv", "mpeg.ts")


def same(seconds, frame):
    return frame


def flash_and_beep(path) -> tuple[float, float]:
    """When the picture turns white and the sound begins, by the clock of the file, in seconds."""
    with av.open(str(path)) as container:
        flash = next(frame.time for frame in container.decode(video=0) if frame.to_ndarray(format="gray").mean() > 128)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            wave = np.abs(frame.to_ndarray().astype(float))
            wave = (wave.reshape(-1, frame.layout.nb_channels).T if not frame.format.is_planar else wave).max(axis=0)
            loud = np.flatnonzero(wave > 0.1 * (1 if frame.format.name.startswith("flt") else 2**15))
            if len(loud):
                return flash, frame.time + loud[0] / frame.sample_rate
    raise AssertionError("it is silent")


SHIFTED = [(name, late) for name in SOUNDS for late in (0, 0.3, -0.3) if not late or name in ("aac.mp4", "ac3.mp4")]
"""With the sound as it is, late and early by so many seconds: of a kind that is copied, and of one that is encoded."""


@pytest.mark.parametrize(("name", "late"), SHIFTED)
def test_the_sound_stays_with_the_picture(name, late, tmp_path):
    source, target = tmp_path / name, tmp_path / "drawn.mp4"
    offset = ("-itsoffset", str(abs(late)))
    inputs = [*(offset if late < 0 else ()), "-f", "lavfi", "-i", FLASH]
    inputs += [*(offset if late > 0 else ()), "-f", "lavfi", "-i", BEEP]
    ffmpeg(*inputs, *SOUNDS[name], source)
    redraw(source, target, same)
    before, after = flash_and_beep(source), flash_and_beep(target)
    assert after[1] - after[0] == pytest.approx(before[1] - before[0], abs=0.004)
    with av.open(str(target)) as container, av.open(str(source)) as original:
        found, given = (file.streams.audio[0].codec_context.codec.canonical_name for file in (container, original))
        assert found == (given if name in COPIED else "aac")


def test_copied_sound_is_the_same_bytes(tmp_path):
    ffmpeg("-f", "lavfi", "-i", FLASH, "-f", "lavfi", "-i", BEEP, "-c:a", "aac", tmp_path / "a.mp4")
    redraw(tmp_path / "a.mp4", tmp_path / "b.mp4", same)
    packets = []
    for name in ("a.mp4", "b.mp4"):
        with av.open(str(tmp_path / name)) as container:
            packets.append([bytes(packet) for packet in container.demux(audio=0) if packet.size])
    assert packets[0] == packets[1] and len(packets[0]) > 50


def test_every_frame_keeps_its_own_time(tmp_path):
    """A phone's: a sixtieth, a thirtieth and a twelfth of a second mixed."""
    times = np.cumsum(np.tile([17, 33, 83, 17], NUM // 4)) - 17
    source, target = encode(tmp_path / "uneven.mkv", **h264(times=times)), tmp_path / "drawn.mp4"
    asked = []
    redraw(source, target, lambda seconds, frame: asked.append(seconds) or frame)
    seconds, frames = zip(*shown_frames(target), strict=True)
    assert numbers(np.stack(frames)) == list(range(NUM))
    np.testing.assert_allclose(seconds, times / 1000, atol=0.0011)
    np.testing.assert_allclose(asked, times / 1000, atol=0.0011)


@pytest.mark.parametrize("size", ["320x180", "1280x720"])
def test_colours_are_what_they_were_and_say_how_they_are_meant(size, tmp_path):
    source, target = tmp_path / "orange.mp4", tmp_path / "drawn.mp4"
    encode(source, **h264(order=[0] * 3))
    width, height = map(int, size.split("x"))
    colour = np.full((height, width, 3), (200, 60, 30), dtype=np.uint8)
    redraw(source, target, lambda seconds, frame: colour)
    with av.open(str(target)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert (context.pix_fmt, context.name) == ("yuv420p", "h264")
    assert np.abs(played(target, width, height).astype(int) - (200, 60, 30)).max() <= 3


def test_it_can_be_shown_before_it_is_loaded(tmp_path):
    redraw(encode(tmp_path / "video.mp4", **h264()), tmp_path / "drawn.mp4", same)
    content = (tmp_path / "drawn.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_images_become_a_video(tmp_path):
    write_images(tmp_path / "frames", np.stack([painted(number) for number in range(12)]), name="{}.png")
    redraw(tmp_path / "frames", tmp_path / "drawn.mp4", same)
    seconds, frames = zip(*shown_frames(tmp_path / "drawn.mp4"), strict=True)
    assert numbers(np.stack(frames)) == list(range(12)) and seconds[-1] == pytest.approx(11 / 25, abs=1e-3)


@pytest.mark.parametrize("fault", ["cut short", "stopped", "nowhere"])
def test_nothing_half_written_is_left(fault, tmp_path):
    source, target = encode(tmp_path / "video.avi", **mpeg4(0)), tmp_path / "out" / "drawn.mp4"
    if fault == "cut short":
        source.write_bytes(source.read_bytes()[:-2000])
    elif fault == "nowhere":
        source = tmp_path / "nowhere.mp4"

    def draw(seconds, frame):
        if fault == "stopped" and seconds > 0.5:
            raise KeyboardInterrupt
        return frame

    with pytest.raises(KeyboardInterrupt if fault == "stopped" else UserError):
        redraw(source, target, draw)
    assert not list(target.parent.iterdir())


def test_a_full_disk_is_told_of_what_is_written_not_of_what_is_read(tmp_path, monkeypatch):
    source = encode(tmp_path / "video.mp4", **h264())
    (tmp_path / "drawn.mp4").symlink_to("/dev/full")
    monkeypatch.setattr("cefl_bench.media.redraw.atomic_path", FullDisk)
    with pytest.raises(UserError, match=r"drawn\.mp4 cannot be written \(No space left on device\)"):
        redraw(source, tmp_path / "drawn.mp4", same)


def test_what_the_encoder_does_not_take_is_no_fault_of_the_source(tmp_path):
    source = encode(tmp_path / "video.mp4", **h264())
    with pytest.raises(UserError, match=r"drawn\.mp4 cannot be written \(Generic error in an external library"):
        redraw(source, tmp_path / "drawn.mp4", lambda *_: np.zeros((20_000, 16, 3), np.uint8))


class FullDisk:
    """Takes the place of `atomic_path`: a device that is always full."""

    def __init__(self, path) -> None:
        self.path = path

    def __enter__(self):
        return self.path

    def __exit__(self, *_) -> None:
        pass
