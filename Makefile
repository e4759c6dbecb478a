# Every target works from a fresh clone: Python >= 3.11, pip and a package index are all that is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test browser-ready lint types coverage package faults docs bench repeats clients clean

demo: $(READY)  ## vet the reference relay that we ship, and say where the report is
	$(BIN)/relay-conformance demo

test: $(READY) browser-ready  ## the whole test suite
	$(BIN)/python -m pytest -n auto --dist loadgroup

# The pages are tested in a real browser. The font is for Chinese: WenQuanYi has 1.6 MB where Noto has 57 MB.
APT_GET = env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet
browser-ready:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	  command -v apt-get >/dev/null && $$sudo true 2>/dev/null && $$sudo $(APT_GET) update && \
	  $$sudo $(APT_GET) install --yes --no-install-recommends chromium fonts-wqy-microhei; \
	} || echo "no chromium here, and none could be installed: the browser tests will be skipped"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

# CPython 3.11 loses trace events in the frame that called asyncio.run, so some lines there seem not to run: what it
# cannot see it is not asked for. Measured on 3.12 and newer, every line and branch is asked for.
FLOOR = $(shell $(BIN)/python -c 'import sys; print(100 if sys.version_info >= (3, 12) else 99)')

# Tests in a browser and of the documents' commands run programs of their own: they cover nothing that others do not.
coverage: $(READY)  ## branch coverage of conformance/
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n auto --dist loadgroup --ignore=tests/browser --ignore=tests/docs
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=$(FLOOR)

package: $(READY)  ## build the wheel and look into it
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m tools.inspect_wheel dist/*.whl

faults: $(READY)  ## the kill matrix: which fault trips which rule
	$(BIN)/python -m tools.kill_matrix > docs/faults.md.new && mv docs/faults.md.new docs/faults.md
	@echo docs/faults.md

docs: $(READY) faults  ## every generated page
	$(BIN)/python -m tools.pages

bench: $(READY)  ## the figures that the README quotes
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.report_page

repeats: $(READY)  ## hundreds of runs against honest relays, awkward ones too: nothing may be found wrong
	$(BIN)/python -m tools.repeats 200 300
	$(BIN)/python -m tools.repeats 200 0 200 plain
	$(BIN)/python -m tools.repeats 40 50 200
	$(BIN)/python -m tools.gate_repeats 200 300 0.02 3
	$(BIN)/python -m tools.gate_repeats faults

clients: $(READY)  ## the tests with real clients, which are large to install
	$(BIN)/python -m pip install --quiet --editable '.[clients]'
	$(BIN)/python -m pytest tests/clients -n auto

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $(READY)

clean:
	rm -rf $(VENV) dist build .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
