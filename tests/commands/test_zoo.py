"""model_zoo.md: what it shows comes from files, and a stale page or a result of another protocol is refused."""

import functools
import json
import shutil
from pathlib import Path

import pytest
from helpers.simulated import Corpus, Method, simulate

from cefl_bench.commands import zoo
from cefl_bench.config import load_config
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import protocol_id, protocol_of
from cefl_bench.plain import plain
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.model_zoo import Section, ZooRow, zoo_page
from cefl_bench.report.published import CSV, Published, grouped, published

META = dict(key="dfew", name="DFEW", classes=("happy", "sad"), num_folds=5, num_clips=11_697)
COST = dict(params=13_000_000, macs=4_200_000_000)


CORPUS = Corpus(folds=(1, 3), clips=200)


def zoo_row(config, title, track="fair", start="scratch", cost=COST, scores=None) -> ZooRow:
    return ZooRow(config, f"[{config}](configs/{config}.py)", title, track, start, cost, scores)


def test_measured_and_reported_stand_apart_and_nothing_is_invented(tmp_path):
    methods = (Method("ceflnet_dfew", 0.7), Method("twin_dfew", 0.69), Method("r3d18_dfew", 0.5))
    table = make_leaderboard(simulate(tmp_path, methods, CORPUS))["tables"][0]
    scores = {row["method"]: row for row in table["rows"]}
    rows = [
        zoo_row("ceflnet_dfew", "CEFLNet", scores=scores["ceflnet_dfew"]),
        zoo_row("twin_dfew", "Twin", scores=scores["twin_dfew"]),
        zoo_row("r3d18_dfew", "R3D-18", scores=scores["r3d18_dfew"]),
        zoo_row("c3d_dfew", "C3D", cost=COST | {"macs": 1}),
        zoo_row("vit_dfew", "ViT", track="pretrained", start="ImageNet"),
        zoo_row("c3d_dfew_paper", "C3D", track="paper"),
    ]
    reported = [Published("dfew", "C3D", "", "53.54", "scratch", "video", "Jiang et al.", "")]
    page = zoo_page([Section(META, rows, reported, [table])])
    fair, pretrained, paper, literature = page.split("\n### ")[1:]
    war, best = scores["ceflnet_dfew"]["headline"]["war"], scores["ceflnet_dfew"]["best_test"]
    low, high = (100 * end for end in war["interval"])
    cells = f"scratch | 13.00 M | 4.20 G | **{100 * war['pooled']:.1f}** [{low:.1f}, {high:.1f}] |"
    assert f"| CEFLNet (2 of 5 folds) | [ceflnet_dfew](configs/ceflnet_dfew.py) | {cells}" in fair
    assert f"| {100 * best['war']['mean']:.1f} / {100 * best['uar']['mean']:.1f} | 2 of 5 x 2 |" in fair
    assert "| ViT | [vit_dfew](configs/vit_dfew.py) | ImageNet |" in pretrained
    assert f"protocol {table['protocol_id']}" in fair
    assert fair.index("| C3D |") < fair.index("| CEFLNet "), "cheapest first"
    assert "| 0.00 G |  |  |  |" in fair and "53.54" not in fair
    pair = next(pair for pair in table["pairs"] if {pair["a"], pair["b"]} == {"twin_dfew", "r3d18_dfew"})
    sign = 1 if pair["a"] == "twin_dfew" else -1
    low, high = sorted(100 * sign * end for end in pair["interval"])
    beaten = f"R3D-18 (2 of 5 folds) ({100 * sign * pair['war_difference']:+.1f} [{low:+.1f}, {high:+.1f}])"
    assert f"- Twin (2 of 5 folds): better than {beaten}; not told apart from CEFLNet (2 of 5 folds)\n" in fair
    assert "- R3D-18" not in fair and "- C3D" not in fair
    assert "- r3d18: 2 of 5 folds (fold 1, 3)" in fair
    assert "c3d_dfew_paper" in paper and "Measured with" not in paper
    assert "| C3D | scratch |  | 53.54 | Jiang et al. |" in literature


def reported() -> list[Published]:
    rows = []
    for dataset in ("dfew", "afew", "ferv39k", "mafw", "cremad", "ravdess"):
        rows += published(dataset)
    return rows


def test_published_numbers_have_a_source_and_are_percentages():
    assert len(reported()) == len(CSV.read_text(encoding="utf-8").splitlines()) - 1, "a row of no corpus of ours"
    for row in reported():
        assert row.source and row.method and row.pretraining and row.modality
        assert all(10 < float(number) < 100 for number in (row.uar, row.war) if number)
    rows = [(row.dataset, row.method, row.uar, row.war) for row in reported()]
    assert len(rows) == len(set(rows)) == 119


def test_the_best_of_each_modality_are_the_known_ones():
    best = {(row.dataset, row.modality): (row.method, row.uar, row.war) for row in reported()}
    assert best["dfew", "video"] == ("S4D", "66.80", "76.68")
    assert best["dfew", "video and audio"] == ("CLAIP-Emo", "", "80.14")
    assert best["dfew", "video and language"] == ("FaVChat", "70.01", "79.79")
    assert best["dfew", "video, audio and language"] == ("HumanOmni", "74.86", "82.46")
    assert best["ferv39k", "video"] == ("FineCLIPER", "45.22", "53.98")
    assert best["mafw", "video"] == ("S4D", "43.72", "58.44")
    assert best["afew", "video"] == ("CLIPER", "52.00", "56.43")
    scratch = [row for row in published("dfew") if row.pretraining == "scratch"]
    assert (scratch[-1].method, scratch[-1].uar, scratch[-1].war) == ("IAL", "55.71", "69.24")


