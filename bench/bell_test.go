package bench

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// An inbox is a mail server that notes when each message was there whole.
type inbox struct {
	port int
	mu   sync.Mutex
	at   map[string]time.Time // by Message-ID, without its right side
}

func newInbox(t testing.TB) *inbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &inbox{port: l.Addr().(*net.TCPAddr).Port, at: map[string]time.Time{}}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return delivery{b}, nil }))
	server.Domain, server.ErrorLog = "inbox.example", log.New(io.Discard, "", 0)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-served })
	return b
}

type delivery struct{ b *inbox }

func (delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (delivery) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (delivery) Reset()                               {}
func (delivery) Logout() error                        { return nil }

func (x delivery) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, m.Body); err != nil {
		return err
	}
	id, _, _ := strings.Cut(strings.Trim(m.Header.Get("Message-ID"), "<>"), "@")
	x.b.mu.Lock()
	defer x.b.mu.Unlock()
	if _, again := x.b.at[id]; !again {
		x.b.at[id] = time.Now()
	}
	return nil
}

func (b *inbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.at)
}

// ring measures, for each of some attackers in networks of their own, the time from the write of the line that gives
// them away to the mail, while background lines come at a rate.
func ring(t testing.TB, attackers, rate int, gap time.Duration) []time.Duration {
	t.Helper()
	dir, box := t.TempDir(), newInbox(t)
	settings := fmt.Sprintf(`mail: {host: 127.0.0.1, port: %d, from: bell@shop.example, starttls: none}
people:
  - {id: anna, name: Anna, roles: [commander], mail: anna@shop.example}
escalation:
  steps:
    - {who: [everyone], by: [mail], wait: 1h}
  every: 1h
  throttle: 0s
`, box.port)
	access, config := filepath.Join(dir, "access.log"), filepath.Join(dir, "tocsin.yaml")
	for name, text := range map[string]string{access: "", config: settings} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := serve(t, dir, "--config", config, "--watch", access)
	time.Sleep(1500 * time.Millisecond) // stamps have whole seconds: what comes now is not history
	written := write(t, access, attackers, rate, gap)
	for end := time.Now().Add(30 * time.Second); box.count() < attackers && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	p.stop()
	return p.delays(written, box)
}

// write writes background and attacks, and returns when each attack was.
func write(t testing.TB, name string, attackers, rate int, gap time.Duration) (written []time.Time) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := newBackground(20_000)
	begin, lines := time.Now(), 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for warm := 3 * time.Second; len(written) < attackers; {
		<-tick.C
		now := time.Now()
		var w strings.Builder
		for ; lines < int(float64(rate)*now.Sub(begin).Seconds()); lines++ {
			g.line(&w, now)
		}
		strike := now.Sub(begin) >= warm+time.Duration(len(written))*gap
		if strike {
			n := len(written) + 1
			fmt.Fprintf(&w, "20.%d.%d.7 - - [%s] \"GET /wp-content/uploads/2026/11/photo.php HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0 (Windows NT 10.0)\"\n",
				n>>8, n&255, now.UTC().Format("02/Jan/2006:15:04:05 -0700"))
			written = append(written, time.Now())
		}
		if _, err := f.WriteString(w.String()); err != nil {
			t.Fatal(err)
		}
	}
	return written
}

// delays follows each attack through the ledger to its mail: alert, incident, call, try, Message-ID. The attacks are one
// file's, so the alerts' archive numbers have their order.
func (p *program) delays(written []time.Time, box *inbox) (out []time.Duration) {
	t := p.t
	t.Helper()
	data, err := disk.Open(filepath.Join(p.dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	o, err := desk.OpenLedger(data, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	seqs, incidents, calls := []int64{}, map[int64]int64{}, map[int64]int64{}
	message := map[int64]string{}
	for e, err := range o.Entries(1) {
		if err != nil {
			t.Fatal(err)
		}
		switch e.Kind {
		case entry.AlertRaised:
			x, _ := entry.Body[entry.Alert](e)
			if x.By == "opened" {
				seqs = append(seqs, x.Seq)
				incidents[x.Seq] = x.Incident
			}
		case entry.CallOpened:
			x, _ := entry.Body[entry.Call](e)
			for _, id := range x.Incidents {
				calls[id] = x.ID
			}
		case entry.CallWanted:
			x, _ := entry.Body[entry.CallTry](e)
			if x.Channel == "mail" && message[x.ID] == "" {
				message[x.ID] = x.Message
			}
		}
	}
	if len(seqs) != len(written) {
		t.Fatalf("%d attacks opened %d incidents", len(written), len(seqs))
	}
	slices.Sort(seqs)
	for k, seq := range seqs {
		at, ok := box.at[message[calls[incidents[seq]]]]
		if !ok {
			t.Fatalf("attack %d: no mail came", k+1)
		}
		out = append(out, at.Sub(written[k]))
	}
	slices.Sort(out)
	return out
}

// share returns the value below which a share of sorted values lies (nearest rank).
func share(sorted []time.Duration, part float64) time.Duration {
	k := int(part*float64(len(sorted)) + 0.9999999)
	return sorted[min(max(k, 1), len(sorted))-1]
}

// TestRing is the short form: five attackers, no goal but that every mail comes.
func TestRing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	all := ring(t, 5, 500, 100*time.Millisecond)
	t.Logf("five lines to mails under 500 lines/s: %v", all)
}
