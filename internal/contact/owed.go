package contact

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Stages of an update.
const (
	Opened = "opened" // the first word
	Again  = "again"  // while it is open
	Closed = "closed" // the last word
)

// Limits of sending one update again.
const (
	maxAgains  = 8
	firstAgain = 10 * time.Second // doubles with each failure, up to lastAgain
	lastAgain  = 10 * time.Minute
	maxRules   = 200
)

// A Rule says who must hear of what by when.
type Rule struct {
	entry.StakeholderRule
	Made time.Time // first; incidents that were open then count from then
	Put  time.Time
	By   string
}

// An Update is one message to one contact, or one talk with it.
type Update struct {
	entry.UpdateTry
	Wanted time.Time
	By     string
	Done   time.Time // zero: not known to be sent or failed
	Failed bool
	Result entry.UpdateResult

	repeated bool
	before   told // what was known before it was sent
}

// A Due is one thing that one contact must hear.
type Due struct {
	Incident int64
	Rule     *Rule
	Contact  *Contact
	Stage    string
	At       time.Time // by when
	Overdue  bool
	Latest   *Update // the newest try by this rule, nil is none; it is under way when it is not done
	Waiting  bool    // a try is under way, or will be repeated by itself
	Failed   bool    // the newest try of this stage failed for good: a person has to look
}

// Auto reports whether the program itself is to send it now.
func (d Due) Auto() bool {
	return d.Rule.Auto && d.Overdue && !d.Waiting && !d.Failed && slices.Contains(d.Contact.Ways, Mail)
}

// severities from the least to the worst.
func severities() []string { return []string{"low", "medium", "high", "critical"} }

// Impacts are the kinds of incidents that a rule may name: what was tried, what worked, what was lost.
func Impacts() []string { return []string{"attempt", "compromise", "loss"} }

// PutRule decides that stakeholders are told by a rule from now on. ID 0 is a new one.
func (b *Book) PutRule(actor string, x entry.StakeholderRule) (entry.Draft, error) {
	if x.ID == 0 {
		x.ID = int64(len(b.Rules)) + 1
	} else if x.ID < 1 || x.ID > int64(len(b.Rules)) || b.Rules[x.ID-1].Gone {
		return entry.Draft{}, fmt.Errorf("rule %d: %w", x.ID, ErrNotFound)
	}
	if x.Gone {
		return entry.Draft{Actor: actor, Kind: entry.RulePut, Subject: fmt.Sprintf("rule:%d", x.ID), Body: x}, nil
	}
	wrong := func(field, says string, args ...any) (entry.Draft, error) {
		return entry.Draft{}, Problem{field, fmt.Sprintf(says, args...)}
	}
	switch {
	case x.ID > maxRules:
		return wrong("", "There are at most %d rules for stakeholders.", maxRules)
	case (x.Group == "") == (x.Contact == 0):
		return wrong("whom", "A rule names a group or one contact.")
	case x.Group != "" && !slices.Contains(Groups(), x.Group):
		return wrong("whom", "Unknown group %q; known: %s.", x.Group, strings.Join(Groups(), ", "))
	case !slices.Contains(severities(), x.Least):
		return wrong("least", "Unknown severity %q; known: %s.", x.Least, strings.Join(severities(), ", "))
	case x.Within < time.Minute || x.Within > 30*24*time.Hour:
		return wrong("within", "The first word comes within 1 minute to 30 days.")
	case x.Every != 0 && (x.Every < 15*time.Minute || x.Every > 30*24*time.Hour):
		return wrong("every", "Further words come every 15 minutes to 30 days, or not at all.")
	}
	for _, i := range x.Impacts {
		if !slices.Contains(Impacts(), i) {
			return wrong("impacts", "Unknown kind %q; known: %s.", i, strings.Join(Impacts(), ", "))
		}
	}
	if x.Contact != 0 {
		if _, err := b.Get(x.Contact); err != nil {
			return wrong("whom", "Contact %d is not on the list.", x.Contact)
		}
	}
	if _, err := b.TemplateOf(x.Template); err != nil {
		return wrong("template", "Choose the text that is sent.")
	}
	return entry.Draft{Actor: actor, Kind: entry.RulePut, Subject: fmt.Sprintf("rule:%d", x.ID), Body: x}, nil
}

