"""report.html: complete, open about what is not known, safe against what names contain, and of one file."""

import base64
import copy
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from helpers.boards import MAFW, SIX, board, table
from helpers.simulated import Corpus, simulate
from PIL import Image

from cefl_bench.report.html import write_html
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.naming import mean_and_spread, milliseconds, percent, points, probability, si, time_span

EVIL = '"><img src=x onerror="document.title=1"></style></script><script>document.title=2</script>'


class Page(HTMLParser):
    """Tags with their attributes, text without markup, and whether every tag is closed by its own end."""

    VOID = {"meta", "link", "img", "input", "br", "hr", "wbr"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.open, self.said = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.said.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.said))

    @property
    def titles(self) -> list[str]:
        return [attrs["title"] for _, attrs in self.tags if "title" in attrs]


def page_of(tmp_path: Path, *tables) -> Page:
    return Page(write_html(board(*tables), tmp_path / "report").read_text(encoding="utf-8"))


def test_page_of_simulated_runs_shows_what_the_leaderboard_says(tmp_path):
    simulate(tmp_path, corpus=Corpus(folds=(1, 2), clips=60), seeds=(0,))
    leaderboard = make_leaderboard(tmp_path)
    page = Page(write_html(leaderboard, tmp_path / "report").read_text(encoding="utf-8"))
    assert "last epoch" in page.text
    for told in leaderboard["tables"]:
        assert told["title"] in page.text and told["protocol_id"] in page.text
        for row in told["rows"]:
            assert row["method"] in page.text and row["title"] in page.text
            assert percent(row["headline"]["war"]["pooled"]) in page.text
            assert row["runs"][0]["command"] in page.text
        assert told["differs_from_others"][0] in page.text


def test_cells_of_the_leaderboard_are_those_of_the_rows(tmp_path):
    told = table(SIX[:1], external=("mine",), subjects=20) | {"headline": "selected_by_val"}
    (row,) = [row for row in told["rows"] if not row["external"]]
    row |= {"folds_missing": 2, "latency_on": "a fast GPU", "official_counts": False}
    row["runs"][0]["missing"] = 4
    text = write_html(board(told), tmp_path / "report").read_text(encoding="utf-8")
    cells = re.findall(r'<td class="(number[^"]*)" data-sort="([^"]*)">(.*?)</td>', text)
    expected = []
    for row in told["rows"]:
        numbers, best = row["headline"], row["best_test"]
        best_war = best["war"]["mean"] if best else None
        expected += [("number rank", row["rank"][0] * 1000 + row["rank"][1], "–".join(map(str, row["rank"])))]
        expected += [("number main", numbers[m]["pooled"], percent(numbers[m]["pooled"])) for m in ("war", "uar")]
        expected += [("number", numbers[m]["mean"], mean_and_spread(numbers[m])) for m in ("war", "uar")]
        expected += [("number lesser", best_war, percent(best_war))]
        facts = (("params", si), ("macs", si), ("latency_ms", milliseconds), ("train_seconds", time_span))
        expected += [("number", row[name], shown(row[name])) for name, shown in facts]
        expected += [("number", 3, "3")]
    assert cells == [(kind, "" if value is None else str(value), shown) for kind, value, shown in expected]
    assert re.findall(r'<td class="start" data-sort="[^"]*">(.*?)</td>', text) == [
        row["start"] or "–" for row in told["rows"]
    ]
    page = Page(text)
    assert "the epoch that is best on a held-out part of the training fold" in page.text
    assert "intervals by subject" in page.text and "on a fast GPU" in page.text
    assert page.titles.count("folds without a run: not in the same race") == 2, "in the table and among the pairs"
    assert "4 missing" in page.text and '<td><span class="tag alert">4</span></td>' in text
    assert "not all official clips" in page.text
    runs = []
    for row in told["rows"]:
        runs += row["runs"]
    for run in runs:
        assert f"<td>{percent(run['war'])}</td><td>{percent(run['uar'])}" in text


def test_what_was_trained_once_has_no_rank_and_its_pairs_are_not_judged(tmp_path):
    text = write_html(board(table(SIX[:2], folds=(1,))), tmp_path / "report").read_text(encoding="utf-8")
    assert text.count('<td class="number rank" data-sort="">–</td>') == 2
    assert text.count(", not judged, 100 clips") == 2 and "(Holm)," not in text


def test_a_run_at_chance_has_its_badge_in_the_table_and_among_the_pairs(tmp_path):
    told = table((*SIX[:2], SIX[5]), seeds=(0, 1))
    told["rows"][2]["runs_at_chance"] = 2
    page = page_of(tmp_path, told)
    assert page.titles.count("runs that are no better than guessing; they count all the same") == 2


