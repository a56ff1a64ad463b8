"""Configs: read from a file and the command line, laid over a corpus, and resolved to plain values."""

import copy
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from cefl_bench.compute.switches import compute_of
from cefl_bench.config_options import apply_options
from cefl_bench.errors import UserError
from cefl_bench.files import checkout
from cefl_bench.functional.protocol import is_other_corpus
from cefl_bench.plain import from_plain

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
HELD_OUT = "held_out_dataloader"
"""The loader of the part of the training fold that chooses the epoch; only there where one is held out."""
SPLIT_KEYS = ("split", "fold", "pipeline", "shuffle_labels", "holdout")
"""What a loader says of its dataset; all else is what the corpus is."""
VAL = "val"
HELD_OUT_SHARE = 0.1
OF_BASES = (Path(), Path("configs"))
"""The folders that a config may be said to be in when it is one of `bases()`."""


def load_config(
    path: str | Path,
    options: Mapping[str, Any] | None = None,
    fold: int | None = None,
    dataset: str | None = None,
) -> Config:
    """Read a config file, lay it over a corpus, and apply what the command line says.

    Args:
        path: a file, or the bare name of a leaf, such as `ceflnet_dfew`, which is looked for in `bases()`.
        options: dotted paths to values, as `--cfg-options` gives them.
        fold: put into every dataset of the corpus that is trained on; None keeps the config's.
        dataset: another corpus than the config's: a name in `configs/_base_/datasets/`, or a file that sets `corpus`.

    Raises:
        UserError: naming the file, or the option that fits nothing in it.
    """
    path = find_config(path)
    config = _read(path)
    missing = [name for name in ("model", "data_preprocessor", "test_dataloader") if name not in config]
    if missing:
        raise UserError(
            f"config {str(path)!r} has no {', '.join(missing)}: expected a leaf of configs/, not a base file"
        )
    config.setdefault("method", path.stem)
    config.setdefault("title", config.method)
    config.setdefault("track", "fair")
    config.setdefault("config_name", path.stem)
    if dataset is not None:
        _lay_over(config, dataset)
    config.setdefault("compute", {})
    early = {key: value for key, value in (options or {}).items() if key.split(".")[0] in ("corpus", "test_corpus")}
    apply_options(config, early)
    _expand_corpus(config)
    if fold is not None:
        for name in LOADERS:
            if not is_other_corpus(config[name].dataset):
                config[name].dataset.fold = fold
    apply_options(config, {key: value for key, value in (options or {}).items() if key not in early})
    set_compute(config, {})
    head, loader = config.model.get("head"), config.get("train_dataloader")
    if isinstance(head, dict) and isinstance(loader, ConfigDict):
        # An adapter knows its classes, so that no config repeats how many there are.
        head.setdefault("num_classes", len(classes_of(loader.dataset)))
    return config


def classes_of(dataset: Mapping[str, Any]) -> Sequence[str]:
    """The class names of a dataset's config, in the order of the labels."""
    return dataset.get("classes") or dataset["type"].METAINFO["classes"]


def classes_of_model(dataset: Mapping[str, Any]) -> Sequence[str]:
    """The class names that the labels of a test dataset count: those of the model, where the corpus is another."""
    there = dataset.get("classes_as")
    return classes_of(dataset) if there is None else getattr(there, "METAINFO", {"classes": there})["classes"]


def bases() -> Path:
    """The folder `configs/` of the checkout, or the copy of it that an installed package carries."""
    return (checkout() or Path(__file__).parent) / "configs"


def find_config(path: str | Path) -> Path:
    """The file that a path to a config means.

    A name without a folder, and `configs/NAME.py`, mean the leaf in `bases()` when there is no such file in the current
    folder: an installed toolkit has its configs inside the package.

    Raises:
        UserError: when there is no such file, with the names that are near.
    """
    path = Path(path)
    if path.is_file():
        return path
    if path.parent in OF_BASES:
        leaf = bases() / f"{path.name.removesuffix('.py')}.py"
        if leaf.is_file():
            return leaf
    raise UserError(f"config {str(path)!r} does not exist{_did_you_mean(path)}")


def corpora() -> list[str]:
    """The names that `--dataset` knows."""
    return sorted(file.stem for file in (bases() / "_base_" / "datasets").glob("*.py"))


def select_by_val(config: Config) -> None:
    """Hold out a tenth of the training fold: its subjects are not trained on, and it is read as the test videos are."""
    config.selection = VAL
    config.train_dataloader.dataset.holdout = HELD_OUT_SHARE
    loader = copy.deepcopy(config.val_dataloader)
    loader.dataset = ConfigDict(
        copy.deepcopy(config.train_dataloader.dataset), split="val", pipeline=loader.dataset.pipeline
    )
    config[HELD_OUT] = loader


