"""Brings together what model_zoo.md shows: configs, their cost, the result files under version control."""

import inspect
import json
from pathlib import Path
from typing import Any

from mmengine.config import Config
from tqdm import tqdm

from cefl_bench.config import load_config, plain, track_of
from cefl_bench.errors import UserError
from cefl_bench.facts import config_cost, video_shape
from cefl_bench.files import write_text
from cefl_bench.functional.protocol import crosses, difference, protocol_of
from cefl_bench.report.model_zoo import Row, Section, zoo_page
from cefl_bench.report.published import published

CHECKOUT = Path(__file__).parents[1]
CONFIGS, PAGE = CHECKOUT / "configs", CHECKOUT / "model_zoo.md"
MEASURED = Path(__file__).parent / "report" / "measured"


def write_zoo() -> Path:
    """Write model_zoo.md anew."""
    write_text(PAGE, make_zoo())
    return PAGE


def check_zoo() -> None:
    """Raises: UserError: when model_zoo.md is not what the configs and the result files make."""
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != make_zoo():
        raise UserError(f"{PAGE.name} is not what configs/ and the result files make: run python tools/zoo.py")


def make_zoo() -> str:
    """The text of model_zoo.md: a section for every corpus that has a config, in alphabetical order."""
    rows: dict[str, list[Row]] = {}
    metas: dict[str, dict[str, Any]] = {}
    costs: dict[str, dict[str, Any]] = {}  # by model and input: leaves of several corpora share theirs
    leaves = sorted(CONFIGS.glob("*.py"))
    for leaf in tqdm(leaves, desc="configs", unit="config", leave=False, disable=None):
        config = load_config(leaf)
        meta = _corpus(config)
        if meta["key"] == "own":
            continue  # no corpus that others could compare on
        metas[meta["key"]] = meta
        model = json.dumps([plain(config.model.to_dict()), video_shape(config)], sort_keys=True)
        if model not in costs:
            costs[model] = config_cost(config)
        rows.setdefault(meta["key"], []).append(
            Row(leaf.stem, _title(leaf), track_of(leaf.stem), costs[model], _results(leaf.stem, config))
        )
    unknown = {file.parent.name for file in MEASURED.glob("*/*.json")} - {leaf.stem for leaf in leaves}
    if unknown:
        raise UserError(f"{MEASURED} has results of configs that are not there: {', '.join(sorted(unknown))}")
    keys = sorted(metas, key=lambda key: (key == "synthetic", metas[key]["name"].lower()))
    return zoo_page([Section(metas[key], rows[key], published(key)) for key in keys])


def add_results(files: list[str]) -> list[Path]:
    """Copy result.json files of finished runs to where the zoo reads them.

    Raises:
        UserError: when a file is no result of a training with a config of this checkout, as it is now.
    """
    added = []
    for file in map(Path, files):
        try:
            result = json.loads(file.read_text(encoding="utf-8"))
            name, fold, seed = result["config_name"], result["fold"], result["seed"]
            trained = "last" in result["metrics"]
            _what_counts(result["config"] | {"track": result["track"]})
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(f"{file} is not a result.json: expected what tools/train.py leaves") from None
        if not trained:
            raise UserError(f"{file} is of a test, not of a training: expected what tools/train.py leaves")
        if not (CONFIGS / f"{name}.py").exists():
            raise UserError(f"{file} is of config {name!r}, which is not in {CONFIGS}")
        _check_config(file, result, load_config(CONFIGS / f"{name}.py"))
        target, text = MEASURED / name / f"fold{fold}_seed{seed}.json", json.dumps(result, indent=1) + "\n"
        if target.exists() and target.read_text(encoding="utf-8") != text:
            raise UserError(f"{target} is there already, of another run: delete it to show {file} instead")
        write_text(target, text)
        added.append(target)
    return added


def _corpus(config: Config) -> dict[str, Any]:
    """The METAINFO of a config's corpus; of two, where it is tested on another than it is trained on."""
    trained, tested = (config[f"{split}_dataloader"].dataset for split in ("train", "test"))
    meta, there = trained.type.METAINFO, tested.type.METAINFO
    if not crosses(config.test_dataloader):
        return meta
    return dict(
        key=f"{meta['key']}_on_{there['key']}",
        name=f"{meta['name']} -> {there['name']}",
        classes=[name for name in meta["classes"] if name in tested.label_map.values()],
        num_folds=meta["num_folds"],
        num_clips=None,
        note=f"Trained on the folds of {meta['name']}, tested on the videos of {there['name']} that show one of these "
        "classes; an answer is one of them.",
    )


def _results(name: str, config: Config) -> list[dict[str, Any]]:
    results = []
    for file in sorted((MEASURED / name).glob("*.json")):
        result = json.loads(file.read_text(encoding="utf-8"))
        _check_config(file, result, config)
        results.append(result)
    return results


def _check_config(file: Path, result: dict[str, Any], config: Config) -> None:
    """Refuse a result of another protocol, model or corpus folder than the config has now, whatever it is called."""
    now = plain(config.to_dict()) | {"track": track_of(result["config_name"])}
    measured = result["config"] | {"track": result["track"], "num_processes": 1}
    if changed := difference(_what_counts(measured), _what_counts(now)):
        raise UserError(
            f"{file} was measured with another {result['config_name']} than there is now "
            f"({'; '.join(changed[:3])}): measure again, or set the config back"
        )


def _what_counts(config: dict[str, Any]) -> dict[str, Any]:
    roots = {part: config[f"{part}_dataloader"]["dataset"]["data_root"] for part in ("train", "test")}
    return protocol_of(config) | {"model": config["model"], "data_root": roots}


def _title(leaf: Path) -> str:
    """The method's name for people: the docstring of a leaf begins `METHOD on CORPUS`."""
    docstring = inspect.cleandoc(leaf.read_text(encoding="utf-8").split('"""')[1])
    return docstring.splitlines()[0].partition(":")[0].rpartition(" on ")[0]
