# ticketstream. `make` alone prints this help.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help install run test image-test dashboard k8s faults soak fuzz check fmt lint type arch bench bench-contenders bench-gpu bench-banking77 docs kafka tf-tools tf-test lock clean

help: ## Print what there is
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*## "} {printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}'

install: .venv/.dev ## Make .venv with everything, from the hashed lock

run: .venv/.run ## The whole stream on this machine: broker, worker, index, synthetic tickets, questions
	@$(BIN)/ticketstream demo

test: .venv/.dev ## Run the tests; with CI=true nothing is skipped for want of a broker or weights
	@# What may, four files at once, as most of it is waiting; then the rest alone, whatever came of the first.
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not alone"; beside=$$?; $(BIN)/pytest -m alone && exit $$beside

faults: .venv/.dev ## Attack every promise and print what held; SEED= makes the choices of a former run again
	$(call number,SEED)
	TICKETS_TEST_REPORT=1 TICKETS_TEST_SEED=$(SEED) $(BIN)/pytest -q tests/faults

image-test: .venv/.dev ## Build the image without an engine, look into it, and stream tickets through it; needs root, buildah and debootstrap
	TICKETS_TEST_IMAGE=1 $(BIN)/pytest -q -s tests/deploy/image

dashboard: .venv/.dev ## Draw Grafana's dashboard of a run made for it: docs/images/dashboard.png; needs Debian's prometheus
	$(BIN)/python -m tests.deploy.observability.picture docs/images/dashboard.png

soak: .venv/.dev ## The same attacks at length: 1,000 kills, a million records in a storm; MINUTES= ends them sooner; then RECORDS= bad inputs, a million
	$(call number,SEED)
	$(call number,MINUTES)
	$(call number,RECORDS)
	TICKETS_TEST_SOAK=1 TICKETS_TEST_REPORT=1 TICKETS_TEST_SEED=$(SEED) TICKETS_TEST_MINUTES=$(MINUTES) \
		$(BIN)/pytest -q -s -o timeout=0 tests/faults; attacks=$$?; [ $$attacks -le 1 ] || exit $$attacks; \
	TICKETS_TEST_BAD_RECORDS=$(or $(RECORDS),1000000) $(BIN)/pytest -q -n 2 -o timeout=0 -rP tests/bad_input/test_boundary.py -k as_the_contract_says && exit $$attacks

check: lint type arch ## Lint, types and the direction of imports

fmt: .venv/.dev ## Format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: .venv/.dev ## Style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: .venv/.dev ## Types
	$(BIN)/mypy

arch: .venv/.dev ## Who may import whom
	$(BIN)/lint-imports

bench: .venv/.dev ## Measure every suite but growth and gpu, an hour; SUITE= names one (embed, pipeline, latency, ...)
	$(BIN)/python -m bench run $(SUITE)

bench-contenders: .contenders/.done ## Install what the bench compares with, beside us (torch and fastembed; 5 GB)

bench-gpu: .venv/.dev ## Measure the model on an NVIDIA GPU; says so where there is none
	@if $(BIN)/python -c 'import sys; from models.device import count_gpus; sys.exit(not count_gpus())'; then \
		$(MAKE) --no-print-directory .gpu/.done && $(BIN)/python -m bench run gpu; \
	else \
		echo "no NVIDIA GPU here, or no driver for it: nothing is measured"; \
	fi

bench-banking77: .venv/.dev ## Does a question find its like? FOLDER= names train.csv and test.csv
	$(BIN)/python -m bench.banking77 $(FOLDER)

fuzz: .venv/.dev ## Look for a record that breaks the decode boundary, guided by coverage; SECONDS= says how long
	@if $(MAKE) --no-print-directory .fuzz/.done 2>/dev/null; then \
		mkdir -p .fuzz/corpus && .fuzz/bin/python -m tests.bad_input.fuzz_decode -max_total_time=$(or $(SECONDS),60) \
			-timeout=5 -print_final_stats=1 -artifact_prefix=.fuzz/ .fuzz/corpus; \
	else \
		echo "atheris can't be had here (it has wheels for Linux, see requirements/fuzz.txt): nothing is fuzzed"; \
	fi

docs: .venv/.dev ## Renew the tables of docs/operations.md and the contract's schema
	$(BIN)/python -m tests.docs.tables

kafka: .venv/.dev ## Fetch Apache Kafka's jars for the tests (needs Java and Maven)
	$(BIN)/python -m tests.rigs.kafka

tf-tools: .venv/.dev ## Install what the Terraform tests play AWS and scan with, where there is a terraform
	@if command -v terraform >/dev/null; then $(MAKE) --no-print-directory .ministack/.done .checkov/.done; fi

tf-test: tf-tools ## Format, validate, plan, scan and apply the Terraform files to what plays AWS; print a table
	$(BIN)/pytest -q tests/deploy/terraform

lock: .venv/.dev ## Resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra broker --extra build -o requirements/run.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra broker --extra build --extra dev -o requirements/dev.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/contenders.txt requirements/contenders.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra broker --extra build --constraint requirements/run.txt \
		--override requirements/gpu-override.txt -o requirements/gpu.txt pyproject.toml requirements/gpu.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/fuzz.txt requirements/fuzz.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/ministack.txt requirements/ministack.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/checkov.txt requirements/checkov.in

clean: ## Remove what was made here; caches of the user stay
	rm -rf .venv .contenders .gpu .fuzz .ministack .checkov build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

number = @case "$($(1))" in *[!0-9]*) echo "$(1)=$($(1)) is no whole number" >&2; exit 2;; esac

# Bytewax has wheels for these versions only. Each candidate is run: a name on the path may lead nowhere.
define FIND_PYTHON
for python in $(PYTHON) python3.12 python3.11 python3 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' 2>/dev/null; then break; fi; \
	python=; \
done; \
if [ -z "$$python" ]; then \
	echo "ticketstream needs Python 3.11 or 3.12 (Bytewax has no wheel for others); install one, or say make PYTHON=/path/to/python3.11" >&2; \
	exit 2; \
fi
endef

.venv/bin/python:
	@$(FIND_PYTHON); echo "making .venv with $$($$python --version)"; $$python -m venv .venv

.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "installing what requirements/run.txt pins"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	@echo "installing what requirements/dev.txt pins"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ .venv/.run

.contenders/.done: requirements/contenders.txt | .venv/bin/python
	@echo "installing what requirements/contenders.txt pins"
	@$(BIN)/python -m venv .contenders
	@.contenders/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/contenders.txt
	@touch $@

.fuzz/.done: requirements/run.txt requirements/fuzz.txt | .venv/bin/python
	@echo "installing what requirements/run.txt and requirements/fuzz.txt pin, beside us"
	@$(BIN)/python -m venv --clear .fuzz
	@.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt -r requirements/fuzz.txt
	@.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.gpu/.done: requirements/gpu.txt | .venv/bin/python
	@echo "installing what requirements/gpu.txt pins"
	@$(BIN)/python -m venv .gpu
	@.gpu/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/gpu.txt
	@.gpu/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.ministack/.done: requirements/ministack.txt | .venv/bin/python
	@echo "installing what requirements/ministack.txt pins, beside us"
	@$(BIN)/python -m venv --clear .ministack
	@.ministack/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/ministack.txt
	@touch $@

.checkov/.done: requirements/checkov.txt | .venv/bin/python
	@echo "installing what requirements/checkov.txt pins, beside us"
	@$(BIN)/python -m venv --clear .checkov
	@.checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/checkov.txt
	@touch $@
