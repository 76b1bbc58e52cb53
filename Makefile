# perfctl: build, try, test. Two targets do all the set-up on a fresh machine:
#   make demo   the load profile against throwaway servers, in about 80 s
#   make test   every test, against real servers that it starts and stops

GO      ?= go
BIN     := bin/perfctl
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
# The linter's version is pinned here and nowhere else.
GOLANGCI_VERSION := v2.15.0
GOLANGCI         := bin/golangci-lint-$(GOLANGCI_VERSION)
# It prints what failing tests printed, and nothing of the others.
GOTESTSUM_VERSION := v1.13.0
GOTESTSUM         := bin/gotestsum-$(GOTESTSUM_VERSION)

.DEFAULT_GOAL := build
.PHONY: help build image demo test test-causes test-faults test-fast test-kubernetes lint check test-matrix bench bench-check fuzz clean servers browser FORCE

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(BIN) ## build the binary

$(BIN): FORCE
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/perfctl

IMAGE     ?= perfctl:$(VERSION)
PLATFORMS ?= amd64 arm64

image: ## write bin/perfctl-image.tar, an OCI archive of the binary for PLATFORMS, without a container engine
	for a in $(PLATFORMS); do CGO_ENABLED=0 GOOS=linux GOARCH=$$a $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/perfctl-linux-$$a ./cmd/perfctl || exit 1; done
	$(GO) run ./internal/tools/image -o bin/perfctl-image.tar -name $(IMAGE) $(foreach a,$(PLATFORMS),$(a)=bin/perfctl-linux-$(a))

browser: ## install the browser in which the HTML report is tested
	./scripts/install-servers chromium:chromium

servers: ## install the server packages that --lab and the tests need
	./scripts/install-servers pgbouncer:pgbouncer

# 15 minutes times 0.09 is 81 s, with the full 10 to 100 to 1000 arrivals/s.
demo: servers build ## run the load profile against throwaway servers
	$(BIN) run load --lab --time-scale 0.09

test: servers browser build $(GOTESTSUM) ## run every test against throwaway servers; a skipped one fails
	GOTESTSUM=$(GOTESTSUM) ./scripts/test-with-lab

$(GOTESTSUM):
	GOBIN=$(CURDIR)/bin $(GO) install gotest.tools/gotestsum@$(GOTESTSUM_VERSION)
	mv bin/gotestsum $@

# It needs root. MATRIX='-only "Redis 8"' tries less.
test-matrix: servers build ## try every version of the servers that people run; needs root, installs Debian 13 into a folder
	./scripts/install-servers pgbouncer:pgbouncer debootstrap:debootstrap npm:npm psql:postgresql-client
	$(GO) run ./matrix $(MATRIX)

# About 40 min; BENCH='-rounds 1 -only http' measures less.
bench: build ## measure perfctl beside its peers and write docs/benchmarks.md
	./scripts/install-servers wrk:wrk cc:gcc
	$(GO) run ./bench -o docs/benchmarks.md -keep bench/kept.json $(BENCH)

bench-check: build ## measure again and fail where perfctl became dearer or later than bench/kept.json says
	./scripts/install-servers wrk:wrk cc:gcc
	$(GO) run ./bench -o "" -only 'late|http|redis|postgres|rabbitmq' -against bench/kept.json $(BENCH)

fuzz: ## run every fuzz test for FUZZTIME=1m; an hour each is for a quiet night
	GO="$(GO)" ./scripts/fuzz

# About 15 min: 54 runs, a hundred kills.
test-faults: servers build $(GOTESTSUM) ## break everything under every scenario, kill a hundred runs, watch for races
	CGO_ENABLED=1 $(GO) test -race ./internal/faults/... ./internal/engine/... ./internal/metrics/... ./internal/rundir/...
	GOTESTSUM=$(GOTESTSUM) TEST_FLAGS='-tags faults -timeout 30m -run Whatever|Killed' TEST_PACKAGES=./cmd/perfctl ./scripts/test-with-lab

# About 12 min. It needs root, for control groups, a name server and a mount namespace.
test-causes: servers build $(GOTESTSUM) ## plant the causes of slow arrivals in real servers, and see which are named
	GOTESTSUM=$(GOTESTSUM) TEST_FLAGS='-v -tags causes -timeout 30m -run Planted|WhereThereIsNone' TEST_PACKAGES=./cmd/perfctl ./scripts/test-with-lab

test-fast: ## run the tests that need no server; the others name themselves as skipped
	$(GO) test ./...

test-kubernetes: build ## run the tests of runs in pods in the cluster that the scripts in RIG make
	$(MAKE) image PLATFORMS=$(shell $(GO) env GOARCH) IMAGE=localhost/perfctl:test
	./scripts/test-kubernetes

lint: $(GOLANGCI) ## run the linters
	$(GO) vet ./...
	$(GOLANGCI) run

$(GOLANGCI):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@

check: ## what the gate checks besides the tests
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) mod tidy -diff
	$(MAKE) lint

clean: ## remove what was built
	rm -rf bin

FORCE:
