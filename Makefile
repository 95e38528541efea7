# Everything is installed into .venv, in the exact versions of .constraints.txt.
#
#   make demo                    crawl the bundled sample portal
#   make replay                  look at ./archive in a browser, with pywb
#   make check                   format, lint, types, imports and the quick tests; a minute
#   make test                    all checks and tests, as CI runs them
#   make bench                   measure beside wget and Scrapy; needs nginx and wget, and an hour
#   make fidelity                compare how archivers record hostile responses; needs wget, and the network for pip
#   make soak                    long tests: crawls killed a hundred times, two months of 34 sites; two hours
#   make PYTHON=/path/python3    with an interpreter of your choice
#
# Targets run one after the other, even with `make -j`: pip and the checks share .venv and the caches.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo replay check test checks others format-check lint types imports wheel quick quick-first quick-other
.PHONY: slow bench fidelity soak clean FORCE

SHELL := /bin/sh
PY := .venv/bin/python
PIP_OPTIONS := --quiet --disable-pip-version-check --no-input
PIP := $(PY) -m pip install $(PIP_OPTIONS) --constraint .constraints.txt
PIP_REPLAY := .venv/replay/bin/python -m pip install $(PIP_OPTIONS) --constraint .constraints-replay.txt
VENV := .venv/.stamp-venv
RUNTIME := .venv/.stamp-runtime
DEV := .venv/.stamp-dev
REPLAY := .venv/.stamp-replay
WHEELS := .build/wheel

# The user's PIP_INDEX_URL, proxies and certificates are kept. Variables that would install outside of .venv, or import
# modules from other folders, are not passed on.
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_NO_DEPS PIP_REQUIRE_HASHES PIP_DRY_RUN PIP_PYTHON
unexport PIP_UPGRADE PIP_PRE PIP_IGNORE_INSTALLED PIP_FORCE_REINSTALL PIP_NO_BUILD_ISOLATION
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS
# Without compiled modules each start, and each worker of the tests, compiles all of ours again.
unexport PYTHONDONTWRITEBYTECODE

# Print one line per step; its own output only if it fails.
quietly = @echo "== $(1)"; output=$$($(2) 2>&1) || { printf '%s\n' "$$output"; exit 1; }

# The same for checks, with their duration. They run in parallel, so the line is printed at the end.
timed = @began=$$(date +%s); output=$$($(2) 2>&1) || { printf '== %s\n%s\n' "$(1)" "$$output"; exit 1; }; \
    echo "== $(1): $$(($$(date +%s) - began)) s"

# Slow tests start processes, or take seconds; soak tests are those whose rule a cheaper test holds too.
# One worker more than there are cores: slow tests wait for a server's delay (two cores: 413 s instead of 502 s).
PYTEST := $(PY) -m pytest
SLOW := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist loadfile --no-loadscope-reorder
# Quick tests run in two processes, each with half of them: a worker of pytest-xdist needs 4 ms more for each of 7,000.
QUICK_FIRST := $(addprefix tests/danvan_crawler/,cli pages store walk)
QUICK_OTHER := tests/danvan_crawler tests/pipelines tests/spiders $(wildcard tests/test_*.py) \
    $(addprefix --ignore ,$(QUICK_FIRST))

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(RUNTIME)  ## crawl the bundled sample portal into ./archive; needs no network
	@.venv/bin/danvan demo

replay: $(RUNTIME) $(REPLAY)  ## look at ./archive in a browser, with pywb
	@.venv/bin/danvan replay

check: EXAMPLES := --hypothesis-profile quick
check: checks quick  ## format, lint, types, imports and the quick tests

test: checks wheel quick slow  ## all checks, then the tests

# mypy takes as long as the others together.
checks: $(DEV)
	@$(MAKE) --no-print-directory types & types=$$!; $(MAKE) --no-print-directory others; others=$$?; \
	    wait $$types && exit $$others

others: format-check lint imports

format-check: $(DEV)
	$(call timed,ruff format --check,$(PY) -m ruff format --check .)

lint: $(DEV)  ## ruff
	$(call timed,ruff check,$(PY) -m ruff check .)

types: $(DEV)  ## mypy, strict
	$(call timed,mypy --strict,$(PY) -m mypy)

imports: $(DEV)  ## which room may import which
	$(call timed,lint-imports,.venv/bin/lint-imports)

wheel: $(DEV)  ## build the wheel into .build/wheel and check its contents
	@rm -rf $(WHEELS)
	$(call timed,building the wheel into $(WHEELS),$(PY) -m build --wheel --no-isolation --outdir $(WHEELS))
	$(call timed,check-wheel-contents,.venv/bin/check-wheel-contents --toplevel danvan_crawler $(WHEELS))

quick: $(DEV)
	@$(MAKE) --no-print-directory quick-first EXAMPLES='$(EXAMPLES)' & first=$$!; \
	    $(MAKE) --no-print-directory quick-other EXAMPLES='$(EXAMPLES)'; other=$$?; wait $$first && exit $$other

