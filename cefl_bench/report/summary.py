"""What a finished run says of itself at the end, in a few lines."""

import json
from pathlib import Path

from cefl_bench.functional.recall import chance_limit


def summary(folder: Path) -> str:
    """The scores of a finished run and the names of what it left, for a person."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    lines = []
    for which, scores in result["metrics"].items():
        epoch = f" epoch ({scores['epoch']})" if scores["epoch"] is not None else ""
        lines.append(f"{which.replace('_', ' ')}{epoch}: UAR {scores['uar']:.3f}  WAR {scores['war']:.3f}")
        if which == "best_test":
            continue
        if scores["uar"] < (limit := chance_limit(scores["support"])):
            lines.append(f"  at chance: guessing has a UAR of up to {limit:.3f}, so nothing was learnt")
        if "localization" in scores:
            found = scores["localization"]
            correlation = found["rank_correlation"]
            lines.append(
                f"  most activated clip meets the apex in {found['hit']:.3f} of {found['videos']} videos (by chance "
                f"{found['chance']:.3f})" + (f", rank correlation {correlation:.3f}" if correlation is not None else "")
            )
    clips = result["clips"]
    if clips["scored"] < clips["listed"]:
        lines.append(
            f"{clips['listed'] - clips['scored']} of {clips['listed']} test videos could not be read, counted as wrong"
        )
    left = ("result.json", "predictions.csv", "confusion.png", "selected.pth", "last.pth")
    return "\n".join([*lines, f"left: {', '.join(str(folder / name) for name in left if (folder / name).exists())}"])
