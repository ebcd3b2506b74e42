# Everything a person does with OpenAisle. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
export OPENAISLE_HOME ?= $(CURDIR)/var
# One thread a process: parallelism comes from worker processes.
export OMP_NUM_THREADS ?= 1
export PYTHONDONTWRITEBYTECODE ?=
PORT ?= 3000

# An environment is up to date when its stamp holds the lock's hash: an interrupted install is done again.
define install
@want="$$(cat $(1) | sha256sum | cut -d' ' -f1)"; \
if [ "$$(cat $(VENV)/.$(2) 2>/dev/null || true)" != "$$want" ]; then \
  echo "installing $(1)"; \
  $(PY) -m pip install --disable-pip-version-check --quiet --no-deps $(foreach lock,$(1),-r $(lock)); \
  echo "$$want" > $(VENV)/.$(2); \
fi
endef

.PHONY: help setup setup-test setup-bench setup-simulation run test test-long ui check bench simulate review land-check confirm-time clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

$(PY):
	@found="$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)"; \
	if [ "$$found" != 3.11 ]; then \
	  echo "OpenAisle needs Python 3.11, and $(or $(PYTHON),no python3) is $${found:-not a Python}: set PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

setup: $(PY) ## what `make run` and `make ui` need, into .venv
	$(call install,requirements.lock,run)

setup-test: setup ## and what the tests need
	$(call install,requirements-test.lock,test)

setup-bench: setup-test ## and the peers that the benchmark runs beside ours
	$(call install,requirements-bench.lock,bench)

setup-simulation: setup-test ## and the renderer
	$(call install,requirements-simulation.lock,simulation)

run: setup ## a store-day from footage to orders, statistics and proofs; a second run changes nothing
	@$(PY) -m simulation land --home "$(OPENAISLE_HOME)"
	@$(PY) -m orchestration run

test: setup-test ## the test suite: minutes
	@$(PY) -m pytest -n 2 --dist loadfile

test-long: setup-simulation ## what takes longer: the renderer, kills in the middle of a run
	@$(PY) -m pytest -n 2 --dist load -m long

ui: setup ## Dagster at http://localhost:3000 over what `make run` left
	@$(PY) -m orchestration ui --port $(PORT)

check: setup-test ## ruff, mypy, dbt parse, Dagster definitions
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(PY) -m orchestration dbt-parse
	@$(VENV)/bin/dg check defs

bench: setup-bench ## speed and accuracy beside the peers, in one run
	@$(PY) -m benchmarks

simulate: setup-simulation ## render a new simulated store-day: make simulate SEED=7 OUT=var/simulated
	@$(PY) -m simulation render --seed $(or $(SEED),7) --out "$(or $(OUT),$(OPENAISLE_HOME)/simulated)"

review: setup ## what waits for a person's judgement, and how to decide it: make review ARGS="--help"
	@$(PY) -m assets.orders.review $(ARGS)

land-check: setup ## try a delivery folder without landing it: make land-check FOLDER=path
	@$(PY) -m orchestration land --check "$(FOLDER)" $(ARGS)

confirm-time: setup ## vouch for the machine's clock when a sweep doubts it (docs/runbooks/doubted-clock.md)
	@$(PY) -m orchestration confirm-time $(ARGS)

clean: ## removes the environment and everything under OPENAISLE_HOME
	rm -rf $(VENV) "$(OPENAISLE_HOME)" dbt_project/target dbt_project/logs
