"""No video that a model was trained on is in its test, whatever has become of the lists since."""

import hashlib
from collections.abc import Iterable

from mmengine.config import Config

from cefl_bench.config import HELD_OUT
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import is_other_corpus
from cefl_bench.runs import checkpoints

MARK_LETTERS = 12


def marks(names: Iterable[str]) -> list[str]:
    """What a checkpoint keeps of the names of the videos that it was trained on: the start of each one's hash, sorted.

    Names of videos are unique in a corpus and the same in all copies of it; a hash tells nobody what they are.
    """
    return sorted(_mark(name) for name in names)


def check_unseen(dataset: VideoDataset, loader: str, config: Config, checkpoint: str) -> None:
    """Refuse to score a model on videos that it was trained on; of another corpus than its own nothing is said.

    Args:
        dataset: what it is to be scored on.
        loader: which of the config's loaders reads it.

    Raises:
        UserError: telling how many, and one of them.
    """
    meta = checkpoints.meta_of(checkpoints.load(checkpoint), checkpoint)
    if meta is None or is_other_corpus(config[loader].dataset):
        return
    learned = frozenset(meta.get("learned_from", ()))
    names = [entry["name"] for entry in dataset.entries()]
    seen = [name for name in names if _mark(name) in learned]
    if seen:
        which = "held-out" if loader == HELD_OUT else "test"
        raise UserError(
            f"checkpoint {checkpoint!r} was trained on {len(seen)} of the {len(names)} {which} videos, such as "
            f"{seen[0]!r}: the lists of the corpus have changed since; set them back, or train anew"
        )


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:MARK_LETTERS]
