# Needs Go and make; with a C compiler the tests run under the race detector too.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

MODULES   := . test
VERSION   ?= dev
FUZZTIME  ?= 60s
TESTFLAGS ?=

# Each tool is pinned, and its version is part of its path, so that it is installed once.
GOLANGCI_VERSION    := v2.15.0
ACTIONLINT_VERSION  := v1.7.12
GOVULNCHECK_VERSION := v1.9.0
ACT_VERSION         := v0.2.89

TOOLS       := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/oci-promote/bin
GOLANGCI    := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
ACTIONLINT  := $(TOOLS)/actionlint-$(ACTIONLINT_VERSION)
GOVULNCHECK := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)
ACT         := $(TOOLS)/act-$(ACT_VERSION)

# What the benchmarks compare with; PATH must have them under their own names.
CRANE_VERSION     := v0.22.1
ORAS_VERSION      := v1.3.6
REGCTL_VERSION    := v0.11.5
BENCHSTAT_VERSION := v0.0.0-20260908200009-22c9c6c9d4da
PEERS             := $(addprefix $(TOOLS)/,crane-$(CRANE_VERSION) oras-$(ORAS_VERSION) regctl-$(REGCTL_VERSION))
BENCHSTAT         := $(TOOLS)/benchstat-$(BENCHSTAT_VERSION)
# Below 6 benchstat gives no confidence interval.
BENCHCOUNT        ?= 6

# The race detector needs cgo, and cgo a C compiler with its headers: ask by compiling, once a run.
RACE = $(shell go build -race runtime/cgo >/dev/null 2>&1 && echo -race)

