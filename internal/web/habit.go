package web

import (
	"errors"
	"net/http"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/ui"
)

const habitsShown = 50

// habits lists the accounts of which is known what is normal, staff first.
func (s *Server) habits(v *visit) error {
	q := v.r.URL.Query()
	realm, query := q.Get("realm"), strings.ToLower(strings.TrimSpace(q.Get("q")))
	view := ui.HabitsView{Frame: s.frame(v, "habits", "Habits"), Query: q.Get("q"), Filtered: realm != "" || query != "",
		Realms: options(realm, "", "Every kind", "admin", "Administrators", "ssh", "SSH", "ftp", "FTP", "database", "Database", "system", "System", "customer", "Customers")}
	all := s.desk.Habits()
	var list []detect.Habit
	known := 0
	for _, h := range all {
		if !h.Learning {
			known++
		}
		if (realm == "" || h.Realm == realm) && (query == "" || strings.Contains(strings.ToLower(h.Account), query)) {
			list = append(list, h)
		}
	}
	view.Summary = ui.Plural(int64(len(all)), "account", "accounts") + ", of which " + ui.Number(int64(known)) + " are known well enough to call something new"
	stats := s.desk.Reading().Stats
	if n := stats.Trusted; n > 0 {
		view.Summary += "; " + ui.Plural(n, "address", "addresses") + " under suspicion could not be remembered, and may have taught something"
	}
	if n := stats.Strangers; n > 0 {
		view.Summary += "; " + ui.Plural(n, "account was", "accounts were") + " forgotten because there were too many, those not seen for longest and customers first"
	}
	page := pageOf(v)
	view.Pager = pager(v, page, habitsShown, len(list))
	for k := page * habitsShown; k < len(list) && len(view.Rows) < habitsShown; k++ {
		view.Rows = append(view.Rows, s.habitRow(v, list[k]))
	}
	return ui.Habits.Show(v.w, http.StatusOK, view)
}

func (s *Server) habitRow(v *visit, h detect.Habit) ui.HabitRow {
	id := s.desk.HabitID(h.Realm, h.Account)
	r := ui.HabitRow{ID: id, Href: "/habits/" + id, Account: ui.Visible(h.Account), Realm: realmWord(h.Realm), State: ui.State{Tone: "good", Word: "known"},
		Signins: ui.Number(h.Signins), Days: ui.Number(h.Days), Last: v.at(h.Last)}
	if h.Learning {
		r.State = ui.State{Tone: "busy", Word: "learning"}
	}
	var places []string
	for _, c := range h.Countries[:min(len(h.Countries), 3)] {
		places = append(places, ui.Visible(detect.CountryName(c.Name)).String()+" "+ui.Number(c.Count))
	}
	r.Places = strings.Join(places, ", ")
	return r
}

// habitHref leads to what is normal for an account; "" when nothing is known of it.
func (s *Server) habitHref(p detect.Party) string {
	if !s.desk.HasHabit(p.Realm, p.Name) {
		return ""
	}
	return "/habits/" + s.desk.HabitID(p.Realm, p.Name)
}

func realmWord(realm string) string {
	switch realm {
	case "admin":
		return "administrator"
	case "ssh":
		return "SSH"
	case "ftp":
		return "FTP"
	case "":
		return "account"
	}
	return ui.Visible(realm).String()
}

func (s *Server) habit(v *visit) error { return s.showHabit(v, http.StatusOK, nil) }

// showHabit shows what is normal for one account; mistake is what was wrong with the form.
func (s *Server) showHabit(v *visit, code int, mistake error) error {
	h, ok := s.desk.Habit(v.r.PathValue("id"))
	if !ok {
		return errMissing
	}
	row := s.habitRow(v, h)
	view := ui.HabitView{Frame: s.frame(v, "habits", "What is normal for "+row.Account.String()), Row: row, Began: v.at(h.First),
		Countries: habitKnown(h.Countries, true), Networks: habitKnown(h.Networks, false), Devices: habitKnown(h.Devices, false),
		Hours: ui.NewHourChart(h.Hours, s.desk.HabitZone().String()), Reason: text(v.r, "reason")}
	view.Says = "It signed in " + ui.Plural(h.Signins, "time", "times") + " on " + ui.Plural(h.Days, "day", "days") + ". "
	if h.Learning {
		view.Says += "That is too little to call anything new: it takes 5 sign-ins on 3 days."
	} else {
		view.Says += "What is not below is new, and rules may tell of it."
	}
	for _, w := range h.Waiting {
		view.Waiting = append(view.Waiting, ui.Visible(w))
	}
	for _, x := range h.Volumes {
		view.Volumes = append(view.Volumes, habitVolume(x))
	}
	if auth.May(v.actor, auth.Tune) == nil {
		view.Action = row.Href + "/forget"
	}
	if mistake != nil {
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	return ui.Habit.Show(v.w, code, view)
}

func habitKnown(list []detect.Known, countries bool) (out []ui.HabitKnown) {
	for _, k := range list {
		x := ui.HabitKnown{Name: ui.Visible(k.Name), Count: ui.Number(k.Count), Last: k.Last}
		if countries {
			x.Name, x.Says = ui.Visible(detect.CountryName(k.Name)), ui.Number(k.Recent)+" in the 30 days up to the last"
		}
		out = append(out, x)
	}
	return out
}

func habitVolume(x detect.Volume) ui.HabitVolume {
	what, span := map[string]string{"download": "Downloads in a day", "upload": "Uploads in a day", "export": "Exports in a day", "session": "Fetched in a session"}[x.What], "days"
	if x.What == "session" {
		span = "sessions"
	}
	v := ui.HabitVolume{What: what, Past: ui.Number(int64(x.Past)) + " " + span, Median: desk.Size(int64(x.Median)) + ", " + ui.Plural(int64(x.MedianFiles), "file", "files"),
		Far: "too little is known", Latest: desk.Size(x.Latest)}
	if x.Enough {
		v.Far = desk.Size(int64(x.Far)) + " or " + ui.Plural(int64(x.FarFiles), "file", "files")
	}
	return v
}

// forgetHabit forgets what is normal for an account.
func (s *Server) forgetHabit(v *visit) error {
	h, ok := s.desk.Habit(v.r.PathValue("id"))
	if !ok {
		return errMissing
	}
	err := error(nil)
	if text(v.r, "reason") == "" {
		err = desk.FieldError{Field: "reason", Says: "Forgetting what is normal for an account needs a reason."}
	} else {
		err = s.desk.ForgetHabit(v.actor, h.Realm, h.Account, text(v.r, "reason"))
	}
	switch {
	case errors.Is(err, desk.ErrNoHabit):
		return errMissing
	case err != nil && known(err):
		return err
	case err != nil:
		return s.showHabit(v, http.StatusUnprocessableEntity, err)
	}
	return done(v, "/habits", "forgotten")
}
