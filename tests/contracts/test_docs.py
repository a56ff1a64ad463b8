"""What the documentation names exists: pages, tools, options, configs, files, packages; and its examples work."""

import functools
import importlib
import re
import sys
import types

import pytest
import torch
import yaml
from helpers.contracts import assert_kept, make_room
from helpers.pages import LINK, OPTION, PAGES, anchors, blocks, calls, code, text_of
from helpers.run import ROOT

from cefl_bench.cli.__main__ import list_tools
from cefl_bench.commands.setup import build_dataset
from cefl_bench.config import corpora, find_config, load_config
from cefl_bench.contracts.configs import HOUSE, examine_config
from cefl_bench.contracts.parts import examine_backbone
from cefl_bench.contracts.promise import outcomes
from cefl_bench.errors import UserError
from cefl_bench.registry import MODELS

README, CONTRIBUTING, INDEX = ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "index.md"
MAX_README_WORDS = 900
GUIDES = [page for page in PAGES if page.name not in ("CHANGELOG.md", "model_zoo.md")]
"""Pages of what there is now; a changelog also names what is gone."""
INVENTED = ("my_net", "my_package", "my_corpus", "my_method", "alike_clips", "frozen_frames", "brier", "reverse_time")
"""Names in examples of what a reader writes."""
OTHER_PROGRAMS = {"--nproc-per-node", "--universal", "--python-version", "--no-header", "--no-annotate", "--extra"}
OTHER_PROGRAMS |= {"--shm-size", "--logdir", "--all-extras", "--no-deps", "--require-hashes", "--no-build-isolation"}
PIP = re.compile(r"pip install (?!pre-commit)((?:-\w+ )?\S+)")


def help_of(tool, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [tool, "--help"])
    with pytest.raises(SystemExit):
        importlib.import_module(f"cefl_bench.cli.{tool.replace(' ', '.')}").main()
    return capsys.readouterr().out


def test_the_readme_is_short_and_names_the_two_commands():
    text = text_of(README)
    assert len(text.split()) < MAX_README_WORDS
    assert "make demo" in text and "make test" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(text_of(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor and page.name != "model_zoo.md":
            assert anchor in anchors(target), f"{page.name}: {link}: there is {sorted(anchors(target))}"


def test_the_index_lists_every_page():
    linked = {(INDEX.parent / link).resolve() for link in LINK.findall(text_of(INDEX))}
    assert set(PAGES) - linked == {INDEX}


def test_calls_of_tools_would_be_understood(monkeypatch, capsys):
    tools = {name: help_of(name, monkeypatch, capsys) for name in list_tools()}
    known = {option for text in tools.values() for option in OPTION.findall(text)}
    called = set()
    for page in GUIDES:
        for tool, options in calls(page):
            assert tool in tools, f"{page.name} calls {tool}"
            called.add(tool)
            unknown = [option for option in options if option not in OPTION.findall(tools[tool])]
            assert not unknown, f"{page.name}: {tool} has no {unknown}"
        named = {option for line in code(page) for option in OPTION.findall(line)}
        assert named <= known | OTHER_PROGRAMS, f"{page.name}: no tool has {named - known - OTHER_PROGRAMS}"
    assert called == set(tools), f"no page tells of {set(tools) - called}"


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page):
    for line in code(page):
        for path in re.findall(r"\b(?:cefl_bench|configs|tests|tools|docs)/[\w./-]+", line):
            exists = (ROOT / path.rstrip("./")).exists()
            assert exists or any(name in path for name in INVENTED) or "NAME" in path, f"{page.name}: {path}"
        for corpus in re.findall(r"--dataset (\w+)(?!\S)", line):
            assert corpus in corpora() or corpus in ("KEY", "FILE"), f"{page.name}: {line}"
        for name in re.findall(r"cefl-bench train (\w+)(?!\S)", line):
            assert find_config(name)


def test_the_floor_plan_has_every_part_of_the_package():
    plan = text_of(ROOT / "docs" / "contributing.md").partition("## How the code is built")[2].partition("\n## ")[0]
    parts = {
        path.stem for path in (ROOT / "cefl_bench").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    rows = "".join(line for line in plan.splitlines() if line.startswith("|"))
    assert parts - {"__init__"} == set(re.findall(r"`(\w+)`", rows))


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_examples_of_configs_load(page, tmp_path, monkeypatch):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").touch()
    (tmp_path / "my_package" / "net.py").write_text("class MyNet:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "_base_").symlink_to(ROOT / "configs" / "_base_")
    for number, body in enumerate(blocks(page, "python")):
        file = tmp_path / f"example{number}.py"
        file.write_text(body, encoding="utf-8")
        if "read_base" in body and page != CONTRIBUTING:
            assert load_config(file).model.head.num_classes == 7
        elif "corpus = dict" in body:
            config = load_config("ceflnet_dfew", dataset=str(file))
            assert config.train_dataloader.dataset.classes == ("happy", "sad", "neutral")
            assert config.model.head.num_classes == 3
            with pytest.raises(UserError, match="my corpus is not at"):
                build_dataset(config, "train_dataloader")


def test_the_backbone_that_contributors_begin_with_keeps_its_contract(tmp_path, monkeypatch):
    part, leaf, *_ = blocks(CONTRIBUTING, "python")
    name = "cefl_bench.models.backbones.my_net"
    make_room(monkeypatch, MODELS, "MyNet")
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    try:
        exec(compile(part, name, "exec"), module.__dict__)
        build = functools.partial(module.MyNet, **module.MyNet.tiny)
        assert_kept(examine_backbone("MyNet", build, clip_shape=(3, 16, 112, 112)))
        with torch.device("meta"):  # a batch of the fair track, in float32
            assert module.MyNet().encode(torch.empty(32, 3, 16, 112, 112)).nbytes < 2e9
        (tmp_path / "_base_").symlink_to(ROOT / "configs" / "_base_")
        file = tmp_path / "my_net_dfew.py"
        file.write_text(leaf, encoding="utf-8")
        config = load_config(file)
        assert_kept(examine_config(file, config))
        assert_kept(outcomes("leaf", (file, config), HOUSE))
        assert load_config(file, dataset="mafw").config_name == "my_net_mafw"
    finally:
        MODELS.module_dict.pop("MyNet", None)


def test_whatever_we_tell_to_install_is_a_dependency_that_we_name():
    """A package index may hold something of a stranger under any other name, ours included: nobody published it."""
    known = set(re.findall(r'"([a-z][\w-]+)(?:[<>=,.\d\w]*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    known -= {"cefl_bench"}
    sources = [*GUIDES, *(ROOT / "cefl_bench").rglob("*.py"), ROOT / "Makefile"]
    found = 0
    for source in sources:
        for words in PIP.findall(source.read_text(encoding="utf-8")):
            what = words.split()[-1].strip("\"'`.,;")
            name = re.split(r"[<>=\[]", what)[0]
            assert words.startswith("-") or name.startswith("/") or name in known, f"{source}: pip install {words}"
            found += 1
    assert found > 5


def test_files_for_other_programs_are_as_these_read_them():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    (paper,) = citation["references"]
    for page in (README, ROOT / "pyproject.toml"):
        assert paper["doi"] in text_of(page)
    for author in paper["authors"]:
        assert f"{author['family-names']}, {author['given-names']}" in text_of(README)
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in local["hooks"]:
        command = hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude")
        assert f"$(BIN)/{command}" in makefile, "make lint does the same"
    for template in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"):
        head = yaml.safe_load(template.read_text(encoding="utf-8").split("---")[1])
        assert {"name", "about"} <= head.keys()
