package incident

import (
	"cmp"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// A Tag is what was added to a line of the timeline after it was written, or beside it.
type Tag struct {
	Role   string // whose work it is about
	Pinned *Written[entry.NotePin]
	Edits  []Written[entry.NoteEdit] // of a note; the newest is what its line says now
	First  *Mark                     // of an edited one: what it said at first
}

func (c *Command) at(n int64) *Tag {
	if c.Lines == nil {
		c.Lines = map[int64]*Tag{}
	}
	if c.Lines[n] == nil {
		c.Lines[n] = &Tag{}
	}
	return c.Lines[n]
}

// tag says whose work a line is about; "" is nobody's in particular.
func (c *Command) tag(n int64, role string) {
	if role != "" {
		c.at(n).Role = role
	}
}

// line returns the mark of an entry.
func (i *Incident) line(n int64) *Mark {
	k, ok := slices.BinarySearchFunc(i.Timeline, n, func(m Mark, n int64) int { return cmp.Compare(m.N, n) })
	if !ok {
		return nil
	}
	return &i.Timeline[k]
}

// A Line is a mark of a timeline with all that was said of it. Its incident may be one that was merged.
type Line struct {
	Mark
	Incident int64
	Tag
}

// A Filter says which lines are wanted. The zero Filter wants all.
type Filter struct {
	Kinds  []entry.Kind // none is every kind
	Role   string
	Pinned bool
	After  int64     // behind this entry
	From   time.Time // when it happened; zero is no bound
	Until  time.Time
	Lived  bool // in the order in which it happened, in place of that in which we learned it
}

// Timeline returns the lines of an incident, and of those that are one with it, under each of their numbers.
func (b *Book) Timeline(id int64, f Filter) ([]Line, error) {
	if _, err := b.Get(id); err != nil {
		return nil, err
	}
	var out []Line
	for _, i := range b.family(id) {
		from, _ := slices.BinarySearchFunc(i.Timeline, f.After+1, func(m Mark, n int64) int { return cmp.Compare(m.N, n) })
		for _, m := range i.Timeline[from:] {
			l := Line{Mark: m, Incident: i.ID}
			if t := i.Command().Lines[m.N]; t != nil {
				l.Tag = *t
			}
			if f.wants(l) {
				out = append(out, l)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Line) int {
		if f.Lived {
			return cmp.Or(x.Happened.Compare(y.Happened), cmp.Compare(x.N, y.N), cmp.Compare(x.Incident, y.Incident))
		}
		return cmp.Or(cmp.Compare(x.N, y.N), cmp.Compare(x.Incident, y.Incident))
	})
	return out, nil
}

func (f Filter) wants(l Line) bool {
	switch {
	case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, l.Kind):
	case f.Role != "" && f.Role != l.Role:
	case f.Pinned && l.Pinned == nil:
	case !f.From.IsZero() && l.Happened.Before(f.From):
	case !f.Until.IsZero() && !l.Happened.Before(f.Until):
	default:
		return true
	}
	return false
}

// A Group is what happened of one kind.
type Group struct {
	Kind  entry.Kind
	Lines []Line
}

// Since returns what changed in an incident, and in those that are one with it, behind entry n: what a person sees who looked at it then. Groups stand in
// the order of their newest line, that one first: what changed last matters most.
func (b *Book) Since(id, n int64) ([]Group, error) {
	lines, err := b.Timeline(id, Filter{After: n})
	var out []Group
	place := map[entry.Kind]int{}
	for _, l := range lines {
		k, ok := place[l.Kind]
		if !ok {
			k = len(out)
			place[l.Kind], out = k, append(out, Group{Kind: l.Kind})
		}
		out[k].Lines = append(out[k].Lines, l)
	}
	slices.SortStableFunc(out, func(x, y Group) int {
		return cmp.Compare(y.Lines[len(y.Lines)-1].N, x.Lines[len(x.Lines)-1].N)
	})
	return out, err
}
