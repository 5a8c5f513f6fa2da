package room

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

// readManifest reads a finished recording, and holds every file against its hash.
func readManifest(t *testing.T, dir string) (m Manifest, sum string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range m.Files {
		f, err := os.ReadFile(filepath.Join(dir, v.File))
		if err != nil {
			t.Fatal(err)
		}
		if s := sha256.Sum256(f); v.SHA256 != hex.EncodeToString(s[:]) || v.Bytes != int64(len(f)) {
			t.Errorf("%s is not what the manifest says", v.File)
		}
	}
	s := sha256.Sum256(b)
	return m, hex.EncodeToString(s[:])
}

// packets reads an Ogg file (RFC 3533, RFC 7845): every page's checksum, the granule of the last, and the packets behind the two heads.
func packets(t *testing.T, name string) (granule uint64, payloads [][]byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, head, err := oggreader.NewWith(bytes.NewReader(b))
	if err != nil || head.SampleRate != 48000 || head.Channels != 2 {
		t.Fatalf("%s: %+v, %v", name, head, err)
	}
	for {
		payload, page, err := r.ParseNextPage()
		if err != nil {
			break
		}
		if !bytes.HasPrefix(payload, []byte("OpusTags")) {
			granule = page.GranulePosition
			payloads = append(payloads, payload)
		}
	}
	last := bytes.LastIndex(b, []byte("OggS"))
	if last < 0 || b[last+5]&4 == 0 || binary.LittleEndian.Uint64(b[last+6:]) != granule {
		t.Errorf("%s does not end with a last page", name)
	}
	return granule, payloads
}

// A recording is a host's to switch on, is told before it begins and after it ends, and keeps each voice by itself and in its time; what was
// said while muted is not in it.
func TestRecording(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "12")
	h := newHouse(t, func(o *Options) { o.Folder = func(string) (string, error) { return dir, nil } })
	a, b := h.enter(h.seal(Ticket{Name: "Anna", Person: "anna", Host: true})), h.enter(h.seal(Ticket{Name: "../../Boris"}))
	b.follow()
	stop := make(chan struct{})
	var done sync.WaitGroup
	a.dial()
	b.dial()
	a.say('A', stop, &done)
	b.say('B', stop, &done)
	a.more('B', 2)
	b.more('A', 2)

	if status, _ := h.ask("/record", b.secret, map[string]any{"on": true}, nil); status != http.StatusForbidden {
		t.Errorf("who is no host records: %d", status)
	}
	h.mu.Lock()
	h.refuse = true
	h.mu.Unlock()
	if status, _ := h.ask("/record", a.secret, map[string]any{"on": true}, nil); status != http.StatusServiceUnavailable {
		t.Errorf("it is recorded although that cannot be written down: %d", status)
	}
	h.mu.Lock()
	h.refuse = false
	h.mu.Unlock()
	if status, says := h.ask("/record", a.secret, map[string]any{"on": true}, nil); status != http.StatusNoContent {
		t.Fatal(status, says)
	}
	h.soon("the notice", func() bool { r := b.view().Recording; return r != nil && r.By == "Anna" })
	a.more('B', 10)
	h.ask("/mute", b.secret, map[string]any{"seat": b.seat, "muted": true}, nil)
	b.more('A', 30)
	h.ask("/mute", b.secret, map[string]any{"seat": b.seat, "muted": false}, nil)
	a.more('B', 10)
	h.ask("/record", a.secret, map[string]any{"on": false}, nil)
	h.soon("the end of the notice", func() bool { return b.view().Recording == nil })
	h.soon("the mark", func() bool { return strings.HasSuffix(h.kinds(), "recorded") })
	close(stop)
	done.Wait()

	m, sum := readManifest(t, dir)
	h.mu.Lock()
	last := h.marks[len(h.marks)-1]
	h.mu.Unlock()
	if last.Kind != "recorded" || last.SHA256 != sum || last.By != "Anna" || last.Folder != dir {
		t.Errorf("%+v, and the manifest's hash is %s", last, sum)
	}
	if len(m.Files) != 2 || m.Files[1].Name != "../../Boris" || m.Files[1].File != "seat-02.ogg" || m.Lost != 0 || m.Fault != "" || m.Ended != "Anna" {
		t.Errorf("%+v", m)
	}
	for i, v := range m.Files {
		granule, payloads := packets(t, filepath.Join(dir, v.File))
		if int64(granule) != v.Long*48 {
			t.Errorf("%s ends at %d, and lasts %d ms", v.File, granule, v.Long)
		}
		quiet := 0
		for _, p := range payloads {
			switch {
			case bytes.Equal(p, silence[:]):
				quiet++
			case len(p) != 62 || p[1] != "AB"[i]:
				t.Errorf("%s holds %x", v.File, p)
			}
		}
		if muted := i == 1; muted != (quiet >= 10) {
			t.Errorf("%s: %d of %d packets are silence", v.File, quiet, len(payloads))
		}
	}
	if status, says := h.ask("/record", a.secret, map[string]any{"on": true}, nil); status != http.StatusServiceUnavailable || !strings.Contains(says, "folder") {
		t.Errorf("a recording is written over another: %d %s", status, says)
	}
}

