// Package shelf keeps lines for months, so that they can be found: volumes, sorted by source and hour, with columns.
//
// The archive's write-ahead log (package archive) is where a line is first kept. When detection has read a segment of it, Seal
// puts its lines into volumes, each of one source and one hour of record time: the lines byte for byte (lines.go),
// and what the parser read in them as columns (table.go, parquet.go), which are searched. Only when the volumes are synced and
// the manifest (manifest.go) names them may the segment go. A crash between any two steps leaves the segment, or both; then the
// manifest wins: its lines are not taken again, and files that it does not name are removed.
//
// Join makes one volume of the small ones of an hour. Expire takes volumes away by source, age and size, but none that is held.
// A volume whose bytes are not what was written is set aside, with its name told; all others stay readable.
//
// One process writes; any number may read, also beside it. A reader takes a View, and what a View names stays on the disk
// until it is closed.
package shelf

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// What callers branch on.
var (
	ErrFull     = errors.New("the shelf takes no more volumes: the disk is full")
	ErrBroken   = errors.New("the shelf takes no more volumes, because an earlier write failed")
	ErrReadOnly = errors.New("the shelf was opened for reading only")
)

// A Parser makes records of lines that come in their order. What it knows of their files can be kept.
type Parser struct {
	// Parse goes over the records of a line: one, or more when the line holds several events; then each record's Line.Raw is its part of
	// the line. Each is good until the next.
	Parse   func(l record.Line, received time.Time) iter.Seq[*record.Record]
	Save    func() ([]byte, error)
	Restore func([]byte) error
}

// Options are what may differ between two shelves.
type Options struct {
	Parser   Parser    // needed for Seal
	ReadOnly bool      // beside a running server: nothing is removed, sealed, joined or expired
	Reserve  uint64    // bytes that must stay free on the disk: below it Seal and Join refuse with ErrFull
	Random   io.Reader // where salts come from; nil is crypto/rand
}

// Opened says what Open found.
type Opened struct {
	Volumes int
	Rows    int64
	Through int64    // lines up to this number are on the shelf, or were
	Cut     int64    // bytes of the manifest's last line, which was not finished
	Removed []string // files that the manifest does not name: a step that a crash ended
	Missing []string // volumes whose files are not there or have another size: they are set aside
}

// A Shelf is open. View, Read and what they return may be used at the same time as one of Seal, Join and Expire.
type Shelf struct {
	layer  disk.Layer
	dir    string
	o      Options
	packer *zstd.Encoder
	open   *zstd.Decoder

	work     sync.Mutex // of Seal, Join, Expire, SetAside: one at a time
	manifest disk.File
	length   int64
	broken   error
	ready    bool            // the parser goes on from where it was
	passed   map[string]bool // volumes that are not joined

	mu     sync.RWMutex // of what follows, and of state
	state  *state
	pins   map[string]int // views that name a volume
	doomed map[string]bool
	cursor *cursor // of the last Read
}

// Open opens the shelf in dir, making it when it is not there. Errors: a damaged manifest, or those of the layer.
func Open(l disk.Layer, dir string, o Options) (*Shelf, Opened, error) {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	s := &Shelf{layer: l, dir: dir, o: o, pins: map[string]int{}, doomed: map[string]bool{}}
	var err error
	if s.packer, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(512<<10), zstd.WithLowerEncoderMem(true)); err != nil {
		return nil, Opened{}, err
	}
	if s.open, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxIndex), zstd.WithDecoderLowmem(true)); err != nil {
		return nil, Opened{}, err
	}
	said, err := s.load()
	if err != nil {
		return nil, said, fmt.Errorf("opening the shelf %s: %w", dir, err)
	}
	return s, said, nil
}

