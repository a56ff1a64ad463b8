"""What the tools in tools/prepare share: is a corpus unpacked as it should be, and the crops of its faces."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cefl_bench.errors import UserError
from cefl_bench.files import data_home, expanded

if TYPE_CHECKING:  # a tool's --help is quick
    from cefl_bench.datasets.base import VideoDataset


def parser_for(key: str, description: str) -> argparse.ArgumentParser:
    """A parser that shows `description` as it stands, with the option --root."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--root",
        type=expanded,
        default=data_home() / key,
        help=f"the corpus (default: {key} in $CEFL_BENCH_DATA or data/)",
    )
    return parser


def add_crop_options(parser: argparse.ArgumentParser) -> None:
    """The options of `crop_faces`. `CropRule` checks the numbers."""
    options = parser.add_argument_group(
        "crops",
        "CenterFace finds the faces; one is followed, turned until its eyes are level, and cut out as a\n"
        "square around its box, into ROOT/NAME/<video>/000001.jpg (quality 95), a frame's number in the\n"
        "video, with track.csv beside them. ROOT/NAME/faces.csv lists all videos at the end. A stopped\n"
        "run goes on where it stopped: call it again.",
    )
    options.add_argument("--name", help="folder of the crops below ROOT (default: faces_SIZE)")
    options.add_argument("--size", type=int, default=224, help="height and width in pixels (default: 224)")
    options.add_argument(
        "--margin", type=float, default=0.01, help="share of the box added on every side (default: 0.01)"
    )
    options.add_argument(
        "--policy",
        default="keep-last",
        help="a frame without a face is cut where the face was last (keep-last), kept whole with black bars "
        "(full-frame), or left out (drop); a video without any is kept whole (default: keep-last)",
    )
    options.add_argument(
        "--detect-size",
        type=int,
        default=320,
        help="longer side in pixels at which faces are looked for; a larger one finds smaller faces (default: 320)",
    )
    options.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: all cores)")


def check_corpus(dataset: "type[VideoDataset]", root: Path, may_lack: int = 0, **arguments) -> dict[str, Path]:
    """Print how many videos every fold has, against the official numbers; give every video's path by its name.

    Args:
        may_lack: how many videos the official copy lists but lacks.

    Raises:
        UserError: when a list or a video is missing, or a fold has another number of test videos than officially.
    """
    paths, wrong = _survey(dataset, root, may_lack, arguments)
    if wrong:
        raise UserError(f"{dataset.METAINFO['name']} is not complete: {'; '.join(wrong)}: unpack it again")
    return paths


def crop_corpus(dataset: "type[VideoDataset]", arguments: argparse.Namespace, **more) -> None:
    """Crop the faces of all videos of a corpus that are there.

    Raises:
        UserError: when some could not be read or, when all are done, that the corpus is not complete.
    """
    paths, wrong = _survey(dataset, arguments.root, 0, more)
    crop_faces(paths, arguments)
    if wrong:
        raise UserError(
            f"{dataset.METAINFO['name']} is not complete: {'; '.join(wrong)}: unpack the rest and run the same command "
            "again; what is there is done"
        )


def crop_faces(videos: Mapping[str, Path], arguments: argparse.Namespace) -> None:
    """Crop the faces of videos by what `add_crop_options` read, and print what was found.

    Raises:
        UserError: naming the number of videos that cannot be decoded, when all others are done.
    """
    from cefl_bench.faces.crop import CropRule
    from cefl_bench.faces.production import crop_videos, summary

    if arguments.workers < 1:
        raise UserError(f"--workers is {arguments.workers}: expected at least 1")
    rule = CropRule(arguments.size, arguments.margin, arguments.policy, arguments.detect_size)
    name = arguments.name or f"faces_{rule.size}"
    if Path(name).name != name or name == "video":
        raise UserError(f"--name is {name!r}: expected the name of a folder, and not video")
    out = arguments.root / name
    results = crop_videos(videos, out, rule, arguments.workers)
    print(*summary(results, rule.policy), f"{out / 'faces.csv'}: configs read it by frames={name!r}", sep="\n")
    if failures := [result for result in results.values() if isinstance(result, str)]:
        print(*failures, sep="\n", file=sys.stderr)
        raise UserError(
            f"{len(failures)} of {len(videos)} videos could not be read, all others are done: repair them and run the "
            "same command again"
        )


def videos_listed(root: Path, lists: str) -> dict[str, Path]:
    """Name -> path of every video in a CSV `name,path,...` below `root`, as `CSVVideos` reads it.

    Raises:
        UserError: when a name stands for two videos; one video may stand in several rows, of several folds.
    """
    from cefl_bench.files import described, inside
    from cefl_bench.tables import filled, read_table

    path = inside(root, lists)
    if not path.is_file():
        raise UserError(
            f"{described(path)} does not exist: expected a CSV with the header name,path,label,split; --root says "
            "where it lies, or CEFL_BENCH_DATA where all corpora do"
        )
    videos: dict[str, Path] = {}
    for where, row in read_table(path, "name", "path"):
        name, video = filled(where, row, "name"), inside(root, row["path"])
        if videos.setdefault(name, video) != video:
            raise UserError(
                f"{where}: name {name!r} stands for {video} here and for {videos[name]} before: expected a name of its "
                "own for each video"
            )
    return videos


def _survey(
    dataset: "type[VideoDataset]", root: Path, may_lack: int, arguments: Mapping[str, Any]
) -> tuple[dict[str, Path], list[str]]:
    """Print the table; every video's path by its name, and what is wrong."""
    paths: dict[str, Path] = {}
    notes: dict[str, None] = {}
    wrong = []
    for fold in range(1, dataset.METAINFO["num_folds"] + 1):
        train, test = (dataset(str(root.absolute()), split, fold=fold, **arguments) for split in ("train", "test"))
        for side in (train, test):
            entries = [side.get_data_info(index) for index in range(len(side))]
            paths |= {entry["name"]: Path(entry["path"]) for entry in entries}
            notes |= dict.fromkeys(side.notes)
        if fold == 1:  # the corpus is there
            print(f"{dataset.METAINFO['name']} at {root}\nfold    train     test")
        print(f"{fold:>4}{len(train):>9,}{len(test):>9,}")
        if (official := test.num_official_clips()) not in (None, len(test)):
            wrong.append(f"fold {fold} has {len(test)} test videos, officially {official}")
    official = dataset.METAINFO["num_clips"]
    print(f"{len(paths):,} videos" + (f" of {official:,} of the official corpus" if official else ""))
    for note in notes:
        print(note)
    missing = [path for path in paths.values() if not path.exists()]
    if len(missing) > may_lack:
        wrong.insert(0, f"{len(missing)} of {len(paths)} videos are missing, such as {missing[0]}")
    elif missing:
        print(f"{len(missing)} are missing, as in the official copy: {', '.join(map(str, missing))}")
    return paths, wrong
