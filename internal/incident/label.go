package incident

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/entry"
	"tocsin/internal/tlp"
)

// SetLabel decides to whom an incident, or one thing in it, may be told. x.What is "" for the incident, or note:N (a line of the timeline, by entry), attachment:N,
// decision:N, question:N, task:N, handover:N, statement, status (what is written for stakeholders), cause, lessons, affected. A label that lets more people hear it than before needs a reason; "" takes the
// thing's own away.
func (b *Book) SetLabel(actor string, x entry.Label) (entry.Draft, error) {
	i, err := b.Get(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	if err := i.labels(x.What); err != nil {
		return entry.Draft{}, err
	}
	if x.Label != "" {
		l, err := tlp.Parse(x.Label)
		if err != nil {
			return entry.Draft{}, err
		}
		x.Label = string(l)
	}
	own, _ := i.label(x.What)
	if own == tlp.Label(x.Label) {
		return entry.Draft{}, fmt.Errorf("it has the label %q already", x.Label)
	}
	was, after := b.labelling(i, x.What, tlp.Label(x.Label))
	if tlp.Narrowest(was, after) != after && x.Text == "" {
		return entry.Draft{}, fmt.Errorf("from %s to %s more people may hear it: say why", was, after)
	}
	return draft(actor, entry.IncidentLabelled, x.Incident, x), nil
}

// labelling returns the label that holds for a thing, and the one that would hold after it was given another.
func (b *Book) labelling(i *Incident, what string, label tlp.Label) (was, after tlp.Label) {
	was, after = b.Label(i.ID, what), tlp.Of(label, "", tlp.Usual(nounOf(what)))
	if what != "" && what != "status" && label == "" {
		after = b.whole(i)
	}
	return was, after
}

// LiftsRed reports whether a label, "" for taking the thing's own away, would let others than the people who are named hear what is TLP:RED now. Of what is no label, and
// of what the book does not know, it is false: SetLabel refuses these.
func (b *Book) LiftsRed(id int64, what, label string) bool {
	i, err := b.Get(id)
	if err != nil || i.labels(what) != nil {
		return false
	}
	l := tlp.Label("")
	if label != "" {
		if l, err = tlp.Parse(label); err != nil {
			return false
		}
	}
	was, after := b.labelling(i, what, l)
	return was == tlp.Red && after != tlp.Red
}

// thing is the name of a numbered part, as labels know it.
func thing(noun string, id int64) string { return noun + ":" + strconv.FormatInt(id, 10) }

func nounOfKind(k entry.Kind) string {
	noun, _, _ := strings.Cut(string(k), ".")
	return noun
}

func nounOf(what string) string {
	noun, _, _ := strings.Cut(what, ":")
	return noun
}

// labels checks that an incident has what is to be labelled.
func (i *Incident) labels(what string) error {
	noun, number, of := strings.Cut(what, ":")
	c := i.Command()
	counts := map[string]int{"attachment": len(c.Files), "decision": len(c.Decisions), "question": len(c.Questions), "task": len(c.Tasks), "handover": len(c.Handovers)}
	has := false
	switch noun {
	case "", "statement", "cause", "lessons", "status", "affected":
		has = !of
	case "note":
		n, err := strconv.ParseInt(number, 10, 64)
		has = err == nil && strconv.FormatInt(n, 10) == number && i.line(n) != nil
	default:
		most, known := counts[noun]
		if !known {
			return errors.New("a label is of the incident, or of note:N, attachment:N, decision:N, question:N, task:N, handover:N, statement, status, cause, lessons, affected; got " + quoted(what))
		}
		n, err := strconv.ParseInt(number, 10, 64)
		has = err == nil && strconv.FormatInt(n, 10) == number && n >= 1 && n <= int64(most)
	}
	if !has {
		return fmt.Errorf("incident %d has no %s", i.ID, quoted(what))
	}
	return nil
}

// label returns the label that a thing was given itself, and by which entry.
func (i *Incident) label(what string) (tlp.Label, int64) {
	c := i.Command()
	for _, l := range slices.Backward(c.Labels) {
		if l.What.What == what {
			return tlp.Label(l.What.Label), l.N
		}
	}
	if number, ok := strings.CutPrefix(what, "attachment:"); ok {
		if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= len(c.Files) {
			return tlp.Label(c.Files[n-1].Label), c.Files[n-1].Added.N
		}
	}
	return "", 0
}

// whole is the label of an incident: its own or, while it is one with others, the narrowest of theirs. One that is restricted to named people is RED unless
// somebody says otherwise, because that is what RED means.
func (b *Book) whole(i *Incident) tlp.Label { return tlp.Of(b.given(i), "", tlp.Usual("")) }

// given is the label of an incident without what is usual: "" when nobody said anything.
func (b *Book) given(i *Incident) tlp.Label {
	var all []tlp.Label
	for _, m := range b.family(i.ID) {
		l, _ := m.label("")
		if l == "" && m.Restricted() {
			l = tlp.Red
		}
		all = append(all, l)
	}
	return tlp.Narrowest(all...)
}

// Label returns the label that holds for an incident, or for a thing in it: every exit asks tlp.MayLeave with it. A thing's own label holds when it is narrower than the
// incident's, or younger: so an incident that becomes RED takes all with it that was labelled before, and what is
// released from it on purpose later goes. A line of the timeline that tells of a thing is no wider than the thing. What is written for stakeholders ("status") is GREEN
// unless somebody labelled the incident or it. Of what the book does not know it is RED.
func (b *Book) Label(id int64, what string) tlp.Label {
	i, err := b.Get(id)
	if err != nil || i.labels(what) != nil {
		return tlp.Red
	}
	l := b.labelOf(i, what)
	if number, ok := strings.CutPrefix(what, "note:"); ok {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			m := i.line(n)
			if of := i.about(m); of != "" && i.labels(of) == nil {
				l = tlp.Narrowest(l, b.Label(id, of))
			}
			for _, side := range m.sides() { // the same line stands in both
				if j, err := b.Get(side); err == nil && j.line(n) != nil {
					l = tlp.Narrowest(l, b.labelOf(j, what))
				}
			}
		}
	}
	return l
}

func (b *Book) labelOf(i *Incident, what string) tlp.Label {
	whole := b.whole(i)
	if what == "status" {
		whole = tlp.Of(b.given(i), "", tlp.Usual(what))
	}
	own, n := i.label(what)
	if what == "" || own == "" {
		return whole
	}
	since := int64(0)
	for _, m := range b.family(i.ID) {
		_, at := m.label("")
		since = max(since, at)
	}
	if n > since || tlp.Narrowest(own, whole) == own {
		return own
	}
	return whole
}
