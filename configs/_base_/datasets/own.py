"""Videos of your own: faces cut out by tools/prepare/own.py.

Copy this file, set the name, the classes in the order of their labels and the number of folds, and give the copy to any
tool: --dataset my_corpus.py. Where the videos show nothing but a face, set frames="video".
"""

from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.metrics.recall import Recall

corpus = dict(
    type=CSVVideos,
    name="own videos",
    classes=("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
    num_folds=1,
    lists="videos.csv",
    data_root="own",
    frames="faces_224",
)
val_evaluator = [dict(type=Recall)]
test_evaluator = val_evaluator
