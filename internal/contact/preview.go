package contact

import (
	"fmt"
	"slices"
	"strings"
)

// What an import would do with a row.
const (
	New     = "new"
	Changed = "changed"
	Same    = "same"
	Refused = "refused"
)

// A Change is what an import would do with one row.
type Change struct {
	Row
	What   string   // New, Changed, Same, Refused
	Fields []string // of Changed: what is different
}

// A Preview is what an import would do. With one refused row nothing is done.
type Preview struct {
	Changes []Change
	New     int
	Changed int
	Same    int
	Refused int
}

// Ready reports whether the import can be done, and would do something.
func (p Preview) Ready() bool { return p.Refused == 0 && p.New+p.Changed > 0 }

// Compare says what importing rows would change on a list. What a file does not have stays as it is; a row without an id is the contact of that
// name, organisation and group, if there is precisely one, else a new one. staff says whether a staff id is of the team.
func Compare(standing []Row, rows []Row, staff func(id string) bool) (p Preview) {
	byID, byName := map[int64]*Row{}, map[string][]*Row{}
	for i := range standing {
		s := &standing[i]
		byID[s.Entry.ID] = s
		byName[nameKey(*s)] = append(byName[nameKey(*s)], s)
	}
	taken := map[string]int{} // line by which a contact was named before
	for _, r := range rows {
		c := compare(byID, byName, r, staff)
		key := fmt.Sprint(c.Entry.ID)
		if c.Entry.ID == 0 {
			key = nameKey(c.Row)
		}
		if before, twice := taken[key]; twice {
			c.refuse("", fmt.Sprintf("Line %d says something about the same contact.", before))
		}
		taken[key] = r.Line
		switch c.What {
		case New:
			p.New++
		case Changed:
			p.Changed++
		case Same:
			p.Same++
		default:
			p.Refused++
		}
		p.Changes = append(p.Changes, c)
	}
	return p
}

func (c *Change) refuse(field, says string) {
	c.What = Refused
	c.Wrong = append(c.Wrong, Problem{field, says})
}

// nameKey is by what a row without an id is found.
func nameKey(r Row) string {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	return r.Entry.Group + "\x00" + fold(r.Card.Organisation) + "\x00" + fold(r.Card.Name)
}

func compare(byID map[int64]*Row, byName map[string][]*Row, r Row, staff func(string) bool) Change {
	c := Change{Row: r, What: New}
	for _, x := range []struct{ field, id string }{{"person", r.Entry.Person}, {"owner", r.Entry.Owner}} {
		if x.id != "" && !staff(x.id) {
			c.refuse(x.field, fmt.Sprintf("Nobody on the team has the id %q.", shorten(x.id)))
		}
	}
	old := byID[r.Entry.ID]
	if same := byName[nameKey(r)]; r.Entry.ID == 0 && len(same) == 1 {
		old = same[0]
	} else if r.Entry.ID == 0 && len(same) > 1 {
		c.refuse("id", fmt.Sprintf("%d contacts have this name: say which by its id.", len(same)))
	}
	if r.Entry.ID != 0 && old == nil {
		c.refuse("id", fmt.Sprintf("No contact has the number %d; leave it empty for a new one.", r.Entry.ID))
	}
	if old != nil {
		c.merge(*old)
	} else if len(r.Card.Ways) == 0 && !r.Has["ways"] {
		c.refuse("way.1", "A contact needs at least one way to be reached.")
	}
	if len(c.Wrong) > 0 {
		c.What = Refused
	}
	return c
}

// merge puts in what the file does not have, and says what is different.
func (c *Change) merge(old Row) {
	c.Entry.ID = old.Entry.ID
	if !c.Has["group"] {
		c.Entry.Group = old.Entry.Group
	}
	for _, column := range Columns() {
		if t := c.text(column); t != nil && !c.Has[column] && column != "group" {
			*t = *old.text(column)
		}
	}
	if !c.Has["days"] {
		c.Entry.Days = old.Entry.Days
	}
	if !c.Has["languages"] {
		c.Card.Languages = old.Card.Languages
	}
	if !c.Has["ways"] {
		c.Card.Ways = old.Card.Ways
	}
	c.Entry.Ways = c.Card.Kinds()
	for _, column := range Columns() {
		if t := c.text(column); t != nil && *t != *old.text(column) {
			c.Fields = append(c.Fields, column)
		}
	}
	if !slices.Equal(c.Card.Languages, old.Card.Languages) {
		c.Fields = append(c.Fields, "languages")
	}
	if c.Entry.Days != old.Entry.Days {
		c.Fields = append(c.Fields, "days")
	}
	if !slices.Equal(c.Card.Ways, old.Card.Ways) {
		c.Fields = append(c.Fields, "ways")
	}
	if c.What = Changed; len(c.Fields) == 0 {
		c.What = Same
	}
}
