"""A JSON document with one value at a time made wrong: every leaf and every branch, by every kind of value."""

import copy
from collections.abc import Iterator
from typing import Any

DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
WRONG = {
    "null": None,
    "true": True,
    "negative": -1,
    "zero": 0,
    "huge": 10**30,
    "beyond floats": 10**400,
    "fraction": 0.5,
    "large float": 1e300,
    "empty text": "",
    "text": "abc",
    "hostile text": '=<img src=x onerror=f()>\n\n# $\\frac$ | `x` & \x07\x00 "quoted" [x](javascript:f) 高兴',
    "long text": "x" * 300_000,
    "no list": [],
    "list": [1],
    "list of texts": ["a", "b"],
    "no object": {},
    "object": {"a": 1},
    "deep": DEEP,
}
GONE = object()


def paths(value: Any, prefix: tuple = ()) -> Iterator[tuple]:
    """Where every value of a document is; of a list only the first and the last."""
    if prefix:
        yield prefix
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*prefix, key))
    elif isinstance(value, list):
        for place in sorted({0, len(value) - 1} if value else ()):
            yield from paths(value[place], (*prefix, place))


def with_value(document: Any, path: tuple, value: Any) -> Any:
    """The document with another value at a path, or without it (`GONE`); the original stays as it is."""
    if not path:
        return value
    changed = copy.copy(document)
    if value is GONE and len(path) == 1:
        del changed[path[0]]
    else:
        changed[path[0]] = with_value(document[path[0]], path[1:], value)
    return changed
