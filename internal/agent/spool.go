package agent

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// A Spool keeps batches on the disk until the server has them. Append is durable when it returns, and nothing goes before Acked was
// told of it: a spool that is full makes Append wait, and loses nothing.
//
// It is a folder of segments, each of which begins with how far every file was read and which starts of the agent its batches are
// of; so the positions outlive the segments that they came in. Every batch has a place, counted from 1 for ever. Its number, which the
// server sees, is its place less the base of its boot: each start of the program is a new boot, so that an agent that comes
// back from a backup cannot say another thing under a number that it used.
type Spool struct {
	log     *slog.Logger
	layer   disk.Layer
	limit   int64
	roll    int64 // bytes from which a segment is closed
	packer  *zstd.Encoder
	stopped time.Time

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at each change
	segments  []*spooled    // oldest first; the last is live
	live      disk.File
	next      uint64 // place of the next batch
	acked     uint64 // place of the last batch that the server has
	boots     []boot // as written
	positions map[string]record.Position
	full      time.Time // since when somebody waits for room
	broken    error
	closed    bool
	damage    []record.Gap
}

// ErrClosed says that a spool takes nothing any more, because the program ends.
var ErrClosed = errors.New("the spool is closed")

// A spooled segment.
type spooled struct {
	name  string
	first uint64 // place of its first batch, or of the next to come
	next  uint64 // place after its last
	size  int64
}

// A boot names the batches after base, unless one that was written later does.
type boot struct {
	name string
	base uint64
}

// A waiting batch is one that the server does not have.
type waiting struct {
	place uint64
	frame record.Frame
}

const (
	spoolSuffix  = ".spool"
	spoolUnborn  = ".new"
	smallestRoll = 64 << 10
	largestRoll  = 4 << 20
)

// OpenSpool opens the spool in the root of a layer, and begins a new boot. Limit is in bytes; a torn tail, which was never acknowledged,
// is cut. A segment that is damaged is left behind as far as it cannot be read, and Damage says so.
func OpenSpool(log *slog.Logger, l disk.Layer, limit int64) (*Spool, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	s := &Spool{
		log: log, layer: l, limit: limit, roll: min(max(limit/8, smallestRoll), largestRoll), packer: packer,
		changed: make(chan struct{}), next: 1, positions: map[string]record.Position{},
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(s.next - 1); err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	return s, nil
}

// load reads all segments.
func (s *Spool) load() error {
	files, err := s.layer.ReadDir(".")
	if err != nil {
		return err
	}
	var names []string
	for _, f := range files {
		switch path.Ext(f.Name()) {
		case spoolUnborn:
			if err := s.layer.Remove(f.Name()); err != nil {
				return err
			}
		case spoolSuffix:
			names = append(names, f.Name())
		}
	}
	for i, name := range names {
		if err := s.loadSegment(name, i == len(names)-1); err != nil {
			return err
		}
	}
	if s.live == nil {
		if err := s.newSegment(); err != nil {
			return err
		}
	}
	s.acked = s.segments[0].first - 1
	return nil
}

// loadSegment reads one segment and keeps what is said in it. Only of the newest may the end be torn.
func (s *Spool) loadSegment(name string, newest bool) error {
	f, err := s.layer.OpenFile(name, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	b, err := disk.ReadFile(s.layer, name)
	if err != nil {
		f.Close()
		return err
	}
	g := &spooled{name: name, first: s.next, next: s.next}
	at, bad := 0, error(nil)
	for at < len(b) {
		p, err := parsePiece(b[at:])
		if err == nil {
			err = s.take(g, p, at == 0)
		}
		if err != nil {
			bad = err
			break
		}
		at += p.size
	}
	g.size = int64(at)
	st, serr := f.Stat()
	since, until := s.stopped, time.Now() // nobody knows until when
	if serr == nil {
		until = st.ModTime()
	}
	if serr == nil && st.ModTime().After(s.stopped) {
		s.stopped = st.ModTime()
	}
	switch {
	case bad != nil && (!newest || at == 0):
		s.log.Error("a segment of the spool is damaged: the batches after this place are lost", "segment", name, "byte", at, "place", g.next, "err", bad)
		from := g.next
		if place, err := strconv.ParseUint(strings.TrimSuffix(name, spoolSuffix), 10, 63); at == 0 && err == nil { // the segments before may have gone meanwhile
			from = place
		}
		s.damage = append(s.damage, record.Gap{File: "spool:", From: int64(from), Since: since, Until: until, Why: "the segment " + name + " of the spool is damaged: " + bad.Error()})
	case bad != nil:
		s.log.Warn("the last write to the spool was not finished; what had not been acknowledged is cut", "segment", name, "byte", at, "bytes", len(b)-at)
		err = f.Truncate(int64(at))
	}
	if at > 0 {
		s.segments = append(s.segments, g)
	}
	if !newest || at == 0 { // without its head a segment is not written to: a new one takes its place
		return errors.Join(err, f.Close())
	}
	// What was read may lie in the page cache alone: it is acted on only when it is durable.
	if err = errors.Join(err, f.Sync(), s.layer.SyncDir(".")); err != nil {
		f.Close()
		return err
	}
	s.live = f
	return nil
}

// take keeps what a piece of a segment says.
func (s *Spool) take(g *spooled, p piece, head bool) error {
	switch {
	case p.kind == pieceHead && head:
		h, err := parseHead(p.payload)
		if err != nil {
			return err
		}
		if len(s.segments) == 0 || p.place > s.next {
			g.first, g.next, s.next = p.place, p.place, p.place
		}
		s.boots, s.positions = h.boots, h.positions
	case head:
		return errors.New("the segment does not begin with a head")
	case p.kind == pieceBoot:
		s.boots = append(s.boots, boot{string(p.payload), p.place})
	case p.kind == pieceBatch && p.place == s.next:
		positions, payload, err := parseBatchPiece(p.payload)
		if err != nil || len(payload) == 0 {
			return errors.Join(err, errors.New("a batch of the spool cannot be read"))
		}
		for _, q := range positions {
			s.positions[q.File] = q
		}
		s.next++
		g.next = s.next
	default:
		return fmt.Errorf("a piece of kind %d at place %d, where %d should follow", p.kind, p.place, s.next)
	}
	return nil
}

// begin starts a boot for the batches after base. The lock is held.
func (s *Spool) begin(base uint64) error {
	b := boot{newBoot(), base}
	if err := s.put(appendPiece(nil, pieceBoot, base, 0, []byte(b.name))); err != nil {
		return err
	}
	s.boots = append(s.boots, b)
	return nil
}

// Renumber begins a new boot for all batches that wait: the server has something else under the numbers that they had.
func (s *Spool) Renumber() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.broken != nil:
		return s.broken
	case s.closed:
		return ErrClosed
	}
	return s.begin(s.present(s.acked+1) - 1)
}

