"""Reading real files: exact frames, odd sizes, and broken, empty and truncated ones named in the error."""

import numpy as np
import pytest
from helpers.trees import moving_square, synthetic_tree, write_images, write_video

from cefl_bench.datasets.synthetic_faces import SyntheticFaces
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.transforms.decord_frames import REFUSED_SIZES
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ImageFrames, ReadVideo, VideoFrames
from cefl_bench.transforms.sample_clips import SampleClips


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A video of 20 frames whose index is written in the file that moov-first players want."""
    path = tmp_path_factory.mktemp("video") / "square.mp4"
    write_video(path, moving_square(20, label=3, size=112), movflags="faststart")
    return path


def column(frame):
    """Centre of the moving square, 0..1 of the width."""
    weight = frame[round(0.1 * len(frame)) : round(0.19 * len(frame))].astype(float).sum(axis=(0, 2))
    weight = np.clip(weight - np.median(weight) - 60, 0, None)
    return (np.arange(len(weight)) * weight).sum() / weight.sum() / len(weight)


@pytest.mark.parametrize("size", [56, 64, 112, *sorted(size for size in REFUSED_SIZES if size > 16)])
def test_frames_are_the_asked_ones_at_every_size(video, size):
    frames = VideoFrames(str(video), size)
    fetched = frames.fetch(np.array([19, 0, 10, 10]))
    assert fetched.shape == (4, size, size, 3) and fetched.dtype == np.uint8
    expected = [(index / 19 * 96 + 7.5) / 112 for index in (19, 0, 10, 10)]
    np.testing.assert_allclose([column(frame) for frame in fetched], expected, atol=0.03)


def test_frames_equal_those_of_another_decoder(video):
    import av

    with av.open(str(video)) as container:
        truth = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    ours = VideoFrames(str(video), 112).fetch(np.arange(20))
    assert np.abs(ours.astype(int) - truth).max() <= 3


def test_images_come_in_the_order_of_their_names(tmp_path):
    truth = moving_square(12, label=1, size=64)
    write_images(tmp_path, truth)
    frames = ImageFrames(str(tmp_path), 64)
    assert len(frames) == 12
    error = np.abs(frames.fetch(np.array([11, 0])).astype(int) - truth[[11, 0]])
    assert error.mean() < 3, "more than what JPEG loses"


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.1, 0.5, 0.9])
def test_a_truncated_video_names_itself(video, tmp_path, kept):
    broken = tmp_path / "broken clip.mp4"
    content = video.read_bytes()
    broken.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(UserError) as error:
        VideoFrames(str(broken), 64, listed_frames=20).fetch(np.arange(20))
    assert "broken clip.mp4" in str(error.value) and "\n" not in str(error.value)


def test_files_that_are_no_videos_name_themselves(tmp_path):
    (tmp_path / "text.mp4").write_text("this is not a video")
    for name in ("text.mp4", "missing.mp4"):
        with pytest.raises(UserError, match=name):
            VideoFrames(str(tmp_path / name), 64)


def test_broken_images_and_empty_folders_name_themselves(tmp_path):
    write_images(tmp_path / "clip", moving_square(3, label=1))
    (tmp_path / "clip" / "00002.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"00002\.jpg"):
        ImageFrames(str(tmp_path / "clip"), 32).fetch(np.array([0, 1]))
    (tmp_path / "clip" / "00002.jpg").write_bytes(b"no image at all")
    with pytest.raises(UserError, match=r"00002\.jpg"):
        ImageFrames(str(tmp_path / "clip"), 32).fetch(np.array([0, 1]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty is empty: expected images"):
        ImageFrames(str(tmp_path / "empty"), 32)


def test_a_frame_count_that_is_not_the_listed_one_is_an_error(video):
    with pytest.raises(UserError, match="has 20 frames but the list says 25"):
        VideoFrames(str(video), 64, listed_frames=25)


@pytest.mark.parametrize("path", ["../outside.mp4", "/etc/passwd", "a/../../b.mp4"])
def test_a_list_cannot_leave_the_data_root(tmp_path, path):
    with pytest.raises(UserError, match="leaves the data root"):
        inside(tmp_path, path)


def faces(root, split, on_error):
    pipeline = [dict(type=ReadVideo, size=40), dict(type=SampleClips), dict(type=Pack)]
    return SyntheticFaces(data_root=str(root), split=split, pipeline=pipeline, on_error=on_error)


@pytest.fixture
def broken_tree(tmp_path):
    """A synthetic tree with one broken video in the test fold and one in the training folds."""
    synthetic_tree(tmp_path, per_class=1)
    for name in ("s1_sad_0", "s2_sad_0"):
        (tmp_path / "videos" / f"{name}.mp4").write_bytes(b"broken")
    return tmp_path


def test_a_broken_video_stops_by_default(broken_tree):
    with pytest.raises(UserError, match="s1_sad_0"):
        list(faces(broken_tree, "test", "raise"))


def test_skipping_keeps_the_test_set_whole_and_marks_the_clip(broken_tree):
    samples = list(faces(broken_tree, "test", "skip"))
    assert len(samples) == 7
    broken = [sample for sample in samples if sample["unreadable"]]
    assert [(sample["name"], sample["label"]) for sample in broken] == [("s1_sad_0", 1)]
    assert "s1_sad_0.mp4" in broken[0]["unreadable"] and not broken[0]["video"].any()


def test_a_skipped_clip_keeps_its_own_subject(broken_tree):
    dataset = faces(broken_tree, "test", "skip")
    people = [f"person {index}" for index in range(len(dataset))]
    dataset.get_data_info = lambda index, entry=dataset.get_data_info: entry(index) | {"subject": people[index]}
    assert [sample["subject"] for sample in dataset] == people


def test_skipping_trains_on_another_video_in_its_place(broken_tree):
    dataset = faces(broken_tree, "train", "skip")
    names = [dataset.get_data_info(index)["name"] for index in range(len(dataset))]
    place = names.index("s2_sad_0")
    sample = dataset[place]
    assert sample["name"] == names[place + 1] and "s2_sad_0.mp4" in sample["unreadable"]
    assert sample["video"].any()


def test_randomness_follows_from_seed_epoch_and_index_alone(broken_tree):
    one, other = (faces(broken_tree, "train", "skip") for _ in range(2))
    one.set_epoch(seed=1, epoch=4)
    other[3], other[5]  # other draws before
    other.set_epoch(seed=1, epoch=4)
    assert (one[6]["frame_indices"] == other[6]["frame_indices"]).all() and one[6]["seed"] == other[6]["seed"]
    other.set_epoch(seed=1, epoch=5)
    assert one[6]["seed"] != other[6]["seed"]


def test_true_intensity_and_apex_come_along(broken_tree):
    sample = next(sample for sample in faces(broken_tree, "test", "skip") if sample["name"] == "s1_happy_0")
    expected = np.clip(1 - np.abs(sample["frame_indices"] - 10) / 8, 0, 1)
    np.testing.assert_allclose(sample["frame_intensity"], expected, atol=1e-3)
    assert sample["apex"].tolist() == [8, 13]


def test_shuffled_labels_keep_their_counts(broken_tree):
    true = faces(broken_tree, "train", "skip")
    shuffled = SyntheticFaces(data_root=str(broken_tree), split="train", shuffle_labels=True)
    labels = [[d.get_data_info(i)["label"] for i in range(len(d))] for d in (true, shuffled)]
    assert sorted(labels[0]) == sorted(labels[1]) and labels[0] != labels[1]