func (s *Shelf) load() (said Opened, err error) {
	name := path.Join(s.dir, manifestName)
	b, err := disk.ReadFile(s.layer, name)
	if errors.Is(err, fs.ErrNotExist) {
		s.state = newState()
		if s.o.ReadOnly {
			return said, nil
		}
		if err := s.makeFolder(s.dir); err != nil {
			return said, err
		}
		if said.Removed, err = s.tidy(); err != nil {
			return said, err
		}
		return said, s.writeWhole()
	}
	if err != nil {
		return said, err
	}
	var end int
	if s.state, end, err = readManifest(b); err != nil {
		return said, fmt.Errorf("%w. Bring %s back from a backup; without one, move the folder %s away: what is in the write-ahead log is kept", err, name, s.dir)
	}
	if end == 0 && len(b) > 0 {
		return said, fmt.Errorf("%s is no manifest of this program", name)
	}
	said.Cut, said.Through = int64(len(b)-end), s.state.through
	for _, v := range s.state.volumes {
		said.Volumes++
		said.Rows += int64(v.Rows)
	}
	if s.o.ReadOnly {
		return said, nil
	}
	if s.manifest, err = disk.OpenAppend(s.layer, name); err != nil {
		return said, err
	}
	s.length = int64(end)
	if said.Cut > 0 {
		if err = s.manifest.Truncate(s.length); err == nil {
			err = s.manifest.Sync()
		}
		if err != nil {
			return said, err
		}
	}
	if said.Removed, err = s.tidy(); err != nil {
		return said, err
	}
	said.Missing, err = s.absent()
	return said, err
}

// makeFolder makes a folder, durably.
func (s *Shelf) makeFolder(dir string) error {
	if _, err := s.layer.Stat(dir); err == nil {
		return nil
	}
	if err := s.layer.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for dir = path.Clean(dir); dir != "."; dir = path.Dir(dir) {
		if err := s.layer.SyncDir(path.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes files that the manifest does not name, and moves those of volumes that were set aside. Files of others are left alone.
func (s *Shelf) tidy() (removed []string, err error) {
	err = s.each(s.dir, func(name string) error {
		base := strings.TrimSuffix(name, unborn)
		ext := path.Ext(base)
		if ext != linesEnd && ext != columnsEnd {
			return nil
		}
		volume := strings.TrimPrefix(strings.TrimSuffix(base, ext), s.dir+"/")
		if base == name && s.state.volumes[volume] != nil {
			return nil
		}
		if _, is := s.state.aside[volume]; is && base == name {
			return s.moveAside(volume)
		}
		removed = append(removed, name)
		return s.layer.Remove(name)
	})
	return removed, err
}

// each calls act with every file of the volumes' folders.
func (s *Shelf) each(dir string, act func(name string) error) error {
	all, err := s.layer.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, d := range all {
		name := path.Join(dir, d.Name())
		switch {
		case d.IsDir() && name != path.Join(s.dir, asideFolder):
			err = s.each(name, act)
		case !d.IsDir():
			err = act(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// absent sets volumes aside whose files are not there whole.
func (s *Shelf) absent() (missing []string, err error) {
	for _, v := range inOrder(s.state.volumes) {
		for end, f := range map[string]File{linesEnd: v.Lines, columnsEnd: v.Columns} {
			stat, err := s.layer.Stat(s.file(v, end))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return missing, err
			}
			if err == nil && stat.Size() == f.Size {
				continue
			}
			missing = append(missing, v.Name)
			if _, err := s.SetAside(v, "a file of it is not there, or not whole"); err != nil {
				return missing, err
			}
			break
		}
	}
	return missing, nil
}

func (s *Shelf) file(v *Volume, end string) string { return path.Join(s.dir, v.Name+end) }

func inOrder(m map[string]*Volume) []*Volume {
	out := make([]*Volume, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *Volume) int { return cmp.Or(cmp.Compare(a.First, b.First), strings.Compare(a.Name, b.Name)) })
	return out
}

// Has reports whether a volume of this name is in use.
func (s *Shelf) Has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.volumes[name] != nil
}

// Through is the number of the last line that is on the shelf, or was; 0 when nothing was sealed.
func (s *Shelf) Through() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.through
}

// Parser is what the parser knew when the last line was sealed.
func (s *Shelf) Parser() []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.parser
}

// Known is both.
func (s *Shelf) Known() (through int64, parser []byte) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.through, s.state.parser
}

// Close ends writing. Views stay good.
func (s *Shelf) Close() error {
	s.work.Lock()
	defer s.work.Unlock()
	if s.manifest == nil {
		return nil
	}
	err := s.manifest.Close()
	s.manifest, s.broken = nil, cmp.Or(s.broken, errors.New("it is closed"))
	return err
}

// A View names the volumes that there were at one moment, in the order of their lines. Close it.
type View struct {
	Volumes []*Volume
	Through int64
	shelf   *Shelf
	once    sync.Once
}

// View returns what is on the shelf now.
func (s *Shelf) View() *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &View{Volumes: inOrder(s.state.volumes), Through: s.state.through, shelf: s}
	for _, x := range v.Volumes {
		s.pins[x.Name]++
	}
	return v
}

