"""Which methods can be told apart: simulated answers, of which the truth is known."""

import numpy as np
import pytest
from helpers.compared import compared
from helpers.simulated import CLASSES, Corpus, answer

from cefl_bench.report.clips import Clips, Predicted
from cefl_bench.report.collect import Run
from cefl_bench.report.comparison import method_scores
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


def found(stream, gap, **options) -> bool:
    (pair,), _ = compared(runs("a", 0.6 + gap, 2 * stream, **options), runs("b", 0.6, 2 * stream + 1, **options))
    return pair["different"]


def test_the_same_predictions_under_two_names_are_no_difference():
    pairs, ranks = compared(runs("a", 0.6, 0), runs("b", 0.6, 0), runs("c", 0.35, 1))
    same = pairs[0]
    assert same["war_difference"] == 0 and same["interval"] == [0, 0] and same["uar_interval"] == [0, 0]
    assert same["clip_p"] == same["p_holm"] == 1 and not same["different"]
    assert ranks == [(1, 2), (1, 2), (3, 3)]


def test_fifteen_points_more_in_all_of_five_folds_are_a_difference():
    """Of the answers of both methods about three in four agree; see the power below."""
    (pair,), ranks = compared(runs("a", 0.75, 2), runs("b", 0.60, 3))
    assert pair["clips"] == 700 and pair["different"] and ranks == [(1, 1), (2, 2)]
    assert pair["interval"][0] > 0 and pair["p_holm"] < 0.05


def test_power_and_false_alarms():
    assert np.mean([found(stream, 0.15) for stream in range(60)]) > 0.85
    assert np.mean([found(stream, 0.0) for stream in range(60)]) <= 0.05


def test_seeds_that_come_out_better_or_worse_as_a_whole_are_no_difference():
    """Two equal methods whose runs differ by more than chance on single clips would: McNemar's test is fooled."""
    corpus, alarms, fooled = Corpus(clips=600), [], []
    for trial in range(40):
        rng = np.random.default_rng(trial)
        moves = {}

        def shift(fold, seed, rng=rng, moves=moves):
            return moves.setdefault((fold, seed, len(moves)), rng.normal(0, 0.04))

        a, b = (runs(n, 0.6, 2 * trial + k, corpus, (0, 1, 2), shift=shift) for k, n in enumerate("ab"))
        (pair,), _ = compared(a, b)
        alarms.append(pair["different"])
        fooled.append(pair["clip_p"] < 0.05)
    assert np.mean(alarms) <= 0.05 and np.mean(fooled) > 0.15


def test_clips_of_few_people_count_for_less():
    """With 4 people per fold the interval is wider than McNemar's test knows."""
    wide, narrow = Corpus(clips=140, subjects=4), FIVE_FOLDS
    spans = []
    for corpus in (wide, narrow):
        clips = Clips(runs("a", 0.6, 0, corpus), len(CLASSES))
        scores = method_scores(Predicted(runs("a", 0.6, 0, corpus), clips))
        spans.append(np.ptp(scores["interval"]["war"]))
        assert scores["clustered_by"] == ("subject" if corpus is wide else "clip")
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
    for trial in range(40):
        (pair,), _ = compared(across("a", 0.6, 2 * trial), across("b", 0.6, 2 * trial + 1))
        assert pair["clips"] == 400 and pair["folds"] == list(range(1, 11))
        alarms.append(pair["different"])
        finds.append(compared(across("a", 0.75, 2 * trial), across("b", 0.6, 2 * trial + 1))[0][0]["different"])
    assert np.mean(alarms) <= 0.05 and np.mean(finds) > 0.9
    spans = []
    for folds in (1, 10):
        made = across("a", 0.6, 0, folds)
        scores = method_scores(Predicted(made, Clips(made, len(CLASSES))))
        assert scores["clips"] == 400 and scores["clustered_by"] == "clip"
        spans.append(np.ptp(scores["interval"]["war"]))
    assert spans[1] > 0.7 * spans[0], "ten models know little more of other clips than one does"


def test_models_of_all_folds_on_the_same_clips_are_as_many_trainings_of_one_fold():
    names, label = [f"{place}" for place in range(100)], np.tile((0, 1), 50)
    pred = np.tile(np.where(np.arange(100) < 60, label, 1 - label), (4, 1))
    pred[::2, 60:65], pred[1::2, 55:60] = label[60:65], 1 - label[55:60]  # whole runs come out better or worse
    scores = []
    for places in ([(fold, 0) for fold in range(1, 5)], [(1, seed) for seed in range(4)]):
        made = []
        for (fold, seed), of_run in zip(places, pred, strict=True):
            given = Predictions(names, label, of_run, None, 2)
            made.append(Run("a", fold, seed, given, {"dataset": "A -> B"}, None))
        scores.append(method_scores(Predicted(made, Clips(made, 2))))
    assert scores[0] == scores[1]
    clips_alone = method_scores(Predicted(made[:1], Clips(made[:1], 2)))["interval"]["war"]
    assert np.ptp(scores[0]["interval"]["war"]) > 1.2 * np.ptp(clips_alone)


def test_folds_that_one_method_lacks_are_left_out_of_a_pair():
    pairs, ranks = compared(runs("a", 0.6, 0), runs("b", 0.4, 1, folds=(2, 4)), runs("c", 0.5, 2, folds=(1, 3)))
    assert [pair["folds"] for pair in pairs] == [[2, 4], [1, 3], []]
    assert [pair["clips"] for pair in pairs] == [280, 280, 0]
    nothing = pairs[2]
    assert nothing["clip_p"] is None and nothing["p_holm"] is None and not nothing["different"]
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
