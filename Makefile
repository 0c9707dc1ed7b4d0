# Both main targets do all their own set-up: a fresh machine needs Python 3.10 or newer, git, and for plugins in Rust, Go,
# Node.js and Java cargo, go, node, npm, a JDK and Maven (Gradle where there is one).
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.ready

.PHONY: demo test check lint format bench clean help

help:
	@echo "make demo     see the main job: install, upgrade, break, roll back, remove, on a node of its own"
	@echo "make test     everything that must hold: linters, types, layers, tests, coverage"
	@echo "make bench    measure against the same work done by hand; figures go to benchmarks/README.md"
	@echo "make format   format the code"

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed; name one: make PYTHON=python3.11") if sys.version_info < (3, 10) else None'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/bin/python -m pip install --quiet --editable . --group dev
	touch $(STAMP)

demo: $(STAMP)
	$(VENV)/bin/python tests/demo.py

lint: $(STAMP)
	$(VENV)/bin/ruff format --check reckless tests benchmarks
	$(VENV)/bin/ruff check reckless tests benchmarks
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test: lint
	$(VENV)/bin/python -m pytest -n auto --dist worksteal --cov --cov-report=term $(PYTEST_ARGS)

check: test

bench: $(STAMP)
	$(VENV)/bin/python benchmarks/run

format: $(STAMP)
	$(VENV)/bin/ruff format reckless tests benchmarks
	$(VENV)/bin/ruff check --fix reckless tests benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* dist
