package intake

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/record"
)

// Given a table, when addresses are looked up, then the longest network that holds them wins.
func TestGeo(t *testing.T) {
	const table = "\ufeff# countries\r\n10.0.0.0/8\tAA\r\n10.1.0.0/16\tBB\tmore\n10.1.2.3\tCC # one\n10.255.0.0/16\tDD\n\n0.0.0.0/0\tZZ\n" +
		"2001:db8::/32\tEE\n2001:db8::1\tFF\n::ffff:192.0.2.0/120\tGG\n255.255.255.255\tHH\nffff::/16\tII\n10.0.0.0/8\tAA\n"
	g, err := ReadGeo(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"10.0.0.0": "AA", "10.0.255.255": "AA", "10.1.0.0": "BB", "10.1.2.2": "BB", "10.1.2.3": "CC", "10.1.2.4": "BB", "10.2.0.0": "AA",
		"10.254.255.255": "AA", "10.255.255.255": "DD", "11.0.0.0": "ZZ", "0.0.0.0": "ZZ", "255.255.255.255": "HH", "255.255.255.254": "ZZ",
		"192.0.2.7": "GG", "::ffff:10.1.2.3": "CC", "2001:db8::": "EE", "2001:db8::1": "FF", "2001:db8::2": "EE", "2001:db9::": "", "::1": "",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "II", "2001:db8::1%eth0": "FF",
	} {
		got, ok := g.Country(netip.MustParseAddr(addr))
		if got != want || ok != (want != "") {
			t.Errorf("%s is in %q %v, want %q", addr, got, ok, want)
		}
	}
	p := parser(t, Options{Geo: g})
	r := p.Parse(record.Line{Raw: `::ffff:10.1.2.3 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1`}, hint)
	if r.Text(record.SourceCountry) != "CC" || r.Text(record.SourceIP) != "10.1.2.3" {
		t.Errorf("%s", shown(r))
	}
	empty, err := ReadGeo(strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := empty.Country(netip.MustParseAddr("1.2.3.4")); ok {
		t.Errorf("the empty table says %q", got)
	}
}

// Given a table with a fault, when it is read, then the error names the line and the fault.
func TestGeoErrors(t *testing.T) {
	for _, c := range []struct{ table, want string }{
		{"1.2.3.4\tDE\n1.2.3.5 DE\n", "line 2: no tab"},
		{"1.2.3.4\t\n", "line 1: no tab"},
		{"1.2.3.4\t \tx\n", "line 1: \"\" is no country code"},
		{"1.2.3.4\tGermany and more\n", "line 1: \"Germany and more\" is no country code"},
		{"1.2.3.4.5\tDE\n", "line 1: \"1.2.3.4.5\" is no address or network"},
		{"# x\n1.2.3.0/33\tDE\n", "line 2: \"1.2.3.0/33\" is no address or network"},
		{"1.2.3.4/24\tDE\n", "line 1: 1.2.3.4/24 has bits behind its prefix; the network is 1.2.3.0/24"},
		{"fe80::1%eth0\tDE\n", "line 1: \"fe80::1%eth0\" is no address or network"},
		{"::ffff:0.0.0.0/90\tDE\n", "line 1: "},
		{"1.2.3.4\tDE\n1.2.3.4\tAT\n", "line 2: 1.2.3.4/32 is AT here and DE in line 1"},
		{"1.2.3.4\tDE\n" + strings.Repeat("x", 5000), "line 2: "},
	} {
		_, err := ReadGeo(strings.NewReader(c.table))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %q", c.table, err, c.want)
		}
	}
}

func TestGeoOfTheRange(t *testing.T) {
	f, err := os.Open(filepath.Join(shared, "range-a", "geo.tsv"))
	if err != nil {
		t.Skip("no shared test data here")
	}
	defer f.Close()
	g, err := ReadGeo(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logLines(t, "range-a/geo.tsv") {
		addr, want, _ := strings.Cut(l, "\t")
		if got, _ := g.Country(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is in %q, want %q", addr, got, want)
		}
	}
}

// The law: a table of any networks answers as a search through all of its rows does.
func FuzzGeo(f *testing.F) {
	f.Add([]byte{10, 0, 0, 0, 8, 10, 1, 0, 0, 16, 10, 1, 2, 3, 32}, uint32(0x0a010203))
	f.Add([]byte{0, 0, 0, 0, 0, 255, 255, 255, 255, 32}, uint32(0xffffffff))
	f.Fuzz(func(t *testing.T, data []byte, near uint32) {
		var table strings.Builder
		nets := map[netip.Prefix]string{}
		for i := 0; i+5 <= len(data) && i < 200; i += 5 {
			net, err := netip.AddrFrom4([4]byte(data[i : i+4])).Prefix(int(data[i+4]) % 33)
			if err != nil {
				t.Fatal(err)
			}
			if _, had := nets[net]; had {
				continue
			}
			nets[net] = fmt.Sprintf("C%d", i)
			fmt.Fprintf(&table, "%s\t%s\n", net, nets[net])
		}
		g, err := ReadGeo(strings.NewReader(table.String()))
		if err != nil {
			t.Fatal(err)
		}
		asked := []netip.Addr{netip.AddrFrom4([4]byte{byte(near >> 24), byte(near >> 16), byte(near >> 8), byte(near)})}
		for net := range nets {
			asked = append(asked, net.Addr(), lastOf(net), net.Addr().Prev(), lastOf(net).Next())
		}
		for _, a := range asked {
			if !a.IsValid() {
				continue
			}
			want, bits := "", -1
			for net, country := range nets {
				if net.Contains(a) && net.Bits() > bits {
					want, bits = country, net.Bits()
				}
			}
			if got, ok := g.Country(a); got != want || ok != (want != "") {
				t.Fatalf("%s is in %q, want %q; table:\n%s", a, got, want, table.String())
			}
		}
	})
}

// The law: what is read is no longer than what was given, and reading it never panics.
func FuzzReadGeo(f *testing.F) {
	f.Add("10.0.0.0/8\tAA\n# x\n2001:db8::/32\tBB\n")
	f.Fuzz(func(t *testing.T, table string) {
		g, err := readTable(strings.NewReader(table))
		if err != nil {
			if !strings.Contains(err.Error(), "line ") {
				t.Fatalf("the error names no line: %v", err)
			}
			return
		}
		if len(g.spans) > 2*len(table)+2 {
			t.Fatalf("%d spans of %d bytes", len(g.spans), len(table))
		}
		for i := 1; i < len(g.spans); i++ {
			if g.spans[i-1].start.Compare(g.spans[i].start) >= 0 {
				t.Fatalf("spans %d and %d are out of order", i-1, i)
			}
		}
	})
}
