"""Stands in for `cefl-bench train` in tests of what is around it: starts in a moment, and trains nothing.

python stand_in.py FACTS.json train CONFIG --work-dir D ... leaves the files of a training, an epoch at a time, goes on
after the last one, has a worker process, waits where `holds.py` says so, and fails at a learning rate of 1e30.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from holds import wait_while_held

WORKER = "import os, time\nparent = os.getppid()\nwhile os.getppid() == parent: time.sleep(0.01)"


def main() -> None:
    facts = json.loads(Path(sys.argv[1]).read_text())
    config = facts["config"]
    folder = Path(sys.argv[sys.argv.index("--work-dir") + 1])
    num_epochs, last = config["train_cfg"]["max_epochs"], folder / "last.pth"
    done = int(last.read_text()) if last.exists() else 0
    if done:
        print(f"resumed after epoch {done}", flush=True)
    with subprocess.Popen([sys.executable, "-S", "-c", WORKER, str(folder)]) as worker:
        for epoch in range(done + 1, num_epochs + 1):
            wait_while_held(folder, epoch)
            if config["optim_wrapper"]["optimizer"]["lr"] == 1e30:
                worker.kill()
                sys.exit(f"error: the loss became nan in epoch {epoch}, batch 2")
            with open(folder / "train.log", "a") as log:
                log.write(f"epoch {epoch}/{num_epochs}  loss 1.000\n")
            last.write_text(str(epoch))
        worker.kill()
    scores = {"epoch": num_epochs, "uar": 0.5, "war": 0.5}
    history = [{"epoch": epoch} for epoch in range(1, num_epochs + 1)]
    result = facts | {
        "time": {"train_seconds": 1.0},
        "history": history,
        "metrics": {"last": scores, "best_test": scores},
    }
    (folder / ".result.json").write_text(json.dumps(result))
    os.replace(folder / ".result.json", folder / "result.json")
    (folder / "confusion.png").touch()


if __name__ == "__main__":
    main()
