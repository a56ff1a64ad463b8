"""model_zoo.md: what it shows comes from files, and a stale page or a result of another protocol is refused."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, run_tool

from cefl_bench.report.model_zoo import Row, Section, zoo_page
from cefl_bench.report.published import CSV, Published, published

META = dict(key="dfew", name="DFEW", classes=("happy", "sad"), num_folds=5, num_clips=11_697)
COST = dict(params=13_000_000, macs=4_200_000_000)


def result(fold: int, uar: float) -> dict:
    scores = {"last": {"uar": uar, "war": uar}, "best_test": {"uar": uar + 0.1, "war": uar + 0.1}}
    return dict(metrics=scores, fold=fold, seed=0, protocol_id="abc", environment=dict(device="CPU"))


def test_measured_and_reported_stand_apart_and_nothing_is_invented():
    rows = [
        Row("ceflnet_dfew", "CEFLNet", "fair", COST, [result(1, 0.4), result(3, 0.5)]),
        Row("c3d_dfew", "C3D", "fair", COST | {"macs": 1}, []),
        Row("c3d_dfew_paper", "C3D", "paper", COST, []),
    ]
    reported = [Published("dfew", "C3D", "", "53.54", "Jiang et al.", "")]
    page = zoo_page([Section(META, rows, reported)])
    fair, paper, literature = page.split("\n### ")[1:]
    assert (
        "| CEFLNet | [ceflnet_dfew](configs/ceflnet_dfew.py) | 13.00 M | 4.20 G | 45.0 / 45.0 | 55.0 / 55.0 |" in fair
    )
    assert "fold 1, 3; seed 0" in fair and "protocol abc" in fair
    assert fair.index("| C3D |") < fair.index("| CEFLNet |"), "cheapest first"
    assert "| 0.00 G |  |  |  |" in fair and "53.54" not in fair
    assert "c3d_dfew_paper" in paper and "Measured with" not in paper
    assert "| C3D |  | 53.54 | Jiang et al. |" in literature


def test_published_numbers_have_a_source_and_are_percentages():
    datasets = {line.split(",")[0] for line in CSV.read_text(encoding="utf-8").splitlines()[1:]}
    assert {"dfew", "afew", "ferv39k", "mafw", "cremad", "ravdess"} == datasets
    for row in (row for dataset in datasets for row in published(dataset)):
        assert row.source and row.method
        assert all(10 < float(number) < 100 for number in (row.uar, row.war) if number)
    best = published("dfew")[-1]
    assert (best.method, best.uar, best.war) == ("S4D", "66.80", "76.68")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the zoo is made of, with two configs."""
    for folder in ("cefl_bench", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(tmp_path / "cefl_bench" / "report" / "measured", ignore_errors=True)
    (tmp_path / "configs").mkdir()
    shutil.copytree(ROOT / "configs" / "_base_", tmp_path / "configs" / "_base_")
    for name in ("c3d_dfew", "c3d_synthetic"):
        shutil.copy(ROOT / "configs" / f"{name}.py", tmp_path / "configs")
    return tmp_path


def test_a_stale_page_is_found_and_a_result_of_another_protocol_refused(checkout):
    def zoo(*arguments: str | Path, check: bool = True):
        return run_tool("zoo.py", *arguments, check=check, root=checkout)

    zoo()
    zoo("--check")
    page = checkout / "model_zoo.md"
    assert "## DFEW" in page.read_text(encoding="utf-8") and "77." not in page.read_text(encoding="utf-8")

    protocol = json.loads(zoo_protocol(checkout))
    file = checkout / "result.json"
    measured = result(1, 0.77) | dict(config_name="c3d_synthetic", **protocol)
    file.write_text(
        json.dumps(measured | {"protocol_id": "another", "protocol": protocol["protocol"] | {"track": "x"}})
    )
    refused = zoo("--add", file, check=False)
    assert refused.returncode == 1 and "another protocol" in refused.stderr and "track: 'x' != 'fair'" in refused.stderr

    file.write_text(json.dumps(measured))
    zoo("--add", file)
    assert "| 77.0 / 77.0 | 87.0 / 87.0 | fold 1; seed 0 |" in page.read_text(encoding="utf-8")
    zoo("--check")
    page.write_text(page.read_text(encoding="utf-8").replace("77.0", "78.0"))
    stale = zoo("--check", check=False)
    assert stale.returncode == 1 and "run python tools/zoo.py" in stale.stderr


def zoo_protocol(checkout: Path) -> str:
    """The protocol and its id that a run of c3d_synthetic would write."""
    from cefl_bench.config import load_config, plain
    from cefl_bench.functional.protocol import protocol_id, protocol_of

    config = load_config(checkout / "configs" / "c3d_synthetic.py")
    protocol = protocol_of(plain(config.to_dict()) | {"track": "fair"})
    return json.dumps({"protocol": protocol, "protocol_id": protocol_id(protocol)})