def test_a_pair_is_told_from_both_sides(tmp_path):
    told = table((*SIX[:2], SIX[5]))
    page = page_of(tmp_path, told)
    cells = {attrs["title"]: attrs["class"] for tag, attrs in page.tags if tag == "td" and " minus " in str(attrs)}
    assert len(cells) == 6
    title_of = {row["method"]: row["title"] for row in told["rows"]}
    for pair in told["pairs"]:
        value, (low, high) = pair["war_difference"], pair["interval"]
        kind = ("better", "worse") if value > 0 else ("worse", "better")
        for one, other, ends, place in (("a", "b", (value, low, high), 0), ("b", "a", (-value, -high, -low), 1)):
            shown, low_end, high_end = map(points, ends)
            title = (
                f"{title_of[pair[one]]} minus {title_of[pair[other]]}: {shown} points, 95 % {low_end} to {high_end}, "
            )
            title += f"p {probability(pair['p_holm'])} (Holm), 300 clips"
            assert cells[title] == (kind[place] if pair["different"] else "same")
    assert {cells[title] for title in cells} == {"same", "better", "worse"}
    told["pairs"][0]["interval"] = None
    assert sum("points, 95 % – to –, p " in title for title in page_of(tmp_path, told).titles) == 2


def test_spread_and_optimism_stand_where_their_numbers_are(tmp_path):
    text = write_html(board(table()), tmp_path / "report").read_text(encoding="utf-8")
    strips = re.findall(r'<svg class="strip"[^>]*>(.*?)</svg>', text, re.DOTALL)
    runs = [strip for strip in strips if 'class="run"' in strip]
    gaps = [strip for strip in strips if 'class="gap"' in strip]
    assert len(runs) == len(gaps) == 2 * len(SIX)
    for strip in runs:
        dots = [float(x) for x in re.findall(r'class="run" cx="([\d.]+)%', strip)]
        (mean,) = re.findall(r'class="mean" x1="([\d.]+)%', strip)
        assert len(dots) == 3 and float(mean) == pytest.approx(sum(dots) / 3, abs=0.05)
    for strip in gaps:
        ((last, best),) = re.findall(r'class="gap" x1="([\d.]+)%" x2="([\d.]+)%"', strip)
        assert 0 < float(last) < 100 and 0 < float(best) < 100
        assert f'class="flattering" cx="{best}%"' in strip and f'class="dot" cx="{last}%"' in strip