// covers reports whether an incident was of the rule's kind at a step.
func (r *Rule) covers(s step) bool {
	rank := slices.Index(severities(), s.severity)
	if rank < slices.Index(severities(), r.Least) {
		return false
	}
	return len(r.Impacts) == 0 || slices.ContainsFunc(s.impacts, func(i string) bool { return slices.Contains(r.Impacts, i) })
}

// since says from when on the rule has covered the incident without a break, until now.
func (r *Rule) since(n *need) (at time.Time, ok bool) {
	for _, s := range n.worse {
		switch {
		case !r.covers(s):
			ok = false
		case !ok:
			at, ok = s.at, true
		}
	}
	if ok && at.Before(r.Made) {
		at = r.Made
	}
	return at, ok
}

// whom returns the contacts that a rule names now.
func (b *Book) whom(r *Rule) (out []*Contact) {
	for _, c := range b.Contacts {
		if c.Removed.IsZero() && (r.Contact == c.ID || r.Contact == 0 && r.Group == c.Group) {
			out = append(out, c)
		}
	}
	return out
}

// Owed says what must be told, and by when, the most urgent first, with what is due only later. A contact that two rules name hears by both: they have texts of
// their own. incident 0 is every one.
func (b *Book) Owed(incident int64, now time.Time) (out []Due) {
	if !slices.ContainsFunc(b.Rules, func(r *Rule) bool { return !r.Gone }) {
		return nil
	}
	needs, whom := b.every, b.whoms()
	if incident != 0 {
		needs = nil
		if n := b.needs[incident]; n != nil {
			needs = []*need{n}
		}
	}
	for _, n := range needs {
		if n.quiet == b.planned {
			continue
		}
		b.dues(n, whom, now, func(d Due) bool {
			out = append(out, d)
			return true
		})
	}
	slices.SortFunc(out, func(a, c Due) int {
		return cmp.Or(a.At.Compare(c.At), cmp.Compare(a.Incident, c.Incident), cmp.Compare(a.Rule.ID, c.Rule.ID), cmp.Compare(a.Contact.ID, c.Contact.ID))
	})
	return out
}

// whoms lists for each rule whom it names now.
func (b *Book) whoms() [][]*Contact {
	whom := make([][]*Contact, len(b.Rules))
	for k, r := range b.Rules {
		if !r.Gone {
			whom[k] = b.whom(r)
		}
	}
	return whom
}

// dues walks what is owed of one incident, until take says that this is enough. It returns how many pairs it looked at.
func (b *Book) dues(n *need, whom [][]*Contact, now time.Time, take func(Due) bool) (looked int) {
	if n.rests() {
		return 0
	}
	for k, r := range b.Rules {
		if r.Gone || n.over(r) || n.done(r) {
			continue
		}
		for _, c := range whom[k] {
			looked++
			if d, ok := b.due(n, r, c, now); ok && !take(d) {
				return looked
			}
		}
	}
	return looked
}

// Limits of one step of settle.
const (
	settleNeeds = 32  // incidents that it visits
	settlePairs = 256 // pairs of a rule and a contact after which it stops; the incident at hand is looked at to its end
)

// settle notes of a few incidents that nothing is owed of them, so that Owed, which runs while others read, passes them by: whether something is owed depends on what
// was folded, only its time on the clock. Each entry carries the round on, and what changes begins it anew.
func (b *Book) settle(now time.Time) {
	if b.unsettled == 0 || len(b.Rules) == 0 {
		return
	}
	if b.named == nil {
		b.named = b.whoms()
	}
	for pairs, visited := 0, 0; b.unsettled > 0 && visited < settleNeeds && pairs < settlePairs; visited++ {
		b.unsettled--
		b.cursor = (b.cursor + 1) % len(b.every)
		n := b.every[b.cursor]
		if n.quiet == b.planned {
			continue
		}
		owes := false
		pairs += b.dues(n, b.named, now, func(Due) bool {
			owes = true
			return false
		})
		if !owes {
			n.quiet = b.planned
		}
	}
}

