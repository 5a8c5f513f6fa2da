package incident

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tocsin/internal/entry"
)

// Merging makes two incidents one without moving anything: the merged one points to the other. Timeline, notes, evidence, calls and runs of each stay with
// the number under which they were written, and are read under both (Family says which numbers are one). What would join the merged one joins the other. Taking it out
// again removes the pointer, so all is as it was; alerts that came meanwhile stay with the incident that they were written to. An incident points to
// at most one other, and only one that points nowhere takes others in, so there is no circle; what had been merged into the merged one stays with it, and
// comes along.

// ErrMerged says that an incident is part of another.
var ErrMerged = errors.New("the incident is merged")

// WhyMerged is the reason, with a number, for a severity that came from a merged incident.
const WhyMerged = "merged:"

// Root returns the number under which an incident is worked on: its own, unless it is merged.
func (b *Book) Root(id int64) int64 {
	for {
		i, err := b.Get(id)
		if err != nil || i.Merged == 0 {
			return id
		}
		if _, err := b.Get(i.Merged); err != nil {
			return id // the other is hidden from who looks
		}
		id = i.Merged
	}
}

// Family returns the numbers of the incidents that are one with an incident, itself among them, ascending.
func (b *Book) Family(id int64) (out []int64) {
	for _, i := range b.family(id) {
		out = append(out, i.ID)
	}
	return out
}

func (b *Book) family(id int64) []*Incident {
	root, err := b.Get(b.Root(id))
	if err != nil {
		return nil
	}
	out := []*Incident{root}
	if len(root.parts) == 0 {
		return out
	}
	for k := 0; k < len(out); k++ {
		for _, p := range out[k].parts {
			if i, err := b.Get(p); err == nil { // one may be hidden
				out = append(out, i)
			}
		}
	}
	slices.SortFunc(out, func(x, y *Incident) int { return int(x.ID - y.ID) })
	return out
}

// Parts returns the incidents that are one with an incident: first the one under whose number it is worked on, then what was merged into it, ascending. Whoever shows
// or counts what people wrote of an incident reads all of them: each number has what was written under it. There are none when there is no such incident.
func (b *Book) Parts(id int64) []*Incident {
	out, root := b.family(id), b.Root(id)
	slices.SortStableFunc(out, func(x, y *Incident) int { return rankOf(y.ID == root) - rankOf(x.ID == root) })
	return out
}

func rankOf(first bool) int {
	if first {
		return 1
	}
	return 0
}

// worked returns the incident as which an incident is worked on: its roles are those of what became part of it.
func (b *Book) worked(i *Incident) *Incident {
	if root, err := b.Get(b.Root(i.ID)); err == nil {
		return root
	}
	return i
}

// settling returns incident id if what is open in it may be settled. That is done where it was written, also after it became part of another one, while
// that one is open.
func (b *Book) settling(id int64) (*Incident, error) {
	i, err := b.Get(id)
	if err == nil && b.over(i) {
		err = fmt.Errorf("incident %d: %w", id, ErrClosed)
	}
	return i, err
}

// over reports whether nobody works on an incident, because it is closed, or is part of one that is.
func (b *Book) over(i *Incident) bool {
	root, err := b.Get(b.Root(i.ID))
	return i.Closed && i.Merged == 0 || err == nil && root.Closed
}

// Working reports whether people work on the incident under its own number.
func (i *Incident) Working() bool { return !i.Closed && i.Merged == 0 }

// Merge decides that incident id is part of incident into; text is the vault object with the reason. When the merged one is worse than the other and open, the
// other becomes as bad: so there may be two drafts, to be appended together.
func (b *Book) Merge(actor string, id, into int64, text string) ([]entry.Draft, error) {
	i, err := b.Get(id)
	if err != nil {
		return nil, err
	}
	to, err := b.Get(into)
	switch {
	case err != nil:
		return nil, err
	case id == into:
		return nil, fmt.Errorf("incident %d cannot be merged into itself", id)
	case i.Merged != 0:
		return nil, fmt.Errorf("incident %d: %w into incident %d already; take it out first", id, ErrMerged, i.Merged)
	case b.Root(into) == id:
		return nil, fmt.Errorf("incident %d is merged into incident %d; take it out first", into, id)
	case to.Merged != 0:
		return nil, fmt.Errorf("incident %d: %w into incident %d; merge into that one", into, ErrMerged, b.Root(into))
	case to.Closed && !i.Closed:
		return nil, fmt.Errorf("incident %d: %w, before open work goes into it", into, ErrClosed)
	case i.Restriction.Kind != to.Restriction.Kind || !slices.Equal(i.Restriction.People, to.Restriction.People):
		return nil, fmt.Errorf("incidents %d and %d are not for the same people: restrict both alike first, or lift it", id, into)
	case text == "":
		return nil, errors.New("say why the two are one")
	}
	out := []entry.Draft{draft(actor, entry.IncidentMerged, id, entry.Merge{Incident: id, Into: into, Text: text})}
	if !i.Closed && Rank(i.Severity) > Rank(to.Severity) {
		out = append(out, draft(actor, entry.IncidentSeverity, into, entry.Severity{ID: into, From: to.Severity, To: i.Severity, Why: []string{WhyMerged + strconv.FormatInt(id, 10)}}))
	}
	return out, nil
}

// Unmerge decides that an incident stands alone again; text is the vault object with the reason.
func (b *Book) Unmerge(actor string, id int64, text string) (entry.Draft, error) {
	i, err := b.Get(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case i.Merged == 0:
		return entry.Draft{}, fmt.Errorf("incident %d is not merged into another", id)
	case text == "":
		return entry.Draft{}, errors.New("say why the two are not one")
	}
	return draft(actor, entry.IncidentUnmerged, id, entry.Merge{Incident: id, Into: i.Merged, Text: text}), nil
}

// applyMerge folds it; both timelines say so.
func (b *Book) applyMerge(e entry.Entry) (bool, error) {
	return fold(b, e, func(x *entry.Merge) int64 { return x.Incident }, func(i *Incident, c *Command, x *entry.Merge, m *Mark) error {
		to, err := b.Get(x.Into)
		if err != nil {
			return err
		}
		want := int64(0)
		if e.Kind == entry.IncidentUnmerged {
			want = x.Into
		}
		if i.Merged != want || e.Kind == entry.IncidentMerged && b.Root(x.Into) == x.Incident {
			return fmt.Errorf("incident %d is merged into %d, which does not fit", x.Incident, i.Merged)
		}
		if e.Kind == entry.IncidentMerged {
			i.Merged = x.Into
			to.parts = append(to.parts, x.Incident)
			b.joinRed(to)
		} else {
			i.Merged = 0
			to.parts = slices.DeleteFunc(to.parts, func(p int64) bool { return p == x.Incident })
		}
		b.redate(x.Incident, e.Time)
		c.Merges = append(c.Merges, written(e, *x))
		m.Ref, m.From, m.To = x.Text, strconv.FormatInt(x.Incident, 10), strconv.FormatInt(x.Into, 10)
		to.Timeline = append(to.Timeline, *m)
		return nil
	})
}
