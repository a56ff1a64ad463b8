"""A promise that a part or a config makes, and how it is told whether it is kept."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from cefl_bench.cost.ledger import one_line
from cefl_bench.errors import UserError

Subject = TypeVar("Subject")


class Broken(UserError):
    """A promise that is not kept: what was found, and what was expected."""


class Outcome(NamedTuple):
    """Whether one promise is kept."""

    subject: str
    """Who makes it, such as `backbone MyNet`."""
    promise: str
    broken: str | None
    """Why it is not kept; None where it is."""


def outcomes(name: str, subject: Subject, promises: Mapping[str, Callable[[Subject], None]]) -> Iterator[Outcome]:
    """Check every promise of a subject; one that is broken stops none of the others.

    Args:
        promises: what is promised -> a function that raises where it is not kept.
    """
    for promise, check in promises.items():
        broken = None
        try:
            check(subject)
        except UserError as error:
            broken = str(error)
        except Exception as error:  # code of any kind is checked
            broken = one_line(error)
        yield Outcome(name, promise, broken)


def expect(kept: bool, otherwise: str) -> None:
    """Raise `Broken` with the reason where a promise is not kept."""
    if not kept:
        raise Broken(otherwise)
