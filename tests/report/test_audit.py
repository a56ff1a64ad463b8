"""What audits cost by the report: differences and p values against other code's, the section of the report, figures."""

import json

import numpy as np
import pytest
from helpers.audits import add_audit
from helpers.run import run_tool
from helpers.simulated import Corpus, Method, simulate
from PIL import Image
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from cefl_bench.report.audit import audit_table
from cefl_bench.report.audit_figure import draw_audit
from cefl_bench.report.html import write_html
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.report.time_costs import Audited, with_costs
from cefl_bench.runs.audit import read_audit

ONE = Corpus(folds=(1,), clips=60)


def one_run(folder, corpus=ONE):
    simulate(folder, [Method("ceflnet_dfew", 0.62, title="CEFLNet")], corpus, [0])
    return folder / "ceflnet_dfew" / "fold1_seed0"


def test_the_costs_of_one_run_are_those_of_other_code(tmp_path):
    audit = read_audit(add_audit(one_run(tmp_path), shuffled=9, reversed=1, small=0))
    label = np.array(audit["labels"])
    right = {change: np.array(pred) == label for change, pred in audit["predictions"].items()}
    costs = {cost["change"]: cost for cost in audit["costs"]}
    p_values = [stats.binomtest(0, lost).pvalue if lost else 1.0 for lost in (9, 1, 0)]
    holm = [min(3 * p_values[0], 1), min(max(2 * p_values[1], 3 * p_values[0]), 1), 1.0]
    for (change, cost), p_holm in zip(costs.items(), holm, strict=True):
        difference = right[change].astype(float) - right["as sampled"]
        assert cost["war_difference"] == pytest.approx(difference.mean())
        before, after = (balanced_accuracy_score(label, audit["predictions"][name]) for name in ("as sampled", change))
        assert cost["uar_difference"] == pytest.approx(after - before)
        assert (cost["war"], cost["uar"]) == pytest.approx((right[change].mean(), after))
        assert cost["p_holm"] == pytest.approx(p_holm)
        if difference.any():
            expected = stats.t.interval(0.95, len(label) - 1, difference.mean(), stats.sem(difference))
            assert cost["war_interval"] == pytest.approx(expected)
    assert costs["small"]["war_interval"] == costs["small"]["uar_interval"] == [0, 0]
    assert [cost["different"] for cost in audit["costs"]] == [True, False, False]
    assert [cost["predictions_changed"] for cost in audit["costs"]] == [9, 1, 0]


@pytest.mark.parametrize("persons", [1, 9])
def test_what_happens_to_one_person_says_nothing_of_others(persons, tmp_path):
    """Nine of 60 clips turn wrong: plain to the clips, and to people only where they are of several."""
    audit = read_audit(add_audit(one_run(tmp_path), shuffled=9))
    before, now = audit["predictions"].values()
    lost = [place for place in range(60) if before[place] != now[place]]
    audit["subjects"] = [f"person {place % 20}" for place in range(60)]
    for number, place in enumerate(lost):
        audit["subjects"][place] = f"unlucky {number % persons}"
    (cost,) = with_costs(audit, num_folds=1)["costs"]
    assert audit["clustered_by"] == "subject" and cost["different"] == (persons == 9)
    assert (cost["p_holm"] < 0.05) == (persons == 9)


def test_the_report_shows_audits_and_pools_the_folds(tmp_path):
    methods = [Method("ceflnet_dfew", 0.62, title="CEFLNet"), Method("c3d_dfew", 0.5, title="C3D")]
    simulate(tmp_path, methods, Corpus(folds=(1, 2), clips=60, num_folds=2), [0])
    assert "temporal audit" not in markdown(make_leaderboard(tmp_path))
    for fold in (1, 2):
        add_audit(tmp_path / "ceflnet_dfew" / f"fold{fold}_seed0", shuffled=6 * fold, reversed=0)
    board = make_leaderboard(tmp_path)
    (row,) = [row["audit"] for row in board["tables"][0]["rows"] if row["audit"]]
    assert row["runs"] == 2 and row["costs"][0]["war_difference"] == pytest.approx(-18 / 120)
    text = markdown(board)
    assert "| CEFLNet | 2 | reversed | " in text and "| 0.0 [0.0, 0.0] |" in text and "−15.0 [" in text
    page = write_html(board, tmp_path / "report").read_text(encoding="utf-8")
    section = page.partition('<section aria-label="Temporal audit">')[2].partition("</section>")[0]
    assert "−15.0 [" in section and "CEFLNet" in section and "C3D" not in section


def test_what_a_change_costs_is_what_the_rows_beside_it_differ_by():
    """Fold 1 was trained with two seeds, fold 2 with one: all three audits count, each fold as much as the other."""
    audits = []
    for fold, seed, before, after in ((1, 0, 80, 70), (1, 1, 90, 40), (2, 0, 80, 70)):
        known = {"config_name": "m", "fold": fold, "seed": seed, "classes": ["a", "b"], "subjects": [""] * 100}
        right = {"as sampled": before, "shuffled": after}
        known["predictions"] = {name: [0] * hits + [1] * (100 - hits) for name, hits in right.items()}
        audits.append(known | {"names": [f"{fold}_{place}" for place in range(100)], "labels": [0] * 100})
    audited = Audited(audits)
    (cost,) = audited.costs(2)
    assert audited.scores()["pooled"]["war"] == pytest.approx((0.85 + 0.80) / 2)
    assert cost["war"] == pytest.approx((0.55 + 0.70) / 2) and cost["war_difference"] == pytest.approx(-0.2)


def test_an_audit_of_another_epoch_is_left_out_and_said_so(tmp_path):
    add_audit(one_run(tmp_path), epoch=3, shuffled=1)
    board = make_leaderboard(tmp_path)
    assert board["tables"][0]["rows"][0]["audit"] is None
    (line,) = board["left_out"]
    assert (
        "audit.json: it is of ceflnet_dfew, fold 1, seed 0, epoch 3, and the result of" in line and "epoch 20" in line
    )


def test_a_damaged_audit_stops_the_report_in_one_line(tmp_path):
    path = add_audit(one_run(tmp_path), shuffled=1)
    path.write_text(path.read_text()[:200])
    done = run_tool("report.py", tmp_path, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "audit.json" in done.stderr


@pytest.mark.parametrize("subjects", [1, 12])
def test_a_table_and_a_figure_are_made_of_any_audit(subjects, tmp_path):
    """Also where no interval is known, because one person is in all clips."""
    audit = read_audit(add_audit(one_run(tmp_path, Corpus((1,), 60, subjects)), shuffled=20, reversed=0, halved=1))
    assert (audit["costs"][0]["war_interval"] is None) == (subjects == 1)
    audit["title"], audit["dataset"] = "$x_1$ 表情", "synthetic faces"
    draw_audit(audit, tmp_path / "audit.png")
    with Image.open(tmp_path / "audit.png") as image:
        assert image.width > 1000 and len(image.convert("RGB").getcolors(1 << 24)) > 50
    text = audit_table(audit)
    assert "reversed: exactly 0" in text and "shuffled: exactly 0" not in text
    assert ("of 12 people" in text) == (subjects == 12)
    assert json.dumps(audit), "plain values alone"
