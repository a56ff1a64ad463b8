"""Videos as phones, cameras and editors leave them: each ends in a sensible result or one clear line."""

import cv2
import numpy as np
import pytest
from helpers.face_clips import read
from helpers.ffmpeg import ffmpeg, played
from helpers.media import write_images, write_video
from helpers.stub_model import StubModel

from cefl_bench.errors import UserError
from cefl_bench.media.videos import shown_frames
from cefl_bench.predict.predictor import Predictor


@pytest.fixture(scope="module")
def smile():
    return read("smile", stop=30)


@pytest.fixture(scope="module")
def video(smile, tmp_path_factory):
    """A second of a smile, 320 x 180, with sound."""
    folder = tmp_path_factory.mktemp("inputs")
    write_video(folder / "silent.mp4", smile)
    ffmpeg("-i", folder / "silent.mp4", "-f", "lavfi", "-i", "sine=d=1.2", "-c:v", "copy", folder / "smile.mp4")
    return folder / "smile.mp4"


@pytest.fixture(scope="module")
def predictor():
    return Predictor(StubModel())


@pytest.fixture(scope="module")
def usual(predictor, video):
    return predictor(video)


MADE = {
    "10 bit HEVC.mp4": ("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=0"),
    "VP9.webm": ("-c:v", "libvpx-vp9", "-c:a", "libopus", "-deadline", "realtime", "-cpu-used", "8"),
    "MJPEG.avi": ("-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "4-4-4.mkv": ("-pix_fmt", "yuv444p"),
    "stream.ts": ("-c:v", "mpeg2video", "-b:v", "4M"),
    "odd size.mkv": ("-vf", "scale=321:181", "-pix_fmt", "yuv444p"),
    "uneven.mkv": ("-vf", "setpts='if(lt(N,10),N,if(lt(N,20),10+(N-10)*3,40+(N-20)))/25/TB'", "-fps_mode", "vfr"),
    "late start.mkv": ("-output_ts_offset", "10"),
    "4K.mp4": ("-vf", "scale=3840:2160", "-preset", "ultrafast", "-frames:v", "5"),
}


@pytest.mark.parametrize("name", MADE)
def test_formats(name, predictor, video, usual, tmp_path):
    """The face is found where it is, all the time; the drawn video has every frame."""
    path = tmp_path / name
    ffmpeg("-i", video, *MADE[name], path)
    found = predictor(path)
    (track,) = found.tracks
    shown = list(times(path))
    assert found.num_frames == len(shown) == (5 if "4K" in name else 30)
    assert (track.start, track.end) == (0.0, found.seconds) and 0 < found.seconds - shown[-1] < 0.13
    expected = usual.tracks[0].boxes.mean(axis=0) / (320, 180, 320, 180)
    size = (found.width, found.height, found.width, found.height)
    assert track.boxes.mean(axis=0) / size == pytest.approx(expected, abs=0.02)
    found.save(tmp_path / "out")
    assert list(times(tmp_path / "out" / "annotated.mp4")) == pytest.approx(shown, abs=0.002)


def times(path):
    return (seconds for seconds, _ in shown_frames(path))


@pytest.mark.parametrize("turn", [("-display_rotation", "90"), ("-display_hflip",), ("-display_rotation", "180")])
def test_a_phone_that_was_turned_or_mirrored(turn, predictor, smile, tmp_path):
    """The stored frames are turned the other way, so that what is shown stands upright."""
    back = {"90": lambda frame: np.rot90(frame, -1), "180": lambda frame: np.rot90(frame, 2)}
    stored = [back.get(turn[-1], np.fliplr)(frame) for frame in smile[:12]]
    write_video(tmp_path / "stored.mp4", np.stack(stored))
    ffmpeg(*turn, "-i", tmp_path / "stored.mp4", "-c", "copy", tmp_path / "phone.mp4")
    found = predictor(tmp_path / "phone.mp4")
    (track,) = found.tracks
    truth = played(tmp_path / "phone.mp4", found.width, found.height)[0]
    x1, y1, x2, y2 = track.boxes[0].round().astype(int)
    upright = smile[0] if (found.width, found.height) == (320, 180) else None
    assert upright is not None and np.abs(truth.astype(int) - upright).mean() < 6
    assert x2 - x1 > 40 and y2 > y1
    found.save(tmp_path / "out")
    height, width = next(frame for _, frame in shown_frames(tmp_path / "out" / "annotated.mp4")).shape[:2]
    drawn = next(frame for _, frame in shown_frames(tmp_path / "out" / "annotated.mp4"))[:270, :480]
    assert (height > 270, width) == (True, 480)
    assert np.abs(drawn.astype(int) - cv2.resize(truth, (480, 270))).mean() < 12


def test_pixels_that_are_not_square(predictor, video, usual, tmp_path):
    """A face in pixels twice as wide as high is as wide as it truly is."""
    ffmpeg("-i", video, "-vf", "scale=160:180,setsar=2", tmp_path / "wide.mp4")
    found = predictor(tmp_path / "wide.mp4")
    assert (found.width, found.height) == (320, 180)
    assert found.windows[0].box == pytest.approx(usual.windows[0].box, abs=6)


def test_a_cover_picture_before_the_video(predictor, video, usual, tmp_path):
    ffmpeg("-f", "lavfi", "-i", "color=red:s=640x640", "-frames:v", "1", tmp_path / "cover.png")
    streams = ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", video, "-i", tmp_path / "cover.png", *streams, tmp_path / "song.mp4")
    found = predictor(tmp_path / "song.mp4")
    assert (found.num_frames, found.width) == (usual.num_frames, usual.width)
    found.save(tmp_path / "out")
    assert next(frame for _, frame in shown_frames(tmp_path / "out" / "annotated.mp4"))[..., 0].mean() < 200


def test_two_frames_are_enough(predictor, smile, tmp_path):
    for length in (1, 2):
        write_images(tmp_path / str(length), smile[:length])
        found = predictor(tmp_path / str(length))
        (window,) = found.windows
        assert (window.start, window.end) == (0, length / 25)
        found.save(tmp_path / f"out {length}")
        assert len(list(times(tmp_path / f"out {length}" / "annotated.mp4"))) == length


@pytest.mark.parametrize(("level", "reason"), [(0, "black frames"), (120, "no face found")])
def test_nothing_to_be_seen(level, reason, predictor, tmp_path):
    write_video(tmp_path / "video.mp4", np.full((30, 90, 160, 3), level, dtype=np.uint8))
    found = predictor(tmp_path / "video.mp4")
    assert not found.windows and not found.tracks and {gap.reason for gap in found.gaps} == {reason}
    assert found.gaps[0].start == 0 and found.gaps[-1].end == pytest.approx(1.2)
    assert len(found.save(tmp_path / "out")) == 4


def test_what_is_no_video(predictor, video, tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", tmp_path / "sound.m4a")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video")
    content = video.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    told = {"sound.m4a": "it has no video stream", "empty.mp4": "0 bytes", "text.mp4": "cannot be decoded"}
    told |= {"cut.mp4": "cannot be decoded", "nowhere.mp4": "does not exist"}
    for name, reason in told.items():
        with pytest.raises(UserError, match=reason) as error:
            predictor(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)
