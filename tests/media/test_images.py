"""Folders of images: which files are frames, in which order, and that each format is really decoded."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.media import write_images, write_video
from helpers.scenes import scene

from cefl_bench.datasets.ravdess import RAVDESS
from cefl_bench.doctor.probe import probe_video
from cefl_bench.errors import UserError
from cefl_bench.faces.frames import frames_of
from cefl_bench.files import IMAGE_SUFFIXES, list_images, list_tree, natural_order
from cefl_bench.media.images import read_image
from cefl_bench.transforms.read import ImageFrames

UNLIKE = {".jfif": ".jpg", ".pxm": ".ppm", ".apng": ".png", ".jpe": ".jpg"}
"""Suffixes that only name a format in another way."""
GREY = {".pbm", ".pgm"}


def grey_image(value: int, side: int = 64) -> np.ndarray:
    return np.full((side, side, 3), value, np.uint8)


def write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    if suffix in (".hdr", ".pic"):
        image = image.astype(np.float32) / 255
    done, content = cv2.imencode(UNLIKE.get(suffix, suffix), image[..., 0] if suffix in GREY else image)
    assert done, suffix
    path.write_bytes(content.tobytes())


ORDERS = {
    "unpadded": ["1.jpg", "2.jpg", "9.jpg", "10.jpg", "11.jpg", "100.jpg"],
    "prefixed": ["frame_1.png", "frame_2.png", "frame_10.png"],
    "two numbers": ["s2_f9.png", "s2_f10.png", "s10_f1.png"],
    "upper and lower case": ["img8.PNG", "IMG9.png", "img10.Png"],
    "padded and not": ["007.bmp", "8.bmp", "009.bmp", "10.bmp"],
    "blanks and brackets": ["still (1).jpg", "still (2).jpg", "still (12).jpg"],
    "other digits": ["コマ9.png", "コマ１０.png", "コマ11.png"],
    "long numbers": [f"{10**40 + step}.png" for step in (8, 9, 10)],
}


@pytest.mark.parametrize("names", ORDERS.values(), ids=ORDERS)
def test_reader_crop_tool_and_doctor_see_the_frames_in_the_order_of_their_numbers(names, tmp_path):
    for place in np.random.default_rng(0).permutation(len(names)):
        write_image(tmp_path / names[place], grey_image(20 + 30 * int(place)))
    expected = [20 + 30 * place for place in range(len(names))]
    reader = ImageFrames(str(tmp_path), 32).fetch(np.arange(len(names)))
    crop_tool = np.stack(list(frames_of(tmp_path)))
    for frames in (reader, crop_tool):
        np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), expected, atol=2)
    by_name = probe_video((str(tmp_path), tuple(names)))
    assert probe_video((str(tmp_path), None)).digest == by_name.digest


def test_padded_names_keep_their_order():
    names = [f"{clip:05d}_{frame:05d}.jpg" for clip in (1, 2, 117) for frame in range(0, 300, 7)]
    assert sorted(names, key=natural_order) == sorted(names)


def test_hidden_files_folders_and_other_files_are_no_frames(tmp_path):
    write_images(tmp_path, scene(1)[:3])
    for name in ("._00002.jpg", ".00004.jpg", ".hidden.png"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7 what macOS leaves beside a file")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt", "track.csv", "00001.jpg~"):
        (tmp_path / name).write_text("x")
    (tmp_path / "00000.jpg").mkdir()
    (tmp_path / "@eaDir").mkdir()
    assert [path.name for path in list_images(tmp_path)] == ["00001.jpg", "00002.jpg", "00003.jpg"]
    assert len(ImageFrames(str(tmp_path), 32)) == len(list(frames_of(tmp_path))) == 3
    assert probe_video((str(tmp_path), None)).num_frames == 3


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_every_format_that_is_listed_is_decoded(suffix, tmp_path):
    value = 255 if suffix == ".pbm" else 180
    write_image(tmp_path / f"2{suffix}", grey_image(value))
    write_image(tmp_path / f"10{suffix.upper()}", grey_image(value))
    frames = ImageFrames(str(tmp_path), 32).fetch(np.arange(2))
    assert frames.shape == (2, 32, 32, 3) and abs(int(frames.mean()) - value) <= 3
    assert read_image(tmp_path / f"2{suffix}").shape == (64, 64, 3)


def test_a_format_that_opencv_does_not_decode_is_named(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.heic").write_bytes(b"x")
    with pytest.raises(UserError, match=r"holds no frame, but 4 \.heic: expected images .*\.jpg.*\.png") as error:
        ImageFrames(str(tmp_path), 32)
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(UserError, match=r"^frame folder \S+ is empty: expected images .*\.jpg"):
        ImageFrames(str(tmp_path), 32)


def test_a_link_that_leads_nowhere_is_a_frame_that_cannot_be_read(tmp_path):
    """Were it passed over, all later frames would move up."""
    write_images(tmp_path, scene(1)[:3])
    (tmp_path / "00002.jpg").unlink()
    (tmp_path / "00002.jpg").symlink_to(tmp_path / "gone.jpg")
    frames = ImageFrames(str(tmp_path), 32)
    assert len(frames) == 3
    with pytest.raises(UserError, match=r"00002\.jpg cannot be read \(No such file"):
        frames.fetch(np.array([1]))


def test_a_tree_is_searched_through_links_and_each_folder_once(tmp_path):
    for place in ("disk/Actor_02", "root/Actor_01"):
        (tmp_path / place).mkdir(parents=True)
        write_video(tmp_path / place / f"02-01-06-01-02-01-{place[-2:]}.mp4", scene(1))
    (tmp_path / "root" / "Actor_02").symlink_to(tmp_path / "disk" / "Actor_02")
    (tmp_path / "root" / "Actor_02" / "back").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "Actor_01" / "._02-01-06-01-02-01-01.mp4").write_bytes(b"\0")
    assert sorted(path.name[-6:-4] for path in list_tree(tmp_path / "root", ".mp4")) == ["01", "02"]
    dataset = RAVDESS(str(tmp_path / "root"), "test")
    assert len(dataset) == 2 and dataset.notes == []
