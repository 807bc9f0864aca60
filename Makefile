# Each verb sets itself up from nothing but Python ≥ 3.11, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# With `make test postgres=/usr/lib/postgresql/15/bin` these run on that folder's server.
ON_A_SERVER := tests/engine tests/cli tests/ledger tests/workers
READY := $(VENV)/.ready
# Compiled once, not by each of the many processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check bench docs picture hazard clean

demo: $(READY)
	@$(BIN)/python -m playground.demo

test: $(READY)
	@$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(if $(postgres),--postgres-bin '$(postgres)' $(ON_A_SERVER))

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports

bench: $(READY)
	@$(BIN)/python -m benchmarks.corridor
	@$(BIN)/python -m benchmarks.backup_restore

hazard: $(READY)
	@$(BIN)/python -m tests.support.new_hazard '$(name)'

docs: $(READY)
	@$(BIN)/python -m tests.test_documents

picture: $(READY)
	@$(BIN)/python -m playground.picture

$(READY): pyproject.toml $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Twokey needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@echo 'Installing what Twokey needs into $(VENV) (once; a minute or two) …'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[playground,dev]'
	@touch $@

clean:
	rm -rf $(VENV)
