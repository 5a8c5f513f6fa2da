#!/bin/sh
# bundle-age.sh        builds ui/static/age.js anew from the packages that script/age/package-lock.json pins by hash
# bundle-age.sh check  only says whether it would differ
#
# It needs npm, and the package registry that npm is set to. The result is the same, bit for bit, on every machine: the versions of
# the packages and of the bundler are pinned, nothing is taken from the machine, and ui/report_test.go holds the hash of what is committed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command -v npm >/dev/null || { echo "bundle-age.sh: npm is not installed (Debian package npm)" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/age/package.json" "$here/age/package-lock.json" "$here/age/entry.js" "$work"
cd "$work"
npm ci --ignore-scripts --no-audit --no-fund --silent
{
	echo '/* age-encryption 0.3.1 and what it needs, bundled by script/bundle-age.sh; do not edit.'
	for p in age-encryption @noble/ciphers @noble/curves @noble/hashes @noble/post-quantum @scure/base; do
		echo
		echo "$p $(node -p "require('./node_modules/$p/package.json').version")"
		sed -e 's/[[:space:]]*$//' -e 's/^\(.\)/  \1/' "node_modules/$p/LICENSE"
	done
	echo '*/'
	node_modules/@esbuild/*/bin/esbuild entry.js --bundle --format=esm --target=es2022 --minify --charset=ascii --legal-comments=none --log-level=warning
} >age.js
if [ "${1-}" = check ]; then
	cmp age.js "$here/../ui/static/age.js" && echo "ui/static/age.js is what its sources make"
	exit
fi
cp age.js "$here/../ui/static/age.js"
sha256sum "$here/../ui/static/age.js"
