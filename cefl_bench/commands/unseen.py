"""No video that a model was trained on is in its test, whatever has become of the lists since."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress

from mmengine.config import Config

from cefl_bench.config import HELD_OUT
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import expanded
from cefl_bench.functional.protocol import is_other_corpus
from cefl_bench.runs import checkpoints

MARK_LETTERS = 12
"""Hex digits of a name's hash; that any two of 10,000 names share them has a chance of 2 in ten million."""


def marks(dataset: VideoDataset) -> set[str]:
    """What a checkpoint keeps of the names of the videos that it was trained on: the start of each one's hash.

    Names of videos are unique in a corpus and the same in all copies of it; a hash tells nobody what they are.
    """
    return {_mark(entry["name"]) for entry in dataset.entries()}


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
    if seen := _seen(dataset, meta.get("learned_from", ())):
        which = "held-out" if loader == HELD_OUT else "test"
        raise UserError(
            f"checkpoint {checkpoint!r} was trained on {len(seen)} of the {len(dataset)} {which} videos, such as "
            f"{seen[0]!r}: the lists of the corpus have changed since; set them back, or train anew"
        )


def learned_before(config: Config, corpus: str, test_set: VideoDataset) -> list[str]:
    """The marks of the videos of a corpus that the weights a training starts from have learnt from.

    Nothing is known of weights of other code, and of another corpus nothing matters.

    Raises:
        UserError: when some of them are in the test.
    """
    file = (config.model.backbone.get("init_cfg") or {}).get("checkpoint")
    if not file:
        return []
    path = expanded(file)
    meta = None
    with suppress(UserError):  # weights of other code may say things of their own
        meta = checkpoints.meta_of(checkpoints.load(path), path)
    if meta is None or meta.get("trained_on") != corpus:
        return []
    learned = meta.get("learned_from", [])
    if not is_other_corpus(config.test_dataloader.dataset) and (seen := _seen(test_set, learned)):
        raise UserError(
            f"init_cfg: {file} was trained on {len(seen)} of the {len(test_set)} test videos, such as {seen[0]!r}: "
            "start from other weights, or test the fold that these were trained for"
        )
    return learned


def _seen(dataset: VideoDataset, learned: Iterable[str]) -> list[str]:
    """The names of the videos that are among what was learnt from."""
    known = frozenset(learned)
    return [entry["name"] for entry in dataset.entries() if _mark(entry["name"]) in known]


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:MARK_LETTERS]
