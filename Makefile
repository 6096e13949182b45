PYTHON ?= python3
VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
MESSAGES := -l zh_Hans --no-location --no-wrap --no-obsolete -i .venv -i tests -i bench -i chaos -i rig -i node_modules -i var
PIP_INSTALL := $(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check

.PHONY: help run test check bench bench-quick chaos format messages clean

help:
	@echo "make run       start the site (settings: docs/self-hosting.md)"
	@echo "make test      every test: unit, integration on SQLite and PostgreSQL, browser, JavaScript"
	@echo "make check     the quick ones: lint, format, types, templates, unit tests"
	@echo "make chaos   breaks a site at random and checks what is left (CHAOS='--minutes 30 --database postgresql')"
	@echo "make bench   this site against its peers, in one table; bench-quick: in two minutes"
	@echo "make format    put the code into its form"
	@echo "make messages  collect and compile the texts to translate (needs gettext)"
	@echo "make clean     remove what make made; the data in var/ stays"

run: $(VENV)/run.stamp
	@$(VENV_PYTHON) manage.py serve

test: $(VENV)/dev.stamp
	@$(VENV_PYTHON) -m tests.run

check: $(VENV)/dev.stamp
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy
	$(VENV_PYTHON) -m djlint --quiet --lint templates
	$(VENV_PYTHON) -m pytest --quiet tests/unit

CHAOS ?= --minutes 10 --clients 50

chaos: $(VENV)/dev.stamp
	$(VENV_PYTHON) -m chaos $(CHAOS)

bench: $(VENV)/dev.stamp
	$(VENV_PYTHON) -m bench --json var/bench/figures.json

bench-quick: $(VENV)/dev.stamp
	$(VENV_PYTHON) -m bench --quick

format: $(VENV)/dev.stamp
	$(VENV_PYTHON) -m ruff check --fix .
	$(VENV_PYTHON) -m ruff format .

messages: $(VENV)/dev.stamp
	$(VENV_PYTHON) manage.py makemessages $(MESSAGES)
	$(VENV_PYTHON) manage.py makemessages $(MESSAGES) -d djangojs
	$(VENV_PYTHON) manage.py compilemessages -l zh_Hans -i .venv

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements.txt | $(VENV_PYTHON)
	@echo "Installing what the site needs into $(VENV)"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing what the tests need into $(VENV)"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(VENV_PYTHON):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Chatsite needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
