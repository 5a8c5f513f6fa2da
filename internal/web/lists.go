package web

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/tuning"
	"tocsin/ui"
)

func (s *Server) lists(v *visit) error { return s.showLists(v, http.StatusOK, nil, "") }

// showLists shows the lists; a form that was wrong ("watch" or "never") comes back with what was typed.
func (s *Server) showLists(v *visit, code int, mistake error, form string) error {
	may := auth.May(v.actor, auth.Tune) == nil
	view := ui.ListsView{Frame: s.frame(v, "lists", "Lists"), May: may, Watch: s.watchForm(v, form == "watch"), Never: s.neverForm(v, form == "never")}
	view.Path = "/lists"
	all := s.desk.WatchLists()
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, l := range all {
			view.Lists = append(view.Lists, s.watchList(v, st, l))
		}
		for _, m := range slices.Backward(st.Tuning.Mutes) {
			if m.Holds(v.now) {
				x := s.muteView(v, st, m)
				x.Back = "/lists"
				if !may {
					x.Action = ""
				}
				view.Nevers = append(view.Nevers, x)
			}
		}
	})
	if mistake != nil {
		view.Still = true
		for _, e := range fieldErrors(mistake) {
			view.Errors = append(view.Errors, ui.FieldError{Field: form + "-" + cmp.Or(e.Field, map[string]string{"watch": "values", "never": "from"}[form]), Says: e.Says})
		}
	}
	return ui.Lists.Show(v.w, code, view)
}

// watchList words a watch list in short.
func (s *Server) watchList(v *visit, st *desk.State, l desk.WatchList) ui.WatchList {
	x := ui.WatchList{ID: fmt.Sprint(l.ID), Href: fmt.Sprintf("/lists/%d", l.ID), Name: ui.Visible(l.Name), About: ui.Visible(l.About), Level: ui.Severity(l.Level),
		Count: ui.Number(int64(len(l.Values))), Lines: ui.Number(l.Hits.Records), By: s.actorName(st, l.By), Made: v.at(l.Made), Fault: l.Fault}
	if l.Hits.Records > 0 {
		x.Last = v.at(l.Hits.Last)
	}
	if l.Refused > 0 {
		x.Note = ui.Plural(int64(l.Refused), "part of imported files could not be taken", "parts of imported files could not be taken")
	}
	counts := map[tuning.Kind]int64{}
	for _, w := range l.Values {
		counts[w.Kind]++
	}
	many := map[tuning.Kind]string{tuning.Address: "addresses", tuning.Network: "networks", tuning.Account: "accounts", tuning.Hash: "hashes", tuning.Domain: "domains", tuning.URL: "URLs"}
	var words []string
	for _, k := range tuning.Kinds() {
		if n := counts[k]; n > 0 {
			words = append(words, ui.Plural(n, string(k), many[k]))
		}
	}
	x.Kinds = strings.Join(words, ", ")
	return x
}

// onLists says on which watch lists somebody is whom an alert names.
func (s *Server) onLists(full detect.Alert) (out []ui.Fact) {
	on := s.desk.On(full)
	for _, id := range slices.Sorted(maps.Keys(on)) {
		out = append(out, ui.Fact{Name: "On the watch list", Value: ui.Visible(on[id]).String(), Href: fmt.Sprintf("/lists/%d", id)})
	}
	return out
}

// why says which exception kept an alert quiet, and its reason.
func (s *Server) why(st *desk.State, mute int64) (out []ui.Fact) {
	if mute < 1 || mute > int64(len(st.Tuning.Mutes)) {
		return nil
	}
	m := st.Tuning.Mutes[mute-1]
	return []ui.Fact{{Name: "Kept quiet", Value: fmt.Sprintf("by exception %d of %s: %s", mute, s.actorName(st, m.By), ui.Visible(s.desk.MuteText(m.Vault).Why)), Href: "/lists#never"}}
}

// spans are what the forms offer as an end, in seconds from now.
func spans(chosen string, none bool) []ui.Option {
	day := func(n int) string { return strconv.Itoa(n * 24 * 3600) }
	pairs := []string{day(7), "in a week", day(30), "in 30 days", day(90), "in 90 days", day(180), "in half a year", day(365), "in a year"}
	if none {
		pairs = append([]string{"", "never"}, pairs...)
	} else {
		pairs = append([]string{day(1), "in a day"}, pairs...)
	}
	return options(chosen, pairs...)
}

// typedSpan reads what a form chose of spans.
func typedSpan(v *visit) (time.Time, error) {
	t := text(v.r, "until")
	if t == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.Atoi(t)
	if err != nil || seconds < 1 || seconds > 10*365*24*3600 {
		return time.Time{}, desk.FieldError{Field: "until", Says: "Choose when it ends."}
	}
	return v.now.Add(time.Duration(seconds) * time.Second), nil
}

func (s *Server) watchForm(v *visit, again bool) ui.WatchForm {
	f := ui.WatchForm{Level: levels(""), Until: spans("", true)}
	if values := v.r.URL.Query().Get("values"); v.r.Method == http.MethodGet && values != "" && len(values) <= linksFitted+100 {
		f.Open, f.Values = true, values // from a line that was found
	}
	if again {
		f = ui.WatchForm{Open: true, List: text(v.r, "list"), Level: levels(text(v.r, "level")), About: text(v.r, "about"), Values: text(v.r, "values"), Until: spans(text(v.r, "until"), true)}
	}
	return f
}

func levels(chosen string) []ui.Option {
	return options(chosen, "", "As it is; of a new list Medium", "low", "Low: shown", "medium", "Medium: opens an incident", "high", "High: opens an incident and rings")
}

