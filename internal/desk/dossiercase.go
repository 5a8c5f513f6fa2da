package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/dossier"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/review"
)

const relatedInDossier = 10

// A caseReader puts the facts of one incident together. Texts are ids of vault objects while the state is held; words are read after.
type caseReader struct {
	s    *State
	id   int64
	i    *incident.Incident
	c    dossier.Case
	d    *Desk
	name func(id string) string // what a person is called
	said []Moment               // beside Case.Timeline
	at   time.Time              // now

	sheet   string        // vault object of what people wrote of systems, data, people and costs
	affects dossier.Label // of the sheet
	alerts  []string      // vault objects of the alerts, for their hosts
	lines   []string      // of the lines that were attached, likewise
	told    []string      // vault objects of contacts beside Case.Told; "" is one that has its name
	acts    [][2]saying   // what and result, beside Case.Actions
	links   []saying      // beside Case.Cause.Links
}

// A saying is to be put together once the state is let go: some are plain, some are ids of vault objects.
type saying []phrase

type phrase struct{ word, text string } // one of them

// say puts words together; what is empty falls away.
func (w saying) say(text func(id string) string) string {
	var out []string
	for _, p := range w {
		switch t := p.word + text(p.text); {
		case p.text != "" && t == p.word, t == "":
		default:
			out = append(out, t)
		}
	}
	return strings.Join(out, "; ")
}

// act adds an action.
func (r *caseReader) act(a dossier.Action, what phrase, result ...phrase) {
	r.c.Actions, r.acts = append(r.c.Actions, a), append(r.acts, [2]saying{{what}, result})
}

// dossierCase reads what is known of an incident at this moment, as an actor may see it.
func (d *Desk) dossierCase(actor auth.Actor, id int64) (dossier.Case, error) {
	r := caseReader{id: id, d: d, at: time.Now().UTC().Truncate(time.Second)}
	var err error
	d.ReadAs(actor, func(s *State) {
		r.s, r.name = s, func(id string) string { return d.Called(s, id) }
		if r.i, err = s.Incidents.Get(id); err == nil {
			err = r.read()
		}
		r.c.By = d.ActorCalled(s, actor.Name)
		h := d.ledger.Head()
		r.c.Head = dossier.Head{Origin: h.Origin, Size: h.Size, Root: h.Root.String()}
	})
	if err != nil {
		return dossier.Case{}, err
	}
	r.s, r.i, r.name = nil, nil, nil // what follows is outside of the lock
	r.words(d.Text)
	r.affected()
	slices.SortStableFunc(r.c.Actions, func(a, b dossier.Action) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.N, b.N)) })
	slices.SortStableFunc(r.c.Told, func(a, b dossier.Told) int { return a.Sent.Compare(b.Sent) })
	r.c.Made = r.at
	return r.c, nil
}

// label is the label of a thing in the incident.
func (r *caseReader) label(id int64, what string) dossier.Label {
	return dossier.Label(r.s.Incidents.Label(id, what).String())
}

func (r *caseReader) read() error {
	i, whole := r.i, r.label(r.id, "")
	r.c = dossier.Case{ID: i.ID, Title: dossier.Text{Says: i.Title, Label: whole}, Label: whole, Restricted: i.Restriction.Kind, Sample: i.Sample, Severity: i.Severity, Verdict: i.Verdict,
		Affected: i.Scope(), Phase: i.Phase, Closed: i.Closed, Happened: i.Happened, Ended: i.Ended, Organisation: r.d.organisation(), Reference: r.reference()}
	for _, code := range i.Why {
		r.c.Criteria = append(r.c.Criteria, dossier.Text{Says: incident.Words(code), Label: whole})
	}
	for _, id := range r.s.Incidents.Family(r.id) {
		if m, err := r.s.Incidents.Get(id); err == nil {
			r.command(m)
			r.runs(m.ID)
		}
	}
	r.reasons()
	r.reported()
	r.tell()
	for _, role := range plan.Roles() {
		if h := i.Roles[role]; h.Person != "" {
			r.c.Team = append(r.c.Team, dossier.Holder{Role: plan.RoleWord(role), Person: r.name(h.Person), From: h.Since, Label: whole})
		}
	}
	for _, id := range r.s.Incidents.Family(r.id) {
		for _, m := range r.s.Reviews.MeasuresOf(id) {
			r.c.Measures = append(r.c.Measures, dossier.Measure{What: m.Text, Owner: r.name(m.Owner), State: string(m.State), Due: m.Due, Verified: lastWord(m), Label: r.label(id, "lessons")})
		}
	}
	related, _ := r.s.Incidents.Related(r.id, relatedInDossier)
	for _, x := range related {
		r.c.Related = append(r.c.Related, dossier.Text{Says: fmt.Sprintf("Incident %d: %s", x.Incident, titleOf(r.s, x.Incident)), Label: r.label(x.Incident, "")})
	}
	if err := r.timeline(); err != nil {
		return err
	}
	r.times()
	return nil
}

