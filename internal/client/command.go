package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A Command is what people wrote of an incident besides its timeline, in words. What changed is as it holds now.
type Command struct {
	Label     string             `json:"label"`           // of TLP 2.0, as it holds
	Scope     string             `json:"scope"`           // whom it touches: site-only, customers, unknown
	Verdict   string             `json:"verdict"`         // of the alarm: real, false-alarm, unknown
	Merged    int64              `json:"merged,omitzero"` // the incident that it is part of
	Family    []int64            `json:"family"`          // numbers that are one with it, its own among them
	Known     Known              `json:"known"`           // in at most three sentences
	Decisions []IncidentDecision `json:"decisions"`
	Questions []Question         `json:"questions"`
	Handovers []Handover         `json:"handovers"`
	Tasks     []IncidentTask     `json:"tasks"`
	Files     []Attachment       `json:"attachments"`
	Cause     Cause              `json:"cause"`
	Lessons   Lessons            `json:"lessons"`
	Affected  Affected           `json:"affected"`
	Lacking   []string           `json:"lacking,omitempty"` // what must be written before it can be closed as done: cause, lessons
	Watch     *ReturnWatch       `json:"watch,omitempty"`   // for its return
	Runs      []PlaybookRun      `json:"runs"`
	Related   []RelatedNumber    `json:"related"`
}

// Known is what is known.
type Known struct {
	Entry int64     `json:"entry"` // what a change names as seen; 0 is none
	Text  string    `json:"text"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// An IncidentDecision is a question with options, and what was decided.
type IncidentDecision struct {
	ID       int64     `json:"id"`
	Incident int64     `json:"incident,omitzero"` // of which it is, when that is another one than asked for, which is part of it
	Entry    int64     `json:"entry"`             // that changed it last: what a choice names as seen
	Question string    `json:"question"`
	Options  []string  `json:"options"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	State    string    `json:"state"`            // open, made, withdrawn, replaced
	Option   int       `json:"option,omitempty"` // that was chosen, from 1
	Person   string    `json:"person,omitempty"`
	Why      string    `json:"why,omitempty"`
	Decided  time.Time `json:"decided,omitzero"`
}

// A Question is what somebody wants to know.
type Question struct {
	ID       int64     `json:"id"`
	Incident int64     `json:"incident,omitzero"` // of which it is, when that is another one than asked for, which is part of it
	Text     string    `json:"text"`
	Person   string    `json:"person"`
	Role     string    `json:"role,omitempty"` // who is asked; empty is everybody
	At       time.Time `json:"at"`
	State    string    `json:"state"` // open, answered, withdrawn
	Answer   string    `json:"answer,omitempty"`
	By       string    `json:"by,omitempty"`
}

// A Handover is what one shift tells the next.
type Handover struct {
	ID       int64     `json:"id"`
	Incident int64     `json:"incident,omitzero"` // of which it is, when that is another one than asked for, which is part of it
	From     string    `json:"from"`
	To       string    `json:"to"`
	Roles    []string  `json:"roles,omitempty"`
	Text     string    `json:"text"`
	At       time.Time `json:"at"`
	Taken    time.Time `json:"taken,omitzero"`

	Withdrawn time.Time `json:"withdrawn,omitzero"`
	Why       string    `json:"why,omitempty"` // it was withdrawn
}

// An IncidentTask is something to be done that no playbook has.
type IncidentTask struct {
	ID       int64     `json:"id"`
	Incident int64     `json:"incident,omitzero"` // of which it is, when that is another one than asked for, which is part of it
	Entry    int64     `json:"entry"`             // of its newest version: what a change names as seen
	Title    string    `json:"title"`
	Role     string    `json:"role,omitempty"`
	Person   string    `json:"person,omitempty"`
	Due      time.Time `json:"due,omitzero"`
	State    string    `json:"state"` // open, done, dropped
	Said     string    `json:"said,omitempty"`
}

// An Attachment is evidence.
type Attachment struct {
	ID       int64     `json:"id"`
	Incident int64     `json:"incident,omitzero"` // of which it is, when that is another one than asked for, which is part of it
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	SHA256   string    `json:"sha256"`
	Bytes    int64     `json:"bytes"`
	Label    string    `json:"label"`
	Person   string    `json:"person"`
	From     string    `json:"from"`
	At       time.Time `json:"at"`
	Sound    bool      `json:"sound"` // its bytes were what was brought whenever somebody looked
	Chain    []Custody `json:"chain"`
}

// Custody is one link of the chain of an attachment.
type Custody struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // attachment.added, attachment.passed, attachment.read
	Person string    `json:"person"`
	From   string    `json:"from,omitempty"`
	To     string    `json:"to,omitempty"`
	Why    string    `json:"why,omitempty"`
	SHA256 string    `json:"sha256,omitempty"`
}