// replan begins the round of settle anew because rules or contacts have changed: of every incident something may be owed.
func (b *Book) replan() {
	b.planned++
	b.named, b.unsettled = nil, len(b.every)
}

// rests reports whether nobody can be owed anything of an incident, whatever the rules are: most incidents of a shop's years are such.
func (n *need) rests() bool {
	return n.history || n.part || n.opened.IsZero() || !n.closed.IsZero() && n.verdict != "true" && len(n.pairs) == 0
}

// done reports whether a rule owes nobody anything more of a closed incident: it wants no last word, and does not cover what was never told.
func (n *need) done(r *Rule) bool {
	if n.closed.IsZero() || r.Close {
		return false
	}
	_, covered := r.since(n)
	return !covered || n.verdict != "true"
}

// over reports whether an incident was closed before the rule was made.
func (n *need) over(r *Rule) bool { return !n.closed.IsZero() && n.closed.Before(r.Made) }

// due says what one contact must hear next by one rule.
func (b *Book) due(n *need, r *Rule, c *Contact, now time.Time) (Due, bool) {
	since, covered := r.since(n)
	t := n.pairs[pair{r.ID, c.ID}]
	if t == nil {
		t = &told{}
	}
	d := Due{Incident: n.id, Rule: r, Contact: c}
	shut := !n.closed.IsZero()
	switch {
	case t.count == 0 && (!covered || shut && n.verdict != "true"):
		return d, false // nobody heard of it, and it was nothing
	case t.count == 0:
		d.Stage, d.At = Opened, since.Add(r.Within)
		if shut && r.Close {
			d.Stage = Closed // the first word is the last one, too
		}
	case shut && (!r.Close || t.stage == Closed && !t.last.Before(n.closed)):
		return d, false
	case shut:
		d.Stage, d.At = Closed, n.closed.Add(r.Within)
	case r.Every == 0:
		return d, false
	default:
		d.Stage, d.At = Again, t.last.Add(r.Every)
	}
	d.Overdue = !now.Before(d.At) || t.last.After(now.Add(time.Minute)) // a clock that was set back holds nothing up
	if t.latest != 0 {
		d.Latest = b.Updates[t.latest-1]
		_, again := b.againAt(d.Latest)
		d.Waiting = d.Latest.Done.IsZero() || again
		d.Failed = d.Latest.Failed && !again && d.Latest.Stage == d.Stage && d.Latest.Wanted.After(t.last)
	}
	return d, true
}

// ErrNotOwed says that an update is not owed, or not any more.
var ErrNotOwed = errors.New("this update is not owed any more: somebody was faster, or the incident has changed")

// find returns what is owed to a contact by a rule.
func (b *Book) find(incident, rule, contact int64, now time.Time) (Due, error) {
	for _, d := range b.Owed(incident, now) {
		if d.Rule.ID == rule && d.Contact.ID == contact {
			return d, nil
		}
	}
	return Due{}, ErrNotOwed
}

// Find returns what is owed to a contact of an incident by a rule, due or not.
func (b *Book) Find(incident, rule, contact int64, now time.Time) (Due, error) {
	return b.find(incident, rule, contact, now)
}

