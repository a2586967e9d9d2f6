# `make serve` is all it takes to try palaver; `make` alone tells the rest.

.DEFAULT_GOAL := help
.PHONY: help serve test test-faces client plans due chaos requirements profiles openapi asyncapi configuration commands python-reference pages docs check format coverage clean lint types arrows docs-tools serve-tools test-tools faces-tools

ARGS ?=
CHAOS_SEEDS ?= 20
CHAOS_SECONDS ?= 60
CHAOS_LONG ?= 600
CHAOS_JOBS ?= 2
PICTURES ?= .pictures
JOBS ?= 2
RUFF := .venv/bin/ruff
# The suite starts many processes; each would compile palaver anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26
	@echo 'PYTHON=python3.12 picks the interpreter (python3 otherwise; 3.11 or newer);'
	@echo 'ARGS="..." is passed on by serve, chaos, coverage and whatever tests; JOBS=2 is how many'
	@echo 'processes share the tests; CHAOS_SEEDS, CHAOS_SECONDS, CHAOS_LONG and CHAOS_JOBS say how many'
	@echo 'runs, how long, how long the long one, how many at once; PICTURES where windows are kept.'

serve: serve-tools ## run the engine and its gateway; Ctrl-C drains and stops it
	@exec .venv/bin/palaver serve $(ARGS)

test: test-tools ## run the whole test suite
	@.venv/bin/pytest -n $(JOBS) --dist worksteal $(ARGS)

test-faces: faces-tools ## test what other programs see, and the browser, of which it keeps .pictures: needs Node and Chromium
	@rm -rf $(PICTURES)
	@SCREENSHOTS=$(PICTURES) .venv/bin/pytest tests/faces $(ARGS)

client: faces-tools ## write the browser client's types from the models, and build what is served
	@.venv/bin/python clients/js/generate.py
	@cd clients/js && npx tsc && npm run -s build
	@cd clients/web && npx tsc && npm run -s build

plans: test-tools ## a million messages, and how Postgres searches and pages them
	@.venv/bin/pytest -s -m plans tests/persistence/plans $(ARGS)

due: test-tools ## ten thousand scheduled messages in one second, the engine killed twice
	@.venv/bin/pytest -s -m due tests/journeys/test_due.py $(ARGS)

chaos: test-tools ## kill, stop and freeze it under load, for about half an hour
	@{ echo --seed 0 --seconds $(CHAOS_LONG); \
	   for seed in $$(seq $(CHAOS_SEEDS)); do for mode in commit write_behind; do \
	   echo --seed $$seed --seconds $(CHAOS_SECONDS) --durability $$mode; done; done; } | \
	 xargs -L 1 -P $(CHAOS_JOBS) .venv/bin/palaver chaos --quiet $(ARGS)

requirements: test-tools ## count what is done, and write docs/requirements.md
	@.venv/bin/python tests/requirements/account.py

profiles: test-tools ## count what the products can do, and write docs/profiles.md
	@.venv/bin/python tests/scenarios/account.py

openapi: test-tools ## describe HTTP, in docs/openapi.json and docs/rest-reference.md
	@.venv/bin/python -m palaver.tests.docs.openapi

asyncapi: test-tools ## describe the socket, in docs/asyncapi.yaml and docs/socket.md
	@.venv/bin/python -m palaver.tests.docs.asyncapi

configuration: test-tools ## write every setting into docs/configuration.md
	@.venv/bin/python -m palaver.tests.docs.configuration

commands: test-tools ## write every command and its options into docs/commands.md
	@.venv/bin/python -m palaver.tests.docs.command_page

python-reference: test-tools ## write what a product calls into docs/python-reference.md
	@.venv/bin/python -m palaver.tests.docs.python_page

pages: requirements profiles openapi asyncapi configuration commands python-reference ## all of these seven

docs: docs-tools ## build the site of the docs in .site, strictly
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet --site-dir .site

check: lint types arrows ## formatting, lint, strict types, import arrows

format: test-tools ## format the sources and mend what ruff can
	@$(RUFF) check -q --config .ci/ruff.toml --fix-only .
	@$(RUFF) format --config .ci/ruff.toml .

coverage: test-tools ## run the suite and show what it does not reach
	@.venv/bin/coverage run -m pytest $(ARGS)
	@.venv/bin/coverage report

clean: ## remove .venv, caches and build output
	@rm -rf .venv .site .pictures build dist clients/*/node_modules clients/js/dist *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

lint: test-tools
	@$(RUFF) format --config .ci/ruff.toml --check .
	@$(RUFF) check --config .ci/ruff.toml .

types: test-tools
	@.venv/bin/mypy >.venv/mypy.log; code=$$?; sed 's,\.venv/src/palaver/,,g' .venv/mypy.log; exit $$code

arrows: test-tools
	@.venv/bin/pytest tests/test_architecture.py

docs-tools:
	@.ci/venv docs

serve-tools:
	@.ci/venv embedded

test-tools:
	@.ci/venv test

faces-tools:
	@.ci/node
	@.ci/venv faces
