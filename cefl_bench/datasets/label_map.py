"""The classes of one corpus in terms of another's, for a model that is tested on what it was not trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

from cefl_bench.errors import UserError


def classes_of(corpus: Any) -> Sequence[str]:
    """The class names of a dataset class, or names that are given as they are."""
    return getattr(corpus, "METAINFO", {"classes": corpus})["classes"]


def labels_of_model(
    label_map: Mapping[str, str], corpus_classes: Sequence[str], model_classes: Sequence[str]
) -> dict[int, int]:
    """A label of a corpus -> the label of a model, by a map between the names of their classes.

    Raises:
        UserError: when a name is not of the corpus, or not of the model, or fewer than two classes are left.
    """
    for what, names, known in (
        ("of this corpus", label_map, corpus_classes),
        ("in classes_as", label_map.values(), model_classes),
    ):
        if unknown := [name for name in names if name not in known]:
            raise UserError(f"label_map: {unknown[0]!r} is no class {what}: expected one of {', '.join(known)}")
    if len(set(label_map.values())) < 2:
        raise UserError(f"label_map leads to {len(set(label_map.values()))} classes: expected two or more")
    return {corpus_classes.index(name): model_classes.index(label_map[name]) for name in label_map}
