"""The checks of metrics can fail: metrics with a planted fault break the promise that they should."""

import pytest
from helpers.contracts import assert_kept, broken
from mmengine.evaluator import BaseMetric

from cefl_bench.contracts.metrics import examine_metric

NAME, NUMBERS = "scores stand under its own name", "scores are numbers"
BETTER = "right predictions score better than wrong ones"


class Accuracy(BaseMetric):
    """The share of right predictions."""

    default_prefix = "accuracy"

    def process(self, data_batch, data_samples):
        self.results += [sample["scores"].argmax().item() == sample["label"] for sample in data_samples]

    def compute_metrics(self, results):
        return {"share": sum(results) / len(results)}


class Errors(Accuracy):
    """A metric of which a low value is good."""

    default_prefix, higher_is_better = "errors", False

    def compute_metrics(self, results):
        return {"share": 1 - sum(results) / len(results)}


class SaysNotThatLowIsGood(Errors):
    higher_is_better = True


class AlwaysTheSame(Accuracy):
    def compute_metrics(self, results):
        return {"share": 0.5}


class WithoutAName(Accuracy):
    default_prefix = None


class OfAnotherKind(Accuracy):
    def compute_metrics(self, results):
        return {"share": sum(results) / len(results), "number": len(results)}


class GivesNothing(Accuracy):
    def compute_metrics(self, results):
        return {}


@pytest.mark.parametrize("cls", [Accuracy, Errors])
def test_a_good_metric_passes(cls):
    assert_kept(examine_metric(cls.__name__, cls, num_classes=4))


@pytest.mark.parametrize(
    ("cls", "reasons"),
    [
        (SaysNotThatLowIsGood, {BETTER: "expected the higher one where all is right, as higher_is_better is True"}),
        (AlwaysTheSame, {BETTER: "gives accuracy/share 0.5 where all is right and 0.5 where all is wrong"}),
        (WithoutAName, {NAME: "has no default_prefix"}),
        (OfAnotherKind, {NUMBERS: "accuracy/number as int: expected a float"}),
        (GivesNothing, {NAME: "gives no score", BETTER: "gives no score"}),
    ],
)
def test_a_faulty_metric_breaks_that_promise_and_no_other(cls, reasons):
    found = broken(examine_metric(cls.__name__, cls, num_classes=4))
    assert set(found) == set(reasons)
    assert all(reason in found[promise] for promise, reason in reasons.items()), found
