package contact

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// owedOfAll is Owed by a walk over every incident, rule and contact: what settle leaves out must owe nothing.
func owedOfAll(b *Book, now time.Time) (out []Due) {
	for _, n := range b.needs {
		b.dues(n, b.whoms(), now, func(d Due) bool {
			out = append(out, d)
			return true
		})
	}
	slices.SortFunc(out, func(a, c Due) int {
		return cmp.Or(a.At.Compare(c.At), cmp.Compare(a.Incident, c.Incident), cmp.Compare(a.Rule.ID, c.Rule.ID), cmp.Compare(a.Contact.ID, c.Contact.ID))
	})
	return out
}

// A folder folds entries into a book as they come, for tests with many.
type folder struct {
	tb   testing.TB
	book Book
	now  time.Time
	n    int64
}

func (f *folder) put(kind entry.Kind, body any) {
	f.tb.Helper()
	f.n++
	e, _, err := entry.Make(f.n, f.now, entry.Draft{Actor: "desk", Kind: kind, Subject: "test", Body: body})
	if err == nil {
		_, err = f.book.Apply(e)
	}
	if err != nil {
		f.tb.Fatal(err)
	}
}

// Given any order of what can happen to rules, contacts, incidents and updates, then what is owed is what a walk over everything finds, after every entry.
func TestSettledOweNothing(t *testing.T) {
	seeds := uint64(5)
	if os.Getenv("TOCSIN_SOAK") != "" {
		seeds = 100
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 9))
		f := &folder{tb: t, now: t0}
		pick := func(n int) int64 { return 1 + r.Int64N(int64(max(n, 1))) }
		choose := func(of ...string) string { return of[r.IntN(len(of))] }
		f.put(entry.TemplatePut, entry.Template{ID: 1, Vault: "v", Hash: "h", Langs: []string{"en"}})
		incidents, settled := 0, 0
		for step := range 600 {
			f.now = f.now.Add(time.Duration(r.IntN(40)) * time.Minute)
			contacts, updates := len(f.book.Contacts), len(f.book.Updates)
			switch act := r.IntN(100); {
			case act < 4 || contacts == 0:
				f.put(entry.ContactPut, entry.Contact{ID: min(pick(contacts+1), 6), Group: choose(Stakeholders, Providers), Vault: "v", Hash: "h", Ways: []string{Mail}})
			case act < 5:
				f.put(entry.ContactRemoved, entry.ContactEnd{ID: pick(contacts)})
			case act < 8 || len(f.book.Rules) == 0:
				x := entry.StakeholderRule{ID: min(pick(len(f.book.Rules)+1), 4), Group: choose(Stakeholders, Providers), Least: choose(severities()...), Within: time.Hour, Close: r.IntN(2) == 0, Gone: r.IntN(6) == 0, Template: 1}
				x.Every = time.Duration(r.IntN(2)) * 4 * time.Hour
				if r.IntN(3) == 0 {
					x.Impacts = []string{choose(Impacts()...)}
				}
				f.put(entry.RulePut, x)
			case act < 20 || incidents == 0:
				incidents++
				f.put(entry.IncidentOpened, entry.Opened{ID: int64(incidents), Severity: choose(severities()...), History: r.IntN(5) == 0})
			case act < 28:
				f.put(entry.IncidentSeverity, entry.Severity{ID: pick(incidents), From: "low", To: choose(severities()...)})
			case act < 42:
				f.put(entry.IncidentClosed, entry.Closed{ID: pick(incidents), Verdict: choose("true", "false", "false")})
			case act < 46:
				f.put(entry.IncidentReopened, entry.Reopened{ID: pick(incidents)})
			case act < 54:
				f.put(entry.AlertRaised, entry.Alert{ID: fmt.Sprint(r.IntN(30)), Impact: choose(Impacts()...), Incident: pick(incidents), History: r.IntN(3) == 0})
			case act < 58:
				f.put(entry.AlertGrew, entry.AlertGrowth{ID: fmt.Sprint(r.IntN(30)), Impact: choose(Impacts()...), Live: r.IntN(2) == 0})
			case act < 60:
				f.put(entry.UpdateWaived, entry.UpdateWaiver{Incident: pick(incidents), Rule: pick(len(f.book.Rules)), Contact: pick(contacts), Stage: choose(Opened, Again, Closed), Text: "v"})
			case act < 80:
				if owed := f.book.Owed(0, f.now); len(owed) > 0 {
					d := owed[r.IntN(len(owed))]
					f.put(entry.UpdateWanted, entry.UpdateTry{ID: int64(updates) + 1, Incident: d.Incident, Rule: d.Rule.ID, Contact: d.Contact.ID, Stage: d.Stage, Way: Mail, Text: "v"})
				}
			case updates > 0 && act < 96:
				f.put(entry.UpdateSent, entry.UpdateResult{ID: int64(updates)})
			case updates > 0:
				f.put(entry.UpdateFailed, entry.UpdateResult{ID: pick(updates), Temporary: r.IntN(2) == 0})
			}
			for _, ahead := range []time.Duration{0, 100 * time.Hour} {
				got, want := f.book.Owed(0, f.now.Add(ahead)), owedOfAll(&f.book, f.now.Add(ahead))
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d, step %d: %d are owed, want %d:\n%+v\n%+v", seed, step, len(got), len(want), got, want)
				}
			}
		}
		for _, n := range f.book.every {
			if n.quiet == f.book.planned {
				settled++
			}
		}
		if settled == 0 {
			t.Errorf("seed %d: of %d incidents none is settled", seed, incidents)
		}
	}
}

