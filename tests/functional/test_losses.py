"""Losses against torch's own, numbers worked out by hand, and facts that hold for every batch."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

from cefl_bench.datasets.dfew import DFEW
from cefl_bench.errors import UserError
from cefl_bench.functional.loss_options import (
    balanced_weights,
    check_loss_options,
    losses_in_words,
    with_class_weights,
)
from cefl_bench.functional.losses import ec_stfl_loss, focal_loss, intensity_aware_loss

LABEL = torch.tensor([0, 2, 2, 1, 0, 3])
"""Four classes, one of them once, two twice."""


@pytest.fixture
def scores():
    return torch.randn(len(LABEL), 4, dtype=torch.float64)


@pytest.fixture
def features():
    return torch.randn(len(LABEL), 5, dtype=torch.float64)


def test_focal_loss_by_hand():
    """Probabilities of the right class: 3/4 and 1/4."""
    scores = torch.tensor([[math.log(3), 0.0], [math.log(3), 0.0]])
    label = torch.tensor([0, 1])
    each = (1 / 16 * math.log(4 / 3), 9 / 16 * math.log(4))
    assert focal_loss(scores, label, 2).item() == pytest.approx(sum(each) / 2)
    weighed = focal_loss(scores, label, 2, torch.tensor([1.0, 3.0])).item()
    assert weighed == pytest.approx((each[0] + 3 * each[1]) / 4)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 2.0, 7.0], dtype=torch.float64)])
def test_focal_loss_without_focus_is_the_cross_entropy(scores, weights):
    torch.testing.assert_close(focal_loss(scores, LABEL, 0.0, weights), F.cross_entropy(scores, LABEL, weights))


def test_intensity_aware_loss_by_hand():
    """The right score is 1 above the highest wrong one, then 1.5 below it."""
    scores = torch.tensor([[2.0, 1.0, 0.5], [2.0, 1.0, 0.5]])
    found = intensity_aware_loss(scores, torch.tensor([0, 2])).item()
    assert found == pytest.approx((math.log(1 + math.exp(-1)) + math.log(1 + math.exp(1.5))) / 2)


def test_intensity_aware_loss_is_the_cross_entropy_of_two_classes(scores):
    pairs = []
    for row, label in zip(scores, LABEL.tolist(), strict=True):
        wrong = max(score for k, score in enumerate(row.tolist()) if k != label)
        pairs.append([row[label].item(), wrong])
    expected = F.cross_entropy(torch.tensor(pairs, dtype=torch.float64), torch.zeros(len(LABEL), dtype=torch.int64))
    torch.testing.assert_close(intensity_aware_loss(scores, LABEL), expected)
    torch.testing.assert_close(
        intensity_aware_loss(scores[:, :2], LABEL % 2), F.cross_entropy(scores[:, :2], LABEL % 2)
    )


def test_ec_stfl_loss_by_hand():
    """On a line, class 0 at 0 and 3, class 1 at 10. Within: 3/2 twice. Between: (10 + 7) / 1 and (10 + 7) / 2."""
    found = ec_stfl_loss(torch.tensor([[0.0], [3.0], [10.0]]), torch.tensor([0, 0, 1]))
    assert found.item() == pytest.approx(3 / 25.5)


def test_ec_stfl_loss_does_not_depend_on_scale_place_or_order(features):
    expected = ec_stfl_loss(features, LABEL)
    torch.testing.assert_close(ec_stfl_loss(7 * features + 3, LABEL), expected)
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    torch.testing.assert_close(ec_stfl_loss(features[order], LABEL[order]), expected)
    torch.testing.assert_close(ec_stfl_loss(features, 3 - LABEL), expected)


def test_ec_stfl_loss_falls_as_classes_move_apart(features):
    centres = 10 * torch.eye(4, 5, dtype=torch.float64)[LABEL]
    losses = [ec_stfl_loss(features + away * centres, LABEL).item() for away in (0, 1, 2, 4)]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] / 4


@pytest.mark.parametrize(
    ("label", "expected"),
    [([1, 1, 1, 1, 1, 1], 0.0), ([0, 1, 2, 3, 4, 5], 0.0)],
    ids=["one class", "no class twice"],
)
def test_ec_stfl_loss_of_a_batch_without_pairs_is_0_and_can_be_trained_on(label, expected, features):
    features.requires_grad_()
    loss = ec_stfl_loss(features, torch.tensor(label))
    loss.backward()
    assert loss.item() == expected and not features.grad.any()


@pytest.mark.parametrize("features", [torch.zeros(6, 5), torch.ones(6, 5)])
def test_features_that_are_all_the_same_have_gradients_that_are_numbers(features):
    features.requires_grad_()
    loss = ec_stfl_loss(features, LABEL)
    loss.backward()
    assert loss.item() == 0 and features.grad.isfinite().all()


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_a_score_that_is_sure_has_a_gradient_that_is_a_number(gamma):
    scores = torch.tensor([[200.0, 0.0], [200.0, 0.0]], requires_grad=True)
    focal_loss(scores, torch.tensor([0, 1]), gamma).backward()
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize(
    "loss",
    [
        lambda values: focal_loss(values, LABEL, 2.0),
        lambda values: focal_loss(values, LABEL, 0.5, torch.tensor([1.0, 2.0, 3.0, 4.0])),
        lambda values: intensity_aware_loss(values, LABEL),
        lambda values: ec_stfl_loss(values, LABEL),
    ],
    ids=["focal", "focal, weighed", "intensity-aware", "EC-STFL"],
)
def test_gradients_are_those_of_small_differences(loss, scores):
    assert gradcheck(loss, scores.requires_grad_())


@pytest.mark.parametrize("loss", [intensity_aware_loss, ec_stfl_loss, partial(focal_loss, gamma=2.0)])
def test_half_precision_is_added_up_in_float32(loss, scores):
    half = scores.to(torch.bfloat16)
    assert loss(half, LABEL).dtype == torch.float32
    torch.testing.assert_close(loss(half, LABEL), loss(half.float(), LABEL))


def test_balanced_weights_of_dfew():
    """Worked out from the 11,697 clips of DFEW's table; disgust has 145 of them."""
    weights = balanced_weights(DFEW.METAINFO["class_counts"]["all"])
    assert weights == pytest.approx([0.68, 0.88, 0.63, 0.77, 1.14, 11.52, 1.85], abs=0.005)


