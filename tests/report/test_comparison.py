"""Which methods can be told apart: simulated answers, of which the truth is known."""

import numpy as np
import pytest
from helpers.simulated import CLASSES, Corpus, answer

from cefl_bench.errors import UserError
from cefl_bench.report.collect import Run
from cefl_bench.report.comparison import Answers, Clips, compare
from cefl_bench.runs.predictions import Predictions

FIVE_FOLDS = Corpus(clips=140)
"""700 clips."""


def runs(name, war, stream, corpus=FIVE_FOLDS, seeds=(0,), folds=None, shift=None) -> list[Run]:
    """The runs of a method; `shift(fold, seed)` moves what a run would reach on infinitely many clips."""
    made = []
    for fold in folds or corpus.folds:
        names, label, people, hard = corpus.of(fold)
        for seed in seeds:
            moved = war + (shift(fold, seed) if shift else 0)
            pred = answer(label, hard, moved, stream, fold, seed or 0).argmax(1)
            who = people if all(people) else None
            predictions = Predictions(names, label, pred, None, len(CLASSES), who)
            made.append(Run(name, fold, seed, predictions, {"dataset": corpus.name}, None))
    return made


def compared(*methods: list[Run]):
    clips = Clips([run for of_method in methods for run in of_method], len(CLASSES))
    return compare([of_method[0].method for of_method in methods], [Answers(part, clips) for part in methods])


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


def found(stream, gap, **options) -> bool:
    (pair,), _ = compared(runs("a", 0.6 + gap, 2 * stream, **options), runs("b", 0.6, 2 * stream + 1, **options))
    return pair["different"]


def test_the_same_predictions_under_two_names_are_no_difference():
    pairs, ranks = compared(runs("a", 0.6, 0), runs("b", 0.6, 0), runs("c", 0.35, 1))
    same = pairs[0]
    assert same["war_difference"] == 0 and same["interval"] == [0, 0] and same["uar_interval"] == [0, 0]
    assert same["mcnemar_p"] == same["p_holm"] == 1 and not same["different"]
    assert ranks == [(1, 2), (1, 2), (3, 3)]


def test_five_points_more_on_700_clips_are_a_difference():
    """Of the answers of both methods about three in four agree; see the power below."""
    (pair,), ranks = compared(runs("a", 0.65, 2), runs("b", 0.60, 3))
    assert pair["clips"] == 700 and pair["different"] and ranks == [(1, 1), (2, 2)]
    assert pair["interval"][0] > 0 and pair["p_holm"] < 0.05


def test_power_and_false_alarms():
    assert np.mean([found(stream, 0.05) for stream in range(60)]) > 0.55
    assert np.mean([found(stream, 0.0) for stream in range(60)]) <= 0.05


def test_seeds_that_come_out_better_or_worse_as_a_whole_are_no_difference():
    """Two equal methods whose runs differ by more than chance on single clips would: McNemar alone is fooled."""
    corpus, alarms, fooled = Corpus(clips=600), [], []
    for trial in range(40):
        rng = np.random.default_rng(trial)
        moves = {}

        def shift(fold, seed, rng=rng, moves=moves):
            return moves.setdefault((fold, seed, len(moves)), rng.normal(0, 0.04))

        a, b = (runs(n, 0.6, 2 * trial + k, corpus, (0, 1, 2), shift=shift) for k, n in enumerate("ab"))
        (pair,), _ = compared(a, b)
        alarms.append(pair["different"])
        (single,), _ = compared(*([run for run in of if run.seed == 0] for of in (a, b)))
        fooled.append(single["different"])
    assert np.mean(alarms) <= 0.05 and np.mean(fooled) > 0.15


def test_clips_of_few_people_count_for_less():
    """With 4 people per fold the interval is wider than McNemar's test knows."""
    wide, narrow = Corpus(clips=140, subjects=4), FIVE_FOLDS
    spans = []
    for corpus in (wide, narrow):
        clips = Clips(runs("a", 0.6, 0, corpus), len(CLASSES))
        scores = Answers(runs("a", 0.6, 0, corpus), clips).scores()
        spans.append(np.ptp(scores["interval"]["war"]))
        assert scores["resampled_by"] == ("subject" if corpus is wide else "clip")
    assert spans[0] > 1.4 * spans[1]


