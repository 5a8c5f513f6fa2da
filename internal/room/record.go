package room

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

const (
	longestTape  = 12 * time.Hour
	largestTape  = 8 << 30 // bytes, of all voices together
	manifestFile = "manifest.json"
)

// A recording writes each seat's stream into a file of its own, as it came: seat-03.ogg (RFC 7845), and at the end
// manifest.json, which names all with their SHA-256. One goroutine writes, so that a slow disk delays nobody's words.
type recording struct {
	room *Room
	dir  string
	root *os.Root
	from time.Time
	by   string

	in   chan sound
	stop chan struct{}
	done chan struct{}
	lost atomic.Int64 // packets that came faster than the disk took them
	size atomic.Int64
	bad  atomic.Pointer[error]

	tapes map[int]*tape // of the goroutine, until done is closed
}

// A sound is a packet that was heard.
type sound struct {
	seat    *seat
	stamp   uint32 // of RTP
	payload []byte
	at      time.Time
}

// newRecording makes the folder and begins to listen. Nothing is written before the first sound.
func newRecording(r *Room, by string) (*recording, error) {
	dir, err := r.rs.o.Folder(r.name)
	if err != nil {
		return nil, fmt.Errorf("asking for a folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if _, err := root.Lstat(manifestFile); err == nil {
		root.Close()
		return nil, fmt.Errorf("the folder %s holds a recording already", dir)
	}
	t := &recording{room: r, dir: dir, root: root, from: now(), by: by, in: make(chan sound, 1024), stop: make(chan struct{}), done: make(chan struct{}), tapes: map[int]*tape{}}
	go t.run() // finish and drop wait for it
	return t, nil
}

// hear takes a packet of a seat. It never waits.
func (t *recording) hear(s *seat, stamp uint32, payload []byte, at time.Time) {
	select {
	case t.in <- sound{s, stamp, payload, at}:
	default:
		t.lost.Add(1)
	}
}

// run writes what is heard until it is stopped.
func (t *recording) run() {
	defer close(t.done)
	for {
		select {
		case s := <-t.in:
			t.write(s)
		case <-t.stop:
			for {
				select {
				case s := <-t.in:
					t.write(s)
				default:
					return
				}
			}
		}
	}
}

// write writes one packet. After an error nothing more is written.
func (t *recording) write(s sound) {
	if t.bad.Load() != nil {
		return
	}
	k, ok := t.tapes[s.seat.number]
	var err error
	if !ok {
		if k, err = newTape(t.root, s, t.from, &t.size); err == nil {
			t.tapes[s.seat.number] = k
		}
	}
	if err == nil {
		err = k.write(s)
	}
	if err != nil {
		t.bad.Store(&err)
	}
}

// ends says why the recording cannot go on, or "".
func (t *recording) ends(at time.Time) string {
	switch bad := t.bad.Load(); {
	case bad != nil:
		return "It cannot be written any more: " + (*bad).Error() + "."
	case at.Sub(t.from) >= longestTape:
		return "It has reached 12 hours. Switch it on again to go on."
	case t.size.Load() >= largestTape:
		return "It has reached 8 GiB. Switch it on again to go on."
	}
	return ""
}

// checkTape ends a recording that cannot go on, and says so on every page.
func (r *Room) checkTape(at time.Time) {
	r.mu.Lock()
	t := r.tape
	r.mu.Unlock()
	if t == nil {
		return
	}
	why := t.ends(at)
	if why == "" {
		return
	}
	r.door.Lock()
	defer r.door.Unlock()
	r.mu.Lock()
	same := r.tape == t
	r.mu.Unlock()
	if !same {
		return
	}
	r.stopTape(doer{}, why) // it tells, and logs what goes wrong
	r.mu.Lock()
	r.fault = "The recording has ended by itself. The timeline and the server's log say why."
	r.stir()
	r.mu.Unlock()
}

// drop ends a recording that never began.
func (t *recording) drop() {
	close(t.stop)
	<-t.done
	t.root.Close()
}

// A Manifest is what stands in manifest.json: which voice is in which file, and when each began, so that they can be laid over each other.
type Manifest struct {
	Format string    `json:"format"` // "tocsin-room-recording/1"
	Room   string    `json:"room"`
	From   time.Time `json:"from"`  // switched on
	Until  time.Time `json:"until"` // switched off
	By     string    `json:"by"`    // who switched it on
	Ended  string    `json:"ended"` // who switched it off; "" is nobody: all left, or it could not go on
	Lost   int64     `json:"lost"`  // packets that came faster than they could be written
	Fault  string    `json:"fault,omitempty"`
	Files  []Voice   `json:"files"`
}

// A Voice is one seat's file.
type Voice struct {
	File   string `json:"file"`
	Seat   int    `json:"seat"`
	Person string `json:"person,omitempty"`
	Name   string `json:"name"`
	Starts int64  `json:"starts_ms"` // after From; pauses within the file are filled with silence
	Long   int64  `json:"long_ms"`
	Unread int64  `json:"unread"` // packets that were no Opus
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// finish writes the files to the disk and then the manifest, and returns the manifest's SHA-256. The error is that of the
// recording as a whole: the manifest is written even if a voice was lost.
func (t *recording) finish(by string) (sum string, err error) {
	close(t.stop)
	<-t.done
	defer t.root.Close()
	m := Manifest{Format: "tocsin-room-recording/1", Room: t.room.name, From: t.from, Until: now(), By: t.by, Ended: by, Lost: t.lost.Load(), Files: []Voice{}}
	var errs []error
	if bad := t.bad.Load(); bad != nil {
		errs = append(errs, *bad)
	}
	for _, k := range t.tapes {
		v, err := k.finish(t.root)
		errs = append(errs, err)
		m.Files = append(m.Files, v)
	}
	slices.SortFunc(m.Files, func(a, b Voice) int { return a.Seat - b.Seat })
	if err := errors.Join(errs...); err != nil {
		m.Fault = err.Error()
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		b = append(b, '\n')
		err = writeWhole(t.root, t.dir, b)
	}
	if err != nil {
		return "", errors.Join(append(errs, fmt.Errorf("writing the manifest of a recording: %w", err))...)
	}
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:]), errors.Join(errs...)
}

// writeWhole writes the manifest so that it is there as a whole or not at all, and so are the names of the files beside it.
func writeWhole(root *os.Root, dir string, b []byte) error {
	const part = manifestFile + ".part"
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := root.Rename(part, manifestFile); err != nil {
		return err
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		h, err := os.Open(d)
		if err != nil {
			return err
		}
		if err := errors.Join(h.Sync(), h.Close()); err != nil {
			return err
		}
	}
	return nil
}

// hashOf reads a finished file.
func hashOf(root *os.Root, name string) (sum string, size int64, err error) {
	f, err := root.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
