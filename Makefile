# `make` says what there is to make. Every target first brings .venv up to date, which costs nothing when it already is.
#
#   PYTHON=python3.12 make demo     chooses the Python that .venv is made with (3.11 or later)
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo     takes the small CPU build of torch on Linux

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
.PHONY: help demo sheet marks test quick lint mutants fuzz lab lessons measure slides book book-serve test-browser golf bundle \
  addresses lock clean

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
BASE := .venv/.base-is-installed
DEV := .venv/.dev-is-installed
NODE := book/node_modules/.package-lock.json

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
marks test quick lint mutants fuzz lab lessons measure slides book test-browser: export OMP_WAIT_POLICY := PASSIVE

help:
ifeq ($(EDITION),fr)
	@echo "make demo           dessine une phrase avec chaque système, en deux langues : demo.png, notes dans demo.json"
	@echo "make sheet          dessine huit phrases avec chaque système : sheet.png"
	@echo "make marks          examine chaque système et refait le tableau des README"
	@echo "make test           vérifie le style, les types et les étages, puis lance tous les tests"
	@echo "make quick          la même chose avec les seuls tests rapides de ce qui vient de changer"
	@echo "make lint           la même chose sans les tests"
	@echo "make mutants        plante cent fautes dans la bibliothèque et montre celles qu'aucun test ne voit"
	@echo "make fuzz           essaie mille mauvaises entrées de toutes sortes ; chacune doit finir par une phrase"
	@echo "make lab [LANG=en]  ouvre JupyterLab sur vos leçons : work/fr, que rien n'écrase"
	@echo "make lessons        refait les notebooks du cours à partir de leurs sources"
	@echo "make measure        exécute les leçons et note ce qu'elles coûtent"
	@echo "make slides         fait les diapositives, et leurs PDF si Chromium est là"
	@echo "make book           publie le cours en un site, dans book/site"
	@echo "make book-serve     le montre dans le navigateur"
	@echo "make test-browser   essaie le site, les diapositives et JupyterLab dans un vrai navigateur"
	@echo "make golf           dit comment jouer aux meilleures images en cinq minutes, et montre le tableau des records"
	@echo "make bundle         fait une archive qui s'installe sans réseau ; FOR=\"windows-3.12 linux-3.11\" choisit pour quelles machines"
	@echo "make addresses      récrit ce qui suit l'adresse du dépôt, celle de dalle_edu/address.py"
	@echo "make lock           refait uv.lock avec les versions de constraints.txt"
	@echo "make clean          efface les caches, les paquets construits et l'image de démonstration (pas .venv, runs/ ni work/)"
else
	@echo "make demo           draw a sentence with every system, in two languages: demo.png, marks in demo.json"
	@echo "make sheet          draw eight sentences with every system: sheet.png"
	@echo "make marks          examine every system and make the READMEs' table again"
	@echo "make test           check style, types and floors, then run all the tests"
	@echo "make quick          the same with only the quick tests of what has just changed"
	@echo "make lint           the same without the tests"
	@echo "make mutants        plant a hundred faults in the library and show those that no test sees"
	@echo "make fuzz           try a thousand bad inputs of every kind; each must end in a sentence"
	@echo "make lab [LANG=fr]  open JupyterLab on your lessons: work/en, which nothing overwrites"
	@echo "make lessons        make the course's notebooks from their sources"
	@echo "make measure        run the lessons and note what they cost"
	@echo "make slides         make the slides, and their PDFs where there is a Chromium"
	@echo "make book           publish the course as a website, in book/site"
	@echo "make book-serve     show it in the browser"
	@echo "make test-browser   try the website, the slides and JupyterLab in a real browser"
	@echo "make golf           say how to play for the best pictures in five minutes, and show the scoreboard"
	@echo "make bundle         make an archive that installs without a network; FOR=\"windows-3.12 linux-3.11\" chooses for which machines"
	@echo "make addresses      write again what follows the repository's address, which is in dalle_edu/address.py"
	@echo "make lock           make uv.lock again, with the versions of constraints.txt"
	@echo "make clean          remove caches, built packages and the demo's picture (not .venv, runs/ nor work/)"
