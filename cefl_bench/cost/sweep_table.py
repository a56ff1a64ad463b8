"""The numbers of `cost/sweep.py` as a text table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cefl_bench.cost.sweep import EAGER, GRADIENT_TOLERANCE


def sweep_table(results: Sequence[dict[str, Any]]) -> str:
    """A block per config: a line per combination, then the options to use."""
    blocks = ["\n".join(_block(result)) for result in results]
    legend = (
        "Times of a training step, its videos on the device; ratio: to eager float32, in turns with it.",
        "scores: largest difference to eager float32, as a share of the largest score, and how much is allowed.",
        f"gradient: its norm to that in eager float32; allowed is a factor of {GRADIENT_TOLERANCE:g}.",
    )
    return "\n\n".join([*blocks, "\n".join(legend)])


def _block(result: dict[str, Any]) -> list[str]:
    lines = [
        f"{result['config']} on {result['device_name']}, {result['threads']} threads, torch {result['torch']}: "
        f"batches of {result['batch']}, medians of {result['rounds']} rounds"
    ]
    width = max(len(one["switches"]) for one in result["combinations"])
    lines.append(f"{'':{width}}{'videos/s':>10}{'ratio':>8}{'IQR':>7}  scores (allowed)  gradient")
    for one in result["combinations"]:
        if "refused" in one:
            lines.append(f"{one['switches']:{width}}  {one['refused']}")
            continue
        line = f"{one['switches']:{width}}{one['videos_per_s']:10.2f}{one['ratio']:8.2f}"
        if "score_error" in one:
            scores = f"{one['score_error']:.1e} ({one['score_tolerance']:g})"
            line += f"{one['ratio_iqr']:7.2f}  {scores:18}{one['gradient_ratio']:.3g}"
        lines.append(line if one["correct"] else f"{line}  not correct")
    for name, where in (("use", "in float32"), ("use_in_any_precision", "in any precision, which is another protocol")):
        chosen = replace(EAGER, **result[name])
        lines.append(f"use {where}: {chosen}")
    return lines
