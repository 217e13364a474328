# Everything here needs only Python 3.11 or newer with venv and pip; `make` alone lists what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
SOURCE ?=
ARGS ?=

.PHONY: help demo up test chaos long-chaos long-zoo long-push long-console long-privacy e2e-long check bench fuzz schemas lock vendor models-page dashboards clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 18

demo: $(VENV)/.demo ## run the whole system on a drawn accident, or on SOURCE=file
	@$(BIN)/hazardcast demo $(if $(SOURCE),--source "$(SOURCE)") $(ARGS)

up: $(VENV)/.demo ## run the services for the cameras of config/cameras.yaml
	@$(BIN)/hazardcast up $(ARGS)

test: $(VENV)/.dev ## run the tests; ends with what was skipped and why
	@$(BIN)/pytest -m alone $(ARGS); alone=$$?; \
	$(BIN)/pytest -n auto --maxprocesses 3 --dist loadfile -m "not alone" $(ARGS); beside=$$?; \
	test $$beside -eq 0 -o $$beside -eq 5 && test $$alone -eq 0 -o $$alone -eq 5

chaos: $(VENV)/.dev ## shake everything at once and count what was lost: --seed N --minutes M (as root)
	@$(BIN)/python -m tests.chaos $(ARGS)

long-chaos: $(VENV)/.dev ## the same for half an hour
	@$(BIN)/python -m tests.chaos --minutes 30 $(ARGS)

long-zoo: $(VENV)/.dev ## every odd camera, picture by picture, and what check says of it; --write writes the table
	@$(BIN)/python -m tests.zoo $(ARGS)
	@$(BIN)/python -m tests.zoo.agreement

long-push: $(VENV)/.dev ## a thousand clients that push and go, and nothing is left of them
	@PUSH_VISITS=1000 $(BIN)/pytest -q tests/camera/test_push_doors.py -k leave_nothing $(ARGS)

long-console: $(VENV)/.dev ## the console's acceptance cases and figures in full length: takes an hour, and a quiet machine
	@$(BIN)/pytest tests/console/acceptance --full-length --timeout=2400 $(ARGS)

long-privacy: $(VENV)/.dev ## a blurring worker killed 200 times at random moments: nothing lost, doubled or shown unverified
	@$(BIN)/python -m tests.privacy.kills $(ARGS)

e2e-long: $(VENV)/.dev ## ten minutes of video around a moment, frame by frame (takes eleven)
	@$(BIN)/pytest -s tests/e2e/test_default_clip.py --full-length $(ARGS)

check: $(VENV)/.dev ## lint, formatting and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/mypy grafana docs/guide/services

bench: $(VENV)/.dev ## measure latency, throughput and load on this machine
	@$(BIN)/python -m benchmarks $(ARGS)

fuzz: $(VENV)/.dev ## a million odd datagrams against the vehicle's receive path
	@$(BIN)/python -m benchmarks.fuzz_receive $(ARGS)

schemas: $(VENV)/.dev ## write schemas/, asyncapi.yaml and docs/reference/ anew from the code
	@$(BIN)/hazardcast schemas $(ARGS)

lock: ## write the images' locked requirements anew (needs uv)
	@requirements/lock

vendor: ## fetch the page's libraries anew (needs npm)
	@services/console/vendor

models-page: $(VENV)/.dev ## write docs/reference/models.md's tables anew from the tests' networks
	@$(BIN)/python -m tests.detector.layout_rows

dashboards: $(VENV)/.dev ## write Grafana's dashboards anew
	@$(BIN)/python grafana/generate.py

clean: ## remove caches and the environment; data/ stays
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; this machine has: $$(python3 -V 2>&1)" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) -V) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "venv does not work here: apt install python3-venv (or your system's package)" >&2; exit 1; }

# The environment for developing can do all that the one for running can.
$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@test -e $(VENV)/.dev && test $(VENV)/.dev -nt pyproject.toml || { \
		echo "installing what the system needs into $(VENV) (once, about a minute) …" && \
		$(BIN)/pip install --quiet --quiet --disable-pip-version-check --editable '.[demo]'; }
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing what the tests need into $(VENV) (once, about a minute) …"
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
