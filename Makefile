# `make` says what there is to make. Every target first brings .venv up to date, which costs nothing when it already is.
#
#   PYTHON=python3.12 make demo     chooses the Python that .venv is made with (3.11, 3.12 or 3.13)
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo     takes the small CPU build of torch on Linux

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
.PHONY: help demo test lint lab clean

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
BASE := .venv/.base-is-installed
DEV := .venv/.dev-is-installed

# LANG is two things: in `make lab LANG=fr` a language, in the shell's environment a locale such as fr_FR.UTF-8. A bare fr or en is no
# locale, so the commands below are given a real one of that language instead.
ifneq ($(filter fr en,$(LANG)),)
  EDITION := $(LANG)
  override LANG := $(or $(firstword $(shell locale -a 2>/dev/null | grep -iE '^$(EDITION)_.*\.utf-?8$$')),C.UTF-8)
  export LANG
else
  ifeq ($(origin LANG),command line)
    $(error LANG is '$(LANG)'; write LANG=fr or LANG=en)
  endif
  EDITION := $(if $(filter fr fr_% fr.%,$(or $(LC_ALL),$(LC_MESSAGES),$(LANG))),fr,en)
endif

# Idle threads that spin make small models several times slower.
test lint lab: export OMP_WAIT_POLICY := PASSIVE

help:
ifeq ($(EDITION),fr)
	@echo "make demo           dessine une phrase française et une phrase anglaise : demo.png, notes dans demo.json"
	@echo "make test           vérifie le style, les types et les étages, puis lance tous les tests"
	@echo "make lint           la même chose sans les tests"
	@echo "make lab [LANG=en]  ouvre JupyterLab dans le navigateur"
	@echo "make clean          efface les caches, les paquets construits et l'image de démonstration (pas .venv, ni runs/)"
else
	@echo "make demo           draw a French and an English sentence: demo.png, marks in demo.json"
	@echo "make test           check style, types and floors, then run all the tests"
	@echo "make lint           the same without the tests"
	@echo "make lab [LANG=fr]  open JupyterLab in the browser"
	@echo "make clean          remove caches, built packages and the demo's picture (not .venv, nor runs/)"
endif

demo: $(BASE)
	$(BIN)/dalle-edu generate "un grand cercle rouge à gauche d'un petit carré bleu" \
	  "a large red circle to the left of a small blue square" -n 4 --seed 0 --out demo.png --json demo.json

test: lint
	$(BIN)/pytest

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: $(BASE)
	$(BIN)/jupyter lab --ServerApp.ip=localhost --ServerApp.root_dir="$(CURDIR)$(addprefix /,$(wildcard lessons/$(EDITION)))" \
	  --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo.png demo.json
	find . \( -name .git -o -name .venv -o -name runs \) -prune -o -name __pycache__ -prune -exec rm -rf {} +

$(BASE): pyproject.toml constraints.txt $(BIN)/python
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $(BASE) $@

# The first Python that can make an environment for this package.
$(BIN)/python:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  if "$$python" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then \
	    echo "making .venv with $$("$$python" --version)"; \
	    exec "$$python" -m venv --clear .venv; \
	  fi; \
	done; \
	echo "no Python 3.11, 3.12 or 3.13 was found$(if $(PYTHON), as $(PYTHON)); install one with its venv module (Debian: python3-venv), or give its path: PYTHON=... make demo" >&2; \
	exit 1
