package desk

import (
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/record"
	"tocsin/internal/review"
)

// Given a plan whose rules are known, when one comes that was not there, then the rules and the playbook that names it are to be reviewed earlier, and once; what was there at first is no news.
func TestANewRuleBringsTheReviewForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		asked := func() (out []string) {
			d.Read(func(s *State) {
				for id, p := range s.Reviews.Parts {
					for _, a := range p.Asks {
						if a.Cause == review.ByThreat {
							out = append(out, id)
						}
					}
				}
			})
			return out
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		h.want(d, entry.ThreatsSeen, 1)
		if got := asked(); len(got) != 0 {
			t.Errorf("the rules of the first start ask for a review of %q", got)
		}
		h.want(d, entry.ThreatsSeen, 1) // and nothing is written each hour
		d.Read(func(s *State) {
			x, fresh := s.Reviews.Threats([]string{"evil", "quite-new"}, func(rule string) []string { return []string{"playbook:fire"} })
			if body, ok := x.Body.(entry.Threats); !fresh || !ok || body.First || len(body.Parts) != 2 {
				t.Errorf("%v %+v", fresh, x)
			}
		})
	})
}

// What a host is made of is the same after an update, and another when its shop or its system is another.
func TestHostFacts(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	a := record.Host{System: "Debian GNU/Linux 12 (bookworm)", Arch: "amd64", Kernel: "Linux 6.1", Software: []record.Software{{Kind: "shop", Name: "Magento", Version: "2.4.6"}, {Kind: "web", Name: "nginx"}, {Kind: "odd", Name: "x"}}}
	b := a
	b.System, b.Kernel, b.Software = "Debian GNU/Linux 13 (trixie)", "Linux 6.12", []record.Software{{Kind: "web", Name: "nginx", Version: "1.27"}, {Kind: "shop", Name: "Magento", Version: "2.4.7"}, {Kind: "shop", Name: "Magento", Version: "2.4.8"}}
	var book review.Book
	if x, ok := book.Facts("web-1", d.hostFacts(a)); !ok || len(x.Body.(entry.Architecture).Facts) != 4 {
		t.Fatalf("%v %+v", ok, x)
	}
	same := func(x, y record.Host) bool {
		f, g := d.hostFacts(x), d.hostFacts(y)
		if len(f) != len(g) {
			return false
		}
		for k := range f {
			if f[k] != g[k] {
				return false
			}
		}
		return true
	}
	if !same(a, b) {
		t.Error("an update is a change of the architecture")
	}
	for name, change := range map[string]func(*record.Host){"another system": func(h *record.Host) { h.System = "Ubuntu 24.04" }, "another shop": func(h *record.Host) {
		h.Software = []record.Software{{Kind: "shop", Name: "Shopware"}, {Kind: "web", Name: "nginx"}}
	},
		"a database": func(h *record.Host) {
			h.Software = append([]record.Software{{Kind: "database", Name: "MariaDB"}}, a.Software...)
		}} {
		c := a
		if change(&c); same(a, c) {
			t.Errorf("%s is no change", name)
		}
	}
}