// A recording that cannot be written ends by itself, within a second or two, and says so.
func TestRecordingFails(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "12")
	h := newHouse(t, func(o *Options) { o.Folder = func(string) (string, error) { return dir, nil } })
	a := h.enter(h.seal(Ticket{Name: "Anna", Host: true}))
	a.follow()
	h.ask("/record", a.secret, map[string]any{"on": true}, nil)
	s, err := h.find(a.secret)
	if err != nil {
		t.Fatal(err)
	}
	s.room.mu.Lock()
	full := errors.New("no space left on device")
	s.room.tape.bad.Store(&full)
	s.room.mu.Unlock()
	h.soon("the fault", func() bool { v := a.view(); return v.Recording == nil && strings.Contains(v.Fault, "ended by itself") })
	h.soon("the mark", func() bool { return strings.HasSuffix(h.kinds(), "recorded") })
	if m, _ := readManifest(t, dir); !strings.Contains(m.Fault, "no space") {
		t.Errorf("%+v", m)
	}
	if got := h.kinds(); got != "joined Anna, recording Anna, recorded" {
		t.Errorf("marks: %s", got)
	}
}

func TestNoFolderNoRecording(t *testing.T) {
	h := newHouse(t, nil)
	a := h.enter(h.seal(Ticket{Name: "Anna", Host: true}))
	if status, says := h.ask("/record", a.secret, map[string]any{"on": true}, nil); status != http.StatusForbidden || !strings.Contains(says, "not set up") {
		t.Errorf("%d %s", status, says)
	}
}

// Gaps are filled up to the clock; what only comes late, and in a burst, is not.
func TestTapeKeepsTime(t *testing.T) {
	for name, c := range map[string]struct {
		ms     []int // when packets of 20 ms came
		stamps []int // in ms
		want   int64 // how long the file is
	}{
		"steady":             {[]int{0, 20, 40, 60}, []int{0, 20, 40, 60}, 80},
		"late, in a burst":   {[]int{0, 2000, 2000, 2000}, []int{0, 20, 40, 60}, 80},
		"one lost":           {[]int{0, 40}, []int{0, 40}, 40},
		"a gap":              {[]int{0, 1000}, []int{0, 1000}, 1020},
		"a new connection":   {[]int{0, 1000, 1020}, []int{50_000, 7, 27}, 1040},
		"a stamp that lies":  {[]int{0, 20, 40}, []int{0, 40_000_000, 3}, 60},
		"a late beginning":   {[]int{5000, 5020}, []int{5000, 5020}, 40},
		"stamps that wrap":   {[]int{0, 20, 40}, []int{89_478_465, 89_478_485, 89_478_505}, 60},
		"back after a pause": {[]int{0, 20, 3000, 3020}, []int{0, 20, 3000, 3020}, 3040},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := os.OpenRoot(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			tp := &recording{root: root, tapes: map[int]*tape{}, from: time.Unix(0, 0)}
			s := &seat{number: 1, ticket: Ticket{Name: "x"}}
			for i, at := range c.ms {
				tp.write(sound{s, uint32(c.stamps[i] * clock), []byte{0x78, 1, 2, 3}, time.Unix(0, 0).Add(time.Duration(at) * time.Millisecond)})
			}
			tp.write(sound{s, 0, []byte{0x7b, 0xff}, time.Unix(0, 0)}) // no Opus: 63 frames of 20 ms
			v, err := tp.tapes[1].finish(root)
			if err != nil || v.Long != c.want || v.Unread != 1 || v.Starts != int64(c.ms[0]) {
				t.Errorf("%+v %v, want %d ms", v, err, c.want)
			}
		})
	}
}
