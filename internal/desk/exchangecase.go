package desk

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/exchange"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/tuning"
)

// exchangeReader puts together what other teams may be told of an incident. Texts are ids of vault objects while the state is held; words are read after.
type exchangeReader struct {
	d       *Desk
	c       exchange.Case
	alerts  []incident.Alert
	suspect map[string]bool // keyed hashes of addresses and accounts: the attacker's and nobody else's, in each incident that names them
	seen    [][2]string     // hashes with the countries from where they came
	places  map[string]int  // of values, by kind and text
	files   []exchange.Value
	causes  []string // vault objects with paths of files
	cause   string   // label of the cause
	parser  *intake.Parser
}

// exchanged reads what an exchange may tell of an incident, and how many entries the ledger had then.
func (d *Desk) exchanged(actor auth.Actor, id int64) (c exchange.Case, size int64, err error) {
	r := exchangeReader{d: d, suspect: map[string]bool{}, places: map[string]int{}}
	if r.parser, err = intake.New(intake.Options{Geo: d.o.Geo, Trusted: d.o.Trusted, Zone: d.o.Zone, Maps: d.o.Maps}); err != nil {
		return c, 0, err
	}
	d.ReadAs(actor, func(s *State) {
		var i *incident.Incident
		if i, err = s.Incidents.Get(id); err == nil {
			size = s.Entries
			r.read(s, i)
		}
	})
	if err != nil {
		return c, size, err
	}
	r.c.Summary.Text = d.Text(r.c.Summary.Text)
	for _, v := range r.files {
		r.value(v)
	}
	for _, ref := range r.causes {
		r.value(exchange.Value{Kind: "path", Text: d.Text(ref), Label: r.cause})
	}
	for _, a := range r.alerts {
		r.alert(a)
	}
	return r.c, size, nil
}

// read takes what the state knows.
func (r *exchangeReader) read(s *State, i *incident.Incident) {
	id, origin := i.ID, r.d.key.Origin()
	label := func(what string) string { return string(s.Incidents.Label(id, what)) }
	r.c = exchange.Case{ID: id, Origin: origin, Organisation: r.d.organisation(), Label: label(""), Title: i.Title, Severity: i.Severity, Verdict: i.Verdict,
		Happened: i.Happened, Opened: i.Opened, Closed: i.Ended, Changed: i.Opened, ToldBy: toldBy(s, i), Customers: i.Scope() == "customers", Insider: i.Restriction.Kind == "insider", Drill: i.Sample}
	if n := len(i.Command().Statements); n > 0 {
		r.c.Summary = exchange.Text{Text: i.Command().Statements[n-1].What.Text, Label: label("statement")}
	}
	for _, run := range s.Runs.Of(id) {
		if b := run.Book(); b != nil {
			r.c.Kind = b.ID
		}
	}
	cause, _ := i.Cause()
	r.cause = label("cause")
	r.c.Cause = exchange.Text{Text: cause.Class, Label: r.cause}
	for _, x := range slices.Concat(cause.Whys, cause.Bones) {
		for _, l := range x.Links {
			if l.Kind == "file" {
				r.causes = append(r.causes, l.Ref)
			}
		}
	}
	for _, m := range i.Timeline {
		r.c.Changed = later(r.c.Changed, m.Learned)
		switch {
		case m.Kind != entry.IncidentPhase:
		case m.To == "eradication" && r.c.Contained.IsZero():
			r.c.Contained = m.Learned
		case m.To == "lessons" && r.c.Recovered.IsZero():
			r.c.Recovered = m.Learned
		}
	}
	for _, of := range s.Incidents.Family(id) {
		if m, err := s.Incidents.Get(of); err == nil {
			r.member(s, m)
		}
	}
	for _, x := range r.seen {
		if r.suspect[x[0]] {
			r.c.Countries = append(r.c.Countries, x[1])
		}
	}
}

// member takes what an incident of the family has: who is suspect, what was brought, and the alerts.
func (r *exchangeReader) member(s *State, i *incident.Incident) {
	for _, p := range slices.Concat(i.Sources, i.Accounts) {
		theirs := p.Role == string(detect.Suspect) && !p.Own && !p.Shared
		was, seen := r.suspect[p.Hash]
		theirs = theirs && (was || !seen) // who is a victim in one of the family is none's suspect
		r.suspect[p.Hash] = theirs
		if p.Country != "" {
			r.seen = append(r.seen, [2]string{p.Hash, p.Country})
		}
	}
	for _, f := range i.Command().Files {
		if f.Kind == "code" {
			r.files = append(r.files, exchange.Value{Kind: "hash", Text: f.SHA256, Label: string(s.Incidents.Label(i.ID, attachmentOf(f.ID))), First: f.Added.At})
		}
	}
	for _, a := range i.Alerts {
		if x := s.Incidents.Alerts[a]; x != nil && len(r.alerts) < exchangedAlerts {
			r.alerts = append(r.alerts, *x)
		}
	}
}

