# make run      build, and start with the bundled sample on http://localhost; make run WATCH=/var/log/nginx/access.log watches your own
# make test     every test, with the race detector, and half a second of fuzzing for each fuzz target
# make check    what is cheap and says whether the house is in order: format, vet, staticcheck, import map, words, licences
# make bench    the figures that the design promises, measured and printed
# make soak     an hour of kills, power cuts and fuzzing
# make build    bin/tocsin
# make agent    bin/tocsin-agent, and its Debian package if dpkg-deb is there

GO     ?= go
WATCH  ?=
FUZZ   ?= 0.5
SOAK   ?= 120

AGENT_VERSION ?= 0.1.0

.PHONY: help build agent run test check bench soak needs
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \(make \)/\1/p' Makefile

build:
	$(GO) build -trimpath -o bin/tocsin .

agent:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/tocsin-agent ./cmd/tocsin-agent
	@if command -v dpkg-deb >/dev/null; then GO="$(GO)" packaging/agent/build.sh $(AGENT_VERSION) bin; fi

# The sample gets a folder of its own, gone when it ends, unless DATA names one to keep.
run: build
ifeq ($(strip $(WATCH)),)
	@script/sample.sh bin/tocsin "$(DATA)"
else
	@bin/tocsin serve $(if $(DATA),--data "$(DATA)") --watch "$(WATCH)"
endif

# What the tests need beside Go: a C compiler for the race detector, Chromium for the console.
needs:
	@script/needs.sh

# Sessions in script/ and soak/ run whole programs, ui/ shows pages in a browser, and rules are held one by one: the race detector would find there what it
# finds in the packages, at many times the price; packages that only decide, and try much, begin nothing beside themselves (where a test asks several at once,
# it runs under the detector). The two longest come first, so that the others fill the machine beside them; three at once, because much of
# the time is waiting for browsers and other programs. `go test -race ./...` works, too.
PLAIN = . ./rules ./ui ./soak $(addprefix ./internal/,cacao detect dossier intake playbook sigma)
LONGEST = ./internal/web ./internal/desk
# Tests that walk from page to page, from exit to exit, or through weeks, one thing at a time: under the detector they take ten minutes (make soak has them so).
WALKS = ^(TestRedLeavesByNoExit|TestNoProgramHearsRed|TestTheLedgerHidesWhatFollows|TestBrowserMainJob|TestBrowserReportsFromOutside|TestBrowserPasskeys|TestEveryRouteAsksWhoItIs|TestNothingRestrictedLeaves|TestEveryPageThatIsLinked|TestFollowingTheMarksClosesAnIncident|TestUnknownIdsAreNotFound|TestUnlockThrottled|TestAReminderThatReachesNobodySaysSo|TestARemindersFailureIsTriedAgainSoon|TestNoticeOfWhatIsNew|TestNoticeDigest|TestNeverAlerts|TestOutsideKeysAndOff|TestApprovedIsDoneOnceOverACrash)$$

test: needs
	$(GO) vet ./...
	script/fuzz.sh $(FUZZ)
	$(GO) test -count 1 -timeout 10m -run '^(TestRange|TestASprayIsOneIncident|TestReplayAheadSaysTheSame)$$' ./internal/desk
	$(GO) test -p 3 -timeout 10m $(PLAIN)
	$(GO) test -timeout 10m -run '$(WALKS)' ./internal/web ./internal/desk
	$(GO) test -race -v -run '^TestSiftersShareASieve$$' ./internal/detect | grep -e '^--- PASS: TestSiftersShareASieve'
	$(GO) test -p 3 -race -timeout 15m -skip '$(WALKS)' $(LONGEST) $$($(GO) list ./... | grep -vxF "$$($(GO) list $(PLAIN) $(LONGEST))")

check:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck -tags bench,soak ./...
	$(GO) test -count 1 -run '^(TestLayers|TestWords|TestHouse|TestLicences)$$' .

bench: build
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) test -tags bench -timeout 30m -count 1 -v ./bench/...

soak: build
	@script/needs.sh debootstrap
	$(GO) test -tags soak -timeout 150m -count 1 -v ./soak/...
	TOCSIN_SOAK=1 $(GO) test -timeout 30m -count 1 -v -run '^(TestPowerCut|TestPowerCutOfHosts|TestPowerCutsInARun|TestBitFlips|TestRange|TestStoriesOfARange)$$' ./internal/desk | grep -v -e '^=== RUN' -e '--- PASS'
	TOCSIN_SOAK=1 $(GO) test -timeout 60m -count 1 -v -run '^TestSetIsItsRulesOnAll$$' ./internal/sigma | grep -v -e '^=== ' -e '--- PASS' -e PAUSE -e CONT
	TOCSIN_SOAK=1 $(GO) test -timeout 20m -count 1 -v -run '^(Test.*Versity.*|TestShelfAfterACutAtEveryStep|TestShelfAfterACutOnAFullDisk)$$' ./internal/inlet ./internal/shelf | grep -v -e '^=== ' -e '--- PASS'
	TOCSIN_SOAK=1 $(GO) test -timeout 60m -count 1 -run '^(TestWalks|TestFormats|TestLibreOffice)$$' ./internal/playbook ./internal/dossier
	$(GO) test -race -timeout 30m -count 1 -run '$(WALKS)' ./internal/web ./internal/desk
	TOCSIN_SOAK=1 $(GO) test -timeout 10m -count 1 -v -run '^TestBrowserFiveCloseASkimmer$$' ./internal/web | grep -v -e '^=== '
	$(GO) test -tags soak -timeout 60m -count 1 -v ./cmd/tocsin-agent
	TOCSIN_SOAK=1 $(GO) test -timeout 20m -count 1 -run TestLostConnection ./internal/agent
	script/fuzz.sh $(SOAK)
