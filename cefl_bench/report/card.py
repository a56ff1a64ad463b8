"""A model card: what a published model is, what it was trained on, what it scored, and what it must not be used for."""

import json
from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from cefl_bench.functional.escaping import markdown_text, one_line
from cefl_bench.functional.outcomes import Metric, Outcomes, rate_interval
from cefl_bench.runs.predictions import Predictions
from cefl_bench.runs.result import Result, Which, title_of

LIBRARY = "library_name: cefl_bench"
"""A line of every card."""
SELECTED_BY = {
    "last": "the last epoch, chosen before the training",
    "selected_by_val": "the epoch that a held-out part of the training fold chose",
    "checkpoint": "a checkpoint that was tested",
}
RENDERED_LIMITS = """
**It was trained on synthetic faces: do not rely on it for real people.** It shows that the code works, and serves to
try the tools. No score on real faces is claimed.
"""
REAL_LIMITS = """
No score on other real faces than those of its test set is claimed.
"""
HALVED = """
The weights were rounded to float16 after the test, so scores differ a little from those that the table is made of.
""".rstrip()
LIMITS = """
Intended use: research on the recognition of facial expressions, and comparison of methods. A label is what an
expression looks like to a model that learnt from other people's labels; it is not what somebody feels. Groups that the
training data show rarely must be expected to be recognised worse. Do not use it to decide about people, at work, in
schools, in hiring, in medicine or by police.
"""


class Corpus(TypedDict):
    """What is told of the training data."""

    name: str
    licence: str
    access: str
    url: str
    citation: str
    rendered: bool


def model_card(
    result: Result,
    which: Which,
    predictions: Predictions,
    corpus: Corpus,
    config: Mapping[str, Any],
    calibration: Mapping[str, Any] | None = None,
    half: bool = False,
) -> str:
    """The card as Markdown, with the front matter that model hubs read.

    Args:
        which: of which epoch the weights are.
        predictions: those that its metrics were computed from.
        config: the resolved config, without any path of a machine.
        half: whether the weights were rounded to float16 after that.
    """
    title = markdown_text(f"{title_of(result)} on {result['dataset']}")
    return "\n".join(
        [
            *_front_matter(result, corpus),
            f"# {title}",
            "",
            "Weights of cefl_bench, a benchmark toolkit for facial "
            "expression recognition in video, and nothing else: no optimizer, no history, no code.",
            "",
            "```bash",
            "python tools/predict.py model.safetensors me.mp4   # what it says of a video",
            "python tools/test.py model.safetensors             # its scores, where the corpus is there",
            "```",
            "",
            "## Use and limits",
            (RENDERED_LIMITS if corpus["rendered"] else REAL_LIMITS).rstrip(),
            LIMITS,
            "## What it scored",
            "",
            *_scores(result, which, predictions),
            "",
            _on_probabilities(calibration),
            *([HALVED] if half else []),
            "",
            "## What it was trained on",
            "",
            *_training(result, corpus),
            "",
            "## Classes",
            "",
            ", ".join(markdown_text(name) for name in result["classes"]) + ", in this order.",
            "",
            "## Environment",
            "",
            *_environment(result),
            "",
            "<details><summary>The config</summary>",
            "",
            "```json",
            json.dumps(config, indent=1, sort_keys=True),
            "```",
            "",
            "</details>",
            "",
        ]
    )


def _front_matter(result: Result, corpus: Corpus) -> list[str]:
    tags = ["facial-expression-recognition", "video-classification", one_line(result["method"])]
    lines = ["---", LIBRARY, "pipeline_tag: video-classification", "tags:"]
    lines += [f"- {json.dumps(tag)}" for tag in tags]
    return [*lines, f"datasets:\n- {json.dumps(one_line(corpus['name']))}", "---", ""]


def _scores(result: Result, which: Which, predictions: Predictions) -> list[str]:
    scores = result["metrics"][which]
    support = scores["support"]
    lines = [
        f"On the {sum(support)} test videos of fold {result['fold']} of {markdown_text(result['dataset'])}, protocol "
        f"`{result['protocol_id']}`, seed {result['seed']}, epoch {scores['epoch']}: {SELECTED_BY[which]}. Intervals "
        "(95 %) are of other clips and people, not of another training.",
        "",
        "| metric | value | interval |",
        "|---|---|---|",
    ]
    for metric in ("uar", "war"):
        lines.append(f"| {metric.upper()} | {100 * scores[metric]:.1f} % | {_interval(predictions, metric)} |")
    lines += ["", "| class | recall | test videos |", "|---|---|---|"]
    for name, recall, count in zip(result["classes"], scores["per_class"], support, strict=True):
        lines.append(f"| {markdown_text(name)} | {'-' if recall is None else f'{100 * recall:.1f} %'} | {count} |")
    return lines


def _interval(predictions: Predictions, metric: Metric) -> str:
    number = {name: place for place, name in enumerate(dict.fromkeys(predictions.subject or []))}
    who = None if predictions.subject is None else np.array([number[name] for name in predictions.subject])
    right = (predictions.pred == predictions.label).astype(float)
    outcomes = Outcomes([right[None]], predictions.label, np.arange(len(right)), who)
    ends = rate_interval(outcomes, metric)
    return "-" if ends is None else f"{100 * float(ends.low):.1f} to {100 * float(ends.high):.1f} %"


def _on_probabilities(calibration: Mapping[str, Any] | None) -> str:
    if calibration is None:
        return "Its scores are not probabilities: nobody calibrated it."
    return (
        f"Its scores become probabilities when they are divided by a temperature of {calibration['temperature']:.3g}, "
        f"which tools/predict.py does. The expected calibration error on the test videos went from "
        f"{calibration['ece_before']:.3f} to {calibration['ece_after']:.3f}."
    )


def _training(result: Result, corpus: Corpus) -> list[str]:
    init = result["init"]
    lines = [
        f"- {markdown_text(result.get('trained_on', corpus['name']))}, the training side of fold {result['fold']}",
        f"- terms of the data: {markdown_text(corpus['licence'])}. They may also bind who uses these weights.",
    ]
    if corpus["url"]:
        lines.append(f"- where it is from: {one_line(corpus['url'])}")
    if corpus["citation"]:
        lines.append(f"- to cite: {markdown_text(corpus['citation'])}")
    if init is not None:
        lines.append(f"- start: {markdown_text(init.get('start', init['source']))}")
    for split, fingerprint in sorted(result["data_fingerprint"].items()):
        lines.append(f"- fingerprint of the {split} videos: `{fingerprint}`")
    return lines


def _environment(result: Result) -> list[str]:
    environment, git = result["environment"], result["environment"]["git"]
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items() if version)
    commit = git["commit"] if git else None
    lines = [f"- Python {environment['python']}, {packages}", f"- {markdown_text(environment['device'])}"]
    if commit:
        lines.append(f"- commit `{commit}`" + (", with changes" if git and git["dirty"] else ""))
    params = result["cost"]["params"]
    return [*lines, f"- {params:,} parameters" if params else "- parameters not counted"]
