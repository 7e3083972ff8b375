# Everything a newcomer needs. `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
AS_AT_NIGHT := .bench/venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast soak soak-small check lint fix docs bench peers lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Install, write sample extracts, run one night, say where to look
	$(BIN)/pilots demo

# Two processes more than there are cores: many tests wait, for the disk, for a server or for the clock.
PYTEST := $(BIN)/python -m pytest --numprocesses $$(( $$(nproc) + 2 )) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.test ## Run the everyday tests
	$(PYTEST) -m "not soak" $(ARGS)

test-fast: $(VENV)/.test ## Run the specifications and units alone: no night, no Prefect, no browser
	$(PYTEST) -m "not soak" tests/spec tests/unit $(ARGS)

soak: $(VENV)/.test ## Run every test at full length: many nights killed, new random examples by the hundred
	$(PYTEST) --hypothesis-profile=soak $(ARGS)

soak-small: $(VENV)/.test ## Run what `make test` leaves out, in a small form, as .ci/run does
	$(PYTEST) -m soak $$(grep -rlE 'mark\.soak|in_soak' tests --include='test_*.py') $(ARGS)

lint: $(VENV)/.test ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows

fix: $(VENV)/.test ## Put the code into the agreed style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test ## Style, types and tests: what has to pass

docs: $(VENV)/.test ## Make docs/rules.md and docs/guide-for-sites.md anew, from the rules and contracts
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden/test_documents.py

# With what a night has installed and no more: with the tests' own libraries there, others are slower to start.
bench: ## Measure beside hand-written SQL (SIZE=100k, 1m or 10m; ARGS=--json or --write)
	$(MAKE) --no-print-directory VENV=$(AS_AT_NIGHT) $(AS_AT_NIGHT)/.run
	$(AS_AT_NIGHT)/bin/python tests/bench $(ARGS)

peers: ## Compare with other tools, on one bad file and a large one: docs/comparison.md (fetches them)
	$(PYTHON) tests/peers/run.py $(ARGS)
	$(MAKE) bench ARGS="peers $(ARGS)"

lock: ## Choose versions anew and write them down with their hashes (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra test \
	  -c requirements.lock pyproject.toml -o requirements-test.lock

clean: ## Remove what was installed; what lies in data stays
	rm -rf $(VENV) .bench .peers .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info

# Compiled on installing, on every core: a start costs two to three times as much without bytecode. A file that this
# Python cannot compile is one that nobody imports. Of the tests' own libraries little is used: that compiles itself.
$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-compile -r requirements.lock
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.test: $(VENV)/.run requirements-test.lock
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-compile -r requirements-test.lock
	touch $@
