package api

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
)

// momentsAtMost is how much of a timeline one answer has, and how many alerts.
const momentsAtMost = 1000

// What requests say.
type (
	// A ListQuery says which part of a list.
	ListQuery struct {
		From int `query:"from" minimum:"0" default:"0" doc:"how many of the list are passed over"`
		Most int `query:"most" minimum:"1" maximum:"1000" default:"100" doc:"how many the answer has at most"`
	}
	incidentQuery struct {
		ListQuery
		State    string `query:"state" enum:"open,closed,all" default:"open"`
		Severity string `query:"severity" enum:"critical,high,medium,low" doc:"of this severity only"`
	}
	graver struct {
		Severity string `json:"severity" enum:"critical,high,medium,low"`
		Why      string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	phase struct {
		Phase string `json:"phase" enum:"identification,containment,eradication,recovery,lessons"`
	}
	assignment struct {
		Person string `json:"person" maxLength:"64" doc:"staff id of who works on it; empty is nobody"`
	}
	verdict struct {
		Verdict string `json:"verdict" enum:"true,false" doc:"true: it was a true alarm; false: a false one"`
		Why     string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
		Excuse  string `json:"excuse,omitempty" maxLength:"10000" doc:"why root cause or lessons are not written; without it a true alarm is not closed while they lack"`
	}
	muting struct {
		Rule    string        `json:"rule,omitempty" maxLength:"200" doc:"key of the rule; empty is every rule"`
		Address string        `json:"address,omitempty" maxLength:"64" doc:"only for this address; empty is every address"`
		Lasts   time.Duration `json:"lasts_ns" minimum:"1" doc:"for so many nanoseconds"`
		Why     string        `json:"why" minLength:"1" maxLength:"10000" doc:"the reason"`
	}
	barring struct {
		Not []string `json:"not" maxItems:"50" doc:"channels that are not used for this incident, such as slack; none lets all be used again"`
		Why string   `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	guest struct {
		Name  string        `json:"name" maxLength:"60" doc:"of the guest, as the others shall see it"`
		Lasts time.Duration `json:"lasts_ns" doc:"how long the link works, in nanoseconds: a day at most"`
	}
	// A Link is shown once.
	Link struct {
		Link string `json:"link"`
	}
	// A Room is who is in an incident's war room.
	Room struct {
		Is   bool   `json:"is" doc:"whether this server has war rooms at all, and one is open"`
		In   []Seat `json:"in"`
		Note string `json:"note,omitempty"`
	}
	// A Seat is one browser in it.
	Seat struct {
		Name      string    `json:"name"`
		Guest     bool      `json:"guest,omitempty"`
		Host      bool      `json:"host,omitempty"`
		Since     time.Time `json:"since"`
		Muted     bool      `json:"muted,omitempty"`
		Connected bool      `json:"connected"`
	}
)

// incidentOperations are those of what people work on.
func incidentOperations(t *table) {
	o := get("/incidents", "listIncidents", "List incidents, worst first")
	o.need, o.web = auth.See, "GET /incidents, GET /{$}"
	add(t, o, incidents)
	o = get("/incidents/{id}", "getIncident", "Show an incident with its timeline and its roles")
	o.need, o.web = auth.See, "GET /incidents/{id}"
	add(t, o, func(a ask, in *numbered) (client.FullIncident, error) { return fullIncident(a, in.ID) })
	o = post("/incidents", "openIncident", "Open an incident that a person or a program tells of")
	o.need, o.about = auth.Handle, "It is of high severity, so it rings, until somebody says otherwise. The words become its first note."
	add(t, o, func(a ask, in *body[client.Telling]) (client.Opened, error) {
		id, err := a.desk.Report(a.actor, in.Body.Words)
		return client.Opened{ID: id}, err
	})
	o = post("/incidents/{id}/severity", "setSeverity", "Set the severity of an incident")
	o.need, o.web = auth.Handle, "POST /incidents/{id}/severity"
	act(t, o, func(a ask, in *numberedWith[graver]) error {
		return a.desk.SetSeverity(a.actor, in.ID, in.Body.Severity, in.Body.Why)
	})
	o = post("/incidents/{id}/phase", "setPhase", "Go on to a phase, or back to one")
	o.need, o.web = auth.Handle, "POST /incidents/{id}/phase"
	act(t, o, func(a ask, in *numberedWith[phase]) error { return a.desk.SetPhase(a.actor, in.ID, in.Body.Phase) })
	o = post("/incidents/{id}/note", "note", "Write a note into an incident's timeline")
	o.need, o.web = auth.Note, "POST /incidents/{id}/note"
	act(t, o, func(a ask, in *numberedWith[client.Jotting]) error {
		return a.desk.Note(a.actor, in.ID, in.Body.Note, in.Body.Happened)
	})
	o = post("/incidents/{id}/assign", "assign", "Say who works on an incident")
	o.need, o.web = auth.Handle, "POST /incidents/{id}/assign"
	act(t, o, func(a ask, in *numberedWith[assignment]) error { return a.desk.Assign(a.actor, in.ID, in.Body.Person) })
	o = post("/incidents/{id}/close", "closeIncident", "Close an incident")
	o.need, o.web = auth.Handle, "POST /incidents/{id}/close"
	act(t, o, func(a ask, in *numberedWith[verdict]) error {
		return a.desk.Finish(a.actor, in.ID, in.Body.Verdict, in.Body.Why, in.Body.Excuse)
	})
	why := func(path, id, sum string, need auth.Action, do func(*desk.Desk, auth.Actor, int64, string) error) {
		o := post("/incidents/{id}/"+path, id, sum)
		o.need, o.web = need, "POST /incidents/{id}/"+path
		act(t, o, func(a ask, in *numberedWith[client.Reason]) error { return do(a.desk, a.actor, in.ID, in.Body.Why) })
	}
	why("reopen", "reopenIncident", "Open a closed incident again", auth.Handle, (*desk.Desk).Reopen)
	why("hold", "holdLines", "Keep the lines of an incident beyond their time", auth.Hold, (*desk.Desk).Hold)
	why("release", "releaseLines", "Let held lines go when their time is over", auth.Release, (*desk.Desk).Release)
	why("unrestrict", "unrestrict", "Show a restricted incident to everybody again", auth.Unrestrict, (*desk.Desk).Unrestrict)
	o = post("/incidents/{id}/restrict", "restrict", "Show an incident to named people only, or name others")
	o.need, o.web = auth.Restrict, "POST /incidents/{id}/restrict"
	act(t, o, func(a ask, in *numberedWith[client.Naming]) error {
		return a.desk.Restrict(a.actor, in.ID, in.Body.Kind, in.Body.People)
	})
	o = post("/incidents/{id}/mute", "muteRule", "Mute a rule for a while, as the form of an incident does")
	o.need, o.web = auth.Tune, "POST /incidents/{id}/mute"
	act(t, o, func(a ask, in *numberedWith[muting]) error {
		return a.desk.AddMute(a.actor, in.Body.Rule, in.Body.Address, in.Body.Why, a.now.Add(in.Body.Lasts))
	})
	o = post("/incidents/{id}/channels", "barChannels", "Say which channels are not to be used for an incident")
	o.need, o.web, o.about = auth.Handle, "POST /incidents/{id}/channels", "For the day on which a channel itself may be in the wrong hands."
	act(t, o, func(a ask, in *numberedWith[barring]) error {
		return a.desk.BarChannels(a.actor, in.ID, in.Body.Not, in.Body.Why)
	})
	roomOperations(t)
}

func roomOperations(t *table) {
	o := get("/incidents/{id}/room", "getRoom", "Say who is in the war room of an incident")
	o.need, o.web, o.about = auth.Ring, "GET /incidents/{id}/room", "Speaking and hearing is for browsers: this only lists."
	add(t, o, func(a ask, in *numbered) (Room, error) {
		seats, is := a.desk.InRoom(in.ID)
		out := Room{Is: is, In: []Seat{}}
		for _, s := range seats {
			out.In = append(out.In, Seat{Name: s.Name, Guest: s.Guest, Host: s.Host, Since: s.Since, Muted: s.Muted, Connected: s.Connected})
		}
		return out, nil
	})
	o = post("/incidents/{id}/room/invite", "inviteToRoom", "Make a one-time link to the war room for a guest")
	o.need, o.web, o.shown = auth.Handle, "POST /incidents/{id}/room/invite", true
	add(t, o, func(a ask, in *numberedWith[guest]) (Link, error) {
		link, err := a.desk.RoomLink(a.actor, in.ID, in.Body.Name, in.Body.Lasts)
		return Link{link}, err
	})
}

func incidents(a ask, in *incidentQuery) (client.Incidents, error) {
	out := client.Incidents{Incidents: []client.Incident{}}
	a.desk.ReadAs(a.actor, func(st *desk.State) {
		var list []*incident.Incident
		for _, i := range st.Incidents.Incidents {
			if i.Hides(a.actor.ID) && !a.actor.Local { // not even that there is one
				continue
			}
			if (in.State == "all" || i.Working() == (in.State == "open")) && (in.Severity == "" || i.Severity == in.Severity) {
				list = append(list, i)
			}
		}
		slices.SortStableFunc(list, func(a, b *incident.Incident) int {
			return cmp.Or(cmp.Compare(incident.Rank(b.Severity), incident.Rank(a.Severity)), b.Last.Compare(a.Last))
		})
		out.All = len(list)
		for _, i := range part(list, in.ListQuery) {
			out.Incidents = append(out.Incidents, incidentOf(st, i))
		}
	})
	for k := range out.Incidents {
		if says := a.kept(out.Incidents[k].ID, ""); says != "" {
			out.Incidents[k].Title = says
		}
	}
	return out, nil
}

// part is what of a list was asked for.
func part[T any](list []T, q ListQuery) []T {
	from := min(q.From, len(list))
	return list[from:min(from+q.Most, len(list))]
}

func incidentOf(st *desk.State, i *incident.Incident) client.Incident {
	x := client.Incident{ID: i.ID, Title: i.Title, Severity: i.Severity, Phase: i.Phase, Closed: i.Closed, Verdict: i.Verdict, Person: i.Person, Alerts: len(i.Alerts), Began: i.Happened,
		Opened: i.Opened, Last: i.Last, Ended: i.Ended, Held: i.Held, History: i.History}
	x.Merged, x.Label, x.Scope = i.Merged, st.Incidents.Label(i.ID, "").String(), i.Scope()
	if c := st.Calls.Of(i.ID); c != nil {
		x.Call, x.Rings = c.ID, c.Rings()
	}
	if i.Restricted() {
		x.Restricted, x.People = i.Restriction.Kind, slices.Clone(i.Restriction.People)
	}
	return x
}

func fullIncident(a ask, id int64) (out client.FullIncident, err error) {
	out.Timeline, out.AlertIDs = []client.IncidentMoment{}, []string{}
	var marks []incident.Mark
	a.desk.ReadAs(a.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if err = e; err != nil {
			return
		}
		out.Incident = incidentOf(st, i)
		for _, code := range i.Why {
			out.Why = append(out.Why, incident.Words(code))
		}
		out.Channels = st.Calls.Barred(id)
		out.Roles = heldRoles(st, i)
		out.AlertIDs = append(out.AlertIDs, i.Alerts[max(0, len(i.Alerts)-momentsAtMost):]...)
		marks = slices.Clone(i.Timeline[max(0, len(i.Timeline)-momentsAtMost):])
	})
	for _, m := range marks { // outside of Read: their words lie in the vault
		x := client.IncidentMoment{Entry: m.N, At: m.Happened, Learned: m.Learned, Kind: string(m.Kind), By: m.Actor, From: m.From, To: m.To, Severity: m.Why}
		switch {
		case m.Kind == entry.AlertRaised:
			x.Alert = m.Ref
		case hasWords(m.Kind):
			x.Text = a.word(id, fmt.Sprintf("note:%d", m.N), m.Ref)
		}
		out.Timeline = append(out.Timeline, x)
	}
	if says := a.kept(id, ""); says != "" {
		out.Title = says
	}
	return out, err
}

// pick is a call by its number, or "ringing": the one that rings longest.
func pick(a ask, name string) (int64, error) {
	if name == "ringing" {
		rs := slices.DeleteFunc(a.desk.Ringing(a.actor), func(r desk.Rings) bool { return r.ID == 0 })
		if len(rs) == 0 {
			return 0, errNothingRings
		}
		for _, r := range rs {
			if !r.Test {
				return r.ID, nil
			}
		}
		return rs[0].ID, nil
	}
	id := int64(0)
	if _, err := fmt.Sscan(name, &id); err != nil || fmt.Sprint(id) != name {
		return 0, errors.Join(errMissing, fmt.Errorf("%.40q is not the number of a call", name))
	}
	return id, nil
}
