package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/hub"
	"tocsin/internal/record"
)

// A hosted run is a server that hears an agent, on a disk whose power fails at a step, and that may be full before.
type hosted struct {
	*house
	fullAt  atomic.Int64 // of the layer's operations: from then on there is no room; 0 is never. Loops of the desk look at it side by side
	room    uint64
	files   map[string][]string // what the host wrote
	evil    int
	frames  [][]byte
	acked   int // batches with a receipt
	refused int
}

const hostID, hostKey, waves, batchesOfWave = "agent-1", "its public key", 3, 4

// newHosted prepares a folder to which an agent joined, and what that agent will send.
func newHosted(t *testing.T) *hosted {
	t.Helper()
	h := &hosted{house: newHouse(t), files: map[string][]string{}}
	h.o.LogBytes, h.o.JoinAfter = 700, time.Second
	h.o.Hub = &HubOptions{Listener: deaf{make(chan struct{})}}
	d, stop := h.start()
	token, key := sha256.Sum256([]byte("token")), sha256.Sum256([]byte(hostKey))
	s := hub.State{Tokens: []hub.Pending{{Hash: token[:], Name: "web-1", By: "command", Made: time.Now(), Expires: time.Now().Add(time.Hour)}}}
	err := d.keepAgents(s)
	if err == nil {
		s.Agents = []hub.Joined{{ID: hostID, Name: "web-1", Joined: time.Now(), From: "192.0.2.1:1", Token: token[:], Key: hex.EncodeToString(key[:]), Expires: time.Now().Add(1000 * time.Hour)}}
		err = d.keepAgents(s)
	}
	if err != nil {
		t.Fatal(err)
	}
	stop()
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[string]int64{}
	for n := range waves * batchesOfWave {
		b := record.Batch{Received: time.Now(), Start: n == 0}
		for i := range 12 {
			file := []string{"/log/access.log", "/log/shop.log"}[i%2]
			raw := request(time.Now(), fmt.Sprintf("198.51.%d.%d", n, i), fmt.Sprintf("/p/%d/%d", n, i))
			if n%batchesOfWave == 1 && i == 4 {
				h.evil++
				raw = request(time.Now(), fmt.Sprintf("192.0.%d.7", n), "/evil")
			}
			b.Lines = append(b.Lines, record.Line{File: file, Offset: offsets[file], Raw: raw})
			offsets[file] += int64(len(raw)) + 1
			h.files[file] = append(h.files[file], raw)
		}
		for file, at := range offsets {
			b.Positions = append(b.Positions, record.Position{File: file, Offset: at})
		}
		plain, err := record.PackBatch(b)
		if err != nil {
			t.Fatal(err)
		}
		payload := packer.EncodeAll(plain, nil)
		h.frames = append(h.frames, record.AppendFrame(nil, record.Frame{Boot: "b1", Number: uint64(n + 1), Plain: len(plain), Payload: payload}))
	}
	return h
}

// A deaf listener hears nobody: what the agent sends is handed over.
type deaf struct{ closed chan struct{} }

func (d deaf) Accept() (net.Conn, error) { <-d.closed; return nil, net.ErrClosed }
func (d deaf) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (d deaf) Close() error {
	select {
	case <-d.closed:
	default:
		close(d.closed)
	}
	return nil
}

// A filling layer has no room from an operation on.
type filling struct {
	disk.Layer
	h *hosted
	l *disk.Lossy
}

func (f filling) look() {
	if at := f.h.fullAt.Load(); at > 0 && f.l.Ops() >= int(at) && f.h.fullAt.CompareAndSwap(at, 0) {
		f.l.SetFree(f.h.room)
	}
}

func (f filling) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f.look()
	return f.Layer.OpenFile(name, flag, perm)
}

func (f filling) SyncDir(name string) error {
	f.look()
	return f.Layer.SyncDir(name)
}

// live opens the desk and runs it; nil when it did not open.
func (h *hosted) live() (*Desk, func(), error) {
	o := h.o
	o.Data, o.Keys = filling{h.data, h, h.data}, h.keys
	o.Hub = &HubOptions{Listener: deaf{make(chan struct{})}}
	d, err := Open(slog.New(slog.NewTextHandler(h, nil)), o)
	if err != nil {
		return nil, func() {}, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { defer close(ran); _ = d.Run(ctx) }()
	return d, func() {
		cancel()
		<-ran
		_ = d.Close()
	}, nil
}

// send sends the oldest batch without a receipt, as the agent does.
func (h *hosted) send(d *Desk) bool {
	if h.acked == len(h.frames) {
		return true
	}
	r := httptest.NewRequest("POST", "/agent/v1/batches", bytes.NewReader(h.frames[h.acked]))
	c := &x509.Certificate{NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: hostID}, RawSubjectPublicKeyInfo: []byte(hostKey)}
	r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{c}}}
	w := httptest.NewRecorder()
	d.agents.hub.Handler().ServeHTTP(w, r)
	var a record.Receipts
	if w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &a) != nil || len(a.Receipts) != 1 {
		h.refused++
		return false
	}
	h.acked++
	return true
}

// work is some minutes in which lines come, go to the shelf and are joined.
func (h *hosted) work(d *Desk) {
	for range waves {
		for range batchesOfWave {
			h.send(d)
			time.Sleep(time.Second)
		}
		time.Sleep(35 * time.Second)
		synctest.Wait()
	}
}

