"""model_zoo.md: what it shows comes from files, and a stale page or a result of another protocol is refused."""

import functools
import json
import shutil
from pathlib import Path

import pytest

from cefl_bench import zoo
from cefl_bench.config import load_config, plain
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import protocol_id, protocol_of
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
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of two configs, nothing measured yet."""
    shutil.copytree(zoo.CONFIGS / "_base_", tmp_path / "configs" / "_base_")
    for name in ("c3d_dfew", "c3d_synthetic"):
        shutil.copy(zoo.CONFIGS / f"{name}.py", tmp_path / "configs")
    for name, path in (("CONFIGS", "configs"), ("PAGE", "model_zoo.md"), ("MEASURED", "measured")):
        monkeypatch.setattr(zoo, name, tmp_path / path)
    return tmp_path


def measured(checkout: Path, **changes) -> Path:
    """A result.json as a run of c3d_synthetic would leave it now."""
    config = load_config(checkout / "configs" / "c3d_synthetic.py")
    protocol = protocol_of(plain(config.to_dict()) | {"track": "fair"})
    known = dict(config_name="c3d_synthetic", protocol=protocol, protocol_id=protocol_id(protocol), track="fair")
    known["config"] = plain(config.to_dict())
    for path, value in changes.pop("config", {}).items():
        part, name = path.rsplit(".", 1)
        functools.reduce(dict.__getitem__, part.split("."), known["config"])[name] = value
    file = checkout / "result.json"
    file.write_text(json.dumps(result(1, 0.77) | known | changes))
    return file


def test_a_result_is_taken_in_and_a_stale_page_found(checkout):
    page = zoo.write_zoo()
    assert "## DFEW" in page.read_text(encoding="utf-8") and "77.0" not in page.read_text(encoding="utf-8")
    zoo.add_results([str(measured(checkout))])
    with pytest.raises(UserError, match=r"run python tools/zoo\.py"):
        zoo.check_zoo()
    zoo.write_zoo()
    assert "| 77.0 / 77.0 | 87.0 / 87.0 | fold 1; seed 0 |" in page.read_text(encoding="utf-8")
    zoo.check_zoo()
    page.write_text(page.read_text(encoding="utf-8").replace("77.0", "78.0"), encoding="utf-8")
    with pytest.raises(UserError, match=r"run python tools/zoo\.py"):
        zoo.check_zoo()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(config={"train_dataloader.batch_size": 8}), "another c3d_synthetic than.*batch_size: 8 != 16"),
        (dict(config={"model.backbone.width": 64}), r"another c3d_synthetic than.*model\.backbone\.width: 64 != 16"),
        (dict(config={"test_dataloader.dataset.data_root": "x"}), r"another c3d_synthetic than.*data_root\.test: 'x'"),
        (dict(config={"model.backbone.init_cfg": {"timm": "a"}}), r"another c3d_synthetic than.*init_cfg"),
        (dict(track=None, config_name="c3d_synthetic", config={}), "another c3d_synthetic than"),
        (dict(config_name="c3d_nowhere"), "config 'c3d_nowhere', which is not in"),
        (dict(metrics={"checkpoint": {}}), "is of a test, not of a training"),
        (dict(fold=None, metrics=None), "is not a result"),
    ],
)
def test_what_is_no_result_of_these_configs_is_refused(checkout, changes, message):
    with pytest.raises(UserError, match=message):
        zoo.add_results([str(measured(checkout, **changes))])
    assert not (checkout / "measured").exists()


def test_another_run_of_the_same_fold_and_seed_does_not_take_its_place(checkout):
    zoo.add_results([str(measured(checkout))])
    zoo.add_results([str(measured(checkout))])
    with pytest.raises(UserError, match="is there already"):
        zoo.add_results([str(measured(checkout, command="another"))])


def test_a_result_that_a_config_has_left_behind_stops_the_page(checkout):
    zoo.add_results([str(measured(checkout))])
    (checkout / "configs" / "c3d_synthetic.py").unlink()
    with pytest.raises(UserError, match="configs that are not there: c3d_synthetic"):
        zoo.write_zoo()
