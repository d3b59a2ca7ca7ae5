# The project's interface: `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install postgres run test test-all test-dagster test-deep mutants attack lint bench bench-quick docs ui lock clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

install: .venv/.installed ## Make .venv with the command `licenses` in it

postgres: .venv/.postgres ## Add what Dagster needs to keep its runs in PostgreSQL (docs/dagster.md)

run: .venv/.installed ## Do the main job: a real snapshot with ANTHROPIC_ADMIN_KEY, else 7 sandbox nights
	@$(BIN)/licenses run

ui: .venv/.installed ## Dagster's web UI and daemon, the nightly schedule on
	@$(BIN)/licenses ui

test: .venv/.tested ## Pass the tests: all but the slow ones
	$(BIN)/pytest -n 2 -m "not slow"

test-all: .venv/.tested ## Pass all of them: nights, kills, processes of their own too (10 to 20 minutes)
	$(BIN)/pytest -n 2

test-dagster: .venv/.tested ## Of them: Dagster's grid against the files, its own commands from anywhere, PostgreSQL
	$(BIN)/pytest tests/dagster

test-deep: .venv/.tested ## Of them: what holds for any input, on many more examples, other ones each time
	$(BIN)/pytest -n 2 -m hypothesis --hypothesis-profile=deep

mutants: .venv/.tested ## Break the code at one place after another, and see whether a test notices (SAMPLE=50; 0: all, which takes days)
	$(BIN)/python -m tests.mutants --sample $(SAMPLE) $(PATHS)
SAMPLE ?= 50

attack: .venv/.tested ## Kill it, and fail it, at every call that changes the disk (hours; EVERY=4: a quarter)
	$(BIN)/python -m tests.attack --every $(EVERY)
EVERY ?= 1

# The second time without the tests: what only they use is dead, too.
lint: .venv/.tested ## Style, types, arrows between modules, declared packages, dead code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	$(BIN)/vulture
	$(BIN)/vulture assets pipelines sandbox benchmarks
	$(BIN)/mypy

bench: .venv/.tested ## Measure, against floors in the same run, into benchmarks/README.md (takes an hour)
	$(BIN)/python -m benchmarks

bench-quick: .venv/.tested ## The same, small, on the screen only (two minutes)
	$(BIN)/python -m benchmarks --quick

docs: .venv/.tested ## Write the data dictionary, the command line's reference, the columns' lineage and the cookbook's answers anew
	$(BIN)/python -m tests.docs.dictionary
	$(BIN)/python -m tests.docs.command_line
	$(BIN)/python -m tests.warehouse.write_column_lineage
	$(BIN)/python -m tests.docs.write_cookbook

lock: .venv/.tested ## Pin everything again, with hashes
	$(COMPILE) --extra build --extra dev --extra postgres pyproject.toml -o requirements-dev.lock
	$(COMPILE) --extra build -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(COMPILE) --extra build --extra postgres -c requirements-dev.lock pyproject.toml -o requirements-postgres.lock
	$(COMPILE) -c requirements.lock benchmarks/requirements.in -o benchmarks/requirements.lock
	$(COMPILE) tests/older-duckdb.in -o tests/older-duckdb.lock

# First with everything: Dagster's packages pin each other, and what is installed with fewer extras is the same.
COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-header --no-annotate --quiet --upgrade

clean: ## Remove .venv; data stays
	rm -rf .venv .venv-bench .venv-duckdb1

# A copied interpreter: programs that tell environments apart by the interpreter's real path then see this one.
# Bytecode is compiled at install: Dagster starts three times as fast with it.
.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv --copies .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.postgres: .venv/.installed requirements-postgres.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --require-hashes -r requirements-postgres.lock
	@touch $@

# An older DuckDB stands apart: analysts have it in their shells, and a test opens the warehouse with it.
.venv/.tested: .venv/.installed requirements-dev.lock tests/older-duckdb.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --require-hashes -r requirements-dev.lock
	$(PYTHON) -m venv .venv-duckdb1
	.venv-duckdb1/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/older-duckdb.lock
	@touch $@
