//go:build bench

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
)

// What the years have: ten alerts an incident on the average, and one incident with a timeline that no other has.
const (
	yearIncidents = 10_000
	yearAlerts    = 100_000
	yearMoments   = 10_000
	yearLot       = 100 // incidents written together
)

// keeper is who signs in to look at the years.
const (
	keeper     = "anna"
	keeperWord = "eleven quiet herons over the estuary"
)

// years is a past with everything that people do: playbooks, tasks, decisions, questions, notes, files of words; incidents that are open and closed.
type years struct {
	past
	runs   playbook.Runs
	books  []string
	lot    int
	alerts int
	words  []string // vault objects of the lot
}

// makeYears fills a data folder as years of a busy team would. The ledger is written in bulk, by the same decisions as the desk's.
func makeYears(t testing.TB, dir string) *years {
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
	d, err := desk.Open(slog.New(slog.DiscardHandler), desk.Options{Version: "bench", Data: layers[0], Keys: layers[1], Rules: shopRules(t), Plan: os.DirFS(root + "/plan")})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Setup(context.Background(), keeper, keeperWord, desk.Contact{Name: "Anna", Mail: "anna@shop.example", Zone: "Europe/Berlin"}); err != nil {
		t.Fatal(err)
	}
	for id, role := range map[string]string{"ben": plan.Engineer, "eve": plan.Analyst, "lou": plan.Legal, "tom": plan.Communications} {
		if err := d.PutPerson(desk.Local("config"), id, []string{role}, desk.Contact{Name: desk.Title(id), Mail: id + "@shop.example"}, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	y := &years{past: past{t: t, now: time.Now().Add(-400 * 24 * time.Hour)}}
	y.runs.Text = y.text
	y.calls = oncall.NewBook(y.plan.PolicyFor)
	y.also = y.runs.Apply
	y.open(layers[0], layers[1])
	for id := range y.runs.Books {
		y.books = append(y.books, id)
	}
	for ; y.lot < yearIncidents/yearLot; y.lot++ {
		y.write()
	}
	y.long()
	for { // steps that were late rang long ago
		var all []entry.Draft
		for _, x := range y.runs.Owed(time.Now()) {
			all = append(all, y.runs.Late(x))
		}
		if len(all) == 0 {
			break
		}
		y.append(all...)
	}
	if err := y.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if err := y.vault.Close(); err != nil {
		t.Fatal(err)
	}
	return y
}

// text reads a playbook as the desk does.
func (y *years) text(revision string) *playbook.Playbook {
	for _, b := range y.runs.Books {
		for _, r := range b.Revisions {
			if r.Revision == revision {
				raw, err := y.vault.Get(r.Vault)
				if err != nil {
					y.t.Fatal(err)
				}
				p, _ := playbook.Read("", raw)
				return p
			}
		}
	}
	return nil
}

// put keeps words, each an object of its own.
func (y *years) put(n int, says string) []string {
	var all [][]byte
	for k := range n {
		all = append(all, fmt.Appendf(nil, "%s %d of lot %d. %s", says, k, y.lot, strings.Repeat("What we saw was in the log of the shop. ", 1+k%4)))
	}
	ids, err := y.vault.PutAll(all)
	if err != nil {
		y.t.Fatal(err)
	}
	return ids
}

// write is one lot: a hundred incidents from their alerts on, and what people do with them.
func (y *years) write() {
	y.now = y.now.Add(93 * time.Hour)
	first := len(y.incidents.Incidents)
	y.raise()
	work := y.incidents.Incidents[first:]
	y.words = y.put(8*len(work), "A note")
	next := func() string {
		id := y.words[0]
		y.words = append(y.words[1:], id)
		return id
	}
	team := []string{keeper, "ben", "eve", "lou", "tom"}
	var all []entry.Draft
	for k, i := range work {
		add := func(kind entry.Kind, actor string, body any) {
			all = append(all, entry.Draft{Actor: "person:" + actor, Kind: kind, Subject: fmt.Sprintf("incident:%d", i.ID), Body: body})
		}
		who := team[k%len(team)]
		if k%3 > 0 {
			add(entry.IncidentAssigned, keeper, entry.Assigned{ID: i.ID, Person: who})
		}
		for n := range k * k % 23 { // from none to twenty-two
			add(entry.IncidentNoted, team[n%len(team)], entry.Note{ID: i.ID, Text: next()})
		}
		if k%2 == 0 {
			add(entry.IncidentStated, keeper, entry.Statement{Incident: i.ID, Text: next()})
			add(entry.QuestionAsked, "eve", entry.Question{Incident: i.ID, ID: 1, Text: next(), Person: "eve", Role: plan.Commander})
			if k%10 > 0 {
				add(entry.QuestionAnswered, keeper, entry.Reply{Incident: i.ID, ID: 1, Person: keeper, Text: next()})
			}
		}
		for n := range int64(k % 4) {
			add(entry.TaskAdded, keeper, entry.Task{Incident: i.ID, ID: n + 1, Title: next(), Role: plan.ResponseRoles()[k%5]})
			if (k+int(n))%4 > 0 {
				add(entry.TaskDone, who, entry.Reply{Incident: i.ID, ID: n + 1, Person: who, Text: next()})
			}
		}
		if k%5 == 0 {
			add(entry.DecisionAsked, keeper, entry.Decision{Incident: i.ID, ID: 1, Text: next(), Options: []string{next(), next()}})
			if k%20 > 0 {
				add(entry.DecisionMade, keeper, entry.Choice{Incident: i.ID, ID: 1, Option: 1 + k%2, Person: keeper, Text: next()})
			}
		}
	}
	y.append(all...)
	y.follow(work, next)
	y.ring()
	all = nil
	for k, i := range work {
		if k%5 == 4 && y.lot >= 10 { // four of five are over; of the oldest all are
			continue
		}
		verdict := []string{"true", "false"}[k%2]
		all = append(all, entry.Draft{Actor: "person:" + keeper, Kind: entry.IncidentClosed, Subject: fmt.Sprintf("incident:%d", i.ID), Body: entry.Closed{ID: i.ID, Verdict: verdict, Text: next(), Excuse: next()}})
	}
	y.append(all...)
}

// raise writes the alerts of a lot: each incident has an attacker of its own, some share an account or a technique with others.
func (y *years) raise() {
	const alerts = yearAlerts / yearIncidents * yearLot
	var raised, grown, ended []incident.Change
	var details [][]byte
	for n := range alerts {
		who := n % yearLot
		if n >= alerts/2 { // half of them go to fewer and fewer
			who = n * n % yearLot
		}
		id := fmt.Sprintf("%032x", y.alerts)
		y.alerts++
		address := fmt.Sprintf("%d.%d.%d.7", 11+y.lot%80, y.lot/80, who)
		account := fmt.Sprintf("customer-%d@shop.example", (y.lot*yearLot+who)%3000)
		b, err := json.Marshal(detect.Alert{ID: id, Title: titles[who%len(titles)], Level: "high", Sources: []detect.Party{{Name: address, Role: "suspect"}}, Accounts: []detect.Party{{Name: account}},
			Samples: []string{address + ` - - [10/Nov/2026:10:00:01 +0000] "GET /view.php?id=7%20UNION%20ALL%20SELECT%20NULL,NULL HTTP/1.1" 200 512 "-" "Mozilla/5.0"`}})
		if err != nil {
			y.t.Fatal(err)
		}
		details = append(details, b)
		begin := y.now.Add(time.Duration(n) * time.Second)
		a := entry.Alert{ID: id, Rule: fmt.Sprintf("rule-%d", n%30), RuleVersion: "6b2889c8757df735", Title: titles[who%len(titles)], Level: []string{"high", "medium", "critical"}[who%3], Impact: "attempt",
			Techniques: []string{fmt.Sprintf("attack.t%d", 1100+who%40)}, First: begin, Last: begin, Raised: begin, Seq: int64(y.alerts), Count: 12,
			Sources:  []entry.Party{{Hash: y.vault.Hash("address", address), Net: y.vault.Hash("network", address), Role: "suspect", Country: "DE"}},
			Accounts: []entry.Party{{Hash: y.vault.Hash("account", account), Realm: "customer"}}}
		raised = append(raised, incident.Change{Step: "raised", Alert: a})
		a.Count, a.Last = 120, begin.Add(5*time.Minute)
		if n%2 == 0 {
			grown = append(grown, incident.Change{Step: "tenfold", Alert: a})
		}
		a.Count = 150
		if n%8 > 0 || y.lot < 90 {
			ended = append(ended, incident.Change{Step: "ended", Alert: a})
		}
	}
	ids, err := y.vault.PutAll(details)
	if err != nil {
		y.t.Fatal(err)
	}
	for n := range raised {
		raised[n].Alert.Vault = ids[n]
	}
	for _, of := range [][]incident.Change{raised, grown, ended} {
		for n := range of {
			of[n].Alert.Vault = ids[of[n].Alert.Seq-raised[0].Alert.Seq]
		}
		y.append(y.incidents.Decide(of)...)
	}
}

var titles = [...]string{"SQL injection under way", "Sign-ins with stolen passwords", "Many cards tried at the checkout", "A script in the checkout was changed", "A file that runs commands", "An administrator from a new country"}

// follow works the lot's incidents through by playbooks, a few steps each at once: some to their end, some to the middle.
func (y *years) follow(work []*incident.Incident, next func() string) {
	var all []entry.Draft
	begun := int64(len(y.runs.All))
	for k, i := range work {
		if k%4 == 3 {
			continue
		}
		x, _, err := y.runs.Begin("desk", i.ID, y.books[k%len(y.books)], "proposed")
		if err != nil {
			y.t.Fatal(err)
		}
		run := x.Body.(entry.Run)
		run.ID = begun + int64(len(all)) + 1
		x.Body = run
		all = append(all, x)
	}
	y.append(all...)
	for round := range 12 {
		all = nil
		for k, r := range y.runs.All[begun:] {
			open := r.Open(y.now)
			if len(open) == 0 || round > k%16 {
				continue
			}
			all = append(all, y.step(r, open[0], next)...)
		}
		y.append(all...)
	}
}

// step does an open step: taken, agreed to or done, whatever comes next of it.
func (y *years) step(r *playbook.Run, x playbook.Status, next func() string) []entry.Draft {
	subject := fmt.Sprintf("incident:%d", r.Incident)
	if x.Approval != "" {
		return []entry.Draft{{Actor: "person:" + keeper, Kind: entry.StepApproved, Subject: subject, Body: entry.StepWork{Run: r.ID, Step: x.ID, Person: keeper, Role: x.Approval}}}
	}
	who := map[string]string{plan.Commander: "ben", plan.Engineer: "ben", plan.Analyst: "eve", plan.Legal: "lou", plan.Communications: "tom"}[x.Role]
	done := entry.StepResult{Run: r.ID, Step: x.ID, Person: who, Text: next()}
	for _, f := range x.Asks {
		a := entry.Fact{Fact: f, Person: who}
		if ask, _ := r.Book().Fact(f); len(ask.Of) > 0 {
			a.Value = ask.Of[0]
		} else {
			a.Text = next()
		}
		done.Answers = append(done.Answers, a)
	}
	d, err := y.runs.Finish("person:"+who, done)
	if err != nil {
		y.t.Fatal(err)
	}
	return []entry.Draft{{Actor: "person:" + who, Kind: entry.StepTaken, Subject: subject, Body: entry.StepWork{Run: r.ID, Step: x.ID, Person: who}}, d}
}

// long gives the newest open incident a timeline of ten thousand.
func (y *years) long() {
	i := y.longest()
	ids := y.put(yearMoments, "Another note")
	var all []entry.Draft
	for k, id := range ids {
		all = append(all, entry.Draft{Actor: "person:eve", Kind: entry.IncidentNoted, Subject: fmt.Sprintf("incident:%d", i.ID), Body: entry.Note{ID: i.ID, Text: id, Role: plan.ResponseRoles()[k%5]}})
	}
	y.now = y.now.Add(time.Hour)
	y.append(all...)
}

func (y *years) longest() *incident.Incident {
	for k := len(y.incidents.Incidents) - 1; ; k-- {
		if i := y.incidents.Incidents[k]; !i.Closed && len(y.runs.Of(i.ID)) > 0 {
			return i
		}
	}
}