func newBoot() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// nameOf says which boot and number the batch at a place has.
func (s *Spool) nameOf(place uint64) (string, uint64) {
	for _, b := range slices.Backward(s.boots) {
		if b.base < place {
			return b.name, place - b.base
		}
	}
	return "", 0
}

// placeOf is nameOf backwards, for batches that are there.
func (s *Spool) placeOf(name string, number uint64) (uint64, bool) {
	for _, b := range s.boots {
		if place := b.base + number; b.name == name && place < s.next && place >= s.segments[0].first {
			n, m := s.nameOf(place)
			return place, n == name && m == number
		}
	}
	return 0, false
}

// Append keeps a batch: when it returns nil, lines and positions are on the disk. It waits while the spool is full. After
// an error that is not ErrClosed nothing was kept, and a later try may succeed, unless Err says that the spool is broken.
func (s *Spool) Append(b record.Batch) (record.Receipt, error) {
	plain, err := record.PackBatch(b)
	if err != nil {
		return record.Receipt{}, err
	}
	payload := batchPiece(b.Positions, s.packer.EncodeAll(plain, nil))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(pieceHeader + int64(len(payload))); err != nil {
		return record.Receipt{}, err
	}
	g := s.segments[len(s.segments)-1]
	if g.size >= s.roll && g.next > g.first {
		if err := s.newSegment(); err != nil {
			return record.Receipt{}, s.fail(err)
		}
		g = s.segments[len(s.segments)-1]
	}
	if err := s.put(appendPiece(nil, pieceBatch, s.next, uint32(len(plain)), payload)); err != nil {
		return record.Receipt{}, err
	}
	for _, p := range b.Positions {
		s.positions[p.File] = p
	}
	s.next++
	g.next = s.next
	s.tell()
	return record.Receipt{First: 1, Last: 0}, nil
}

