"""The options that several tools share: the same flag means the same everywhere."""

import argparse
import dataclasses
import gc
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cefl_bench.compute.switches import MEMORY_FORMATS, PRECISIONS
from cefl_bench.runs.built_in import check_checkpoint

if TYPE_CHECKING:  # a tool's --help need not wait for torch
    from mmengine.config import Config

    from cefl_bench.commands.setup import RunOptions
    from cefl_bench.predict.predictor import Choices

LAUNCHERS = ("none", "pytorch", "slurm")


@contextmanager
def loading() -> Iterator[None]:
    """Import what a tool needs: a tenth of that time goes, otherwise, into looking for garbage where there is none.

    What is there at the end stays: no later collection looks through it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def file_path(text: str) -> str:
    """A path of the command line, with the user's home for `~`, which shells leave alone in `--out=~/runs`."""
    return os.path.expanduser(text)  # noqa: PTH111, Path's own raises where there is no such user


class ExistingConfig(argparse.Action):
    """A config, or several. One that does not exist is told of at once, not after torch is imported."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        from cefl_bench.config import find_config

        paths = [values] if isinstance(values, str) else values or ()
        for path in paths:
            find_config(path)
        setattr(namespace, self.dest, values)


def add_config(parser: argparse.ArgumentParser, many: bool = False) -> None:
    """CONFIG, or several, with the options that change it."""
    if many:
        told = "config files, or names of ours: ceflnet_dfew"
        parser.add_argument("configs", nargs="+", action=ExistingConfig, metavar="CONFIG", help=told)
    else:
        told = "a config file, or the name of one of ours: ceflnet_dfew"
        parser.add_argument("config", action=ExistingConfig, metavar="CONFIG", help=told)
    add_config_options(parser)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """What changes a config: its corpus, and any value in it."""
    parser.add_argument(
        "--dataset",
        type=file_path,
        metavar="KEY|FILE",
        help="another corpus than the config's: a key, such as mafw, or a .py file that sets corpus = dict(..)",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        default=(),
        metavar="KEY=VALUE",
        help="change values of the config, by dotted path, such as train_cfg.max_epochs=1",
    )


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """[CONFIG] CHECKPOINT: a checkpoint of this toolkit knows its config."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="[CONFIG] CHECKPOINT",
        help="a .pth or .safetensors file, loaded as weights only, never as code, or demo, which is built in; the "
        "config before it is needed only where the checkpoint does not know its own",
    )
    add_config_options(parser)