def test_published_rows_say_what_they_rest_on():
    """Numbers that would read as from scratch, or as printed, without it."""
    first = {row.method for row in published("afew") if row.pretraining == "DFEW fold 1"}
    assert first == {"C3D", "I3D", "3D ResNet-18", "ResNet-18 and LSTM", "Former-DFER", "NR-DFERNet", "R(2+1)D-18"}
    assert not [row for row in published("afew") if row.pretraining == "scratch"]
    notes = {row.method: row.note for row in published("dfew")}
    assert "51.90 / 64.10" in notes["ResNet-18 and GRU"] and "55.92 / 69.02" in notes["M3DFEL"]
    former_dfer = [(row.uar, row.war) for row in published("ferv39k") if row.method == "Former-DFER"]
    assert former_dfer == [("36.88", "45.72"), ("37.20", "46.85")]


def test_groups_hold_every_row_once_and_do_not_mix_what_differs():
    for dataset in ("dfew", "afew", "mafw"):
        rows = published(dataset)
        groups = dict(grouped(rows))
        shown: list[Published] = []
        for heading, group in groups.items():
            shown += group
            assert len({row.modality for row in group}) == 1
            assert len({row.pretraining in ("scratch", "unknown") for row in group}) == 1, heading
        assert sorted(shown) == sorted(rows)
    assert [*dict(grouped(published("dfew")))][:3] == [
        "Video, from scratch",
        "Video, from weights of other data",
        "Video, start unknown",
    ]


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
    """A finished run of c3d_synthetic as it is now, with simulated answers; its result.json."""
    method = Method("c3d_synthetic", 0.7)
    simulate(checkout / "runs", [method], Corpus(folds=(1,), clips=100, name="synthetic faces"), seeds=[0])
    config = load_config(checkout / "configs" / "c3d_synthetic.py")
    protocol = protocol_of(plain(config.to_dict()))
    known = dict(protocol=protocol, protocol_id=protocol_id(protocol), config=plain(config.to_dict()))
    for path, value in changes.pop("edits", {}).items():
        part, name = path.rsplit(".", 1)
        functools.reduce(dict.__getitem__, part.split("."), known["config"])[name] = value
    file = checkout / "runs" / "c3d_synthetic" / "fold1_seed0" / "result.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | known | changes))
    return file


def test_a_result_is_taken_in_and_a_stale_page_found(checkout):
    page = zoo.write_zoo()
    assert "## DFEW" in page.read_text(encoding="utf-8") and "Measured with" not in page.read_text(encoding="utf-8")
    result = measured(checkout)
    zoo.add_results([str(result)])
    with pytest.raises(UserError, match=r"run python tools/zoo\.py"):
        zoo.check_zoo()
    zoo.write_zoo()
    war = f"| **{100 * json.loads(result.read_text())['metrics']['last']['war']:.1f}** ["
    assert page.read_text(encoding="utf-8").count(war) == 1
    zoo.check_zoo()
    page.write_text(page.read_text(encoding="utf-8").replace(war, "| **99.9** ["), encoding="utf-8")
    with pytest.raises(UserError, match=r"run python tools/zoo\.py"):
        zoo.check_zoo()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(edits={"train_dataloader.batch_size": 4}), "another c3d_synthetic than.*batch_size: 4 != 8"),
        (dict(edits={"model.backbone.width": 64}), r"another c3d_synthetic than.*model\.backbone\.width: 64 != 8"),
        (dict(edits={"test_dataloader.dataset.data_root": "x"}), r"another c3d_synthetic than.*data_root\.test: 'x'"),
        (dict(edits={"model.backbone.init_cfg": {"timm": "a"}}), r"another c3d_synthetic than.*init_cfg"),
        (dict(track="paper"), "another c3d_synthetic than.*track"),
        (dict(config_name="c3d_nowhere"), "config 'c3d_nowhere', which is not in"),
        (dict(fold=None, metrics=None), r"is not the result\.json .*fold: expected int, got null"),
        (dict(config={}), "has no config"),
    ],
)
def test_what_is_no_result_of_these_configs_is_refused(checkout, changes, message):
    with pytest.raises(UserError, match=message):
        zoo.add_results([str(measured(checkout, **changes))])
    assert not (checkout / "measured").exists()


def test_a_test_and_answers_of_another_run_are_refused(checkout):
    result = measured(checkout)
    metrics = json.loads(result.read_text())["metrics"]
    with pytest.raises(UserError, match="is of a test, not of a training"):
        zoo.add_results([str(measured(checkout, metrics={"checkpoint": metrics["last"]}))])
    result = measured(checkout)
    answers = result.with_name("predictions.csv")
    answers.write_text("\n".join(answers.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(UserError, match="does not give the confusion matrix"):
        zoo.add_results([str(result)])
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
