package desk

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
)

// Two houses: one tells the other that its bell works. When the first dies, the second rings; when it is back, that is said.
func TestOneTocsinWatchesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := notify.BeatKey("secret")
		second := newHouse(t)
		second.o.Watches = []Watch{{ID: "shop", Key: key}}
		watching, stop := second.start()
		defer stop()
		second.team(watching)
		first := newHouse(t)
		var beats atomic.Int64
		first.o.Watchers = []Watcher{{Name: "second", Tell: func(_ context.Context, b notify.Beat) error {
			beats.Add(1)
			body, err := json.Marshal(b)
			if err != nil {
				return err
			}
			return watching.TakeBeat("shop", notify.SignBeat(key, b.At, body), body)
		}}}
		_, die := first.start()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if n := beats.Load(); n < 29 || n > 31 {
			t.Errorf("%d beats in half an hour", n)
		}
		second.want(watching, entry.BeatLost, 0)
		if w := watching.Watches(); len(w) != 1 || w[0].From == "" || !w[0].Lost.IsZero() {
			t.Errorf("%+v", w)
		}
		die()
		time.Sleep(4*time.Minute + 10*time.Second)
		synctest.Wait()
		second.want(watching, entry.BeatLost, 1)
		if got := receivers(second.sent()); len(got) == 0 || got[0] != "anna@shop.example" {
			t.Errorf("the silence rang %v", got)
		}
		_, die = first.start()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		second.want(watching, entry.BeatBack, 1)
		second.want(watching, entry.AlertEnded, 1)
		die()
	})
}

func TestBeatsAreHeldAgainstTheirToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := notify.BeatKey("secret")
		h := newHouse(t)
		h.o.Watches = []Watch{{ID: "shop", Key: key}}
		d, stop := h.start()
		defer stop()
		body := []byte(`{"from":"tocsin-a"}`)
		good := notify.SignBeat(key, time.Now(), body)
		if err := d.TakeBeat("shop", good, body); err != nil {
			t.Fatal(err)
		}
		if err := d.TakeBeat("shop", good, body); !errors.Is(err, errReplay) {
			t.Errorf("a beat that was recorded: %v", err)
		}
		if err := d.TakeBeat("nobody", good, body); !errors.Is(err, ErrNoWatch) {
			t.Errorf("an id that is not known: %v", err)
		}
		if err := d.TakeBeat("shop", notify.SignBeat(notify.BeatKey("other"), time.Now().Add(time.Second), body), body); !errors.Is(err, notify.ErrBeatForged) {
			t.Errorf("another token: %v", err)
		}
	})
}

// A bell whose ledger cannot be written says nothing to its watchers.
func TestABrokenBellIsNotToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.rough = true
		var beats atomic.Int64
		h.o.Watchers = []Watcher{{Name: "w", Tell: func(context.Context, notify.Beat) error { beats.Add(1); return nil }}}
		d, stop := h.start()
		defer stop()
		time.Sleep(90 * time.Second)
		synctest.Wait()
		before := beats.Load()
		if before < 2 {
			t.Fatalf("%d beats", before)
		}
		h.sick("ledger", errors.New("no space left"))
		_ = d.SetPolicy(Local("test"), d.state.Plan.CurrentPolicy())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := beats.Load(); n != before {
			t.Errorf("%d beats of a bell that cannot write", n-before)
		}
	})
}
