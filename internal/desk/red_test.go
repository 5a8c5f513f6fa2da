package desk

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/chat"
	"tocsin/internal/contact"
	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/hook"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/query"
	"tocsin/internal/report"
	"tocsin/internal/tlp"
)

// canary begins each of the words that are planted, so that one that leaves names the text that it left from.
const canary = "ibis-"

// What of an incident must not leave beside the planted words, when it is RED as a whole: what its alert says, and that there is one of its number.
var wholeRed = []string{"Request for evil", "192.0.2.7", "incidents/1", "incident:1", "measure:1", "may be invited"}

// A mode is how the words are labelled when the exits are tried.
type mode struct {
	name  string
	whole string   // label of the incident
	never []string // that leaves by no exit
}

func modes() []mode {
	return []mode{
		{"GREEN, so that each word leaves by its exit", "GREEN", nil},
		{"RED as a whole", "RED", append([]string{canary}, wholeRed...)},
		{"RED in each thing", "GREEN", []string{canary}},
	}
}

// planted is an incident with a word of its own in each kind of text, and what people and programs can be told by.
type planted struct {
	t          *testing.T
	h          *house
	d          *Desk
	m          mode
	anna, rita auth.Actor
	status     string // token of a status page, from before the label
	told       int    // messages before the label
	mu         sync.Mutex
	beats      []notify.Beat
}

// addresses is a contact whom every channel reaches.
func addresses(name string) Contact {
	c := Contact{Name: name}
	for _, channel := range plan.ChannelTable() {
		c.SetAddress(channel.Name, "https://chat.example/"+strings.ToLower(name)+"/"+channel.Name)
	}
	c.SetAddress(plan.Pushover, strings.Repeat("u", 30))
	c.SetAddress(plan.Telegram, "12345")
	c.Mail, c.Voice, c.SMS, c.Slack = strings.ToLower(name)+"@shop.example", "+4930111", "+4930222", "U0"+strings.ToUpper(name)
	return c
}

func plant(t *testing.T, m mode) (x *planted) {
	h := newHouse(t)
	x = &planted{t: t, h: h, m: m, anna: person("anna", plan.Commander), rita: person("rita", plan.Reader)}
	h.o.Plan = firePlan()
	h.o.Outside = &OutsideOptions{Limits: report.Usual()}
	for _, channel := range append(plan.Channels(), plan.Chat+"ops") {
		if channel != plan.Voice && channel != plan.Console {
			h.o.Senders[channel] = h.send
		}
	}
	h.o.Watchers = []Watcher{{Name: "outside", Tell: func(_ context.Context, b notify.Beat) error {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.beats = append(x.beats, b)
		return nil
	}}}
	d, stop := h.start()
	t.Cleanup(stop)
	x.d = d
	_, err := d.SeedPlan(Seed{People: []SeedPerson{{ID: "anna", Roles: []string{plan.Commander}, Contact: addresses("Anna")}, {ID: "boris", Roles: []string{plan.Engineer}, Contact: Contact{Name: "Boris", Mail: "boris@shop.example"}},
		{ID: "rita", Roles: []string{plan.Reader}, Contact: Contact{Name: "Rita"}}},
		Policy: &entry.Policy{Steps: []entry.PolicyStep{{Who: []string{"anna"}, Wait: 5 * time.Minute}, {Who: []string{plan.Everyone}, Wait: 5 * time.Minute}}, Rounds: 3, Every: time.Hour}})
	must(t, err)
	h.bank(d, true)
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"), request(time.Now(), "192.0.2.9", "/odd"))
	time.Sleep(10 * time.Second)
	synctest.Wait()
	_, err = d.FilePlain("x", report.Parcel{What: canary + "told", Contact: "mara@research.example"})
	must(t, err)
	h.failing(func(context.Context, notify.Message) error { return &notify.Failure{Temporary: true, Reason: "busy"} }) // what is owed from here on waits
	x.write()
	return x
}