// Close lets go of the volumes.
func (v *View) Close() {
	v.once.Do(func() {
		s := v.shelf
		s.mu.Lock()
		var gone []*Volume
		for _, x := range v.Volumes {
			if s.pins[x.Name]--; s.pins[x.Name] == 0 {
				delete(s.pins, x.Name)
				if s.doomed[x.Name] {
					delete(s.doomed, x.Name)
					gone = append(gone, x)
				}
			}
		}
		s.mu.Unlock()
		for _, x := range gone {
			s.remove(x)
		}
	})
}

// drop removes the files of volumes that the manifest does not name any more, or leaves that to the last view.
func (s *Shelf) drop(volumes []*Volume) {
	s.mu.Lock()
	idle := s.cursor // whoever reads on begins anew
	s.cursor = nil
	s.mu.Unlock()
	if idle != nil {
		idle.close()
	}
	for _, v := range volumes {
		s.mu.Lock()
		pinned := s.pins[v.Name] > 0
		if pinned {
			s.doomed[v.Name] = true
		}
		s.mu.Unlock()
		if !pinned {
			s.remove(v)
		}
	}
}

// remove takes the files away. What fails, or a crash undoes, the next start does.
func (s *Shelf) remove(v *Volume) {
	for _, end := range []string{linesEnd, columnsEnd} {
		_ = s.layer.Remove(s.file(v, end))
	}
	dir := path.Dir(path.Join(s.dir, v.Name))
	_ = s.layer.SyncDir(dir)
	if rest, err := s.layer.ReadDir(dir); err == nil && len(rest) == 0 {
		_ = s.layer.Remove(dir)
	}
}

// SourceName is the name of a log source on the shelf.
func SourceName(l record.LogSource) string {
	var parts []string
	for _, p := range []string{l.Product, l.Service} {
		if p != "" && !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 || len(parts) == 1 && len(l.Categories) > 0 && l.Product == "" {
		parts = append(slices.Clone(l.Categories[:min(1, len(l.Categories))]), parts...)
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToLower(strings.Join(parts, "-")))
	return cmp.Or(name[:min(len(name), 64)], "other")
}

const asideFolder = "aside"

// SetAside takes a damaged volume out of use: its files go to the folder aside, for people to look at. False: it is not in use any more, or could not be taken out of it. An error
// with true is of its files, which the next start moves.
func (s *Shelf) SetAside(v *Volume, why string) (bool, error) {
	s.work.Lock()
	defer s.work.Unlock()
	if s.o.ReadOnly {
		return false, ErrReadOnly
	}
	if !s.Has(v.Name) {
		return false, nil
	}
	if err := s.do(deed{Deed: aside, Gone: []string{v.Name}, Why: why}); err != nil {
		return false, err
	}
	return true, s.moveAside(v.Name)
}

// Aside are the volumes that the manifest tells of as set aside, with the reason; those that are older than its last whole form are not among them.
func (s *Shelf) Aside() map[string]string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.state.aside)
}

// moveAside moves the files of a volume to the folder aside.
func (s *Shelf) moveAside(volume string) error {
	dir := path.Join(s.dir, asideFolder)
	if err := s.makeFolder(dir); err != nil {
		return err
	}
	for _, end := range []string{linesEnd, columnsEnd} {
		to := path.Join(dir, strings.ReplaceAll(volume, "/", "_")+end)
		if err := s.layer.Rename(path.Join(s.dir, volume+end), to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.Join(s.layer.SyncDir(dir), s.layer.SyncDir(path.Dir(path.Join(s.dir, volume))))
}

// openFile opens a file of a volume for reading.
func (s *Shelf) openFile(v *Volume, end string) (disk.File, int64, error) {
	f, err := s.layer.OpenFile(s.file(v, end), os.O_RDONLY, 0)
	if err != nil {
		return nil, 0, err
	}
	stat, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, stat.Size(), nil
}
