# make             install into .venv, run the default experiment, say where its report lies
# make test        install what judges the project too, and run all of it
# make status      where each run stands, also while they run; make preview: what a call would do, and how long it may
#                  take; make clean_state: remove the checkpoints of finished runs
# make benchmark   install PyTorch beside it into benchmarks/.venv, measure speed (an hour, nothing else running)
# make benchmark-perplexity  how long output layers take to a perplexity (some 5 minutes, with WIKITEXT an hour more)
# make benchmark-report  how long pictures and page take to build and to show, for 18 and 300 runs (some 2 minutes)
# make benchmark-corpora  how much memory and time texts of up to 0.8 GB take (some 40 minutes, and 5 GB of disk)
# make benchmark-orchestration  how long Snakemake plans large sweeps, and its share of the default one (some 10 minutes)
# make test-kills  kill a sweep at KILLS=50 random moments: it must end as if nothing had been (some 10 minutes)
# make test-slurm  run smoke on a Slurm cluster of two pretended nodes, kill one, compare (as root, on Debian; some 6 minutes)
# make fuzz        throw broken files at whatever reads them, for ten minutes
# WIKITEXT=wikitext-2.zip  a zip file of WikiText-2 to measure that on, too
# CORPORA="a.zip b.txt"  texts to measure the tokenizer on, too
# EXPERIMENT=wide  another experiment of config/experiments/ instead of the default one
# PYTHON=python3.12  another interpreter than python3, 3.11 or later

PYTHON ?= python3
EXPERIMENT ?= default
SNAKEMAKE_OPTIONS ?=
KILLS ?= 50

BIN := .venv/bin

# Snakemake keeps a cache below the home folder, and ends in a traceback where it cannot.
ifeq ($(shell test -w "$$HOME" && echo yes),)
export XDG_CACHE_HOME ?= $(CURDIR)/.cache
endif
CONFIGFILE := $(if $(filter default,$(EXPERIMENT)),,--configfile config/experiments/$(EXPERIMENT).yaml)
SNAKEMAKE := $(BIN)/snakemake $(CONFIGFILE)


.PHONY: all run install install-dev test lint benchmark benchmark-perplexity benchmark-report benchmark-corpora benchmark-orchestration status preview clean_state test-slurm test-kills fuzz pins clean
.DELETE_ON_ERROR:

all: run

# One failed run keeps the summary from being built: then it is built from the runs that exist, and make fails. A
# configuration that is refused ends with 2, and nothing is to be built.
run: install
	@$(SNAKEMAKE) $(SNAKEMAKE_OPTIONS) || { \
	    test $$? -ne 2 || exit 2; \
	    $(SNAKEMAKE) $(SNAKEMAKE_OPTIONS) --config missing_runs=allow; \
	    echo "Something failed, see above; if there are runs, results/$(EXPERIMENT)/report.html shows them."; \
	    exit 1; }
	@echo "The report: $(CURDIR)/results/$(EXPERIMENT)/report.html"

install: .venv/.installed
install-dev: .venv/.installed-dev

.venv/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# the longest files first, so that no core waits for them at the end
test: install-dev lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile tests/test_workflow.py tests/test_workflow_troubles.py tests/test_browser.py tests

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint

benchmark: benchmarks/.venv/.installed
	benchmarks/.venv/bin/python benchmarks/throughput.py
	benchmarks/.venv/bin/python benchmarks/figure.py
	benchmarks/.venv/bin/python benchmarks/sweep.py

benchmark-perplexity: benchmarks/.venv/.installed run
	benchmarks/.venv/bin/python benchmarks/time_to_perplexity.py --corpus results/default/corpus $(if $(WIKITEXT),--wikitext $(WIKITEXT))
	benchmarks/.venv/bin/python benchmarks/figure.py

benchmark-report: install-dev
	$(BIN)/python benchmarks/report.py

benchmark-corpora: install
	$(BIN)/python benchmarks/corpus_scale.py
	$(if $(CORPORA),$(BIN)/python benchmarks/tokenizing.py $(CORPORA))

benchmark-orchestration: install
	$(BIN)/python benchmarks/orchestration.py

status preview clean_state: install
	@$(BIN)/snakemake $@ $(CONFIGFILE) -q all

test-slurm: tests/slurm/.venv/.installed
	@command -v slurmctld > /dev/null && command -v munged > /dev/null || { apt-get update -qq && apt-get install -y -qq slurm-wlm munge; }
	PYTHONPATH=tests tests/slurm/.venv/bin/python tests/slurm/survival.py

tests/slurm/.venv/.installed: requirements.txt workflow/profiles/slurm/requirements.txt pyproject.toml
	$(PYTHON) -m venv tests/slurm/.venv
	tests/slurm/.venv/bin/python -m pip install --quiet -r requirements.txt
	tests/slurm/.venv/bin/python -m pip install --quiet -r workflow/profiles/slurm/requirements.txt
	tests/slurm/.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

test-kills: install-dev
	$(BIN)/python tests/kills.py --kills $(KILLS)

fuzz: install-dev
	$(BIN)/python tests/fuzz_readers.py --seconds 600

benchmarks/.venv/.installed: requirements.txt benchmarks/requirements.txt
	$(PYTHON) -m venv benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet -r requirements.txt
	benchmarks/.venv/bin/python -m pip install --quiet -r benchmarks/requirements.txt
	benchmarks/.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# After a change of the dependencies in pyproject.toml; needs uv.
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet
pins:
	$(COMPILE) --extra build pyproject.toml -o requirements.txt
	$(COMPILE) --extra build --extra dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) --constraint requirements.txt workflow/profiles/slurm/requirements.in -o workflow/profiles/slurm/requirements.txt

# Results stay; this takes away what can be installed again.
clean:
	rm -rf .venv benchmarks/.venv tests/slurm/.venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