quick-first quick-other: quick-%: $(DEV)
	$(call timed,quick tests ($*),$(PYTEST) --quiet -m 'not slow and not soak' $(EXAMPLES) $(if $(filter first,$*),$(QUICK_FIRST),$(QUICK_OTHER)))

slow: $(DEV) $(REPLAY)
	@echo "== slow tests"
	@$(PYTEST) $(SLOW) -m 'slow and not soak'

# Smaller and quicker: make bench PAGES=500 ROUNDS=1 ITEMS=5000. Profile of a crawl: make bench PROFILE=1.
bench: $(RUNTIME)  ## measure beside wget and Scrapy, and put the table into docs/
	@$(PY) tests/benchmarks/bench.py $(if $(PAGES),--pages $(PAGES)) $(if $(LISTINGS),--listings $(LISTINGS)) \
	    $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ITEMS),--items $(ITEMS)) $(if $(PROFILE),--profile)

fidelity: $(RUNTIME)  ## compare the records of this crawler, wget, warcprox and scrapy-webarchive, into docs/
	@$(PY) tests/benchmarks/fidelity.py

# Repeat the same kills and the same fleet: make soak SEED=42 (the effect of a kill depends on the machine). A smaller
# fleet: make soak FLEET_SITES=12 FLEET_DAYS=15 FLEET_PAGES=5000.
soak: $(DEV) $(REPLAY)  ## long tests: crawls killed a hundred times, a fleet of 34 sites over 60 days, 50,000 pages
	@$(PYTEST) $(SLOW) -m soak
	@SOAK_ROUNDS=$(or $(ROUNDS),300) SOAK_SEED=$(or $(SEED),1) $(PYTEST) $(SLOW) tests/danvan_crawler/walk/test_equal_rows.py
	@SOAK_KILLS=$(or $(KILLS),100) SOAK_PAGES=$(or $(PAGES),1950) SOAK_SEED=$(or $(SEED),0) \
	    FLEET_SITES=$(or $(FLEET_SITES),34) FLEET_DAYS=$(or $(FLEET_DAYS),60) FLEET_SEED=$(or $(SEED),1) \
	    FLEET_PAGES=$(or $(FLEET_PAGES),50000) \
	    $(PY) -m pytest -rP tests/end_to_end/test_kills.py tests/fleet $(wildcard tests/soak)

clean:  ## remove .venv, builds and caches; archive/ stays
	rm -rf .venv .build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find danvan_crawler spiders pipelines tests -name __pycache__ -prune -exec rm -rf {} +

# A .venv that was moved from another folder, or whose Python no longer works, is made again.
ifneq ($(shell cat $(VENV) 2>/dev/null && $(PY) -c '' 2>/dev/null && echo works),$(CURDIR) works)
$(VENV): FORCE
endif

$(VENV):
	@tried=; found=; \
	for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
	    if ! version=$$($$candidate -c 'import platform; print(platform.python_version())' 2>/dev/null); then \
	        tried="$$tried, $$candidate (does not run)"; \
	    elif ! $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	        tried="$$tried, $$candidate (is $$version)"; \
	    elif ! $$candidate -c 'import ensurepip, venv' 2>/dev/null; then \
	        tried="$$tried, $$candidate (is $$version, without venv: on Debian, apt-get install python3-venv)"; \
	    else found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "danvan-crawler needs Python 3.11 or newer with its venv module. Tried: $${tried#, }." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; \
	    exit 1; \
	fi; \
	echo "== making .venv with $$found ($$version)"; \
	$$found -m venv --clear .venv
	@printf '%s\n' "$(CURDIR)" >$@

# The build backend is installed first and the build is not isolated, so that its version is from .constraints.txt too.
$(RUNTIME): $(VENV) pyproject.toml .constraints.txt
	$(call quietly,installing the build backend into .venv,$(PIP) hatchling editables)
	$(call quietly,installing danvan-crawler and its dependencies into .venv (a minute or two),$(PIP) --no-build-isolation --editable .)
	@touch $@

# setuptools builds dependencies without a wheel: Py3AMF of cdxj-indexer, and bagit. Without setuptools-scm, bagit's
# version would be 0.0.0.
$(DEV): $(RUNTIME)
	$(call quietly,installing setuptools into .venv,$(PIP) setuptools setuptools-scm)
	$(call quietly,installing the tools of checks and tests into .venv,$(PIP) --no-build-isolation --editable '.[dev]')
	@touch $@

# pywb needs older versions of our dependencies, so it has a separate environment, where `danvan replay` looks for it.
$(REPLAY): $(VENV) .constraints-replay.txt
	@$(PY) -m venv --clear .venv/replay
	$(call quietly,installing setuptools into .venv/replay,$(PIP_REPLAY) setuptools)
	$(call quietly,installing pywb into .venv/replay,$(PIP_REPLAY) --no-build-isolation pywb)
	@touch $@

FORCE:
