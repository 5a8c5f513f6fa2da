package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/tuning"
	"tocsin/ui"
)

// staff returns the ids of the people who are not gone, sorted.
func staff(st *desk.State) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(st.Plan.People)) {
		if !st.Plan.People[id].Gone {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *Server) people(v *visit) error { return s.showPeople(v, http.StatusOK, nil, nil) }

// showPeople shows the team; a form that was wrong comes back with what was typed: add, or else the policy's.
func (s *Server) showPeople(v *visit, code int, add *ui.PersonForm, mistake error) error {
	view := ui.PeopleView{Frame: s.frame(v, "people", "People and policy"), Add: personForm("/people", "", nil, desk.Contact{})}
	view.Add.New = true
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, id := range slices.Sorted(maps.Keys(st.Plan.People)) {
			view.People = append(view.People, s.personView(v, st, st.Plan.People[id]))
		}
		view.Policy = s.policyForm(st, st.Plan.CurrentPolicy())
		view.Policy.Action = "/policy"
		for _, m := range st.Tuning.Mutes {
			if m.Holds(v.now) {
				view.Mutes = append(view.Mutes, s.muteView(v, st, m))
			}
		}
	})
	if add != nil {
		view.Add = *add
	}
	view.Path = "/people"
	if mistake != nil {
		if add == nil {
			typedAgainPolicy(v, &view.Policy)
		}
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	return ui.People.Show(v.w, code, view)
}

func roleOptions(has []string) (out []ui.Option) {
	for _, r := range plan.Roles() {
		out = append(out, ui.Option{Value: r, Word: plan.RoleWord(r), Chosen: slices.Contains(has, r)})
	}
	return out
}

func (s *Server) personView(v *visit, st *desk.State, p entry.Person) ui.Person {
	c := s.desk.People.Get(p.Vault)
	x := ui.Person{ID: p.ID, Href: "/people/" + p.ID, Name: c.Name, Zone: c.Zone, You: p.ID == v.actor.ID, Gone: p.Gone}
	for _, r := range p.Roles {
		x.Roles = append(x.Roles, plan.RoleWord(r))
	}
	if len(p.Channels) == 0 && !p.Gone {
		x.Says = "has no mail address, no phone and no webhook: is rung in the console only"
	}
	for _, row := range plan.ChannelTable() {
		address := c.Address(row.Name)
		switch {
		case address == "":
			continue
		case row.Secret:
			address = "kept secret"
		case !x.You && auth.May(v.actor, auth.Team) != nil:
			address = "shown to those who keep the team"
		}
		x.Channels = append(x.Channels, s.channel(v, st, p, row.Name, desk.Title(row.Word), address))
	}
	x.Channels = append(x.Channels, s.channel(v, st, p, plan.Console, "Console", "every browser that is signed in"))
	return x
}

func (s *Server) channel(v *visit, st *desk.State, p entry.Person, key, word, address string) ui.Channel {
	c := ui.Channel{Key: key, Word: word, Address: address, State: ui.State{Tone: "late", Word: "never tested"}, Action: "/people/" + p.ID + "/ring"}
	if row, ok := plan.ChannelOf(key); ok {
		c.Private = row.Private
	}
	if key == plan.Console {
		c.State = ui.State{Tone: "good", Word: "shows a banner"}
	}
	if call := st.Calls.LastTest(p.ID, key); call != nil && len(call.Tries) > 0 {
		x := s.try(v, st, call, call.Tries[0])
		c.State, c.Says, c.At = x.State, x.Says, x.At
	}
	if !p.Gone && key != plan.Console {
		c.Proof = s.unproven(st, p.ID, key, v.now)
	}
	if !s.desk.Works(key) {
		c.Proof = "it is not set up on this server: see tocsin.yaml"
	}
	if p.Gone || p.ID != v.actor.ID && auth.May(v.actor, auth.TestRing) != nil {
		c.Action = ""
	}
	return c
}

