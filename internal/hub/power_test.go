package hub

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// TestPowerCut: given a server whose power fails at any step, when the agent sends again what it has no receipt for, then every line is in the
// archive once and in order, whatever the disk kept of what was not synced.
func TestPowerCut(t *testing.T) {
	ca, err := NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	me := Joined{ID: "agent-1", Name: "shop1", Key: keyOf(nil)}
	begin := func(l disk.Layer) (*Hub, *archive.Archive, error) {
		a, _, err := archive.Open(l, "archive", archive.Options{SegmentBytes: 400})
		if err != nil {
			return nil, nil, err
		}
		h, err := New(Options{CA: ca, State: State{Agents: []Joined{me}}, Append: a.Append, Positions: a.Positions, Save: func(State) error { return nil }})
		return h, a, err
	}
	const batches = 6
	g := &guest{h: &house{t: t}, boot: "b1"}
	var frames [][]byte
	var want []string
	for n := range batches {
		frames = append(frames, g.frame(uint64(n+1), "/a.log", fmt.Sprint("line ", n)))
		want = append(want, fmt.Sprint("line ", n))
	}
	send := func(h *Hub, frame []byte) bool {
		r := httptest.NewRequest("POST", "/agent/v1/batches", bytes.NewReader(frame))
		c := &x509.Certificate{NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: me.ID}}
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{c}}}
		w := httptest.NewRecorder()
		h.batches(w, r, me)
		var a record.Receipts
		return w.Code == 200 && json.Unmarshal(w.Body.Bytes(), &a) == nil && len(a.Receipts) == 1
	}
	for step := 0; ; step++ {
		l := disk.NewLossy()
		l.FailAfter(step)
		acked := 0
		if h, _, err := begin(l); err == nil {
			for acked < batches && send(h, frames[acked]) {
				acked++
			}
		}
		cuts := []*disk.Lossy{l.Crash()}
		for seed := range uint64(4) {
			cuts = append(cuts, l.CrashSeed(seed))
		}
		for i, c := range cuts {
			h, a, err := begin(c)
			if err != nil {
				t.Fatalf("step %d, cut %d: %v", step, i, err)
			}
			if last := a.Last(); last < int64(acked) {
				t.Fatalf("step %d, cut %d: %d lines are left of %d acknowledged", step, i, last, acked)
			}
			if acked > 0 && !send(h, frames[acked-1]) && a.Last() == int64(acked) {
				t.Fatalf("step %d, cut %d: the newest is not known again", step, i)
			}
			for _, f := range frames[acked:] {
				if !send(h, f) {
					t.Fatalf("step %d, cut %d: what has no receipt is not taken", step, i)
				}
			}
			var got []string
			blocks, err := a.Read(1, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range blocks {
				for _, line := range b.Lines {
					got = append(got, line.Raw)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("step %d, cut %d: %q", step, i, got)
			}
			a.Close()
		}
		if acked == batches {
			t.Logf("%d steps", step)
			return
		}
	}
}
