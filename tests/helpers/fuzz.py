"""Loads mutated checkpoints, in a process of its own: python fuzz.py CHECKPOINT NUMBER; prints what was seen."""

import io
import pickle
import random
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from cefl_bench.errors import UserError
from cefl_bench.runs import checkpoints

SNIPPETS = [
    pickle.dumps(value, protocol=2)[2:-1]
    for value in (np.zeros(3), np.float64(2), np.array(["a"], dtype=object), np.zeros(2, dtype="c16"), {1: 2}, 2**80)
]
"""What a pickle may hold in the middle: inserted at random places."""


def mutated(original: bytes, draw: random.Random) -> bytes:
    """A checkpoint with bytes changed, cut or put in; in half of all cases within its pickle, in a valid archive."""
    if draw.random() < 0.5:
        return _spoiled(original, draw)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(original)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, _spoiled(content, draw) if name.endswith("data.pkl") else content)
    return out.getvalue()


def _spoiled(content: bytes, draw: random.Random) -> bytes:
    spoiled = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = draw.randrange(len(spoiled) + 1)
        kind = draw.randrange(4)
        if kind == 0 and place < len(spoiled):
            spoiled[place] = draw.randrange(256)
        elif kind == 1:
            del spoiled[place : place + draw.randrange(1, 30)]
        elif kind == 2:
            spoiled[place:place] = draw.choice(SNIPPETS)
        else:
            spoiled[place:place] = spoiled[draw.randrange(len(spoiled) + 1) :][: draw.randrange(1, 40)]
    return bytes(spoiled)


def main(path: Path, number: int) -> None:
    original, draw, seen = path.read_bytes(), random.Random(0), Counter()
    model = torch.nn.Linear(3, 2)
    spoiled = path.with_name("spoiled.pth")
    for _ in range(number):
        spoiled.write_bytes(mutated(original, draw))
        try:
            checkpoint = checkpoints.load(spoiled)
            checkpoints.meta_of(checkpoint, spoiled)
            checkpoints.fill(model, checkpoint, spoiled)
            seen["loaded"] += 1
        except UserError as error:
            assert "\n" not in str(error), error
            seen["refused"] += 1
    print(f"{seen['loaded']} loaded, {seen['refused']} refused")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
