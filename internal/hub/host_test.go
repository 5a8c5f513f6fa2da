package hub

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/internal/record"
)

// TestReadHost: given what an agent may say, when it is read, then every value is in its bounds and can be written as JSON.
func TestReadHost(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	good := now.Add(23 * time.Hour).Format(time.RFC3339)
	long := strings.Repeat("a", maxText-1) + "\u00e9 and more"
	b := `{"at":"0000-01-01T00:00:00+23:00","booted":"1969-12-31T23:59:59Z","kernel":"` + long + `","system":"\ud800",
		"updates":{"known":true,"why":"` + long + `","security":["a"],"all":-1},"clock":{"known":true,"offset":-9223372036854775808,"within":-1},
		"spool":{"bytes":-5,"full":"9999-12-31T23:59:59-23:00"},"ports":[{"port":70000}],"disks":null,
		"sources":[{"path":"/a","last":"` + good + `","lag":-3}],"gaps":[{"since":"2026-11-30T00:00:00Z","until":"2026-11-28T10:00:00+02:00","why":"` + long + `"}]}`
	h, err := readHost([]byte(b), now)
	if err != nil {
		t.Fatal(err)
	}
	want := record.Host{
		Kernel: long[:maxText-1], System: "\ufffd", Updates: record.Updates{Known: true, Why: long[:maxWhy], Security: []string{"a"}},
		Clock: record.Clock{Known: true, Offset: -maxOffset}, Ports: []record.Port{{Port: 65535}},
		Sources: []record.Feed{{Path: "/a", Last: now.Add(23 * time.Hour)}},
		Gaps:    []record.Gap{{Until: time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC), Why: long[:maxWhy]}},
	}
	if got, _ := json.Marshal(h); string(got) != string(mustJSON(want)) {
		t.Errorf("got  %s\nwant %s", got, mustJSON(want))
	}
}

// TestReadHostLists: given lists of a million of nothing, when they are read, then no more is taken than of sensible ones.
func TestReadHostLists(t *testing.T) {
	for _, name := range []string{"sources", "ports", "software", "disks", "gaps"} {
		b := []byte(`{"` + name + `":[` + strings.TrimSuffix(strings.Repeat("{},", maxState/3-20), ",") + `]}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := readHost(b, time.Now()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
			t.Errorf("%s: %d bytes for %d", name, took, len(b))
		}
	}
	b := `{"updates":{"security":[` + strings.TrimSuffix(strings.Repeat(`"",`, maxState/3-20), ",") + `]}}`
	h, err := readHost([]byte(b), time.Now())
	if err != nil || len(h.Updates.Security) != maxList || cap(h.Updates.Security) > maxList+maxList/8 {
		t.Errorf("%d of %d, %v", len(h.Updates.Security), cap(h.Updates.Security), err)
	}
	for _, bad := range []string{`{"gaps":{}}`, `{"gaps":"x"}`, `{"gaps":[1]}`, `{"gaps":[`, `[]`, ``} {
		if _, err := readHost([]byte(bad), time.Now()); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

// FuzzReadHost: whatever an agent says of its host, what is kept of it can be written as JSON, and read again it is the same.
func FuzzReadHost(f *testing.F) {
	f.Add([]byte(`{"at":"0000-01-01T00:00:00+23:00","ports":[{}],"PORTS":[{"port":1}],"ports":null}`))
	f.Add(mustJSON(record.Host{System: "Debian", Sources: []record.Feed{{Path: "/a", Last: time.Unix(1e9, 5)}}, Gaps: []record.Gap{{File: "/a", Since: time.Unix(1, 0)}}}))
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHost(b, now)
		if err != nil {
			return
		}
		said, err := json.Marshal(h)
		if err != nil {
			t.Fatalf("it cannot be written: %v", err)
		}
		again, err := readHost(said, now)
		if err != nil || !bytes.Equal(said, mustJSON(again)) {
			t.Fatalf("%s, again %s, %v", said, mustJSON(again), err)
		}
		if !utf8.ValidString(h.System) || len(h.System) > maxText+utf8.UTFMax || len(h.Gaps) > maxList {
			t.Errorf("out of bounds: %s", said)
		}
	})
}

// TestStarve: given an agent that begins many states of its host and ends none, when another sends, then it is taken.
func TestStarve(t *testing.T) {
	h := open(t, func(o *Options) { o.InFlight = 8 << 20 })
	evil, good := h.joined("evil"), h.joined("good")
	answers := make(chan int, 32)
	for range cap(answers) {
		half, more := io.Pipe()
		t.Cleanup(func() { more.CloseWithError(io.ErrClosedPipe) })
		go func() {
			r, _ := http.NewRequest("POST", h.url+"/agent/v1/state", half)
			got, err := evil.http.Do(r)
			if err != nil {
				answers <- 0
				return
			}
			got.Body.Close()
			answers <- got.StatusCode
		}()
	}
	for range cap(answers) - 1 { // all but the one that is heard
		if status := <-answers; status != 429 {
			t.Fatalf("status %d", status)
		}
	}
	if status, a := good.send(good.frame(1, "/a", "x")); status != 200 {
		t.Errorf("another agent: status %d, %+v", status, a)
	}
	if status, a := evil.send(evil.frame(1, "/a", "x")); status != 200 {
		t.Errorf("its own batches: status %d, %+v", status, a)
	}
}

// TestSeenAtEnd: given a request that takes long, when it ends, then the agent was heard then.
func TestSeenAtEnd(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	keep := h.hub.o.Append
	h.hub.o.Append = func(b record.Batch) (record.Receipt, error) {
		h.now.Store(int64(time.Hour))
		return keep(b)
	}
	if status, _ := g.send(g.frame(1, "/a", "x")); status != 200 {
		t.Fatal(status)
	}
	if seen := h.hub.Agents()[0].Seen; time.Until(seen) < 50*time.Minute {
		t.Errorf("heard last at %v", seen)
	}
}
