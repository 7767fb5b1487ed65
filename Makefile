# Yinxin (印信). Every target does its own set-up; what CI does is a target.
SHELL := /bin/sh
CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/yinxin
DATA  ?= data
ADDR  ?= localhost:8420
export YINXIN_CACHE = $(CACHE)

.DEFAULT_GOAL := help
.PHONY: help run test check story bench fuzz lint build assets e2e kills schema picture

help: ## show what can be made
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install what is missing, build, start a sample province and print what to open
	@sh scripts/setup.sh run
	@$(MAKE) --no-print-directory build
	./bin/yinxin demo -data $(DATA) -addr $(ADDR)

build: ## build the commands into bin/
	@mkdir -p bin
	go build -o bin/ ./cmd/...

test: ## install what is missing and run the tests, real PostgreSQL and Chromium included
	@sh scripts/setup.sh test
	go vet ./...
	go test -timeout 20m ./...

check: ## what CI runs: test, lint, and the heavy lanes
	@sh scripts/setup.sh check
	$(MAKE) --no-print-directory test
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory kills
	$(MAKE) --no-print-directory schema
	$(MAKE) --no-print-directory fuzz FUZZTIME=5s
	$(MAKE) --no-print-directory story OUT=$$(mktemp -d)

OUT ?= story
story: ## play the whole journey over HTTP and leave the evidence in story/
	@sh scripts/setup.sh test
	@$(MAKE) --no-print-directory build
	./bin/yinxin-story -out $(OUT)

kills: ## kill the service 50 times while it issues and revokes, then audit everything
	@sh scripts/setup.sh test
	go test -tags heavy -count=1 -timeout 25m -run 'TestKill' ./cmd/yinxin/

schema: ## drive the API by its own OpenAPI document (schemathesis)
	@sh scripts/setup.sh check
	go test -tags heavy -count=1 -timeout 15m -run 'TestSchemathesis' ./cmd/yinxin/

bench: ## run every benchmark once and report CPU and allocations per operation
	@sh scripts/setup.sh test
	go test -run '^$$' -bench . -benchmem ./...

FUZZTIME ?= 30s
fuzz: ## run every fuzz target for FUZZTIME
	@sh scripts/fuzz.sh $(FUZZTIME)

lint: ## gofumpt and staticcheck, versions pinned in tools/lint/go.mod
	@sh scripts/lint.sh

assets: ## bundle the browser code again
	go run ./tools/assets

picture: ## take the README's picture again from a running story
	@$(MAKE) --no-print-directory story OUT=story
	cp story/screenshots/verdict.png docs/verified-license.png
