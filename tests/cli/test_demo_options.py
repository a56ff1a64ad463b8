"""What is given to `tools/demo.py` reaches the page: how videos are looked at, and its limits."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from cefl_bench.cli.demo import main
from cefl_bench.page import server
from cefl_bench.page.jobs import Limits
from cefl_bench.predict.predictor import Choices


def test_options_reach_the_page(monkeypatch):
    served = []

    @contextmanager
    def serving(predictor, *how):
        served.append((predictor.about.method, *how))
        yield "an address"

    monkeypatch.setattr(server, "serving", serving)
    monkeypatch.setattr(server, "signal", SimpleNamespace(signal=lambda *_: None, default_int_handler=None))
    monkeypatch.setattr(server, "threading", SimpleNamespace(Event=lambda: SimpleNamespace(wait=lambda: None)))
    options = ["--port", "0", "--max-seconds", "9", "--faces", "none", "--find-every", "0", "--stride", "0.5"]
    monkeypatch.setattr(sys, "argv", ["demo.py", *options, "--window", "whole", "--batch-size", "3"])
    main()
    choices = Choices(faces="none", find_every=0, stride=0.5, window=float("inf"), batch_size=3)
    assert served == [("CEFLNet", "127.0.0.1", 0, Limits(200 * 2**20, 9), choices)]


def test_a_window_that_is_no_number_is_told_in_words(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["demo.py", "--window", "abc"])
    with pytest.raises(SystemExit):
        main()
    assert "argument --window: 'abc': expected a number of seconds, or whole" in capsys.readouterr().err
