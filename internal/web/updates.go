package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/ui"
)

// updatesShown is how many updates the page of an incident shows.
const updatesShown = 100

// statusKept stands in place of what stakeholders read, for those who do not get it.
const statusKept = "What stakeholders read is TLP:RED: it is for the people who work on the incident."

func (s *Server) updates(v *visit) error { return s.showUpdates(v, http.StatusOK, nil, "") }

// showUpdates shows what is owed of the incident of the path; link is one to a status page, shown once.
func (s *Server) showUpdates(v *visit, code int, mistake error, link string) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	view := ui.UpdatesView{Frame: s.frame(v, "incidents", "Updates to stakeholders"), May: auth.May(v.actor, auth.Inform) == nil, Action: fmt.Sprintf("/incidents/%d/updates", id), Link: link}
	view.Path = view.Action
	view.Incident = ui.Link{Word: fmt.Sprintf("Incident %d", id), Href: fmt.Sprintf("/incidents/%d", id)}
	list, err := s.desk.Contacts(v.actor)
	if err != nil {
		return err
	}
	stand, kept := s.desk.Stand(id), s.desk.KeptFrom(v.actor, id, "status")
	if kept {
		stand.Sentences = contact.Sentences{Versions: []contact.Version{{Lang: "en", Body: statusKept}}}
	}
	owed, told := s.desk.Owed(v.actor, id, v.now), s.desk.Told(id, updatesShown)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, ierr := st.Incidents.Get(id)
		if err = ierr; err != nil {
			return
		}
		view.Severity, view.State = ui.Severity(i.Severity), ui.State{Tone: "busy", Word: "open"}
		if i.Closed {
			view.State = ui.State{Tone: "off", Word: "closed"}
		}
		for _, r := range st.Contacts.Rules {
			view.Rules = view.Rules || !r.Gone
		}
		view.Stand.By = s.actorName(st, stand.By)
		for _, u := range told {
			row := s.toldRow(v, st, u, list)
			if kept {
				row.Says = ""
			}
			view.Told = append(view.Told, row)
		}
	})
	if err != nil {
		return err
	}
	for _, d := range owed {
		view.Owed = append(view.Owed, s.owedRow(v, view.Action, d, list))
	}
	s.standForm(v, &view.Stand, stand)
	var pairs []string
	for _, c := range list {
		pairs = append(pairs, fmt.Sprint(c.ID), c.Card.Name)
	}
	view.LinkFor = options("", pairs...)
	if o, ok := owingIn(v, id, v.r.URL.Query()); ok && link == "" && !kept {
		view.Preview = s.preview(v, o, owed, list)
	}
	if mistake != nil {
		view.Errors = mistakes(mistake)
	}
	view.Still = mistake != nil || link != ""
	return ui.Updates.Show(v.w, code, view)
}

// owingIn reads what is named by a query or a form.
func owingIn(v *visit, incident int64, values url.Values) (desk.Owing, bool) {
	rule, err := strconv.ParseInt(values.Get("rule"), 10, 64)
	id, cerr := strconv.ParseInt(values.Get("contact"), 10, 64)
	o := desk.Owing{Incident: incident, Rule: rule, Contact: id, Stage: values.Get("stage")}
	return o, err == nil && cerr == nil && o.Stage != ""
}

func hiddenOwing(d contact.Due) []ui.Option {
	return []ui.Option{{Word: "rule", Value: fmt.Sprint(d.Rule.ID)}, {Word: "contact", Value: fmt.Sprint(d.Contact.ID)}, {Word: "stage", Value: d.Stage}}
}

func stageWord(stage string) string {
	switch stage {
	case contact.Opened:
		return "the first word"
	case contact.Again:
		return "the next word"
	case contact.Closed:
		return "the last word"
	}
	return stage
}

func cardOf(id int64, list []desk.Listed) contact.Card {
	for _, c := range list {
		if c.ID == id {
			return c.Card
		}
	}
	return contact.Card{Name: fmt.Sprintf("Contact %d", id)}
}

