package desk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/shelf"
)

// A Fault is something that is not as it was kept.
type Fault struct {
	What string `json:"what"` // log, shelf, ledger
	Name string `json:"name,omitempty"`
	Why  string `json:"why"`
	Mend string `json:"mend"`
}

// Verified says what VerifyLines read.
type Verified struct {
	Log    archive.Checked
	Shelf  shelf.Checked
	Named  int      // volumes whose hashes the ledger names, and that are as it says
	Faults []Fault  // what is wrong
	Aside  []Fault  // volumes that were found damaged before, and set aside
	Unsaid []string // sentences on what the manifest has and the ledger does not: of a crash, or of somebody else
}

const (
	mendVolume  = "bring both its files back from a backup, as the manifest names them; all other volumes can be read"
	mendLog     = "bring the folder archive back from a backup; what is on the shelf can be read without it"
	mendShelf   = "bring the folder shelf back from a backup"
	mendLedgers = "tocsin ledger verify says more"
	looks       = 4                      // at a folder on which a server works
	lookPause   = 250 * time.Millisecond // between two
)

// VerifyLines reads every byte of the kept lines, and holds the volumes against what the ledger says of them. It changes nothing, and works
// beside a running server: what seems to be missing is looked for again. Seen is told how far it is. The error is of ctx, or of a disk that
// cannot be read.
func VerifyLines(ctx context.Context, data disk.Layer, ledger Offline, seen func(done, of int)) (v Verified, err error) {
	if v.Log, err = verifyLog(ctx, data); err != nil {
		damage, ok := errors.AsType[*archive.DamageError](err)
		if !ok {
			return v, err
		}
		v.Faults = append(v.Faults, Fault{"log", "", damage.Error(), mendLog})
	}
	known := map[string]bool{}
	for range looks {
		s, _, err := shelf.Open(data, shelfDir, shelf.Options{ReadOnly: true})
		if err != nil {
			v.Faults = append(v.Faults, Fault{"shelf", "", err.Error(), mendShelf})
			return v, nil
		}
		c, err := s.VerifyOther(ctx, known, seen)
		v.Shelf.Volumes += c.Volumes
		v.Shelf.Rows += c.Rows
		v.Shelf.Bytes += c.Bytes
		v.Shelf.Damaged = append(v.Shelf.Damaged, c.Damaged...)
		if err = errors.Join(err, s.Close()); err != nil {
			return v, err
		}
		if c.Volumes == 0 {
			break
		}
	}
	if err := v.againstLedger(ctx, data, ledger); err != nil {
		return v, err
	}
	for _, x := range v.Shelf.Damaged {
		v.Faults = append(v.Faults, Fault{"shelf", x.Volume.Name, x.File + ": " + x.Why, mendVolume})
	}
	return v, nil
}

// verifyLog is archive.Verify, again when segments went meanwhile.
func verifyLog(ctx context.Context, data disk.Layer) (c archive.Checked, err error) {
	if _, err := data.Stat(archiveDir); errors.Is(err, fs.ErrNotExist) {
		return archive.Checked{First: 1}, nil
	}
	for n := range looks {
		c, err = archive.Verify(data, archiveDir)
		if err == nil || n == looks-1 {
			break
		}
		if err := pause(ctx); err != nil {
			return c, err
		}
	}
	return c, err
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(lookPause):
		return nil
	}
}

// againstLedger holds the manifest against what the ledger says. Both grow beside a server, so that a difference is looked at again.
func (v *Verified) againstLedger(ctx context.Context, data disk.Layer, ledger Offline) error {
	if _, err := ledger.Verify(nil); err != nil {
		v.Faults = append(v.Faults, Fault{"ledger", "", err.Error(), mendLedgers})
		return nil
	}
	for n := range looks {
		s, _, err := shelf.Open(data, shelfDir, shelf.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		view := s.View()
		said, err := saidOf(ledger.Entries(1))
		if err != nil {
			return err
		}
		v.Shelf.Damaged = slices.DeleteFunc(v.Shelf.Damaged, func(x *shelf.DamageError) bool { return !hasVolume(view, x.Volume.Name) })
		faults, unsaid, good := said.against(view.Volumes)
		view.Close()
		if err := s.Close(); err != nil {
			return err
		}
		if len(faults)+len(unsaid) == 0 || n == looks-1 {
			v.Named, v.Unsaid, v.Aside = good, unsaid, said.aside
			v.Faults = append(v.Faults, faults...)
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// saidVolumes is what the ledger says of volumes.
type saidVolumes struct {
	standing map[string]entry.Volume
	gone     map[string]bool
	expired  map[string]bool // of these
	aside    []Fault
}

func saidOf(entries iter.Seq2[entry.Entry, error]) (saidVolumes, error) {
	t := saidVolumes{standing: map[string]entry.Volume{}, gone: map[string]bool{}, expired: map[string]bool{}}
	for e, err := range entries {
		if err != nil {
			return t, err
		}
		switch e.Kind {
		case entry.LinesSealed, entry.LinesJoined, entry.LinesExpired, entry.LinesAside:
		default:
			continue
		}
		x, err := entry.Body[entry.Lines](e)
		if err != nil {
			return t, err
		}
		for _, name := range x.Gone {
			delete(t.standing, name)
			t.gone[name] = true
			if e.Kind == entry.LinesExpired {
				t.expired[name] = true
			}
			if e.Kind == entry.LinesAside {
				t.aside = append(t.aside, Fault{"shelf", name, fmt.Sprintf("set aside on %s: %s", e.Time.UTC().Format(time.RFC3339), x.Why), mendVolume})
			}
		}
		for _, c := range x.Came {
			if !t.gone[c.Name] {
				t.standing[c.Name] = c
			}
		}
	}
	return t, nil
}

// against holds the volumes of the manifest against it.
func (t saidVolumes) against(volumes []*shelf.Volume) (faults []Fault, unsaid []string, good int) {
	there := map[string]*shelf.Volume{}
	for _, v := range volumes {
		there[v.Name] = v
		if _, said := t.standing[v.Name]; !said {
			unsaid = append(unsaid, fmt.Sprintf("The volume %s is on the shelf, but the ledger does not say so.", v.Name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.standing)) {
		want, is := t.standing[name], there[name]
		switch {
		case is == nil && t.covered(want, volumes):
			unsaid = append(unsaid, fmt.Sprintf("The volume %s is gone, and another has its lines, but the ledger does not say that they were joined.", name))
		case is == nil:
			faults = append(faults, Fault{"ledger", name, fmt.Sprintf("the ledger names it, with %d rows, and the manifest of the shelf does not", want.Rows), mendVolume + "; the manifest, too"})
		case is.Lines.SHA256 != want.Lines || is.Columns.SHA256 != want.Columns || is.Rows != want.Rows:
			faults = append(faults, Fault{"ledger", name, "the manifest of the shelf has other hashes for it than the ledger: it was changed", mendVolume + "; the manifest, too"})
		default:
			good++
		}
	}
	return faults, unsaid, good
}

// covered reports whether a volume that the ledger does not know may have the lines of one that is gone: they were joined, and a crash
// came before the entry.
func (t saidVolumes) covered(gone entry.Volume, volumes []*shelf.Volume) bool {
	for _, v := range volumes {
		if _, said := t.standing[v.Name]; !said && v.First <= gone.First && v.Last >= gone.Last && v.Rows >= gone.Rows {
			return true
		}
	}
	return false
}
