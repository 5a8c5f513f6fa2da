package desk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// From a line to an answered call: an incident, a call that climbs, and one answer that stops it.
func TestLineToAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil?a=1"), request(time.Now(), "192.0.2.8", "/fine"))
		synctest.Wait()
		if got := receivers(h.sent()); !slices.Equal(got, []string{"anna@shop.example"}) {
			t.Fatalf("rang %v, want anna alone at first", got)
		}
		first := h.sent()[0]
		if !strings.Contains(first.Subject, "Request for evil") || strings.Contains(first.Subject+first.Body, "192.0.2.7") {
			t.Errorf("the call says %q and must name the incident but no address", first.Subject+"\n"+first.Body)
		}
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if got := receivers(h.sent()[1:]); len(got) != 3 {
			t.Fatalf("after the wait rang %v, want anna, and boris by mail and chat", got)
		}
		_, token, ok := strings.Cut(first.Body, "/answer/")
		token, _, _ = strings.Cut(token, "\n")
		if !ok {
			t.Fatalf("no answer link in %q", first.Body)
		}
		if l, err := d.OpenLink(token); err != nil || l.Person != "anna" || len(d.Ringing(Local("test"))) != 1 {
			t.Fatalf("opening the link: %+v, %v; it must change nothing", l, err)
		}
		if _, err := d.AnswerLink(token); err != nil {
			t.Fatal(err)
		}
		if _, err := d.AnswerLink(token); !errors.Is(err, oncall.ErrAnswered) {
			t.Errorf("the second answer: %v, want ErrAnswered", err)
		}
		before := len(h.sent())
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(h.sent()) - before; n != 0 {
			t.Errorf("%d more messages after the answer", n)
		}
		h.want(d, entry.IncidentOpened, 1)
		h.want(d, entry.CallAnswered, 1)
		if !d.Alive(time.Now()) {
			t.Error("the bell's heart stands still")
		}
	})
}

// A try that was wanted and has no end when the program dies is sent again, with the same Message-ID, and says so.
func TestRestartBetweenWantedAndSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var tried []notify.Message
		h.failing(func(ctx context.Context, m notify.Message) error {
			tried = append(tried, m)
			<-ctx.Done() // the machine goes down while the mail server thinks
			return &notify.Failure{Temporary: true, Reason: "broken off from our side"}
		})
		d, stop := h.start()
		h.team(d)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		synctest.Wait()
		if len(tried) != 1 || len(h.sent()) != 0 {
			t.Fatalf("%d tries, %d sent; want one that hangs", len(tried), len(h.sent()))
		}
		h.want(d, entry.CallWanted, 2) // anna, and the console
		stop()
		h.failing(nil)
		time.Sleep(10 * time.Second)
		d, stop = h.start()
		defer stop()
		synctest.Wait()
		sent := h.sent()
		if len(sent) != 1 || sent[0].ID != tried[0].ID || !sent[0].Twice || tried[0].Twice {
			t.Fatalf("after the restart sent %+v, want once %q, marked as possibly twice", sent, tried[0].ID)
		}
		h.want(d, entry.CallFailed, 0)
		if x := d.state.Calls.Calls[0].Tries[1]; x.Done.IsZero() || !x.Result.Twice {
			t.Errorf("the entry of the try does not say that it may be twice: %+v", x)
		}
	})
}

// What a sender did while the program ended is written, so that it is not sent again.
func TestSentWhileEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.failing(func(ctx context.Context, m notify.Message) error {
			<-ctx.Done()
			return nil // the server took it in that moment
		})
		d, stop := h.start()
		h.team(d)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		synctest.Wait()
		stop()
		h.failing(nil)
		_, stop = h.start()
		defer stop()
		synctest.Wait()
		if n := len(h.sent()); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// Senders that fail: a temporary failure is tried again, a permanent one goes on to the next step at once, a slow one
