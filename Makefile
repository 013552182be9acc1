# On a new machine `make demo` and `make test` are all there is to know: every target sets up what
# it needs. ARGS goes on to the command: make demo ARGS="--events 50000 --once"

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test torture soak bench check lock clean

help:
	@echo "make demo   see it work: a real Kafka, a real PostgreSQL, no Docker (Ctrl-C ends it)"
	@echo "make test   every test"
	@echo "make check  lint, format, types, layers, contracts"
	@echo "make torture  break it for some minutes (LONG=1: for half an hour or more; SEED=… as an earlier run)"
	@echo "make soak   half an hour at a steady rate: what must be flat is flat"
	@echo "make bench  how fast it is on this machine"
	@echo "make setup  $(VENV) alone; the others do this by themselves"
	@echo "make lock   compute the lock files anew (ARGS=--upgrade for newer versions)"
	@echo "make clean  remove $(VENV) and every cache of the checkout"

setup: $(STAMP)

demo: $(STAMP)
	@$(BIN)/claim-analytics demo $(ARGS)

# Three at a time, each with servers of its own: most tests wait for a server most of their time.
test: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

torture: $(STAMP)
	$(BIN)/python -m tests.reliability.torture $(if $(SEED),--seed $(SEED)) $(if $(LONG),--long) \
		$(ARGS)

soak: $(STAMP)
	$(BIN)/python -m tests.reliability.soak $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m consumers.contracts.generate --check
	$(BIN)/python -m service.http.api.document --check

# Once, and again when the lock or pyproject.toml changes. --no-build-isolation takes setuptools
# from the lock too, so nothing is installed whose hash is not in it.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
$(STAMP): requirements-dev.lock pyproject.toml
	@$(USABLE_VENV) || { $(FIND_PYTHON); $(MAKE_VENV); }
	@echo "Installing requirements-dev.lock into $(VENV) (a minute, the first time) …"
	@$(PIP_INSTALL) --require-hashes --requirement requirements-dev.lock
	@$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

USABLE_VENV := $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
FIND_PYTHON = for python in $(PYTHON) none; do \
	  test $$python != none || { $(NO_PYTHON) >&2; exit 1; }; \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done
NO_PYTHON = echo "Python 3.11 or newer is needed, and none of these is: $(PYTHON)." \
	  "Install one (Debian 12, Ubuntu 24.04: apt install python3 python3-venv;" \
	  "macOS: brew install python@3.13), or name one: make setup PYTHON=/path/to/python3"
# Debian and Ubuntu have what makes an environment in a package of its own.
NO_VENV = echo "$$python cannot make a virtual environment: install what it lacks" \
	  "(Debian, Ubuntu: apt install python3-venv)."
MAKE_VENV = $$python -c 'import ensurepip, venv' 2>/dev/null || { $(NO_VENV) >&2; exit 1; }; \
	  echo "Making $(VENV) with $$($$python --version) …"; \
	  $$python -m venv --clear $(VENV)

# As the two files were made: for every platform, from the oldest Python on, with hashes.
UV := uv==0.13.9
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header pyproject.toml
# The image has traces too: whoever runs it cannot install an extra.
lock: $(STAMP)
	@$(PIP_INSTALL) $(UV)
	$(COMPILE) $(ARGS) --all-extras --output-file requirements-dev.lock
	$(COMPILE) $(ARGS) --extra traces --constraint requirements-dev.lock \
		--output-file requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
