"""Faults that tests plant in a corpus, each a function of its data root."""

import os
import shutil

from helpers.ffmpeg import ffmpeg
from helpers.media import write_csv, write_images, write_video
from helpers.scenes import LENGTH, edit_rows, scene


def video(root, name):
    return root / "videos" / f"{name}.mp4"


def relabel(root, name, **cells):
    edit_rows(root / "labels.csv", lambda row: row.update(cells) if row["name"] == name else None)


def misspelt(root):
    relabel(root, "s1_sad_0", label="sda")


def outside(root):
    relabel(root, "s1_sad_0", path="/etc/passwd")


def not_a_number(root):
    relabel(root, "s1_sad_0", num_frames="many")


def class_gone(root):
    edit_rows(root / "labels.csv", lambda row: row["label"] != "fear" or row["fold"] == "1")


def subject_twice(root):
    relabel(root, "s1_sad_0", subject="s2")


def removed(root):
    video(root, "s3_fear_1").unlink()


def no_video(root):
    video(root, "s3_fear_1").write_text("no video")


def cut_off(root):
    video(root, "s3_fear_1").write_bytes(video(root, "s3_fear_1").read_bytes()[:-300])


def broken_last_image(root):
    video(root, "s3_fear_1").unlink()
    write_images(video(root, "s3_fear_1"), scene(3))
    (video(root, "s3_fear_1") / f"{LENGTH:05d}.jpg").write_bytes(b"no image")


def folder(root):
    video(root, "s3_fear_1").unlink()
    write_images(video(root, "s3_fear_1"), scene(3))


def with_a_preview(root):
    folder(root)
    write_images(video(root, "s3_fear_1"), scene(4)[:1], name="preview {}.webp")
    relabel(root, "s3_fear_1", num_frames=str(LENGTH + 1))


def joined(root):
    """Two pieces of a transport stream in one file."""
    pieces = []
    for seed in (3, 4):
        ffmpeg("-i", video(root, f"s{seed}_sad_0"), "-c", "copy", root / "piece.ts")
        pieces.append((root / "piece.ts").read_bytes())
    (root / "videos" / "s3_fear_1.ts").write_bytes(b"".join(pieces))
    relabel(root, "s3_fear_1", path="videos/s3_fear_1.ts", num_frames=str(2 * LENGTH))


def linked(root):
    """Its owner has laid a video on another disk."""
    disk = root.parent / "other disk"
    disk.mkdir()
    shutil.move(video(root, "s3_fear_1"), disk / "fear.mp4")
    video(root, "s3_fear_1").symlink_to(disk / "fear.mp4")


def promising(root):
    """A header that states more frames than memory can hold; decord would take it at its word."""
    content = video(root, "s3_fear_1").read_bytes()
    place = content.index(b"stts") + 12
    video(root, "s3_fear_1").write_bytes(content[:place] + b"\x7f\xff\xff\xff" + content[place + 4 :])


def hangs(root):
    folder(root)
    (video(root, "s3_fear_1") / "00003.jpg").unlink()
    os.mkfifo(video(root, "s3_fear_1") / "00003.jpg")  # opening it waits for somebody to write


def fifo_for_a_video(root):
    video(root, "s3_fear_1").unlink()
    os.mkfifo(video(root, "s3_fear_1"))


def other_count(root):
    relabel(root, "s3_fear_1", num_frames="21")


def cut_avi(root):
    """An AVI file whose header promises more than it holds, and that opens all the same."""
    avi = root / "videos" / "s3_fear_1.avi"
    write_video(avi, scene(3, 60))
    avi.write_bytes(avi.read_bytes()[: avi.stat().st_size * 7 // 10])
    relabel(root, "s3_fear_1", path="videos/s3_fear_1.avi", num_frames="-1")


def short(root):
    write_video(video(root, "s3_fear_1"), scene(3, 9))
    relabel(root, "s3_fear_1", num_frames="9")


def grey(root):
    write_video(video(root, "s3_fear_1"), scene(3) * 0 + 90)


def copied(of):
    def spoil(root):
        shutil.copy(video(root, of), video(root, "s3_fear_1"))

    return spoil


def encoded_again(of):
    def spoil(root):
        seed = int(of[1]) * 100 + 10 * ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear").index(
            of.split("_")[1]
        )
        write_video(video(root, "s3_fear_1"), scene(seed + int(of[-1]))[:, ::2, ::2], crf="35")

    return spoil


def faceless(root):
    rows = [["s3_fear_1", "videos/s3_fear_1.mp4", LENGTH, 0], ["s3_fear_0", "videos/s3_fear_0.mp4", LENGTH, 15]]
    write_csv(root / "videos" / "faces.csv", "name,path,num_frames,num_faces", rows)
