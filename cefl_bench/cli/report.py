"""Compare the runs of a folder: python tools/report.py D"""

import argparse

from cefl_bench.errors import UserError, one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Leaderboards with intervals, paired tests and ranks, from the runs in D/CONFIG/foldK_seedS/, into "
        "D/report/.",
        epilog="example: python tools/report.py runs --add-external my_net set_1.csv --dataset dfew --fold 1; the file "
        "has columns name,label,pred or name,label,score_0,..; labels count from 0, in the official order",
    )
    parser.add_argument("folder", metavar="D", help="the folder that runs were written to")
    parser.add_argument(
        "--add-external", nargs="+", default=(), metavar="NAME FILE", help="first take in predictions of other code"
    )
    parser.add_argument("--dataset", help="the corpus of --add-external: its name, or its key in config names")
    parser.add_argument("--fold", nargs="+", type=int, default=(), metavar="K", help="the folds of --add-external")
    parser.add_argument("--source", default="", metavar="TEXT", help="where --add-external comes from: a paper, a URL")
    parser.add_argument(
        "--scores", choices=("logits", "probabilities"), default="logits", help="what scores of --add-external are"
    )
    return parser.parse_args()


@one_line_errors
def main() -> None:
    given = parse_arguments()
    from cefl_bench.report.external import add_external  # here, so that --help need not wait
    from cefl_bench.report.pages import write_report

    if given.add_external:
        name, *files = given.add_external
        if not files or not given.dataset or not given.fold:
            raise UserError("--add-external: expected a NAME and at least one FILE, with --dataset and --fold")
        added = add_external(given.folder, name, files, given.dataset, given.fold, given.scores, given.source)
        print(f"added {added}")
    folder, left_out = write_report(given.folder)
    for line in left_out:
        print(f"left out: {line}")
    print(f"wrote {', '.join(sorted(path.name for path in folder.iterdir()))} in {folder}")
