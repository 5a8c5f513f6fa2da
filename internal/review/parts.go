package review

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// A Part is a part of the plan.
type Part struct {
	entry.PlanPart
	Made       time.Time
	Approved   string // the revision that was approved last, "" is none
	Snapshot   string // vault object: the sections of that one
	ApprovedAt time.Time
	ApprovedBy string
	ReadBy     string     // of that one
	Asks       []Ask      // reasons for a review before its time, as they came
	Readings   []*Reading // that are not approved, one for each reader

	retired bool // its playbook was
}

// An Ask is a reason for a review before its time.
type Ask struct {
	Cause string
	Refs  []string
	At    time.Time
	Due   time.Time
	Text  string // vault object
}

// A Reading is what one person read of a part.
type Reading struct {
	Revision, Against string
	Person            string
	Ticked            []string
	All               int
	Begun, Last       time.Time
	Refused           string // who did not approve of it, "" nobody
	Snapshot          string // vault object: what was read
}

// Whole reports whether every section was read.
func (r *Reading) Whole() bool { return len(r.Ticked) == r.All && r.Refused == "" }

// A Content is what a part holds now: its revision (SHA-256 of its bytes, in hex) and the names of its sections.
type Content struct {
	Revision string
	Sections []string
	By       string // staff id of who changed it last, where that is known
}

// Kinds lists the parts of a plan; of playbooks there is one for each, "playbook:ID".
func Kinds() []string {
	return []string{"playbook", "roles", "contacts", "letters", "schedules", "rules", "glossary"}
}

// known reports whether an id names a part.
func known(id string) bool {
	kind, name, of := strings.Cut(id, ":")
	return slices.Contains(Kinds(), kind) && of == (kind == "playbook") && (!of || name != "" && len(name) <= 100)
}

// Part returns the part of an id.
func (b *Book) Part(id string) (*Part, error) {
	p := b.Parts[id]
	if p == nil || p.Gone {
		return nil, fmt.Errorf("the part %q of the plan: %w", id, ErrNotFound)
	}
	return p, nil
}

// PutPart decides who keeps a part right, and how often it is reviewed.
func (b *Book) PutPart(actor string, x entry.PlanPart, staff func(string) bool) (entry.Draft, error) {
	switch {
	case !known(x.ID):
		return entry.Draft{}, wrong("part", "%q is no part of the plan; known: %s (playbook:ID).", x.ID, strings.Join(Kinds(), ", "))
	case b.Parts[x.ID] == nil && len(b.Parts) >= maxParts:
		return entry.Draft{}, wrong("part", "The plan has at most %d parts.", maxParts)
	case !x.Gone && !staff(x.Owner):
		return entry.Draft{}, wrong("owner", "Nobody on the team has the id %q.", x.Owner)
	case x.Days < 0 || x.Days > 730:
		return entry.Draft{}, wrong("days", "A part is reviewed every 1 to 730 days.")
	}
	return draft(actor, entry.PartPut, "part:%s", x.ID, x), nil
}

// Ask decides that parts are reviewed before their time, because a person says so or the architecture changed. Without a time it is AfterReason from now.
func (b *Book) Ask(actor string, x entry.PartAsk, now time.Time) (entry.Draft, error) {
	if x.Due.IsZero() {
		x.Due = now.Add(AfterReason)
	}
	switch {
	case len(x.Parts) == 0 || len(x.Parts) > maxParts:
		return entry.Draft{}, wrong("parts", "Say which parts of the plan are to be reviewed.")
	case x.Cause != ByPerson && x.Cause != ByArchitecture && x.Cause != ByThreat:
		return entry.Draft{}, wrong("cause", "A review is asked for by a person, after a change in the architecture, or after a new threat.")
	case x.Text == "" && len(x.Refs) == 0:
		return entry.Draft{}, wrong("text", "Asking for a review needs a reason.")
	case x.Due.Before(now) || x.Due.Sub(now) > 365*day:
		return entry.Draft{}, wrong("due", "The review is due within a year from now.")
	}
	for n, id := range x.Parts {
		if _, err := b.Part(id); err != nil || slices.Contains(x.Parts[:n], id) {
			return entry.Draft{}, wrong("parts", "%q is no part of the plan, or is named twice.", id)
		}
	}
	x.Due = x.Due.UTC().Round(0)
	return draft(actor, entry.PartAsked, "part:%s", x.Parts[0], x), nil
}

