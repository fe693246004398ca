PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: test demo golden docs new-rule clean

# All that continuous integration checks.
test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# The main job, shown on a service with planted faults. Status 1 says that there are findings.
demo: $(VENV)/.project
	@$(BIN)/asyncvet check examples/shop || [ $$? -eq 1 ]

# Write anew the reports that tests and README.md hold; look at what `git diff` says then.
golden: $(VENV)/.project
	$(BIN)/python -m scripts.golden

# The documentation as a site, in build/site; a broken link fails.
docs: $(VENV)/.docs
	$(BIN)/python scripts/site_pages.py
	$(BIN)/mkdocs build --strict

# make new-rule NAME=busy-wait CODE=AV109
new-rule:
	@$(PYTHON) scripts/new_rule.py '$(NAME)' '$(CODE)'

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .asyncvet_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.project: $(VENV)/.python pyproject.toml src/asyncvet/__init__.py
	$(PIP) install --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.project requirements-dev.txt
	$(PIP) install --requirement requirements-dev.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.project requirements-docs.txt
	$(PIP) install --requirement requirements-docs.txt
	@touch $@
