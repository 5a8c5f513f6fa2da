package intake

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// An mmdb is a MaxMind DB (MaxMind DB File Format Specification 2.0) of countries, cities or autonomous systems.
type mmdb struct {
	db *maxminddb.Reader
}

// An mmdbRecord is what is read of a record: the names are those of MaxMind's GeoIP2 and GeoLite2, which DB-IP's files have
// too. The country is where the address is used, not where it is registered.
type mmdbRecord struct {
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Continent struct {
		Code string `maxminddb:"code"`
	} `maxminddb:"continent"`
	City struct {
		Names struct {
			English string `maxminddb:"en"`
		} `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Lat *float64 `maxminddb:"latitude"`
		Lon *float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
	AS     uint32 `maxminddb:"autonomous_system_number"`
	ASName string `maxminddb:"autonomous_system_organization"`
}

// mmdbKinds are words of the types of database that say something of the above: GeoLite2-Country, GeoIP2-City,
// DBIP-ASN-Lite, GeoIP2-Enterprise, GeoIP2-ISP.
var mmdbKinds = []string{"Country", "City", "ASN", "Enterprise", "ISP"}

// openMMDB opens a database and tries part of it. The format has no checksum, and reading all of a large one takes
// seconds; a fault further in costs the place of the addresses it strikes, nothing else.
func openMMDB(data []byte) (*mmdb, error) {
	db, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("this is neither a table nor a whole MaxMind DB (%w); a download that broke off does this: fetch it again", err)
	}
	kind := db.Metadata.DatabaseType
	known := false
	for _, k := range mmdbKinds {
		known = known || strings.Contains(kind, k)
	}
	if !known {
		return nil, fmt.Errorf("this MaxMind DB is of the kind %.40q, which names no country, city or autonomous system; wanted are kinds such as GeoLite2-Country, GeoLite2-City and GeoLite2-ASN", kind)
	}
	if err := tryMMDB(db); err != nil {
		return nil, fmt.Errorf("this MaxMind DB (%.40q) is damaged (%w): fetch it again", kind, err)
	}
	return &mmdb{db}, nil
}

// mmdbTries is how many networks of a database are tried before it is used: some 20 ms.
const mmdbTries = 20_000

// tryMMDB reads the first networks of a database.
func tryMMDB(db *maxminddb.Reader) error {
	n := 0
	for found := range db.Networks() {
		var r mmdbRecord
		if err := found.Decode(&r); err != nil {
			return err
		}
		if n++; n == mmdbTries {
			break
		}
	}
	return nil
}

// where looks an address up. What cannot be read is not known.
func (m *mmdb) where(addr netip.Addr) Where {
	var r mmdbRecord
	if err := m.db.Lookup(addr).Decode(&r); err != nil {
		return Where{}
	}
	w := Where{
		Country: geoText(r.Country.Code, maxCountry), Continent: geoText(r.Continent.Code, maxCountry),
		City: geoText(r.City.Names.English, maxGeoName),
		AS:   r.AS, ASName: geoText(r.ASName, maxGeoName),
	}
	if w.Continent == "" {
		w.Continent = continentOf(w.Country)
	}
	lat, lon := r.Location.Lat, r.Location.Lon
	if lat != nil && lon != nil && math.Abs(*lat) <= 90 && math.Abs(*lon) <= 180 {
		w.Point, w.Lat, w.Lon = true, *lat, *lon
	}
	return w
}

// maxGeoName bounds a name from a database, in bytes.
const maxGeoName = 200

// geoText leaves out what is too long to be what it should be.
func geoText(s string, limit int) string {
	if len(s) > limit {
		return ""
	}
	return s
}