func (s *Server) owedRow(v *visit, action string, d contact.Due, list []desk.Listed) ui.OwedRow {
	card := cardOf(d.Contact.ID, list)
	x := ui.OwedRow{ID: fmt.Sprintf("%d-%d", d.Rule.ID, d.Contact.ID), Who: ui.Link{Word: card.Name, Href: fmt.Sprintf("/contacts/%d", d.Contact.ID)}, Stage: stageWord(d.Stage), By: v.at(d.At),
		Rule: fmt.Sprintf("rule %d", d.Rule.ID), State: ui.State{Tone: "busy", Word: "due later"}, Hidden: hiddenOwing(d), Mail: card.First(contact.Mail) != "", Auto: d.Rule.Auto, Spoken: ways(card)}
	q := url.Values{}
	for _, h := range x.Hidden {
		q.Set(h.Word, h.Value)
	}
	x.Preview = action + "?" + q.Encode() + "#preview"
	switch {
	case d.Waiting:
		x.State = ui.State{Tone: "busy", Word: "on its way"}
	case d.Failed:
		x.State, x.Says = ui.State{Tone: "bad", Word: "failed"}, "The mail was not taken: tell them in another way, or send it again."
	case d.Overdue:
		x.State = ui.State{Tone: "late", Word: "overdue"}
	}
	if !x.Mail {
		x.Says = "No mail address: tell them in another way."
	} else if _, err := s.desk.Compose(d, v.now); err != nil && !d.Waiting {
		x.Says = sentence(err)
	}
	var pairs []string
	for _, k := range []string{contact.Phone, contact.SIP, contact.Chat, contact.Form} {
		pairs = append(pairs, k, k)
	}
	x.Ways = options("", pairs...)
	return x
}

func (s *Server) preview(v *visit, o desk.Owing, owed []contact.Due, list []desk.Listed) ui.UpdatePreview {
	for _, d := range owed {
		if d.Rule.ID != o.Rule || d.Contact.ID != o.Contact || d.Stage != o.Stage {
			continue
		}
		card := cardOf(d.Contact.ID, list)
		p := ui.UpdatePreview{Who: card.Name, To: card.First(contact.Mail), Hidden: hiddenOwing(d)}
		u, err := s.desk.Compose(d, v.now)
		if err != nil {
			p.Wrong = sentence(err)
		}
		p.Lang, p.Subject, p.Body = cmp.Or(u.Lang, "en"), u.Subject, u.Body
		return p
	}
	return ui.UpdatePreview{}
}

func (s *Server) toldRow(v *visit, st *desk.State, u contact.Update, list []desk.Listed) ui.ToldRow {
	x := ui.ToldRow{ID: fmt.Sprint(u.ID), Who: cardOf(u.Contact, list).Name, Stage: stageWord(u.Stage), Way: u.Way, By: s.actorName(st, u.By), At: v.at(u.Wanted), State: ui.State{Tone: "good", Word: "sent"}}
	switch {
	case u.Done.IsZero():
		x.State = ui.State{Tone: "busy", Word: "on its way"}
	case u.Failed:
		x.State, x.Says = ui.State{Tone: "bad", Word: "failed"}, s.desk.Text(u.Result.Text)
	case u.Way != contact.Mail:
		x.State, x.Says = ui.State{Tone: "good", Word: "told"}, s.desk.Text(u.Text)
	case u.Result.Twice:
		x.State = ui.State{Tone: "late", Word: "sent, possibly twice"}
	}
	return x
}

func (s *Server) standForm(v *visit, f *ui.StandForm, stand desk.Stand) {
	if !stand.At.IsZero() {
		f.Written = v.at(stand.At)
	}
	if !stand.Next.IsZero() {
		f.NextSays = v.at(stand.Next)
	}
	versions, f2 := stand.Sentences.Versions, "4"
	if v.r.Method == http.MethodPost && strings.HasSuffix(v.r.URL.Path, "/status") {
		versions, f2 = typedVersions(v), text(v.r, "next")
	}
	if len(versions) == 0 {
		versions = []contact.Version{{Lang: "en"}, {Lang: "de"}}
	}
	f.Next = f2
	for i, x := range versions {
		f.Versions = append(f.Versions, ui.StandVersion{N: i + 1, Lang: x.Lang, Body: x.Body})
	}
	if len(versions) < versionsShown {
		f.Versions = append(f.Versions, ui.StandVersion{N: len(versions) + 1})
	}
}

// onUpdates does one thing with what the form names, and shows the page again.
func (s *Server) onUpdates(v *visit, key string, do func(incident int64, o desk.Owing, named bool) error) error {
	id, err := number(v.r, "id")
	if err == nil {
		s.desk.ReadAs(v.actor, func(st *desk.State) { _, err = st.Incidents.Get(id) })
	}
	if err != nil {
		return err
	}
	o, named := owingIn(v, id, v.r.PostForm)
	if err := do(id, o, named); err != nil {
		if known(err) {
			return err
		}
		code := http.StatusUnprocessableEntity
		if errors.Is(err, contact.ErrNotOwed) {
			code = http.StatusConflict
		}
		return s.showUpdates(v, code, err, "")
	}
	return done(v, fmt.Sprintf("/incidents/%d/updates", id), key)
}