// Read decides that a person read sections of a part as it stands in now; x.Revision and x.Against are what the page showed.
func (b *Book) Read(actor string, x entry.PartReading, now Content) (entry.Draft, error) {
	p, err := b.Part(x.ID)
	if err != nil {
		return entry.Draft{}, err
	}
	switch {
	case x.Person == "":
		return entry.Draft{}, wrong("person", "Say who read it.")
	case x.Revision != now.Revision:
		return entry.Draft{}, wrong("", "%s was changed while you read it: read what has changed, and tick it again.", x.ID)
	case x.Against != p.Approved:
		return entry.Draft{}, wrong("", "Another revision of %s was approved meanwhile: look at the differences from that one.", x.ID)
	case len(now.Sections) == 0 || len(now.Sections) > maxSections:
		return entry.Draft{}, wrong("", "%s has %d sections; 1 to %d can be read.", x.ID, len(now.Sections), maxSections)
	case len(x.Sections) == 0:
		return entry.Draft{}, wrong("sections", "Tick what you have read.")
	}
	for n, s := range x.Sections {
		if !slices.Contains(now.Sections, s) || slices.Contains(x.Sections[:n], s) {
			return entry.Draft{}, wrong("sections", "%q is no section of %s, or is ticked twice.", s, x.ID)
		}
	}
	x.All = len(now.Sections)
	return draft(actor, entry.PartRead, "part:%s", x.ID, x), nil
}

// Approve decides that another person than the reader approves of a part as it stands in now: then it was reviewed. Who changed it last does not approve of
// it either. alone says that there is nobody else on the team who could: then who read all of it may, and the ledger says so.
func (b *Book) Approve(actor, id, person string, now Content, alone bool) (entry.Draft, error) {
	p, err := b.judged(id, person, now.Revision)
	if err != nil {
		return entry.Draft{}, err
	}
	own := p.by(person)
	own = own.whole(now.Revision, p.Approved)
	switch other := p.reading(person, now.Revision); {
	case other == nil && own == nil:
		return entry.Draft{}, wrong("", "Nobody has read all of %s as it stands: each section is ticked first.", id)
	case other == nil && !alone:
		return entry.Draft{}, wrong("person", "%s read %s: another person approves of it.", person, id)
	case person == now.By && !alone:
		return entry.Draft{}, wrong("person", "%s changed %s last: another person approves of it.", person, id)
	default:
		return draft(actor, entry.PartApproved, "part:%s", id, entry.PartVerdict{ID: id, Revision: now.Revision, Person: person, Alone: other == nil}), nil
	}
}

// whole returns a reading if it is one of all of a revision, compared with what is approved, else nil.
func (r *Reading) whole(revision, against string) *Reading {
	if r == nil || r.Revision != revision || r.Against != against || !r.Whole() {
		return nil
	}
	return r
}

// Refuse decides that a part is not right as it was read; text is the vault object with the reason.
func (b *Book) Refuse(actor, id, person, revision, text string) (entry.Draft, error) {
	p, err := b.judged(id, person, revision)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case text == "":
		return entry.Draft{}, wrong("text", "Say what is not right.")
	case p.reading(person, revision) == nil:
		return entry.Draft{}, wrong("", "No other person has read all of %s as it stands.", id)
	}
	return draft(actor, entry.PartRefused, "part:%s", id, entry.PartVerdict{ID: id, Revision: revision, Person: person, Text: text}), nil
}

func (b *Book) judged(id, person, revision string) (*Part, error) {
	p, err := b.Part(id)
	if err == nil && (person == "" || revision == "") {
		err = wrong("person", "Say who approves, and of which revision.")
	}
	return p, err
}

