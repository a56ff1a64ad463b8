"""Every registered head takes the options of the loss, and gives what torch gives for them."""

import functools

import pytest
import torch
import torch.nn.functional as F
from helpers.contracts import assert_kept
from helpers.run import SYNTHETIC, TINY

from cefl_bench.commands.facts import video_shape
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.contracts.configs import examine_model
from cefl_bench.contracts.parts import examine_head
from cefl_bench.cost.workload import Workload
from cefl_bench.errors import UserError
from cefl_bench.functional.losses import ec_stfl_loss, focal_loss, intensity_aware_loss
from cefl_bench.models.heads.base import Head
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.registry import MODELS, registered

WEIGHTS = [0.5, 1.0, 2.0, 4.0, 1.0, 3.0, 0.1]
ALL = dict(class_weights=WEIGHTS, focal_gamma=2.0, ial_weight=0.1, ec_stfl_weight=10.0)
HEADS = registered(MODELS, Head).values()
FEATURE, LABEL = torch.randn(14, 24, generator=torch.Generator().manual_seed(0)), torch.arange(7).repeat(2)


def losses_of(cls, **options):
    torch.manual_seed(0)
    head = cls(**cls.tiny, in_dim=24, num_classes=7, **options).eval()
    return head, head.loss(FEATURE, LABEL)


@pytest.mark.parametrize("cls", HEADS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, F.cross_entropy),
        ({"class_weights": [1, 2, 3, 4, 5, 6, 7]}, functools.partial(F.cross_entropy, weight=torch.arange(1.0, 8.0))),
        ({"label_smoothing": 0.2}, functools.partial(F.cross_entropy, label_smoothing=0.2)),
        ({"class_weights": WEIGHTS}, functools.partial(F.cross_entropy, weight=torch.tensor(WEIGHTS))),
        (
            {"class_weights": WEIGHTS, "label_smoothing": 0.1},
            functools.partial(F.cross_entropy, weight=torch.tensor(WEIGHTS), label_smoothing=0.1),
        ),
        (
            {"class_weights": WEIGHTS, "focal_gamma": 2.0},
            functools.partial(focal_loss, gamma=2.0, weight_K=torch.tensor(WEIGHTS)),
        ),
    ],
    ids=["plain", "weights 1..7", "smoothing", "weights", "weights and smoothing", "focal"],
)
def test_the_loss_of_the_classes_is_torchs(cls, options, expected):
    head, losses = losses_of(cls, **options)
    assert list(losses) == ["loss_class"]
    torch.testing.assert_close(losses["loss_class"], expected(head(FEATURE), LABEL))


@pytest.mark.parametrize("cls", HEADS, ids=lambda cls: cls.__name__)
def test_losses_that_are_added_have_their_factor_and_leave_the_others_alone(cls):
    head, losses = losses_of(cls, ial_weight=0.1, ec_stfl_weight=10.0)
    assert list(losses) == ["loss_class", "loss_ial", "loss_ec_stfl"]
    torch.testing.assert_close(losses["loss_class"], F.cross_entropy(head(FEATURE), LABEL))
    torch.testing.assert_close(losses["loss_ial"], 0.1 * intensity_aware_loss(head(FEATURE), LABEL))
    torch.testing.assert_close(losses["loss_ec_stfl"], 10 * ec_stfl_loss(FEATURE, LABEL))


@pytest.mark.parametrize("cls", HEADS, ids=lambda cls: cls.__name__)
def test_a_head_with_all_options_keeps_its_contract_and_its_weights(cls):
    build = functools.partial(cls, **cls.tiny, in_dim=24, num_classes=7, **ALL)
    assert_kept(examine_head(cls.__name__, build, in_dim=24, num_classes=7))
    plain, _ = losses_of(cls)
    assert build().state_dict().keys() == plain.state_dict().keys(), "a checkpoint fits whatever the loss is"


def test_weights_that_nobody_has_counted_are_never_taken_for_even_ones():
    head = LinearHead(24, 7, class_weights="balanced")
    assert head(FEATURE).shape == (14, 7), "a test needs no weights"
    with pytest.raises(UserError, match="class_weights is 'balanced', and nobody has counted"):
        head.loss(FEATURE, LABEL)


def test_a_misspelt_option_is_an_error():
    with pytest.raises(UserError, match="LinearHead: there is no 'label_smothing'"):
        LinearHead(24, 7, label_smothing=0.1)


def test_a_model_whose_weights_are_to_be_counted_can_be_timed_and_checked():
    config = load_config(SYNTHETIC, parse_options([*TINY, "model.head.class_weights=balanced"]))
    _, shape = video_shape(config)
    Workload(config, shape, frame_size=40, device=torch.device("cpu")).training(2)()
    assert_kept(examine_model(config))


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"class_weights": WEIGHTS}], ids=str)
def test_soft_labels_of_one_class_are_that_class_and_of_two_lie_between(options):
    torch.manual_seed(0)
    head = LinearHead(in_dim=24, num_classes=7, **options)
    head.check_soft_labels()
    other = LABEL.roll(1)
    (hard,), (partner,) = head.loss(FEATURE, LABEL).values(), head.loss(FEATURE, other).values()
    one, two = F.one_hot(LABEL, 7).float(), F.one_hot(other, 7).float()
    torch.testing.assert_close(head.loss(FEATURE, one)["loss_class"], hard)
    mixed = head.loss(FEATURE, 0.7 * one + 0.3 * two)["loss_class"]
    torch.testing.assert_close(mixed, 0.7 * hard + 0.3 * partner)


@pytest.mark.parametrize("name", ["focal_gamma", "ial_weight", "ec_stfl_weight"])
def test_a_loss_of_one_class_and_mixed_videos_are_refused_together(name):
    config = load_config(SYNTHETIC, parse_options(TINY) | {f"model.head.{name}": 1.0})
    preprocessor = config.data_preprocessor | {"mix": {}}
    with pytest.raises(UserError, match=f"MLPHead: {name} takes one class a video, and data_preprocessor.mix gives"):
        MODELS.build(config.model | {"data_preprocessor": preprocessor})