// write plants the words, and gives those their labels that get one each.
func (x *planted) write() {
	d, anna, now := x.d, x.anna, time.Now()
	label := func(what string) {
		x.t.Helper()
		if x.m.name == "RED in each thing" {
			must(x.t, d.SetLabel(anna, 1, what, "RED", canary+"label"))
		}
	}
	last := func(kind entry.Kind) (what string) {
		d.Read(func(s *State) {
			i, _ := s.Incidents.Get(1)
			for _, m := range i.Timeline {
				if m.Kind == kind {
					what = fmt.Sprint("note:", m.N)
				}
			}
		})
		return what
	}
	must(x.t, d.Note(anna, 1, canary+"note", time.Time{}))
	label(last(entry.IncidentNoted))
	must(x.t, d.SetSeverity(anna, 1, "critical", canary+"severity"))
	label(last(entry.IncidentSeverity))
	must(x.t, d.State(anna, 1, 0, canary+"statement"))
	label("statement")
	n, err := d.AskDecision(anna, 1, DecisionAsk{Question: canary + "decision", Options: []string{canary + "option", "no"}})
	must(x.t, err)
	label(fmt.Sprint("decision:", n))
	n, err = d.AskQuestion(anna, 1, plan.Legal, canary+"question")
	must(x.t, err, d.AnswerQuestion(anna, 1, n, canary+"answer"))
	label(fmt.Sprint("question:", n))
	n, err = d.AddTask(anna, 1, TaskAsk{Title: canary + "task", Person: "boris", Due: now.Add(70 * time.Minute)})
	must(x.t, err)
	label(fmt.Sprint("task:", n))
	n, err = d.AddFile(anna, 1, FileText{Name: canary + "file.php", Kind: "code", From: canary + "from", Why: canary + "because"}, strings.NewReader(canary+"content"))
	must(x.t, err)
	label(fmt.Sprint("attachment:", n))
	must(x.t, d.FinishStep(anna, StepDone{Run: 1, Step: "look", Found: canary + "found", Answers: map[string]string{"where": canary + "where", "big": "no"}, Evidence: []string{"1"}}))
	n, err = d.HandOver(anna, 1, "boris", nil, canary+"handover")
	must(x.t, err)
	label(fmt.Sprint("handover:", n))
	must(x.t, d.PutCause(anna, 1, CauseText{Class: "person", Sum: canary + "cause", Whys: []ReasonText{{Text: canary + "why", Links: []entry.Link{{Kind: "file", Ref: "/" + canary + "path.php"}, {Kind: "attachment", Ref: "1"}}}},
		Bones: []ReasonText{{Branch: "people", Text: canary + "bone"}}}))
	label("cause")
	must(x.t, d.PutLessons(anna, 1, LessonsText{Well: canary + "well", Badly: canary + "badly", Follows: canary + "follows"}))
	must(x.t, d.HoldReview(anna, 1, ReviewNotes{At: now, Attendees: []string{"anna"}, Says: canary + "minutes", Gaps: []string{canary + "gap"}}))
	_, err = d.AddMeasure(anna, 1, MeasureText{Text: canary + "measure", Owner: "anna", Due: now.Add(10 * time.Minute)})
	must(x.t, err)
	label("lessons")
	must(x.t, d.PutAffected(anna, 1, AffectedText{Systems: canary + "system; front; was changed; restored", Data: canary + "data; copied; 312", People: canary + "people; ?; Germany", Costs: canary + "costs; 1250 EUR; estimate"}))
	label("affected")
	must(x.t, d.SetStatus(anna, 1, contact.Sentences{Versions: []contact.Version{{Lang: "en", Body: canary + "status"}}}, time.Time{}))
	link, err := d.StatusLink(anna, 1, 1)
	must(x.t, err)
	_, x.status, _ = strings.Cut(link, "/status/")
	_, err = d.DecideReport(anna, ReportDeed{Report: 1, Deed: "join", Incident: 1, Reason: canary + "reason", Message: "We look at it."})
	must(x.t, err)
	must(x.t, d.SendUpdate(anna, Owing{Incident: 1, Rule: 1, Contact: 1, Stage: contact.Opened}))
	time.Sleep(20 * time.Minute) // what is owed by then waits, because nothing can be sent
	synctest.Wait()
	x.told = len(x.h.sent())
	if x.m.whole == "RED" {
		must(x.t, d.SetLabel(anna, 1, "", "RED", canary+"label"))
	} else {
		must(x.t, d.SetLabel(anna, 1, "", "GREEN", "open"))
		if x.m.name == "RED in each thing" {
			label("status")
		}
	}
}

