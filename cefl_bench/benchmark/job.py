"""A job of a benchmark: one training, what its folder says of it, and how it is run."""

import json
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cefl_bench.commands.facts import SPLITS, data_fingerprint
from cefl_bench.commands.setup import RunOptions, configured, taken_data_on
from cefl_bench.compute.switches import HALF, compute_of
from cefl_bench.config import VAL
from cefl_bench.functional.protocol import other_run
from cefl_bench.plain import plain
from cefl_bench.registry import DATASETS
from cefl_bench.runs.folder import CONFUSION, LAST, LOG, RESULT
from cefl_bench.runs.result import Result

LEFT = (LAST, CONFUSION)
"""What a finished run leaves besides its result; the figure is the last file that it writes."""
EPOCH = re.compile(r"^epoch +(\d+)/", re.MULTILINE)
PRECISION = "compute.precision: "
"""How a difference of precisions begins."""


@dataclass(frozen=True)
class Job:
    """A training as `tools/train.py` does it."""

    options: RunOptions = field(repr=False, compare=False)
    name: str
    """`config_name` of the config."""
    fold: int
    seed: int
    folder: Path
    config: dict[str, Any] = field(repr=False, compare=False)
    """Resolved, as its result will have it."""

    def __str__(self) -> str:
        return f"{self.name} fold {self.fold} seed {self.seed}"

    @property
    def num_epochs(self) -> int:
        return self.config["train_cfg"]["max_epochs"]

    def command(self) -> list[str]:
        """The call that trains it, as `cefl-bench train` does."""
        options = self.options
        words = [sys.executable, "-m", "cefl_bench.cli", "train", str(options.config)]
        words += ["--fold", str(self.fold), "--seed", str(self.seed)]
        words += ["--dataset", options.dataset] if options.dataset else []
        words += ["--work-dir", str(self.folder), "--resume"]
        flags = {"--amp": options.amp, "--no-pack": options.no_pack, "--select=val": options.select == VAL}
        words += [flag for flag, given in flags.items() if given]
        words += compute_of({"compute": options.compute}).flags()
        words += ["--data-on", options.data_on] if options.data_on else []
        return [*words, "--cfg-options", *options.cfg_options] if options.cfg_options else words

    def result(self) -> Result | None:
        """The result of this very config, complete with all that belongs to it; None where there is none."""
        if not all((self.folder / name).exists() for name in LEFT):
            return None
        try:
            result: Result = json.loads((self.folder / RESULT).read_text(encoding="utf-8"))
            changed = other_run(result["config"], self.config)
            complete = len(result["history"]) == self.num_epochs
            precision = (result["config"].get("compute") or {}).get("precision")
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if self.options.amp and precision in HALF:  # which half precision --amp means is the device's to say
            changed = [line for line in changed if not line.startswith(PRECISION)]
        return result if complete and not changed else None

    @property
    def corpora(self) -> dict[str, dict[str, Any]]:
        """What says which videos it reads: of each of its datasets the config, without the pipeline."""
        datasets = {split: self.config[loader]["dataset"] for split, loader in SPLITS.items() if loader in self.config}
        return {
            split: {key: value for key, value in dataset.items() if key != "pipeline"}
            for split, dataset in datasets.items()
        }

    def data_fingerprint(self) -> dict[str, str]:
        """That of the data as they are now, to compare with a result's.

        Raises:
            UserError: when they are not here.
        """
        config = configured(self.options)
        loaders = {split: loader for split, loader in SPLITS.items() if loader in config}
        return data_fingerprint({split: DATASETS.build(config[loader].dataset) for split, loader in loaders.items()})

    def epochs_done(self) -> int:
        """How many epochs its log tells of."""
        try:
            told = EPOCH.findall((self.folder / LOG).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0
        return min(int(told[-1]), self.num_epochs) if told else 0


def job_of(options: RunOptions, fold: int, seed: int, out: Path) -> Job:
    """The job of a config, fold and seed, in its folder below `out`."""
    options = replace(options, fold=fold, seed=seed)
    given = configured(options)
    taken_data_on(options, given)
    config = plain(given.to_dict()) | {"num_processes": 1}
    name = config["config_name"]
    folder = out / name / f"fold{fold}_seed{seed}"
    return Job(options, name, fold, seed, folder, config)
