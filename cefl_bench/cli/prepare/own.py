"""Cut out the faces of videos of your own: python tools/prepare/own.py

page     none: the videos are yours
licence  yours to choose
layout   ROOT/videos.csv with the header name,path,label and fold, split or both; paths start at ROOT
"""

from cefl_bench.commands.prepare import add_crop_options, crop_faces, parser_for, videos_listed
from cefl_bench.errors import one_line_errors


@one_line_errors
def main() -> None:
    parser = parser_for("own", __doc__)
    parser.add_argument("--lists", default="videos.csv", help="the CSV below ROOT (default: videos.csv)")
    add_crop_options(parser)
    arguments = parser.parse_args()
    crop_faces(videos_listed(arguments.root, arguments.lists), arguments)