def set_compute(config: Config, given: Mapping[str, Any]) -> None:
    """Set compute switches. Those at their defaults are left out, so a config is the same as before there were any.

    Raises:
        UserError: when there is no such switch, or it cannot take the value.
    """
    changed = compute_of({"compute": {**config.get("compute", {}), **given}}).changed()
    config.pop("compute", None)
    if changed:
        config.compute = changed


def _read(path: Path) -> Config:
    try:
        config = Config.fromfile(path, lazy_import=True)
        _import_types(config._cfg_dict)
    except (ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"config {str(path)!r} names what cannot be imported ({reason}): install the package that has it, or "
            "put its folder on PYTHONPATH"
        ) from None
    except Exception as error:  # a config is Python: anything may go wrong in it
        reason = " ".join(str(error).split())
        raise UserError(f"config {str(path)!r} cannot be read ({type(error).__name__}: {reason})") from None
    return from_plain(config.to_dict(), str(path), from_file=True) if _is_dump(config) else config


def _import_types(value: Any) -> None:
    """Import every class that a config names: mmengine does so when a value is first read."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _import_types(item)


def _is_dump(config: Config) -> bool:
    """Whether this is a resolved config as a run leaves it, whose types are dotted names."""
    return isinstance(config.get("model", {}).get("type"), str)


def _did_you_mean(path: Path) -> str:
    ours = path.parent in OF_BASES
    folder, suffix = (bases(), path.suffix) if ours else (path.parent, ".py")
    leaves = sorted(file.stem for file in folder.glob("*.py")) if folder.is_dir() else []
    for corpus in corpora():
        method = path.stem.removesuffix(f"_{corpus}")
        if method != path.stem and f"{method}_dfew" in leaves:
            return f"; did you mean {path.with_name(f'{method}_dfew{suffix}')} --dataset {corpus}?"
    if near := difflib.get_close_matches(path.stem, leaves, n=3):
        return f"; did you mean {' or '.join(str(path.with_name(f'{leaf}{suffix}')) for leaf in near)}?"
    return f"; in {folder} there are: {', '.join(leaves)}" if leaves else ""


def _lay_over(config: Config, dataset: str) -> None:
    """Put another corpus in the place of the config's: its dataset and its metrics, and nothing else."""
    if "test_corpus" in config or is_other_corpus(config.test_dataloader.get("dataset", {})):
        raise UserError(
            f"--dataset {dataset}: {config.config_name} trains on one corpus and tests on another: start from a config "
            "of one corpus"
        )
    file = Path(dataset) if dataset.endswith(".py") else bases() / "_base_" / "datasets" / f"{dataset}.py"
    if not file.is_file():
        near = difflib.get_close_matches(dataset, corpora(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UserError(
            f"--dataset {dataset!r}: there is no {file}: {hint}expected one of {', '.join(corpora())}, or a file of "
            "your own"
        )
    axis = _read(file)
    if "corpus" not in axis:
        raise UserError(f"--dataset {dataset!r}: {file} sets no corpus: expected corpus = dict(type=.., data_root=..)")
    for name in LOADERS:
        kept = config[name].get("dataset", {})
        config[name].dataset = ConfigDict({key: kept[key] for key in SPLIT_KEYS if key in kept})
    config.corpus = axis.corpus
    for name in ("val_evaluator", "test_evaluator"):
        if name in axis:
            config[name] = axis[name]
    config.model.head.pop("num_classes", None)
    config.pop("classes", None)
    key = file.stem if dataset.endswith(".py") else dataset
    config.config_name = f"{config.method}_{key}" + ("" if config.track == "fair" else f"_{config.track}")


def _expand_corpus(config: Config) -> None:
    """Write the corpus into the dataset of every loader; what a loader says of its own dataset counts more.

    `corpus.reader` is the transform that opens the corpus's videos, where it is not the one that the loaders name.
    """
    corpus = config.pop("corpus", None)
    test_corpus = config.pop("test_corpus", corpus)
    if corpus is None:
        return
    for name in LOADERS:
        dataset = copy.deepcopy(corpus if name == "train_dataloader" else test_corpus)
        # dict.pop leaves a class that is not imported yet as it is, so that the config can still be dumped
        reader, split = dict.pop(dataset, "reader", None), dataset.get("split")
        dataset.update(copy.deepcopy(config[name].dataset))
        if split is not None:
            dataset.split = split
        if reader is not None:
            dataset.pipeline[0].type = reader
        config[name].dataset = dataset