// Want decides to tell a contact: of x it needs Incident, Rule, Contact, Stage, Way, and of a mail Template, Text and Hash.
func (b *Book) Want(actor string, x entry.UpdateTry, now time.Time) (entry.Draft, error) {
	d, err := b.find(x.Incident, x.Rule, x.Contact, now)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case d.Stage != x.Stage:
		return entry.Draft{}, ErrNotOwed
	case d.Waiting:
		return entry.Draft{}, errors.New("an update to this contact is under way: wait for its result")
	case x.Way == Mail && (x.Text == "" || !slices.Contains(d.Contact.Ways, Mail)):
		return entry.Draft{}, errors.New("this contact has no mail address: tell it in another way, and say so here")
	case !slices.Contains(Kinds(), x.Way):
		return entry.Draft{}, fmt.Errorf("unknown way %q; known: %s", x.Way, strings.Join(Kinds(), ", "))
	}
	x.ID = int64(len(b.Updates)) + 1
	x.Message, x.Again, x.Twice = "", 0, false
	if x.Way == Mail {
		x.Message = fmt.Sprintf("update-%d", x.ID)
	}
	return updateDraft(actor, entry.UpdateWanted, x.Incident, x), nil
}

// Told decides that a person told a contact themselves, by phone or in another way: two entries, of which x is the first.
func (b *Book) Told(actor string, x entry.UpdateTry, now time.Time) ([]entry.Draft, error) {
	want, err := b.Want(actor, x, now)
	if err != nil {
		return nil, err
	}
	if x.Way == Mail {
		return nil, errors.New("a mail is sent from here; say by which other way you told it")
	}
	id := int64(len(b.Updates)) + 1
	return []entry.Draft{want, updateDraft(actor, entry.UpdateSent, x.Incident, entry.UpdateResult{ID: id})}, nil
}

// Waive decides that a contact need not be told this time; x.Text is the vault object with the reason.
func (b *Book) Waive(actor string, x entry.UpdateWaiver, now time.Time) (entry.Draft, error) {
	d, err := b.find(x.Incident, x.Rule, x.Contact, now)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case d.Stage != x.Stage:
		return entry.Draft{}, ErrNotOwed
	case d.Latest != nil && d.Latest.Done.IsZero():
		return entry.Draft{}, errors.New("an update to this contact is under way: wait for its result")
	case x.Text == "":
		return entry.Draft{}, Problem{"reason", "Not telling a stakeholder needs a reason."}
	}
	return updateDraft(actor, entry.UpdateWaived, x.Incident, x), nil
}

func updateDraft(actor string, k entry.Kind, incident int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf("incident:%d", incident), Body: body}
}

// againAt says when a failed mail is worth another try.
func (b *Book) againAt(u *Update) (time.Time, bool) {
	if !u.Failed || !u.Result.Temporary || u.repeated || u.Way != Mail {
		return time.Time{}, false
	}
	before := 0
	for o := u; o.Again != 0 && before <= maxAgains; o = b.Updates[o.Again-1] {
		before++
	}
	if before >= maxAgains {
		return time.Time{}, false
	}
	wait := lastAgain
	if before < 6 {
		wait = min(firstAgain<<before, lastAgain)
	}
	return u.Done.Add(max(wait, u.Result.After)), true
}

// Sends says which wanted mails must be sent now, which failed ones must be wanted again, and when to look again if nothing changes before (zero: not by
// time alone).
func (b *Book) Sends(now time.Time) (drafts []entry.Draft, sends []*Update, again time.Time) {
	next := int64(len(b.Updates))
	for _, u := range b.Updates {
		if u.Done.IsZero() {
			sends = append(sends, u)
			continue
		}
		at, ok := b.againAt(u)
		switch {
		case !ok:
		case now.Before(at) && !u.Done.After(now.Add(time.Minute)):
			if again.IsZero() || at.Before(again) {
				again = at
			}
		default:
			next++
			x := u.UpdateTry
			x.ID, x.Again, x.Twice = next, u.ID, u.Twice || u.Result.Uncertain
			drafts = append(drafts, updateDraft("desk", entry.UpdateWanted, x.Incident, x))
		}
	}
	return drafts, sends, again
}

// Next returns when the first update becomes due that is not yet, zero when there is none.
func Next(owed []Due) time.Time {
	for _, d := range owed {
		if !d.Overdue {
			return d.At
		}
	}
	return time.Time{}
}
