package desk

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// A trouble is one of those that make the bell itself worth nothing, the worst first.
type trouble int

const (
	ledgerFails trouble = iota // cannot be written
	vaultFails
	archiveFails
	readingFails // the archive cannot be read, so detection stands still
	troubles
)

// means says what the program does not do meanwhile, and what brings it back.
func (t trouble) means() string {
	switch t {
	case ledgerFails:
		return "It takes no command and opens no incident until that is mended. " +
			"Free space on the disk or mend it, on the machine where Tocsin runs, then restart Tocsin."
	case vaultFails:
		return "Detection waits, and opens no incident until that is mended. " +
			"Free space on the disk or mend it, on the machine where Tocsin runs. It tries again by itself; if that does not help, restart Tocsin."
	case archiveFails:
		return "It takes in no log lines until that is mended, so it detects nothing new; the lines wait in the log files. " +
			"Free space on the disk or shorten the retention, on the machine where Tocsin runs. It goes on by itself when there is room; if it does not, restart Tocsin."
	default:
		return "Detection stands still and opens no incident; new log lines are kept, and read once that is mended. " +
			"Look at the disk of the machine where Tocsin runs; the archive may have to come back from its backup."
	}
}

// An alarm rings without the ledger, when there is a trouble: the one act that needs no record. It repeats until
// the program is restarted or the reason is gone.
type alarm struct {
	desk *Desk
	mu   sync.Mutex
	why  [troubles]string
	rung [troubles]time.Time
}

const alarmAgain = 5 * time.Minute

func newAlarm(d *Desk) *alarm { return &alarm{desk: d} }

// sound notes a reason to ring. The caller may hold the desk's lock.
func (a *alarm) sound(t trouble, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.why[t] = why
}

// quiet takes the reason away. Only who just did what failed before may say so.
func (a *alarm) quiet(t trouble) { a.sound(t, "") }

// worst returns the worst trouble there is.
func (a *alarm) worst() (worst trouble, ok bool) {
	for t := range troubles {
		if a.why[t] != "" {
			return t, true
		}
	}
	return 0, false
}

// Why returns what cannot be written and why, "" if all can be.
func (a *alarm) Why() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.worst(); ok && t != readingFails {
		return a.why[t]
	}
	return ""
}

// due returns what to tell when it is time to ring, two empty texts if it is not. A worse trouble does not wait for the repeat of
// a lesser one.
func (a *alarm) due(now time.Time) (title, says string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.worst()
	if !ok {
		return "", ""
	}
	if since := now.Sub(a.rung[t]); !a.rung[t].IsZero() && since >= 0 && since < alarmAgain {
		return "", ""
	}
	for lesser := t; lesser < troubles; lesser++ {
		a.rung[lesser] = now
	}
	title = "Tocsin cannot write"
	if t == readingFails {
		title = "Tocsin cannot read"
	}
	return title, title + " " + strings.TrimSuffix(a.why[t], ".") + ".\n" + t.means() + " `tocsin doctor` says more."
}

// ringOut tells everybody on every channel, at once, without a record.
func (a *alarm) ringOut(ctx context.Context, now time.Time, title, says string) {
	d := a.desk
	people := map[string]Contact{}
	d.Read(func(s *State) {
		for id, p := range s.Plan.People {
			if !p.Gone {
				people[id] = d.People.Get(p.Vault)
			}
		}
	})
	words := notify.Call{Severity: "Critical", Title: title, At: now, Sample: d.Sample(), Known: says}
	for id, c := range people {
		for _, channel := range channelsOf(c) {
			to := c.Address(channel)
			if to == "" || d.o.Senders[channel] == nil {
				continue
			}
			words.Zone = c.Location()
			m := words.Message(to, fmt.Sprintf("cannot-write-%d-%s@%s", now.Unix(), id, d.origin()), "alarm")
			if channel == plan.Mail {
				m = d.forPerson(m, id, c, envelope.IncidentNeeds, "")
			}
			d.sending.Go(func() {
				if _, err := d.carry(ctx, channel, m); err != nil {
					d.log.Error("ringing that Tocsin cannot write", "person", id, "channel", channel, "error", err)
				}
			})
		}
	}
}
