#!/bin/sh
# Installs what the tests need beside Go, where that can be done without asking: a C compiler (the race detector) and
# Chromium (the tests of the console), and the programs that are named (needs.sh debootstrap: what make soak makes clean machines with). Otherwise it
# says what is missing and how to get it.
set -eu

missing=
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || missing="gcc libc6-dev"
found=
for browser in chromium chromium-browser google-chrome google-chrome-stable; do
	if command -v "$browser" >/dev/null 2>&1; then found=$browser; fi
done
[ -n "$found" ] || missing="$missing chromium"
for program in "$@"; do
	command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" -eq 0 ]; then
	root=env
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	root="sudo env"
fi
if [ -n "$root" ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing $missing (apt-get)"
	$root apt-get update -qq
	# shellcheck disable=SC2086 # a list of packages
	$root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
	exit 0
fi
cat >&2 <<END
The tests need what is not on this machine: $missing
On Debian and Ubuntu:  sudo apt-get install $missing
Elsewhere install a C compiler (for "go test -race") and Chromium or Chrome (for the tests of the console) by their usual way.
END
exit 1
