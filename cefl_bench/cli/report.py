"""Compare the runs of a folder: python tools/report.py D"""

import argparse

from cefl_bench.errors import UserError, one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Leaderboards with intervals, paired tests and ranks, from the runs in D/CONFIG/foldK_seedS/, into "
        "D/report/. Predictions of other code are compared with them, or with one another where D holds no run.",
        epilog="example: python tools/report.py runs --add-external my_net set_1.csv --dataset dfew --fold 1; a file "
        "has columns name,label,pred or name,label,score_0,.. (logit_0, prob_0, video, target, prediction and other "
        "usual names are known); labels count from 0, in the order of the classes; name is that of the clip in the "
        "lists of its corpus, as in the predictions.csv of a run: 00001 for 1.mp4 of DFEW, else the name of the file "
        "without its ending",
    )
    parser.add_argument("folder", metavar="D", help="the folder that runs were written to")
    parser.add_argument(
        "--add-external",
        nargs="+",
        default=(),
        metavar="NAME FILE",
        help="first take in predictions of other code: one file for all folds, or one for each fold",
    )
    parser.add_argument("--dataset", help="the corpus of --add-external: its name, or its key in config names")
    parser.add_argument("--fold", nargs="+", type=int, default=(), metavar="K", help="the folds of --add-external")
    parser.add_argument("--source", default="", metavar="TEXT", help="where --add-external comes from: a paper, a URL")
    parser.add_argument(
        "--scores",
        choices=("logits", "probabilities"),
        help="what scores of --add-external are (default: as their columns say, else logits)",
    )
    parser.add_argument(
        "--classes", metavar="A,B,..", help="class names of --add-external, for a corpus that the toolkit does not know"
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    given = parse_arguments()
    folder, left_out = _with_external(given) if given.add_external else _of_runs(given.folder)
    for line in left_out:
        print(f"left out: {line}")
    print(f"wrote {', '.join(sorted(path.name for path in folder.iterdir()))} in {folder}")


def _of_runs(folder: str):
    from cefl_bench.report.pages import write_report  # here, so that --help need not wait

    return write_report(folder)


def _with_external(given: argparse.Namespace):
    name, *files = given.add_external
    if not files or not given.dataset or not given.fold:
        raise UserError("--add-external: expected a NAME and at least one FILE, with --dataset and --fold")
    from cefl_bench.commands.report import NewExternal, report_with

    classes = given.classes.split(",") if given.classes else ()
    new = NewExternal(name, files, given.dataset, given.fold, given.scores, given.source, classes)
    added, folder, left_out = report_with(given.folder, new)
    print(f"added {added}")
    return folder, left_out
