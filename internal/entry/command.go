package entry

import "time"

// Kinds of how an incident is commanded: what is known, decided, asked, handed over, to be done, found and kept. Every text lies in the
// vault. What is numbered counts from 1 in its incident.
const (
	IncidentStated   Kind = "incident.stated"   // Statement
	IncidentLabelled Kind = "incident.labelled" // Label
	IncidentMerged   Kind = "incident.merged"   // Merge
	IncidentUnmerged Kind = "incident.unmerged" // Merge
	CausePut         Kind = "cause.put"         // Cause
	LessonsPut       Kind = "lessons.put"       // Lessons

	DecisionAsked     Kind = "decision.asked"     // Decision
	DecisionMade      Kind = "decision.made"      // Choice
	DecisionWithdrawn Kind = "decision.withdrawn" // Reply

	QuestionAsked     Kind = "question.asked"     // Question
	QuestionAnswered  Kind = "question.answered"  // Reply
	QuestionWithdrawn Kind = "question.withdrawn" // Reply

	HandoverGiven Kind = "handover.given" // Handover
	HandoverTaken Kind = "handover.taken" // Reply

	HandoverWithdrawn Kind = "handover.withdrawn" // Reply: it need not be taken any more; why

	TaskAdded    Kind = "task.added"    // Task
	TaskChanged  Kind = "task.changed"  // Task, with all that holds from then on
	TaskDone     Kind = "task.done"     // Reply
	TaskDropped  Kind = "task.dropped"  // Reply
	TaskReminded Kind = "task.reminded" // Reminder

	NoteEdited Kind = "note.edited" // NoteEdit
	NotePinned Kind = "note.pinned" // NotePin

	AttachmentAdded  Kind = "attachment.added"  // File
	AttachmentPassed Kind = "attachment.passed" // FilePass
	AttachmentRead   Kind = "attachment.read"   // FileRead
)

// Statement is what is known of an incident, in at most three sentences, as from now on.
type Statement struct {
	Incident int64  `json:"incident"`
	Text     string `json:"text"`
	Before   int64  `json:"before,omitempty"` // number of the entry whose place it takes
}

// Label says to whom an incident, or one thing in it, may be told (TLP 2.0), as from now on.
type Label struct {
	Incident int64  `json:"incident"`
	What     string `json:"what,omitempty"` // "" is the incident; note:12 (an entry), attachment:3, decision:1, task:2, statement, cause, lessons, affected
	Label    string `json:"label"`          // CLEAR, GREEN, AMBER, AMBER+STRICT, RED; "" takes the thing's own away
	Text     string `json:"text,omitempty"` // why
}

// Merge makes an incident part of another, or takes it out again. Nothing of either moves.
type Merge struct {
	Incident int64  `json:"incident"`
	Into     int64  `json:"into"`
	Text     string `json:"text"` // why
}

// Cause is what an incident came from, as far as it is known, as from now on.
type Cause struct {
	Incident int64    `json:"incident"`
	Class    string   `json:"class,omitempty"` // own-code, third-party, credentials, configuration, supplier, person
	Whys     []Reason `json:"whys,omitempty"`  // in order: each answers why the one before was so
	Bones    []Reason `json:"bones,omitempty"` // of the fishbone, each with its branch
	Text     string   `json:"text,omitempty"`  // in sum
	Before   int64    `json:"before,omitempty"`
}

// Reason is one why, or one bone of a fishbone.
type Reason struct {
	Branch string `json:"branch,omitempty"` // people, process, technology, supplier, configuration, environment
	Text   string `json:"text"`
	Links  []Link `json:"links,omitempty"`
}

// Link names what a reason rests on.
type Link struct {
	Kind string `json:"kind"` // lines, attachment, alert, file, commit, cve, cwe
	Ref  string `json:"ref"`  // number of the entry that attached the lines; number of the attachment; alert's id; vault object with a path; id
}

// Lessons is what was learnt from an incident, as from now on.
type Lessons struct {
	Incident int64  `json:"incident"`
	Well     string `json:"well,omitempty"`  // what went well
	Badly    string `json:"badly,omitempty"` // what went badly
	Text     string `json:"text,omitempty"`  // what follows from it
	Before   int64  `json:"before,omitempty"`
}

