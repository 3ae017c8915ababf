# `make demo` and `make test` need nothing but Python 3.11 or newer; the first of them makes the .venv.
# Another Python: `make test PYTHON=python3.13 VENV=.venv-3.13`. One test after the other: `make test WORKERS=0`.

PYTHON ?= python3
VENV ?= .venv
# Three for two processors: half of what a test does is waiting.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() * 3 // 2)')
BIN = $(VENV)/bin

.PHONY: demo test crash-test lint bench bench-peers messages screenshots screenshots-check clean

demo: $(VENV)/.installed
	@$(BIN)/imm-tui demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# kill -9, N times, while events come in; then nothing may be lost.
crash-test: $(VENV)/.installed-dev
	$(BIN)/python -m tests.crash $(or $(N),1000)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# How fast it is, beside what it is measured against: one table. Ends with an error where a goal is missed. A million
# tasks and a gigabyte of history, a quarter of an hour: `make bench FULL=1`.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(if $(FULL),--full)

# The first paint beside those of other programs on Textual, which pip fetches.
bench-peers: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.peers

# Brings the catalogue of translations up to date with the texts of the source.
messages: $(VENV)/.installed-dev
	$(BIN)/python -m tests.messages

screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m screenshots.make

# Says which of them are stale.
screenshots-check: $(VENV)/.installed-dev
	$(BIN)/python -m screenshots.make --check

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# Groups of dependencies want pip 25.1.
$(VENV)/.installed-dev: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
