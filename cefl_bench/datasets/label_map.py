"""The classes of one corpus in terms of another's, for a model that is tested on what it was not trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

from cefl_bench.errors import UserError


def classes_of(corpus: Any) -> Sequence[str]:
    """The class names of a dataset class, or names that are given as they are."""
    return getattr(corpus, "METAINFO", {"classes": corpus})["classes"]


def labels_there(label_map: Mapping[str, str], here: Sequence[str], there: Sequence[str]) -> dict[int, int]:
    """Class names of a corpus -> class names of a model, as labels.

    Raises:
        UserError: when a name is not of the corpus, or not of the model, or fewer than two classes are left.
    """
    for what, names, known in (("of this corpus", label_map, here), ("in classes_as", label_map.values(), there)):
        if unknown := [name for name in names if name not in known]:
            raise UserError(f"label_map: {unknown[0]!r} is no class {what}: expected one of {', '.join(known)}")
    if len(set(label_map.values())) < 2:
        raise UserError(f"label_map leads to {len(set(label_map.values()))} classes: expected two or more")
    return {here.index(name): there.index(label_map[name]) for name in label_map}
