# The first two commands are `make demo` and `make test`. Each makes of the
# environment what it needs and is not there; see tools/setup_env.py.

# The Python that the environment is made with, 3.9 to 3.12.
PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c '' 2>/dev/null && echo $$p && break; done)
VENV := $(or $(HANET_VENV),.venv)
# Threads that wait go to sleep soon: with other work on the machine, spinning
# ones made training on two cores many times slower; alone they cost nothing.
export GOMP_SPINCOUNT ?= 20000

.PHONY: demo demo-train test lint env env-core print-python

demo: env-core
	$(VENV)/bin/python tools/demo.py

demo-train: env
	$(VENV)/bin/python tools/demo_train.py

test: env
	$(VENV)/bin/python -m pytest

lint: env
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .

env:
	@$(or $(PYTHON),$(error no python3 found: install Python 3.11)) \
		tools/setup_env.py

# Only what the demo needs; `env` adds the rest.
env-core:
	@$(or $(PYTHON),$(error no python3 found: install Python 3.11)) \
		tools/setup_env.py --core

# For scripts that need the same Python, without the environment.
print-python:
	@echo $(PYTHON)
