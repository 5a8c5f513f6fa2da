package desk

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/record"
)

// A spray is an attack from very many addresses, each of which tries once.
type spray struct {
	name     string
	event    string // the application's own
	more     string // further members
	accounts int    // that are tried, in turn
	sessions bool   // the log has them
	ordered  bool   // network after network, as a botnet of rented networks does; otherwise in any order
	good     bool   // the log tells of sign-ins that work
	high     bool   // it must ring
}

const (
	sprayAddresses = 10_000
	sprayNetworks  = 500
	sprayProviders = 5
	sprayLasts     = time.Hour
)

// line is the n-th try.
func (s spray) line(n int, at time.Time) string {
	net := n % sprayNetworks
	if s.ordered {
		net = n * sprayNetworks / sprayAddresses
	}
	host := n / sprayNetworks
	if s.ordered {
		host = n % (sprayAddresses / sprayNetworks)
	}
	session := ""
	if s.sessions {
		session = fmt.Sprintf(`,"sid":"s%d"`, n)
	}
	return fmt.Sprintf(`{"ts":%q,"event":%q,"ip":"11.%d.%d.%d","asn":%d,"account":"user%d@mail.example"%s%s}`,
		at.UTC().Format(time.RFC3339Nano), s.event, net/250+1, net%250+1, host*7+5, 64500+net%sprayProviders, n%s.accounts, s.more, session)
}

// customers are the sign-ins of an ordinary hour: two hundred, of which twenty fail at first.
func customers(at time.Time, n int, chance *rand.Rand, good bool) (lines []string) {
	ip, who := fmt.Sprintf("87.%d.%d.%d", chance.IntN(200), chance.IntN(200), 1+chance.IntN(200)), fmt.Sprintf("kunde%d@mail.example", n)
	say := func(event string) {
		lines = append(lines, fmt.Sprintf(`{"ts":%q,"event":%q,"ip":%q,"asn":3320,"account":%q}`, at.UTC().Format(time.RFC3339Nano), event, ip, who))
	}
	if n%10 == 0 {
		say("customer_login_failed")
	}
	if good {
		say("customer_login_ok")
	}
	return lines
}

// A spray over ten thousand addresses in five hundred networks of five providers is one incident, and rings once.
func TestASprayIsOneIncident(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("a hundred thousand lines; make test runs it without the race detector")
	}
	set, err := LoadRules(os.DirFS("../../rules"))
	if err != nil {
		t.Fatal(err)
	}
	const customer, admin = "customer_login_failed", "admin_login_failed"
	for _, s := range []spray{
		{name: "customers, an account each", event: customer, accounts: sprayAddresses, good: true, high: true},
		{name: "customers, an account each, with sessions", event: customer, accounts: sprayAddresses, sessions: true, good: true, high: true},
		{name: "customers, network after network", event: customer, accounts: sprayAddresses, ordered: true, good: true, high: true},
		{name: "customers, and the log tells of failures only", event: customer, accounts: sprayAddresses, more: `,"reason":"bad_password"`},
		{name: "customers that mostly do not exist", event: customer, accounts: sprayAddresses, more: `,"reason":"unknown_account"`, good: true, high: true},
		{name: "one customer", event: customer, accounts: 1, good: true, high: true},
		{name: "one customer, network after network", event: customer, accounts: 1, ordered: true, good: true, high: true},
		{name: "the administration, one account", event: admin, accounts: 1, good: true, high: true},
		{name: "the administration, many accounts", event: admin, accounts: 500, ordered: true, good: true, high: true},
		{name: "cards", event: "payment_declined", more: `,"amount":4,"bin":"411111","last4":"%04d"`, accounts: 1, good: true, high: true},
		{name: "gift cards", event: "giftcard_check", more: `,"valid":false,"code":"G-%d"`, accounts: 1, good: true, high: true},
	} {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.o.Rules = set.Rules
				d, stop := h.start()
				defer stop()
				h.team(d)
				h.play(d, s)
				got := h.entries(d)
				t.Logf("%d alerts, %d entries of alerts that grew", got[entry.AlertRaised], got[entry.AlertGrew])
				if h.want(d, entry.IncidentOpened, 1); got[entry.IncidentOpened] > 1 {
					for _, i := range d.state.Incidents.Incidents[:min(6, len(d.state.Incidents.Incidents))] {
						t.Logf("incident %d: %s, %d alerts, the first of %s", i.ID, i.Title, len(i.Alerts), d.state.Incidents.Alerts[i.Alerts[0]].Title)
					}
				}
				if calls := got[entry.CallOpened]; s.high && calls != 1 || calls > 1 {
					t.Errorf("%d calls", calls)
				}
			})
		})
	}
}

// play feeds a spray and the customers of its hour, some minutes at a time.
func (h *house) play(d *Desk, s spray) {
	chance := rand.New(rand.NewPCG(1, 2))
	const step = 6 * time.Minute
	const steps = int(sprayLasts / step)
	template := s.more
	for m := range steps {
		b := record.Batch{}
		keep := func(lines ...string) {
			for _, l := range lines {
				b.Lines = append(b.Lines, record.Line{File: "/log/app.jsonl", Raw: l})
			}
		}
		first, last := m*sprayAddresses/steps, (m+1)*sprayAddresses/steps
		for n := first; n < last; n++ {
			at := time.Now().Add(step * time.Duration(n-first) / time.Duration(last-first))
			if (n-first)%50 == 0 {
				keep(customers(at, n/50, chance, s.good)...)
			}
			if m >= 1 { // customers come first
				s.more = template
				if len(template) > 0 && s.event[0] != 'c' {
					s.more = fmt.Sprintf(template, n)
				}
				keep(s.line(n, at))
			}
		}
		time.Sleep(step)
		b.Received = time.Now()
		if _, err := d.keep(b); err != nil {
			h.t.Fatal(err)
		}
		synctest.Wait()
	}
}
