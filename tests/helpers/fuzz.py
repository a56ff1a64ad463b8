"""Loads mutated checkpoints, in a process of its own: one that corrupts memory would take the tests with it."""

import io
import multiprocessing
import pickle
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def load_mutated(path: Path, number: int) -> Counter:
    """Load so many; gives how many were `loaded` and `refused`, in one line each."""
    original, draw, seen = path.read_bytes(), random.Random(0), Counter()
    spoiled = path.with_name("spoiled.pth")
    for _ in range(number):
        spoiled.write_bytes(mutated(original, draw))
        seen[load(spoiled)] += 1
    return seen


def load(path: Path) -> str:
    """`loaded` or `refused`."""
    try:
        checkpoint = checkpoints.load(path)
        checkpoints.meta_of(checkpoint, path)
        checkpoints.fill(torch.nn.Linear(3, 2), checkpoint, path)
    except UserError as error:
        assert "\n" not in str(error), error
        return "refused"
    return "loaded"


def in_a_process_of_its_own(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives, called in a fork of this process, which has to end well."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: there.send(function(*arguments)))
    child.start()
    child.join(150)
    child.kill()
    assert child.exitcode == 0, f"ended with {child.exitcode}"
    return here.recv()