// reading returns a whole reading of a revision by another person, compared with what is approved.
func (p *Part) reading(than, revision string) *Reading {
	for _, r := range p.Readings {
		if r.Person != than && r.whole(revision, p.Approved) != nil {
			return r
		}
	}
	return nil
}

func (p *Part) by(person string) *Reading {
	i := slices.IndexFunc(p.Readings, func(r *Reading) bool { return r.Person == person })
	if i < 0 {
		return nil
	}
	return p.Readings[i]
}

// A Due is a part and when it is to be reviewed.
type Due struct {
	Part  *Part
	At    time.Time
	Cause string // "" is the time alone
	Why   string // a sentence
	Over  bool   // At has come
}

// due says when a part is to be reviewed next.
func (p *Part) due(now time.Time) Due {
	d := Due{Part: p, At: p.Made.Add(FirstReading), Why: "It was never reviewed."}
	if p.Approved != "" {
		days := cmp.Or(p.Days, Quarter)
		d.At, d.Why = p.ApprovedAt.AddDate(0, 0, days), fmt.Sprintf("It is reviewed every %d days, and was last on %s.", days, p.ApprovedAt.Format("2006-01-02"))
	}
	for _, a := range p.Asks {
		if a.Due.Before(d.At) {
			d.At, d.Cause, d.Why = a.Due, a.Cause, a.says()
		}
	}
	d.Over = !now.Before(d.At)
	return d
}

// says is a sentence on why.
func (a Ask) says() string {
	switch a.Cause {
	case ByIncident:
		return "Incident " + listed(a.Refs, 5) + " used it."
	case ByThreat:
		if len(a.Refs) == 0 {
			return "There are new rules, and with them new threats."
		}
		return "There are new threats: rule " + listed(a.Refs, 5) + "."
	case ByArchitecture:
		if len(a.Refs) > 0 {
			return "The architecture changed: " + listed(a.Refs, 5) + "."
		}
		return "The architecture changed."
	}
	return "A person asked for it."
}

// Due lists the parts of the plan, the one that is due first in front.
func (b *Book) Due(now time.Time) (out []Due) {
	for _, id := range slices.Sorted(maps.Keys(b.Parts)) {
		if p := b.Parts[id]; !p.Gone {
			out = append(out, p.due(now))
		}
	}
	slices.SortStableFunc(out, func(x, y Due) int { return x.At.Compare(y.At) })
	return out
}

// Threats decides that rules are there which were not before, by their ids, and which parts of the plan are to be reviewed because of them: the part
// rules, and those that concerns names, as playbooks that are suggested for a rule's techniques. There is nothing to write when ok is false. The rules that
// were there at first are no news.
func (b *Book) Threats(rules []string, concerns func(rule string) []string) (x entry.Draft, ok bool) {
	var fresh []string
	for _, id := range rules {
		if id != "" && len(id) <= 100 && !b.threats[id] {
			fresh = append(fresh, id)
		}
	}
	slices.Sort(fresh)
	fresh = slices.Compact(fresh)
	if len(fresh) == 0 {
		return entry.Draft{}, false
	}
	t := entry.Threats{Rules: fresh[:min(len(fresh), maxThreats)], First: b.threats == nil} // the others come with the next call
	if !t.First {
		for _, id := range t.Rules {
			t.Parts = append(t.Parts, concerns(id)...)
		}
		t.Parts = slices.DeleteFunc(append(t.Parts, "rules"), func(id string) bool { return b.Parts[id] == nil || b.Parts[id].Gone })
		slices.Sort(t.Parts)
		t.Parts = slices.Compact(t.Parts)
	}
	return entry.Draft{Actor: "desk", Kind: entry.ThreatsSeen, Subject: "rules", Body: t}, true
}