WORKFLOWS = $(wildcard .github/workflows/*.yml .github/workflows/*.yaml \
	examples/workflows/*.yml examples/workflows/*.yaml examples/recipes/*.yaml)

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## Build bin/oci-promote
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/oci-promote ./cmd/oci-promote

.PHONY: demo
demo: ## Run the pipeline on a small real tree, against an OCI layout in a temporary directory
	@go run ./cmd/oci-promote demo

.PHONY: test
test: ## Run every test of both modules (TESTFLAGS=-v for more)
	@race="$(RACE)"; echo "race detector: $${race:-off, cgo does not work here}"; \
	[[ -n $$race ]] || export CGO_ENABLED=0; \
	status=0; for module in $(MODULES); do \
	  echo "go test $${race:+$$race }./... (module $$module)"; \
	  (cd "$$module" && go test $$race -timeout 20m -count=1 $(TESTFLAGS) ./...) || status=1; \
	done; exit $$status

.PHONY: chaos
chaos: ## Run the tests of faults, load, packing and hostile text in their long form; the fault matrix goes to dist/chaos.md
	@mkdir -p dist; cd test; status=0; echo "faults and load"; \
	go test -timeout 2h -count=1 ./chaos -args -long -matrix "$(CURDIR)/dist/chaos.md" || status=1; \
	echo "packing, hostile text and secrets"; \
	go test -timeout 2h -count=1 ./packing ./hostile -args -long || status=1; exit $$status

.PHONY: e2e
e2e: $(ACT) ## Run the example workflows in act, with the action built from the Dockerfile (needs root, or a Docker engine)
	@ACT="$(ACT)" .ci/e2e

# What is built stays in the user's cache, named after what it is built from: test/flux/bins.
.PHONY: flux
flux: ## The examples and the program with a real Flux, from the first build on; the first run builds Flux, for some twenty minutes
	@go run -C test ./flux/build
	@go test -C test -count=1 -v -timeout 30m -run '^TestLife$$' ./flux -args -flux

.PHONY: flux-built
flux-built: # whether make flux would have anything to build
	@go run -C test ./flux/build -n

.PHONY: flux-record
flux-record: ## Write the recorded objects and events that tests read anew, from a real Flux; read the diff
	@go run -C test ./flux/build
	@go test -C test -count=1 -v -timeout 30m -run '^TestRecord' ./flux -args -record

.PHONY: flux-versions
flux-versions: ## Write which statuses an older and today's notification-controller post, into testdata/flux/versions.md
	@go run -C test ./flux/build -o
	@go test -C test -count=1 -v -timeout 30m -run '^TestVersions$$' ./flux -args -record

.PHONY: lint
lint: lint-go lint-workflows vuln ## Run golangci-lint, go vet, actionlint and govulncheck, installing them when missing

.PHONY: lint-go
lint-go: $(GOLANGCI)
	@for module in $(MODULES); do \
	  echo "go vet and golangci-lint (module $$module)"; \
	  (cd "$$module" && go vet -tags e2e ./... && $(GOLANGCI) run --allow-parallel-runners --config "$(CURDIR)/.golangci.yml" ./...); \
	done

.PHONY: lint-workflows
lint-workflows: $(ACTIONLINT)
	@echo "actionlint $(WORKFLOWS)"; $(ACTIONLINT) $(WORKFLOWS)

# Exit status 3 is a finding. Only the failure to fetch the database is a reason to skip, and not on GitHub, where it can
# be fetched.
.PHONY: vuln
vuln: $(GOVULNCHECK)
	@echo "govulncheck ./..."; status=0; out=$$($(GOVULNCHECK) ./... 2>&1) || status=$$?; \
	if [[ $$status -eq 1 && $$out == *"govulncheck: fetching vulnerabilities: "* && -z $${GITHUB_ACTIONS:-} ]]; then \
	  echo "govulncheck SKIPPED: its vulnerability database cannot be reached from here:"; \
	  echo "  $${out##*fetching vulnerabilities: }"; exit 0; \
	fi; echo "$$out"; exit $$status

# $(call tool,file,name,version,module,package): from GOPATH/bin if that is the pinned version, else from source.
define tool
$(1):
	@mkdir -p $(TOOLS); have="$$$$(go env GOPATH)/bin/$(2)"; \
	if go version -m "$$$$have" 2>/dev/null | awk '$$$$1 == "mod" && $$$$2 == "$(4)" && $$$$3 == "$(3)" { ok = 1 } END { exit !ok }'; then \
	  cp "$$$$have" "$$@.new"; \
	else \
	  echo "installing $(2) $(3)"; tmp=$$$$(mktemp -d "$(TOOLS)/tmp.XXXXXX"); trap 'rm -rf "$$$$tmp"' EXIT; \
	  GOBIN="$$$$tmp" GOFLAGS=-buildvcs=false go install $(5)@$(3); mv "$$$$tmp/$(2)" "$$@.new"; \
	fi; mv "$$@.new" "$$@"
endef
$(eval $(call tool,$(GOLANGCI),golangci-lint,$(GOLANGCI_VERSION),github.com/golangci/golangci-lint/v2,github.com/golangci/golangci-lint/v2/cmd/golangci-lint))
$(eval $(call tool,$(ACTIONLINT),actionlint,$(ACTIONLINT_VERSION),github.com/rhysd/actionlint,github.com/rhysd/actionlint/cmd/actionlint))
$(eval $(call tool,$(GOVULNCHECK),govulncheck,$(GOVULNCHECK_VERSION),golang.org/x/vuln,golang.org/x/vuln/cmd/govulncheck))
$(eval $(call tool,$(ACT),act,$(ACT_VERSION),github.com/nektos/act,github.com/nektos/act))
$(eval $(call tool,$(TOOLS)/crane-$(CRANE_VERSION),crane,$(CRANE_VERSION),github.com/google/go-containerregistry,github.com/google/go-containerregistry/cmd/crane))
$(eval $(call tool,$(TOOLS)/oras-$(ORAS_VERSION),oras,$(ORAS_VERSION),oras.land/oras,oras.land/oras/cmd/oras))
$(eval $(call tool,$(TOOLS)/regctl-$(REGCTL_VERSION),regctl,$(REGCTL_VERSION),github.com/regclient/regclient,github.com/regclient/regclient/cmd/regctl))
$(eval $(call tool,$(BENCHSTAT),benchstat,$(BENCHSTAT_VERSION),golang.org/x/perf,golang.org/x/perf/cmd/benchstat))

# Each work has a file of raw results in dist/bench: a run that was broken off goes on where it was. Packing takes seconds
# where the others take tenths, and gets half of the runs.
.PHONY: bench
bench: $(PEERS) $(BENCHSTAT) ## Measure us and our peers BENCHCOUNT (6) times; write docs/benchmarks.md (dist/bench: raw, for benchstat)
	@command -v pigz >/dev/null || echo "pigz is not installed: its rows will say so"
	@mkdir -p dist/bench/bin; for peer in $(PEERS); do name=$${peer##*/}; ln -sf "$$peer" "dist/bench/bin/$${name%%-*}"; done
	@export PATH="$(CURDIR)/dist/bench/bin:$$PATH"; for work in Build BuildAgain Builds16 Build10000 PromoteDigest PromoteCommit Find Poll1000 Poll100 Pack; do \
	  [[ ! -e dist/bench/$$work.txt ]] || { echo "$$work was measured already"; continue; }; \
	  count=$(BENCHCOUNT); [[ $$work != Pack ]] || count=$$(((count + 1) / 2)); \
	  go test -C test -run '^$$' -bench "^Benchmark$$work\$$" -benchtime 1x -count $$count -timeout 30m ./bench | tee dist/bench/$$work.new; \
	  mv dist/bench/$$work.new dist/bench/$$work.txt; \
	done; \
	go run -C test ./bench/report "$(CURDIR)/docs/benchmarks.md" "$(CURDIR)"/dist/bench/*.txt; \
	cat dist/bench/*.txt >dist/bench.txt; rm -r dist/bench; \
	$(BENCHSTAT) -row .name,/tags,/tree,/latency -col /tool dist/bench.txt >dist/benchstat.txt; \
	echo "docs/benchmarks.md is written; dist/bench.txt is raw, dist/benchstat.txt compares"

# What the README shows of a job's summary. The sums say of which text the pictures are: a test holds them.
SUMMARY := cmd/oci-promote/testdata/verify-not-promoted.md
.PHONY: picture
picture: ## Draw the README's pictures anew (needs Node.js, and Chromium with the fonts DejaVu)
	@npm --prefix test/picture ci --ignore-scripts --no-audit --no-fund
	@mkdir -p docs/pictures; for theme in light dark; do node test/picture/render.mjs --fold $(SUMMARY) $$theme docs/pictures/summary-$$theme.png; done
	@sha256sum $(SUMMARY) docs/pictures/summary-dark.png docs/pictures/summary-light.png >docs/pictures/sha256sums; cat docs/pictures/sha256sums

# The targets are found in the sources: asking the test binaries would link all of them first. Go says to which file it
# wrote an input that fails. The other targets run all the same.
.PHONY: fuzz
fuzz: ## Run each fuzz target of both modules for FUZZTIME (60s)
	@failed=; for module in $(MODULES); do \
	  files=$$(cd "$$module" && go list -f '{{range .TestGoFiles}}{{$$.ImportPath}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$$.ImportPath}} {{$$.Dir}}/{{.}}{{"\n"}}{{end}}' ./...); \
	  targets=$$(while read -r package file; do \
	    [[ -z $$file ]] || sed -nE "s#^func (Fuzz[[:alnum:]_]*)\(.*#$$package \1#p" "$$file"; \
	  done <<<"$$files"); \
	  while read -r package target; do \
	    [[ -n $$target ]] || continue; \
	    echo "fuzzing $$package $$target for $(FUZZTIME)"; \
	    (cd "$$module" && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null) || \
	      failed+="  $$target in $$(cd "$$module" && go list -f '{{.Dir}}' "$$package")/testdata/fuzz/$$target"$$'\n'; \
	  done <<<"$$targets"; \
	done; [[ -z $$failed ]] || { printf 'failed; the input is named above, a seed (f.Add) or a file in:\n%s' "$$failed"; exit 1; }

.PHONY: licenses
licenses: ## Check the licences of what is linked, and write THIRD_PARTY_LICENSES
	@go test -C test -count=1 -run '^TestLicenses$$' ./supply -update

.PHONY: fmt
fmt: $(GOLANGCI) ## Format all Go code
	@for module in $(MODULES); do (cd "$$module" && $(GOLANGCI) fmt --config "$(CURDIR)/.golangci.yml" ./...); done

.PHONY: tidy-check
tidy-check: ## Check that go.mod and go.sum of both modules are tidy, and the modules unaltered
	@for module in $(MODULES); do echo "go mod tidy -diff, go mod verify (module $$module)"; \
	  (cd "$$module" && go mod tidy -diff && go mod verify); \
	done

.PHONY: clean
clean: ## Remove build output
	rm -rf bin dist

# The release of this repository's own action: .github/release.sh, CONTRIBUTING.md.
KO_VERSION := v0.18.1
KO         := $(TOOLS)/ko-$(KO_VERSION)
$(eval $(call tool,$(KO),ko,$(KO_VERSION),github.com/google/ko,github.com/google/ko))

# actionlint looks at an action's own metadata (what the Marketplace wants of name and branding) where a workflow uses it.
lint: lint-action
.PHONY: lint-action
lint-action: $(ACTIONLINT)
	@echo "actionlint action.yml"; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; mkdir -p "$$dir/.git" "$$dir/.github/workflows"; \
	cp action.yml Dockerfile "$$dir"; cd "$$dir"; \
	echo 'on: push' >.github/workflows/a.yml; \
	echo 'jobs: {a: {runs-on: ubuntu-latest, steps: [{uses: ./, with: {mode: build}}]}}' >>.github/workflows/a.yml; \
	$(ACTIONLINT)

test: $(KO) # installed before the clock of go test starts

.PHONY: release-tools
release-tools: $(KO)
	@echo "$(KO)"

.PHONY: release-dry-run
release-dry-run: ## Everything of a release but GitHub, from HEAD, into dist/release (VERSION=v1.2.3)
	@RELEASE_DRY_RUN=$(VERSION) BASE_IMAGE=$(BASE_IMAGE) go test -C test -count=1 -v -timeout 30m -run '^TestReleaseDryRun$$' .

.PHONY: sbom
sbom: $(KO) ## List the modules in the image (SPDX), into dist/sbom.spdx.json
	@go test -C test -count=1 -run '^TestSBOM$$' ./supply -ko "$(KO)" -sbom "$(CURDIR)/dist/sbom.spdx.json" && echo dist/sbom.spdx.json
