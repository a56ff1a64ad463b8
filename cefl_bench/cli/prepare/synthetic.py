"""Render the embedded synthetic face-video corpus: python tools/prepare/synthetic.py --preset demo"""

import argparse
import os

from cefl_bench.errors import UserError, one_line_errors
from cefl_bench.files import data_home, expanded
from cefl_bench.synthesis.corpus import PRESETS, Corpus
from cefl_bench.synthesis.production import produce


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Render videos of 3D faces whose emotion, identity and intensity are known, on the CPU. "
        "A stopped run goes on where it stopped: call it again.",
        epilog="presets (videos, frames in each, people, folds): "
        + "; ".join(
            f"{name} {preset.num_videos}, {preset.min_frames}-{preset.max_frames}, "
            f"{preset.num_folds * preset.subjects_per_fold}, {preset.num_folds}"
            for name, preset in PRESETS.items()
        ),
    )
    parser.add_argument("--preset", default="demo", help=f"{', '.join(PRESETS)} (default: demo)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other people and videos (default: 0)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: all cores)")
    parser.add_argument(
        "--out", type=expanded, help="folder to write to (default: synthetic_PRESET in $CEFL_BENCH_DATA, else in data/)"
    )
    parser.add_argument("--sheet", type=expanded, help="write a contact sheet of an existing corpus as .png, and stop")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    if arguments.preset not in PRESETS:
        raise UserError(f"unknown preset {arguments.preset!r}: expected one of {', '.join(PRESETS)}")
    if arguments.workers < 1 or arguments.seed < 0:
        raise UserError("--workers must be at least 1 and --seed at least 0")
    corpus = Corpus(arguments.preset, arguments.seed, arguments.out or data_home() / f"synthetic_{arguments.preset}")
    if arguments.sheet:
        from cefl_bench.synthesis.sheet import write_sheet

        write_sheet(corpus, arguments.sheet)
        print(f"wrote {arguments.sheet}")
        return
    if not corpus.is_complete():
        produce(corpus, arguments.workers)
    corpus.claim()
    print(f"{corpus.root} is complete: {len(corpus.videos())} videos, labels.csv, intensities.csv, card.json")
    warning = corpus.warning()
    if warning:
        print(warning)
