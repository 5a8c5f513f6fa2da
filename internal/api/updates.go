package api

import (
	"encoding/base64"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/incident"
)

// updatesAtMost is how many updates one answer has.
const updatesAtMost = 500

type (
	// Updates are what stakeholders of an incident were told, and must hear.
	Updates struct {
		Owed   []Owed            `json:"owed"`
		Told   []Told            `json:"told"`
		Status contact.Sentences `json:"status" doc:"what the team wrote for them"`
		Next   time.Time         `json:"next,omitzero" doc:"when more is promised"`
	}
	// An Owed update is one thing that one contact must hear.
	Owed struct {
		Owing
		At      time.Time `json:"at" doc:"by when"`
		Overdue bool      `json:"overdue,omitempty"`
		Waiting bool      `json:"waiting,omitempty" doc:"a try is under way"`
		Failed  bool      `json:"failed,omitempty"`
	}
	// A Told update is one message, or one talk.
	Told struct {
		Owing
		Way    string    `json:"way"`
		Wanted time.Time `json:"wanted"`
		Done   time.Time `json:"done,omitzero"`
		Failed bool      `json:"failed,omitempty"`
		By     string    `json:"by"`
	}
	// An Owing names one thing that is owed.
	Owing struct {
		Rule    int64  `json:"rule" doc:"by which it is owed"`
		Contact int64  `json:"contact" doc:"who must hear it"`
		Stage   string `json:"stage" maxLength:"40" doc:"which of its updates it is"`
	}
	toldBody struct {
		Owing
		Way  string `json:"way" maxLength:"40" doc:"how they were told: phone, ..."`
		Note string `json:"note" maxLength:"10000" doc:"what was said"`
	}
	waiveBody struct {
		Owing
		Why string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	statusBody struct {
		Text contact.Sentences `json:"text"`
		Next time.Time         `json:"next,omitzero" doc:"when more is promised"`
	}
	linkBody struct {
		Contact int64 `json:"contact" minimum:"1" doc:"for whom the link is"`
	}
)

func (o Owing) of(incident int64) desk.Owing {
	return desk.Owing{Incident: incident, Rule: o.Rule, Contact: o.Contact, Stage: o.Stage}
}

// updateOperations are those of what stakeholders of an incident hear.
func updateOperations(t *table) {
	o := get("/incidents/{id}/updates", "listUpdates", "Show what stakeholders of an incident must hear, and were told")
	o.need, o.web = auth.Reach, "GET /incidents/{id}/updates"
	add(t, o, updates)
	on := func(path, id, sum string) operation {
		o := post("/incidents/{id}/updates/"+path, id, sum)
		o.need, o.web = auth.Inform, "POST /incidents/{id}/updates/"+path
		return o
	}
	act(t, on("send", "sendUpdate", "Send by mail what is owed to a contact"), func(a ask, in *numberedWith[Owing]) error {
		return a.onUpdates(in.ID, func() error { return a.desk.SendUpdate(a.actor, in.Body.of(in.ID)) })
	})
	act(t, on("told", "toldUpdate", "Note that somebody told a contact themselves"), func(a ask, in *numberedWith[toldBody]) error {
		return a.onUpdates(in.ID, func() error { return a.desk.ToldUpdate(a.actor, in.Body.of(in.ID), in.Body.Way, in.Body.Note) })
	})
	act(t, on("waive", "waiveUpdate", "Decide that a contact need not be told this time"), func(a ask, in *numberedWith[waiveBody]) error {
		return a.onUpdates(in.ID, func() error { return a.desk.WaiveUpdate(a.actor, in.Body.of(in.ID), in.Body.Why) })
	})
	act(t, on("status", "setStatus", "Write what stakeholders may know of an incident"), func(a ask, in *numberedWith[statusBody]) error {
		return a.onUpdates(in.ID, func() error { return a.desk.SetStatus(a.actor, in.ID, in.Body.Text, in.Body.Next) })
	})
	o = on("link", "linkStatus", "Make a link to the status page of an incident for a contact")
	o.shown = true
	add(t, o, func(a ask, in *numberedWith[linkBody]) (out Link, err error) {
		err = a.onUpdates(in.ID, func() (err error) {
			out.Link, err = a.desk.StatusLink(a.actor, in.ID, in.Body.Contact)
			return err
		})
		return out, err
	})
}

// onUpdates does something with the updates of an incident that there is.
func (a ask) onUpdates(id int64, do func() error) (err error) {
	a.desk.ReadAs(a.actor, func(s *desk.State) { _, err = s.Incidents.Get(id) })
	if err != nil {
		return err
	}
	return do()
}

func updates(a ask, in *numbered) (Updates, error) {
	out := Updates{Owed: []Owed{}, Told: []Told{}}
	err := a.onUpdates(in.ID, func() error {
		for _, d := range a.desk.Owed(a.actor, in.ID, a.now) {
			out.Owed = append(out.Owed, Owed{Owing{d.Rule.ID, d.Contact.ID, d.Stage}, d.At, d.Overdue, d.Waiting, d.Failed})
		}
		for _, u := range a.desk.Told(in.ID, updatesAtMost) {
			out.Told = append(out.Told, Told{Owing{u.Rule, u.Contact, u.Stage}, u.Way, u.Wanted, u.Done, u.Failed, u.By})
		}
		stand := a.desk.Stand(in.ID)
		out.Status, out.Next = stand.Sentences, stand.Next
		if says := a.kept(in.ID, "status"); says != "" {
			for k := range out.Status.Versions {
				out.Status.Versions[k].Subject, out.Status.Versions[k].Body = "", says
			}
		}
		return nil
	})
	return out, err
}

type (
	alertQuery struct {
		ListQuery
		Rule     string `query:"rule" maxLength:"200" doc:"key of one rule"`
		Level    string `query:"level" enum:"informational,low,medium,high,critical"`
		Incident int64  `query:"incident" minimum:"1" doc:"of one incident only"`
		Text     string `query:"q" maxLength:"200" doc:"a part of the title, or an address or account as a whole"`
	}
	namedQuery struct {
		ID int64 `path:"id" minimum:"1" doc:"number of the incident"`
		ListQuery
		List string `query:"list" enum:"addresses,accounts,sessions" default:"addresses"`
	}
	// Named is a part of the addresses, accounts or sessions that an incident's alerts name.
	Named struct {
		Named  []NamedParty `json:"named" doc:"most counted first"`
		All    int          `json:"all"`
		Alerts int          `json:"alerts" doc:"alerts that were looked at, the newest; at most a thousand"`
		Of     int          `json:"of" doc:"alerts of the incident"`
	}
	// A NamedParty is one of them, counted over the alerts.
	NamedParty struct {
		Party
		First time.Time `json:"first"`
		Last  time.Time `json:"last"`
	}
	// Alerts are some of them, newest first.
	Alerts struct {
		Alerts []Alert `json:"alerts"`
		All    int     `json:"all"`
	}
	// An Alert is records that matched a rule, grouped and counted.
	Alert struct {
		ID       string    `json:"id"`
		Rule     string    `json:"rule"`
		Title    string    `json:"title"`
		Level    string    `json:"level"`
		Impact   string    `json:"impact,omitempty"`
		First    time.Time `json:"first"`
		Last     time.Time `json:"last"`
		Count    int64     `json:"count"`
		Incident int64     `json:"incident,omitempty"`
		By       string    `json:"by,omitempty" doc:"why it is in that incident, or in none"`
		Mute     int64     `json:"mute,omitempty" doc:"the mute that silenced it"`
		Ended    bool      `json:"ended,omitempty"`
		History  bool      `json:"history,omitempty"`
	}
	// A FullAlert is one with the addresses, accounts and lines that it names.
	FullAlert struct {
		Alert
		Group    []string `json:"group,omitempty"`
		Sources  []Party  `json:"sources"`
		Accounts []Party  `json:"accounts"`
		Hosts    []string `json:"hosts,omitempty"`
		Logs     []string `json:"logs,omitempty"`
		Samples  []string `json:"samples,omitempty"`
		Unusual  string   `json:"unusual,omitempty"`
		Gone     string   `json:"gone,omitempty" doc:"why the details are not there"`
	}
	// A Party is an address or an account in an alert.
	Party struct {
		Name    string `json:"name"`
		Role    string `json:"role" doc:"suspect or victim"`
		Country string `json:"country,omitempty"`
		Realm   string `json:"realm,omitempty"`
		Own     bool   `json:"own,omitempty"`
		Shared  bool   `json:"shared,omitempty"`
		Count   int64  `json:"count"`
	}
)

// alertOperations are those of alerts.
func alertOperations(t *table) {
	o := get("/alerts", "listAlerts", "List alerts, newest first")
	o.need, o.web = auth.See, "GET /alerts"
	add(t, o, func(a ask, in *alertQuery) (Alerts, error) {
		out := Alerts{Alerts: []Alert{}}
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			var list []*incident.Alert
			a.desk.Alerts(s, desk.AlertFilter{Rule: in.Rule, Level: in.Level, Incident: in.Incident, Text: in.Text}, func(x *incident.Alert) { list = append(list, x) })
			out.All = len(list)
			for _, x := range part(list, in.ListQuery) {
				out.Alerts = append(out.Alerts, alertOf(x))
			}
		})
		return out, nil
	})
	o = get("/alerts/{id}", "getAlert", "Show an alert with the addresses, accounts and lines that it names")
	o.need, o.web = auth.See, "GET /alerts/{id}"
	add(t, o, func(a ask, in *named) (out FullAlert, err error) {
		vault := ""
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			if x := s.Incidents.Alerts[in.ID]; x != nil {
				out.Alert, vault = alertOf(x), x.Vault
			}
		})
		if out.ID == "" {
			return out, errMissing
		}
		full, err := a.desk.Details(vault)
		if err != nil {
			out.Gone = err.Error()
		}
		out.Group, out.Hosts, out.Logs, out.Samples, out.Unusual = full.Group, full.Hosts, full.Logs, full.Samples, full.Why
		out.Sources, out.Accounts = []Party{}, []Party{}
		for _, p := range full.Sources {
			out.Sources = append(out.Sources, partyOf(p))
		}
		for _, p := range full.Accounts {
			out.Accounts = append(out.Accounts, partyOf(p))
		}
		return out, nil
	})
	o = get("/incidents/{id}/named", "listNamed", "List the addresses, accounts or sessions that an incident's alerts name")
	o.need, o.web = auth.See, "GET /incidents/{id}"
	add(t, o, func(a ask, in *namedQuery) (Named, error) {
		all, err := a.desk.Named(a.actor, in.ID)
		list, _ := all.List(in.List)
		out := Named{Named: []NamedParty{}, All: len(list), Alerts: all.Alerts, Of: all.Of}
		for _, x := range part(list, in.ListQuery) {
			out.Named = append(out.Named, NamedParty{partyOf(x.Party), x.First, x.Last})
		}
		return out, err
	})
	o = post("/alerts/{id}/erase", "eraseAlert", "Destroy the details of an alert: addresses, accounts, sample lines")
	o.need, o.about = auth.Forget, "A token cannot ask for it. The log lines themselves go when their time is over."
	act(t, o, func(a ask, in *namedWith[client.Reason]) error {
		known := false
		a.desk.ReadAs(a.actor, func(s *desk.State) { known = s.Incidents.Alerts[in.ID] != nil })
		if !known {
			return errMissing
		}
		return a.desk.EraseAlert(a.actor, in.ID, in.Body.Why)
	})
}

