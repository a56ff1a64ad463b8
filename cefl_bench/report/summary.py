"""What a finished run says of itself at the end, in a few lines."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cefl_bench.functional.recall import chance_limit
from cefl_bench.runs.folder import CONFUSION, CURVES, LAST, PREDICTIONS, RESULT, SELECTED
from cefl_bench.runs.read_result import read_result
from cefl_bench.runs.result import BEST_TEST, HEADLINE, ClipCounts, Localization, Scores, Views

LEFT = (RESULT, PREDICTIONS, CURVES, CONFUSION, SELECTED, LAST)


def summary(folder: Path) -> str:
    """The scores of a finished run and the names of what it left, for a person."""
    result = read_result(folder / RESULT)
    clips = result["clips"]
    lines: list[str] = []
    for which in (*HEADLINE, BEST_TEST):
        if which not in result["metrics"]:
            continue
        scores = result["metrics"][which]
        epoch = f" epoch ({scores['epoch']})" if scores["epoch"] is not None else ""
        lines.append(f"{which.replace('_', ' ')}{epoch}: UAR {scores['uar']:.3f}  WAR {scores['war']:.3f}")
        if which != BEST_TEST:
            # a test of a checkpoint, or on another corpus than the training's, tells little of what was learnt
            of_training = which != "checkpoint" and result.get("trained_on", result["dataset"]) == result["dataset"]
            lines += _remarks(scores, of_training, clips)
    if clips["scored"] < clips["listed"]:
        lines.append(
            f"{clips['listed'] - clips['scored']} of {clips['listed']} test videos could not be read, counted as wrong"
        )
    left = [str(folder / name) for name in LEFT if (folder / name).exists()]
    return "\n".join([*lines, f"left: {', '.join(left)}"])


def _remarks(scores: Scores, of_training: bool, clips: ClipCounts) -> Iterator[str]:
    limit = chance_limit(np.array(scores["support"]))
    silent = scores["unanswered"] - (clips["listed"] - clips["scored"])
    if silent > 0:
        advice = ": lower the learning rate" if of_training else ""
        videos = f"{silent} of {clips['scored']} test videos"
        yield f"  the network gave no number for {videos} (its weights are NaN or infinite){advice}"
    elif scores["uar"] < limit:
        learnt = ", so nothing was learnt" if of_training else ""
        yield f"  at chance: guessing has a UAR of up to {limit:.3f}{learnt}"
    if "views" in scores:
        yield _on_views(scores["views"])
    if "localization" in scores:
        yield _on_localization(scores["localization"])
    for name, value in scores.get("extra", {}).items():
        if not name.startswith("localization/"):
            yield f"  {name} {'not known' if value is None else f'{value:.4g}'}"


def _on_views(views: Views) -> str:
    alone = ", ".join(f"{view['uar']:.3f} / {view['war']:.3f}" for view in views["alone"])
    different = f"{views['distinct']:.2f} different ones a video, {views['most_distinct']} at most"
    return f"  {len(views['alone'])} views merged ({different}); UAR / WAR of each alone: {alone}"


def _on_localization(found: Localization) -> str:
    correlation = found["rank_correlation"]
    line = (
        f"  most activated clip meets the apex in {found['hit']:.3f} of {found['videos']} videos (by chance "
        f"{found['chance']:.3f})"
    )
    return line if correlation is None else f"{line}, rank correlation {correlation:.3f}"
