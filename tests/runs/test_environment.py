"""What a result says of the machine and the software."""

import subprocess

import pytest
from helpers.run import ROOT

from cefl_bench.runs.environment import environment


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the repository of the checkout")
def test_a_result_of_a_checkout_names_its_commit():
    def git(*command: str) -> str:
        return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    assert environment()["git"] == dict(commit=git("rev-parse", "HEAD"), dirty=bool(git("status", "--porcelain")))
