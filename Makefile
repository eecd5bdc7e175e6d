# The only entry point.  `make help` lists what there is.
.DEFAULT_GOAL := all

SHELL := /bin/bash
CLUSTER := deploy/dev/cluster.sh
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# Another PostgreSQL than Debian's 15: make PG_CONFIG=/path/to/pg_config ...
ifneq ($(PG_CONFIG),)
export PG_CONFIG
endif

# Targets of one command line follow each other (make down clean).
.NOTPARALLEL:

.PHONY: all build install install-extension deps up down clean psql dsn token migrate freeze \
	check check-long check-deploy deb bench lint docs dist images help

all: build ## the same as build

build: ## compile the extension, ledgerctl and the gateway
	@$(MAKE) -s -C extension all
	@$(MAKE) -s -C gateway all

# Another place for the programs than /usr/local: make install prefix=/opt/ledger
install: build install-extension ## install the extension into PostgreSQL's directories, ledgerctl and the gateway
	@$(SUDO) $(MAKE) -s -C gateway install

install-extension:
	@$(SUDO) $(MAKE) -s -C extension install

deps: ## install the Debian packages that are missing
	@deploy/setup.sh

up: deps ## a running ledger and its gateway in .run/, with findings in it; DEMO=FILE takes a CISA KEV catalogue
	@deploy/dev/install.sh
	@deploy/dev/up.sh $(if $(DEMO),'$(DEMO)')

down: ## stop the throw-away cluster and its gateway
	@deploy/dev/gateway.sh stop
	@$(CLUSTER) stop

clean: ## stop and remove the throw-away cluster, and everything that was built
	@if [ -f .run/cluster ]; then $(CLUSTER) destroy; fi
	@for dir in extension gateway $(patsubst %/Makefile,%,$(wildcard test/*/Makefile)); do \
		$(MAKE) -s -C $$dir clean || exit; done
	@rm -rf build .run

psql: ## open psql on the throw-away cluster
	@psql "$$($(CLUSTER) dsn $(ROLE))"

dsn: ## print its connection string; ROLE=writer|auditor|operator|reader|loader|anchorer|gateway for a lesser role
	@$(CLUSTER) dsn $(ROLE)

token: ## print a token for the gateway; TENANT=acme SCOPES="ledger.events.read ..."
	@node deploy/dev/token.mjs mint "$${LEDGER_RUN_DIR:-.run}/authority" "$(or $(TENANT),acme)" "$(SCOPES)"

migrate: ## apply the migrations to DSN=...
	@[ -n '$(DSN)' ] || { echo 'usage: make migrate DSN=...'; exit 2; }
	@migrations/migrate.sh '$(DSN)'

freeze: ## build the migration files and their checksums from sql/
	@migrations/freeze.sh

check: deps ## run every test on throw-away clusters of their own
	@deploy/dev/install.sh
	@test/run

check-long: deps ## the same with long fuzzing, more crash rounds and large sizes
	@deploy/dev/install.sh
	@LEDGER_LONG=1 test/run

check-deploy: deps ## run what is deployed: images, chart, units, packages, rules, kits
	@deploy/setup.sh --deploy
	@deploy/dev/install.sh
	@test/run --deploy

deb: ## build Debian packages of the extension and of the programs into build/deb
	@deploy/deb.sh

bench: deps ## run the benchmarks; BENCH=name runs one, BENCH_SIZE=tiny|default|long
	@deploy/dev/install.sh
	@test/bench/run.sh

replay-scale: deps ## export and replay EVENTS=1000000 events, and compare; memory is bounded
	@deploy/dev/install.sh
	@EVENTS='$(EVENTS)' test/scale/replay.sh

lint: ## the checks that read the source only
	@test/run lint

docs: deps ## regenerate the generated reference pages
	@deploy/dev/install.sh
	@docs/generate.sh

dist: ## lay out the distribution, and its archive, in build/dist
	@deploy/dist.sh

images: ## build the container images from these sources
	@deploy/images/build.sh

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
