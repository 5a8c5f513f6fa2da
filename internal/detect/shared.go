package detect

import (
	"container/list"
	"net/netip"
	"slices"
	"time"

	"tocsin/internal/record"
)

// # Shared addresses
//
// Behind some addresses sit many customers: a phone network's, an office's, a university's. An alert from one is worth
// telling, but two alerts from one need not be one attack, so incidents are not joined by it. An address counts as shared
// when Options says so, or when it is learnt: at that moment sharedAccounts different customers had signed in from it
// within sharedSpan. A sign-in does not count when another account failed from the same address within sharedDoubt
// before it, so that somebody who tries many accounts and gets into a few does not become a shared address. What an alert says
// of an address is what was known when the alert began: nothing that happens during an attack changes it.

const (
	sharedAccounts = 3
	sharedSpan     = 7 * 24 * time.Hour
	sharedDoubt    = 10 * time.Minute
	customerRealm  = "customer"

	nearAccounts = 8 // newest sign-ins that are kept per address
	nearFailures = 4 // newest failures, of different accounts
)

// A neighbourhood is what is known of an address's customers.
type neighbourhood struct {
	IP       string
	Signins  []signin // one per account, newest last
	Failures []signin // likewise
	Since    int64    // when it became shared; it stayed so until Until. 0: never
	Until    int64
}

type signin struct {
	Account string
	At      int64
}

// neighbourhoods keeps the addresses, those seen last at the back. Those from which nobody signed in yet are kept apart, so
// that a flood of failures does not drive out what was learnt.
type neighbourhoods struct {
	by      map[string]*list.Element // of *neighbourhood
	order   *list.List
	failing *list.List
}

func newNeighbourhoods() neighbourhoods {
	return neighbourhoods{map[string]*list.Element{}, list.New(), list.New()}
}

func (o *neighbourhoods) list(n *neighbourhood) *list.List {
	if len(n.Signins) == 0 {
		return o.failing
	}
	return o.order
}

func (o *neighbourhoods) add(n *neighbourhood) { o.by[n.IP] = o.list(n).PushBack(n) }

// trim forgets addresses beyond the most of each kind, the oldest first, and returns how many.
func (o *neighbourhoods) trim(most int) (gone int64) {
	for _, l := range []*list.List{o.order, o.failing} {
		for l.Len() > most {
			oldest := l.Front()
			delete(o.by, oldest.Value.(*neighbourhood).IP)
			l.Remove(oldest)
			gone++
		}
		most = max(most/2, 1)
	}
	return gone
}

// learn takes in a record when it is a customer's sign-in.
func (d *Detector) learn(r *record.Record, at int64) {
	if r.Text(record.EventAction) != "login" || r.Text(record.UserRealm) != customerRealm {
		return
	}
	ip, who := keep(r.Text(record.SourceIP), maxText), keep(r.Text(record.UserName), maxText)
	outcome := r.Text(record.EventOutcome)
	if ip == "" || who == "" || outcome != "success" && outcome != "failure" {
		return
	}
	e := d.near.by[ip]
	n := &neighbourhood{IP: ip}
	if e != nil {
		n = e.Value.(*neighbourhood)
		d.near.list(n).Remove(e)
	}
	if outcome == "failure" {
		n.Failures = note(n.Failures, signin{who, at}, nearFailures)
	} else {
		n.signedIn(signin{who, at})
	}
	d.near.add(n)
	d.forgotten += d.near.trim(d.o.MaxAddresses)
}

func (n *neighbourhood) signedIn(s signin) {
	for _, f := range n.Failures {
		if age := s.At - f.At; f.Account != s.Account && age >= 0 && age <= int64(sharedDoubt) {
			return
		}
	}
	n.Signins = note(n.Signins, s, nearAccounts)
	if len(n.Signins) < sharedAccounts {
		return
	}
	until := n.Signins[len(n.Signins)-sharedAccounts].At + int64(sharedSpan)
	if until < s.At {
		return
	}
	if n.Since == 0 || n.Until < s.At {
		n.Since = s.At
	}
	n.Until = max(n.Until, until)
}

// note puts s, the newest of its account, into a list ordered by time.
func note(all []signin, s signin, most int) []signin {
	i := slices.IndexFunc(all, func(o signin) bool { return o.Account == s.Account })
	if i >= 0 {
		if all[i].At > s.At {
			return all
		}
		all = slices.Delete(all, i, i+1)
	}
	i = len(all)
	for i > 0 && all[i-1].At > s.At {
		i--
	}
	all = slices.Insert(all, i, s)
	if len(all) > most {
		all = slices.Delete(all, 0, 1)
	}
	return all
}

// sharedAt reports whether an address was known to be shared before a moment.
func (d *Detector) sharedAt(ip string, when time.Time) bool {
	if within(d.o.Shared, ip) {
		return true
	}
	e := d.near.by[ip]
	if e == nil {
		return false
	}
	n, at := e.Value.(*neighbourhood), when.UnixNano()
	return n.Since != 0 && n.Since < at && at <= n.Until
}

// own reports whether an address is of the shop's own networks.
func (d *Detector) own(ip string) bool { return within(d.o.Own, ip) }

func within(nets []netip.Prefix, ip string) bool {
	if len(nets) == 0 {
		return false
	}
	a, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a.Unmap().WithZone("")) })
}
