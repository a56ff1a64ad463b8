"""An audit as a table for people, and the sentences that follow from it."""

from collections.abc import Iterator

from cefl_bench.functional.text_width import padded, text_width
from cefl_bench.functional.time_changes import APEX, MAX_ROUNDING
from cefl_bench.report.naming import difference_text, percent
from cefl_bench.runs.audit import Audit, TimeCost

COLUMNS = ("frames", "WAR", "difference", "UAR", "difference", "other prediction", "told apart")


def audit_table(audit: Audit) -> str:
    """What `tools/audit.py` prints: a row for every change of the frames, and what to make of them."""
    rows = [
        COLUMNS,
        ("as sampled", percent(audit["war"]), "", percent(audit["uar"]), "", "", ""),
        *(_row(cost) for cost in audit["costs"]),
    ]
    widths = [max(text_width(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [heading(audit), ""]
    for row in rows:
        cells = [padded(row[0], widths[0])]
        cells += [padded(cell, width, right=True) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, "", *remarks(audit)])


def heading(audit: Audit) -> str:
    """Which model was asked, on what."""
    epoch = audit["checkpoint"]["epoch"]
    people = len({*audit["subjects"]}) if audit["clustered_by"] == "subject" else None
    return (
        f"{audit['title']} on {audit['dataset']}, fold {audit['fold']}, seed {audit['seed']}"
        + ("" if epoch is None else f", epoch {epoch}")
        + f": {len(audit['names'])} test videos"
        + ("" if people is None else f" of {people} people")
        + f", {_frames(audit)}"
    )


def remarks(audit: Audit) -> Iterator[str]:
    """A line for everything that the numbers do not tell."""
    for cost in audit["costs"]:
        if cost["predictions_changed"] == 0:
            change = cost["change"]
            yield f"{change}: exactly 0, no prediction is another; {_movement(audit['score_movement'][change])}"
    middle, known = audit["apex_frames"]["middle"], audit["apex_frames"]["known"]
    if known and middle:
        yield f"{APEX}: of {middle} videos, in which nothing is an apex or it is unknown, the middle frame"
    elif middle:
        yield "middle frame: in the place of the apex, which this corpus does not tell"
    yield (
        "differences are in points, with their paired 95 % interval over other "
        + ("people" if audit["clustered_by"] == "subject" else "clips; who is in them is unknown")
        + "; they are of this one training"
    )


def _movement(most: float) -> str:
    if most > MAX_ROUNDING:
        return f"scores move by up to {most:.2g} of the largest"
    return f"scores move by {most:.0e} of the largest at most, which is rounding: to the model it is the same video"


def _row(cost: TimeCost) -> tuple[str, ...]:
    return (
        cost["change"],
        percent(cost["war"]),
        difference_text(cost["war_difference"], cost["war_interval"]),
        percent(cost["uar"]),
        difference_text(cost["uar_difference"], cost["uar_interval"]),
        f"{cost['predictions_changed']} of {cost['predictions']}",
        "yes" if cost["different"] else "no",
    )


def _frames(audit: Audit) -> str:
    total = audit["sampled"][0] * audit["sampled"][1]
    clips = audit["clips"]
    return f"{total} frames" if clips == 1 else f"{total} frames in {clips} clips"
