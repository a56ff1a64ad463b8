"""Score anybody's predictions: python tools/score.py predictions.csv"""

import argparse

from cefl_bench.cli.options import file_path
from cefl_bench.errors import one_line_errors


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="UAR, WAR, F1, per-class recall and the confusion matrix of a predictions.csv.",
        epilog="columns: name,label,pred or name,label,score_0,score_1,.. (logit_0, prob_0, video, target, prediction "
        "and other usual names are known); classes count from 0; several rows of one name are averaged as "
        "probabilities; a row with pred -1, or scores nan, is unanswered, and a name without any other counts as wrong",
    )
    parser.add_argument("predictions", help="the CSV file")
    parser.add_argument(
        "--scores",
        choices=("logits", "probabilities"),
        help="what the scores are (default: as their columns say, else logits)",
    )
    parser.add_argument("--classes", metavar="A,B,..", help="class names in the order of the labels, for the table")
    parser.add_argument("--json", type=file_path, metavar="F", help="also write the numbers to this file")
    return parser.parse_args()


@one_line_errors
def main() -> None:
    arguments = parse_arguments()
    from cefl_bench.report.scores import score_file, scores_table  # here, so that --help need not wait

    classes = arguments.classes.split(",") if arguments.classes else None
    scores = score_file(arguments.predictions, arguments.scores, classes, arguments.json)
    print(scores_table(scores))
