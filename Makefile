# The two commands: `make demo` and `make test`. Everything runs in .venv, which
# tools/setup.sh makes; nothing else on the machine is touched except missing
# Debian/Ubuntu packages.
.PHONY: help demo test bench docs lint format types contracts adapter pyside-venv pytest windows pyside clean
.DEFAULT_GOAL := help
SHELL := /bin/sh

BIN := .venv/bin
PY := $(BIN)/python
SETUP := sh tools/setup.sh
# Warnings of other packages are theirs; ours are errors (tests/conftest.py).
NAPARI_FIXTURES := -p napari.utils._testsupport -p npe2._pytest_plugin -o filterwarnings=ignore

# Compiled modules are kept: a hundred tests start a program of their own, and each
# would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

# Vulkan and Qt want a private folder; some machines (containers, CI) have none.
ifeq ($(strip $(XDG_RUNTIME_DIR)),)
export XDG_RUNTIME_DIR := $(CURDIR)/.runtime
endif

help:
	@echo "make demo   write sample data and draw it"
	@echo "make test   lint, types, import contracts, the whole test suite"
	@echo "make bench  benchmarks beside the peers; writes docs/explanation/performance.md"
	@echo "make docs   the documentation, in site/"
	@echo "make lint   ruff, spelling, mypy and import contracts only"

demo:
	@$(SETUP) desktop
	@$(BIN)/brickfield demo

# The types are checked beside the tests: that is one process for a minute. As soon as
# one part has failed, no other begins.
test:
	@$(SETUP) test
	@$(MAKE) --no-print-directory -j3 format contracts adapter pyside-venv
	@$(MAKE) --no-print-directory -j2 IN_TURN=yes types pytest windows pyside
ifdef IN_TURN
windows: pytest
pyside: windows
endif

lint:
	@$(SETUP) test
	@$(MAKE) --no-print-directory -j3 format types contracts

format:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos src tests docs benchmarks examples tools Makefile *.md *.toml

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports

# Without an adapter the tests of the picture would fail one by one; say it once.
adapter:
	$(PY) -W ignore::RuntimeWarning:runpy -m brickfield.gpu.device

# Processes that share the tests; WORKERS=0 runs them in one, as a debugger wants. Tests
# wait for timers, files and processes a quarter of their time, so three of them keep
# two cores busy. Software Vulkan takes a thread per core in each process, which then
# wait for each other: one is enough where every core has a process of its own.
WORKERS ?= 3
SHARED := -n $(WORKERS) --dist worksteal
ifneq ($(WORKERS),0)
pytest windows pyside: export LP_NUM_THREADS ?= 1
endif
# What the rest stands on is covered by tests of its own. Counting lines nearly doubles
# the time of a test, so the others run without.
COVERED := tests/model tests/blockwise tests/planning tests/loading tests/store
pytest: export QT_QPA_PLATFORM ?= offscreen
pytest: export HYPOTHESIS_PROFILE ?= ci
pytest:
	$(PY) -m pytest $(SHARED) $(COVERED) --cov --cov-report= -p no:pytest-qt
	$(PY) -m pytest $(SHARED) $(addprefix --ignore ,tests/qt tests/plugin $(COVERED)) -p no:pytest-qt

pyside-venv:
	sh tools/pyside.sh -c ''

# What opens windows, on a virtual screen; napari's fixtures and ours.
windows: export HYPOTHESIS_PROFILE ?= ci
windows:
	sh tools/screen.sh $(PY) -m pytest $(SHARED) tests/qt tests/plugin $(NAPARI_FIXTURES)

# The other binding of Qt. All of tests/qt and tests/plugin would double the time of
# the slowest part, so it runs what depends on the binding: the tests marked
# `bindings` (lives and ends of windows and layers, docks, toolbar, pictures).
# All of them: BINDINGS= make pyside
BINDINGS ?= bindings
pyside: export HYPOTHESIS_PROFILE ?= ci
pyside:
	sh tools/screen.sh sh tools/pyside.sh -m pytest $(SHARED) tests/qt tests/plugin $(NAPARI_FIXTURES) $(if $(BINDINGS),-m $(BINDINGS))

bench:
	@$(SETUP) bench
	@$(PY) -m benchmarks --write

docs:
	@$(SETUP) docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf .venv .venv-pyside .runtime .demo site dist build demo.png demo-volume.png demo-receipt.json
