"""Whatever opens a video file takes the same stream of it and counts the same frames: those that ffmpeg shows."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.ffmpeg import ffmpeg, played
from helpers.numbered import NUM, Chunk, copy_packets, encode, h264, mpeg4, numbers

from cefl_bench.doctor.probe import probe_video
from cefl_bench.errors import UserError
from cefl_bench.faces.frames import frames_of
from cefl_bench.media.survey import survey
from cefl_bench.media.videos import decode, stated_seconds
from cefl_bench.transforms.decord_frames import DecordFrames
from cefl_bench.transforms.read import VideoFrames


def read_numbers(path: Path) -> list[int]:
    """The numbers on the frames of a video, on which the reader, the crop tool and the doctor agree."""
    frames = VideoFrames(str(path), 64)
    read = numbers(frames.fetch(np.arange(len(frames))))
    assert numbers(np.stack(list(frames_of(path)))) == read
    assert probe_video((str(path), None)).num_frames == len(read)
    return read


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return encode(tmp_path_factory.mktemp("videos") / "video.mp4", **h264())


@pytest.fixture(scope="module")
def cover(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("covers") / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=1280x720", "-frames:v", "1", path)
    return path


FIRST_IS_DEFAULT = ("-disposition:v:0", "default")
COVERS = {
    "picture first.mp4": ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic"),
    "picture last.m4v": ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic"),
    "picture is the default.mkv": ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v", "0", *FIRST_IS_DEFAULT),
    "picture of no kind.mov": ("-map", "1", "-map", "0", "-c", "copy", "-c:v:0", "mjpeg", "-disposition:v", "0"),
    "small picture.mp4": ("-map", "0", "-map", "1", "-c", "copy", "-c:v:1", "mjpeg", "-s:v:1", "32x32"),
}


@pytest.mark.parametrize("name", COVERS)
def test_a_cover_picture_is_not_the_video(name, video, cover, tmp_path):
    ffmpeg("-i", video, "-i", cover, *COVERS[name], tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        assert len(container.streams.video) == 2
    assert read_numbers(tmp_path / name) == list(range(NUM))


def test_a_picture_with_sound_is_no_video(cover, tmp_path):
    path = tmp_path / "song.m4a"
    sound = ("-f", "lavfi", "-i", "sine=d=1")
    ffmpeg(*sound, "-i", cover, "-map", "0", "-map", "1", "-c:v", "mjpeg", "-disposition:v:0", "attached_pic", path)
    for opened in (lambda: VideoFrames(str(path), 64), lambda: next(frames_of(path))):
        with pytest.raises(UserError, match=r"song\.m4a cannot be decoded .*it has a picture but no video"):
            opened()


def test_of_two_videos_all_take_the_one_that_players_take(video, tmp_path):
    encode(tmp_path / "other.mp4", **h264(order=[7] * NUM, size=(48, 64)))
    for name, chosen, expected in (("first", 0, [7] * NUM), ("second", 1, list(range(NUM)))):
        path = tmp_path / f"{name}.mp4"
        both = (
            "-i",
            tmp_path / "other.mp4",
            "-i",
            video,
            "-map",
            "0",
            "-map",
            "1",
            "-c",
            "copy",
            "-disposition:v",
            "0",
        )
        ffmpeg(*both, f"-disposition:v:{chosen}", "default", path)
        assert read_numbers(path) == expected


def test_a_video_of_an_unknown_format_says_so(video, tmp_path):
    content = video.read_bytes()
    place = content.index(b"avc1", content.index(b"stsd"))
    (tmp_path / "strange.mp4").write_bytes(content[:place] + b"zzzz" + content[place + 4 :])
    with pytest.raises(UserError, match=r"strange\.mp4 cannot be decoded .*no decoder") as error:
        VideoFrames(str(tmp_path / "strange.mp4"), 64)
    assert "\n" not in str(error.value)


def test_a_title_that_is_not_utf8_is_no_error(video, tmp_path):
    ffmpeg("-i", video, "-c", "copy", "-metadata", "title=Glueck", tmp_path / "title.mkv")
    content = (tmp_path / "title.mkv").read_bytes()
    assert content.count(b"Glueck") == 1
    (tmp_path / "title.mkv").write_bytes(content.replace(b"Glueck", b"Gl\xfcck "))
    assert read_numbers(tmp_path / "title.mkv") == list(range(NUM))
    assert stated_seconds(tmp_path / "title.mkv") == pytest.approx(NUM / 25, abs=0.05)


@pytest.mark.parametrize(
    ("suffix", "recipe"),
    [
        (".ts", h264()),
        (".ts", dict(codec="libx265", bframes=3, options={"x265-params": "keyint=12:log-level=0"})),
        (".mts", dict(codec="mpeg2video", bframes=2)),
        (".mpg", dict(codec="mpeg2video", bframes=2)),
    ],
    ids=["h264.ts", "hevc.ts", "mpeg2.mts", "mpeg2.mpg"],
)
def test_streams_that_were_joined_are_read_to_their_end(suffix, recipe, tmp_path):
    order = ([*range(20)], [*range(100, 113)], [*range(200, 207)])
    pieces = [encode(tmp_path / f"{number}{suffix}", **recipe, order=part) for number, part in enumerate(order)]
    joined = tmp_path / f"joined{suffix}"
    joined.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    assert read_numbers(joined) == [number for part in order for number in part] == numbers(played(joined, 64, 64))
    found = probe_video((str(joined), None))
    assert found.stated_frames in (-1, found.num_frames)


def test_pieces_of_two_sizes_become_frames_of_one(tmp_path):
    small = encode(tmp_path / "small.ts", **h264(size=(96, 128), order=range(10)))
    large = encode(tmp_path / "large.ts", **h264(size=(192, 320), order=range(10, 20)))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    assert read_numbers(joined) == list(range(20))
    assert {frame.shape for frame in frames_of(joined)} == {(96, 128, 3)}


def test_a_file_cut_in_the_middle_is_still_refused_by_all(video, tmp_path):
    path = tmp_path / "cut.avi"
    encode(path, **mpeg4(bframes=0))
    path.write_bytes(path.read_bytes()[:-2000])
    for opened in (lambda: VideoFrames(str(path), 64), lambda: list(frames_of(path)), lambda: survey(path)):
        with pytest.raises(UserError, match=r"cut\.avi cannot be decoded .*it ends or is damaged inside a frame"):
            opened()


# Packets without a picture: what encoders and recorders write for a frame that they leave out.
FILLER = (b"\x0c" + b"\xff" * 20, b"\x09\xf0", b"\x06\x05\x04abcd\x80")
"""Units of H.264 that hold no picture (ITU-T H.264, 7.3.1): filler, a delimiter, a message."""
GAPS = (5, 6, 20)


def without_pictures(unit: bytes, gaps: tuple[int, ...] = GAPS):
    """Put a unit without a picture in the place of nothing: one more packet, at a time of its own, before each gap."""

    def change(packets: list[av.Packet]) -> list[Chunk]:
        chunks: list[Chunk] = []
        step = packets[1].pts - packets[0].pts
        for number, packet in enumerate(packets):
            if number in gaps:
                chunks.append(
                    (len(unit).to_bytes(4, "big") + unit, packet.pts - step // 2, packet.dts - step // 2, False)
                )
            chunks.append((bytes(packet), packet.pts, packet.dts, packet.is_keyframe))
        return chunks

    return change


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".flv"])
@pytest.mark.parametrize("unit", FILLER, ids=["filler", "delimiter", "message"])
def test_packets_of_h264_without_a_picture_are_not_counted(suffix, unit, tmp_path):
    plain = encode(tmp_path / f"plain{suffix}", **h264(bframes=0))
    path = copy_packets(plain, tmp_path / f"gaps{suffix}", without_pictures(unit))
    assert len(played(path, 64, 64)) == NUM
    assert read_numbers(path) == list(range(NUM))
    assert isinstance(VideoFrames(str(plain), 64)._reader, DecordFrames)
    assert survey(path).num_packets == NUM + len(GAPS)
    found = probe_video((str(path), None))
    assert found.stated_frames in (-1, NUM), "the file is sound"


def not_coded(packets: list[av.Packet]) -> list[Chunk]:
    """Pictures marked 'not coded' (ISO/IEC 14496-2, 6.2.5), as Xvid writes them where nothing changes."""
    coded = [(bytes(packet), packet.pts, packet.dts, packet.is_keyframe) for packet in packets]
    return [(b"\0\0\1\xb6\x50\xcf", *chunk[1:]) if place in GAPS else chunk for place, chunk in enumerate(coded)]


@pytest.mark.parametrize("suffix", [".mov", ".avi", ".mkv"])
def test_pictures_of_mpeg4_that_are_not_coded_are_not_counted(suffix, tmp_path):
    still = {5: 4, 6: 4, 20: 19}
    order = [still.get(number, number) for number in range(NUM)]
    plain = encode(tmp_path / f"plain{suffix}", **mpeg4(bframes=0, gop=250, order=order))
    path = copy_packets(plain, tmp_path / f"gaps{suffix}", not_coded)
    truth = numbers(played(path, 64, 64))
    assert len(truth) == NUM - len(GAPS)
    assert read_numbers(path) == truth == [number for number in range(NUM) if number not in GAPS]


def late(packets: list[av.Packet]) -> list[Chunk]:
    """The first 20 in their places, the others 12 places later."""
    times = [*range(20), *range(32, 52)]
    return [(bytes(packet), time, time, packet.is_keyframe) for packet, time in zip(packets, times, strict=True)]


def test_frames_that_a_recorder_left_out_of_an_avi_file_are_no_damage(tmp_path):
    """The file states 52 frames; where none came in time, there is a chunk of no bytes."""
    plain = encode(tmp_path / "plain.avi", **mpeg4(bframes=0, gop=250))
    path = copy_packets(plain, tmp_path / "camera.avi", late)
    assert survey(path).stated_places == 52
    assert read_numbers(path) == list(range(NUM))
    found = probe_video((str(path), None))
    assert found.stated_frames in (-1, NUM) and not found.fault


def state_samples(content: bytes, number: int) -> bytes:
    """Of an MP4 file: the count in the table of times, which nothing else in the file bears out."""
    place = content.index(b"stts") + 12
    return content[:place] + struct.pack(">I", number) + content[place + 4 :]


def state_frames(content: bytes, number: int) -> bytes:
    """Of an AVI file: the frames that its header and its stream header promise."""
    place, stream = content.index(b"avih") + 24, content.index(b"strh") + 40
    content = content[:place] + struct.pack("<I", number) + content[place + 4 :]
    return content[:stream] + struct.pack("<I", number) + content[stream + 4 :]


@pytest.mark.parametrize("number", [41, 100_000, 2**31 - 1])
@pytest.mark.parametrize(("suffix", "lie"), [(".mp4", state_samples), (".avi", state_frames)])
def test_a_header_that_promises_too_much_is_not_believed(suffix, lie, number, tmp_path):
    honest = encode(tmp_path / f"honest{suffix}", **h264(bframes=0))
    path = tmp_path / f"liar{suffix}"
    path.write_bytes(lie(honest.read_bytes(), number))
    assert survey(path).stated_places == number
    frames = VideoFrames(str(path), 56)  # a size that decord reads: it would take memory for what is promised
    assert not isinstance(frames._reader, DecordFrames)
    assert numbers(frames.fetch(np.arange(len(frames)))) == list(range(NUM))
    found = probe_video((str(path), None))
    assert (found.num_frames, found.stated_frames) == (NUM, number)


def test_a_clip_cut_without_encoding_again_states_what_it_shows(tmp_path):
    long = encode(tmp_path / "long.mp4", **h264(keyint=12, order=range(60)))
    for start in ("0.7", "1.5"):
        for suffix in (".mp4", ".mov"):
            path = tmp_path / f"cut{start}{suffix}"
            ffmpeg("-ss", start, "-i", long, "-c", "copy", path)
            read = read_numbers(path)
            assert read[-1] == 59 and read == list(range(read[0], 60))
            assert probe_video((str(path), None)).stated_frames in (-1, len(read))
            assert survey(path).num_packets > len(read), "frames are hidden"


def test_what_is_no_file_says_what_it_is(tmp_path):
    (tmp_path / "gone.mp4").symlink_to("/mnt/other disk/gone.mp4")
    (tmp_path / "round.mp4").symlink_to(tmp_path / "round.mp4")
    (tmp_path / "folder.mp4").mkdir()
    for name, said in (
        ("gone.mp4", "a link to /mnt/other disk/gone.mp4, where nothing is. does not exist"),
        ("round.mp4", r"a link to .*/round\.mp4, where nothing is. does not exist"),
        ("folder.mp4", "is a folder"),
        ("nothing.mp4", "does not exist"),
        ("x" * 300 + ".mp4", "cannot be opened .File name too long"),
    ):
        with pytest.raises(UserError, match=said) as error:
            next(decode(tmp_path / name))
        assert name in str(error.value) and "\n" not in str(error.value)
