package desk

import (
	"context"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/query"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// SearchLimit is how long a search may take when nobody says otherwise: it then ends with what was found.
const SearchLimit = 30 * time.Second

// What a search tells, for faces.
type (
	SearchResult   = search.Result
	SearchProgress = search.Progress
)

// ParseQuery reads a query as it is meant now, in the reader's zone. The error is a *query.Error with the place.
func ParseQuery(text string, zone *time.Location) (*query.Query, error) {
	return query.Parse(text, time.Now(), zone)
}

// Found is what a search comes to.
type Found = search.Result

// Search asks all kept lines, those on the shelf and those that are not there yet. It ends when ctx does, or after SearchLimit, with what was
// found until then (Result.Cut). Seen is told now and then how far it is; it may be nil. A damaged volume is set aside.
func (d *Desk) Search(ctx context.Context, actor auth.Actor, q *query.Query, seen func(search.Progress)) (search.Result, error) {
	if err := auth.May(actor, auth.SearchLines); err != nil {
		return search.Result{}, err
	}
	if _, set := ctx.Deadline(); !set {
		short, stop := context.WithTimeout(ctx, SearchLimit)
		defer stop()
		ctx = short
	}
	out, err := d.searchMoved(ctx, q, seen)
	for _, damage := range out.Damaged {
		d.damaged(damage)
	}
	for _, name := range out.Slow {
		d.log.Warn("the index of a volume of lines cannot be read: searches of it take longer, and are right. archive verify says what is damaged", "volume", name)
	}
	return out, err
}

// A Kept says what lines are kept.
type Kept struct {
	First, Last int64 // numbers of lines; Last < First when there is none
	Through     int64 // up to here they are on the shelf
	Volumes     int
	Rows        int64 // records on the shelf
	Raw         int64 // bytes of their lines
	Bytes       int64 // that they take on the disk
	Oldest      time.Time
	Aside       []string // volumes that are damaged
}

// Kept returns that.
func (d *Desk) Kept() Kept {
	v := d.shelf.View()
	defer v.Close()
	k := keptIn(v)
	k.First, k.Last = d.firstLine(), d.archive.Last()
	d.Read(func(s *State) { k.Aside = append(k.Aside, s.Fleet.Aside...) })
	return k
}

// keptIn is what is kept on a shelf.
func keptIn(v *shelf.View) Kept {
	k := Kept{Through: v.Through, Volumes: len(v.Volumes)}
	for _, x := range v.Volumes {
		k.Rows += int64(x.Rows)
		k.Raw += x.Raw
		k.Bytes += x.Bytes()
		if at := time.Unix(0, x.From).UTC(); k.Oldest.IsZero() || at.Before(k.Oldest) {
			k.Oldest = at
		}
	}
	return k
}

// VerifyShelf reads every byte of the shelf, and sets aside what is damaged.
func (d *Desk) VerifyShelf(ctx context.Context, actor auth.Actor, seen func(done, of int)) (shelf.Checked, error) {
	if err := auth.May(actor, auth.Verify); err != nil {
		return shelf.Checked{}, err
	}
	c, err := d.shelf.Verify(ctx, seen)
	for _, damage := range c.Damaged {
		d.damaged(damage)
	}
	return c, err
}