// Facts decides that a host is made of something else than before, is new, or is gone (no facts): then the playbooks and the rules are to be reviewed. facts
// are keyed hashes by name, of what the plan depends on and no update changes: the kind of system, shop and web server, not their versions. There
// is nothing to write when ok is false. The first host is no news.
func (b *Book) Facts(host string, facts map[string]string) (x entry.Draft, ok bool) {
	before, seen := b.hosts[host]
	if host == "" || len(facts) > maxFacts || maps.Equal(before, facts) {
		return entry.Draft{}, false
	}
	a := entry.Architecture{Host: host, Facts: facts}
	switch {
	case !seen && len(b.hosts) == 0:
	case !seen || len(facts) == 0:
		a.Changed = []string{"host"}
	default:
		for name, hash := range facts {
			if before[name] != hash {
				a.Changed = append(a.Changed, name)
			}
		}
		for name := range before {
			if _, still := facts[name]; !still {
				a.Changed = append(a.Changed, name)
			}
		}
		slices.Sort(a.Changed)
	}
	return draft("desk", entry.ArchitectureSeen, "agent:%s", host, a), true
}

// ask keeps a reason for a review. One that stands already for the same cause takes further references and keeps its time.
func (p *Part) ask(a Ask) {
	for i := range p.Asks {
		if o := &p.Asks[i]; o.Cause == a.Cause && o.Text == a.Text && len(p.Readings) == 0 {
			for _, r := range a.Refs {
				if !slices.Contains(o.Refs, r) && len(o.Refs) < maxAsks {
					o.Refs = append(o.Refs, r)
				}
			}
			if a.Due.Before(o.Due) {
				o.Due = a.Due
			}
			return
		}
	}
	if len(p.Asks) < maxAsks {
		a.Refs = slices.Clone(a.Refs[:min(len(a.Refs), maxAsks)])
		p.Asks = append(p.Asks, a)
	}
}

// read folds a reading. Of another revision, or against another one, it begins anew.
func (p *Part) read(x entry.PartReading, at time.Time) {
	r := p.by(x.Person)
	if r == nil {
		r = &Reading{}
		p.Readings = append(p.Readings, r)
	}
	if r.Revision != x.Revision || r.Against != x.Against || r.Refused != "" {
		*r = Reading{Revision: x.Revision, Against: x.Against, Person: x.Person, Begun: at}
	}
	for _, s := range x.Sections {
		if !slices.Contains(r.Ticked, s) {
			r.Ticked = append(r.Ticked, s)
		}
	}
	r.All, r.Last, r.Snapshot = x.All, at, x.Vault
}

// judge folds a verdict.
func (p *Part) judge(k entry.Kind, x entry.PartVerdict, at time.Time) {
	r := p.reading(x.Person, x.Revision)
	if r == nil && x.Alone {
		r = p.by(x.Person).whole(x.Revision, p.Approved)
	}
	if k == entry.PartRefused {
		for _, r := range p.Readings {
			if r.Revision == x.Revision && r.Person != x.Person {
				r.Refused = x.Person
			}
		}
		return
	}
	p.Approved, p.ApprovedAt, p.ApprovedBy, p.Readings = x.Revision, at, x.Person, nil
	if r == nil {
		return
	}
	p.ReadBy, p.Snapshot = r.Person, r.Snapshot
	p.Asks = slices.DeleteFunc(p.Asks, func(a Ask) bool { return !a.At.After(r.Begun) })
}

// used are the parts of the plan that an incident used, and those incidents that are part of it: they end with it.
func (b *Book) used(id int64) (out []string) {
	all := []int64{id}
	for k := 0; k < len(all) && k <= len(b.cases); k++ {
		c := b.cases[all[k]]
		if c == nil || c.sample && k > 0 {
			continue
		}
		all = append(all, c.merged...)
		for _, part := range c.used {
			if !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

// closed folds what an incident asks of the parts that it used.
func (b *Book) closed(id int64, c *past) {
	if !c.real() {
		return
	}
	for _, part := range b.used(id) {
		if p := b.Parts[part]; p != nil && (c.counts() || strings.HasPrefix(part, "playbook:")) {
			p.ask(Ask{Cause: ByIncident, Refs: []string{strconv.FormatInt(id, 10)}, At: c.closed, Due: c.closed.Add(AfterReason)})
		}
	}
}
