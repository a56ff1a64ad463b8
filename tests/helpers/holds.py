"""Moments at which the trainings of a benchmark wait for the test that kills them: a file names the epoch."""

import time
from pathlib import Path

HELD = "held"


def hold_before(out: Path, epoch: int) -> None:
    """Let all trainings of a benchmark in `out` wait before an epoch, counted from 1, until `let_go`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "hold").write_text(str(epoch))


def let_go(out: Path) -> None:
    """Let them go on."""
    (out / "hold").unlink()


def wait_while_held(folder: Path, epoch: int) -> None:
    """What a training in `folder` does before every epoch; while it waits there is a file `held` in the folder."""
    hold = folder.parents[1] / "hold"
    while hold.exists() and epoch >= int(hold.read_text()):
        (folder / HELD).touch()
        time.sleep(0.01)
