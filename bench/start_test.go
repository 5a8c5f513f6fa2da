package bench

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/ledger"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/vault"
)

// A past is a ledger that grows as the desk would have written it.
type past struct {
	t         testing.TB
	ledger    *ledger.Ledger
	vault     *vault.Vault
	incidents incident.Book
	calls     *oncall.Book
	plan      plan.Plan
	n         int64
	now       time.Time
	also      func(entry.Entry) (bool, error) // folds what else is to be decided on; nil is nothing
}

// makePast fills a data folder with a ledger of about so many entries, and a vault object for each alert: months of
// alerts that are raised, grow and end, of incidents, of calls that somebody answers.
func makePast(t testing.TB, dir string, entries int64) {
	t.Helper()
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "data-keys")
	var layers []disk.Layer
	for _, name := range []string{data, keys} {
		l, err := disk.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		layers = append(layers, l)
	}
	d, err := desk.Open(slog.New(slog.DiscardHandler), desk.Options{Version: "bench", Data: layers[0], Keys: layers[1], Rules: shopRules(t)})
	if err != nil {
		t.Fatal(err)
	}
	seed := desk.Seed{People: []desk.SeedPerson{{ID: "anna", Roles: []string{plan.Commander}, Contact: desk.Contact{Name: "Anna", Mail: "anna@shop.example"}}}}
	if _, err := d.SeedPlan(seed); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	p := &past{t: t, now: time.Now().Add(-90 * 24 * time.Hour)}
	p.calls = oncall.NewBook(p.plan.PolicyFor)
	p.open(layers[0], layers[1])
	for day := 0; p.n < entries; day++ {
		p.day(day)
	}
	if err := p.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.vault.Close(); err != nil {
		t.Fatal(err)
	}
}

func (p *past) open(data, keys disk.Layer) {
	p.t.Helper()
	secret, err := disk.ReadFile(keys, "ledger.key")
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := ledger.ParseKey(string(secret))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.vault, _, err = vault.Open(data, "vault", keys, vault.Options{}); err != nil {
		p.t.Fatal(err)
	}
	if p.ledger, _, err = ledger.Open(data, "ledger", key, p.apply, ledger.Options{}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *past) apply(e entry.Entry) error {
	p.n = e.N
	for _, f := range []func(entry.Entry) (bool, error){p.incidents.Apply, p.calls.Apply, p.plan.Apply} {
		if _, err := f(e); err != nil {
			return err
		}
	}
	if p.also != nil {
		_, err := p.also(e)
		return err
	}
	return nil
}

func (p *past) append(drafts ...entry.Draft) {
	p.t.Helper()
	if len(drafts) == 0 {
		return
	}
	entries, err := p.ledger.Append(p.now, drafts...)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		if err := p.apply(e); err != nil {
			p.t.Fatal(err)
		}
	}
}

// day is one lot of 400 alerts: some of attackers seen before, a tenth of new ones; each grows and ends.
func (p *past) day(day int) {
	p.t.Helper()
	const alerts = 400
	p.now = p.now.Add(20 * time.Minute)
	var raised, grown, ended []incident.Change
	var details [][]byte
	for n := range alerts {
		who := n % 60
		if n%10 == 0 {
			who = 1000 + day*alerts + n
		}
		id := fmt.Sprintf("%032x", day*alerts+n)
		address := fmt.Sprintf("203.%d.%d.7", who>>8&255, who&255)
		b, err := json.Marshal(detect.Alert{ID: id, Title: "SQL injection under way", Level: "high", Sources: []detect.Party{{Name: address, Role: "suspect"}},
			Samples: []string{address + ` - - [10/Nov/2026:10:00:01 +0000] "GET /view.php?id=7%20UNION%20ALL%20SELECT%20NULL,NULL HTTP/1.1" 200 512 "-" "Mozilla/5.0"`}})
		if err != nil {
			p.t.Fatal(err)
		}
		details = append(details, b)
		level := []string{"low", "medium", "high"}[n%3]
		a := entry.Alert{ID: id, Rule: fmt.Sprintf("rule-%d", n%30), RuleVersion: "6b2889c8757df735", Title: "SQL injection under way", Level: level, Impact: "attempt",
			First: p.now, Last: p.now, Raised: p.now, Seq: int64(day*alerts + n + 1), Count: 12,
			Sources: []entry.Party{{Hash: p.vault.Hash("address", address), Net: p.vault.Hash("network", address), Role: "suspect", Country: "DE"}}}
		raised = append(raised, incident.Change{Step: "raised", Alert: a})
		a.Count, a.Last = 120, p.now.Add(5*time.Minute)
		grown = append(grown, incident.Change{Step: "tenfold", Alert: a})
		a.Count = 150
		ended = append(ended, incident.Change{Step: "ended", Alert: a})
	}
	ids, err := p.vault.PutAll(details)
	if err != nil {
		p.t.Fatal(err)
	}
	for n := range raised {
		raised[n].Alert.Vault, grown[n].Alert.Vault = ids[n], ids[n]
	}
	p.append(p.incidents.Decide(raised)...)
	p.append(p.incidents.Decide(grown)...)
	p.append(p.incidents.Decide(ended)...)
	p.ring()
}

// ring writes the calls of the day: opened, wanted, sent, answered.
func (p *past) ring() {
	p.t.Helper()
	for range 20 {
		debts, _ := p.calls.Owed(&p.plan, p.now)
		var drafts []entry.Draft
		for _, d := range debts {
			switch {
			case d.Draft != nil:
				drafts = append(drafts, *d.Draft)
			default:
				drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.CallSent, Subject: fmt.Sprintf("call:%d", d.Send.Call.ID),
					Body: entry.CallResult{ID: d.Send.Call.ID, Try: d.Send.Try.Try}})
			}
		}
		if len(drafts) == 0 {
			break
		}
		p.append(drafts...)
	}
	for _, c := range p.calls.Ringing() {
		x, err := p.calls.Answer("person:anna", &p.plan, c.ID, "anna", "link")
		if err != nil {
			p.t.Fatal(err)
		}
		p.append(x)
	}
}

// TestPast is the short form: a small past is one that the program starts with.
func TestPast(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	dir := t.TempDir()
	makePast(t, dir, 3000)
	_, took := serve(t, dir)
	t.Logf("start with 3,000 entries: %v", took)
}
