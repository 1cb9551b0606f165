# Yagura. Every target explains itself after two hash signs; plain `make` prints them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

folders  := $(wildcard cmd tui engine store feeds)
programs := $(patsubst cmd/%/main.go,%,$(wildcard $(foreach p,console engine ctl sim,cmd/$(p)/main.go)))
setup    := deploy/setup
# Packages whose tests compare golden files; by custom their tests know the flag -update.
goldens   = $(addprefix ./,$(sort $(patsubst %/,%,$(dir $(shell grep -rliE --include='*_test.go' golden $(folders))))))

# Where git does not describe this checkout (it belongs to somebody else, or git is missing), go build would stop: the programs
# are then built without a revision in them.
ifneq ($(shell git rev-parse HEAD >/dev/null 2>&1 || echo unknown),)
export GOFLAGS := $(GOFLAGS) -buildvcs=false
endif

.PHONY: help demo test check story race fuzz bench golden schema shots clauses build stop clean
.PHONY: go-here postgres-here check-format check-schema

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: postgres-here build ## the duty desk in this terminal, Noto unfolding (HEADLESS=1, REPLAY=folder, SPEED=60)
	@headless='$(HEADLESS)'; { [ -t 0 ] && [ -t 1 ]; } || headless=1; \
	exec bin/yagura-sim demo $${headless:+--headless} $(if $(REPLAY),--replay '$(REPLAY)') $(if $(SPEED),--speed '$(SPEED)')

test: postgres-here ## everything needed, then every test; what CI runs
	go vet ./...
	go test -timeout 20m ./...

check: postgres-here check-format ## format, vet, staticcheck, floor plan, no foreign host, schema file, golden files
	go vet ./...
	go tool staticcheck ./...
	go test -count=1 ./cmd/floorplan
	@$(MAKE) check-schema
	$(if $(goldens),go test -timeout 10m $(goldens))

check-format:
	@loose=$$(go tool gofumpt -l $(folders)); \
	[ -z "$$loose" ] || { printf 'gofumpt で整えてください:\n%s\n' "$$loose" >&2; exit 1; }

check-schema: $(if $(wildcard cmd/ctl/main.go),postgres-here build)
	$(if $(and $(wildcard cmd/ctl/main.go),$(wildcard store/schema/current.sql)),@bin/yagura-ctl schema | diff -u store/schema/current.sql - || \
	{ echo 'store/schema/current.sql が古くなっています。make schema を実行してください。' >&2; exit 1; })

story: postgres-here ## the behaviour of whole installations
	go test -count=1 -timeout 30m -v ./cmd/story/...

race: postgres-here ## every test under the race detector (needs a C compiler)
	@command -v "$$(go env CC)" >/dev/null || { echo '競合検査には C コンパイラーが要ります: sudo apt-get install gcc libc6-dev' >&2; exit 69; }
	CGO_ENABLED=1 go test -race -timeout 40m ./...

fuzz: go-here ## every fuzzer for 30 s (FUZZTIME=5m for longer)
	@$(setup)/fuzz.sh

bench: postgres-here build ## the benchmark table, also written to var/bench.json
	@$(setup)/postfix.sh
	@rc=0; PATH="$(CURDIR)/var/postfix/bin:$$PATH" bin/yagura-sim bench || rc=1; \
	go test -count=1 -timeout 20m -run '^$$' -bench HundredQuakes -benchtime 1x ./cmd/story || rc=1; exit $$rc

golden: go-here ## rewrite the golden files (then read git diff)
	$(if $(goldens),go test -count=1 $(goldens) -update)

schema: postgres-here build ## rewrite store/schema/current.sql from the migrations
	@bin/yagura-ctl schema > var/current.sql && mv var/current.sql store/schema/current.sql

shots: go-here ## every screen as a picture under var/shots
	@mkdir -p var/shots
	YAGURA_SHOTS='$(CURDIR)/var/shots' go test -count=1 -run Shots ./tui/...

clauses: ## clause → code → test table
	@$(setup)/clauses.sh

build: go-here ## the programs under bin/
	@mkdir -p bin var
	@$(foreach p,$(programs),echo "bin/yagura-$(p)"; go build -o bin/yagura-$(p) ./cmd/$(p);)

stop: ## stop the private databases of demo and tests
	@$(setup)/stop.sh

clean: stop ## stop, then remove bin/ and var/
	@for note in var/*/location var/demo/pg/location; do \
	  home=$$(cat "$$note" 2>/dev/null) || continue; \
	  case $$home in */yagura-pg-*) rm -rf "$$home";; esac; \
	done
	rm -rf bin var

go-here:
	@$(setup)/go.sh

postgres-here: go-here
	@$(setup)/postgres.sh
