"""Brings together what model_zoo.md shows: configs, their cost, the result files under version control."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from tqdm import tqdm

from cefl_bench.commands.facts import video_shape
from cefl_bench.config import bases, corpora, load_config
from cefl_bench.cost.flops import count, network_cost, on_meta
from cefl_bench.errors import UserError
from cefl_bench.files import write_text
from cefl_bench.functional.loss_options import LossOptions
from cefl_bench.functional.protocol import difference, is_other_corpus, protocol_of
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.start import start_name
from cefl_bench.plain import plain
from cefl_bench.registry import MODELS
from cefl_bench.report.board import Row, Table
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.model_zoo import Meta, Section, ZooCost, ZooRow, zoo_page
from cefl_bench.report.published import published
from cefl_bench.runs.folder import PREDICTIONS, RESULT
from cefl_bench.runs.predictions import predictions_of
from cefl_bench.runs.read_result import read_result
from cefl_bench.runs.result import Result, headline

PACKAGE = Path(__file__).parents[1]
CONFIGS, PAGE = bases(), PACKAGE.parent / "model_zoo.md"
MEASURED = PACKAGE / "report" / "measured"


def write_zoo() -> Path:
    """Write model_zoo.md anew."""
    write_text(PAGE, make_zoo())
    return PAGE


def check_zoo(costs: "Costs | None" = None) -> None:
    """Compare model_zoo.md with what would be written.

    Args:
        costs: those that were counted before.

    Raises:
        UserError: when it is not what the configs and the result files make.
    """
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != make_zoo(costs):
        raise UserError(f"{PAGE.name} is not what configs/ and the result files make: run python tools/zoo.py")


def make_zoo(costs: "Costs | None" = None) -> str:
    """The text of model_zoo.md: a section for every corpus, in alphabetical order, with every method in it."""
    costs = costs or Costs()
    tables, scores = _measured()
    rows: dict[str, list[ZooRow]] = {}
    metas: dict[str, Meta] = {}
    for leaf, dataset, config in tqdm(_matrix(), desc="configs", unit="config", leave=False, disable=None):
        meta = _corpus(config)
        metas[meta["key"]] = meta
        for file in sorted((MEASURED / config.config_name).glob(f"*/{RESULT}")):
            _check_config(file, read_result(file), config)
        call = f"[{leaf.stem}](configs/{leaf.name})" + (f" --dataset {dataset}" if dataset else "")
        row = ZooRow(
            config=config.config_name,
            call=call,
            title=config.title,
            track=config.track,
            start=start_name(config.model.backbone.get("init_cfg")),
            cost=costs.of(config),
            scores=scores.pop(config.config_name, None),
        )
        rows.setdefault(meta["key"], []).append(row)
    if scores:
        raise UserError(f"{MEASURED} has results of configs that are not there: {', '.join(sorted(scores))}")
    keys = sorted(metas, key=lambda key: (key == "synthetic", metas[key]["name"].lower()))
    return zoo_page([Section(metas[key], rows[key], published(key), tables) for key in keys])


class _MethodCost(NamedTuple):
    """What a test video costs a method on the corpus where it was counted."""

    whole: ZooCost
    head: ZooCost
    in_dim: int
    """Size of the feature that its head takes."""


class Costs:
    """What a test video costs methods. A method is counted once: on other corpora only its head has other classes.

    One whose backbone has classifiers of its own is counted once for every number of classes.
    """

    def __init__(self) -> None:
        self._methods: dict[str, _MethodCost] = {}
        self._heads: dict[str, ZooCost] = {}

    def of(self, config: Config) -> ZooCost:
        """The cost of the method of a config on its corpus.

        Raises:
            UserError: as `network_cost`.
        """
        model = plain(config.model.to_dict())
        free = {*LossOptions.__annotations__}  # what costs a test nothing
        if config.model.backbone.type.know_classes is Backbone.know_classes:
            free.add("num_classes")
        counted = {
            "backbone": {name: value for name, value in model["backbone"].items() if name != "init_cfg"},
            "head": {name: value for name, value in model["head"].items() if name not in free},
        }
        views, shape = video_shape(config)
        key = json.dumps([model | counted, views, shape], sort_keys=True)
        if key not in self._methods:
            network: Any = on_meta(config.model | {"data_preprocessor": config.data_preprocessor})
            cost, in_dim = network_cost(network, shape, views), network.head.in_dim
            whole = ZooCost(params=cost["params"], macs=cost["macs"])
            self._methods[key] = _MethodCost(whole, self._head(config, in_dim), in_dim)
        whole, head_before, in_dim = self._methods[key]
        head = self._head(config, in_dim)
        return {
            "params": whole["params"] - head_before["params"] + head["params"],
            "macs": whole["macs"] + views * (head["macs"] - head_before["macs"]),
        }

    def _head(self, config: Config, in_dim: int) -> ZooCost:
        key = json.dumps([plain(config.model.head.to_dict()), in_dim], sort_keys=True)
        if key not in self._heads:
            with torch.device("meta"):
                head = MODELS.build(config.model.head | {"in_dim": in_dim})
            macs = count(head, torch.zeros(1, in_dim, device="meta")).macs()
            self._heads[key] = {"params": sum(parameter.numel() for parameter in head.parameters()), "macs": macs}
        return self._heads[key]


def _matrix() -> list[tuple[Path, str | None, Config]]:
    """Every leaf, and every fair leaf of DFEW on every other corpus: the leaf, `--dataset` and the config."""
    matrix: list[tuple[Path, str | None, Config]] = []
    for leaf in sorted(CONFIGS.glob("*.py")):
        config = load_config(leaf)
        key = config.train_dataloader.dataset.type.METAINFO["key"]
        if key == "own":
            continue  # not a corpus that others could compare on
        matrix.append((leaf, None, config))
        if key == "dfew" and config.track == "fair":
            others = [corpus for corpus in corpora() if corpus not in ("dfew", "own", "synthetic")]
            matrix += [(leaf, corpus, load_config(leaf, dataset=corpus)) for corpus in others]
    return matrix


def _config_called(name: str) -> Config | None:
    return next((config for _, _, config in _matrix() if config.config_name == name), None)


def _measured() -> tuple[list[Table], dict[str, Row]]:
    """The tables of the runs under version control, and the row of each config in them."""
    if not any(MEASURED.glob("*/*")):
        return [], {}
    board = make_leaderboard(MEASURED)
    if board["left_out"]:
        raise UserError(f"{MEASURED} has what is no run: {board['left_out'][0]}; take it away")
    rows: dict[str, Row] = {}
    for table in board["tables"]:
        rows.update((row["method"], row) for row in table["rows"])
    return board["tables"], rows


def add_results(files: list[str]) -> list[Path]:
    """Copy finished runs, by their result with its predictions beside it, to where the zoo reads them.

    Raises:
        UserError: when a file is no result of a training with a config of this checkout, as it is now.
    """
    return [_add(Path(file)) for file in files]


def _add(file: Path) -> Path:
    result = read_result(file)
    name, fold, seed = result["config_name"], result["fold"], result["seed"]
    if headline(result) == "checkpoint":
        raise UserError(f"{file} is of a test, not of a training: expected what tools/train.py leaves")
    config = _config_called(name)
    if config is None:
        raise UserError(f"{file} is of config {name!r}, which is not in {CONFIGS}")
    _check_config(file, result, config)
    predictions_of(file.parent, result)  # says what is wrong with them
    target = MEASURED / name / f"fold{fold}_seed{seed}"
    texts = {PREDICTIONS: (file.parent / PREDICTIONS).read_text(encoding="utf-8")}
    texts[RESULT] = json.dumps(result, indent=1) + "\n"  # last: with it the run counts
    before = {path.name: path.read_text(encoding="utf-8") for path in target.glob("*")}
    if before.keys() == texts.keys() and before != texts:
        raise UserError(f"{target} is there already, of another run: delete it to show {file} instead")
    for written, text in texts.items():
        write_text(target / written, text)
    return target


def _corpus(config: Config) -> Meta:
    """The METAINFO of a config's corpus; of two, where it is tested on another than it is trained on."""
    trained, tested = (config[f"{split}_dataloader"].dataset for split in ("train", "test"))
    meta, other = trained.type.METAINFO, tested.type.METAINFO
    if not is_other_corpus(config.test_dataloader.dataset):
        return meta
    return Meta(
        key=f"{meta['key']}_on_{other['key']}",
        name=f"{meta['name']} -> {other['name']}",
        classes=[name for name in meta["classes"] if name in tested.label_map.values()],
        num_folds=meta["num_folds"],
        num_clips=None,
        note=f"Trained on the folds of {meta['name']}, tested on the videos of {other['name']} that show one of these "
        "classes; only these can be predicted.",
    )


def _check_config(file: Path, result: Result, config: Config) -> None:
    """Refuse a result of another protocol, model or corpus folder than the config has now; its name does not matter."""
    now = plain(config.to_dict())
    try:
        measured = _what_counts(result["config"] | {"track": result["track"], "num_processes": 1})
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{file} has no config: expected the {RESULT} that tools/train.py leaves") from None
    if changed := difference(measured, _what_counts(now)):
        raise UserError(
            f"{file} was measured with another {result['config_name']} than there is now "
            f"({'; '.join(changed[:3])}): measure again, or set the config back"
        )


def _what_counts(config: dict[str, Any]) -> dict[str, Any]:
    """What must be as it was for a measured number to stand for a config: the protocol, the model, the data."""
    roots = {part: config[f"{part}_dataloader"]["dataset"]["data_root"] for part in ("train", "test")}
    return protocol_of(config) | {"model": config["model"], "data_root": roots}
