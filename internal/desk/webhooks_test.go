package desk

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/hook"
	"tocsin/internal/notify"
)

// A receiver is another program, over real TLS, that checks what it gets as doc/webhooks.md says.
type receiver struct {
	*httptest.Server
	file string // its authority
	mu   sync.Mutex
	got  []hook.Payload
	bad  []error
	act  func(http.ResponseWriter, *http.Request) bool // true: it has answered
}

var hookKey = []byte(strings.Repeat("k", 40))

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	x := &receiver{}
	x.Server = httptest.NewUnstartedServer(x)
	x.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	x.StartTLS()
	t.Cleanup(func() { x.CloseClientConnections(); x.Close() })
	x.file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(x.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = notify.Verify(r.Header, body, map[string][]byte{"k1": hookKey}, time.Now())
	}
	var p hook.Payload
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	x.mu.Lock()
	if err != nil {
		x.bad = append(x.bad, err)
	} else {
		x.got = append(x.got, p)
	}
	act := x.act
	x.mu.Unlock()
	if act != nil && act(w, r) {
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (x *receiver) does(act func(http.ResponseWriter, *http.Request) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.act = act
}

func (x *receiver) kinds() (out []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range x.got {
		out = append(out, p.Kind)
	}
	return out
}

func (x *receiver) ids() (out []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range x.got {
		out = append(out, p.ID)
	}
	return out
}

func (x *receiver) hook(t *testing.T, name string) Webhook {
	t.Helper()
	s, err := notify.NewHook(name, notify.SignedOptions{URL: x.URL + "/secret-path", KeyID: "k1", Key: hookKey, CAFile: x.file})
	if err != nil {
		t.Fatal(err)
	}
	return Webhook{Hook: hook.Hook{Name: name}, Host: "receiver.example", Send: s.Send}
}

// opens writes an incident with a phase, as two entries.
func opens(t *testing.T, d *Desk, id int64) {
	t.Helper()
	err := d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: entry.IncidentOpened, Subject: fmt.Sprint("incident:", id), Body: entry.Opened{ID: id, Title: "x", Severity: "low", Why: []string{"level:low"}}},
			{Actor: "desk", Kind: entry.IncidentPhase, Subject: fmt.Sprint("incident:", id), Body: entry.Phase{ID: id, From: "identification", To: "containment"}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWebhooksAreTold(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.o.Webhooks = []Webhook{x.hook(t, "tickets")}
	d, stop := h.start()
	opens(t, d, 1)
	h.soon(func() bool { return len(x.ids()) == 2 })
	if got := x.kinds(); !slices.Equal(got, []string{"incident.opened", "incident.phase"}) || len(x.bad) > 0 {
		t.Errorf("told %v, refused %v", got, x.bad)
	}
	if err := d.TestWebhook(t.Context(), Local("test"), "tickets"); err != nil {
		t.Error(err)
	}
	if got := x.kinds(); got[len(got)-1] != hook.TestKind {
		t.Errorf("the test came as %v", got)
	}
	if err := d.TestWebhook(t.Context(), Local("test"), "none"); err != ErrNoHook {
		t.Errorf("no such hook: %v", err)
	}
	if err := d.TestWebhook(t.Context(), auth.Actor{Name: "person:rita", ID: "rita", Roles: []string{"reader"}}, "tickets"); err == nil {
		t.Error("a reader may test")
	}
	h.soon(func() bool { return d.Webhooks()[0].Delivered == 2 })
	stop()
	before := len(x.ids())
	d, stop = h.start() // nothing is told twice after an orderly stop
	opens(t, d, 2)
	h.soon(func() bool { return len(x.ids()) == before+2 })
	if w := d.Webhooks()[0]; w.State != "works" || w.Delivered != 4 {
		t.Errorf("%+v", w)
	}
	stop()
	h.o.Webhooks = nil
	d, stop = h.start()
	h.want(d, entry.WebhookBegun, 1)
	h.want(d, entry.WebhookEnded, 1)
	h.want(d, entry.WebhookFailed, 0)
	stop()
}

// The program is killed when the receiver has the message and nobody knows: it comes again with the same id, and nothing is left out.
func TestWebhookKilledBetween(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.o.Webhooks = []Webhook{x.hook(t, "tickets")}
	release := make(chan struct{})
	x.does(func(_ http.ResponseWriter, r *http.Request) bool {
		select { // it has the message, and does not answer
		case <-release:
		case <-r.Context().Done():
		}
		return true
	})
	d, stop := h.start()
	opens(t, d, 1)
	h.soon(func() bool { return len(x.ids()) == 1 })
	stop()
	close(release)
	x.does(nil)
	d, stop = h.start()
	h.soon(func() bool { return len(x.ids()) == 3 })
	if got := x.ids(); got[0] != got[1] || got[1] == got[2] {
		t.Errorf("the ids are %v", got)
	}
	h.soon(func() bool { return d.Webhooks()[0].Delivered == 2 })
	stop()
	h.rough = true
	for name := range map[string]bool{"webhooks/tickets.json": true} { // the file is lost: the ledger's last word holds
		if err := h.data.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	_, stop = h.start()
	h.soon(func() bool { return len(x.ids()) == 5 })
	if got := x.ids(); got[3] != got[1] || got[4] != got[2] {
		t.Errorf("after the file was lost: %v", got)
	}
	stop()
}

// The disk forgets what was not synced: a hook may be told twice, never not at all.
func TestWebhookPowerCut(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.o.Webhooks = []Webhook{x.hook(t, "tickets")}
	h.rough = true
	for n := int64(1); n <= 4; n++ {
		d, stop := h.start()
		opens(t, d, n)
		h.soon(func() bool { return len(x.ids()) >= int(n) })
		cut := h.data.Crash()
		stop()
		h.data = cut
	}
	d, stop := h.start()
	defer stop()
	owed := map[string]bool{}
	es, err := d.LastEntries(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if hook.Tells(e.Kind) {
			owed[fmt.Sprintf("%s/%d", d.ledger.Head().Origin, e.N)] = true
		}
	}
	h.soon(func() bool {
		for _, id := range x.ids() {
			delete(owed, id)
		}
		return len(owed) == 0
	})
}

// One that hangs holds neither another hook nor the bell.
func TestWebhookThatHangs(t *testing.T) {
	h, slow, good := newHouse(t), newReceiver(t), newReceiver(t)
	half, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	slow.does(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	open := slow.hook(t, "open")
	s, err := notify.NewHook("open", notify.SignedOptions{URL: "https://" + half.Addr().String(), KeyID: "k1", Key: hookKey})
	if err != nil {
		t.Fatal(err)
	}
	open.Send = s.Send
	h.o.Webhooks = []Webhook{slow.hook(t, "slow"), open, good.hook(t, "good")}
	d, stop := h.start()
	for n := int64(1); n <= 3; n++ {
		opens(t, d, n)
	}
	h.soon(func() bool { return len(good.ids()) == 6 && d.Alive(time.Now()) })
	stop()
}

// What lies, or is somebody else, counts as not told; the reason shows no secret.
func TestWebhookFailures(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	d, stop := h.start()
	defer stop()
	for _, tt := range []struct {
		name string
		act  func(http.ResponseWriter, *http.Request) bool
		says string
	}{
		{"an error", func(w http.ResponseWriter, _ *http.Request) bool { http.Error(w, "no\x1b[31m", 500); return true }, "it answered 500"},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "http://evil.example/", http.StatusTemporaryRedirect)
			return true
		}, "points elsewhere, which is not followed"},
		{"too many", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(429)
			return true
		}, "it answered 429"},
		{"echo", func(w http.ResponseWriter, r *http.Request) bool {
			http.Error(w, r.URL.Path+string(hookKey), 400)
			return true
		}, "it answered 400"},
		{"no more", func(w http.ResponseWriter, _ *http.Request) bool { panic(http.ErrAbortHandler) }, "posting to 127.0.0.1"},
	} {
		x.does(tt.act)
		err := x.hook(t, "x").Send(t.Context(), []byte("{}"))
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "secret-path") || strings.Contains(err.Error(), string(hookKey)) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	stranger, err := notify.NewHook("x", notify.SignedOptions{URL: x.URL, KeyID: "k1", Key: hookKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Send(t.Context(), []byte("{}")); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	_ = d
}

// In fake time: tries are further and further apart, the failure is an entry once, after three days it is off with an alert, and a test switches it on
// again, with nothing left out.
func TestWebhookBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var mu sync.Mutex
		var tries []time.Time
		var told []string
		down := true
		h.o.Webhooks = []Webhook{{Hook: hook.Hook{Name: "tickets"}, Host: "r.example", Send: func(_ context.Context, body []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if down {
				tries = append(tries, time.Now())
				return &notify.Failure{Temporary: true, Reason: "it answered 503"}
			}
			var p hook.Payload
			if err := json.Unmarshal(body, &p); err != nil {
				return err
			}
			told = append(told, p.Kind)
			return nil
		}}}
		d, stop := h.start()
		opens(t, d, 1)
		time.Sleep(90 * time.Second)
		h.want(d, entry.WebhookFailed, 0)
		if w := d.Webhooks()[0]; w.State != "fails" || w.Why != "it answered 503" {
			t.Errorf("%+v", w)
		}
		time.Sleep(5 * time.Minute)
		h.want(d, entry.WebhookFailed, 1)
		time.Sleep(24 * time.Hour)
		stop() // a restart forgets neither since when nor that it was said
		d, stop = h.start()
		time.Sleep(47 * time.Hour)
		h.want(d, entry.WebhookFailed, 1)
		h.want(d, entry.WebhookOff, 0)
		time.Sleep(3 * time.Hour)
		h.want(d, entry.WebhookOff, 1)
		mu.Lock()
		n := len(tries)
		for k, gap := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second} {
			if got := tries[k+1].Sub(tries[k]); got < gap || got > gap+time.Second {
				t.Errorf("between try %d and %d lie %v, want %v", k+1, k+2, got, gap)
			}
		}
		if n < 72 || n > 120 {
			t.Errorf("%d tries in three days", n)
		}
		mu.Unlock()
		time.Sleep(24 * time.Hour)
		found := 0
		d.Read(func(s *State) {
			for _, a := range s.Incidents.Alerts {
				if a.Rule == HookRule {
					found++
				}
			}
		})
		mu.Lock()
		if len(tries) != n || found != 1 {
			t.Errorf("off, and %d further tries, %d alerts", len(tries)-n, found)
		}
		mu.Unlock()
		if err := d.TestWebhook(t.Context(), Local("test"), "tickets"); err == nil {
			t.Error("a test of what is down succeeded")
		}
		h.want(d, entry.WebhookBack, 0)
		mu.Lock()
		down = false
		mu.Unlock()
		if err := d.TestWebhook(t.Context(), Local("test"), "tickets"); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		h.want(d, entry.WebhookBack, 1)
		mu.Lock()
		if len(told) < 3 || !slices.Equal(told[:3], []string{hook.TestKind, "incident.opened", "incident.phase"}) {
			t.Errorf("told %v", told)
		}
		mu.Unlock()
		if w := d.Webhooks()[0]; w.State != "works" {
			t.Errorf("%+v", w)
		}
		stop()
	})
}

