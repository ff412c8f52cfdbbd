# Two commands on a fresh machine with Python 3.11 or later: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
DEMO := demo

.PHONY: demo test check lint types layers queries-lint cases docs sample lock bench fuzz noise mutation clean setup help

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Keytrail needs Python 3.11 or later; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: --no-binary=bagit -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $(STAMP)

setup: $(STAMP) ## Make .venv with pinned, hashed dependencies; the command is .venv/bin/keytrail

demo: $(STAMP) ## The main job on sample_logs/, end to end
	@$(BIN)/keytrail demo --output $(DEMO)

# Rewritten assertions and the modules that started programs load are kept, whatever the surroundings say.
test: $(STAMP) ## Every test
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check forensics tests conftest.py
	$(BIN)/ruff format --check forensics tests conftest.py

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

queries-lint: $(STAMP)
	$(BIN)/python -m forensics.queries

check: lint types layers queries-lint ## Static checks: ruff, mypy strict, import-linter, query lint

docs: $(STAMP) ## Write docs/fields.md, formats.md, queries.md, collection.md and the list of judged queries anew
	$(BIN)/python -m forensics.analysis.sound > sound.new && mv sound.new forensics/queries/sound.txt
	$(BIN)/python -m forensics.store.reference > docs/fields.md.new && mv docs/fields.md.new docs/fields.md
	$(BIN)/python -m forensics.sources.reference > docs/formats.md.new && mv docs/formats.md.new docs/formats.md
	$(BIN)/python -m forensics.analysis.reference > docs/queries.md.new && mv docs/queries.md.new docs/queries.md
	$(BIN)/python -m forensics.analysis.collection.guide > docs/collection.md.new && mv docs/collection.md.new docs/collection.md

sample: $(STAMP) ## Write sample_logs/ anew from its generator
	$(BIN)/python -m forensics.sample --output sample_logs

bench: $(STAMP) ## Measure ingest and hunt as ratios within one run; BENCH="--events 50000 --rounds 1" for a small one
	$(BIN)/python -m tests.bench $(BENCH)

noise: $(STAMP) ## What the pack says of the quiet weeks of the sample incident, and the noisiest queries
	$(BIN)/python -m tests.noise

mutation: $(STAMP) ## Delete each predicate of each detection once; writes docs/mutation.md (some twenty minutes)
	$(BIN)/python -m tests.mutation --kept .mutation.jsonl > docs/mutation.md.new && mv docs/mutation.md.new docs/mutation.md

fuzz: $(STAMP) ## Fuzz the readers for five minutes; with atheris in .venv led by coverage; FUZZ="--seconds 3600"
	$(BIN)/python -m tests.fuzzing $(FUZZ)

lock: $(STAMP) ## Pin dependencies anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf .venv $(DEMO) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
