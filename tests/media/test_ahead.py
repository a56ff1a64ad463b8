"""An iterator that works ahead: the same items in the same order, errors in their place, and no thread left behind."""

import threading
import time

import pytest

from cefl_bench.media.ahead import ahead


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_items_come_in_order_out_of_another_thread():
    made_in = []

    def items():
        for number in [*range(20), None]:
            made_in.append(threading.current_thread())
            yield number

    assert list(ahead(items())) == [*range(20), None]
    assert threading.main_thread() not in made_in and not threads()
    assert list(ahead([])) == []


def test_no_more_are_made_than_were_asked_for():
    made, enough = [], threading.Event()

    def items():
        for number in range(100):
            made.append(number)
            if len(made) == 4:
                enough.set()
            yield number

    given = ahead(items(), num=3)
    assert next(given) == 0 and enough.wait(10), "the others are made while the first one is looked at"
    given.close()
    assert made == [0, 1, 2, 3] and not threads()


def test_an_error_comes_where_the_next_item_would():
    def items():
        yield from (1, 2)
        raise KeyError("three")

    found = []
    with pytest.raises(KeyError, match="three"):
        for item in ahead(items()):
            found.append(item)
    assert found == [1, 2] and not threads()


def test_an_error_of_the_caller_ends_the_thread():
    given = ahead(iter(range(100)))
    with pytest.raises(ValueError):
        given.throw(ValueError) if next(given) == 0 else None
    assert not threads()


def test_nothing_is_made_any_more_where_ctrl_c_interrupts_the_start_of_the_thread(monkeypatch):
    """The executor notes a thread once it has started: of one that is running by then it would know nothing."""
    begun, at_work = threading.Event(), threading.Event()

    def items():
        for number in range(100):
            at_work.set()
            begun.set()
            time.sleep(0.2)
            at_work.clear()
            yield number

    def start(thread):
        started(thread)
        assert begun.wait(10)
        raise KeyboardInterrupt

    started = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        next(ahead(items()))
    assert not at_work.is_set(), "a file that is closed now would be read"
