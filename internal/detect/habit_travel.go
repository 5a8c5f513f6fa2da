package detect

import (
	"math"
	"slices"
	"strings"
	"time"
)

const (
	travelSpeed  = 900.0  // km/h: an airliner's cruising speed
	travelFast   = 400.0  // km/h: with the ways to and from the airport a good flight
	travelFar    = 500.0  // km: below, the places of addresses are too uncertain
	countrySlack = 1000.0 // km: countries are larger than the places that the table has of them
	earthRadius  = 6371.0 // km, mean
	atOnce       = time.Minute
)

// relayWords name networks that do not say where their user is: sellers of VPNs, hosting companies and clouds, on which VPNs and
// remote desktops run, and phone networks, which send their users out at a few places of the country or elsewhere.
var relayWords = []string{
	"vpn", "proxy", "tor exit", "relay", "hosting", "hoster", "cloud", "data center", "datacenter", "data centre", "server", "colo",
	"m247", "datacamp", "cdn77", "clouvider", "leaseweb", "digitalocean", "ovh", "hetzner", "linode", "akamai", "vultr", "choopa", "constant company",
	"contabo", "scaleway", "amazon", "google", "microsoft", "oracle", "alibaba", "tencent", "fastly", "zscaler", "netskope", "starlink",
	"mobil", "wireless", "cellular", "gsm", "lte", "telecom personal", "t-mobile", "roaming",
}

// relay reports whether the name of an autonomous system is that of a relay.
func relay(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(relayWords, func(w string) bool {
		i := strings.Index(name, w)
		// A short word must stand by itself: "lte" is in many names.
		return i >= 0 && (len(w) > 4 || (i == 0 || !letter(name[i-1])) && (i+len(w) == len(name) || !letter(name[i+len(w)])))
	})
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' }

// kilometres is the length of the great circle between two points (the haversine formula).
func kilometres(a, b point) float64 {
	rad := func(x float64) float64 { return x * math.Pi / 180 }
	half := func(x float64) float64 { s := math.Sin(rad(x) / 2); return s * s }
	h := half(b.Lat-a.Lat) + math.Cos(rad(a.Lat))*math.Cos(rad(b.Lat))*half(b.Lon-a.Lon)
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// points are where a stay may have been, and how far from there.
func (s *stay) points() ([]point, float64) {
	if s.Point {
		return []point{s.Where}, 0
	}
	return countries[strings.ToUpper(s.Country)].points, countrySlack / 2
}

// apart is the least distance in km between two stays; false when one is nowhere.
func apart(a, b *stay) (float64, bool) {
	if !a.Point && !b.Point && a.Country == b.Country {
		return 0, a.Country != ""
	}
	from, slackA := a.points()
	to, slackB := b.points()
	if len(from) == 0 || len(to) == 0 {
		return 0, false
	}
	best := math.Inf(1)
	for _, p := range from {
		for _, q := range to {
			best = min(best, kilometres(p, q))
		}
	}
	return max(best-slackA-slackB, 0), true
}

// travel judges the way from the account's last stay to where the record comes from. known: the network is one of the account's.
func (v *verdict) travel(last *stay, known bool) {
	v.travelled = "unknown"
	if last.At == 0 || v.stay.At < last.At {
		return
	}
	km, ok := apart(last, &v.stay)
	if !ok {
		return
	}
	took := max(time.Duration(v.stay.At-last.At), atOnce)
	v.km, v.took, v.speed = km, took, km/took.Hours()
	switch {
	case last.Network == v.stay.Network && v.stay.Network != "" || last.AS != 0 && last.AS == v.stay.AS:
		v.travelled = "possible"
	case known:
		v.travelled = "usual"
	case v.relay && km > travelFar && v.speed > travelFast:
		v.travelled = "relayed"
	case km > travelFar && v.speed > travelSpeed:
		v.travelled = "impossible"
	case km > travelFar && v.speed > travelFast:
		v.travelled = "fast"
	default:
		v.travelled = "possible"
	}
}