// A redExit is one way out, or several of one kind.
type redExit struct {
	name string
	of   []tlp.Exit // as package tlp names them
	says []string   // that leaves by it while the incident is GREEN; none: what leaves has no words of an incident (doc/tlp.md says why)
	try  func(*planted) (out []string)
}

func asText(v any, err error) string {
	b, e := json.Marshal(v)
	return fmt.Sprint(string(b), "\n", errors.Join(err, e))
}

// redExits is the table of the exits that the desk has. Those of faces are tables of their own: package web's of its routes and of the operations of the API.
func redExits() []redExit {
	out := []redExit{
		{"call by telephone", []tlp.Exit{tlp.Voice}, []string{"Request for evil"}, func(x *planted) (out []string) {
			x.d.Read(func(s *State) {
				c := s.Calls.Of(1)
				o := x.d.orderOf(s, c, x.d.words(s, c, "anna", tlp.Voice), "anna", Contact{Voice: "sips:anna@phone.example"})
				out = append(out, asText([]string{o.Detail, o.Severity, "number " + o.Number}, nil))
			})
			return out
		}},
		{"what waited for a sender when the label came: calls, reminders, updates, answers to reporters", []tlp.Exit{tlp.TeamMail, tlp.StakeholderMail}, []string{"Request for evil", canary + "task", canary + "measure", canary + "status", "We look at it."},
			func(x *planted) (out []string) {
				x.h.failing(nil)
				time.Sleep(5 * time.Hour)
				synctest.Wait()
				for _, m := range x.h.sent()[x.told:] {
					out = append(out, asText([]string{m.To, m.Subject, m.Body, m.Link}, nil))
				}
				return out
			}},
		{"Slack: the card", []tlp.Exit{tlp.Chat}, []string{"Request for evil"}, func(x *planted) (out []string) {
			x.d.Read(func(s *State) { s.Chat[1] = chat.Place{Channel: "C1", Card: "1"} })
			x.d.o.Slack = &SlackOptions{}
			for _, c := range x.d.owedCards(time.Now()) {
				if c.card.Number == 1 {
					out = append(out, asText(c.card, nil))
				}
			}
			return out
		}},
		{"Slack: answers to commands and presses", []tlp.Exit{tlp.Chat}, []string{"Request for evil"}, func(x *planted) (out []string) {
			for k, verb := range []string{chat.AskStatus, chat.AskWho, chat.AddNote} {
				said, err := x.d.commanded(x.t.Context(), chat.Command{ID: fmt.Sprint(k), Staff: "anna", Verb: verb, Number: 1, Text: "heard"})
				out = append(out, asText(said, err))
			}
			for _, act := range []string{chat.Acknowledge, chat.PassOn, chat.TakeTask, chat.SetSeverity} {
				said, err := x.d.pressed(x.t.Context(), chat.Press{ID: "p" + act, Staff: "anna", Incident: 1, Key: x.d.cardKey(1), Channel: "C1", Card: "1", Act: act, Task: workTask, Severity: "Critical"})
				out = append(out, asText(said, err))
			}
			return out
		}},
		{"webhooks to programs", []tlp.Exit{tlp.Webhook}, []string{"incidents/1"}, func(x *planted) (out []string) {
			c := &caller{d: x.d}
			for e, err := range x.d.ledger.Entries(1) {
				must(x.t, err)
				noun, _, _ := strings.Cut(string(e.Kind), ".")
				c.Webhook = Webhook{Hook: hook.Hook{Name: "x", What: []string{noun, string(e.Kind)}}}
				body, _, err := c.compose(e)
				out = append(out, asText(string(body), err))
			}
			return out
		}},
		{"updates to stakeholders", []tlp.Exit{tlp.StakeholderMail}, []string{canary + "status"}, func(x *planted) (out []string) {
			before := len(x.h.sent())
			for _, o := range x.d.Owed(x.anna, 1, time.Now()) {
				if err := x.d.MayLeave(1, "status", tlp.StakeholderMail); err == nil {
					u, err := x.d.Compose(o, time.Now())
					out = append(out, asText(u, err))
				}
				out = append(out, asText(nil, x.d.SendUpdate(x.anna, Owing{Incident: 1, Rule: o.Rule.ID, Contact: o.Contact.ID, Stage: o.Stage})))
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			for _, m := range x.h.sent()[before:] {
				out = append(out, m.Subject+"\n"+m.Body)
			}
			return out
		}},
		{"status page", []tlp.Exit{tlp.StatusPage}, []string{canary + "status"}, func(x *planted) []string {
			p, err := x.d.OpenStatus(x.status)
			link, e := x.d.StatusLink(x.anna, 1, 1)
			if e == nil {
				_, token, _ := strings.Cut(link, "/status/")
				q, again := x.d.OpenStatus(token)
				return []string{asText(p, err), asText(q, again)}
			}
			return []string{asText(p, err), asText(nil, e)}
		}},
		{"war room: a link for a guest", []tlp.Exit{tlp.Invitation}, []string{"may be invited"}, func(x *planted) []string { // package web asks for the link itself
			err := x.d.MayLeave(1, "", tlp.Invitation)
			if err == nil {
				return []string{"a guest may be invited"}
			}
			return []string{err.Error()}
		}},
		{"the report in each form, depth and for each audience", []tlp.Exit{tlp.ForTeam, tlp.ForManagement, tlp.ForAuthority, tlp.ForInsurer, tlp.ForSupplier, tlp.ForCustomers, tlp.ForPublic},
			[]string{"note", "statement", "decision", "question", "task", "file.php", "from", "found", "handover", "cause", "why", "path.php", "bone", "well", "badly", "follows", "measure", "system", "data", "people", "costs"},
			func(x *planted) (out []string) {
				for _, form := range slices.Sorted(maps.Keys(dossierTypes())) {
					for _, depth := range []string{"full", "executive"} {
						for _, l := range tlp.Labels() {
							m, err := x.d.Dossier(x.anna, 1, DossierAsk{Form: form, Depth: depth, Audience: string(l)})
							out = append(out, asText(m.Name, err), insideOf(x.t, form, m.Bytes))
						}
					}
				}
				return out
			}},
		{"STIX and VERIS for each audience", []tlp.Exit{tlp.Export}, []string{"192.0.2.7", "path.php"}, func(x *planted) (out []string) {
			for _, form := range []string{"stix", "veris"} {
				for _, l := range tlp.Labels() {
					r, err := x.d.Exchange(x.anna, 1, form, string(l))
					out = append(out, asText(string(r.Data), err))
				}
			}
			return out
		}},
		{"evidence: handed out, passed on", []tlp.Exit{tlp.Export}, []string{"content"}, func(x *planted) []string {
			f, err := x.d.OpenFile(x.anna, 1, 1, "to look")
			return []string{asText(string(f.Bytes), err), asText(nil, x.d.PassFile(x.anna, 1, 1, "", "police", "asked"))}
		}},
		{"what pages for others are made of", []tlp.Exit{tlp.Page}, []string{"note", "severity", "statement", "decision", "option", "question", "answer", "task", "file.php", "from", "because", "found", "where", "handover", "cause", "why", "path.php", "bone", "well",
			"badly", "follows", "system", "label"}, func(x *planted) (out []string) {
			return append(readable(x, x.rita), pagesOf(x, x.rita)...)
		}},
		{"what a token of one of the team reads", []tlp.Exit{tlp.Page}, []string{"note", "statement", "found", "minutes", "gap", "measure", "told", "reason"}, func(x *planted) []string {
			token := x.anna
			token.Scope, token.Via = auth.Actions(), "token:1"
			return slices.Concat(readable(x, token), pagesOf(x, token), reportOf(x, token))
		}},
		{"the ledger's page", []tlp.Exit{tlp.Page}, []string{"incident:1", "measure:1"}, func(x *planted) (out []string) {
			all, err := x.d.EntriesFor(x.rita, 10_000)
			for _, e := range all {
				out = append(out, fmt.Sprint(e.Actor, " ", e.Kind, " ", e.Subject))
			}
			return append(out, asText(nil, err))
		}},
		{"beats", nil, nil, func(x *planted) []string {
			x.mu.Lock()
			defer x.mu.Unlock()
			if len(x.beats) == 0 {
				x.t.Error("no watcher was told")
			}
			return []string{asText(x.beats, nil)}
		}},
		{"playbooks as CACAO, and the plan on paper", nil, nil, func(x *planted) []string {
			b, found, err := x.d.ExportPlaybook("fire", "")
			p, e := x.d.WholePlan(x.rita, nil)
			return []string{string(b), asText(found, err), asText(p, e)}
		}},
		{"lines that are exported", nil, nil, func(x *planted) []string {
			q, err := query.Parse("evil", time.Now(), time.UTC)
			must(x.t, err)
			e, err := x.d.Export(x.t.Context(), x.anna, q)
			if err != nil {
				return []string{err.Error()}
			}
			return []string{strings.ReplaceAll(string(e.text), "192.0.2.7", "")} // a line is no part of an incident: who may search reads it
		}},
		{"the program's log", nil, nil, func(x *planted) []string { return []string{x.h.logged()} }},
	}
	for _, channel := range plan.Channels() {
		if channel == plan.Voice {
			continue // above
		}
		out = append(out, redExit{"call by " + channel, []tlp.Exit{exitOf(oncall.Try{CallTry: entry.CallTry{Person: "anna", Channel: channel}})}, []string{"Request for evil"}, composes("anna", channel)})
	}
	out = append(out, redExit{"call in a chat of the team", []tlp.Exit{tlp.Chat}, []string{"Request for evil"}, composes("", plan.Chat+"ops")})
	return out
}

// composes words a call as a channel is told it.
func composes(person, channel string) func(*planted) []string {
	return func(x *planted) []string {
		var send oncall.Send
		x.d.Read(func(s *State) {
			send = oncall.Send{Call: s.Calls.Of(1), Try: oncall.Try{CallTry: entry.CallTry{ID: 1, Try: 1, Person: person, Channel: channel, Message: "m"}, Wanted: time.Now()}}
		})
		if channel == plan.Console { // which has a page in place of a message
			words := notify.Call{}
			x.d.ReadAs(x.rita, func(s *State) {
				if c := s.Calls.Of(1); c != nil {
					words = x.d.words(s, c, "rita", "")
				}
			})
			return []string{asText(words, nil)}
		}
		j, err := x.d.compose(send, false)
		must(x.t, err)
		out := []string{asText([]string{j.Message.To, j.Message.Subject, j.Message.Body, j.Message.Link, j.Message.Severity}, nil)}
		if m := j.Message; m.Seal != nil { // what is signed or encrypted is made of the same words, and of nothing else
			sealed, err := m.Seal(envelope.Plain{From: "tocsin@shop.example", To: m.To, ID: m.ID, Date: time.Now(), Subject: m.Subject, Body: m.Body})
			out = append(out, asText([]string{sealed.Subject, sealed.Header, string(sealed.Body), sealed.Why}, err))
		}
		return out
	}
}

// readable are all texts of which the state of an actor names the vault object. It is what any page, answer or list for them can be made of.
func readable(x *planted, actor auth.Actor) (out []string) {
	seen := map[any]bool{}
	words := map[string]bool{}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.String:
			if s := v.String(); s != "" && !words[s] {
				words[s] = true
				out = append(out, path+" "+s)
				if b, err := x.d.vault.Get(s); err == nil {
					out = append(out, path+" "+string(b))
				}
			}
		case reflect.Pointer, reflect.Interface:
			if v.Kind() == reflect.Pointer && !v.IsNil() {
				if seen[v.Pointer()] {
					return
				}
				seen[v.Pointer()] = true
			}
			if !v.IsNil() {
				walk(v.Elem(), path)
			}
		case reflect.Slice, reflect.Array:
			for k := range v.Len() {
				walk(v.Index(k), path)
			}
		case reflect.Map:
			for k, y := range v.Seq2() {
				walk(k, path)
				walk(y, path)
			}
		case reflect.Struct:
			for k := range v.NumField() {
				if name := v.Type().Field(k).Name; name != "words" && name != "room" && name != "runs" { // what folds keep for their own work
					walk(v.Field(k), path+"."+name)
				}
			}
		}
	}
	x.d.ReadAs(actor, func(s *State) {
		v := reflect.ValueOf(s).Elem()
		for k := range v.NumField() {
			if name := v.Type().Field(k).Name; !slices.Contains(askedFor, name) {
				walk(v.Field(k), name)
			}
		}
	})
	return out
}

