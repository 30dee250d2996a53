# Everything a newcomer or a developer runs. Only Python (3.11 or newer) and make have to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(if $(wildcard $(VENV)/Scripts),$(VENV)/Scripts,$(VENV)/bin)
STAMP := $(VENV)/.installed
SOURCES := eccles tests benchmarks examples

.PHONY: demo test test-all lint fix types bench docs golden clean

demo: $(STAMP)  ## the forum thread's experiment: tables, a figure, and a report with controls and EPSPs
	$(BIN)/eccles beats --figure out/beats.png --report out/report

test: $(STAMP)  ## a quick variant of every claim
	$(BIN)/python -m pytest -m "not slow" -n auto

test-all: $(STAMP)  ## the long tests too
	$(BIN)/python -m pytest -n auto

lint: $(STAMP)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

fix: $(STAMP)  ## what ruff can mend by itself
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

types: $(STAMP)
	$(BIN)/pyright

bench: $(STAMP)  ## against Brian 2 and NEST, in an environment of their own; about an hour
	$(PYTHON) benchmarks/peers.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/compile_time.py
	$(BIN)/python benchmarks/second_run.py
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/exact_times.py --out .bench/exact_times.png
	$(BIN)/python benchmarks/sweeps.py

docs: $(STAMP)  ## links, names of files and the code in the documents
	$(BIN)/python -m pytest tests/test_documents.py

golden: $(STAMP)  ## write expected texts anew; look at the difference before committing it
	$(BIN)/python -m pytest -m "not slow" --golden -q

clean:
	rm -rf $(VENV) build dist out .ruff_cache .hypothesis

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --quiet --editable ".[dev]"
	$(BIN)/python -c "open('$(STAMP)', 'w').close()"