func (s *Server) muteView(v *visit, st *desk.State, m tuning.Mute) ui.Mute {
	t := s.desk.MuteText(m.Vault)
	x := ui.Mute{ID: fmt.Sprint(m.ID), Rule: ui.Link{Word: "every rule", Href: "/rules"}, Address: ui.Visible(t.Address), Account: ui.Visible(t.Account), Until: v.at(m.Until),
		By: s.actorName(st, m.By), Reason: ui.VisibleLines(t.Why), Action: fmt.Sprintf("/mutes/%d/remove", m.ID)}
	if m.Rule != "" {
		x.Rule = s.ruleLink(m.Rule, s.title(m.Rule))
	}
	if m.Suppressed > 0 {
		x.Kept = "kept " + ui.Plural(m.Suppressed, "alert", "alerts") + " quiet, the last " + v.at(m.Last).Ago
	}
	return x
}

func (s *Server) unmute(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err := s.desk.RemoveMute(v.actor, id); err != nil {
		if known(err) {
			return err
		}
		return errMissing
	}
	to := "/people"
	if v.r.PostFormValue("back") == "/lists" {
		to = "/lists"
	}
	return done(v, to, "unmuted")
}

// typedPerson reads the form of a person.
func typedPerson(v *visit, action string) (ui.PersonForm, []string, desk.Contact) {
	roles := v.r.PostForm["roles"]
	c := desk.Contact{Name: text(v.r, "name"), Zone: text(v.r, "zone"), Sealing: text(v.r, "sealing"), Language: text(v.r, "language"), Slack: text(v.r, "slack")}
	for _, name := range plan.Channels() {
		c.SetAddress(name, text(v.r, name))
	}
	f := personForm(action, text(v.r, "id"), roles, c)
	f.Gone, f.Open, f.Read = v.r.PostFormValue("gone") != "", true, text(v.r, "read")
	return f, roles, c
}

// readAs is a mark of a person as they are, which is another after each change.
func readAs(p entry.Person) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %v %q", p.ID, p.Roles, p.Channels, p.Vault, p.Gone, p.Moved))
	return hex.EncodeToString(sum[:16])
}

// personForm is the form of a person, filled.
func personForm(action, id string, roles []string, c desk.Contact) ui.PersonForm {
	f := ui.PersonForm{Action: action, ID: id, Name: c.Name, Mail: c.Mail, Slack: c.Slack, Zone: c.Zone, Roles: roleOptions(roles)}
	for _, row := range plan.ChannelTable() {
		if row.Name != plan.Mail && row.Name != plan.Console {
			f.Ways = append(f.Ways, ui.WayField{Key: row.Name, Word: row.Field, Like: row.Like, Private: row.Private, Value: c.Address(row.Name)})
		}
	}
	for _, o := range []ui.Option{{Value: "", Word: "All of it until their first key is confirmed, then no details"}, {Value: "required", Word: "No details: only that an incident needs them"}, {Value: "opportunistic", Word: "All of it, readable on the way"}} {
		o.Chosen = o.Value == c.Sealing
		f.Sealing = append(f.Sealing, o)
	}
	names := map[string]string{"de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese"}
	for _, code := range desk.Languages() {
		f.Speaks = append(f.Speaks, ui.Option{Value: code, Word: names[code], Chosen: code == c.Language || c.Language == "" && code == "en"})
	}
	return f
}

func (s *Server) addPerson(v *visit) error {
	f, roles, c := typedPerson(v, "/people")
	f.New = true
	if err := s.desk.AddPerson(v.actor, f.ID, roles, c); err != nil {
		if known(err) {
			return err
		}
		return s.showPeople(v, http.StatusUnprocessableEntity, &f, err)
	}
	return done(v, "/people/"+f.ID, "person")
}

func (s *Server) person(v *visit) error {
	if v.actor.ID != v.r.PathValue("id") {
		if err := auth.May(v.actor, auth.Team); err != nil {
			return err
		}
	}
	return s.showPerson(v, http.StatusOK, nil, nil, "")
}

