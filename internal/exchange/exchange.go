// Package exchange writes an incident in the two forms in which other teams and their programs take one: STIX 2.1 (OASIS), what was seen and how one
// recognises it, and VERIS 1.3.7 (verisframework.org), what happened in words that can be counted. doc/formats/exchange.md has the tables. Nothing is read back.
//
//	Case -> cut: what the label of the readers lets out, clean, within bounds -> STIX -> bundle
//	                                                                          -> VERIS -> object
//
// Both are deterministic: the same case for the same readers gives the same bytes, and the ids of its objects are UUIDs of version 5 (RFC 9562), so that an
// export that is taken in twice is one. What is TLP:RED is in none. Victims are never named: their addresses and accounts are left out of STIX, and
// counted in VERIS.
package exchange

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Case is an incident as it is exported. The desk makes it. Labels are those of TLP 2.0: CLEAR, GREEN, AMBER, AMBER+STRICT, RED, with or without "TLP:"; ""
// is that of the incident, whose own "" is AMBER+STRICT.
type Case struct {
	ID           int64
	Origin       string // the console's address: ids are made of it
	Organisation string // whose incident it is
	Label        string
	Title        string
	Summary      Text
	Kind         string // the playbook's id: skimmer, ransomware; "" is not known
	Cause        Text   // class of the root cause: own-code, third-party, credentials, configuration, supplier, person; "" is not known
	Severity     string // low, medium, high, critical
	Verdict      string // true, false; "" is not known yet

	Happened  time.Time // when the first thing in it was
	Opened    time.Time
	Contained time.Time
	Recovered time.Time
	Closed    time.Time // zero while it is open
	Changed   time.Time // of its newest entry

	Values     []Value
	Alerts     []Alert
	Acts       []Act
	Techniques []Technique

	ToldBy    string // rule, employee, customer, researcher, supplier, authority; "" is not known
	Customers bool   // they are affected, or their data
	People    int64  // whose data went out, 0 is not known
	Insider   bool   // one of the staff did it
	Partner   bool   // a supplier did it, or came in by one
	Drill     bool
	Countries []string // of the attackers' addresses, ISO 3166-1

	Industry  string   // of the shop, NAICS
	Employees int      // 0 is not known
	Home      []string // its countries, ISO 3166-1
}

// A Text is free text with a label of its own.
type Text struct{ Text, Label string }

// A Value is something that the attacker left.
type Value struct {
	Kind        string // address, account, hash, path (a file), request (what was asked of the shop, without the query), agent (a user agent), domain, url
	Text        string
	Victim      bool
	Label       string
	First, Last time.Time
}

// An Alert is records that matched a rule.
type Alert struct {
	ID          string
	Title       string
	First, Last time.Time
	Count       int64
	Techniques  []string // of ATT&CK, as rules name them: attack.t1190
	Values      []int    // places in Case.Values
	Label       string
}

// An Act is something that was done against it.
type Act struct {
	ID, Name string
	At       time.Time
	Values   []int
	Label    string
}

// A Technique is one of ATT&CK, with its name if that is known.
type Technique struct{ ID, Name string }

// A Result is an export and what is not in it.
type Result struct {
	Data    []byte // UTF-8 JSON with a line end
	Label   string // of the whole, "TLP:GREEN"
	Objects int
	Hidden  int // parts that the label of the readers does not let out
	Victims int // values that are a victim's
	Wrong   int // values that are none of their kind
	More    int // parts beyond the bounds
}

// Bounds of an export.
const (
	maxValues  = 10_000
	maxAlerts  = 2_000
	maxActs    = 2_000
	maxOfAlert = 500    // values of an alert or an act
	maxRefs    = 50_000 // values of all alerts
	maxLinks   = 50_000 // relationships
	maxName    = 200    // signs
	maxText    = 8000   // signs
	maxValue   = 2000   // bytes
	defaultTLP = "AMBER+STRICT"
)

// Labels lists them, from the widest to the narrowest.
func Labels() []string { return []string{"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"} }

// rank orders labels. One that nobody knows is as narrow as RED.
func rank(label string) int {
	i := slices.Index(Labels(), strings.TrimPrefix(label, "TLP:"))
	if i < 0 {
		return len(Labels()) - 1
	}
	return i
}

// A Refusal says that an incident does not leave.
type Refusal struct{ Says string }

func (r Refusal) Error() string { return r.Says }

