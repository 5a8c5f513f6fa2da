//go:build bench

package bench

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// crowd measures what detection keeps when ten million addresses fail to sign in once each within a day, and a thousand among
// them try once a minute: with all rules of the shop pack, which watch addresses, networks and accounts.
func (x *table) crowd(t *testing.T) {
	const (
		visitors = 10_000_000
		forcers  = 1_000
		day      = 24 * time.Hour
	)
	rules, _, _ := detect.Load(documents(t, root+"/rules", asIs, func(sigma.LogSource) bool { return true }))
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	d := detect.New(rules, detect.Options{})
	begin := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	found, most, strangers := map[string]bool{}, int64(0), 0
	var r record.Record
	fails := func(at time.Duration, address, account string) {
		r.Reset(record.Line{File: "app.jsonl", Raw: "sign-in failed for " + account + " from " + address})
		r.Class, r.Time = record.Parsed, begin.Add(at)
		r.Source = record.LogSource{Categories: []string{"application", "authentication"}, Product: "shop"}
		r.Set(record.EventAction, record.Text("login"))
		r.Set(record.EventOutcome, record.Text("failure"))
		r.Set(record.UserRealm, record.Text("customer"))
		r.Set(record.UserName, record.Text(account))
		r.Set(record.SourceIP, record.Text(address))
		r.Set(record.SourceNetwork, record.Text(netip.PrefixFrom(netip.MustParseAddr(address), 24).Masked().String()))
		for _, c := range d.Step(&r) {
			if c.Step != detect.Raised || c.Alert.Level == "low" {
				continue
			}
			for _, p := range c.Alert.Sources {
				if p.Name >= "203.0." && p.Name < "203.4." {
					found[p.Name] = true
				}
			}
			if len(c.Alert.Sources) == 1 && (c.Alert.Sources[0].Name < "203.0." || c.Alert.Sources[0].Name >= "203.4.") {
				strangers++
			}
		}
	}
	took := used()
	forcer := 0
	every := time.Minute / forcers // between two tries of any of them
	next := time.Duration(0)
	for i := range visitors {
		at := day / visitors * time.Duration(i)
		for ; next <= at; next += every {
			fails(next, fmt.Sprintf("203.%d.%d.%d", forcer%4, forcer/4, 10+forcer%7), fmt.Sprintf("account-%d", forcer%5000))
			forcer = (forcer + 1) % forcers
		}
		n := uint32(i) * 2654435761 // all different
		fails(at, fmt.Sprintf("%d.%d.%d.%d", 1+n>>24%199, n>>16&255, n>>8&255, n&255), fmt.Sprintf("customer-%d", i%3_000_000))
		if i%1_000_000 == 999_999 {
			most = max(most, live()-before)
		}
	}
	took = used() - took
	s := d.Stats()
	t.Logf("%d groups, %d matches held, %d remembered in short, %d lost, %d alerts active, %d addresses", s.Groups, s.Held, s.Waiting, s.Evicted, s.Active, s.Addresses)
	x.add("10,000,000 addresses within a day, what detection keeps", "<= 64 MB", most > 64<<20, "%d MB", most>>20)
	x.add("1,000 among them that try once a minute, found", "1000", len(found) < forcers, "%d (of others %d)", len(found), strangers)
	x.add("failed sign-ins through the shop pack, one core", "", false, "%.0f records/s", visitors/took.Seconds())
}

// TestCrowd measures that alone.
func TestCrowd(t *testing.T) {
	var x table
	x.crowd(t)
	x.print(t)
}