// onOwed is onUpdates for what must name something that is owed.
func (s *Server) onOwed(v *visit, key string, do func(desk.Owing) error) error {
	return s.onUpdates(v, key, func(_ int64, o desk.Owing, named bool) error {
		if !named {
			return contact.ErrNotOwed
		}
		return do(o)
	})
}

func (s *Server) sendUpdate(v *visit) error {
	return s.onOwed(v, "sending", func(o desk.Owing) error { return s.desk.SendUpdate(v.actor, o) })
}

func (s *Server) toldUpdate(v *visit) error {
	return s.onOwed(v, "spoken", func(o desk.Owing) error { return s.desk.ToldUpdate(v.actor, o, text(v.r, "way"), text(v.r, "note")) })
}

func (s *Server) waiveUpdate(v *visit) error {
	return s.onOwed(v, "waived", func(o desk.Owing) error { return s.desk.WaiveUpdate(v.actor, o, text(v.r, "reason")) })
}

func (s *Server) setStatus(v *visit) error {
	return s.onUpdates(v, "status", func(id int64, _ desk.Owing, _ bool) error {
		var next time.Time
		if t := text(v.r, "next"); t != "" && t != "0" {
			hours, err := typedHours(v, "next")
			if err != nil {
				return err
			}
			next = v.now.Add(time.Duration(hours * float64(time.Hour))).Round(time.Minute)
		}
		return s.desk.SetStatus(v.actor, id, contact.Sentences{Versions: typedVersions(v)}, next)
	})
}

// statusLink shows a link to the status page once.
func (s *Server) statusLink(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	to, err := strconv.ParseInt(text(v.r, "contact"), 10, 64)
	if err != nil {
		return errMissing
	}
	link, err := s.desk.StatusLink(v.actor, id, to)
	if errors.Is(err, contact.ErrNotFound) {
		return errMissing
	}
	if err != nil {
		return err
	}
	return s.showUpdates(v, http.StatusOK, nil, link)
}

// status is the page that a stakeholder reads. It asks who it is of nobody, sets no cookie, and has nothing of ours around it.
func (s *Server) status(v *visit) error {
	p, err := s.desk.OpenStatus(v.r.PathValue("token"))
	switch {
	case errors.Is(err, contact.ErrLink):
		return errMissing
	case errors.Is(err, contact.ErrExpired):
		return ui.Status.Show(v.w, http.StatusGone, ui.StatusView{Skip: "Skip to content", Lang: "en", BodyLang: "en", Title: "This link is too old", None: "The response team can send you a new one. / Das Reaktionsteam kann Ihnen einen neuen Link schicken."})
	case err != nil:
		return err
	}
	word := func(name string) string { return contact.Word(p.Lang, name) }
	when := func(t time.Time) string { return contact.When(p.Lang, t, p.Zone) }
	view := ui.StatusView{Skip: word("page.skip"), Lang: p.Lang, BodyLang: cmp.Or(p.Text.Lang, p.Lang), Title: word("page.title"), Number: fmt.Sprint(p.Incident), Sample: p.Sample, None: word("page.none"),
		Facts: []ui.Fact{{Name: word("page.state"), Value: word(p.State)}, {Name: word("page.severity"), Value: word(p.Severity)}, {Name: word("page.phase"), Value: word(p.Phase)}},
		Foot:  []string{word("page.for") + " " + p.Name + ".", word("page.until") + " " + when(p.Expires) + ". " + word("page.private")}}
	for para := range strings.SplitSeq(p.Text.Body, "\n") {
		if strings.TrimSpace(para) != "" {
			view.Body = append(view.Body, para)
		}
	}
	if !p.Written.IsZero() {
		view.Written = word("page.written") + ": " + when(p.Written)
	}
	if !p.Next.IsZero() && p.State == "open" {
		view.Next = word("page.next") + " " + when(p.Next)
		if v.now.After(p.Next) {
			view.Late = word("page.late")
		}
	}
	v.w.Header().Set("X-Robots-Tag", "noindex")
	return ui.Status.Show(v.w, http.StatusOK, view)
}

// updateProblems says that stakeholders wait for what they were to be told.
func (s *Server) updateProblems(v *visit) (ps []ui.Problem) {
	late, first := 0, int64(0)
	for _, d := range s.desk.Owed(v.actor, 0, v.now) {
		if d.Overdue && !d.Waiting {
			if late++; first == 0 {
				first = d.Incident
			}
		}
	}
	if late > 0 {
		ps = append(ps, ui.Problem{Says: ui.Plural(int64(late), "update to a stakeholder is overdue.", "updates to stakeholders are overdue."), Mend: "Send it, tell them by phone, or say why not.",
			Href: fmt.Sprintf("/incidents/%d/updates", first)})
	}
	return ps
}