// reference is how people call the incident, when others are one with it.
func (r *caseReader) reference() string {
	family := r.s.Incidents.Family(r.id)
	if len(family) < 2 {
		return ""
	}
	others := make([]string, 0, len(family))
	for _, id := range family {
		if id != r.id {
			others = append(others, fmt.Sprint(id))
		}
	}
	return fmt.Sprintf("%d (one with %s)", r.id, strings.Join(others, ", "))
}

func titleOf(s *State, id int64) string {
	if i, err := s.Incidents.Get(id); err == nil {
		return i.Title
	}
	return ""
}

// lastWord is the vault object with what was said last of a measure that somebody verified; "" of another.
func lastWord(m *review.Measure) string {
	if n := len(m.Steps); n > 0 && m.State == review.Verified {
		return m.Steps[n-1].Text
	}
	return ""
}

// command reads what was known, decided, asked and brought of the incident, or of one that is one with it.
func (r *caseReader) command(i *incident.Incident) {
	c, of := i.Command(), func(what string, number int64) dossier.Label {
		return r.label(i.ID, fmt.Sprintf("%s:%d", what, number))
	}
	if n := len(c.Statements); n > 0 {
		r.c.Summary = append(r.c.Summary, dossier.Text{Says: c.Statements[n-1].What.Text, Label: r.label(i.ID, "statement")})
	}
	for _, x := range c.Decisions {
		y := dossier.Decision{N: x.N, At: x.Asked.At, Question: x.Text, Options: slices.Clone(x.Options), Label: of("decision", x.ID)}
		if x.Made != nil {
			y.At, y.By, y.Why = x.Made.At, r.name(x.Made.What.Person), x.Made.What.Text
			if k := x.Made.What.Option; k >= 1 && k <= len(x.Options) {
				y.Decided = x.Options[k-1]
			}
		}
		r.c.Decisions = append(r.c.Decisions, y)
	}
	for _, x := range c.Questions {
		q := dossier.Question{N: x.Asked.N, Ask: x.Text, Whom: plan.RoleWord(x.Role), Label: of("question", x.ID)}
		if x.Answer != nil {
			q.Answer, q.By = x.Answer.What.Text, r.name(x.Answer.What.Person)
		}
		if x.Gone == nil {
			r.c.Questions = append(r.c.Questions, q)
		}
	}
	for _, x := range c.Handovers {
		h := dossier.Handover{N: x.Given.N, Given: x.Given.At, From: r.name(x.From), To: r.name(x.To), Roles: RoleWords(x.Roles), Says: x.Text, Label: of("handover", x.ID)}
		if x.Taken != nil {
			h.Taken = x.Taken.At
		}
		if x.Gone == nil {
			r.c.Handovers = append(r.c.Handovers, h)
		}
	}
	for _, x := range c.Files {
		custody := []string{}
		for _, link := range x.Chain {
			_, did, _ := strings.Cut(string(link.Kind), ".")
			custody = append(custody, fmt.Sprintf("%s by %s at %s", did, r.name(link.Person), link.At.UTC().Format(time.RFC3339)))
		}
		if !x.Sound() {
			custody = append(custody, "its bytes were found to be others than those that were brought")
		}
		r.c.Evidence = append(r.c.Evidence, dossier.Exhibit{N: x.Added.N, Name: x.Name, SHA256: x.SHA256, From: x.From, By: r.name(x.Person), At: x.Added.At, Custody: strings.Join(custody, "; "),
			Label: of("attachment", x.ID)})
	}
	for _, x := range c.Tasks {
		label := of("task", x.ID)
		switch {
		case x.Open():
			whom := plan.RoleWord(x.Role)
			if x.Person != "" {
				whom = r.name(x.Person)
			}
			r.c.Tasks = append(r.c.Tasks, dossier.Task{N: x.Versions[0].N, What: x.Title, Whom: whom, Due: x.Due, Label: label})
		case x.Ended.Kind != entry.TaskDropped:
			r.act(dossier.Action{N: x.Ended.N, At: x.Ended.At, Who: r.name(x.Ended.What.Person), Label: label}, phrase{"", x.Title}, phrase{"done", ""}, phrase{"", x.Ended.What.Text})
		}
	}
}

