#!/bin/sh
# Runs every fuzz target of the module, one a core at a time, each for so many seconds: script/fuzz.sh SECONDS [PACKAGE...]
# The targets are found by their names, so that a new one cannot be forgotten. What is found is written to the package's
# testdata/fuzz: commit it with the repair.
set -eu

go=${GO:-go}
lanes=$(nproc 2>/dev/null || echo 2)

# one runs one target of the folder's test program. When time ends in a bad moment, it reports its own end as a failure, "context deadline
# exceeded", without an input that failed (a fault of Go's fuzzer): then it is run again, twice at most. An input that hangs is reported otherwise.
one() {
	for try in 1 2 3; do
		(cd "$1" && "$work/tests" -test.run '^$' -test.fuzz "^$2\$" -test.fuzztime "${seconds}s" -test.fuzzminimizetime 100x -test.parallel 1 -test.timeout "$((${seconds%.*} * 2 + 600))s" -test.fuzzcachedir "$kept") >"$work/log" 2>&1 && return 0
		grep -q '^ *context deadline exceeded$' "$work/log" || return 1
		if grep -q 'Failing input written' "$work/log"; then return 1; fi
		echo "fuzz  ${1#"$PWD"/} $2: Go's fuzzer stopped with an error of its own, run $try"
	done
	return 1
}

# --folder SECONDS FOLDER TARGET,...: the targets of one package. Its tests are built once for all of them; that is what takes the time.
if [ "${1:-}" = --folder ]; then
	seconds=$2
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	(cd "$3" && "$go" test -c -fuzz . -o "$work/tests" .) || exit 255
	for target in $(echo "$4" | tr , ' '); do
		kept=$work/none # what earlier runs found interesting is for long runs: going through it takes the whole of a short one
		[ "${seconds%.*}" -lt 10 ] || kept=$("$go" env GOCACHE)/fuzz/$(cd "$3" && "$go" list .)
		if ! one "$3" "$target"; then
			cat "$work/log"
			printf 'fuzz  %s %s: did not pass, see above\n' "${3#"$PWD"/}" "$target" >&2
			exit 255 # xargs begins no further one
		fi
		runs=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$work/log" | tail -n 1)
		printf 'fuzz  %-60s %s runs, no finding\n' "${3#"$PWD"/} $target" "${runs:-0}"
	done
	exit 0
fi

seconds=${1:?usage: script/fuzz.sh SECONDS [PACKAGE...]}
shift
[ $# -gt 0 ] || set -- ./...

targets=$("$go" list -e -f '{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}' "$@" |
	xargs -r grep -Ho '^func Fuzz[A-Z0-9_][A-Za-z0-9_]*' | sed 's,/[^/]*\.go:func ,	,' | sort -u |
	awk '{ all[$1] = all[$1] (all[$1] == "" ? "" : ",") $2 } END { for (d in all) print gsub(",", ",", all[d]), d, all[d] }' | sort -rn | cut -d ' ' -f 2-)
[ -n "$targets" ] || { echo "no fuzz target found" >&2; exit 1; }
echo "$targets" | xargs -P "$lanes" -n 2 "$0" --folder "$seconds"
