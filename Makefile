# The first two commands are `make demo` and `make test`. Each makes the
# environment if it is not there; see tools/setup_env.py.

# The Python that the environment is made with, 3.9 to 3.12.
PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c '' 2>/dev/null && echo $$p && break; done)
VENV := $(or $(HANET_VENV),.venv)
# Threads that wait go to sleep soon: with other work on the machine, spinning
# ones made training on two cores many times slower; alone they cost nothing.
export GOMP_SPINCOUNT ?= 20000

.PHONY: demo test lint env print-python

demo: env
	$(VENV)/bin/python tools/demo.py

test: env
	$(VENV)/bin/python -m pytest

lint: env
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .

env:
	@$(or $(PYTHON),$(error no python3 found: install Python 3.11)) \
		tools/setup_env.py

# For scripts that need the same Python, without the environment.
print-python:
	@echo $(PYTHON)
