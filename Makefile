# Targets for development and measurement. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BENCH_VENV := .bench/venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast soak soak-small check lint fix docs bench peers lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Install, write sample extracts, run once, say where to look
	$(BIN)/pilots demo

# Two processes more than cores, because many tests wait for the disk, a server or a timer. Specifications do not.
MORE_PROCESSES := 2
PYTEST = $(BIN)/python -m pytest --numprocesses $$(( $$(nproc) + $(MORE_PROCESSES) )) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.test ## Run the everyday tests
	$(PYTEST) -m "not soak" $(ARGS)

test-fast: MORE_PROCESSES := 0
test-fast: $(VENV)/.test ## Run the specifications and units alone: no whole run, no Prefect, no browser
	$(PYTEST) -m "not soak" tests/spec tests/unit $(ARGS)

soak: $(VENV)/.test ## Run every test at full length: many runs killed, new random examples by the hundred
	$(PYTEST) --hypothesis-profile=soak $(ARGS)

soak-small: $(VENV)/.test ## Run what `make test` leaves out, in a small form, as .ci/run does
	$(PYTEST) -m soak $$(grep -rlE 'mark\.soak|in_soak' tests --include='test_*.py') $(ARGS)

lint: $(VENV)/.test ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows

fix: $(VENV)/.test ## Format the code, and apply automatic fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test ## Run lint and test: both must pass before a merge

docs: $(VENV)/.test ## Generate docs/rules.md, guide-for-sites.md and data-dictionary.md from the rules and contracts
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden/test_documents.py

# In an environment without the test libraries: with them installed, imports of others are slower.
bench: ## Measure against hand-written SQL (SIZE=100k, 1m or 10m; ARGS=--json or --write)
	$(MAKE) --no-print-directory VENV=$(BENCH_VENV) $(BENCH_VENV)/.run
	$(BENCH_VENV)/bin/python tests/bench $(ARGS)

peers: ## Compare with other tools, on one bad file and a large one: docs/comparison.md (fetches them)
	$(PYTHON) tests/peers/run.py $(ARGS)
	$(MAKE) bench ARGS="peers $(ARGS)"

lock: ## Update the versions and hashes in the lock files (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra test \
	  -c requirements.lock pyproject.toml -o requirements-test.lock

clean: ## Remove what was installed and cached; data stays
	rm -rf $(VENV) .bench .peers .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info

# Bytecode is compiled at installation, on every core: without it a start takes two to three times as long. Some files
# of libraries do not compile with this Python and are never imported, hence `|| true`. The test libraries are not
# compiled, because only a small part of them is used.
$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-compile -r requirements.lock
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.test: $(VENV)/.run requirements-test.lock
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-compile -r requirements-test.lock
	touch $@