// askedFor are the parts of the state whose words stand behind a question of their own, which pagesOf and reportOf ask: their functions cover them.
var askedFor = []string{"Reviews", "reports", "reportMails", "Contacts"}

// pagesOf are the words for which a page or an answer asks the desk.
func pagesOf(x *planted, actor auth.Actor) (out []string) {
	say := func(v any, err error) { out = append(out, asText(v, err)) }
	cause, err := x.d.Cause(actor, 1)
	say(cause, err)
	lessons, err := x.d.Lessons(actor, 1)
	say(lessons, err)
	affected, err := x.d.Affected(actor, 1)
	say(affected, err)
	measures, err := x.d.AllMeasures(actor)
	say(measures, err)
	measures, err = x.d.Measures(actor, 1)
	say(measures, err)
	one, err := x.d.MeasureOf(actor, 1)
	say(one, err)
	review, err := x.d.ReviewOf(actor, 1, time.UTC)
	say(review, err)
	unreviewed, err := x.d.UnreviewedIncidents(actor)
	say(unreviewed, err)
	work, _ := x.d.MyWork(actor, 100)
	say(work, nil)
	say(x.d.Approvals(actor, 100), nil)
	say(x.d.Ringing(actor), nil)
	say(x.d.Owed(actor, 0, time.Now()), nil)
	exceptions, err := x.d.Exceptions(actor, 1)
	say(exceptions, err)
	say(nil, x.d.State(actor, 1, 1, "mine")) // who comes second is shown what the first wrote
	say(nil, x.d.FinishStep(actor, StepDone{Run: 1, Step: "look", Found: "mine"}))
	if o, ok := errors.AsType[*Overtaken](x.d.State(actor, 1, 1, "mine")); ok {
		say(o.First, nil)
	}
	return out
}

