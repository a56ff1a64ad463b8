"""Promises, as tests look at them."""

from collections.abc import Iterable

import pytest
from mmengine.registry import Registry

from cefl_bench.contracts.promise import Outcome


def assert_kept(outcomes: Iterable[Outcome]) -> None:
    """Fail with every promise that is broken."""
    found = list(outcomes)
    broken = [f"{subject}: {promise}: {reason}" for subject, promise, reason in found if reason is not None]
    assert found and not broken, "\n".join(broken)


def broken(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """The promises that are broken -> why."""
    return {promise: reason for _, promise, reason in outcomes if reason is not None}


def make_room(monkeypatch: pytest.MonkeyPatch, registry: Registry, name: str) -> None:
    """Take out of a registry, until the test is over, what a file of the checkout registered by that name."""
    registry.import_from_location()
    monkeypatch.delitem(registry.module_dict, name, raising=False)