func (s *Server) showPerson(v *visit, code int, typed *ui.PersonForm, mistake error, link string) error {
	view := ui.PersonView{Link: link}
	found := false
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		p, ok := st.Plan.People[v.r.PathValue("id")]
		if !ok {
			return
		}
		found = true
		c := s.desk.People.Get(p.Vault)
		view.Person = s.personView(v, st, p)
		view.Form = personForm("/people/"+p.ID, p.ID, p.Roles, c)
		view.Form.Gone, view.Form.Open, view.Form.Read = p.Gone, true, readAs(p)
		if !p.Gone {
			view.Ways = waysForm(p, st.Plan.Ways[p.ID], c.Zone)
			view.Seals = s.sealsView(v, st, p, c)
			if auth.May(v.actor, auth.Team) == nil {
				view.Invite = "/people/" + p.ID + "/invite"
			}
		}
	})
	if !found {
		return errMissing
	}
	s.factorsOf(view.Person.ID, &view)
	view.Frame = s.frame(v, "people", view.Person.Name)
	view.Path = "/people/" + view.Person.ID
	for k := range view.Form.Ways { // who knows an address that is secret can write there, so it is shown to nobody
		f := &view.Form.Ways[k]
		if row, _ := plan.ChannelOf(f.Key); row.Secret && f.Value != "" {
			f.Value, f.Kept = "", true
		}
		if typed != nil {
			typed.Ways[k].Kept = f.Kept
		}
	}
	if typed != nil {
		view.Form = *typed
	}
	if auth.May(v.actor, auth.Team) != nil {
		view.Form.Action = "" // one's own rules only
	}
	if mistake != nil {
		view.Errors, view.Still = fieldErrors(mistake), true
		if strings.HasSuffix(v.r.URL.Path, "/ways") {
			typedAgainWays(v, &view.Ways)
		}
	}
	if link != "" || v.said != "" {
		view.Still = true // the link, or what became of a key, is shown once
	}
	return ui.PersonPage.Show(v.w, code, view)
}

func (s *Server) changePerson(v *visit) error {
	id := v.r.PathValue("id")
	f, roles, c := typedPerson(v, "/people/"+id)
	f.ID = id
	var was entry.Person
	exists := false
	s.desk.ReadAs(v.actor, func(st *desk.State) { was, exists = st.Plan.People[id] })
	if !exists {
		return errMissing
	}
	if f.Read != "" && f.Read != readAs(was) { // the page was loaded before somebody else's change, which all of the form would undo
		return s.showPerson(v, http.StatusConflict, &f, desk.ErrMoved, "")
	}
	stored := s.desk.People.Get(was.Vault)
	for _, row := range plan.ChannelTable() { // of one that is not shown, nothing typed leaves it as it is
		if row.Secret && c.Address(row.Name) == "" && !slices.Contains(v.r.PostForm["drop"], row.Name) {
			c.SetAddress(row.Name, stored.Address(row.Name))
		}
	}
	if err := s.desk.ChangePerson(v.actor, was, roles, c, f.Gone); err != nil {
		if known(err) {
			return err
		}
		return s.showPerson(v, http.StatusUnprocessableEntity, &f, err, "")
	}
	if f.Gone {
		if _, err := s.sessions.EndAll(v.now, id); err != nil {
			return fmt.Errorf("signing %s out everywhere: %w", id, err)
		}
	}
	return done(v, "/people", "person")
}

// invite makes a one-time link and shows it once.
func (s *Server) invite(v *visit) error {
	link, err := s.desk.Invite(v.actor, v.r.PathValue("id"))
	if err != nil {
		if known(err) {
			return err
		}
		return errMissing
	}
	return s.showPerson(v, http.StatusOK, nil, nil, link)
}

