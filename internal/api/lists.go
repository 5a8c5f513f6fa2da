package api

import (
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/tuning"
)

// maxImport is how many bytes a request with a file may have: the file's limit, escaped as JSON.
const maxImport = 2*tuning.MaxImport + 1<<20

type (
	mutePath struct {
		ID int64 `path:"id" minimum:"1" doc:"number of the mute"`
	}
)

// listOperations are those of watch lists and mutes.
func listOperations(t *table) {
	o := get("/watch", "listWatched", "List the watch lists with their values")
	o.need, o.web = auth.See, "GET /lists, GET /lists/{id}"
	add(t, o, func(a ask, _ *none) ([]client.WatchList, error) { return watchLists(a.desk), nil })
	change := func(path, id, sum, web string, do func(ask, client.Watching) (client.Watched, error)) {
		o := post(path, id, sum)
		o.need, o.web, o.most = auth.Tune, web, maxImport
		add(t, o, func(a ask, in *body[client.Watching]) (client.Watched, error) { return do(a, in.Body) })
	}
	change("/watch", "watch", "Put values on a watch list", "", func(a ask, x client.Watching) (client.Watched, error) {
		list, err := values(a, x)
		if err != nil {
			return client.Watched{}, err
		}
		c, err := a.desk.Watch(a.actor, desk.Listing{List: x.List, Level: x.Level, About: x.About, Values: list})
		return watchedOf(c), err
	})
	change("/watch/import", "importWatched", "Put the values of a file on a watch list: a line each, CSV, STIX", "POST /lists", func(a ask, x client.Watching) (client.Watched, error) {
		got, err := a.desk.ImportWatch(a.actor, desk.Listing{List: x.List, Level: x.Level, About: x.About, Of: x.File}, []byte(x.Data), x.Until)
		out := watchedOf(got.ListChange)
		out.Format, out.More, out.Passed, out.Expired = got.Format, got.More, got.Passed, got.Expired
		for _, r := range got.Refused {
			out.Refused = append(out.Refused, client.NotTaken(r))
		}
		return out, err
	})
	change("/watch/remove", "unwatch", "Take values off a watch list, or end the whole list by end", "POST /lists/{id}/remove, POST /lists/{id}/end", func(a ask, x client.Watching) (client.Watched, error) {
		list, err := values(a, x)
		if err != nil {
			return client.Watched{}, err
		}
		switch {
		case len(x.Values) == 0 && !x.End:
			return client.Watched{}, mistake{"values", "name the values that leave the list; to end the whole list, send end: true (tocsin watch remove --all)"}
		case len(x.Values) > 0 && x.End:
			return client.Watched{}, mistake{"end", "end ends the whole list: leave the values out, or leave end out"}
		}
		c, err := a.desk.Unwatch(a.actor, x.List, list)
		return watchedOf(c), err
	})
	o = get("/never", "listNever", "List the mutes that are in force")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) ([]client.Never, error) { return nevers(a), nil })
	o = post("/never", "addNever", "Add a mute: who never alerts until when, and why")
	o.need, o.web = auth.Tune, "POST /never"
	add(t, o, func(a ask, in *body[client.Never]) (x client.Never, err error) {
		x = in.Body
		x.ID, err = a.desk.AddNever(a.actor, desk.Never{Rule: x.Rule, From: x.From, Account: x.Account, Why: x.Why, Until: x.Until})
		return x, err
	})
	o = post("/never/{id}/remove", "removeNever", "End a mute now")
	o.need, o.web = auth.Tune, "POST /mutes/{id}/remove"
	act(t, o, func(a ask, in *mutePath) error {
		exists := false
		a.desk.ReadAs(a.actor, func(s *desk.State) { exists = in.ID <= int64(len(s.Tuning.Mutes)) })
		if !exists {
			return errMissing
		}
		return a.desk.RemoveMute(a.actor, in.ID)
	})
}

func watchedOf(c desk.ListChange) client.Watched {
	return client.Watched{List: c.List, Added: c.Added, Known: c.Known, Removed: c.Removed}
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
func values(a ask, x client.Watching) (out []tuning.Listed, err error) {
	for _, s := range x.Values {
		v, err := tuning.ParseValue(s)
		if err != nil {
			return nil, err
		}
		if v.Until = x.Until.UTC(); x.Until.IsZero() {
			v.Until = time.Time{}
		} else if !x.Until.After(a.now) {
			return nil, mistake{"until", "until must lie in the future"}
		}
		out = append(out, v)
	}
	return out, nil
}

func nevers(a ask) []client.Never {
	var found []tuning.Mute
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		for _, m := range s.Tuning.Mutes {
			if m.Holds(a.now) {
				found = append(found, m)
			}
		}
	})
	out := []client.Never{}
	for _, m := range found {
		t := a.desk.MuteText(m.Vault)
		out = append(out, client.Never{ID: m.ID, Rule: m.Rule, From: t.Address, Account: t.Account, Until: m.Until, Why: t.Why, By: m.By, Suppressed: m.Suppressed, Last: m.Last})
	}
	return out
}