// cut returns the case as readers of a label may have it: with the label of each part resolved, without what is narrower, clean and within bounds. Places in Values are those of the result.
func cut(c Case, readers string) (Case, Result, error) {
	var r Result
	if !slices.Contains(Labels(), strings.TrimPrefix(readers, "TLP:")) {
		return c, r, Refusal{fmt.Sprintf("%q is no label of TLP 2.0; known: %s", short(readers), strings.Join(Labels(), ", "))}
	}
	if c.Label == "" {
		c.Label = defaultTLP
	}
	most := rank(readers)
	if red := len(Labels()) - 1; most == red || rank(c.Label) == red {
		return c, r, Refusal{"What is TLP:RED leaves by no export: it is for the people who were in the room."}
	}
	if rank(c.Label) > most {
		return c, r, Refusal{fmt.Sprintf("Incident %d is TLP:%s, and these readers are to have at most TLP:%s.", c.ID, Labels()[rank(c.Label)], Labels()[most])}
	}
	out := func(label *string) bool {
		if *label == "" {
			*label = c.Label
		}
		*label = narrow(*label, c.Label) // a part is never wider than the whole
		if rank(*label) > most {
			r.Hidden++
			return true
		}
		r.Label = narrow(r.Label, *label)
		return false
	}
	c.Label = Labels()[rank(c.Label)]
	r.Label = c.Label
	c.Title, c.Organisation, c.Origin = clean(c.Title, maxName), clean(c.Organisation, maxName), clean(c.Origin, maxName)
	if c.Summary.Text == "" || out(&c.Summary.Label) {
		c.Summary = Text{}
	}
	c.Summary.Text = clean(c.Summary.Text, maxText)
	if c.Cause.Text == "" || out(&c.Cause.Label) {
		c.Cause = Text{}
	}

	place := r.values(&c, out)
	moved := func(list []int) (to []int) {
		for _, i := range list[:min(len(list), maxOfAlert)] {
			if i >= 0 && i < len(place) && place[i] >= 0 {
				to = append(to, place[i])
			}
		}
		r.More += max(0, len(list)-maxOfAlert)
		slices.Sort(to)
		return slices.Compact(to)
	}
	alerts := c.Alerts
	c.Alerts = nil
	for _, a := range alerts {
		if out(&a.Label) {
			continue
		}
		if len(c.Alerts) == maxAlerts {
			r.More++
			continue
		}
		a.Title, a.Values, a.Techniques = clean(a.Title, maxName), moved(a.Values), techniques(a.Techniques)
		c.Alerts = append(c.Alerts, a)
	}
	acts := c.Acts
	c.Acts = nil
	for _, a := range acts {
		if out(&a.Label) {
			continue
		}
		if len(c.Acts) == maxActs {
			r.More++
			continue
		}
		a.Name, a.Values = clean(a.Name, maxName), moved(a.Values)
		c.Acts = append(c.Acts, a)
	}
	r.Label = "TLP:" + r.Label
	return c, r, nil
}

// narrow returns the narrower of two labels.
func narrow(a, b string) string { return Labels()[max(rank(a), rank(b))] }

// values takes those that may leave, each once: of one that is there twice the narrower label counts, and a victim's is nobody else's. It returns where each
// went, -1 of those that are left out.
func (r *Result) values(c *Case, out func(*string) bool) (place []int) {
	place = make([]int, len(c.Values))
	first := map[string]int{} // place in all
	var all []Value
	for i, v := range c.Values {
		place[i] = -1
		if !v.right() {
			r.Wrong++
			continue
		}
		if v.Label == "" {
			v.Label = c.Label
		}
		key := v.Kind + " " + v.Text
		n, ok := first[key]
		if !ok {
			n = len(all)
			first[key], all = n, append(all, v)
		}
		o := &all[n]
		o.Victim, o.Label = o.Victim || v.Victim, narrow(o.Label, v.Label)
		if !v.First.IsZero() && (o.First.IsZero() || v.First.Before(o.First)) {
			o.First = v.First
		}
		place[i] = n
	}
	c.Values = nil
	to := make([]int, len(all))
	for n, v := range all {
		to[n] = -1
		switch {
		case v.Victim:
			r.Victims++
		case out(&v.Label):
		case len(c.Values) == maxValues:
			r.More++
		default:
			to[n] = len(c.Values)
			c.Values = append(c.Values, v)
		}
	}
	for i, n := range place {
		if n >= 0 {
			place[i] = to[n]
		}
	}
	return place
}

// techniques are ids of ATT&CK, as they are written outside of rules: T1059.007.
func techniques(of []string) (out []string) {
	for _, t := range of {
		if id := techniqueID(t); id != "" && !slices.Contains(out, id) && len(out) < 20 {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func techniqueID(s string) string {
	id := strings.ToUpper(strings.TrimPrefix(strings.ToLower(s), "attack."))
	digits, sub, of := strings.Cut(strings.TrimPrefix(id, "T"), ".")
	number := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }
	if !strings.HasPrefix(id, "T") || !number(digits, 4) || of && !number(sub, 3) {
		return ""
	}
	return id
}

// clean makes a text that shows what it says: valid UTF-8, no control signs but line ends, nothing that turns or hides text, at most so many signs.
func clean(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if r == '\t' || r == '\r' {
			r = ' '
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\n' {
			continue
		}
		if n++; n > most {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

func short(s string) string { return clean(s, 40) }
