# Everything here works on a bare Debian 12 with Go, git and make. Targets that
# need more install it with apt: as root, or with sudo.

.DEFAULT_GOAL := build
.PHONY: build run test lint fuzz nested unit browser node bench bench-numbers clean

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 3s

# Static, without paths of this machine, without symbols.
build:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/warifu ./cmd/warifu

# A server on http://localhost:7420 that keeps its data in ./data, with a small
# pretended EC2 behind it to try policies on.
run: build
	./bin/warifu serve --data data --listen localhost:7420 --admin-listen localhost:7421 --demo

# All checks; the tests come last, so that their result is the end of the output.
test: deps lint nested fuzz browser unit

.PHONY: deps
deps:
	scripts/test-deps

lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt these files:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

# The race detector needs cgo. Two packages at a time, because some start a
# PostgreSQL of their own. SQLite itself is not watched: it is C made into Go, has
# locks of its own, and would take two thirds of the time of the tests.
UNWATCHED := -gcflags='modernc.org/...=-race=false -d=checkptr=0'
unit:
	CGO_ENABLED=1 go test -race $(UNWATCHED) -p 2 -timeout 20m $$(go list ./... | grep -v /e2e/browser)

# The console in Chromium, with axe. Not with the race detector: the server is a
# process of its own here, and the browser takes most of the time.
browser: deps
	go test -timeout 20m ./e2e/browser

# Each fuzz target for a moment: what was found before is in testdata and is run
# by every test.
fuzz:
	FUZZTIME=$(FUZZTIME) scripts/fuzz

# Modules of their own, so that what they need is not needed by the server.
nested:
	scripts/nested go vet ./...
	scripts/nested go test ./...

# Alibaba Cloud's SDKs for Node against the program. Not among all checks: it needs
# node and npm, and fetches for half a minute.
node:
	cd e2e/alibaba && go test -tags node -run '^TestNodeSDKs$$' .
	e2e/oci-typescript/run

bench:
	go test -run '^$$' -bench . -benchmem ./...
	scripts/nested go test -run '^$$' -bench . -benchmem ./...

# Size of the program, time until it is ready, memory when idle.
bench-numbers:
	go test -run '^$$' -bench '^BenchmarkNumbers$$' -benchtime 1x ./cmd/warifu

clean:
	rm -rf bin
