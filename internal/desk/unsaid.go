package desk

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/shelf"
)

// sayUnsaid tells the ledger of volumes that came, were joined or set aside, when a crash or a full disk came before the entry: else it would name for ever what
// is not there. At a start it looks at each volume when their number is not the one that the ledger names, later only when lines were sealed.
func (d *Desk) sayUnsaid(start bool) (err error) {
	d.saying.Lock()
	defer d.saying.Unlock()
	defer func() { d.unsaid = err != nil }()
	sealed, named := int64(0), 0
	d.Read(func(s *State) { sealed, named = s.Fleet.Sealed, s.Fleet.Volumes })
	if !start && d.shelf.Through() <= sealed {
		return nil
	}
	view := d.shelf.View()
	defer view.Close()
	if view.Through <= sealed && named == len(view.Volumes) {
		return nil
	}
	said, err := saidOf(d.ledger.Entries(1))
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, v := range view.Volumes {
		there[v.Name] = true
	}
	why := d.shelf.Aside()
	for _, name := range slices.Sorted(maps.Keys(why)) {
		if _, known := said.standing[name]; known {
			if err := d.writeLines(entry.LinesAside, entry.Lines{Gone: []string{name}, Why: why[name]}); err != nil {
				return err
			}
			delete(said.standing, name)
		}
	}
	var came []shelf.Volume
	var expired []*shelf.Volume // of which the entry stands, and the act does not
	for _, v := range view.Volumes {
		if said.expired[v.Name] {
			expired = append(expired, v)
			continue
		}
		if _, known := said.standing[v.Name]; known {
			continue
		}
		gone := said.joinedInto(v, there)
		if len(gone) > 0 {
			if err := d.writeLines(entry.LinesJoined, entry.Lines{Came: volumes([]shelf.Volume{*v}), Gone: gone, Why: "the entry comes late: a crash or a full disk came before"}); err != nil {
				return err
			}
		} else if v.Last > sealed {
			came = append(came, *v)
		}
	}
	if err := d.shelf.Expire(time.Now(), expired); err != nil {
		return err
	}
	if view.Through <= sealed {
		return nil
	}
	return d.writeLines(entry.LinesSealed, entry.Lines{Through: view.Through, Came: volumes(came)})
}

// joinedInto names the volumes that the ledger names, that are not there, and whose lines another of their source and hour has. They are said
// once.
func (t saidVolumes) joinedInto(v *shelf.Volume, there map[string]bool) (gone []string) {
	for _, name := range slices.Sorted(maps.Keys(t.standing)) {
		w := t.standing[name]
		if !there[name] && sameHour(name, v.Name) && v.First <= w.First && v.Last >= w.Last {
			gone = append(gone, name)
			delete(t.standing, name)
		}
	}
	return gone
}

// sameHour reports whether two volumes are of one source and hour, by their names.
func sameHour(a, b string) bool {
	hour, _, _ := strings.Cut(path.Base(a), "-")
	other, _, _ := strings.Cut(path.Base(b), "-")
	return path.Dir(a) == path.Dir(b) && hour == other
}