// holds up nobody else.
func TestSendersFail(t *testing.T) {
	for _, x := range []struct {
		name string
		fail func(ctx context.Context, m notify.Message) error
		then func(t *testing.T, h *house, d *Desk)
	}{
		{"temporary", func(_ context.Context, m notify.Message) error {
			return &notify.Failure{Temporary: true, Reason: "450 later"}
		}, func(t *testing.T, h *house, d *Desk) {
			h.failing(nil)
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if got := receivers(h.sent()); !slices.Equal(got, []string{"anna@shop.example"}) {
				t.Errorf("rang %v, want anna once the server is up", got)
			}
		}},
		{"permanent", func(_ context.Context, m notify.Message) error {
			if m.To == "anna@shop.example" {
				return &notify.Failure{Reason: "550 no such user"}
			}
			return nil
		}, func(t *testing.T, h *house, d *Desk) {
			if got := receivers(h.sent()); len(got) != 2 {
				t.Errorf("rang %v, want boris by mail and chat at once", got)
			}
			var text string
			d.Read(func(s *State) {
				for _, try := range s.Calls.Calls[0].Tries {
					if try.Failed {
						text = try.Result.Text
					}
				}
			})
			if d.Text(text) != "550 no such user" {
				t.Errorf("why it failed: %q", d.Text(text))
			}
		}},
		{"slow", func(ctx context.Context, m notify.Message) error {
			if m.To != "anna@shop.example" {
				return nil
			}
			select {
			case <-ctx.Done():
			case <-time.After(25 * time.Second):
			}
			return &notify.Failure{Temporary: true, Reason: "no answer in time"}
		}, func(t *testing.T, h *house, d *Desk) {
			if err := d.RingNow(Local("test"), "boris", plan.Mail); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := receivers(h.sent()); !slices.Equal(got, []string{"boris@shop.example"}) {
				t.Errorf("rang %v, want boris while anna's server thinks", got)
			}
			if !d.Alive(time.Now()) {
				t.Error("the bell waits for a sender")
			}
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.failing(x.fail)
				d, stop := h.start()
				defer stop()
				h.team(d)
				h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
				synctest.Wait()
				x.then(t, h, d)
			})
		})
	}
}

// A day without a sender that works must not fill the ledger, and the loop must not spin.
func TestBellDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.failing(func(context.Context, notify.Message) error { return errors.New("unplugged") })
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		var n int64
		d.Read(func(s *State) { n = s.Entries })
		if n > 24*12*10 {
			t.Errorf("%d entries in a day of one call", n)
		}
		if len(d.flying) != 0 {
			t.Errorf("%d tries are still remembered as being sent", len(d.flying))
		}
	})
}

// Lines from before the start of watching are history and ring nobody; one that comes later rings.
func TestHistoryRingsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		start := time.Now()
		h.watching(d, start)
		h.feed(d, request(start.Add(-3*time.Hour), "192.0.2.7", "/evil"), request(start.Add(-time.Hour), "192.0.2.9", "/evil"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(h.sent()) != 0 {
			t.Errorf("history rang %v", receivers(h.sent()))
		}
		h.want(d, entry.IncidentOpened, 2)
		h.feed(d, request(time.Now(), "192.0.2.8", "/evil"))
		synctest.Wait()
		if len(h.sent()) != 1 {
			t.Errorf("a live line rang %d times", len(h.sent()))
		}
	})
}

// A mute holds for its rule and address alone, until it ends.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		if err := d.AddMute(Local("test"), evilRule, "192.0.2.7", "our own scanner", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		synctest.Wait()
		h.want(d, entry.AlertRaised, 1)
		h.want(d, entry.IncidentOpened, 0)
		h.feed(d, request(time.Now(), "192.0.2.7", "/odd"), request(time.Now(), "198.51.100.7", "/evil"))
		synctest.Wait()
		h.want(d, entry.IncidentOpened, 2)
		time.Sleep(2 * time.Hour)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		synctest.Wait()
		h.want(d, entry.IncidentOpened, 2) // joins that address's
		if a := h.newest(d); a.By == "muted" || a.Incident == 0 {
			t.Errorf("after the mute: %+v", a)
		}
	})
}

// newest returns the newest alert.
func (h *house) newest(d *Desk) (a entry.Alert) {
	d.Read(func(s *State) {
		if n := len(s.Incidents.Order); n > 0 {
			a = s.Incidents.Alerts[s.Incidents.Order[n-1]].Alert
		}
	})
	return a
}

// A clock that jumps is an entry, and shown.
func TestClockJump(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	for _, by := range []time.Duration{time.Second, -30 * time.Second, 2 * time.Hour, -24 * time.Hour} {
		if err := d.noteJump(by); err != nil {
			t.Fatal(err)
		}
	}
	h.want(d, entry.ClockJumped, 2)
}
