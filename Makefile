# `make demo` and `make test` are the two commands to remember; `make help` lists the others.
SHELL := /bin/bash
export SLUICE_STRICT := 1
# The release build: one module at a time, standard library linked in, exclusivity checks off (they are on in debug
# and in every test). These flags stay out of Package.swift, where they would make the package unusable as a dependency.
RELEASE := -c release --product sluice --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked \
  --scratch-path .build-release

.PHONY: demo test bench compare check format docs release simulate idle-test test-model fuzz sanitize examples conformance help clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: release  ## build, then run the gateway in front of the built-in provider simulator
	@.build-release/release/sluice demo $(ARGS)

release: bootstrap  ## the optimised binary: .build-release/release/sluice
	@echo "== release build (the first one compiles TLS and takes some minutes)"
	@swift build $(RELEASE)

bootstrap:
	@dev/bootstrap

test: bootstrap  ## every test that needs no outside account
	@dev/test

check: bootstrap  ## formatting and the structure tests only
	@dev/check

format:  ## rewrite the sources in the project's format
	@dev/format

docs: bootstrap  ## regenerate docs/configuration.md and docs/sluice.schema.json
	@dev/docs

simulate: bootstrap  ## many more seeds of the pool simulation (SEEDS=100000)
	@dev/simulate $(or $(SEEDS),100000)

bench: bootstrap  ## micro benchmarks with allocation counts
	@Benchmarks/run

compare: release  ## gateway, nginx and direct side by side in one run
	@Benchmarks/compare/run $(ARGS)

conformance:  ## the official SDKs against gateway and simulator
	@dev/conformance

idle-test: release  ## the first call after an idle time behind a box that forgets silent flows (ARGS=--full: true times)
	@dev/idle-test $(ARGS)

test-model: release  ## a real llama.cpp model behind the gateway (compiles llama.cpp once, about ten minutes)
	@dev/test-model

sanitize:  ## thread and address sanitizers on the runtime and the parsers
	@Tests/Sanitizers/run.sh thread && Tests/Sanitizers/run.sh address

fuzz:  ## fuzz every parser (SECONDS_EACH=30)
	@FuzzTesting/run.sh $(or $(SECONDS_EACH),30)

examples:  ## build and run the example packages
	@dev/examples

clean:  ## remove build products
	@rm -rf .build .build-* */.build* */*/.build* .cache
