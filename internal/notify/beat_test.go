package notify

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestBeat(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	key := BeatKey("secret")
	body := []byte(`{"from":"tocsin-a","at":"2026-11-27T09:00:00Z","entries":7,"ringing":1}`)
	good := SignBeat(key, now, body)
	for name, x := range map[string]struct {
		key    []byte
		header string
		body   []byte
		now    time.Time
		want   error
	}{
		"good":               {key, good, body, now, nil},
		"clocks a bit apart": {key, good, body, now.Add(4 * time.Minute), nil},
		"another token":      {BeatKey("other"), good, body, now, ErrBeatForged},
		"another body":       {key, good, []byte(`{"from":"tocsin-b"}`), now, ErrBeatForged},
		"another time":       {key, strings.Replace(good, "t=", "t=1", 1), body, now, ErrBeatForged},
		"an old one":         {key, good, body, now.Add(6 * time.Minute), ErrBeatLate},
		"from the future":    {key, good, body, now.Add(-6 * time.Minute), ErrBeatLate},
		"no header":          {key, "", body, now, ErrBeatForged},
		"half a header":      {key, strings.Split(good, ",")[0], body, now, ErrBeatForged},
		"no hex":             {key, "t=1,v1=zz", body, now, ErrBeatForged},
		"too long":           {key, good, make([]byte, BeatMost+1), now, ErrBeatForged},
	} {
		if _, _, err := CheckBeat(x.key, x.header, x.body, x.now); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
	if b, at, err := CheckBeat(key, good, body, now); err != nil || b.From != "tocsin-a" || b.Entries != 7 || !at.Equal(now) {
		t.Errorf("%+v, %v, %v", b, at, err)
	}
}

func TestBeatTo(t *testing.T) {
	var heard Beat
	status := http.StatusNoContent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var err error
		if heard, _, err = CheckBeat(BeatKey("secret"), r.Header.Get(BeatHeader), body, time.Now()); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	tell, err := BeatTo(s.URL+"/beat/hidden-name", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := tell(context.Background(), Beat{From: "tocsin-a", At: time.Now(), Entries: 3}); err != nil || heard.Entries != 3 {
		t.Errorf("%v, heard %+v", err, heard)
	}
	status = http.StatusForbidden
	err = tell(context.Background(), Beat{At: time.Now()})
	if f, ok := errors.AsType[*Failure](err); !ok || !strings.Contains(f.Reason, "403") || strings.Contains(f.Reason, "hidden-name") {
		t.Errorf("refused: %v", err)
	}
	s.Close()
	if err := tell(context.Background(), Beat{At: time.Now()}); err == nil || strings.Contains(err.Error(), "hidden-name") {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := BeatTo("http://watch.example.com/beat/x", "secret"); err == nil {
		t.Error("a beat may go in the clear")
	}
}

// No header makes CheckBeat panic, and none but ours is taken.
func FuzzCheckBeat(f *testing.F) {
	key, now := BeatKey("secret"), time.Unix(1_800_000_000, 0)
	body := []byte(`{"from":"a"}`)
	f.Add(SignBeat(key, now, body), body)
	f.Add("t=1800000000,v1=00", body)
	f.Add("t=,v1=", []byte{})
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		_, at, err := CheckBeat(key, header, body, now)
		if err == nil && !strings.EqualFold(header, SignBeat(key, at, body)) {
			t.Errorf("%q was taken", header)
		}
	})
}
