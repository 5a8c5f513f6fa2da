package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// versionsShown is how many languages the forms of texts have room for.
const versionsShown = 3

func (s *Server) stakeholders(v *visit) error {
	return s.showStakeholders(v, http.StatusOK, nil, nil, nil)
}

func (s *Server) showStakeholders(v *visit, code int, rule *ui.RuleForm, words *ui.TextForm, mistake error) error {
	view := ui.RulesOfView{Frame: s.frame(v, "contacts", "Who hears of what"), May: auth.May(v.actor, auth.Contacts) == nil, Inform: auth.May(v.actor, auth.Inform) == nil}
	view.Path = "/stakeholders"
	texts := s.desk.Templates()
	names := map[int64]string{}
	for _, t := range texts {
		names[t.ID] = t.Text.Name
		x := ui.TextOf{ID: fmt.Sprint(t.ID), Name: t.Text.Name, Langs: strings.Join(t.Langs, ", "), Put: v.at(t.Put), Fault: t.Fault}
		if view.May {
			x.Edit, x.End = fmt.Sprintf("/stakeholders?text=%d#text", t.ID), fmt.Sprintf("/stakeholders/texts/%d/end", t.ID)
		}
		view.Texts = append(view.Texts, x)
	}
	list, err := s.desk.Contacts(v.actor)
	if err != nil {
		return err
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for i, t := range texts {
			view.Texts[i].By = s.actorName(st, t.By)
		}
		for _, r := range st.Contacts.Rules {
			if !r.Gone {
				x := ui.RuleOf{ID: fmt.Sprint(r.ID), Says: ruleWords(r.StakeholderRule, list), Text: names[r.Template], Auto: r.Auto}
				if view.May {
					x.End = fmt.Sprintf("/stakeholders/rules/%d/end", r.ID)
				}
				view.Rules = append(view.Rules, x)
			}
		}
	})
	view.Rule = ruleForm(v, list, texts)
	view.Text = textForm(queried(v, "text"), texts)
	if rule != nil {
		view.Rule.Open = true
	}
	if words != nil {
		view.Text = *words
	}
	for _, p := range contact.Placeholders() {
		view.Placeholders = append(view.Placeholders, ui.Fact{Name: "{" + p.Name + "}", Value: p.Says})
	}
	if mistake != nil {
		view.Errors, view.Still = mistakes(mistake), true
	}
	return ui.StakeholderRules.Show(v.w, code, view)
}

// whomWord names a contact or a group.
func whomWord(group string, id int64, list []desk.Listed) string {
	if group != "" {
		return groupWord(group)
	}
	for _, c := range list {
		if c.ID == id {
			return c.Card.Name
		}
	}
	return fmt.Sprintf("Contact %d", id)
}

// ruleWords is a rule in a sentence.
func ruleWords(r entry.StakeholderRule, list []desk.Listed) string {
	t := fmt.Sprintf("%s: incidents of %s or worse", whomWord(r.Group, r.Contact, list), desk.Title(r.Least))
	if r.Least == incident.Critical {
		t = strings.TrimSuffix(t, " or worse")
	}
	if len(r.Impacts) > 0 {
		t += " (" + strings.Join(r.Impacts, ", ") + ")"
	}
	t += ", within " + ui.Span(r.Within)
	if r.Every > 0 {
		t += ", then every " + ui.Span(r.Every)
	}
	if r.Close {
		t += ", and at the close"
	}
	return t + "."
}

func ruleForm(v *visit, list []desk.Listed, texts []desk.ListedText) ui.RuleForm {
	typed := func(field, standard string) string {
		if v.r.Method == http.MethodPost {
			return text(v.r, field)
		}
		return standard
	}
	f := ui.RuleForm{Within: typed("within", "60"), Every: typed("every", "4"), Close: v.r.Method != http.MethodPost || text(v.r, "close") != "", Auto: text(v.r, "auto") != ""}
	var pairs []string
	for _, g := range contact.Groups() {
		pairs = append(pairs, g, "All of: "+groupWord(g))
	}
	for _, c := range list {
		pairs = append(pairs, fmt.Sprint(c.ID), c.Card.Name)
	}
	f.Whom = options(typed("whom", contact.Stakeholders), pairs...)
	f.Least = options(typed("least", incident.High), incident.Low, "Low on", incident.Medium, "Medium on", incident.High, "High on", incident.Critical, "Critical only")
	for _, i := range contact.Impacts() {
		f.Impacts = append(f.Impacts, ui.Option{Value: i, Word: map[string]string{"attempt": "attempts", "compromise": "break-ins", "loss": "losses"}[i]})
	}
	pairs = nil
	for _, t := range texts {
		pairs = append(pairs, fmt.Sprint(t.ID), t.Text.Name)
	}
	f.Template = options(typed("template", ""), pairs...)
	return f
}

