"""Localization on cases whose answer is known by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from cefl_bench.functional.clips import overlaps_apex, regroup
from cefl_bench.functional.localization import localization_scores

INDICES = np.arange(16)[None]


def prediction(weights, apex=(4, 8), intensity=None):
    intensity = np.zeros((1, 16)) if intensity is None else np.asarray(intensity, dtype=float)[None]
    return {"clip_weights": weights, "frame_indices": INDICES, "frame_intensity": intensity, "apex": apex}


def test_overlap_counts_the_whole_span_of_a_clip():
    indices = np.array([[0, 3], [4, 7], [8, 11]])
    assert overlaps_apex(indices, (3, 5)).tolist() == [True, True, False]
    assert overlaps_apex(indices, (5, 6)).tolist() == [False, True, False]
    assert overlaps_apex(indices, (11, 12)).tolist() == [False, False, True]
    assert overlaps_apex(indices, (12, 15)).tolist() == [False, False, False]


def test_hit_and_chance():
    scores = localization_scores([prediction([0.1, 0.7, 0.1, 0.1]), prediction([0.7, 0.1, 0.1, 0.1])])
    assert scores["hit"] == 0.5 and scores["chance"] == 0.25 and scores["videos"] == 2
    assert localization_scores([prediction([0.7, 0.1, 0.1, 0.1], apex=(3, 9))])["chance"] == 0.75


def test_rank_correlation_of_agreement_and_disagreement():
    ramp = np.repeat([0.0, 0.3, 0.6, 1.0], 4)
    assert localization_scores([prediction([0.1, 0.2, 0.3, 0.4], intensity=ramp)])["rank_correlation"] == pytest.approx(
        1
    )
    assert localization_scores([prediction([0.4, 0.3, 0.2, 0.1], intensity=ramp)])["rank_correlation"] == pytest.approx(
        -1
    )
    assert np.isnan(localization_scores([prediction([0.25] * 4, intensity=ramp)])["rank_correlation"])


def test_videos_without_an_apex_or_weights_are_left_out():
    without_weights = prediction([1.0])
    del without_weights["clip_weights"]
    scores = localization_scores([prediction([0.7, 0.1, 0.1, 0.1], apex=(-1, -1)), without_weights])
    assert scores["videos"] == 0 and np.isnan(scores["hit"])


def test_regroup_keeps_the_order_of_the_frames():
    assert regroup(INDICES, 4).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]]


def test_rank_correlation_is_scipys_where_values_are_equal():
    weights, intensity = [0.3, 0.1, 0.3, 0.3, 0.2], [0.5, 0.5, 0.9, 0.1, 0.5]
    frames = {"frame_indices": np.arange(5)[None], "frame_intensity": np.array([intensity])}
    scores = localization_scores([{"clip_weights": weights, "apex": (0, 2)} | frames])
    assert scores["rank_correlation"] == pytest.approx(spearmanr(weights, intensity).statistic, rel=1e-12)
