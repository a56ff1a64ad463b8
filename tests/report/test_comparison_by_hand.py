"""Which methods can be told apart: a few clips, of which everything can be counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.compared import compared
from sklearn.metrics import balanced_accuracy_score

from cefl_bench.errors import UserError
from cefl_bench.report.clips import Clips, Predicted
from cefl_bench.report.collect import Run
from cefl_bench.report.comparison import compare, method_scores
from cefl_bench.runs.predictions import Predictions


def by_hand(name, label, *hits_of_seed, fold=1, people=None) -> list[Run]:
    """A run per seed on one fold; hits are 1 for right, 0 for wrong, -1 for no answer, None for no such clip."""
    made = []
    for seed, hits in enumerate(hits_of_seed):
        have = [place for place, hit in enumerate(hits) if hit is not None]
        pred = [{1: label[place], 0: 1 - label[place], -1: -1}[hits[place]] for place in have]
        who = people and [people[place] for place in have]
        given = Predictions([f"{fold}_{place}" for place in have], np.array(label)[have], np.array(pred), None, 2, who)
        made.append(Run(name, fold, seed, given, {"dataset": "d"}, None))
    return made


def one_sided(first, second):
    """Hits of two methods on 100 clips: `first` clips are right by the one alone, `second` by the other alone."""
    both = [1] * (100 - first - second)
    return [1] * first + [0] * second + both, [0] * first + [1] * second + both


HALVES = [0, 1] * 50


def test_clips_that_are_numbered_anew_in_each_fold_are_as_many_as_they_are():
    rng = np.random.default_rng(4)
    label, pred = rng.integers(3, size=(2, 3, 40))
    label[1:, :5] = 0  # so that the folds differ in how many clips of a class they have
    names = [str(number) for number in range(40)]
    made = [
        Run("a", fold + 1, None, Predictions(names, label[fold], pred[fold], None, 3), {"dataset": "d"}, None)
        for fold in range(3)
    ]
    scores = method_scores(Predicted(made, Clips(made, 3)))
    assert scores["clips"] == 120 and scores["support"] == np.bincount(label.ravel()).tolist()
    assert scores["pooled"]["uar"] == pytest.approx(balanced_accuracy_score(label.ravel(), pred.ravel()))
    same = [replace(run, predictions=replace(run.predictions, label=label[0])) for run in made]
    scores = method_scores(Predicted(same, Clips(same, 3)))
    assert scores["clips"] == 40 and scores["support"] == np.bincount(label[0]).tolist(), "three models on one test set"


def test_predictions_of_other_code_are_one_training_however_many_seeds_they_meet():
    one, other = one_sided(30, 0)
    ours, theirs = by_hand("a", HALVES, one, one, one), by_hand("b", HALVES, other)
    alone = [replace(run, seed=None) for run in theirs]
    (pair,), ranks = compared(ours, alone)
    assert pair["runs"] == 3 and pair["training_p"] is None and pair["p_holm"] is None and not pair["different"]
    assert ranks == [(1, 1), None] and pair["clip_p"] < 1e-8


@pytest.mark.parametrize("correct", [0, 1])
def test_a_single_clip_and_all_wrong_have_no_interval_to_tell(correct):
    predictions = [Predictions(["x"], np.array([1]), np.array([p]), None, 2) for p in (correct, 0)]
    made = [[Run(n, 1, 0, p, {"dataset": "d"}, None)] for n, p in zip("ab", predictions, strict=True)]
    clips = Clips([run for of in made for run in of], 2)
    (pair,), ranks = compare("ab", [Predicted(of, clips) for of in made])
    assert pair["interval"] is None and not pair["different"] and ranks == [None] * 2
    assert pair["war_difference"] == correct and pair["clip_p"] == 1
    scores = method_scores(Predicted(made[0], clips))
    assert scores["interval"] == {"uar": None, "war": None} and scores["recall"] == [None, correct]


@pytest.mark.parametrize(("first", "second", "different"), [(16, 6, False), (16, 5, True)], ids=["p 0.052", "p 0.027"])
def test_a_pair_needs_a_p_below_5_percent(first, second, different):
    """Trainings that do exactly the same: the clips alone decide."""
    one, other = one_sided(first, second)
    (pair,), _ = compared(by_hand("a", HALVES, one, one), by_hand("b", HALVES, other, other))
    assert pair["different"] == different and pair["interval"][0] > 0 and pair["training_p"] == 0


def test_what_was_trained_once_is_described_and_not_ranked():
    one, other = one_sided(20, 0)
    many, once, far = by_hand("a", HALVES, one, one), by_hand("b", HALVES, other), by_hand("c", HALVES, other, other)
    pairs, ranks = compared(many, once, far)
    assert ranks == [(1, 1), None, (2, 2)] and [pair["different"] for pair in pairs] == [False, True, False]
    assert pairs[0]["clip_p"] < 1e-5 and pairs[0]["training_p"] is None and pairs[0]["p_holm"] is None
    assert pairs[0]["interval"][0] > 0.1, "it is described"
    assert pairs[1]["p_holm"] == pairs[1]["clip_p"], "a pair that is not judged costs the others nothing"


def test_one_seed_over_folds_is_ranked_by_the_spread_over_folds():
    """Three folds in which the first method is ahead by 30 clips of 100; in the last of the others it is behind."""
    ahead, behind = one_sided(30, 0), one_sided(0, 10)
    for last, different in ((ahead, True), (behind, False)):
        made = [[], []]
        for fold, hits in enumerate((ahead, ahead, last), 1):
            for method, of_method in enumerate(hits):
                made[method] += by_hand("ab"[method], HALVES, of_method, fold=fold)
        (pair,), ranks = compared(*made)
        assert pair["clip_p"] < 1e-4 and pair["different"] is different
        assert ranks == ([(1, 1), (2, 2)] if different else [(1, 2)] * 2)


def test_a_lead_that_rests_on_runs_that_collapsed_is_none():
    """One training of each of four folds, of which two of the second method learnt nothing: +16, +23, +52, -14."""
    made = [[], []]
    for fold, lead in enumerate((16, 23, 52, -14), 1):
        for method, hits in enumerate(one_sided(max(lead, 0), max(-lead, 0))):
            made[method] += by_hand("ab"[method], HALVES, hits, fold=fold)
    (pair,), ranks = compared(*made)
    assert pair["clip_p"] < 1e-6 and pair["training_p"] > 0.2 and not pair["different"] and ranks == [(1, 2)] * 2


def test_a_pair_among_many_needs_more_than_a_pair_alone():
    one, other = one_sided(11, 2)
    a, b, c = (by_hand(name, HALVES, hits, hits) for name, hits in (("a", one), ("b", other), ("c", other)))
    (alone,), _ = compared(a, b)
    (among, *_), ranks = compared(a, b, c)
    assert alone["different"] and alone["p_holm"] == alone["clip_p"] == among["clip_p"]
    assert among["p_holm"] == pytest.approx(3 * alone["clip_p"]) and not among["different"]
    assert among["interval"] == alone["interval"] and among["interval"][0] > 0 and ranks == [(1, 3)] * 3


@pytest.mark.parametrize(
    ("people", "different", "by"),
    [
        ([f"s{place // 10}" for place in range(100)], False, "subject"),
        ([f"s{place // 10}" for place in range(99)] + [""], True, "clip"),
        (["s0"] * 100, False, "subject"),
    ],
    ids=["ten people", "one clip of nobody", "one person"],
)
def test_what_one_person_alone_shows_is_no_difference(people, different, by):
    """All clips that only one method has right are of the first person."""
    one, other = one_sided(10, 0)
    made = [by_hand(name, HALVES, hits, hits, people=people) for name, hits in (("a", one), ("b", other))]
    (pair,), _ = compared(*made)
    assert pair["clip_p"] < 0.05 and pair["different"] is different and (pair["p_holm"] < 0.05) is different
    scores = method_scores(Predicted(made[1], Clips(made[1], 2)))
    assert scores["clustered_by"] == by
    assert [part is None for part in (pair["interval"], scores["interval"]["war"])] == [len(set(people)) == 1] * 2


def test_people_that_are_known_in_one_fold_only_are_not_resampled():
    known, unknown = by_hand("a", [0, 1], [1, 0], people=["s1", "s2"]), by_hand("a", [0, 1], [1, 0], fold=2)
    assert method_scores(Predicted(known + unknown, Clips(known + unknown, 2)))["clustered_by"] == "clip"


def test_a_clip_that_a_run_does_not_have_is_left_out_and_one_without_an_answer_is_wrong():
    label = [0, 0, 0, 1, 1, 1]
    a = by_hand("a", label, [1, 1, 1, 1, 0, 0], [None, 1, 1, 1, -1, 0])
    b = by_hand("b", label, [0, 0, 0, 1, 1, None], [0, 0, 0, 1, 1, 1])
    clips = Clips([*a, *b], 2)
    scores = method_scores(Predicted(a, clips))
    assert scores["clips"] == 5 and scores["recall"] == [1, pytest.approx(1 / 3)]
    assert scores["pooled"] == {"uar": pytest.approx(2 / 3), "war": pytest.approx(3 / 5)}
    assert Predicted(a, clips).confusion() == [[5, 0], [3, 2]]
    (pair,), _ = compared(a, b)
    assert pair["clips"] == 4 and pair["war_difference"] == pytest.approx(1 / 4) and pair["uar_difference"] == 0.25


def test_seeds_that_disagree_widen_each_measure_by_its_own_weights():
    """The rare class is right in one seed and wrong in the other: UAR moves by 50 points, WAR by 10."""
    label, common = [0] * 90 + [1] * 10, [1] * 90
    a = by_hand("a", label, common + [1] * 10, common + [0] * 10)
    b = by_hand("b", label, *[common + [0] * 9 + [1]] * 2)
    (pair,), _ = compared(a, b)
    assert pair["war_difference"] == pytest.approx(0.04) and pair["uar_difference"] == pytest.approx(0.2)
    t = 12.706  # of one degree of freedom
    half = [t * np.sqrt((step**2 / 2 - 10 * (step / 10) ** 2 / 2) / 2) for step in (0.1, 0.5)]
    for name, width in zip(("interval", "uar_interval"), half, strict=True):
        low, high = pair[name]
        assert width < (high - low) / 2 < 1.1 * width


def test_seeds_are_no_further_clips_and_all_of_every_fold_count():
    one, other = one_sided(15, 2)
    a, b = by_hand("a", HALVES, one, one, one), by_hand("b", HALVES, other, other, other)
    (pair,), _ = compared(a, b)
    (single,), _ = compared(a[:1], b[:1])
    assert pair["clip_p"] == pytest.approx(single["clip_p"]) and pair["runs"] == 3
    more = [by_hand(name, HALVES, hits, fold=2)[0] for name, hits in (("a", one), ("b", other))]
    (uneven,), _ = compared([*a, more[0]], [*b, more[1]])
    assert uneven["runs"] == 1 and uneven["clips"] == 200 and uneven["folds"] == [1, 2]
    b[2] = by_hand("b", HALVES, one, one, one)[2]  # not behind with this seed
    (uneven,), _ = compared([*a, more[0]], [*b, more[1]])
    assert uneven["war_difference"] == pytest.approx((2 / 3 * 0.13 + 0.13) / 2)
    # a clip of fold 1 differs in two of three runs, so its like in fold 2, in one run, weighs half as much again
    weights = [2] * 15 + [-2] * 2 + [3] * 15 + [-3] * 2
    assert uneven["clip_p"] == pytest.approx(exchanged(weights))


def exchanged(weights) -> float:
    """The share of all signs of some whole numbers with which their sum is as far from 0, counted out."""
    ways = {0: 1.0}
    for weight in weights:
        ways, before = {}, ways
        for total, share in before.items():
            for step in (weight, -weight):
                ways[total + step] = ways.get(total + step, 0.0) + share / 2
    return sum(share for total, share in ways.items() if abs(total) >= abs(sum(weights)))


def test_runs_on_other_labels_cannot_be_compared():
    with pytest.raises(UserError, match="clip '1_0' of fold 1 has label 1, and 0 in another run: "):
        compared(by_hand("a", [0, 1], [1, 1]), by_hand("b", [1, 1], [1, 1]))
