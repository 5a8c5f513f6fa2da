package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/sigma"
)

// A live is an alert that has not ended.
type live struct {
	Alert    Alert
	Active   int64 // record time, or the watermark where that was later, of the last record: quiet counts from here
	Ahead    int64 // record time of the last record where that was too far ahead to be believed; else 0
	Ord      int64 // of the record that raised it
	Entry    entered
	Failed   bool           // a record has event.outcome failure: the alert is about trying
	sources  map[string]int // place in Alert.Sources
	accounts map[account]int
}

// An account is one name in one realm.
type account struct{ name, realm string }

// entered is what the last change told of an alert said: a further one is due when it is outgrown.
type entered struct {
	Count     int64
	Sources   int
	Accounts  int
	Succeeded bool
	Past      bool
}

// maxNames is how many log and host names an alert has at most; the rest is left out.
const maxNames = 50

// newLive begins an alert of a node and group whose first record is given.
func newLive(n *node, g *group, first mark, raised time.Time, seq, ord int64) *live {
	m := n.meta
	id := first.Seq
	if id == 0 {
		id = -first.Ord // not archived: the number of the record in this run
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d", m.Version, g.Kind, groupKey(g.Values), id))
	return &live{
		Ord: ord,
		Alert: Alert{
			ID: hex.EncodeToString(sum[:16]), Rule: m.Key(), RuleVersion: m.Version, Title: m.Title, Level: m.Level,
			Author: m.Author, Tags: m.Tags, Impact: Impact(m.Tocsin.Impact), Group: g.Values,
			First: fromNano(first.At), Last: fromNano(first.At), Raised: raised,
			FirstSeq: first.Seq, RaisedSeq: seq, LastSeq: first.Seq,
		},
		sources: map[string]int{}, accounts: map[account]int{},
	}
}

func fromNano(n int64) time.Time { return time.Unix(0, n).UTC() }

// add counts a record into the alert.
func (l *live) add(d *Detector, t *sigma.Tocsin, m mark) {
	a, s := &l.Alert, m.Sight
	at := fromNano(m.At)
	if at.Before(a.First) {
		a.First = at
	}
	if at.After(a.Last) {
		a.Last = at
	}
	l.Active, l.Ahead = max(l.lasts(d.newest), min(m.At, d.newest), d.watermark()), 0
	if m.At > d.newest {
		l.Ahead = m.At
	}
	a.LastSeq = max(a.LastSeq, m.Seq)
	with := m.of()
	a.Count += int64(m.N)
	a.Bytes += with.Bytes
	l.Failed = l.Failed || s.Failure
	a.Succeeded = a.Succeeded || s.Success && l.Failed && a.Impact == Attempt
	if t.Source != "none" && s.IP != "" {
		l.addSource(d, Role(t.Source), m)
	}
	if t.Account != "none" && s.Account != "" {
		l.addAccount(Role(t.Account), m)
	}
	a.Sessions = addName(a.Sessions, s.Session, MaxParties)
	a.Logs = addName(a.Logs, s.Log, maxNames)
	a.Hosts = addName(a.Hosts, s.Host, maxNames)
	if with.Raw != "" && len(a.Samples) < MaxSamples {
		a.Samples = append(a.Samples, with.Raw)
	}
}

func (l *live) addSource(d *Detector, role Role, m mark) {
	a, s := &l.Alert, m.Sight
	i, ok := l.sources[s.IP]
	if !ok {
		if len(a.Sources) >= MaxParties {
			a.Dropped++
			return
		}
		i = len(a.Sources)
		l.sources[s.IP] = i
		a.Sources = append(a.Sources, Party{Name: s.IP, Role: role, Own: d.own(s.IP), Shared: d.sharedAt(s.IP, a.First)})
	}
	p := &a.Sources[i]
	p.Count += int64(m.N)
	if p.Country == "" {
		p.Country = s.Country
	}
}

func (l *live) addAccount(role Role, m mark) {
	a, s := &l.Alert, m.Sight
	key := account{s.Account, s.Realm}
	i, ok := l.accounts[key]
	if !ok {
		if len(a.Accounts) >= MaxParties {
			a.Dropped++
			return
		}
		i = len(a.Accounts)
		l.accounts[key] = i
		a.Accounts = append(a.Accounts, Party{Name: s.Account, Role: role, Realm: s.Realm})
	}
	a.Accounts[i].Count += int64(m.N)
}

func addName(list []string, s string, most int) []string {
	if s == "" || s == "." || len(list) >= most || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// due says which change is to be told, if any, and notes it as told.
func (l *live) due() (Step, bool) {
	a, e := &l.Alert, &l.Entry
	var step Step
	switch {
	case e.Count == 0:
		step = Raised
	case a.Succeeded && !e.Succeeded:
		step = Level
	case e.Past && !a.Past:
		step = Joined
	case outgrown(len(a.Sources), e.Sources), outgrown(len(a.Accounts), e.Accounts):
		step = Joined
	case a.Count >= 10*e.Count:
		step = Tenfold
	default:
		return "", false
	}
	*e = entered{Count: max(a.Count, 1), Sources: len(a.Sources), Accounts: len(a.Accounts), Succeeded: a.Succeeded, Past: a.Past}
	return step, true
}

// outgrown reports whether now has reached a power of two that told had not: 2, 4, 8 and so on; the first of all counts too.
func outgrown(now, told int) bool {
	next := 1
	for next <= told {
		next *= 2
	}
	return now >= next
}

// copied returns the alert so that nothing that follows changes it.
func (l *live) copied() Alert {
	a := l.Alert
	a.Tags = slices.Clone(a.Tags)
	a.Group = slices.Clone(a.Group)
	a.Sources = slices.Clone(a.Sources)
	a.Accounts = slices.Clone(a.Accounts)
	a.Sessions = slices.Clone(a.Sessions)
	a.Logs = slices.Clone(a.Logs)
	a.Hosts = slices.Clone(a.Hosts)
	a.Samples = slices.Clone(a.Samples)
	return a
}

// groupKey joins values to one text that no other values give, without regard to case.
func groupKey(values []string) string {
	var b strings.Builder
	for _, v := range values {
		v = sigma.Fold(v)
		b.WriteString(strconv.Itoa(len(v)))
		b.WriteByte(':')
		b.WriteString(v)
	}
	return b.String()
}