def test_nothing_is_fetched_and_only_the_pages_own_script_may_run(tmp_path):
    page = page_of(tmp_path, table())
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for tag, attrs in page.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form")
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
        for link in (attrs.get("src"), attrs.get("href")):
            assert link is None or link.startswith(("#", "data:"))
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|@import|url\(|innerHTML|eval\(", text)
    for tag in ("script", "style"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_names_of_a_user_are_text_wherever_they_stand(tmp_path):
    evil = table(SIX[:2], folds=(1, 2), classes=[EVIL, "sad"])
    clean = page_of(tmp_path / "clean", table(SIX[:2], (1, 2), classes=["happy", "sad"]))
    evil |= {"title": EVIL, "dataset": EVIL, "protocol": {EVIL: EVIL}, "differs_from_others": [EVIL]}
    evil |= {"protocol_id": EVIL, "track": EVIL}
    one, other = evil["rows"]
    one["runs"][0] |= {"command": EVIL, "data_fingerprint": {EVIL: EVIL}, "work_dir": EVIL, "start": EVIL}
    one["runs"][0]["environment"] |= {"device": EVIL, "packages": {EVIL: EVIL}, "python": EVIL, "platform": EVIL}
    one |= {"title": EVIL, "start": EVIL, "latency_on": EVIL, "extra": {EVIL: dict(mean=1.0, std=None, runs=1)}}
    other |= {"missing": [EVIL], "source": EVIL, "external": True}
    page = page_of(tmp_path, evil)
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in clean.tags} | {"ul", "li"}
    assert not [attrs for _, attrs in page.tags if "onerror" in attrs]
    assert page.text.count("onerror") > 20


@pytest.mark.parametrize("methods", [1, 3])
def test_what_is_not_known_is_said(tmp_path, methods):
    given = table(SIX[:methods], folds=(1,))
    for row in given["rows"]:
        row |= {"latency_ms": None, "latency_on": None}
    page = page_of(tmp_path, given)
    assert "measure it: tools/speed.py" in page.text
    assert "One run per method: no spread to show" in page.text
    assert ("nothing to compare it with" in page.text) == (methods == 1)
    assert "nan" not in page.text.lower().replace("nan ", "") and "None" not in page.text


def test_no_table_no_row_and_no_cost_still_make_a_page(tmp_path):
    assert "No results yet" in page_of(tmp_path).text
    assert "No results in this table yet" in page_of(tmp_path, table() | {"rows": [], "pairs": []}).text
    unknown = table()
    for row in unknown["rows"]:
        row |= {"macs": None, "flops": None, "train_seconds": None, "params": None, "latency_ms": None}
        row |= {"recall": [None, *row["recall"][1:]], "best_test": None, "gap": None}
    assert page_of(tmp_path, unknown).text.count("Nothing to show") == 6


def test_rendered_faces_and_external_rows_are_marked(tmp_path):
    synthetic = page_of(tmp_path, table((replace(SIX[5], name="c3d_synthetic"),), (1, 2), dataset="synthetic faces"))
    assert "synthetic: says nothing about real faces" in synthetic.text
    given = table((SIX[0], SIX[5]), external=("mine",), classes=MAFW)
    given["rows"][1]["runs"][0] |= {"missing": 3, "git": {"commit": "a" * 40, "dirty": True}}
    page = page_of(tmp_path, given)
    assert "says nothing" not in page.text
    assert "made elsewhere" in page.text and "external" in page.text
    assert "3 missing" in page.text and "with uncommitted changes" in page.text
    assert "unknown device" not in page.text, "made elsewhere, so that there is no machine to name"
    assert page.titles.count("predictions that were made elsewhere") == 1
    assert "of 3 at chance" in page.text


def test_metrics_that_a_contributor_added_are_shown_with_their_direction(tmp_path):
    extra = {"calibration/ece": 0.12, "top/3": 0.875}
    one = replace(SIX[0], extra=extra, lower_is_better=("calibration/ece",))
    given = table((one, replace(SIX[1], extra={"calibration/ece": 0.25})), folds=(1, 2), seeds=(0, 1))
    text = write_html(board(given), tmp_path / "report").read_text(encoding="utf-8")
    cells = re.findall(
        r'<td class="(number[^"]*)" data-sort="([^"]*)">([^<–]*)', text[text.index("Other metrics</h3>") :]
    )
    shown = {(float(value), kind, text.strip()) for kind, value, text in cells if value}
    assert shown == {(0.125, "number main", "0.125"), (0.88, "number main", "0.88"), (0.255, "number", "0.255")}
    assert "<td>lower is better</td><td>higher is better</td>" in text
    assert "Other metrics" not in page_of(tmp_path, table()).text


def test_different_videos_in_one_fold_are_a_warning(tmp_path):
    other = copy.deepcopy(table())
    agreed = page_of(tmp_path, other).text
    assert "within a fold all methods saw the same videos" in agreed and "C3D, C3D" not in agreed
    other["rows"][0]["runs"][0]["data_fingerprint"]["test"] = "f" * 64
    assert "not all methods saw the same videos" in page_of(tmp_path, other).text


def test_pictures_of_runs_are_embedded_in_limited_number_and_from_inside_only(tmp_path):
    told = table()
    for row in told["rows"]:
        folder = tmp_path / row["runs"][0]["work_dir"] / "explain"
        folder.mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (2000, 500), (number, 0, 0)).save(folder / f"explanation_clip{number}.png")
    outside = tmp_path.parent / f"{tmp_path.name}_outside" / "explain"
    outside.mkdir(parents=True)
    Image.new("RGB", (20, 5)).save(outside / "explanation_secret.png")
    told["rows"][0]["runs"][0]["work_dir"] = f"../{outside.parent.name}"
    page = page_of(tmp_path, told)
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 12 and all(picture["src"].startswith("data:image/webp;base64,") for picture in pictures)
    titles = Counter(picture["alt"].partition(" in the video")[0] for picture in pictures)
    assert len(titles) == 4 and set(titles.values()) == {3}, "as many of each method"
    with Image.open(BytesIO(base64.b64decode(pictures[0]["src"].partition(",")[2]))) as picture:
        assert picture.size == (1400, 350)
    assert "secret" not in page.text
    assert (tmp_path / "report" / "report.html").stat().st_size < 1_000_000


def test_numbers_are_written_for_people():
    assert [percent(0.6543), percent(None), percent(float("nan"))] == ["65.4", "–", "–"]
    assert [points(0.0123), points(-0.05), points(-0.0001)] == ["+1.2", "−5.0", "0.0"]
    assert [si(13_214_000), si(999_999), si(4.2e9), si(None)] == ["13.2 M", "1 M", "4.2 G", "–"]
    assert [probability(0.0004), probability(0.0312), probability(None)] == ["< 0.001", "0.031", "–"]
    spans = [45, 600, 3 * 3600, 47 * 3600, 5 * 86400, None]
    assert [time_span(seconds) for seconds in spans] == ["45 s", "10 min", "3 h", "47 h", "5 d", "–"]
