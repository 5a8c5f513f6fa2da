package intake

import (
	"net/netip"
	"strconv"
	"strings"

	"tocsin/internal/record"
)

// A place is what is known of an address.
type place struct {
	ok      bool   // it is an address
	trusted bool   // of a proxy whose header is believed
	private bool   // of no network that the internet knows (RFC 1918, RFC 4193, loopback, link-local)
	text    string // the usual spelling; IPv4 in IPv6 as IPv4; without zone
	network string
	geo     []geoValue // what the geo files say
}

// A geoValue is a field that the geo files give an address.
type geoValue struct {
	field record.Field
	value record.Value
}

// maxPlaces bounds the cache of addresses: some 1 MB.
const maxPlaces = 4096

// placeOf finds the place of an address without port. Most lines name an address that was seen a moment ago.
func (p *Parser) placeOf(s string) place {
	if len(s) < 2 || len(s) > 64 {
		return place{}
	}
	if pl, ok := p.places[s]; ok {
		return pl
	}
	pl := p.newPlace(s)
	if len(p.places) >= maxPlaces {
		clear(p.places)
	}
	// The key must not keep a whole line in memory.
	p.places[strings.Clone(s)] = pl
	return pl
}

func (p *Parser) newPlace(s string) place {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return place{}
	}
	addr = addr.Unmap().WithZone("")
	pl := place{ok: true, text: addr.String(), network: networkOf(addr), private: addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast()}
	for _, t := range p.trusted {
		if t.Contains(addr) {
			pl.trusted = true
		}
	}
	if p.geo != nil {
		pl.geo = geoValues(p.geo.Where(addr))
	}
	return pl
}

// Network returns source.network of a source.ip; false when that is no address.
func Network(ip string) (string, bool) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return "", false
	}
	return networkOf(addr.Unmap().WithZone("")), true
}

func networkOf(addr netip.Addr) string {
	bits := 64
	if addr.Is4() {
		bits = 24
	}
	net, err := addr.Prefix(bits)
	if err != nil { // the bits fit every address
		return ""
	}
	return net.String()
}

func geoValues(w Where) (out []geoValue) {
	text := func(f record.Field, s string) {
		if s != "" {
			out = append(out, geoValue{f, record.Text(s)})
		}
	}
	degrees := func(f record.Field, x float64) {
		out = append(out, geoValue{f, record.Float(x, strconv.FormatFloat(x, 'f', -1, 64))})
	}
	text(record.SourceCountry, w.Country)
	text(record.SourceContinent, w.Continent)
	text(record.SourceCity, w.City)
	if w.Point {
		degrees(record.SourceLat, w.Lat)
		degrees(record.SourceLon, w.Lon)
	}
	if w.AS != 0 {
		out = append(out, geoValue{record.SourceASNumber, record.Int(int64(w.AS), strconv.FormatUint(uint64(w.AS), 10))})
		text(record.SourceASName, w.ASName)
	}
	return out
}

// splitPort takes the port off "1.2.3.4:56", "[::1]:56" and "[::1]". An IPv6 address without brackets has none.
func splitPort(s string) (host, port string) {
	if s != "" && s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return s, ""
		}
		return s[1:end], strings.TrimPrefix(s[end+1:], ":")
	}
	i := strings.IndexByte(s, ':')
	if i < 0 || strings.IndexByte(s[i+1:], ':') >= 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// client sets the source of a record from the address of the peer, and, when the peer is a trusted proxy, from the
// X-Forwarded-For that it sent: from the right over all trusted ones. Otherwise the header is only kept.
// It reports whether the peer was an address.
func (p *Parser) client(r *record.Record, peer, forwarded string) bool {
	if forwarded != "" && forwarded != "-" {
		r.SetText(record.ForwardedIP, forwarded)
	}
	host, port := splitPort(peer)
	pl := p.placeOf(host)
	if !pl.ok {
		return false
	}
	if pl.trusted && forwarded != "" && forwarded != "-" {
		if real := p.behind(pl, forwarded); real.text != pl.text {
			pl, port = real, ""
		}
	}
	p.source(r, pl)
	if port != "" {
		setPort(r, record.SourcePort, port)
	}
	return true
}

func (p *Parser) source(r *record.Record, pl place) {
	r.Set(record.SourceIP, record.Text(pl.text))
	r.Set(record.SourceNetwork, record.Text(pl.network))
	for _, g := range pl.geo {
		r.Set(g.field, g.value)
	}
}

// maxHops bounds the walk through X-Forwarded-For, which the client may fill.
const maxHops = 32

// behind walks the header from the right. It stops at the first address that is not trusted, and before anything that
// is no address.
func (p *Parser) behind(pl place, forwarded string) place {
	for range maxHops {
		var hop string
		i := strings.LastIndexByte(forwarded, ',')
		hop, forwarded = forwarded[i+1:], forwarded[:max(i, 0)]
		host, _ := splitPort(strings.Trim(hop, " \t\""))
		next := p.placeOf(host)
		if !next.ok {
			return pl
		}
		pl = next
		if !pl.trusted || i < 0 {
			return pl
		}
	}
	return pl
}

func setPort(r *record.Record, f record.Field, s string) {
	if n, ok := whole(s); ok && n >= 0 && n < 1<<16 {
		r.Set(f, record.Int(n, s))
	}
}

// destination sets the address that was connected to.
func (p *Parser) destination(r *record.Record, text string) {
	host, port := splitPort(text)
	if pl := p.placeOf(host); pl.ok {
		r.Set(record.DestinationIP, record.Text(pl.text))
	}
	setPort(r, record.DestinationPort, port)
}