// A certificate that comes nearer to its end is an alert at each level, and none when it was renewed.
func TestCertificateAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var mu sync.Mutex
		var now []Expiry
		set := func(x ...Expiry) {
			mu.Lock()
			now = x
			mu.Unlock()
			time.Sleep(30 * time.Second)
		}
		h.o.Expiries = func(time.Time) []Expiry {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(now)
		}
		d, stop := h.start()
		defer stop()
		begun := time.Now().Add(-time.Hour)
		count := func() (n int, levels []string) {
			d.Read(func(s *State) {
				n = len(s.Silences)
				for _, id := range s.Incidents.Order {
					if a := s.Incidents.Alerts[id]; a.Rule == CertRule {
						levels = append(levels, a.Level)
					}
				}
			})
			return n, levels
		}
		set(Expiry{"tocsin.shop.example", "low", begun, "it expires"})
		set(Expiry{"tocsin.shop.example", "medium", begun, "it expires"})
		if n, levels := count(); n != 1 || !slices.Contains(levels, "low") || !slices.Contains(levels, "medium") {
			t.Errorf("%d stand, there were %v", n, levels)
		}
		set()
		if n, levels := count(); n != 0 || len(levels) != 2 {
			t.Errorf("renewed: %d stand, there were %v", n, levels)
		}
	})
}