def test_balanced_classes_weigh_the_same_and_all_together_as_before():
    counts = [1, 9, 0, 2]
    shares = [count * weight for count, weight in zip(counts, balanced_weights(counts), strict=True)]
    assert shares == pytest.approx([4, 4, 0, 4])


def test_only_balanced_weights_are_put_in():
    assert with_class_weights({"class_weights": "balanced", "dropout": 0.1}, [1, 3]) == {
        "class_weights": [2.0, pytest.approx(2 / 3)],
        "dropout": 0.1,
    }
    for head in ({}, {"class_weights": None}, {"class_weights": [1.0, 2.0]}):
        assert with_class_weights(head, [1, 3]) is head


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"label_smothing": 0.1},
            "there is no 'label_smothing': expected an argument of its own, or one of ",
        ),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0: expected 0 to below 1"),
        ({"label_smoothing": -0.1}, "label_smoothing is -0.1: expected a number from 0"),
        ({"focal_gamma": math.nan}, "focal_gamma is nan: expected a number from 0"),
        ({"ial_weight": True}, "ial_weight is True: expected a number from 0"),
        ({"ec_stfl_weight": "10"}, "ec_stfl_weight is '10': expected a number from 0"),
        (
            {"class_weights": "even"},
            "class_weights is 'even': expected 3 numbers above 0, one for each class",
        ),
        ({"class_weights": [1.0, 2.0]}, "expected 3 numbers above 0"),
        ({"class_weights": [1.0, 2.0, 0.0]}, "expected 3 numbers above 0"),
        ({"label_smoothing": 0.1, "focal_gamma": 2.0}, "are both set: expected one"),
    ],
    ids=str,
)
def test_an_option_that_is_wrong_is_named(options, message):
    with pytest.raises(UserError) as error:
        check_loss_options(options, 3, "LinearHead")
    assert str(error.value).startswith("LinearHead: ") and message in str(error.value)


def test_options_in_words():
    assert list(losses_in_words({"dropout": 0.5, "label_smoothing": 0.0, "class_weights": None})) == []
    options = {"label_smoothing": 0.1, "class_weights": "balanced", "ial_weight": 0.1, "ec_stfl_weight": 10.0}
    assert list(losses_in_words(options)) == [
        "label smoothing 0.1",
        "balanced class weights",
        "IAL x 0.1",
        "EC-STFL x 10",
    ]
    assert list(losses_in_words({"class_weights": [1, 2.5], "focal_gamma": 2})) == [
        "class weights of its own",
        "focal loss, gamma 2",
    ]
