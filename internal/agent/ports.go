package agent

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/record"
)

const maxPorts = 1000

// ports lists where somebody listens (proc(5), /proc/net/tcp and its like): TCP in state LISTEN, UDP without a peer. The programs
// are those whose open files we may look at.
func ports(proc string) (all []record.Port) {
	programs := sockets(proc)
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		for line := range strings.Lines(readSome(filepath.Join(proc, "self/net", table))) {
			p, inode, ok := portOf(line, strings.TrimSuffix(table, "6"))
			if !ok || len(all) >= maxPorts {
				continue
			}
			p.Program = programs[inode]
			if !slices.ContainsFunc(all, func(o record.Port) bool {
				return o.Protocol == p.Protocol && o.Address == p.Address && o.Port == p.Port
			}) {
				all = append(all, p)
			}
		}
	}
	return all
}

// portOf reads one line: "sl local rem st tx:rx tr:when retr uid timeout inode", addresses in hex, each 32 bits in the
// machine's byte order.
func portOf(line, protocol string) (p record.Port, inode string, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 || !strings.HasSuffix(f[0], ":") {
		return p, "", false
	}
	address, ok := hexAddress(f[1])
	remote, rok := hexAddress(f[2])
	if !ok || !rok || protocol == "tcp" && f[3] != "0A" || protocol == "udp" && remote.Port() != 0 {
		return p, "", false
	}
	return record.Port{Protocol: protocol, Address: address.Addr().Unmap().String(), Port: int(address.Port())}, f[9], true
}

func hexAddress(s string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	n, perr := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || perr != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 { // little-endian machines alone are built for
		slices.Reverse(b[i : i+4])
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a, uint16(n)), true
}

// sockets finds which program has which socket, as far as we may see it.
func sockets(proc string) map[string]string {
	m := map[string]string{}
	all, _ := os.ReadDir(proc)
	for _, e := range all {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		dir := filepath.Join(proc, e.Name(), "fd")
		open, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		name := ""
		for _, fd := range open[:min(len(open), 4096)] {
			to, _ := os.Readlink(filepath.Join(dir, fd.Name()))
			inode, ok := strings.CutPrefix(to, "socket:[")
			if !ok {
				continue
			}
			if name == "" {
				name = clip(strings.TrimSpace(readSome(filepath.Join(proc, e.Name(), "comm"))), 64)
			}
			m[strings.TrimSuffix(inode, "]")] = name
		}
	}
	return m
}