// reportOf are the words of the report that joined it.
func reportOf(x *planted, actor auth.Actor) (out []string) {
	rows, _, err := x.d.OutsideReports(actor, false, 0, 10)
	for _, r := range rows {
		for _, s := range r.Steps {
			out = append(out, x.d.Text(s.Text))
		}
	}
	told, e := x.d.OpenOutsideReport(actor, 1)
	return append(out, asText(rows, err), asText(told, e))
}

// insideOf is what a report says in a form. A PDF packs its text: package web reads it with another program; it is made of the same model.
func insideOf(t *testing.T, form string, b []byte) string {
	t.Helper()
	if form != "docx" || len(b) == 0 {
		return string(b)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		_, err = io.Copy(&all, r)
		must(t, err, r.Close())
	}
	return all.String()
}

// unlabelled are words that have no label of their own: they are their incident's.
var unlabelled = []string{canary + "told", canary + "reason", canary + "found", canary + "where"}

// Given an incident with a word of its own in each kind of text, when every exit is tried while it is GREEN, then the words leave; while it is RED, or each thing in it is, none does.
func TestRedLeavesByNoExit(t *testing.T) {
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := plant(t, m)
				for _, e := range redExits() {
					out := e.try(x)
					text := strings.Join(out, "\n")
					if m.never == nil {
						for _, w := range e.says {
							if !strings.Contains(text, w) {
								t.Errorf("%s does not say %q, so that it does not when it is RED proves nothing", e.name, w)
							}
						}
					}
					for _, s := range out {
						for _, w := range unlabelled {
							if m.whole != "RED" {
								s = strings.ReplaceAll(s, w, "")
							}
						}
						never := m.never
						if e.says == nil {
							never = []string{canary}
						}
						for _, w := range never {
							if k := strings.Index(s, w); k >= 0 {
								t.Errorf("%s: %q", e.name, s[max(0, k-100):min(len(s), k+60)])
							}
						}
					}
				}
			})
		})
	}
}

// Given what package tlp and the channels name as ways out, when the table is looked at, then each has a row: a new one fails here until it has.
func TestEveryExitHasARow(t *testing.T) {
	named := map[tlp.Exit]bool{}
	for _, e := range redExits() {
		for _, x := range e.of {
			named[x] = true
		}
	}
	for _, e := range tlp.Exits() {
		if !named[e] {
			t.Errorf("no row tries the exit %s", e)
		}
	}
	for _, channel := range plan.Channels() {
		e := exitOf(oncall.Try{CallTry: entry.CallTry{Person: "anna", Channel: channel}})
		if !slices.Contains(tlp.Exits(), e) {
			t.Errorf("a call by %s leaves by %q", channel, e)
		}
		if other := slices.Contains([]string{plan.Mail, plan.SMS, plan.Voice, plan.Console}, channel); !other && tlp.MayLeave(tlp.AmberStrict, e) {
			t.Errorf("what is for our own organization goes to somebody else's server by %s", channel)
		}
	}
}
