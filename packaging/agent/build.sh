#!/bin/sh
# Builds the agent's Debian package: packaging/agent/build.sh VERSION [FOLDER]. It needs Go and dpkg-deb. ARCH is amd64 unless it says
# another of Go's names that Debian has too (arm64). The same sources and version give the same package.
set -eu

version=${1:?usage: packaging/agent/build.sh VERSION [FOLDER]}
folder=${2:-bin}
arch=${ARCH:-amd64}
go=${GO:-go}
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$top"

case $version in
[!0-9]* | *[!0-9A-Za-z.+~-]*) echo "$version is no Debian version: a digit first, then letters, digits and . + ~ -" >&2; exit 2 ;;
esac

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
umask 022

mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/usr/lib/systemd/system" "$tree/etc/tocsin-agent" "$tree/usr/share/doc/tocsin-agent"
CGO_ENABLED=0 GOOS=linux GOARCH=$arch "$go" build -trimpath -ldflags "-s -w -X main.release=$version" -o "$tree/usr/bin/tocsin-agent" ./cmd/tocsin-agent
install -m 644 "$here/tocsin-agent.service" "$tree/usr/lib/systemd/system/tocsin-agent.service"
install -m 644 internal/config/agent.yaml "$tree/etc/tocsin-agent/tocsin-agent.yaml"

# The licences of all that is linked: ours, Go's and each module's.
licences=$tree/usr/share/doc/tocsin-agent/copyright
licence() {
	for name in LICENSE LICENSE.txt LICENSE.md COPYING; do
		if [ -f "$2/$name" ]; then
			printf '\n\n==== %s\n\n' "$1" >>"$licences"
			cat "$2/$name" >>"$licences"
			[ ! -f "$2/NOTICE" ] || cat "$2/NOTICE" >>"$licences"
			return
		fi
	done
	echo "no licence of $1 is in $2" >&2
	exit 1
}
echo 'The agent of Tocsin, and the parts of others that are linked into it, each with its licence.' >"$licences"
licence 'Tocsin' .
licence 'The Go standard library' "$("$go" env GOROOT)"
"$go" list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/tocsin-agent | sort -u >"$tree/modules"
while read -r path at dir; do
	licence "$path $at" "$dir"
done <"$tree/modules"
rm "$tree/modules"
for name in postinst prerm postrm; do
	install -m 755 "$here/$name" "$tree/DEBIAN/$name"
done
echo /etc/tocsin-agent/tocsin-agent.yaml >"$tree/DEBIAN/conffiles"
cat >"$tree/DEBIAN/control" <<END
Package: tocsin-agent
Version: $version
Architecture: $arch
Maintainer: The Tocsin authors <tocsin@localhost>
Section: admin
Priority: optional
Installed-Size: $(du -sk "$tree" | cut -f1)
Depends: passwd
Description: sends a shop host's logs to a Tocsin server
 The agent of Tocsin, the emergency plan of an online shop. It follows log
 files and the systemd journal, keeps what the server does not have yet on
 the disk, and sends it over one encrypted connection.
END
find "$tree" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} dpkg-deb --root-owner-group -Zxz --build "$tree" "$folder/tocsin-agent_${version}_${arch}.deb"