def across(name, war, stream, folds=10) -> list[Run]:
    """The models of all folds of one corpus, each tested on the same 400 clips of another one."""
    names, label, _, hard = Corpus(clips=400).of(1)
    answers = {fold: answer(label, hard, war, stream, 1, seed=fold).argmax(1) for fold in range(1, folds + 1)}
    return [
        Run(name, fold, 0, Predictions(names, label, pred, None, len(CLASSES)), {"dataset": "A -> B"}, None)
        for fold, pred in answers.items()
    ]


def test_models_of_all_folds_on_the_same_clips_are_no_further_clips():
    alarms, finds = [], []
    for trial in range(12):
        (pair,), _ = compared(across("a", 0.6, 2 * trial), across("b", 0.6, 2 * trial + 1))
        assert pair["clips"] == 400 and pair["folds"] == list(range(1, 11))
        alarms.append(pair["different"])
        finds.append(compared(across("a", 0.75, 2 * trial), across("b", 0.6, 2 * trial + 1))[0][0]["different"])
    assert np.mean(alarms) <= 0.05 and np.mean(finds) > 0.9
    spans = []
    for folds in (1, 10):
        made = across("a", 0.6, 0, folds)
        scores = Answers(made, Clips(made, len(CLASSES))).scores()
        assert scores["clips"] == 400 and scores["resampled_by"] == "clip"
        spans.append(np.ptp(scores["interval"]["war"]))
    assert spans[1] > 0.7 * spans[0], "ten models know little more of other clips than one does"


def test_folds_that_one_method_lacks_are_left_out_of_a_pair():
    pairs, ranks = compared(runs("a", 0.6, 0), runs("b", 0.4, 1, folds=(2, 4)), runs("c", 0.5, 2, folds=(1, 3)))
    assert [pair["folds"] for pair in pairs] == [[2, 4], [1, 3], []]
    assert [pair["clips"] for pair in pairs] == [280, 280, 0]
    nothing = pairs[2]
    assert nothing["mcnemar_p"] is None and nothing["p_holm"] is None and not nothing["different"]
    assert ranks[1][1] == 3 and ranks[2][1] == 3


def test_seeds_are_matched():
    one, other = runs("a", 0.6, 0, seeds=(0, 1)), runs("b", 0.5, 1, seeds=(1, 2))
    (pair,), _ = compared(one, other)
    (same,), _ = compared([run for run in one if run.seed == 1], [run for run in other if run.seed == 1])
    assert pair == same and pair["runs"] == 1
    (unmatched,), _ = compared([run for run in one if run.seed == 0], [run for run in other if run.seed == 2])
    assert unmatched["runs"] == 1 and unmatched["clips"] == 700


def test_predictions_of_other_code_meet_every_seed():
    ours, theirs = runs("a", 0.6, 0, seeds=(0, 1, 2)), runs("b", 0.6, 1, seeds=(None,))
    pairs = [compared(*order)[0][0] for order in ((ours, theirs), (theirs, ours))]
    assert [pair["runs"] for pair in pairs] == [3, 3]
    wars = [np.mean([np.mean(run.predictions.pred == run.predictions.label) for run in of]) for of in (ours, theirs)]
    assert pairs[0]["war_difference"] == pytest.approx(wars[0] - wars[1]) == pytest.approx(-pairs[1]["war_difference"])


@pytest.mark.parametrize("correct", [0, 1])
def test_a_single_clip_and_all_wrong_have_no_interval_to_tell(correct):
    predictions = [Predictions(["x"], np.array([1]), np.array([p]), None, 2) for p in (correct, 0)]
    made = [[Run(n, 1, 0, p, {"dataset": "d"}, None)] for n, p in zip("ab", predictions, strict=True)]
    clips = Clips([run for of in made for run in of], 2)
    (pair,), ranks = compare("ab", [Answers(of, clips) for of in made])
    assert pair["interval"] is None and not pair["different"] and ranks == [(1, 2)] * 2
    assert pair["war_difference"] == correct and pair["mcnemar_p"] == 1
    scores = Answers(made[0], clips).scores()
    assert scores["interval"] == {"uar": None, "war": None} and scores["recall"] == [None, correct]


