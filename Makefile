# Two commands set everything up on a fresh machine with Python 3.11 and make:
#   make demo    installs, then translates and aligns the embedded example
#   make test    installs, then runs the tests
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: setup demo test check bench
setup: .venv/ready

# One pip call with the constraints: a later, second call would move what MediaPipe pins.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch $@

demo: setup
	$(BIN)/signloom demo --out demo --overwrite

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy signloom

bench: setup
	$(BIN)/python -m benchmarks
