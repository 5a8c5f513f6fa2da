package incident

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// How many options a decision has. One is none, and more than six nobody weighs at three in the morning.
const (
	optionsAtLeast = 2
	optionsAtMost  = 6
)

// A Decision is a question with options, and what was decided.
type Decision struct {
	entry.Decision
	N     int64 // the entry that changed it last: what a person looks at when they decide
	Asked Written[struct{}]
	Made  *Written[entry.Choice] // nil while it is open
	Gone  *Written[entry.Reply]  // withdrawn
	Later int64                  // the decision that took its place, 0 of none
}

// Open reports whether somebody must decide it.
func (d *Decision) Open() bool { return d.Made == nil && d.Gone == nil }

// Stands reports whether what was decided holds.
func (d *Decision) Stands() bool { return d.Made != nil && d.Later == 0 }

// overtaken refuses what comes too late.
func (d *Decision) overtaken() error {
	o := &Overtaken{N: d.N, Then: "look at it; if another choice is right, ask anew and let that decision take its place"}
	switch {
	case d.Gone != nil:
		o.What, o.By, o.At, o.Text = "withdrawn", d.Gone.By, d.Gone.At, d.Gone.What.Text
	case d.Made != nil:
		o.What, o.By, o.At, o.Text = fmt.Sprintf("decided (option %d)", d.Made.What.Option), d.Made.By, d.Made.At, d.Made.What.Text
	default:
		o.What, o.By, o.At, o.Text = "asked", d.Asked.By, d.Asked.At, d.Text
	}
	o.What = fmt.Sprintf("decision %d of incident %d was %s", d.ID, d.Incident, o.What)
	return o
}

