PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
unexport PYTHONDONTWRITEBYTECODE  # tests start hundreds of commands: each module is compiled once
READY  := $(VENV)/.ready

.PHONY: help install demo demo-train test test-all test-quick check check-static coverage mutation format bench-gate bench-audit bench-engine bench-ablations bench-build rule-fixtures docs clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

install: $(READY)  ## .venv with taxcheck and everything its development needs

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY)  ## run the gate on a healthy clade (passes) and on the incident (fails)
	@$(BIN)/python -m fixtures.incident.build demo/incident > /dev/null
	@echo; echo "A healthy clade, Echinodermata of the NCBI taxonomy:"
	@$(BIN)/taxcheck run --mapping fixtures/healthy/mapping.tsv --pairs fixtures/healthy/pairs.parquet \
	  --taxonomy fixtures/healthy/taxdump --title Echinodermata --html demo/healthy.html
	@echo; echo "The incident, rebuilt from the NCBI taxonomy:"
	@$(BIN)/taxcheck run --mapping demo/incident/mapping.tsv --pairs demo/incident/pairs.parquet \
	  --taxonomy demo/incident/taxdump --title incident --html demo/incident.html; test $$? -eq 1
	@echo; echo "Open demo/healthy.html and demo/incident.html in a browser."

demo-train: $(READY)  ## check, train and audit Echinodermata: about a minute
	@rm -rf demo/train
	@$(BIN)/taxcheck train --mapping fixtures/healthy/mapping.tsv --pairs fixtures/healthy/pairs.parquet \
	  --taxonomy fixtures/healthy/taxdump --title Echinodermata --epochs 40 --workers 1 --out demo/train
	@echo; echo "Open demo/train/gate.html and demo/train/audit.html in a browser; the table is"
	@echo "demo/train/best.safetensors, the record of the run demo/train/run.json."

test: $(READY)  ## the tests that need minutes at most
	$(BIN)/pytest -n auto

test-all: $(READY)  ## every test: whole taxonomies, browsers, slow laws
	$(BIN)/pytest -n auto -m ''

check: check-static test-quick  ## lint, format, types, import contracts, quick tests

test-quick: $(READY)
	$(BIN)/pytest -n auto -m 'not long and not slow and not browser'

check-static: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Left out are tests that look at all that a process opens and writes: they would see the measuring.
WATCHED := --ignore tests/trust/test_inert.py --ignore tests/sources/checkpoints/test_hostile.py \
  --deselect tests/fixing/test_folder.py::test_no_room_is_one_line_and_leaves_nothing

coverage: $(READY)  ## lines and branches that the tests run, subprocesses too
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n auto $(WATCHED)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --sort=cover

mutation: $(READY)  ## wrong changes in rules and statistics that no test notices (an hour)
	$(BIN)/python -m benchmarks.mutation rules --tests tests/rules
	$(BIN)/python -m benchmarks.mutation taxcheck/statistics --longest 3 --sample 300 \
	  --tests tests/statistics tests/test_pipeline.py tests/test_pictures.py

format: $(READY)  ## mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench-gate: $(READY)  ## build all of NCBI, measure the gate on it (needs the extra data package)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.gate

bench-audit: $(READY)  ## measure the audit on WordNet and on all of NCBI
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.audit

bench-ablations: $(READY)  ## measure each choice of the default preset alone
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.ablations

bench-build: $(READY)  ## build all of NCBI beside the bare closure and write
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.build

bench-engine: $(READY)  ## measure the engine: speed, and quality by seconds of training (an hour)
	$(BIN)/python -m benchmarks.engine

rule-fixtures: $(READY)  ## write fixtures/rules again
	$(BIN)/python -m fixtures.makers.make_rule_fixtures

docs: $(READY)  ## the documentation, as pages in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "Open site/index.html in a browser; its search needs $(BIN)/python -m http.server -d site"

clean:
	rm -rf $(VENV) build dist *.egg-info demo site