func partyOf(p detect.Party) Party {
	return Party{p.Name, string(p.Role), p.Country, p.Realm, p.Own, p.Shared, p.Count}
}

func alertOf(x *incident.Alert) Alert {
	return Alert{x.ID, x.Rule, x.Title, x.Level, x.Impact, x.First, x.Last, x.Count, x.Incident, x.By, x.Mute, x.Ended, x.History}
}

type (
	ledgerQuery struct {
		Most int64 `query:"most" minimum:"1" maximum:"1000" default:"100" doc:"how many entries, the last ones"`
	}
	// A Ledger is its head and its last entries, newest first.
	Ledger struct {
		Size    int64     `json:"size" doc:"entries"`
		Root    string    `json:"root" doc:"base64"`
		Signed  time.Time `json:"signed"`
		Signer  string    `json:"signer"`
		Entries []Entry   `json:"entries"`
	}
	// An Entry is one line of the ledger.
	Entry struct {
		N       int64     `json:"n"`
		At      time.Time `json:"at"`
		Actor   string    `json:"actor"`
		Kind    string    `json:"kind"`
		Subject string    `json:"subject"`
	}
	// A Verdict says how verifying went.
	Verdict struct {
		Intact  bool   `json:"intact"`
		Entries int64  `json:"entries" doc:"checked and good"`
		Bytes   int64  `json:"bytes"`
		Says    string `json:"says,omitempty" doc:"what is wrong"`
	}
)

