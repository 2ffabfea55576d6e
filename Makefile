# What a developer does here. Everything runs in .venv, from the hash-locked lists in locks/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check bench format lock clean help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run.ok .env  ## set everything up and serve on http://127.0.0.1:8000
	@exec $(BIN)/penny serve --sample $(ARGS)

test: $(VENV)/dev.ok  ## the whole test suite
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/dev.ok  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.ok  ## figures measured on this machine, in bench/report/
	@$(BIN)/python -m bench

format: $(VENV)/dev.ok  ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## resolve the dependencies again (needs uv)
	uv pip compile $(LOCK) --extra local --group build -o locks/run.txt pyproject.toml
	uv pip compile $(LOCK) --extra local --group build --group dev -c locks/run.txt -o locks/dev.txt pyproject.toml
LOCK := -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

clean:  ## remove the environment and what tools left
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

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

.PHONY: install
install:
	@echo "penny: installing the dependencies of locks/$(LIST).txt (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/$(LIST).txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .

# The embedded database of this checkout stays in it, and `penny` finds the same one.
.env:
	@echo "PENNY_HOME=.penny" > $@
