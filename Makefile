# Two doors: `make run` and `make test`. Everything they need they set up themselves.
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export OMP_WAIT_POLICY ?= passive

.PHONY: run test check faults bench docs lock golden clean

run: .venv/installed
	@scripts/system-packages.sh run
	$(BIN)/creditbook run

test: .venv/installed
	@scripts/system-packages.sh test
	$(MAKE) check
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/creditbook docs --check

# Kill -9 and a failing disk at every system call of publishing, where `make test` takes a sample; a quarter of an hour.
faults: .venv/installed
	@scripts/system-packages.sh test
	CREDITBOOK_FAULTS=all $(BIN)/python -m pytest tests/faults

# Hours, one after the other (the models longest); nothing else should run beside them.
bench: .venv/installed .venv-featuretools/installed .venv-peers/installed
	$(BIN)/python -m benchmarks.main_job
	$(BIN)/python -m benchmarks.catalogue_cost
	$(BIN)/python -m benchmarks.whole_night
	$(BIN)/python -m benchmarks.pandas_peer
	$(BIN)/python -m benchmarks.featuretools_peer
	$(BIN)/python -m benchmarks.cost_model
	$(BIN)/python -m benchmarks.models
	$(BIN)/python -m benchmarks.models_speed
	$(BIN)/python -m benchmarks.million_rows
	$(BIN)/python -m benchmarks.report_size
	$(BIN)/python -m benchmarks.test_sizes

# featuretools fits no pandas 3, so the peer has an environment of its own.
.venv-featuretools/installed: requirements/featuretools.txt | .venv/installed
	$(PYTHON) -m venv --clear .venv-featuretools
	$(BIN)/uv pip install --quiet --python .venv-featuretools/bin/python --require-hashes -r $< \
		|| .venv-featuretools/bin/python -m pip install --quiet --require-hashes -r $<
	touch $@

# The peers of the models need another scikit-learn and pandas than ours.
.venv-peers/installed: requirements/peers.txt | .venv/installed
	$(PYTHON) -m venv --clear .venv-peers
	$(BIN)/uv pip install --quiet --python .venv-peers/bin/python --require-hashes -r $< \
		|| .venv-peers/bin/python -m pip install --quiet --require-hashes -r $<
	touch $@

docs: .venv/installed
	$(BIN)/creditbook docs

# Rewrites the golden files from what the code now gives; read the difference before committing it.
golden: .venv/installed
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q -m "not slow" -k golden

# Pins every dependency with its hashes and without a registry's address.
lock:
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra spark --extra postgres --extra delta --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements/lock.txt
	$(BIN)/uv pip compile requirements/featuretools.in --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements/featuretools.txt
	$(BIN)/uv pip compile requirements/peers.in --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements/peers.txt

.venv/installed: requirements/lock.txt pyproject.toml
	scripts/system-packages.sh run
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/lock.txt \
		|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv .venv-featuretools .venv-peers build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
