#!/bin/sh
# Plays the bundled sample: script/sample.sh PROGRAM [DATA]. Without DATA the folder is a temporary one, removed at the end.
set -eu

program=${1:?usage: script/sample.sh PROGRAM [DATA]}
data=${2:-}
if [ -z "$data" ]; then
	folder=$(mktemp -d "${TMPDIR:-/tmp}/tocsin-sample.XXXXXX")
	trap 'rm -rf "$folder"' EXIT
	data=$folder/data # its keys lie beside it
fi

# The program ends in order when this script is told to end, and only then does the folder go.
status=0
"$program" serve --sample --data "$data" &
pid=$!
trap 'kill -TERM "$pid" 2>/dev/null || :' INT TERM HUP
wait "$pid" || status=$?
while kill -0 "$pid" 2>/dev/null; do
	wait "$pid" || status=$?
done
case $status in 130 | 143) status=0 ;; esac # stopped by hand is how it is meant to end
exit "$status"
