package intake

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

// mmdbFile writes an IPv4 database with records of 24 bits (MaxMind DB File Format Specification 2.0). Values are texts,
// uint32, float64 and maps of them.
func mmdbFile(kind string, networks map[string]map[string]any) []byte {
	type node [2]int // below 0: data at -n-1; 0: nothing; else a node
	nodes := []node{{}}
	var data []byte
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		net := netip.MustParsePrefix(name)
		addr, at := net.Addr().As4(), 0
		for i := range net.Bits() {
			bit := addr[i/8] >> (7 - i%8) & 1
			if i == net.Bits()-1 {
				nodes[at][bit] = -len(data) - 1
				break
			}
			if nodes[at][bit] == 0 {
				nodes = append(nodes, node{})
				nodes[at][bit] = len(nodes) - 1
			}
			at = nodes[at][bit]
		}
		data = mmdbValue(data, networks[name])
	}
	var out []byte
	for _, n := range nodes {
		for _, to := range n {
			switch {
			case to == 0:
				to = len(nodes)
			case to < 0:
				to = len(nodes) + 16 - to - 1
			}
			out = append(out, byte(to>>16), byte(to>>8), byte(to))
		}
	}
	out = append(append(out, make([]byte, 16)...), data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	return mmdbValue(out, map[string]any{
		"binary_format_major_version": uint32(2), "binary_format_minor_version": uint32(0), "build_epoch": uint32(1), "database_type": kind,
		"ip_version": uint32(4), "node_count": uint32(len(nodes)), "record_size": uint32(24),
	})
}

func mmdbValue(out []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		if len(v) < 29 {
			return append(append(out, 2<<5|byte(len(v))), v...)
		}
		return append(append(out, 2<<5|29, byte(len(v)-29)), v...)
	case uint32:
		return binary.BigEndian.AppendUint32(append(out, 6<<5|4), v)
	case float64:
		return binary.BigEndian.AppendUint64(append(out, 3<<5|8), math.Float64bits(v))
	case map[string]any:
		out = append(out, 7<<5|byte(len(v)))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = mmdbValue(mmdbValue(out, k), v[k])
		}
		return out
	}
	panic("no such value")
}

func cityOf(country, city string, lat, lon float64) map[string]any {
	return map[string]any{
		"country": map[string]any{"iso_code": country}, "continent": map[string]any{"code": "EU"},
		"city":     map[string]any{"names": map[string]any{"en": city}},
		"location": map[string]any{"latitude": lat, "longitude": lon},
	}
}

func asOf(number uint32, name string) map[string]any {
	return map[string]any{"autonomous_system_number": number, "autonomous_system_organization": name}
}