@pytest.mark.parametrize(("first", "second", "different"), [(16, 6, False), (16, 5, True)], ids=["p 0.052", "p 0.027"])
def test_a_pair_needs_a_p_below_5_percent(first, second, different):
    one, other = one_sided(first, second)
    (pair,), _ = compared(by_hand("a", HALVES, one), by_hand("b", HALVES, other))
    assert pair["different"] == different and pair["interval"][0] > 0


def test_a_pair_among_many_needs_more_than_a_pair_alone():
    one, other = one_sided(11, 2)
    a, b, c = (by_hand(name, HALVES, hits) for name, hits in (("a", one), ("b", other), ("c", other)))
    (alone,), _ = compared(a, b)
    (among, *_), ranks = compared(a, b, c)
    assert alone["different"] and alone["p_holm"] == alone["mcnemar_p"] == among["mcnemar_p"]
    assert among["p_holm"] == pytest.approx(3 * alone["mcnemar_p"]) and not among["different"]
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
    made = [by_hand(name, HALVES, hits, people=people) for name, hits in (("a", one), ("b", other))]
    (pair,), _ = compared(*made)
    assert pair["p_holm"] < 0.05 and pair["different"] is different
    scores = Answers(made[1], Clips(made[1], 2)).scores()
    assert scores["resampled_by"] == by
    assert [part is None for part in (pair["interval"], scores["interval"]["war"])] == [len(set(people)) == 1] * 2


def test_people_that_are_known_in_one_fold_only_are_not_resampled():
    known, unknown = by_hand("a", [0, 1], [1, 0], people=["s1", "s2"]), by_hand("a", [0, 1], [1, 0], fold=2)
    assert Answers(known + unknown, Clips(known + unknown, 2)).scores()["resampled_by"] == "clip"


def test_a_clip_that_a_run_does_not_have_is_left_out_and_one_without_an_answer_is_wrong():
    label = [0, 0, 0, 1, 1, 1]
    a = by_hand("a", label, [1, 1, 1, 1, 0, 0], [None, 1, 1, 1, -1, 0])
    b = by_hand("b", label, [0, 0, 0, 1, 1, None], [0, 0, 0, 1, 1, 1])
    clips = Clips([*a, *b], 2)
    scores = Answers(a, clips).scores()
    assert scores["clips"] == 5 and scores["recall"] == [1, pytest.approx(1 / 3)]
    assert scores["pooled"] == {"uar": pytest.approx(2 / 3), "war": pytest.approx(3 / 5)}
    assert Answers(a, clips).confusion() == [[5, 0], [3, 2]]
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


def test_one_p_for_all_seeds_and_as_many_runs_as_every_fold_has():
    (one, other), (even, same) = one_sided(15, 2), one_sided(6, 6)
    a, b = by_hand("a", HALVES, one, even, one), by_hand("b", HALVES, other, same, other)
    (pair,), _ = compared(a, b)
    p = [compared([run], [rival])[0][0]["mcnemar_p"] for run, rival in zip(a, b, strict=True)]
    assert p[0] == p[2] < 0.01 and p[1] == 1
    assert pair["mcnemar_p"] == pytest.approx(1.5 * p[0]) and pair["runs"] == 3
    more = [by_hand(name, HALVES, hits, fold=2)[0] for name, hits in (("a", one), ("b", other))]
    (uneven,), _ = compared([*a, more[0]], [*b, more[1]])
    assert uneven["runs"] == 1 and uneven["clips"] == 200 and uneven["folds"] == [1, 2]


def test_runs_on_other_labels_cannot_be_compared():
    with pytest.raises(UserError, match="clip '1_0' of fold 1 has label 1, and 0 in another run: "):
        compared(by_hand("a", [0, 1], [1, 1]), by_hand("b", [1, 1], [1, 1]))