func (s *Server) neverForm(v *visit, again bool) ui.NeverForm {
	f, rule := ui.NeverForm{Until: spans(strconv.Itoa(30*24*3600), false)}, ""
	if again {
		rule = text(v.r, "rule")
		f = ui.NeverForm{Open: true, From: text(v.r, "from"), Account: text(v.r, "account"), Until: spans(text(v.r, "until"), false), Reason: text(v.r, "reason")}
	}
	f.Rules = []ui.Option{{Value: "", Word: "every rule", Chosen: rule == ""}}
	for _, d := range s.o.Set.Rules.Documents() {
		if m := d.Meta(); s.o.Set.Rules.Raises(m.Key()) {
			f.Rules = append(f.Rules, ui.Option{Value: m.Key(), Word: m.Title, Chosen: rule == m.Key()})
		}
	}
	slices.SortStableFunc(f.Rules[1:], func(a, b ui.Option) int { return strings.Compare(a.Word, b.Word) })
	return f
}

// addWatched puts what was typed on a list: values, one a line, or a bundle.
func (s *Server) addWatched(v *visit) error {
	until, err := typedSpan(v)
	var got desk.Imported
	if err == nil {
		got, err = s.desk.ImportWatch(v.actor, desk.Listing{List: text(v.r, "list"), Level: text(v.r, "level"), About: text(v.r, "about")}, []byte(text(v.r, "values")), until)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showLists(v, http.StatusUnprocessableEntity, err, "watch")
	}
	key := "watched"
	if len(got.Refused) > 0 {
		key = "partly"
	}
	return done(v, fmt.Sprintf("/lists/%d", got.List), key)
}

func (s *Server) addNever(v *visit) error {
	until, err := typedSpan(v)
	if err == nil && until.IsZero() {
		err = desk.FieldError{Field: "until", Says: "Choose when it ends."}
	}
	if err == nil {
		_, err = s.desk.AddNever(v.actor, desk.Never{Rule: text(v.r, "rule"), From: text(v.r, "from"), Account: text(v.r, "account"), Why: text(v.r, "reason"), Until: until})
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showLists(v, http.StatusUnprocessableEntity, err, "never")
	}
	return done(v, "/lists", "never")
}

const valuesShown = 100

// list shows the values of one list.
func (s *Server) list(v *visit) error {
	l, err := s.listOf(v)
	if err != nil {
		return err
	}
	query := strings.ToLower(queried(v, "q"))
	view := ui.ListView{Frame: s.frame(v, "lists", l.Name), May: auth.May(v.actor, auth.Tune) == nil, Query: queried(v, "q"),
		Remove: fmt.Sprintf("/lists/%d/remove", l.ID), End: fmt.Sprintf("/lists/%d/end", l.ID)}
	var found []desk.Watched
	for _, w := range l.Values {
		if query == "" || strings.Contains(strings.ToLower(w.Key()+" "+w.Note+" "+w.Of), query) {
			found = append(found, w)
		}
	}
	page := pageOf(v)
	from := min(page*valuesShown, len(found))
	view.Pager = pager(v, page, valuesShown, len(found))
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.List = s.watchList(v, st, l)
		for _, w := range found[from:min(from+valuesShown, len(found))] {
			view.Rows = append(view.Rows, s.listRow(v, st, w))
		}
	})
	return ui.ListPage.Show(v.w, http.StatusOK, view)
}

// queried reads a parameter of the query.
func queried(v *visit, name string) string { return strings.TrimSpace(v.r.URL.Query().Get(name)) }

func (s *Server) listRow(v *visit, st *desk.State, w desk.Watched) ui.ListRow {
	x := ui.ListRow{Kind: string(w.Kind), Value: ui.Visible(w.Text), Typed: w.String(), Note: ui.Visible(w.Note), Of: ui.Visible(w.Of), By: s.actorName(st, w.By), Added: v.at(w.Added),
		State: ui.State{Tone: "good", Word: "watched"}}
	if !w.Until.IsZero() {
		x.Until = v.at(w.Until)
	}
	switch {
	case v.now.Before(w.From):
		x.State = ui.State{Tone: "late", Word: "not yet"}
	case !w.Until.IsZero() && !v.now.Before(w.Until):
		x.State = ui.State{Tone: "off", Word: "over"}
	}
	return x
}

func (s *Server) listOf(v *visit) (desk.WatchList, error) {
	id, err := number(v.r, "id")
	if err != nil {
		return desk.WatchList{}, err
	}
	for _, l := range s.desk.WatchLists() {
		if l.ID == id {
			return l, nil
		}
	}
	return desk.WatchList{}, errMissing
}

// unwatch takes one value off a list.
func (s *Server) unwatch(v *visit) error {
	l, err := s.listOf(v)
	if err != nil {
		return err
	}
	value, err := tuning.ParseValue(v.r.PostFormValue("value"))
	if err != nil {
		return errMissing
	}
	if _, err = s.desk.Unwatch(v.actor, fmt.Sprint(l.ID), []tuning.Listed{value}); err != nil {
		return missing(err)
	}
	return done(v, fmt.Sprintf("/lists/%d", l.ID), "unwatched")
}

// endList ends a list.
func (s *Server) endList(v *visit) error {
	l, err := s.listOf(v)
	if err != nil {
		return err
	}
	if _, err = s.desk.Unwatch(v.actor, fmt.Sprint(l.ID), nil); err != nil {
		return missing(err)
	}
	return done(v, "/lists", "ended")
}

// missing makes of an error about what is not there any more the page that says so.
func missing(err error) error {
	if _, ok := errors.AsType[desk.FieldError](err); ok {
		return errMissing
	}
	return err
}