// BenchmarkOwed measures what is owed of 10,000 incidents, a shop's years, of which all but the last ten are over. Most were false alarms; of every tenth everybody
// heard all they were to hear.
func BenchmarkOwed(b *testing.B) {
	f := years(b)
	for b.Loop() {
		f.book.Owed(0, f.now)
	}
	b.ReportMetric(float64(len(f.book.Owed(0, f.now))), "owed")
}

// BenchmarkOwedAnew is BenchmarkOwed just after a contact was changed, before the entries that follow have settled anything.
func BenchmarkOwedAnew(b *testing.B) {
	f := years(b)
	f.book.replan()
	for b.Loop() {
		f.book.Owed(0, f.now)
	}
}

func years(tb testing.TB) *folder {
	f := &folder{tb: tb, now: t0}
	const contacts = 10
	for k := range int64(contacts) {
		f.put(entry.ContactPut, entry.Contact{ID: k + 1, Group: Stakeholders, Vault: "v", Hash: "h", Ways: []string{Mail}})
	}
	f.put(entry.TemplatePut, entry.Template{ID: 1, Vault: "v", Hash: "h", Langs: []string{"en"}})
	for k := range int64(3) {
		f.put(entry.RulePut, entry.StakeholderRule{ID: k + 1, Group: Stakeholders, Least: "medium", Within: time.Hour, Close: k == 0, Template: 1})
	}
	updates := int64(0)
	tell := func(incident, rules int64, stage string) {
		for rule := int64(1); rule <= rules; rule++ {
			for c := int64(1); c <= contacts; c++ {
				updates++
				f.put(entry.UpdateWanted, entry.UpdateTry{ID: updates, Incident: incident, Rule: rule, Contact: c, Stage: stage, Way: Mail, Text: "v"})
				f.put(entry.UpdateSent, entry.UpdateResult{ID: updates})
			}
		}
	}
	for id := int64(1); id <= 10_000; id++ {
		f.now = f.now.Add(time.Minute)
		f.put(entry.IncidentOpened, entry.Opened{ID: id, Severity: "high"})
		told := id%10 == 0
		if told {
			tell(id, 3, Opened)
		}
		switch {
		case id > 9_990:
		case told:
			f.put(entry.IncidentClosed, entry.Closed{ID: id, Verdict: "true"})
			tell(id, 1, Closed)
		default:
			f.put(entry.IncidentClosed, entry.Closed{ID: id, Verdict: "false"})
		}
	}
	return f
}