func textForm(id string, texts []desk.ListedText) ui.TextForm {
	f := ui.TextForm{}
	versions := []contact.Version{{Lang: "en", Subject: "Incident {incident.number}: {state}", Body: "Dear {contact.name},\n\n{status}\n\nSeverity: {severity}. Next word by {next.update}.\n{status.link}"},
		{Lang: "de", Subject: "Vorfall {incident.number}: {state}", Body: "Guten Tag {contact.name},\n\n{status}\n\nSchwere: {severity}. Nächste Nachricht bis {next.update}.\n{status.link}"}}
	for _, t := range texts {
		if fmt.Sprint(t.ID) == id {
			f.ID, f.Name, f.Open, versions = id, t.Text.Name, true, t.Text.Versions
		}
	}
	for i := range max(versionsShown, len(versions)) {
		x := ui.TextVersion{N: i + 1}
		if i < len(versions) {
			x.Lang, x.Subject, x.Body = versions[i].Lang, versions[i].Subject, versions[i].Body
		}
		f.Versions = append(f.Versions, x)
	}
	return f
}

func (s *Server) addRule(v *visit) error {
	x := entry.StakeholderRule{Least: text(v.r, "least"), Impacts: v.r.PostForm["impacts"], Close: text(v.r, "close") != "", Auto: text(v.r, "auto") != ""}
	whom := text(v.r, "whom")
	if id, err := strconv.ParseInt(whom, 10, 64); err == nil {
		x.Contact = id
	} else {
		x.Group = whom
	}
	var err error
	x.Within, err = typedMinutes(v, "within")
	if err == nil && text(v.r, "every") != "" {
		var hours float64
		if hours, err = typedHours(v, "every"); err == nil {
			x.Every = time.Duration(hours * float64(time.Hour))
		}
	}
	if err == nil {
		x.Template, _ = strconv.ParseInt(text(v.r, "template"), 10, 64) // 0 is refused by its name
		err = s.desk.PutRule(v.actor, x)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showStakeholders(v, http.StatusUnprocessableEntity, &ui.RuleForm{}, nil, err)
	}
	return done(v, "/stakeholders", "rule")
}

func typedHours(v *visit, field string) (float64, error) { return typedNumber(v, field, "hours") }

// typedVersions reads the languages of a form of texts.
func typedVersions(v *visit) (out []contact.Version) {
	for i := range 8 {
		x := contact.Version{Lang: text(v.r, fmt.Sprintf("lang.%d", i+1)), Subject: text(v.r, fmt.Sprintf("subject.%d", i+1)), Body: text(v.r, fmt.Sprintf("body.%d", i+1))}
		if x.Lang != "" || x.Subject != "" || x.Body != "" {
			out = append(out, x)
		}
	}
	return out
}

func (s *Server) putText(v *visit) error {
	t := contact.Text{Name: text(v.r, "name"), Versions: typedVersions(v)}
	id, err := int64(0), error(nil)
	if x := text(v.r, "id"); x != "" {
		if id, err = strconv.ParseInt(x, 10, 64); err != nil || id < 1 {
			return errMissing
		}
	}
	if err = s.desk.PutTemplate(v.actor, id, t); err != nil {
		if known(err) {
			return err
		}
		f := ui.TextForm{Open: true, ID: text(v.r, "id"), Name: t.Name}
		for i := range max(versionsShown, len(t.Versions)) {
			x := ui.TextVersion{N: i + 1}
			if i < len(t.Versions) {
				x.Lang, x.Subject, x.Body = t.Versions[i].Lang, t.Versions[i].Subject, t.Versions[i].Body
			}
			f.Versions = append(f.Versions, x)
		}
		return s.showStakeholders(v, http.StatusUnprocessableEntity, nil, &f, err)
	}
	return done(v, "/stakeholders", "text")
}

func (s *Server) endRule(v *visit) error { return s.endOf(v, s.desk.EndRule) }

func (s *Server) endText(v *visit) error { return s.endOf(v, s.desk.EndTemplate) }

// turnLinkKey makes every link to a status page worthless.
func (s *Server) turnLinkKey(v *visit) error {
	if err := s.desk.TurnLinkKey(v.actor, text(v.r, "reason")); err != nil {
		if known(err) {
			return err
		}
		return s.showStakeholders(v, http.StatusUnprocessableEntity, nil, nil, err)
	}
	return done(v, "/stakeholders", "all-links")
}

// endOf ends the rule or text of the path.
func (s *Server) endOf(v *visit, end func(auth.Actor, int64) error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err := end(v.actor, id); err != nil {
		switch {
		case errors.Is(err, contact.ErrNotFound):
			return errMissing
		case known(err):
			return err
		}
		return s.showStakeholders(v, http.StatusConflict, nil, nil, err)
	}
	return done(v, "/stakeholders", "ended")
}
