package room

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// With more speakers than places, who is loud takes the place of who has been quiet for longest, and a breath costs nobody theirs.
func TestStage(t *testing.T) {
	var s stage
	at := time.Unix(1000, 0)
	after := func(d time.Duration) time.Time { at = at.Add(d); return at }
	for i := 1; i <= Speakers; i++ {
		if place, _, ok := s.take(i, false, after(time.Millisecond)); !ok || place != i-1 {
			t.Fatalf("seat %d: place %d, %t", i, place, ok)
		}
	}
	if _, _, ok := s.take(9, true, after(0)); ok {
		t.Error("a ninth took a place although all had just begun")
	}
	for i := 1; i <= Speakers; i++ {
		s.take(i, i != 3, after(restBefore/4)) // all but 3 are loud
	}
	if _, _, ok := s.take(9, false, at); ok {
		t.Error("a quiet ninth took a place")
	}
	place, turn, ok := s.take(9, true, at)
	if !ok || place != 2 {
		t.Errorf("the ninth got place %d, %t", place, ok)
	}
	if _, _, ok := s.take(3, false, at); ok {
		t.Error("the quiet one is still forwarded")
	}
	if _, again, _ := s.take(9, true, after(20*time.Millisecond)); again != turn {
		t.Error("a turn ended without a pause")
	}
	if _, again, _ := s.take(9, true, after(2*pause)); again == turn {
		t.Error("a turn went on over a pause")
	}
	s.give(9)
	if place, _, ok := s.take(3, false, at); !ok || place != 2 {
		t.Error("a place that was given up is not free")
	}
}

// What comes out of a lane is one stream, whatever goes in.
func TestLane(t *testing.T) {
	track, err := webrtc.NewTrackLocalStaticRTP(opus.RTPCodecCapability, "x", "x")
	if err != nil {
		t.Fatal(err)
	}
	l := &lane{track: track}
	at := time.Unix(1000, 0)
	for i, c := range []struct {
		turn  uint64
		seq   uint16
		stamp uint32
		ms    int
		want  [2]uint32 // sequence number and timestamp, behind the first
	}{
		{1, 65535, 4294967000, 0, [2]uint32{0, 0}},
		{1, 0, 4294967000 + 960 - 1<<32, 20, [2]uint32{1, 960}},
		{1, 2, 4294967000 + 3*960 - 1<<32, 60, [2]uint32{3, 2880}}, // one is lost
		{2, 700, 5, 160, [2]uint32{4, 2880 + 4800}},                // another speaker, 100 ms later
		{1, 3, 0, 160, [2]uint32{4, 2880 + 4800}},                  // too late: nothing
		{2, 701, 965, 180, [2]uint32{5, 2880 + 5760}},
		{3, 9, 9, 180, [2]uint32{6, 2880 + 6720}}, // at once: 20 ms later
	} {
		if i == 0 {
			l.write(&rtp.Packet{Header: rtp.Header{SequenceNumber: c.seq, Timestamp: c.stamp}}, c.turn, at)
			l.last.SequenceNumber, l.last.Timestamp = 0, 0
			l.seq, l.stamp = 0-c.seq, 0-c.stamp
			continue
		}
		l.write(&rtp.Packet{Header: rtp.Header{SequenceNumber: c.seq, Timestamp: c.stamp}}, c.turn, at.Add(time.Duration(c.ms)*time.Millisecond))
		if got := [2]uint32{uint32(l.last.SequenceNumber), l.last.Timestamp}; got != c.want {
			t.Errorf("step %d: %v, want %v", i, got, c.want)
		}
	}
}

func TestLoudness(t *testing.T) {
	for name, c := range map[string]struct {
		level []byte // as RFC 6464 has it; nil is none
		size  int
		want  bool
	}{
		"a voice":          {[]byte{0x80 | 30}, 5, true},
		"a quiet room":     {[]byte{80}, 100, false},
		"no level, sound":  {nil, 60, true},
		"no level, nought": {nil, 3, false},
		"an empty level":   {[]byte{}, 60, true},
	} {
		p := rtpPacket(1, make([]byte, c.size))
		if c.level != nil {
			if err := p.SetExtension(3, c.level); err != nil && len(c.level) > 0 {
				t.Fatal(err)
			}
		}
		if got := isLoud(p, 3); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// What is asked wrongly is answered with a sentence.
func TestRequests(t *testing.T) {
	h := newHouse(t, nil)
	c := h.enter(h.seal(Ticket{Name: "A"}))
	for name, x := range map[string]struct {
		path, secret, kind, body string
		status                   int
	}{
		"no secret":       {"/alive", "", "application/json", "{}", http.StatusUnauthorized},
		"a wrong secret":  {"/alive", strings.Repeat("x", 52), "application/json", "{}", http.StatusUnauthorized},
		"a huge secret":   {"/alive", strings.Repeat("x", 5000), "application/json", "{}", http.StatusUnauthorized},
		"a form":          {"/mute", c.secret, "application/x-www-form-urlencoded", "seat=1", http.StatusUnsupportedMediaType},
		"no JSON":         {"/mute", c.secret, "application/json", "{", http.StatusBadRequest},
		"a deep one":      {"/mute", c.secret, "application/json", strings.Repeat("[", 60000), http.StatusBadRequest},
		"a wrong kind":    {"/mute", c.secret, "application/json", `{"seat":"one"}`, http.StatusBadRequest},
		"too much":        {"/offer", c.secret, "application/json", `{"sdp":"` + strings.Repeat("a", largestBody) + `"}`, http.StatusRequestEntityTooLarge},
		"a join of much":  {"/join", "", "application/json", `{"code":"` + strings.Repeat("a", largestBody) + `"}`, http.StatusRequestEntityTooLarge},
		"no such seat":    {"/remove", c.secret, "application/json", `{"seat":99}`, http.StatusForbidden},
		"nothing at all":  {"/alive", c.secret, "", "", http.StatusNoContent},
		"unmuting itself": {"/mute", c.secret, "application/json", `{"seat":1,"muted":false}`, http.StatusNoContent},
	} {
		r, err := http.NewRequest("POST", h.url+x.path, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", x.kind)
		r.Header.Set("Authorization", "Bearer "+x.secret)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != x.status {
			t.Errorf("%s: %d, want %d", name, a.StatusCode, x.status)
		}
	}
	for i := range streams + 1 {
		r, err := http.NewRequest("GET", h.url+"/changes", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.secret)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { a.Body.Close() })
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < streams]; a.StatusCode != want {
			t.Errorf("stream %d: %d", i, a.StatusCode)
		}
	}
}
