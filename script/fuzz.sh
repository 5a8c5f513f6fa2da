#!/bin/sh
# Runs every fuzz target of the module, one a core at a time, each for so many seconds: script/fuzz.sh SECONDS [PACKAGE...]
# The targets are found by their names, so that a new one cannot be forgotten. What is found is written to the package's
# testdata/fuzz: commit it with the repair.
set -eu

go=${GO:-go}
lanes=$(nproc 2>/dev/null || echo 2)

# one runs one target on one core. When time ends in a bad moment, go test reports its own end as a failure, "context deadline exceeded",
# without an input that failed (a fault of Go's fuzzer): then it is run again, twice at most. An input that hangs is reported otherwise.
one() {
	for try in 1 2 3; do
		(cd "$1" && "$go" test -run '^$' -fuzz "^$2\$" -fuzztime "${seconds}s" -fuzzminimizetime 100x -parallel 1 .) >"$log" 2>&1 && return 0
		grep -q '^ *context deadline exceeded$' "$log" || return 1
		if grep -q 'Failing input written' "$log"; then return 1; fi
		echo "fuzz  ${1#"$PWD"/} $2: Go's fuzzer stopped with an error of its own, run $try"
	done
	return 1
}

if [ "${1:-}" = --one ]; then
	seconds=$2
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	if one "$3" "$4"; then
		runs=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
		printf 'fuzz  %-60s %s runs, no finding\n' "${3#"$PWD"/} $4" "${runs:-0}"
		exit 0
	fi
	cat "$log"
	printf 'fuzz  %s %s: did not pass, see above\n' "${3#"$PWD"/}" "$4" >&2
	exit 255 # xargs begins no further one
fi

seconds=${1:?usage: script/fuzz.sh SECONDS [PACKAGE...]}
shift
[ $# -gt 0 ] || set -- ./...

targets=$("$go" list -e -f '{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}' "$@" |
	xargs -r grep -Ho '^func Fuzz[A-Z0-9_][A-Za-z0-9_]*' | sed 's,/[^/]*\.go:func ,	,' | sort -u)
[ -n "$targets" ] || { echo "no fuzz target found" >&2; exit 1; }
echo "$targets" | xargs -P "$lanes" -n 2 "$0" --one "$seconds"
