"""Folds by source: nothing of a film on both sides, the same each time, and another protocol."""

import argparse
import collections

import pytest
from helpers.run import ROOT

from cefl_bench.cli.options import add_config, add_folds, configs_of, take_folds
from cefl_bench.commands import facts
from cefl_bench.commands.setup import build_dataset
from cefl_bench.config import load_config
from cefl_bench.datasets.by_source import add_sources, folds_by_source, table_hash
from cefl_bench.datasets.mafw import MAFW
from cefl_bench.doctor.checks.lists import origins
from cefl_bench.doctor.corpus import list_corpora
from cefl_bench.doctor.findings import Examination
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import protocol_id, protocol_of
from cefl_bench.plain import plain
from cefl_bench.records import Entry

CEFLNET = str(ROOT / "configs" / "ceflnet_dfew.py")
TEST = "test_dataloader"


def mafw(home, fold=1, **options):
    return {side: MAFW(str(home / "mafw"), side, fold=fold, **options) for side in ("train", "test")}


@pytest.fixture
def films(data_home, tmp_path):
    """A table: each film has clips of several official folds, so that these share films."""
    names = []
    for side in mafw(data_home).values():
        names += [entry["name"] for entry in side.entries()]
    rows = [f"{name},film {int(name) % 100}-{int(name) // 100 % 2}" for name in sorted(names)]
    table = tmp_path / "films.csv"
    table.write_text("name,source\n" + "\n".join(rows) + "\n")
    return table


def test_no_film_is_on_both_sides_and_every_video_is_tested_once(films, data_home):
    tested = []
    for fold in range(1, 6):
        sides = mafw(data_home, fold, folds="by-source", sources=str(films))
        sources = {side: {entry["source"] for entry in sides[side].entries()} for side in sides}
        assert sources["train"] and sources["test"] and not sources["train"] & sources["test"]
        assert len(sides["train"]) + len(sides["test"]) == 55
        tested += [entry["name"] for entry in sides["test"].entries()]
        assert sides["test"].num_official_clips() is None and not sides["test"].counts_off()
    assert len(tested) == len({*tested}) == 55


def protocol(**corpus):
    """What a training on fold 1 of MAFW has for a protocol."""
    config = load_config(CEFLNET, {f"corpus.{name}": value for name, value in corpus.items()}, dataset="mafw")
    data = facts._data_facts(
        {"train": build_dataset(config, "train_dataloader"), "test": build_dataset(config, TEST)}, {}
    )
    return protocol_of(plain(config.to_dict()), data=data)


def test_they_are_another_protocol_whatever_the_table_is_called(films, with_data, tmp_path):
    official, found = protocol(), protocol(folds="by-source", sources=str(films))
    assert "folds" not in official["dataset"] and official["data"] == {}
    assert found["dataset"]["folds"] == "by-source" and str(films) not in str(found)
    lines = films.read_text().splitlines()
    other = tmp_path / "elsewhere.csv"
    other.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    assert protocol_id(protocol(folds="by-source", sources=str(other))) == protocol_id(found) != protocol_id(official)
    other.write_text(films.read_text().replace("film 0-0", "film 1-0"))
    assert protocol_id(protocol(folds="by-source", sources=str(other))) != protocol_id(found)


def corpus(num_folds):
    return {"name": "corpus", "num_folds": num_folds}


def entries(films, classes=3, clips=2):
    """Clips of every class in each film."""
    made = []
    for film in range(films):
        for label in range(classes):
            for take in range(clips):
                name = f"{film}_{label}_{take}"
                made.append(Entry(name=name, label=label, path="", num_frames=-1, source=f"film {film}"))
    return made


def test_folds_are_balanced_and_do_not_depend_on_the_order_of_the_lists():
    clips = entries(20)
    folds = folds_by_source(clips, corpus(5))
    counts = collections.Counter((fold, clip["label"]) for fold, clip in zip(folds, clips, strict=True))
    assert set(counts.values()) == {8}, "20 films of 2 clips a class over 5 folds"
    assert folds_by_source(clips[::-1], corpus(5))[::-1] == folds


def test_what_cannot_be_split_by_source_is_said_in_one_line(data_home):
    with pytest.raises(
        UserError, match=r"MAFW does not say which source '\w+' is from: give a table .* --sources FILE"
    ):
        mafw(data_home, folds="by-source")
    with pytest.raises(UserError, match="corpus has a fixed split and no folds"):
        folds_by_source(entries(4), corpus(1))
    with pytest.raises(UserError, match="2 sources cannot be spread over 5 folds"):
        folds_by_source(entries(2), corpus(5))
    with pytest.raises(UserError, match="folds is 'by_film': expected official or by-source"):
        mafw(data_home, folds="by_film")


def test_a_table_of_sources_is_read_strictly_and_numbers_may_lack_zeros(tmp_path):
    table = tmp_path / "films.csv"
    table.write_text("name,source\n151,Casablanca\n")
    (clip,) = made = [Entry(name="00151", label=0, path="", num_frames=-1)]
    add_sources(made, table)
    assert clip["source"] == "Casablanca"
    table.write_text("name,source\n152,Casablanca\n")
    with pytest.raises(UserError, match="1 videos have no source, such as '00151'"):
        add_sources(made, table)
    table.write_text("name,source\n151,Casablanca\n00151,Vertigo\n")
    with pytest.raises(UserError, match=r"line 3: '00151' is of 'Vertigo' here and of 'Casablanca' before"):
        add_sources(made, table)


def test_one_film_in_two_spellings_is_one(tmp_path):
    made, hashes = [Entry(name=name, label=0, path="", num_frames=-1) for name in "ab"], []
    for number, second in enumerate(("Am\u00e9lie 2", "Ame\u0301lie  2", "am\u00e9lie 2")):
        table = tmp_path / f"{number}.csv"
        table.write_text(f"name,source\na,Am\u00e9lie 2\nb,{second}\n", encoding="utf-8")
        add_sources(made, table)
        assert (made[0]["source"] == made[1]["source"]) == (number < 2)
        hashes.append(table_hash(table))
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_doctor_counts_test_videos_whose_source_was_trained_on(films, with_data):
    def found(*words):
        arguments = argparse.ArgumentParser()
        add_config(arguments)
        add_folds(arguments)
        given = arguments.parse_args([CEFLNET, "--dataset", "mafw", *words])
        take_folds(given)
        (config,) = configs_of(given)
        (corpus,) = list_corpora(config, fold=1)
        return [finding.text for finding in origins(Examination(config, corpus))]

    shared = "fold 1: 11 of 11 test videos share a source with training"
    assert found("--sources", str(films)) == [shared]
    assert found("--sources", str(films), "--folds", "by-source") == []
    (unknown,) = found()
    assert "does not say which film" in unknown
    with pytest.raises(UserError, match=r"table of sources 'nowhere.csv' does not exist"):
        found("--sources", "nowhere.csv")
