package incident

import (
	"errors"
	"fmt"

	"tocsin/internal/entry"
)

// PutAffected decides what an incident touched and cost; x has all of it, and Before the entry that the person looked at, 0 of none. A closed incident takes it too:
// what it cost is known late.
func (b *Book) PutAffected(actor string, x entry.Affected) (entry.Draft, error) {
	i, err := b.kept(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	if err := unseen(i.Command().Affected, x.Before, fmt.Sprintf("what incident %d affects", x.Incident), func(x entry.Affected) string { return x.Text }); err != nil {
		return entry.Draft{}, err
	}
	switch {
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.Text == "" || x.Systems+x.Data+x.People+x.Costs == 0:
		return entry.Draft{}, errors.New("say what is affected: write at least one row; write none where it is none")
	}
	return draft(actor, entry.IncidentAffected, x.Incident, x), nil
}

// Affects returns what was last written of what an incident touched and cost, and the entry that says so; 0 of none.
func (i *Incident) Affects() (entry.Affected, int64) {
	w, _ := last(i.Command().Affected)
	return w.What, w.N
}

func (b *Book) applyAffected(e entry.Entry) (bool, error) {
	return fold(b, e, func(x *entry.Affected) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Affected, m *Mark) error {
		c.Affected, m.Ref = append(c.Affected, written(e, *x)), x.Text
		return nil
	})
}
