# Tandem's commands. `make` alone lists them. Needs Python 3.11 or newer; everything else is brought into the checkout.

PORT ?= 8000
TANDEM_HOME ?= $(CURDIR)/.tandem
export PORT TANDEM_HOME

BOOT := $(shell for p in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
PY := .venv/bin/python
MANAGE := $(PY) manage.py
JOBS ?= auto
PYTEST := $(PY) -m pytest
PARALLEL := -n $(JOBS) --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help demo run worker shell build lighthouse environment dev-environment database demo-database messages test test-services lint format bench screenshots fuzz clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: export TANDEM_DEMO = 1
demo: environment ## Install, build, fill with the demo company and run the portal on http://127.0.0.1:$(PORT)
	@$(MAKE) --no-print-directory -j2 build demo-database
	@exec $(PY) -m portal.supervisor --with-parent

run: environment build database ## Run the portal on its own data, without the demo company
	@exec $(PY) -m portal.supervisor --with-parent

worker: environment ## One more Celery worker, for DATABASE_URL and REDIS_URL
	@exec $(PY) -m celery -A portal worker --concurrency $(or $(WORKER_CONCURRENCY),2) --loglevel INFO

shell: environment ## A Python shell with the models
	@$(MANAGE) shell

environment:
	@$(if $(BOOT),,echo "Tandem needs Python 3.11 or newer; none was found (name one: make PYTHON=/path/to/python3)." >&2; exit 1)
	@$(BOOT) scripts/prepare.py environment

dev-environment:
	@$(if $(BOOT),,echo "Tandem needs Python 3.11 or newer; none was found (name one: make PYTHON=/path/to/python3)." >&2; exit 1)
	@$(BOOT) scripts/prepare.py environment --dev

build: environment ## Build the front end, when its sources changed
	@$(BOOT) scripts/prepare.py frontend

lighthouse: dev-environment
	@$(BOOT) scripts/prepare.py lighthouse

database: environment ## Bring the database up to date
	@$(PY) scripts/database.py

demo-database: environment
	@$(PY) scripts/database.py --demo

messages: dev-environment ## Collect the texts to translate and compile the translations
	@$(PY) scripts/messages.py

test: dev-environment build lighthouse ## The whole suite on SQLite and the embedded Valkey, in parallel (ARGS="-k word" narrows it)
	@env -u DATABASE_URL -u REDIS_URL $(PYTEST) $(PARALLEL) $(ARGS)

test-services: export DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres
test-services: export REDIS_URL ?= redis://127.0.0.1:6379
test-services: dev-environment build ## The same on the PostgreSQL and Redis that DATABASE_URL and REDIS_URL name
	@$(PYTEST) $(PARALLEL) $(ARGS)

lint: dev-environment build ## Style, floors of the house, templates, types, migrations, known holes in dependencies
	@$(PY) scripts/lint.py

format: dev-environment ## Put imports and layout in order
	@.venv/bin/ruff check --fix-only --quiet . ; .venv/bin/ruff format .

bench: dev-environment build ## Measure pages against the floor, or the engine with ARGS=engine; one table, and JSON in .tandem
	@$(PY) -m benchmarks $(ARGS)

screenshots: dev-environment build ## Take the pictures of the README and of the tour again
	@TANDEM_SCREENSHOTS=1 $(PYTEST) tests/e2e/test_request_to_delivery.py -q $(ARGS)
	@$(PY) scripts/pictures.py

fuzz: dev-environment ## Long random runs of what reads foreign input (ROUNDS=10000)
	@HYPOTHESIS_PROFILE=long ROUNDS=$(or $(ROUNDS),10000) $(PYTEST) -m fuzz -q $(ARGS)

clean: ## Remove what was built and installed; the data in .tandem stays
	rm -rf .venv tests/lighthouse/node_modules frontend/node_modules frontend/dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