// AskDecision decides that something must be decided: x has the question and its options, and Replaces, if it is to take the place of one that was made.
// Its number is set here.
func (b *Book) AskDecision(actor string, x entry.Decision) (entry.Draft, error) {
	find := b.open
	if x.Replaces != 0 {
		find = b.settling // a new choice stands beside the old one
	}
	i, err := find(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	all := i.Command().Decisions
	switch n := len(x.Options); {
	case x.Text == "":
		return entry.Draft{}, errors.New("say what is to be decided")
	case n < optionsAtLeast || n > optionsAtMost:
		return entry.Draft{}, fmt.Errorf("a decision has %d to %d options; got %d", optionsAtLeast, optionsAtMost, n)
	case slices.Contains(x.Options, ""):
		return entry.Draft{}, errors.New("one of the options is empty: say what it is, or leave it away")
	case len(slices.Compact(slices.Sorted(slices.Values(x.Options)))) != n:
		return entry.Draft{}, errors.New("two of the options are the same")
	}
	if err := replaceable(all, x); err != nil {
		return entry.Draft{}, err
	}
	x.ID = int64(len(all)) + 1
	return draft(actor, entry.DecisionAsked, x.Incident, x), room(all, "decision", x.Incident)
}

// replaceable checks the decision whose place x is to take.
func replaceable(all []Decision, x entry.Decision) error {
	if x.Replaces == 0 {
		return nil
	}
	old, err := numbered(all, x.Replaces, "decision", x.Incident)
	switch {
	case err != nil:
		return err
	case old.Made == nil:
		return fmt.Errorf("decision %d was not made: decide it, or withdraw it, in place of replacing it", old.ID)
	case old.Later != 0:
		return replaced(&all[old.Later-1], old.ID)
	}
	return nil
}

// replaced refuses to replace decision id, because first did.
func replaced(first *Decision, id int64) error {
	return &Overtaken{What: fmt.Sprintf("decision %d of incident %d was replaced by decision %d (option %d)", id, first.Incident, first.ID, first.Made.What.Option),
		N: first.N, By: first.Made.By, At: first.Made.At, Text: first.Made.What.Text, Then: fmt.Sprintf("look at it, and replace decision %d if another choice is right", first.ID)}
}

// Choose decides a decision. Seen is its N as the person looked at it: of two who decide at once, the second gets an *Overtaken that shows the first.
func (b *Book) Choose(actor string, seen int64, x entry.Choice) (entry.Draft, error) {
	i, err := b.settling(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	all := i.Command().Decisions
	d, err := numbered(all, x.ID, "decision", x.Incident)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !d.Open() || d.N != seen:
		return entry.Draft{}, d.overtaken()
	case x.Option < 1 || x.Option > len(d.Options):
		return entry.Draft{}, fmt.Errorf("decision %d has the options 1 to %d; got %d", d.ID, len(d.Options), x.Option)
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.Text == "":
		return entry.Draft{}, errors.New("say why it was decided so: whoever reads it tomorrow was not here")
	}
	return draft(actor, entry.DecisionMade, x.Incident, x), replaceable(all, d.Decision)
}

// LogDecision decides to write down what was asked and decided in one go: two drafts, to be appended together.
func (b *Book) LogDecision(actor string, x entry.Decision, option int, person, why string) ([]entry.Draft, error) {
	asked, err := b.AskDecision(actor, x)
	switch {
	case err != nil:
		return nil, err
	case option < 1 || option > len(x.Options):
		return nil, fmt.Errorf("the decision has the options 1 to %d; got %d", len(x.Options), option)
	case person == "":
		return nil, errNobody
	case why == "":
		return nil, errors.New("say why it was decided so: whoever reads it tomorrow was not here")
	}
	x = asked.Body.(entry.Decision)
	return []entry.Draft{asked, draft(actor, entry.DecisionMade, x.Incident, entry.Choice{Incident: x.Incident, ID: x.ID, Option: option, Person: person, Text: why})}, nil
}

// WithdrawDecision decides that an open one need not be decided; x.Text says why.
func (b *Book) WithdrawDecision(actor string, seen int64, x entry.Reply) (entry.Draft, error) {
	i, err := b.settling(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	d, err := numbered(i.Command().Decisions, x.ID, "decision", x.Incident)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !d.Open() || d.N != seen:
		return entry.Draft{}, d.overtaken()
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.Text == "":
		return entry.Draft{}, errors.New("say why it need not be decided")
	}
	return draft(actor, entry.DecisionWithdrawn, x.Incident, x), nil
}

func (b *Book) applyDecision(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.DecisionAsked:
		return fold(b, e, func(x *entry.Decision) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Decision, m *Mark) error {
			m.Ref, m.To = x.Text, fmt.Sprint(x.ID)
			if err := follows(c.Decisions, x.ID, "decision"); err != nil {
				return err
			}
			c.Decisions = append(c.Decisions, Decision{Decision: *x, N: e.N, Asked: written(e, struct{}{})})
			return nil
		})
	case entry.DecisionMade:
		return fold(b, e, func(x *entry.Choice) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Choice, m *Mark) error {
			d, err := numbered(c.Decisions, x.ID, "decision", x.Incident)
			if err != nil {
				return err
			}
			if !d.Open() {
				return d.overtaken()
			}
			w := written(e, *x)
			d.Made, d.N = &w, e.N
			if d.Replaces > 0 && d.Replaces < d.ID {
				c.Decisions[d.Replaces-1].Later = d.ID
			}
			m.Ref, m.To, m.Why = x.Text, fmt.Sprint(x.ID), []string{fmt.Sprint(x.Option)}
			return nil
		})
	case entry.DecisionWithdrawn:
		return fold(b, e, replyTo, func(_ *Incident, c *Command, x *entry.Reply, m *Mark) error {
			d, err := numbered(c.Decisions, x.ID, "decision", x.Incident)
			if err != nil {
				return err
			}
			if !d.Open() {
				return d.overtaken()
			}
			w := written(e, *x)
			d.Gone, d.N = &w, e.N
			m.Ref, m.To = x.Text, fmt.Sprint(x.ID)
			return nil
		})
	}
	return false, nil
}

func replyTo(x *entry.Reply) int64 { return x.Incident }

// Waits is how long a decision has been open; 0 of one that is not.
func (d *Decision) Waits(now time.Time) time.Duration {
	if !d.Open() {
		return 0
	}
	return now.Sub(d.Asked.At)
}