func (s *Server) ringNow(v *visit) error {
	if err := s.desk.RingNow(v.actor, v.r.PathValue("id"), v.r.PostFormValue("channel")); err != nil {
		if known(err) {
			return err
		}
		return errMissing
	}
	return done(v, "/people", "rung")
}

// policyForm words a policy and fills its form, with a row to spare.
func (s *Server) policyForm(st *desk.State, p entry.Policy) ui.PolicyForm {
	f := ui.PolicyForm{Rounds: fmt.Sprint(p.Rounds), Every: minutes(p.Every), Throttle: minutes(p.Throttle), Attend: minutes(p.Attend), Medium: p.Medium}
	for _, step := range p.Steps {
		who := strings.Join(s.whoWords(st, step.Who), ", ")
		by := "on every channel"
		if len(step.By) > 0 {
			var words []string
			for _, c := range step.By {
				words = append(words, channelWord(c))
			}
			by = "by " + strings.Join(words, " and ")
		}
		wanted := "an answer"
		if step.Answers > 1 {
			wanted = fmt.Sprintf("%d answers", step.Answers)
		}
		f.Says = append(f.Says, fmt.Sprintf("%s, %s; wait %s min for %s.", desk.Title(who), by, minutes(step.Wait), wanted))
	}
	f.Says = append(f.Says, fmt.Sprintf("After %s, the last step repeats every %s min until somebody answers.", ui.Plural(int64(p.Rounds), "round", "rounds"), minutes(p.Every)))
	severities := "Critical and High ring; Medium and Low do not."
	if p.Medium {
		severities = "Critical, High and Medium ring; Low does not."
	}
	f.Says = append(f.Says, severities)
	if p.Attend > 0 {
		f.Says = append(f.Says, fmt.Sprintf("After an answer and %s min without a sign of work it rings again.", minutes(p.Attend)))
	}
	for k := range len(p.Steps) + 1 {
		var step entry.PolicyStep
		if k < len(p.Steps) {
			step = p.Steps[k]
		}
		f.Steps = append(f.Steps, s.policyStep(st, k, step))
	}
	return f
}

func minutes(d time.Duration) string {
	return strconv.FormatFloat(d.Minutes(), 'f', -1, 64)
}

func (s *Server) whoWords(st *desk.State, who []string) (out []string) {
	for _, w := range who {
		if role, ok := strings.CutPrefix(w, "role:"); ok {
			out = append(out, "every "+role)
		} else if schedule, ok := strings.CutPrefix(w, "schedule:"); ok {
			out = append(out, "who is on call in "+schedule)
		} else if chat, ok := strings.CutPrefix(w, plan.Chat); ok {
			out = append(out, "the chat "+chat)
		} else if w == plan.Everyone {
			out = append(out, "everyone")
		} else {
			out = append(out, s.name(st, w))
		}
	}
	return out
}

func (s *Server) policyStep(st *desk.State, n int, step entry.PolicyStep) ui.PolicyStep {
	x := ui.PolicyStep{N: n, Word: fmt.Sprintf("Step %d", n+1), Wait: minutes(step.Wait), Answers: fmt.Sprint(max(step.Answers, 1))}
	if step.Wait == 0 {
		x.Wait = ""
	}
	add := func(value, word string) {
		x.Who = append(x.Who, ui.Option{Value: value, Word: word, Chosen: slices.Contains(step.Who, value)})
	}
	add(plan.Everyone, "Everyone")
	for _, r := range plan.Roles() {
		add("role:"+r, "Every "+r)
	}
	for _, id := range staff(st) {
		add(id, s.name(st, id))
	}
	for _, w := range append(s.desk.Groups(st), step.Who...) { // schedules and chats, and what the policy names already
		if strings.Contains(w, ":") && !strings.HasPrefix(w, "role:") && !slices.ContainsFunc(x.Who, func(o ui.Option) bool { return o.Value == w }) {
			add(w, desk.Title(strings.Join(s.whoWords(st, []string{w}), "")))
		}
	}
	for _, c := range plan.Channels() {
		x.By = append(x.By, ui.Option{Value: c, Word: desk.Title(channelWord(c)), Chosen: slices.Contains(step.By, c)})
	}
	return x
}