endif

demo: $(BASE)
	$(BIN)/dalle-edu generate --system all "un grand cercle rouge à gauche d'un petit carré bleu" \
	  "a large red circle to the left of a small blue square" -n 1 --seed 0 --out demo.png --json demo.json

sheet: $(BASE)
	$(BIN)/dalle-edu generate --system all -n 1 --seed 0 --out sheet.png --json sheet.json \
	  "un grand cercle rouge à gauche d'un petit carré bleu" "a pink heart above a black ring" "trois étoiles vertes" "two small yellow crosses" \
	  "une croix noire et un losange orange" "a purple diamond" "un anneau violet sous un cœur rouge" "four blue circles"

marks: $(BASE)
	$(BIN)/dalle-edu score all --prompts 512 --json data/marks.json
	$(BIN)/python -m dalle_edu.publishing.readme

# The tests in a browser are a part of it wherever there is a browser; where there is none, it is said and the rest counts.
# Formulas are compiled by MathJax in the tests, where npm can bring it.
test: lint
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory $(NODE) || true; fi
	$(BIN)/pytest -n 2 --dist loadfile --junitxml=runs/tests.xml
	@if node book/tools/chromium.mjs && $(MAKE) --no-print-directory $(NODE); then $(MAKE) --no-print-directory test-browser; \
	else echo "THE TESTS IN A BROWSER WERE LEFT OUT: they need Node.js 18 or later, npm with its registry in reach, and Chromium" >&2; fi

quick: $(DEV)
	$(BIN)/python -m tools.quick

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

mutants: $(DEV)
	$(BIN)/python -m tools.mutants --seed 0 --count 100 --jobs 2 --report runs/mutants.md

fuzz: $(DEV)
	HF_HUB_OFFLINE=1 $(BIN)/python -m tools.fuzz --inputs 1100

# Students work in work/, which no other target touches.
lab: $(BASE)
	DALLE_EDU_LANGUAGE=$(EDITION) $(BIN)/dalle-edu lab --language $(EDITION)

lessons: $(DEV)
	$(BIN)/dalle-edu lessons build
	$(BIN)/python -m dalle_edu.publishing.readme

measure: $(DEV)
	$(BIN)/python -m benchmarks.lessons
	$(BIN)/dalle-edu lessons build

slides: $(DEV) $(NODE)
	$(BIN)/dalle-edu slides
	node book/tools/pdf.mjs book/site || echo "the PDFs were left out"

book: slides
	$(BIN)/dalle-edu book

book-serve: book
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory book/site 8000

test-browser: book
	node tests/browser/run.mjs

golf: $(BASE)
	$(BIN)/python -m benchmarks.golf

# Weights, notebooks and every wheel that they need, in dist; the site too, where `make book` has been run.
bundle: $(DEV)
	$(BIN)/python -m tools.bundle $(FOR)

addresses: lessons

lock: $(DEV)
	$(BIN)/python -m tools.lock

clean:
	rm -rf build dist book/pages book/site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo.png demo.json sheet.png sheet.json
	find . \( -name .git -o -name .venv -o -name runs -o -path ./work \) -prune -o -name __pycache__ -prune -exec rm -rf {} +

$(BASE): pyproject.toml constraints.txt hatch_build.py $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[course]'
	@touch $@

$(DEV): pyproject.toml constraints.txt hatch_build.py $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $(BASE) $@

$(NODE): book/package-lock.json
	cd book && npm ci --no-audit --no-fund
	@touch $@

# The first Python that can make an environment for this package.
$(BIN)/python:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14 python); do \
	  if "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "making .venv with $$("$$python" --version)"; \
	    exec "$$python" -m venv --clear .venv; \
	  fi; \
	done; \
	echo "no Python 3.11 or later was found$(if $(PYTHON), as $(PYTHON)); install one with its venv module (Debian: python3-venv), or give its path: PYTHON=... make demo" >&2; \
	exit 1
