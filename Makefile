# Two commands do all the set-up: `make run` serves the site, `make test` runs every test.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
# With PAPERS=FILE the home is named after the file, so that the starter edition stays out of it.
HOME_DIR ?= $(or $(BROADSHEET_HOME),$(if $(PAPERS),data/$(notdir $(PAPERS)),data/starter))
BIN := .venv/bin

.PHONY: help install install-dev run test bench lint docs lock clean

help:
	@echo "make run [PORT=8000] [PAPERS=FILE]  install what is missing, serve the site with real papers"
	@echo "make test                           install what is missing, run every test"
	@echo "make bench                          measure speed and quality (needs the real data)"
	@echo "make lint                           style, import directions, generated docs"
	@echo "make docs                           write the generated pages of docs/ anew"
	@echo "make lock                           resolve the dependencies anew"

install: .venv/.installed
	@$(BIN)/python -m broadsheet.search.encoder.install
	@$(BIN)/python -m broadsheet.delivery.katex_install

.venv/.installed: requirements.lock pyproject.toml
	@echo "Installing Broadsheet into .venv (some minutes the first time) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Broadsheet needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements.lock | tail -n 3
	@$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

install-dev: install .venv/.installed-dev
	@sh tests/clients/install.sh
	@sh tests/install-system.sh

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@echo "Installing what the tests need ..."
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock | tail -n 3
	@touch $@

run: install
	@$(BIN)/broadsheet serve --home "$(HOME_DIR)" --port $(PORT) $(if $(PAPERS),--papers "$(PAPERS)")

test: install-dev
	$(BIN)/python -m pytest -q

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python tools/generate_docs.py --check

docs: install-dev
	$(BIN)/python tools/generate_docs.py

bench: install-dev
	$(BIN)/python -m bench.run

# Names no index: pip's own configuration decides where packages come from.
lock:
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--allow-unsafe --strip-extras --extra build -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --allow-unsafe --strip-extras -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv .venv-clients data build dist src/*.egg-info