// typedAgainPolicy puts what was typed back into the policy's form.
func typedAgainPolicy(v *visit, f *ui.PolicyForm) {
	f.Open, f.Rounds, f.Every, f.Throttle, f.Medium = true, text(v.r, "rounds"), text(v.r, "every"), text(v.r, "throttle"), v.r.PostFormValue("medium") != ""
	f.Attend = text(v.r, "attend")
	for k := range f.Steps {
		step := &f.Steps[k]
		step.Wait, step.Answers = text(v.r, fmt.Sprintf("wait.%d", step.N)), text(v.r, fmt.Sprintf("answers.%d", step.N))
		for n := range step.Who {
			step.Who[n].Chosen = slices.Contains(v.r.PostForm[fmt.Sprintf("who.%d", step.N)], step.Who[n].Value)
		}
		for n := range step.By {
			step.By[n].Chosen = slices.Contains(v.r.PostForm[fmt.Sprintf("by.%d", step.N)], step.By[n].Value)
		}
	}
}

// setPolicy reads the policy's form. A step without anybody is left out.
func (s *Server) setPolicy(v *visit) error {
	p, err := typedPolicy(v)
	if err == nil {
		err = s.desk.SetPolicy(v.actor, p)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showPeople(v, http.StatusUnprocessableEntity, nil, err)
	}
	return done(v, "/people", "policy")
}

// policyRows is how many steps a form may have: those of the longest policy, and the one to spare, which the desk refuses in words.
const policyRows = 21

func typedPolicy(v *visit) (entry.Policy, error) {
	p := entry.Policy{Medium: v.r.PostFormValue("medium") != ""}
	var err error
	if p.Rounds, err = strconv.Atoi(text(v.r, "rounds")); err != nil {
		return p, desk.FieldError{Field: "rounds", Says: "Say how many rounds, as a number."}
	}
	if p.Every, err = typedMinutes(v, "every"); err != nil {
		return p, err
	}
	if p.Throttle, err = typedMinutes(v, "throttle"); err != nil {
		return p, err
	}
	if text(v.r, "attend") != "" {
		if p.Attend, err = typedMinutes(v, "attend"); err != nil {
			return p, err
		}
	}
	for n := range policyRows {
		who := v.r.PostForm[fmt.Sprintf("who.%d", n)]
		if len(who) == 0 {
			continue
		}
		step := entry.PolicyStep{Who: who, By: v.r.PostForm[fmt.Sprintf("by.%d", n)]}
		if step.Wait, err = typedMinutes(v, fmt.Sprintf("wait.%d", n)); err != nil {
			return p, err
		}
		if answers := text(v.r, fmt.Sprintf("answers.%d", n)); answers != "" && answers != "1" {
			if step.Answers, err = strconv.Atoi(answers); err != nil {
				return p, desk.FieldError{Field: fmt.Sprintf("answers-%d", n), Says: "Say how many answers the step wants, as a number."}
			}
		}
		p.Steps = append(p.Steps, step)
	}
	return p, nil
}

func typedMinutes(v *visit, field string) (time.Duration, error) {
	x, err := typedNumber(v, field, "minutes")
	return time.Duration(x * float64(time.Minute)), err
}

// typedNumber reads how many of something were typed: 0 to 10,000, with a comma or a full stop. NaN is no such number.
func typedNumber(v *visit, field, of string) (float64, error) {
	x, err := strconv.ParseFloat(strings.ReplaceAll(text(v.r, field), ",", "."), 64)
	if err != nil || !(x >= 0 && x <= 10_000) {
		return 0, desk.FieldError{Field: strings.ReplaceAll(field, ".", "-"), Says: "Say how many " + of + ", as a number."}
	}
	return x, nil
}
