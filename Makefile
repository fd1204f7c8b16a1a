# `make demo` and `make test` make of the environment what they need and is not
# there; see tools/setup_env.py.

# The Python that the environment is made with, 3.9 to 3.12.
PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c '' 2>/dev/null && echo $$p && break; done)
VENV := $(or $(HANET_VENV),.venv)
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
# Threads that wait go to sleep soon: with other work on the machine, spinning
# ones made training on two cores many times slower; alone they cost nothing.
export GOMP_SPINCOUNT ?= 20000

.PHONY: bench demo demo-train fuzz test test-core lint typecheck docs env \
	env-core env-video print-python

# `make demo VIDEO=clip.mp4`: that video, with MediaPipe.
demo: env-$(if $(VIDEO),video,core)
	$(BIN)/python tools/demo.py $(if $(VIDEO),--video "$(VIDEO)")

demo-train: env
	$(BIN)/python tools/demo_train.py

# Speed and memory of everything people wait for; BENCH=--quick for a glance.
bench: env
	$(BIN)/python -W ignore tools/benchmark/run_all.py --json bench.json $(BENCH)

# A process for each core, each with one thread: half the time on two cores.
test: env
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

# Anything that may be wrong with sequences, files, trackers and measures.
# `make fuzz COUNT=100000 SEED=7` tries others; seeds are in the names of tests.
COUNT ?= 10000
SEED ?= 0
fuzz: env
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m fuzz \
		--fuzz-count=$(COUNT) --fuzz-seed=$(SEED) --verbosity=0

# The tests that need no OpenMMLab.
test-core: env-core
	$(BIN)/python -m pip install --quiet -c requirements/constraints.txt \
		hypothesis pytest
	$(BIN)/python -m pytest -m 'not mm'

lint: env
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/codespell

typecheck: env
	$(BIN)/python -m mypy

# Without network; warnings are errors.
docs: env
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html

env:
	@$(or $(PYTHON),$(error no python3 found: install Python 3.11)) \
		tools/setup_env.py

# Only what the demo needs; `env` adds the rest.
env-core:
	@$(or $(PYTHON),$(error no python3 found: install Python 3.11)) \
		tools/setup_env.py --core

# The same with MediaPipe.
env-video:
	@$(or $(PYTHON),$(error no python3 found: install Python 3.11)) \
		tools/setup_env.py --video

# For scripts that need the same Python, without the environment.
print-python:
	@echo $(PYTHON)
