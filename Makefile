# Every target is a script of scripts/ or one command. CI=true: nothing is asked.
.DEFAULT_GOAL := help
.PHONY: help run test torture sanitize bench bench-store bench-http fuzz build lint format install clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

run: ## broker, gateway and a small simulated fleet on this machine; Ctrl-C stops all of it
	@scripts/run.sh

test: ## install what tests need and run every test
	@scripts/test.sh

torture: ## kill the store again and again, GAUGEHOUSE_TORTURE_SECONDS long (600)
	@scripts/torture.sh

sanitize: ## the store's tests under the thread and the address sanitizer
	@scripts/sanitize.sh

bench: ## the end-to-end benchmark
	@scripts/bench.sh

bench-store: ## the store beside RocksDB, InfluxDB and VictoriaMetrics; ARGUMENTS=--quick for a trial
	@scripts/bench-store.sh $(ARGUMENTS)

bench-http: ## reading over HTTP beside an empty handler, InfluxDB and VictoriaMetrics; ARGUMENTS=--parts=rates for one part
	@scripts/bench-http.sh $(ARGUMENTS)

fuzz: ## libFuzzer over every reader of payloads and of the store's files; SECONDS_EACH=60, TARGETS=all
	@scripts/fuzz.sh $(or $(SECONDS_EACH),60) $(TARGETS)

build: ## both programs in release mode
	@bash -c 'set -euo pipefail; source scripts/common.sh; build_release'

lint: ## hold the sources to .swift-format
	@swift format lint --strict --recursive Package.swift Sources Tests loadtest Benchmarks

format: ## bring the sources into that form
	@swift format --in-place --recursive Package.swift Sources Tests loadtest Benchmarks

install: ## programs, unit, user and configuration, below DESTDIR and PREFIX
	@scripts/install.sh

clean: ## remove what was built, and what make run wrote
	@rm -rf .build .venv run