func readGeo(t testing.TB, data []byte) *Geo {
	t.Helper()
	g, err := ReadGeo(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Given a table, a database of cities and one of autonomous systems, when an address is looked up, then each fills what
// those before it left open, and a line carries all of it.
func TestGeoFiles(t *testing.T) {
	table := readGeo(t, []byte("192.0.2.0/24\tFR\n"))
	cities := readGeo(t, mmdbFile("GeoLite2-City", map[string]map[string]any{
		"192.0.2.0/24": cityOf("GB", "London", 51.5142, -0.0931), "198.51.100.0/24": cityOf("GB", "Boxford", 51.75, -1.25),
		"203.0.113.0/24": cityOf("GB", "Nowhere", 91, 0),
	}))
	systems := readGeo(t, mmdbFile("GeoLite2-ASN", map[string]map[string]any{"198.51.100.0/25": asOf(64496, "Example Networks")}))
	g := table.With(cities).With(systems).With(nil)
	for _, c := range []struct {
		addr string
		want Where
	}{
		{"192.0.2.1", Where{Country: "FR", Continent: "EU"}}, // the city is in another country
		{"198.51.100.1", Where{Country: "GB", Continent: "EU", City: "Boxford", Point: true, Lat: 51.75, Lon: -1.25, AS: 64496, ASName: "Example Networks"}},
		{"::ffff:198.51.100.200", Where{Country: "GB", Continent: "EU", City: "Boxford", Point: true, Lat: 51.75, Lon: -1.25}},
		{"203.0.113.1", Where{Country: "GB", Continent: "EU", City: "Nowhere"}},
		{"10.0.0.1", Where{}},
		{"2001:db8::1", Where{}},
	} {
		if d := cmp.Diff(c.want, g.Where(netip.MustParseAddr(c.addr))); d != "" {
			t.Errorf("%s: %s", c.addr, d)
		}
	}
	p := parser(t, Options{Geo: g})
	r := p.Parse(record.Line{Raw: `198.51.100.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1`}, hint)
	for name, want := range map[string]record.Value{
		"source.geo.country_iso_code": record.Text("GB"), "source.geo.city_name": record.Text("Boxford"),
		"source.geo.location.lat": record.Float(51.75, "51.75"), "source.geo.location.lon": record.Float(-1.25, "-1.25"),
		"source.as.number": record.Int(64496, "64496"), "source.as.organization.name": record.Text("Example Networks"),
	} {
		if got, _ := r.Named(name); got != want {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
}

// Given a file that is no whole database of places, when it is read, then the error says what it is and what to do.
func TestGeoFileErrors(t *testing.T) {
	whole := mmdbFile("GeoLite2-ASN", map[string]map[string]any{"198.51.100.0/24": asOf(64496, "Example Networks")})
	mark := bytes.Index(whole, []byte("\xab\xcd\xefMaxMind.com"))
	damaged := bytes.Clone(whole)
	damaged[24*6+16] = 0xff // what the first record begins with, behind 24 nodes
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"cut before its end", whole[:mark], "fetch it again"},
		{"cut in its end", whole[:len(whole)-9], "fetch it again"},
		{"damaged inside", damaged, "damaged"},
		{"of another kind", mmdbFile("GeoIP2-Anonymous-IP", map[string]map[string]any{"198.51.100.0/24": {"is_anonymous": "x"}}), `of the kind "GeoIP2-Anonymous-IP", which names no country`},
		{"with gzip", []byte("\x1f\x8b\x08\x00\x00\x00"), "unpack it"},
		{"a text of UTF-16", []byte("\xff\xfe1\x00.\x002\x00"), "neither a table nor a whole MaxMind DB"},
		{"MaxMind's table", []byte("network,geoname_id\n1.0.0.0/24,2077456\n"), "line 1: no tab"},
	} {
		if _, err := ReadGeo(bytes.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Given MaxMind's own test databases, when they are read, then the whole ones answer and the broken ones are refused.
func TestGeoOfMaxMind(t *testing.T) {
	read := func(name string) (*Geo, error) {
		f, err := os.Open(filepath.Join(shared, "geo", name))
		if err != nil {
			t.Skip("no shared test data here")
		}
		defer f.Close()
		return ReadGeo(f)
	}
	for name, want := range map[string]string{
		"GeoIP2-City-Test-Invalid-Node-Count.mmdb":   "fetch it again",
		"MaxMind-DB-test-broken-pointers-24.mmdb":    `of the kind "Test"`,
		"MaxMind-DB-test-broken-search-tree-24.mmdb": `of the kind "Test"`,
	} {
		if _, err := read(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	var g *Geo
	for _, name := range []string{"GeoLite2-Country-Test.mmdb", "GeoLite2-City-Test.mmdb", "GeoLite2-ASN-Test.mmdb"} {
		more, err := read(name)
		if err != nil {
			t.Fatal(err)
		}
		g = g.With(more)
	}
	for addr, want := range map[string]Where{
		"81.2.69.142": {Country: "GB", Continent: "EU", City: "London", Point: true, Lat: 51.5142, Lon: -0.0931},
		"1.128.0.1":   {AS: 1221, ASName: "Telstra Pty Ltd"},
		"2001:218::1": {Country: "JP", Continent: "AS", Point: true, Lat: 35.68536, Lon: 139.75309},
	} {
		if d := cmp.Diff(want, g.Where(netip.MustParseAddr(addr))); d != "" {
			t.Errorf("%s: %s", addr, d)
		}
	}
}

// The law: no bytes make reading or looking up panic, and what an accepted file says is bounded.
func FuzzGeoFile(f *testing.F) {
	f.Add(mmdbFile("GeoLite2-City", map[string]map[string]any{"192.0.2.0/24": cityOf("GB", "London", 51.5, -0.1)}), uint32(0xc0000201))
	f.Add(mmdbFile("GeoLite2-ASN", map[string]map[string]any{"192.0.2.0/24": asOf(64496, "Example")}), uint32(0xc0000201))
	f.Add([]byte("192.0.2.0/24\tGB\n"), uint32(0xc0000201))
	f.Fuzz(func(t *testing.T, data []byte, addr uint32) {
		g, err := ReadGeo(bytes.NewReader(data))
		if err != nil {
			return
		}
		a := netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)})
		for _, a := range []netip.Addr{a, netip.MustParseAddr("2001:db8::1")} {
			w := g.Where(a)
			if len(w.Country) > maxCountry || len(w.City) > maxGeoName || len(w.ASName) > maxGeoName || math.Abs(w.Lat) > 90 || math.Abs(w.Lon) > 180 {
				t.Fatalf("%s: %+v", a, w)
			}
		}
	})
}
