# Everything a person or a CI job runs. `make help` lists it.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
BIN := node_modules/.bin
NODE := node
TS = TS_NODE_TRANSPILE_ONLY=1 $(NODE) --enable-source-maps --import=@tapjs/typescript/import
SOURCES := $(shell find src -name '*.ts' 2>/dev/null)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ── set-up ───────────────────────────────────────────────────────────────────

setup: node_modules/.stamp ## npm packages, and Erlang/OTP 25, 27 and 29
	@scripts/otp ensure

node_modules/.stamp: package-lock.json
	@npm ci --ignore-scripts
	@npm rebuild erlpack
	@touch $@

build: dist/.built ## src/ → dist/

dist/.built: $(SOURCES) tsconfig.json tsconfig.build.json node_modules/.stamp
	@$(BIN)/tsc -p tsconfig.build.json
	@touch $@

# ── checks ───────────────────────────────────────────────────────────────────

check: format lint types knip unit ## format, lint, layers, types, unused code, unit tests: no BEAM needed

format: node_modules/.stamp
	@$(BIN)/prettier --check --log-level warn .

lint: node_modules/.stamp
	@$(BIN)/oxlint --type-aware --quiet
	@node scripts/layers.js

types: build
	@$(BIN)/tsc -p .

knip: node_modules/.stamp
	@$(BIN)/knip

unit: build
	@node scripts/test.js unit

test: setup build ## everything, on real BEAM nodes of all three releases
	@node scripts/test.js

newest: ## the newest Node.js, for the suite that runs on it (57 MB; that suite fetches it, too)
	@scripts/newest ensure

# ── to see, to measure, to ship ──────────────────────────────────────────────

demo: setup build ## a TypeScript process in a cluster with a real BEAM node
	@$(TS) examples/demo.ts

start: node_modules/.stamp build ## an example, until Ctrl-C: make start FILE=examples/counter.ts
	@BEAMLET_COOKIE=secret $(TS) dist/cli/main.js start $(FILE) --name $(basename $(notdir $(FILE)))@127.0.0.1

bench-check: setup build ## … and whether a ratio is worse than make bench found
	@NODE_OPTIONS=--max-old-space-size=8192 $(TS) bench/main.ts --check

bench: setup build ## each figure beside its peer in the same run
	@NODE_OPTIONS=--max-old-space-size=8192 $(TS) bench/main.ts

bench-newest: NODE = "$$(scripts/newest ensure)"
bench-newest: setup build ## the same on the newest Node.js: bench/results.md then shows both
	@NODE_OPTIONS=--max-old-space-size=8192 $(TS) bench/main.ts

vectors: setup ## regenerate spec/vectors and spec/transcripts with real OTP 25, 27 and 29
	@$(TS) interop/vectors/make.ts
	@$(TS) interop/vectors/make-order.ts
	@$(TS) interop/vectors/make-io-lib-format.ts
	@$(TS) interop/transcripts/handshakes.ts
	@$(TS) interop/transcripts/channel.ts

pack: ## build from nothing, then ask publint and attw what a user would meet
	@rm -rf dist
	@$(MAKE) build
	@$(BIN)/publint --strict
	@$(BIN)/attw --pack . --profile esm-only

fix: node_modules/.stamp ## format, and mend what lint can mend
	@$(BIN)/prettier --write --log-level warn .
	@$(BIN)/oxlint --type-aware --quiet --fix

clean: ## what was built here (the OTP trees stay: scripts/otp remove)
	@rm -rf dist .tap coverage *.tgz
	@rm -f .otp

.PHONY: help setup build check format lint types knip unit test newest demo start bench bench-newest bench-check vectors pack fix clean
