package inlet

import (
	"container/heap"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"tocsin/internal/record"
)

const (
	slotTime = 5 * time.Minute
	idLen    = 16        // hexadecimal digits
	ahead    = time.Hour // how far a server's clock may be ahead; an object of a later time waits
)

// idOf names an object as it is now.
func idOf(o minio.ObjectInfo) string {
	sum := sha256.Sum256([]byte(o.Key + "\x00" + o.ETag))
	return hex.EncodeToString(sum[:])[:idLen]
}

// A done knows which objects of a bucket were read, as its positions say.
type done struct {
	file   string
	window time.Duration
	floor  time.Time // zero: the bucket was never looked at
	slots  map[int64][]string
	ids    map[string]bool
	now    string // id of the object under way, "" is none
	at     int64  // its bytes that are kept, unpacked
}

// newDone reads the positions that were archived.
func newDone(file string, window time.Duration, start map[string]record.Position) *done {
	d := &done{file: file, window: window, slots: map[int64][]string{}, ids: map[string]bool{}}
	if p, ok := start[file]; ok {
		d.floor = time.Unix(0, p.Offset)
	}
	if p, ok := start[file+"#now"]; ok && len(p.Print) > idLen {
		d.now, d.at = p.Print[:idLen], p.Offset
	}
	for name, p := range start {
		if !strings.HasPrefix(name, file+"#done-") {
			continue
		}
		for id := range slices.Chunk([]byte(p.Print), idLen) {
			if !d.ids[string(id)] {
				d.ids[string(id)] = true
				d.slots[p.Offset] = append(d.slots[p.Offset], string(id))
			}
		}
	}
	d.forget()
	return d
}

func (d *done) has(id string) bool { return d.ids[id] }

// under is the position of an object of which bytes up to at are kept.
func (d *done) under(o minio.ObjectInfo, at int64) record.Position {
	return record.Position{File: d.file + "#now", Print: idOf(o) + " " + o.Key, Offset: at}
}

// with returns the positions that say that an object is done, too, and takes that over once they are kept.
func (d *done) with(o minio.ObjectInfo, now time.Time) (positions []record.Position, take func()) {
	slot := o.LastModified.UnixNano() / int64(slotTime)
	id := idOf(o)
	ids := append(slices.Clone(d.slots[slot]), id)
	round := int64((d.window+ahead)/slotTime) + 2
	newest := o.LastModified
	if newest.After(now) {
		newest = now
	}
	floor := newest.Add(-d.window)
	if floor.Before(d.floor) {
		floor = d.floor
	}
	positions = []record.Position{
		{File: d.file, Offset: floor.UnixNano()},
		{File: d.file + "#now"},
		{File: fmt.Sprintf("%s#done-%d", d.file, slot%round), Print: strings.Join(ids, ""), PrintLen: int64(len(ids)), Offset: slot},
	}
	return positions, func() {
		d.slots[slot], d.ids[id] = ids, true
		d.floor, d.now, d.at = floor, "", 0
		d.forget()
	}
}

// forget lets go of what lies before the floor.
func (d *done) forget() {
	for slot, ids := range d.slots {
		if time.Unix(0, (slot+1)*int64(slotTime)).Before(d.floor) {
			for _, id := range ids {
				delete(d.ids, id)
			}
			delete(d.slots, slot)
		}
	}
}

// An oldest keeps the oldest objects of a listing: a heap, the newest first.
type oldest struct {
	all  []minio.ObjectInfo
	left bool // there are more
}

func older(a, b minio.ObjectInfo) int {
	if c := a.LastModified.Compare(b.LastModified); c != 0 {
		return c
	}
	return strings.Compare(a.Key, b.Key)
}

func (h *oldest) Len() int           { return len(h.all) }
func (h *oldest) Less(i, j int) bool { return older(h.all[i], h.all[j]) > 0 }
func (h *oldest) Swap(i, j int)      { h.all[i], h.all[j] = h.all[j], h.all[i] }
func (h *oldest) Push(x any)         { h.all = append(h.all, x.(minio.ObjectInfo)) }
func (h *oldest) Pop() any {
	last := h.all[len(h.all)-1]
	h.all = h.all[:len(h.all)-1]
	return last
}

func (h *oldest) add(o minio.ObjectInfo) {
	heap.Push(h, o)
	if len(h.all) > maxListed {
		heap.Pop(h)
		h.left = true
	}
}

func (h *oldest) sorted() []minio.ObjectInfo {
	slices.SortFunc(h.all, older)
	return slices.CompactFunc(h.all, func(a, b minio.ObjectInfo) bool { return a.Key == b.Key && a.ETag == b.ETag }) // prefixes may overlap
}
