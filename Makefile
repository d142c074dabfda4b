# Everything a fresh machine needs is git, make and Python >= 3.11; each target sets up what it uses and skips what is done.
PYTHON ?= python3
ORIGIN := $(origin APP)
APP ?= triggers_api
ENV ?= dev
PORT ?= 8000
RUNS ?= 7
ROUNDS ?= 20
ROOT := $(ENV)/$(APP)
# What tests/needs.py marks, and what says of itself that it takes long.
FAST := not (terraform or emulators or programs or end_to_end or whole_plans or drill)
SAWHORSE := .venv/bin/sawhorse
# Four more than the two processors of most machines: through much of an apply the provider of AWS waits, which the fast
# tests have none of. Bytecode is kept whatever this shell says: hundreds of short programs would else compile the same
# sources, and each process of pytest all tests.
PYTEST := env -u PYTHONDONTWRITEBYTECODE .venv/bin/pytest -n 6 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo dev build plan apply smoke destroy state deployers down test test-fast drill mutants check audit format bench lock clean

help: ## Show the targets.
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make the harness's environment from its lock.
	@PYTHONPATH=harness $(PYTHON) -m sawhorse.toolchain.setup harness

demo: setup ## Build, apply, seed and smoke-check APP (or all) in ENV on the local AWS, and leave it running.
	@$(SAWHORSE) demo $(ROOT)

# Most apps run in Lambda alone, so this one has another default.
dev: APP := $(if $(filter undefined file,$(ORIGIN)),turbotech_portal,$(APP))
dev: setup ## Run APP (turbotech_portal or fileshare) as a plain process on PORT, against its tables on the local AWS.
	@$(SAWHORSE) dev $(ENV)/$(APP) --local --prepare --reload --port $(PORT)

build: setup ## Build every package and render every root's tfvars.
	@$(SAWHORSE) build
	@$(SAWHORSE) render

plan apply smoke: setup ## Run one step for APP in ENV on the local AWS.
	@$(SAWHORSE) $@ $(ROOT) --local

destroy: setup ## Take APP (or all) in ENV off the local AWS, and nothing else.
	@$(SAWHORSE) destroy $(ROOT) --local

state: setup ## Make the buckets on AWS that environment.yaml of ENV names for states and packages, and check them.
	@$(SAWHORSE) state make $(ENV)

deployers: setup ## Make the roles on AWS that deploy the roots of ENV, of what their plans make.
	@$(SAWHORSE) deployer make $(ENV)

down: setup ## Stop the local AWS.
	@$(SAWHORSE) local down

test: setup ## Run every test: unit, plans, contracts of the emulators, end to end.
	@$(PYTEST) --durations=15

test-fast: setup ## Run the tests that need neither Terraform nor the local AWS and build nothing, each property with a quarter of its inputs, in a minute.
	@$(PYTEST) -n logical --inputs-by 4 -m "$(FAST)"

drill: setup ## Repeat the tests that kill, interrupt and race ROUNDS times each; once, pack forty distributions and take every grant away from under smoke.
	@$(PYTEST) -m drill --rounds $(ROUNDS)

# MUTANTS="--only sqs_queue -v", "--sample 30 --seed 7", "--json", "--help".
mutants: setup ## Change the modules one place at a time, and say which test notices each change, or that none does.
	@.venv/bin/python -m tests.mutants $(MUTANTS)

check: setup ## Run the linters: ruff, mypy, terraform fmt and validate, what modules are handed and list, sawhorse sync, the schemas of AWS provider 5 and 6, checkov, the schema of workflows, zizmor.
	@.venv/bin/python -m sawhorse.toolchain.linters

audit: build ## Look every lock up in the databases of advisories, and check the licences of what is shipped.
	@.venv/bin/python -m sawhorse.inspect.audit

format: setup ## Format Python and Terraform, and write the tables of modules' READMEs.
	@.venv/bin/python -m sawhorse.toolchain.linters --fix

bench: setup ## Measure builds, sizes and starts against peers, RUNS times each; with BEFORE=REV a commit of ours as well.
	@.venv/bin/python -m tests.benchmarks --runs $(RUNS) $(if $(BEFORE),--before $(BEFORE))

lock: setup ## Lock APP (or what NAMES names) with as few changes as need be; without APP, every lock anew.
	@.venv/bin/python -m sawhorse.cli.lock $(if $(NAMES),$(NAMES),$(if $(filter undefined file,$(ORIGIN)),--upgrade,$(APP)))

clean: ## Stop the local AWS and remove everything that can be made again.
	@test ! -x $(SAWHORSE) || $(SAWHORSE) local down || true
	@rm -rf .venv .sawhorse dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
