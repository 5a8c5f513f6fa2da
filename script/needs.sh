#!/bin/sh
# Installs what the tests need beside Go, where that can be done without asking: a C compiler (the race detector), Chromium (the tests of the
# console), the programs that mail and calls are tested against, and the programs that are named (needs.sh debootstrap: what make soak makes
# clean machines with). Otherwise it says what is missing and how to get it.
set -eu

missing=
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || missing="gcc libc6-dev"
found=
for browser in chromium chromium-browser google-chrome google-chrome-stable; do
	if command -v "$browser" >/dev/null 2>&1; then found=$browser; fi
done
[ -n "$found" ] || missing="$missing chromium"

# has PACKAGE FILE...: the package is missing when none of its files is there; a name without a slash is a program.
has() {
	package=$1
	shift
	for file in "$@"; do
		case $file in
		*/*) if [ -e "$file" ]; then return; fi ;;
		*) if command -v "$file" >/dev/null 2>&1 || [ -x "/usr/sbin/$file" ]; then return; fi ;;
		esac
	done
	missing="$missing $package"
}
has gnupg gpg
has openssl openssl
has postfix postfix
has dovecot-core dovecot
has dovecot-submissiond /usr/lib/dovecot/submission-login /usr/libexec/dovecot/submission-login
has dovecot-imapd /usr/lib/dovecot/imap /usr/libexec/dovecot/imap
has opendkim opendkim
has baresip-core baresip
has kamailio kamailio
has kamailio-tls-modules /usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so /usr/lib/aarch64-linux-gnu/kamailio/modules/tls.so
has espeak-ng espeak-ng
has libreoffice-writer-nogui soffice
has poppler-utils pdftotext
has python3 python3
has nodejs node
has npm npm
has python3-icalendar /usr/lib/python3/dist-packages/icalendar

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
	# What is installed for tests must not begin to serve: Postfix is told that it delivers nothing, and no daemon is started.
	policy=/usr/sbin/policy-rc.d
	made=
	if [ ! -e "$policy" ]; then
		made=yes
		printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
		$root chmod 755 "$policy"
	fi
	trap 'if [ -n "$made" ]; then $root rm -f "$policy"; fi' EXIT
	if command -v debconf-set-selections >/dev/null 2>&1; then
		echo "postfix postfix/main_mailer_type select No configuration" | $root debconf-set-selections
	fi
	$root apt-get update -qq
	# shellcheck disable=SC2086 # a list of packages
	$root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
	exit 0
fi
cat >&2 <<END
The tests need what is not on this machine: $missing
On Debian and Ubuntu:  sudo apt-get install $missing
Elsewhere install a C compiler (for "go test -race"), Chromium or Chrome (for the tests of the console), and the counterparts of mail and calls
(GnuPG, OpenSSL, Postfix, Dovecot, OpenDKIM, baresip, Kamailio with TLS, espeak-ng, icalendar for Python) by their usual way.
END
exit 1
