package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/tuning"
)

// maxImport is how many bytes a request with a file may have: the file's limit, escaped as JSON.
const maxImport = 2*tuning.MaxImport + 1<<20

// listRoutes are the routes of watch lists, mutes and rules.
func listRoutes(d *desk.Desk) []route {
	return []route{
		{"GET /v1/rules", func(http.ResponseWriter, *http.Request) (any, error) { return rules(d), nil }},
		{"GET /v1/watch", func(http.ResponseWriter, *http.Request) (any, error) { return watchLists(d), nil }},
		{"POST /v1/watch", func(w http.ResponseWriter, r *http.Request) (any, error) { return watch(d, w, r) }},
		{"POST /v1/watch/import", func(w http.ResponseWriter, r *http.Request) (any, error) { return importFile(d, w, r) }},
		{"POST /v1/watch/remove", func(w http.ResponseWriter, r *http.Request) (any, error) { return unwatch(d, w, r) }},
		{"GET /v1/never", func(http.ResponseWriter, *http.Request) (any, error) { return nevers(d), nil }},
		{"POST /v1/never", func(w http.ResponseWriter, r *http.Request) (any, error) { return addNever(d, w, r) }},
		{"POST /v1/never/{id}/remove", func(w http.ResponseWriter, r *http.Request) (any, error) { return removeNever(d, w, r) }},
	}
}

func rules(d *desk.Desk) client.RuleState {
	set, _ := d.RuleSet()
	words := func(list []detect.Refused) []client.BrokenRule {
		out := []client.BrokenRule{}
		for _, r := range list {
			out = append(out, client.BrokenRule{File: r.File, Line: r.Line, Rule: r.Rule, Feature: r.Feature, Why: r.Why})
		}
		return out
	}
	return client.RuleState{Hash: set.Rules.Hash(), Loaded: len(set.Rules.Documents()), Refused: words(set.Refused), Kept: words(set.Kept), Trouble: set.Trouble}
}

func watchLists(d *desk.Desk) []client.WatchList {
	out := []client.WatchList{}
	for _, l := range d.WatchLists() {
		x := client.WatchList{ID: l.ID, Name: l.Name, About: l.About, Level: l.Level, Refused: l.Refused, Fault: l.Fault, Hits: l.Hits.Records, LastHit: l.Hits.Last, Values: []client.ListValue{}}
		for _, v := range l.Values {
			x.Values = append(x.Values, client.ListValue{Kind: string(v.Kind), Text: v.Text, From: v.From, Until: v.Until, Note: v.Note, Of: v.Of, Added: v.Added})
		}
		out = append(out, x)
	}
	return out
}

// values reads what is to be watched, or no longer.
func values(x client.Watching) (out []tuning.Listed, err error) {
	for _, s := range x.Values {
		v, err := tuning.ParseValue(s)
		if err != nil {
			return nil, err
		}
		if v.Until = x.Until.UTC(); x.Until.IsZero() {
			v.Until = time.Time{}
		} else if !x.Until.After(time.Now()) {
			return nil, fmt.Errorf("until must lie in the future")
		}
		out = append(out, v)
	}
	return out, nil
}

// watching reads what is to be done with a watch list, and who asks.
func watching(d *desk.Desk, w http.ResponseWriter, r *http.Request) (x client.Watching, actor auth.Actor, err error) {
	if err = read(w, r, maxImport, &x); err == nil {
		actor, err = actorOf(d, x.Person)
	}
	return x, actor, err
}

func watch(d *desk.Desk, w http.ResponseWriter, r *http.Request) (desk.ListChange, error) {
	x, actor, err := watching(d, w, r)
	if err != nil {
		return desk.ListChange{}, err
	}
	list, err := values(x)
	if err != nil {
		return desk.ListChange{}, err
	}
	return d.Watch(actor, desk.Listing{List: x.List, Level: x.Level, About: x.About, Values: list})
}

func importFile(d *desk.Desk, w http.ResponseWriter, r *http.Request) (desk.Imported, error) {
	x, actor, err := watching(d, w, r)
	if err != nil {
		return desk.Imported{}, err
	}
	return d.ImportWatch(actor, desk.Listing{List: x.List, Level: x.Level, About: x.About, Of: x.File}, []byte(x.Data), x.Until)
}

func unwatch(d *desk.Desk, w http.ResponseWriter, r *http.Request) (desk.ListChange, error) {
	x, actor, err := watching(d, w, r)
	if err != nil {
		return desk.ListChange{}, err
	}
	list, err := values(x)
	if err != nil {
		return desk.ListChange{}, err
	}
	return d.Unwatch(actor, x.List, list)
}

func nevers(d *desk.Desk) []client.Never {
	var found []tuning.Mute
	now := time.Now()
	d.Read(func(s *desk.State) {
		for _, m := range s.Tuning.Mutes {
			if m.Holds(now) {
				found = append(found, m)
			}
		}
	})
	out := []client.Never{}
	for _, m := range found {
		t := d.MuteText(m.Vault)
		out = append(out, client.Never{ID: m.ID, Rule: m.Rule, From: t.Address, Account: t.Account, Until: m.Until, Why: t.Why, By: m.By, Suppressed: m.Suppressed, Last: m.Last})
	}
	return out
}

func addNever(d *desk.Desk, w http.ResponseWriter, r *http.Request) (client.Never, error) {
	var x client.Never
	if err := read(w, r, maxBody, &x); err != nil {
		return x, err
	}
	actor, err := actorOf(d, x.Person)
	if err == nil {
		x.ID, err = d.AddNever(actor, desk.Never{Rule: x.Rule, From: x.From, Account: x.Account, Why: x.Why, Until: x.Until})
	}
	return x, err
}

func removeNever(d *desk.Desk, w http.ResponseWriter, r *http.Request) (struct{}, error) {
	var none struct{}
	var x struct {
		Person string `json:"person"`
	}
	if err := read(w, r, maxBody, &x); err != nil {
		return none, err
	}
	actor, err := actorOf(d, x.Person)
	if err != nil {
		return none, err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return none, fmt.Errorf("%q is not the number of a mute", r.PathValue("id"))
	}
	return none, d.RemoveMute(actor, id)
}