// Decision is a question that somebody must decide.
type Decision struct {
	Incident int64    `json:"incident"`
	ID       int64    `json:"id"`
	Text     string   `json:"text"`
	Options  []string `json:"options"`            // vault objects
	Replaces int64    `json:"replaces,omitempty"` // the decision whose place this one takes, once it is made
}

// Choice decides it.
type Choice struct {
	Incident int64  `json:"incident"`
	ID       int64  `json:"id"`
	Option   int    `json:"option"` // from 1
	Person   string `json:"person"`
	Text     string `json:"text"` // why
}

// Question is something that somebody wants to know.
type Question struct {
	Incident int64  `json:"incident"`
	ID       int64  `json:"id"`
	Text     string `json:"text"`
	Person   string `json:"person"`         // who asks
	Role     string `json:"role,omitempty"` // who is asked; "" is everybody
}

// Reply ends something that was numbered: an answer, a result or a reason, by its kind.
type Reply struct {
	Incident int64  `json:"incident"`
	ID       int64  `json:"id"`
	Person   string `json:"person"`
	Text     string `json:"text,omitempty"`
}

// Handover is what one shift tells the next.
type Handover struct {
	Incident int64    `json:"incident"`
	ID       int64    `json:"id"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Roles    []string `json:"roles,omitempty"` // that go over once it is taken
	Text     string   `json:"text"`
}

// Task is something to be done that no playbook has.
type Task struct {
	Incident int64     `json:"incident"`
	ID       int64     `json:"id"`
	Title    string    `json:"title"`            // vault object
	Role     string    `json:"role,omitempty"`   // one of Role and Person
	Person   string    `json:"person,omitempty"` //
	Due      time.Time `json:"due,omitzero"`
	Text     string    `json:"text,omitempty"` // of a change: why
}

// Reminder says that whoever has a task was reminded of it.
type Reminder struct {
	Incident int64     `json:"incident"`
	ID       int64     `json:"id"`
	Stage    string    `json:"stage"` // soon, due, again
	Due      time.Time `json:"due"`   // as it was then
}

// NoteEdit gives a note another text or time. What it said before stays.
type NoteEdit struct {
	Incident int64     `json:"incident"`
	Note     int64     `json:"note"` // number of its entry
	Text     string    `json:"text"`
	Happened time.Time `json:"happened,omitzero"`
	Role     string    `json:"role,omitempty"`
	Before   int64     `json:"before"` // number of the entry with what it said so far
	Person   string    `json:"person"`
}

// NotePin pins a line of the timeline, or takes the pin out.
type NotePin struct {
	Incident int64  `json:"incident"`
	Note     int64  `json:"note"` // number of its entry
	Off      bool   `json:"off,omitempty"`
	Person   string `json:"person"`
}

// File is something that was brought to an incident as evidence. It is never replaced.
type File struct {
	Incident int64  `json:"incident"`
	ID       int64  `json:"id"`
	SHA256   string `json:"sha256"` // of its bytes, in hex
	Bytes    int64  `json:"bytes"`
	Vault    string `json:"vault"` // the bytes
	Name     string `json:"name"`  // vault object
	Kind     string `json:"kind"`  // log, image, document, mail, code, archive, memory, other
	Label    string `json:"label,omitempty"`
	Person   string `json:"person"` // who brought it
	From     string `json:"from"`   // vault object: where it is from
	Why      string `json:"why,omitempty"`
}

// FilePass says that an attachment, or a copy of it, went to somebody.
type FilePass struct {
	Incident int64  `json:"incident"`
	ID       int64  `json:"id"`
	Person   string `json:"person"` // who gave it
	From     string `json:"from,omitempty"`
	To       string `json:"to"` // vault objects: from where, to whom, why
	Why      string `json:"why"`
}

// FileRead says that somebody looked at an attachment, and what its bytes were found to be then.
type FileRead struct {
	Incident int64  `json:"incident"`
	ID       int64  `json:"id"`
	Person   string `json:"person"`
	SHA256   string `json:"sha256,omitempty"` // as found, in hex; "" could not be read
	Why      string `json:"why,omitempty"`
}