// A Cause is what an incident came from.
type Cause struct {
	Class string   `json:"class,omitempty" enum:",own-code,third-party,credentials,configuration,supplier,person"`
	Sum   string   `json:"sum,omitempty" maxLength:"10000" doc:"in sum"`
	Whys  []Ground `json:"whys,omitempty" maxItems:"9" doc:"each answers why the one before was so"`
	Bones []Ground `json:"bones,omitempty" maxItems:"60" doc:"of the fishbone, each with its branch"`
	Seen  int64    `json:"seen,omitempty" doc:"entry of the version that you looked at; 0 is none"`
}

// A Ground is one why, or one bone.
type Ground struct {
	Branch string    `json:"branch,omitempty" enum:",people,process,technology,supplier,configuration,environment"`
	Text   string    `json:"text" minLength:"1" maxLength:"10000"`
	Links  []RestsOn `json:"links,omitempty" maxItems:"20"`
}

// RestsOn names what a ground rests on.
type RestsOn struct {
	Kind string `json:"kind" enum:"lines,attachment,alert,file,commit,cve,cwe"`
	Ref  string `json:"ref" minLength:"1" maxLength:"1000"`
}

// Lessons are what was learnt.
type Lessons struct {
	Well    string `json:"well,omitempty" maxLength:"10000" doc:"what went well"`
	Badly   string `json:"badly,omitempty" maxLength:"10000" doc:"what went badly"`
	Follows string `json:"follows,omitempty" maxLength:"10000" doc:"what follows from it"`
	Seen    int64  `json:"seen,omitempty" doc:"entry of the version that you looked at; 0 is none"`
}

// A ReturnWatch looks for signs of a closed incident.
type ReturnWatch struct {
	Until time.Time `json:"until"`
	Count int       `json:"count"` // values that are looked for
	Signs int       `json:"signs"` // that came back
}

// A PlaybookRun is a playbook worked through in an incident.
type PlaybookRun struct {
	ID       int64      `json:"id"`
	Incident int64      `json:"incident,omitzero"` // of which it is, when that is another one than asked for, which is part of it
	Playbook string     `json:"playbook"`
	Revision string     `json:"revision"`
	Newer    bool       `json:"newer,omitempty"` // the plan has another revision now
	Stopped  bool       `json:"stopped,omitempty"`
	Over     bool       `json:"over,omitempty"`
	Waits    []string   `json:"waits"` // in sentences, what it waits for
	Steps    []StepIs   `json:"steps"`
	Answers  []AnswerIs `json:"answers"`
}

// A StepIs is where a step stands.
type StepIs struct {
	ID       string    `json:"id"`
	Phase    string    `json:"phase"`
	Role     string    `json:"role"`
	What     string    `json:"what"`
	State    string    `json:"state"` // waiting, ready, taken, done, skipped, denied, not needed
	Person   string    `json:"person,omitempty"`
	Due      time.Time `json:"due,omitzero"`
	Late     bool      `json:"late,omitempty"`
	Approval string    `json:"approval,omitempty"` // role that has to agree first
	Asks     []string  `json:"asks,omitempty"`
	Text     string    `json:"text,omitempty"` // what was found, or why
}

// An AnswerIs is what is said of a question.
type AnswerIs struct {
	Fact  string   `json:"fact"`
	Ask   string   `json:"ask"`
	Of    []string `json:"of,omitempty"` // the answers that are possible; none is any words
	Value string   `json:"value,omitempty"`
}

// A RelatedNumber is an incident that shares something with another.
type RelatedNumber struct {
	Incident int64    `json:"incident"`
	Shares   []string `json:"shares"` // address, account, session, file, technique
}

// A Numbered is what was numbered by an act.
type Numbered struct {
	ID int64 `json:"id"`
}

// A Work is something that a person has to do, wherever it is.
type Work struct {
	Incident int64     `json:"incident"`
	Title    string    `json:"title"` // of the incident
	What     string    `json:"what"`  // step, approval, task, question, handover
	ID       int64     `json:"id"`    // its number, or the run's of a step
	Step     string    `json:"step,omitempty"`
	Text     string    `json:"text"`
	Role     string    `json:"role,omitempty"`
	Due      time.Time `json:"due,omitzero"`
	Since    time.Time `json:"since"`
	Late     bool      `json:"late,omitempty"`
}

// Works are what a person has to do, what is late first.
type Works struct {
	Work []Work `json:"work"`
	All  int    `json:"all"`
}

// Work lists what a person has to do.
func (c *Client) Work(ctx context.Context, most int, person string) (out Works, err error) {
	return out, c.do(ctx, http.MethodGet, as(fmt.Sprintf("/v1/work?most=%d", most), person), nil, &out)
}

// Command returns what people wrote of an incident, and its runs of playbooks.
func (c *Client) Command(ctx context.Context, id int64, person string) (out Command, err error) {
	return out, c.do(ctx, http.MethodGet, as(fmt.Sprintf("/v1/incidents/%d/command", id), person), nil, &out)
}
