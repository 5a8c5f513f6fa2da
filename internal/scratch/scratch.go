// Package scratch keeps what may be lost: sessions, read markers, throttles, times of last use.
//
// It is a map in memory and a file of JSON, replaced whole by Flush. The caller flushes, at most every second or so
// and once before it ends; what came since the last Flush is lost in a crash. Nothing that decides what a user may do for good, and
// nothing that must be proved, belongs here. Every value has an end; what has ended is as if it were not there.
//
// The file, for its owner alone, is one object:
//
//	{"version": 1, "kinds": {"<kind>": {"<key>": {"until": "<RFC 3339>", "value": <any JSON>}}}}
package scratch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"tocsin/internal/disk"
)

// name is the file, below the folder that Open is given.
const name = "scratch.json"

// A Store is open. All its methods may be called at the same time.
type Store struct {
	layer disk.Layer
	path  string

	flushing sync.Mutex // held while the file is written, so that an older state never replaces a newer one

	mu    sync.Mutex
	kinds map[string]map[string]kept
	dirty bool
}

type kept struct {
	Until time.Time       `json:"until"`
	Value json.RawMessage `json:"value"`
}

type file struct {
	Version int                        `json:"version"`
	Kinds   map[string]map[string]kept `json:"kinds"`
}

// Opened says what Open found.
type Opened struct {
	Values int
	Lost   error // why the file could not be used; the store is empty then
}

// String tells a person about it.
func (o Opened) String() string {
	if o.Lost != nil {
		return fmt.Sprintf("scratch: empty, because its file could not be read (%v): people sign in anew, throttles begin anew", o.Lost)
	}
	return fmt.Sprintf("scratch: %d values", o.Values)
}

// Open reads the store in folder dir, and makes the folder when it is missing. A file that is broken, or of a newer
// program, is no error: the store is empty then, and Opened says why. The first Flush replaces the file.
func Open(l disk.Layer, dir string) (*Store, Opened, error) {
	err := l.MkdirAll(dir, 0o700)
	for d := path.Clean(dir); d != "." && err == nil; d = path.Dir(d) {
		err = l.SyncDir(path.Dir(d))
	}
	if err != nil {
		return nil, Opened{}, fmt.Errorf("making the folder for scratch: %w", err)
	}
	s := &Store{layer: l, path: path.Join(dir, name), kinds: make(map[string]map[string]kept)}
	b, err := disk.ReadFile(l, s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, Opened{}, nil
	}
	var f file
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err == nil && f.Version != 1 {
		err = fmt.Errorf("version %d, and this program knows version 1", f.Version)
	}
	if err != nil {
		return s, Opened{Lost: fmt.Errorf("%s: %w", s.path, err)}, nil
	}
	var said Opened
	for kind, values := range f.Kinds {
		if len(values) > 0 {
			s.kinds[kind] = values
			said.Values += len(values)
		}
	}
	return s, said, nil
}

// Put keeps v, which must encode as JSON, under a kind ("session") and a key until a time. It replaces what was there.
// Kind and key must be UTF-8, because JSON would make one key of two that are not.
func (s *Store) Put(kind, key string, v any, until time.Time) error {
	if !utf8.ValidString(kind) || !utf8.ValidString(key) {
		return fmt.Errorf("keeping %q %q: this is not UTF-8", kind, key)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keeping %s %q: %w", kind, key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kinds[kind] == nil {
		s.kinds[kind] = make(map[string]kept)
	}
	s.kinds[kind][key] = kept{Until: until.UTC().Round(0), Value: b}
	s.dirty = true
	return nil
}

// Get decodes a value into v, a pointer. It returns false when there is none, when it has ended, and when it does not
// decode: one who wrote it in another form has lost it.
func (s *Store) Get(kind, key string, now time.Time, v any) bool {
	s.mu.Lock()
	k, ok := s.kinds[kind][key]
	s.mu.Unlock()
	return ok && k.Until.After(now) && json.Unmarshal(k.Value, v) == nil
}

// Delete forgets a value. It is no error when there is none.
func (s *Store) Delete(kind, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.kinds[kind][key]; ok {
		s.remove(kind, key)
	}
}

func (s *Store) remove(kind, key string) {
	delete(s.kinds[kind], key)
	if len(s.kinds[kind]) == 0 {
		delete(s.kinds, kind)
	}
	s.dirty = true
}

// Each returns the values of a kind that have not ended, as JSON, in order of their keys, as they are at the call:
// the loop may put and delete.
func (s *Store) Each(kind string, now time.Time) func(yield func(key string, value json.RawMessage) bool) {
	s.mu.Lock()
	values := maps.Clone(s.kinds[kind])
	s.mu.Unlock()
	return func(yield func(string, json.RawMessage) bool) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			if k := values[key]; k.Until.After(now) && !yield(key, slices.Clone(k.Value)) {
				return
			}
		}
	}
}

// Flush drops what has ended, and writes the file when something changed since the last one. After an error the old
// file is whole, and the next Flush tries again.
func (s *Store) Flush(now time.Time) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	b, err := s.encode(now)
	if err != nil || b == nil {
		return err
	}
	if err := disk.Replace(s.layer, s.path, b); err != nil {
		s.mu.Lock()
		s.dirty = true
		s.mu.Unlock()
		return fmt.Errorf("writing scratch: %w", err)
	}
	return nil
}

// encode drops what has ended and returns the file's bytes; none when the file is up to date.
func (s *Store) encode(now time.Time) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, values := range s.kinds {
		for key, k := range values {
			if !k.Until.After(now) {
				s.remove(kind, key)
			}
		}
	}
	if !s.dirty {
		return nil, nil
	}
	b, err := json.Marshal(file{Version: 1, Kinds: s.kinds})
	if err != nil {
		return nil, fmt.Errorf("writing scratch: %w", err)
	}
	s.dirty = false
	return b, nil
}