// kept are the lines that are kept, by file, in their order.
func (h *hosted) kept(t *testing.T, d *Desk) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for next := int64(1); next <= d.archive.Last(); {
		blocks, _, err := d.readLines(next, 50)
		if err != nil || len(blocks) == 0 {
			t.Fatalf("line %d cannot be read: %v", next, err)
		}
		for _, b := range blocks {
			for _, l := range b.Lines {
				if l.Seq != next || l.Host != "web-1" {
					t.Fatalf("line %d of %s stands where line %d should", l.Seq, l.Host, next)
				}
				out[l.File] = append(out[l.File], l.Raw)
				next++
			}
		}
	}
	return out
}

// judge starts the program again on what is left, lets the agent send what it has no receipt for, and holds all against what was written.
func (h *hosted) judge(t *testing.T) {
	t.Helper()
	d, stop, err := h.live()
	if err != nil {
		t.Fatalf("it does not start again: %v", err)
	}
	defer func() { stop() }()
	now := h.kept(t, d)
	for file, written := range h.files {
		if n := h.acked * 6; len(now[file]) < n || !slices.Equal(now[file], written[:len(now[file])]) {
			t.Fatalf("%d lines of %s had a receipt, %d are there:\n%q", n, file, len(now[file]), now[file])
		}
	}
	for n := 0; n < 50 && h.acked < len(h.frames); n++ {
		h.send(d)
		time.Sleep(time.Second)
	}
	time.Sleep(10 * time.Second)
	synctest.Wait()
	now = h.kept(t, d)
	for file, written := range h.files {
		if !slices.Equal(now[file], written) {
			t.Fatalf("in the end %d lines of %s are kept, %d were written", len(now[file]), file, len(written))
		}
	}
	if got := h.asked(d, "host=web-1 | count"); got.Matched != int64(12*len(h.frames)) || len(got.Damaged) > 0 {
		t.Errorf("a search finds %d lines of %d", got.Matched, 12*len(h.frames))
	}
	if got := h.entries(d)[entry.AlertRaised]; got != h.evil {
		t.Errorf("%d alerts of %d attacks", got, h.evil)
	}
	ledger, err := OpenLedger(h.data, h.keys, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := VerifyLines(context.Background(), h.data, ledger, nil)
	if err != nil || len(v.Faults)+len(v.Aside)+len(v.Unsaid) > 0 {
		t.Errorf("archive verify: %+v, %v", v, err)
	}
}

// TestPowerCutOfHosts pulls the plug at every step of a server that keeps the lines of another host, puts them on the shelf and joins volumes there,
// in 20 of them with a full disk (in the short form at some, in 3): every line with a receipt is there once, byte for byte, each file in its order,
// no segment and no volume is unreadable, and the rest comes when the agent sends it again. Set TOCSIN_SOAK for every step.
func TestPowerCutOfHosts(t *testing.T) {
	begin, steps := 0, 0
	synctest.Test(t, func(t *testing.T) {
		h := newHosted(t)
		begin = h.data.Ops()
		d, stop, err := h.live()
		if err != nil {
			t.Fatal(err)
		}
		h.work(d)
		if e := h.entries(d); h.acked != len(h.frames) || e[entry.LinesSealed] == 0 || e[entry.LinesJoined] == 0 {
			t.Fatalf("without a cut: %d receipts of %d, %d sealings, %d joinings", h.acked, len(h.frames), e[entry.LinesSealed], e[entry.LinesJoined])
		}
		stop()
		steps = h.data.Ops() - begin
		h.judge(t)
	})
	stride, full := max(1, steps/7), 3
	if os.Getenv("TOCSIN_SOAK") != "" {
		stride, full = 1, 20
	}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	cuts, refused := 0, 0
	try := func(at, fullAt int, seed uint64, reserve uint64) (wasFull bool) {
		t.Run(fmt.Sprintf("step %d, full at %d, seed %d", at, fullAt, seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosted(t)
				h.o.Reserve = reserve
				if begin := h.data.Ops(); true {
					h.data.FailAfter(begin + at)
					if fullAt > 0 {
						h.room = seed % 7 * 600
						h.fullAt.Store(int64(begin + fullAt))
					}
				}
				if d, stop, err := h.live(); err == nil {
					h.work(d)
					stop()
				}
				refused += h.refused
				wasFull = fullAt > 0 && h.fullAt.Swap(0) == 0 // what did not come before the cut does not come behind it
				h.keys = h.keys.Crash()
				if seed%2 == 0 {
					h.data = h.data.Crash()
				} else {
					h.data = h.data.CrashSeed(seed)
				}
				h.data.SetFree(1 << 60)
				h.judge(t)
			})
		})
		cuts++
		return wasFull
	}
	for n := 1 + r.IntN(stride); n <= steps && !t.Failed(); n += stride {
		try(n, 0, uint64(r.IntN(100)), 0)
	}
	for k, tries := 0, 0; k < full && !t.Failed(); tries++ {
		if tries == 5*full {
			t.Fatalf("the disk was full in %d cuts only, of %d tries", k, tries)
		}
		at := steps * (k + 1) / (full + 1)
		if try(at+r.IntN(80), at, uint64(r.IntN(100)), []uint64{0, 64 << 20}[k%2]) {
			k++
		}
	}
	t.Logf("%d power cuts over %d steps, %d of them with a full disk; %d times the server took no lines", cuts, steps, full, refused)
}