// room waits until so many bytes fit. A single batch always does.
func (s *Spool) room(bytes int64) error {
	waits := false
	for {
		switch {
		case s.closed:
			return ErrClosed
		case s.broken != nil:
			return s.broken
		case s.acked+1 == s.next && s.size()+bytes > s.limit:
			if g := s.segments[len(s.segments)-1]; g.next > g.first {
				if err := s.newSegment(); err != nil {
					return s.fail(err)
				}
				if err := s.trim(); err != nil {
					return s.fail(err)
				}
			}
		}
		if s.acked+1 == s.next || s.size()+bytes <= s.limit {
			if waits && !s.full.IsZero() {
				s.log.Info("the spool takes lines again", "waited", time.Since(s.full).Round(time.Second))
				s.full = time.Time{}
			}
			return nil
		}
		if waits = true; s.full.IsZero() {
			s.full = time.Now()
			s.log.Warn("the spool is full: reading waits until the server takes lines again; nothing is lost as long as the log files stay", "bytes", s.size(), "limit", s.limit)
		}
		turn := s.changed
		s.mu.Unlock()
		<-turn
		s.mu.Lock()
	}
}

// size is how many bytes all segments have.
func (s *Spool) size() (n int64) {
	for _, g := range s.segments {
		n += g.size
	}
	return n
}

// put writes at the end of the live segment and syncs. A full disk leaves the segment as it was; any other error breaks the spool.
func (s *Spool) put(b []byte) error {
	g := s.segments[len(s.segments)-1]
	_, err := s.live.WriteAt(b, g.size)
	if disk.Full(err) && s.live.Truncate(g.size) == nil && s.live.Sync() == nil {
		return fmt.Errorf("writing the spool: %w; free space on its disk", err)
	}
	if err == nil {
		err = s.live.Sync()
	}
	if err != nil {
		return s.fail(err)
	}
	g.size += int64(len(b))
	return nil
}

// fail breaks the spool: after a write or sync that failed nobody knows what is kept until it is opened again.
func (s *Spool) fail(err error) error {
	if disk.Full(err) {
		return fmt.Errorf("writing the spool: %w; free space on its disk", err)
	}
	if s.broken == nil {
		s.broken = fmt.Errorf("the spool cannot be written any more, start the agent again: %w", err)
		s.tell()
	}
	return s.broken
}

// newSegment begins a segment with its head, and gives it its name when it is synced.
func (s *Spool) newSegment() error {
	g := &spooled{name: fmt.Sprintf("%020d%s", s.next, spoolSuffix), first: s.next, next: s.next}
	s.boots = slices.DeleteFunc(s.boots, func(b boot) bool {
		return slices.ContainsFunc(s.boots[slices.Index(s.boots, b)+1:], func(later boot) bool { return later.base <= s.acked })
	})
	b := appendPiece(nil, pieceHead, s.next, 0, packHead(head{s.boots, s.positions}))
	unborn := strings.TrimSuffix(g.name, spoolSuffix) + spoolUnborn
	f, err := s.layer.OpenFile(unborn, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(b, 0); err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		if disk.Full(err) {
			_ = s.layer.Remove(unborn) // else the next try overwrites it
		}
		return err
	}
	if err = s.layer.Rename(unborn, g.name); err == nil {
		err = s.layer.SyncDir(".")
	}
	if err != nil {
		f.Close()
		return err
	}
	if s.live != nil {
		s.live.Close()
	}
	g.size = int64(len(b))
	s.live, s.segments = f, append(s.segments, g)
	return nil
}

// trim removes segments of which the server has everything. A removal that a power cut takes back only makes the agent look at
// them once more.
func (s *Spool) trim() error {
	for len(s.segments) > 1 && s.segments[0].next <= s.acked+1 {
		if err := s.layer.Remove(s.segments[0].name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := s.layer.SyncDir("."); err != nil {
			return err
		}
		s.segments = s.segments[1:]
	}
	return nil
}

// tell wakes who waits for a change.
func (s *Spool) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Acked says that the server has every batch up to a place: they may go.
func (s *Spool) Acked(place uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if place <= s.acked || place >= s.next {
		return nil
	}
	s.acked = place
	err := s.trim()
	s.tell()
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// Positions says how far each file was read into the spool.
func (s *Spool) Positions() map[string]record.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.positions)
}

// State says how full it is.
func (s *Spool) State() record.Spool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return record.Spool{Bytes: s.size(), Limit: s.limit, Batches: int64(s.next - 1 - s.acked), Full: s.full}
}

// Damage is what was lost of the spool itself. It is the same at each start, as long as the damaged segment is there.
func (s *Spool) Damage() []record.Gap { return s.damage }

// Stopped is when the spool was last written before it was opened; zero when it is new.
func (s *Spool) Stopped() time.Time { return s.stopped }

// Err says why the spool is broken.
func (s *Spool) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// Close lets nobody wait any more. What is kept is sent at the next start.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.tell()
	return s.live.Close()
}
