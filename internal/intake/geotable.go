package intake

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// A geoTable is a table of networks and countries, laid out for searching.
type geoTable struct {
	spans []span // by start, without overlap: each reaches to the next one's start
}

// A span starts at an address; country "" is where the table says nothing.
type span struct {
	start   netip.Addr // IPv4 as IPv4: those sort before all of IPv6
	country string
}

// A geoRow is one line of the table.
type geoRow struct {
	net     netip.Prefix
	country string
	line    int
}

const (
	maxGeoLine = 4096 // bytes
	maxCountry = 16   // bytes
)

// readTable reads a table: address or network, tab, country code, one a line. Further columns are not read; "#" begins a
// comment. Of several networks that hold an address the longest prefix wins. The error names the line.
func readTable(r io.Reader) (*geoTable, error) {
	var rows []geoRow
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, maxGeoLine), maxGeoLine)
	names := map[string]string{} // one copy of each country's code
	n := 0
	for in.Scan() {
		n++
		text := strings.TrimSuffix(in.Text(), "\r")
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		row, ok, err := geoLine(text)
		if err != nil {
			return nil, fmt.Errorf("geo table, line %d: %w", n, err)
		}
		if !ok {
			continue
		}
		if have, ok := names[row.country]; ok {
			row.country = have
		} else {
			row.country = strings.Clone(row.country)
			names[row.country] = row.country
		}
		row.line = n
		rows = append(rows, row)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("geo table, line %d: %w", n+1, err)
	}
	return newTable(rows)
}

func geoLine(text string) (row geoRow, ok bool, err error) {
	if i := strings.IndexByte(text, '#'); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimRight(text, " \t")
	if text == "" {
		return row, false, nil
	}
	where, rest, found := strings.Cut(text, "\t")
	if !found {
		return row, false, fmt.Errorf("no tab between address and country in %q; write for example 203.0.113.0/24, tab, DE", text)
	}
	row.country, _, _ = strings.Cut(rest, "\t")
	row.country = strings.TrimSpace(row.country)
	if row.country == "" || len(row.country) > maxCountry || strings.ContainsFunc(row.country, unprintable) {
		return row, false, fmt.Errorf("%q is no country code; two letters are usual", row.country)
	}
	row.net, err = geoNet(strings.TrimSpace(where))
	return row, err == nil, err
}

func unprintable(c rune) bool { return c <= ' ' || c > '~' }

func geoNet(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is no address or network", s)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	net, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no address or network", s)
	}
	if net != net.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits behind its prefix; the network is %s", s, net.Masked())
	}
	if addr := net.Addr(); addr.Is4In6() {
		if net.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%s mixes IPv4 and IPv6", s)
		}
		net = netip.PrefixFrom(addr.Unmap(), net.Bits()-96)
	}
	return net, nil
}

// newTable lays the networks out as spans: a network inside another cuts it in two.
func newTable(rows []geoRow) (*geoTable, error) {
	slices.SortStableFunc(rows, func(a, b geoRow) int {
		return cmp.Or(a.net.Addr().Compare(b.net.Addr()), cmp.Compare(a.net.Bits(), b.net.Bits()))
	})
	g := &geoTable{}
	var open []geoRow // networks that hold the place where we are, the longest last
	closeBefore := func(start netip.Addr) {
		for len(open) > 0 && !open[len(open)-1].net.Contains(start) {
			end := lastOf(open[len(open)-1].net).Next()
			open = open[:len(open)-1]
			if !end.IsValid() {
				continue // the last address of all
			}
			country := ""
			if len(open) > 0 && open[len(open)-1].net.Contains(end) {
				country = open[len(open)-1].country
			}
			g.begin(end, country)
		}
	}
	for i, row := range rows {
		if i > 0 && rows[i-1].net == row.net && rows[i-1].country != row.country {
			return nil, fmt.Errorf("geo table, line %d: %s is %s here and %s in line %d", row.line, row.net, row.country, rows[i-1].country, rows[i-1].line)
		}
		closeBefore(row.net.Addr())
		g.begin(row.net.Addr(), row.country)
		open = append(open, row)
	}
	closeBefore(netip.Addr{})
	return g, nil
}

// begin starts a span. One that starts where the last did replaces it.
func (g *geoTable) begin(start netip.Addr, country string) {
	if n := len(g.spans); n > 0 && g.spans[n-1].start == start {
		g.spans[n-1].country = country
		return
	}
	g.spans = append(g.spans, span{start, country})
}

// lastOf is the last address of a network.
func lastOf(net netip.Prefix) netip.Addr {
	b := net.Addr().AsSlice()
	for i := net.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}

// where finds the country of an address that is no IPv4 in IPv6.
func (g *geoTable) where(addr netip.Addr) Where {
	i, exact := slices.BinarySearchFunc(g.spans, addr, func(s span, a netip.Addr) int { return s.start.Compare(a) })
	if !exact {
		i--
	}
	if i < 0 || g.spans[i].start.Is4() != addr.Is4() {
		return Where{}
	}
	country := g.spans[i].country
	return Where{Country: country, Continent: continentOf(country)}
}