def options_and_checkpoint(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> "tuple[RunOptions, str]":
    """The options of a run, and the checkpoint, that a tool with `add_checkpoint` was called with."""
    if len(arguments.paths) > 2:
        parser.error(f"expected CHECKPOINT or CONFIG CHECKPOINT, not {len(arguments.paths)} files")
    *config, checkpoint = arguments.paths
    check_checkpoint(checkpoint)
    from cefl_bench.commands.setup import RunOptions

    known = {field.name for field in dataclasses.fields(RunOptions)}
    given = {name: value for name, value in vars(arguments).items() if name in known}
    return RunOptions(config[0] if config else None, **given), checkpoint


def add_compute(parser: argparse.ArgumentParser) -> None:
    """The compute switches, which are `compute` in a config; one that is not given is the config's."""
    group = parser.add_argument_group(
        "compute switches", "for speed; tools/speed.py CONFIG --sweep measures which of them help a model on a device"
    )
    add = group.add_argument
    told = "; ".join(f"{name}: {meaning}" for name, meaning in PRECISIONS.items())
    add("--precision", choices=tuple(PRECISIONS), help=f"{told}; it is part of the protocol")
    told = "; ".join(f"{name}: {meaning}" for name, meaning in MEMORY_FORMATS.items())
    add("--memory-format", choices=tuple(MEMORY_FORMATS), help=told)
    for name, meaning in (
        ("--compile", "let torch.compile take backbone and aggregator"),
        ("--cuda-graphs", "with torch.compile, one launch for all kernels: for small networks, on a GPU"),
        ("--fused", "the optimiser's step in one kernel"),
        ("--deterministic", "only operators that give the same bits each time, also where cuDNN has faster ones"),
    ):
        add(name, action="store_const", const=True, help=meaning)


def compute_given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The compute switches that were given. They are taken out of the arguments."""
    names = ("precision", "memory_format", "compile", "cuda_graphs", "fused", "deterministic")
    given = {name: vars(arguments).pop(name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def add_amp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--amp",
        action="store_true",
        help="mixed precision: --precision bf16, or fp16 on a GPU that has no bfloat16",
    )


def add_folds(parser: argparse.ArgumentParser) -> None:
    """Which folds, and the table that those by source are made of."""
    parser.add_argument(
        "--folds",
        choices=("official", "by-source"),
        help="by-source: as many folds, with no film or recording on both sides; it is another protocol",
    )
    parser.add_argument(
        "--sources", type=file_path, metavar="FILE", help="a CSV name,source of all videos, where the corpus has none"
    )


def take_folds(arguments: argparse.Namespace) -> None:
    """Make options of the config of what `add_folds` was given. They are taken out of the arguments."""
    folds, sources = vars(arguments).pop("folds"), vars(arguments).pop("sources")
    given = [] if folds is None else [f"corpus.folds={folds}"]
    if sources is not None:
        from cefl_bench.files import check_file

        check_file(sources, "table of sources", "a CSV with the columns name,source")
        given.append(f"corpus.sources={Path(sources).absolute()}")
    arguments.cfg_options = [*given, *arguments.cfg_options]


def add_no_pack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-pack", action="store_true", help="decode videos, even if packed frames exist")


def add_data_on(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-on",
        choices=("auto", "device", "pinned", "mmap"),
        help="where packed frames wait: in the GPU's memory, or in the host's, locked for the GPU or not "
        "(default: auto, the first that can be)",
    )


def add_price(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--price",
        type=float,
        metavar="P",
        help="of an hour of one GPU (of this machine where there is none), to project what the work costs",
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--launcher",
        choices=LAUNCHERS,
        default="none",
        help="what started the processes: pytorch is torchrun, slurm is srun",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: all cores)"
    )


def add_choices(parser: argparse.ArgumentParser) -> None:
    """How videos of one's own are looked at."""
    parser.add_argument(
        "--faces",
        choices=("auto", "find", "none"),
        default="auto",
        help="find the faces, or take the whole frame for one (none), as in clips that show nothing but a face; auto "
        "(default) finds them, but in folders of crops that a prepare tool made",
    )
    parser.add_argument(
        "--find-every",
        type=float,
        metavar="S",
        help="seconds from one frame in which faces are looked for to the next, between which they move evenly; 0 "
        "looks at every frame, which is slower (default 0.08)",
    )
    parser.add_argument(
        "--window",
        type=_seconds_or_whole,
        metavar="S",
        help="seconds that are judged together, or whole for all of a short video (default: as long as the training "
        "videos are)",
    )
    parser.add_argument(
        "--stride",
        type=float,
        metavar="S",
        help="seconds from one window to the next; more is faster (default: half a window)",
    )
    parser.add_argument(
        "--batch-size", type=int, default=8, metavar="N", help="windows that the network sees at a time (default 8)"
    )


def choices_given(arguments: argparse.Namespace) -> "Choices":
    """What `add_choices` read."""
    from cefl_bench.predict.predictor import Choices

    names = ("faces", "window", "stride", "batch_size", "find_every")
    return Choices(**{name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None})


def _seconds_or_whole(text: str) -> float:
    try:
        return math.inf if text == "whole" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of seconds, or whole") from None


def configs_of(arguments: argparse.Namespace) -> "list[Config]":
    """The configs that `add_config` read."""
    from cefl_bench.config import load_config
    from cefl_bench.config_options import parse_options

    paths = arguments.configs if hasattr(arguments, "configs") else [arguments.config]
    options = parse_options(arguments.cfg_options)
    return [load_config(path, options, dataset=arguments.dataset) for path in paths]