// toldBy says how we learned of an incident: by a rule, or by whoever reported it.
func toldBy(s *State, i *incident.Incident) string {
	rung := func(id string) bool { a := s.Incidents.Alerts[id]; return a != nil && a.Rule == ReportRule }
	if len(i.Alerts) > 0 && !rung(i.Alerts[0]) {
		return "rule"
	}
	for _, c := range s.reports.Cases() {
		if c.Incident == i.ID && c.From != "unknown" {
			return c.From
		}
	}
	return map[bool]string{true: "employee"}[len(i.Alerts) == 0]
}

// alert takes what an alert names.
func (r *exchangeReader) alert(a incident.Alert) {
	x := exchange.Alert{ID: a.ID, Title: a.Title, First: a.First, Last: a.Last, Count: a.Count, Techniques: a.Techniques}
	take := func(kind, text string, victim bool) {
		x.Values = append(x.Values, r.value(exchange.Value{Kind: kind, Text: text, Victim: victim, First: a.First, Last: a.Last}))
	}
	details, err := r.d.Details(a.Vault)
	if err == nil { // else it is erased, or not readable: the alert stays, and names nobody
		for _, p := range details.Sources {
			take("address", p.Name, !r.suspect[r.d.vault.Hash("address", p.Name)])
		}
		for _, p := range details.Accounts {
			take("account", p.Name, !r.suspect[r.d.vault.Hash("account", p.Realm+"/"+p.Name)])
		}
		if details.Impact != detect.Attempt { // what was only tried for is asked for by every scanner
			for _, line := range details.Samples {
				file := ""
				if len(details.Logs) > 0 {
					file = details.Logs[0]
				}
				signs := signsOf(r.parser.Parse(record.Line{File: file, Raw: line}, a.Last))
				for _, kind := range slices.Sorted(maps.Keys(signs)) { // the same case gives the same bytes
					for _, text := range signs[kind] {
						take(kind, text, false)
					}
				}
			}
		}
	}
	slices.Sort(x.Values)
	r.c.Alerts = append(r.c.Alerts, x)
	for _, t := range a.Techniques {
		if code, ok := strings.CutPrefix(t, "attack.t"); ok && !slices.Contains(r.c.Techniques, exchange.Technique{ID: "T" + code}) {
			r.c.Techniques = append(r.c.Techniques, exchange.Technique{ID: "T" + code})
		}
	}
}

// value puts a value into the case, or finds it there as it is, and returns its place. One that is there as a victim's too, or under another label, is another: package
// exchange makes one of them, by the narrower.
func (r *exchangeReader) value(v exchange.Value) int {
	key := fmt.Sprintf("%s %v %s %s", v.Kind, v.Victim, v.Label, v.Text)
	k, ok := r.places[key]
	if !ok {
		k = len(r.c.Values)
		r.places[key] = k
		r.c.Values = append(r.c.Values, v)
	}
	r.c.Values[k].Last, r.c.Values[k].Victim = later(r.c.Values[k].Last, v.Last), r.c.Values[k].Victim || v.Victim
	return k
}

// signsOf are what a line of an attack names by which it is recognised elsewhere, by the kind of an exchange's value. Browsers' names are half the world's, and pages of the
// shop everybody's: neither says anything of an attacker.
func signsOf(rec *record.Record) map[string][]string {
	out := map[string][]string{}
	if text := rec.Text(record.FilePath); runs(text) {
		out["path"] = []string{text}
	}
	if text := rec.Text(record.URLPath); runs(text) {
		out["request"] = []string{text}
	}
	if text := rec.Text(record.UserAgent); text != "" && text != "-" && !strings.HasPrefix(text, "Mozilla/") {
		out["agent"] = []string{text}
	}
	for _, p := range rec.Extra {
		if n := len(p.Value.Text); (n == 32 || n == 40 || n == 64 || n == 128) && strings.Trim(strings.ToLower(p.Value.Text), "0123456789abcdef") == "" {
			out["hash"] = append(out["hash"], p.Value.Text)
		}
	}
	for text := rec.Text(record.URLDecoded); len(out["url"]) < signsAtMost; {
		url, rest := nextURL(text)
		if url == "" {
			break
		}
		text = rest
		v, err := tuning.NewValue(tuning.URL, url)
		if err != nil || strings.EqualFold(hostIn(v.Text), rec.Text(record.URLDomain)) { // a shop that is sent to itself
			continue
		}
		out["url"] = append(out["url"], v.Text)
		kind := "domain"
		if _, err := netip.ParseAddr(hostIn(v.Text)); err == nil {
			kind = "address"
		}
		out[kind] = append(out[kind], hostIn(v.Text))
	}
	return out
}

// signsAtMost is how many addresses in one line are looked at.
const signsAtMost = 20
