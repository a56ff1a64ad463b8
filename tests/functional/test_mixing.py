"""Mixup and cutmix: drawn as the papers have it, and the same in any batch and any number of processes."""

import numpy as np
import pytest
import torch
from scipy.stats import beta, ks_2samp, kstest
from timm.data.mixup import rand_bbox

from cefl_bench.errors import UserError
from cefl_bench.functional.mixing import Mixing, soft_labels
from cefl_bench.models.preprocessor import VideoPreprocessor

SIZE = 40


def blend_of(count=4000, size=SIZE, **arguments):
    mixing = Mixing(**arguments)
    return mixing.draw(torch.arange(count), mixing.tables(), size)


@pytest.mark.parametrize("alpha", [0.2, 0.8, 1.0, 3.0])
def test_shares_of_mixup_are_those_of_its_distribution(alpha):
    blend = blend_of(mixup=alpha, cutmix=0)
    assert kstest(blend.share.numpy(), beta(alpha, alpha).cdf).pvalue > 1e-3
    assert torch.equal(blend.weight, blend.share[:, None, None].expand(-1, SIZE, SIZE)), "all pixels alike"


def test_boxes_of_cutmix_are_as_large_as_those_of_timm():
    blend = blend_of(mixup=0, cutmix=1.0)
    assert set(blend.weight.unique().tolist()) == {0, 1}
    torch.testing.assert_close(blend.share, blend.weight.mean(dim=(1, 2)))
    np.random.seed(0)
    theirs = []
    for share in np.random.beta(1, 1, 4000):
        top, bottom, left, right = rand_bbox((1, 3, SIZE, SIZE), share)
        theirs.append((bottom - top) * (right - left) / SIZE**2)
    assert ks_2samp(blend.share.numpy(), theirs).pvalue > 1e-3
    rows = blend.weight.amax(dim=2)
    centre = (rows * torch.arange(SIZE)).sum(dim=1) / rows.sum(dim=1)
    assert abs(np.nanmean(centre.numpy()) - (SIZE - 1) / 2) < 1, "as often above as below"


def test_how_often_videos_are_mixed_and_which_way():
    blend = blend_of(chance=0.25, cutmix_chance=0.2)
    is_mixed = blend.share > 0
    is_cut = is_mixed & (blend.weight.amax(dim=(1, 2)) == 1) & (blend.weight.amin(dim=(1, 2)) == 0)
    assert is_mixed.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert (is_cut.sum() / is_mixed.sum()).item() == pytest.approx(0.2, abs=0.04)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(3)
    video = torch.randint(0, 256, (8, 2, 3, SIZE, SIZE, 3), dtype=torch.uint8, generator=generator)
    return {"video": video, "label": torch.arange(8) % 7, "seed": torch.arange(8) + 11}


def rows(batch, which):
    return {name: values[which] for name, values in batch.items()}


def test_a_mixed_video_shows_itself_and_its_partner_as_its_label_says(batch):
    plain = VideoPreprocessor(size=SIZE, augment={})(dict(batch), training=True)["video"]
    mixed = VideoPreprocessor(size=SIZE, augment={}, mix={})(dict(batch), training=True)
    partner = torch.cat([plain[4:], plain[:4]])
    assert torch.equal(mixed["partner_label"], torch.cat([batch["label"][4:], batch["label"][:4]]))
    ways = set()
    for video, own, other, share in zip(mixed["video"], plain, partner, mixed["partner_share"], strict=True):
        if torch.allclose(video, own * (1 - share) + other * share, atol=1e-5):
            ways.add("mixup")
            continue
        from_partner = (video == other) & (video != own)
        assert torch.equal(torch.where(from_partner, other, own), video)
        assert (video != own).float().mean().item() == pytest.approx(share.item(), abs=0.01), "noise may be alike"
        ways.add("cutmix")
    assert ways == {"mixup", "cutmix"}
    tested = VideoPreprocessor(size=SIZE, mix={})(dict(batch), training=False)
    assert "partner_label" not in tested


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_mix_the_same_videos_as_one(batch, processes):
    preprocessor = VideoPreprocessor(size=SIZE, augment={}, mix={})
    whole = preprocessor(dict(batch), training=True)
    for rank in range(processes):  # as mmengine's sampler deals them out
        part = preprocessor(rows(batch, slice(rank, None, processes)), training=True)
        for name in ("video", "partner_label", "partner_share"):
            assert torch.equal(part[name], whole[name][rank::processes]), name


def test_soft_labels_are_shares():
    soft = soft_labels(torch.tensor([0, 2]), torch.tensor([1, 2]), torch.tensor([0.25, 0.5]), 3)
    assert soft.tolist() == [[0.75, 0.25, 0.0], [0.0, 0.0, 1.0]]


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        (dict(mixup=-1), "mix.mixup is -1.0: expected a number from 0"),
        (dict(chance=1.5), "mix.chance is 1.5: expected a number from 0 to 1"),
        (dict(mixup=0, cutmix=0), "neither mixup nor cutmix"),
        (dict(mixup="much"), "mix.mixup"),
        (dict(mixop=1), "mix has no 'mixop': expected mixup, cutmix"),
    ],
)
def test_values_out_of_range_are_refused(mix, message):
    with pytest.raises(UserError, match=message):
        VideoPreprocessor(size=8, mix=mix)
