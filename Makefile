.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-all bench check lock clean

bin := .venv/bin
# Two processes: while one waits for containers the other works. tests/dealing.py says who runs what.
pytest := $(bin)/pytest --numprocesses 2 --no-loadscope-reorder -rs

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## a .venv with everything, and a Docker engine
	@scripts/setup

setup-dev: ## setup, and what the tests need
	@scripts/setup --dev

run: setup ## start Intercom
	@$(bin)/intercom up

check: setup-dev ## format, lint, types, layers
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports

# What fails is tried once more, alone: a machine that stalls is no fault. Both runs are printed.
again := $(bin)/pytest -rs --last-failed --last-failed-no-failures none

test: check ## check, then every promise sampled
	$(pytest) -m "not full" || $(again) -m "not full"

test-all: check ## check, then everything at full length; skips are printed
	$(pytest)

bench: setup-dev ## measure; prints a table and writes bench/latest.json
	$(bin)/python -m bench

lock: setup-dev ## resolve the dependencies anew
	@scripts/lock

clean: ## remove what can be made again (not your data)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
