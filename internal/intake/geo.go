package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
)

// A Geo says where addresses lie and whose they are, from tables and MaxMind DB files in the order in which they were
// joined. It never changes once read.
type Geo struct {
	files []func(netip.Addr) Where
}

// A Where is what is known of an address. What is not known is empty or zero.
type Where struct {
	Country   string  // ISO 3166-1 alpha-2, or what the table says
	Continent string  // AF AN AS EU NA OC SA
	City      string  // in English
	Point     bool    // Lat and Lon are known
	Lat, Lon  float64 // degrees, north and east positive
	AS        uint32  // number of the autonomous system (RFC 6793)
	ASName    string  // of the organization that has it
}

// maxGeoFile bounds a MaxMind DB, which is held in memory: GeoLite2-City has some 60 MB, the largest on sale some 400 MB.
const maxGeoFile = 1 << 30

// ReadGeo reads a table (address or network, tab, country code, one a line; "#" begins a comment) or a MaxMind DB of
// countries, cities or autonomous systems; the content tells which. A MaxMind DB is held in memory whole, and not
// mapped from its file: a file that is cut while it is mapped would end the program. The error says what is wrong and
// what to do; for a table it names the line.
func ReadGeo(r io.Reader) (*Geo, error) {
	in := bufio.NewReader(r)
	begin, err := in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if bytes.HasPrefix(begin, []byte{0x1f, 0x8b}) || bytes.HasPrefix(begin, []byte("PK\x03\x04")) {
		return nil, errors.New("this is a packed file; unpack it, and name the .mmdb file that was in it")
	}
	// The search tree of a MaxMind DB begins with numbers of three or four bytes; no table has a NUL.
	if bytes.IndexByte(begin, 0) < 0 {
		t, err := readTable(in)
		if err != nil {
			return nil, err
		}
		return &Geo{files: []func(netip.Addr) Where{t.where}}, nil
	}
	data, err := io.ReadAll(io.LimitReader(in, maxGeoFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading it: %w", err)
	case len(data) > maxGeoFile:
		return nil, fmt.Errorf("it is larger than %d MB, so it is no MaxMind DB of countries, cities or autonomous systems", maxGeoFile>>20)
	}
	db, err := openMMDB(data)
	if err != nil {
		return nil, err
	}
	return &Geo{files: []func(netip.Addr) Where{db.where}}, nil
}

// With is g and then more: more fills what g does not know. Either may be nil.
func (g *Geo) With(more *Geo) *Geo {
	switch {
	case g == nil:
		return more
	case more == nil:
		return g
	}
	all := make([]func(netip.Addr) Where, 0, len(g.files)+len(more.files))
	return &Geo{files: append(append(all, g.files...), more.files...)}
}

// Where returns what is known of an address; IPv4 in IPv6 is looked up as IPv4. Each file fills what those before it left
// open. City and place count only from a file that agrees on the country: half of one answer and half of another
// would be a place that nobody named.
func (g *Geo) Where(addr netip.Addr) Where {
	addr = addr.Unmap().WithZone("")
	var w Where
	for _, look := range g.files {
		w.fill(look(addr))
	}
	return w
}

func (w *Where) fill(more Where) {
	if w.Country == "" {
		w.Country = more.Country
		if more.Continent != "" {
			w.Continent = more.Continent
		}
	}
	if w.Continent == "" {
		w.Continent = more.Continent
	}
	if more.Country == w.Country || more.Country == "" {
		if w.City == "" {
			w.City = more.City
		}
		if !w.Point {
			w.Point, w.Lat, w.Lon = more.Point, more.Lat, more.Lon
		}
	}
	if w.AS == 0 {
		w.AS = more.AS
		if more.AS != 0 {
			w.ASName = more.ASName
		}
	}
}

// Country returns the country of an address.
func (g *Geo) Country(addr netip.Addr) (string, bool) {
	country := g.Where(addr).Country
	return country, country != ""
}