// ledgerOperations are those of the ledger.
func ledgerOperations(t *table) {
	o := get("/ledger", "getLedger", "Show the ledger's head and its last entries")
	o.need, o.web = auth.See, "GET /ledger"
	add(t, o, func(a ask, in *ledgerQuery) (Ledger, error) {
		head, signed, signer := a.desk.LedgerHead()
		out := Ledger{Size: head.Size, Root: base64.StdEncoding.EncodeToString(head.Root[:]), Signed: signed, Signer: signer, Entries: []Entry{}}
		last, err := a.desk.EntriesFor(a.actor, in.Most)
		for _, e := range last {
			out.Entries = append(out.Entries, Entry{e.N, e.Time, e.Actor, string(e.Kind), e.Subject})
		}
		return out, err
	})
	o = post("/ledger/verify", "verifyLedger", "Read the whole ledger again, and check it against its signed head")
	o.need, o.web = auth.Verify, "POST /ledger/verify"
	add(t, o, func(a ask, _ *none) (Verdict, error) {
		r, err := a.desk.VerifyLedger()
		out := Verdict{Intact: err == nil, Entries: r.Entries, Bytes: r.Bytes}
		if err != nil {
			out.Says = strings.TrimSpace(err.Error())
		}
		return out, nil
	})
}