// reasons reads the cause and the lessons, each of the incident itself or else of the first that is one with it and has one.
func (r *caseReader) reasons() {
	c, _, from := causeFrom(r.s, r.id)
	if from != 0 {
		label := r.label(from, "cause")
		r.c.Cause = dossier.Cause{Class: strings.ReplaceAll(c.Class, "-", " "), Label: label}
		if c.Text != "" {
			r.c.Cause.Says = []dossier.Text{{Says: c.Text, Label: label}}
		}
		r.causeLinks(c, label)
		for _, w := range c.Whys {
			r.c.Cause.Whys = append(r.c.Cause.Whys, dossier.Text{Says: w.Text, Label: label})
		}
		for _, b := range c.Bones {
			r.c.Cause.Bones = append(r.c.Cause.Bones, dossier.Bone{Heading: b.Branch, Says: b.Text, Label: label})
		}
	}
	l, _, from := lessonFrom(r.s, r.id)
	if from == 0 {
		return
	}
	label := r.label(from, "lessons")
	text := func(id string) []dossier.Text {
		if id == "" {
			return nil
		}
		return []dossier.Text{{Says: id, Label: label}}
	}
	r.c.Well, r.c.Badly, r.c.Lessons = text(l.Well), text(l.Badly), text(l.Text)
}

// words puts the texts in the place of their ids.
func (r *caseReader) words(text func(id string) string) {
	c := &r.c
	for _, list := range [][]dossier.Text{c.Summary, c.Cause.Says, c.Cause.Whys, c.Well, c.Badly, c.Lessons} {
		for k := range list {
			list[k].Says = text(list[k].Says)
		}
	}
	for k := range c.Cause.Bones {
		c.Cause.Bones[k].Says = text(c.Cause.Bones[k].Says)
	}
	for k := range c.Decisions {
		x := &c.Decisions[k]
		x.Question, x.Decided, x.Why = text(x.Question), text(x.Decided), text(x.Why)
		for j := range x.Options {
			x.Options[j] = text(x.Options[j])
		}
	}
	for k := range c.Questions {
		c.Questions[k].Ask, c.Questions[k].Answer = text(c.Questions[k].Ask), text(c.Questions[k].Answer)
	}
	for k := range c.Tasks {
		c.Tasks[k].What = text(c.Tasks[k].What)
	}
	for k := range c.Handovers {
		c.Handovers[k].Says = text(c.Handovers[k].Says)
	}
	for k := range c.Evidence {
		c.Evidence[k].Name, c.Evidence[k].From = text(c.Evidence[k].Name), text(c.Evidence[k].From)
	}
	for k := range c.Actions {
		c.Actions[k].What, c.Actions[k].Result = r.acts[k][0].say(text), r.acts[k][1].say(text)
	}
	for k := range c.Measures {
		c.Measures[k].What, c.Measures[k].Verified = text(c.Measures[k].What), text(c.Measures[k].Verified)
	}
	for k := range r.links {
		c.Cause.Links[k].Says = r.links[k].say(text)
	}
	for k, m := range r.said {
		c.Timeline[k].What = m.Words(text)
	}
	for k, vault := range r.told {
		if vault != "" {
			card, _ := r.d.card(vault) // who cannot be read is named so
			c.Told[k].Whom = card.Name
		}
	}
}
