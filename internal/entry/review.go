package entry

import "time"

// Kinds of what follows an incident: its internal review, the measures that come of it, the watch for its return, and the review of the plan.
// What people wrote lies in the vault: here stand ids, staff, times and hashes.
const (
	ReviewCalled Kind = "review.called" // ReviewCall
	ReviewHeld   Kind = "review.held"   // ReviewMeeting

	MeasurePut      Kind = "measure.put"      // Measure
	MeasureLinked   Kind = "measure.linked"   // MeasureLink
	MeasureDone     Kind = "measure.done"     // MeasureStep
	MeasureVerified Kind = "measure.verified" // MeasureStep: by another person than the owner
	MeasureReopened Kind = "measure.reopened" // MeasureStep
	MeasureDropped  Kind = "measure.dropped"  // MeasureStep

	PartPut      Kind = "part.put"      // PlanPart
	PartAsked    Kind = "part.asked"    // PartAsk
	PartRead     Kind = "part.read"     // PartReading
	PartApproved Kind = "part.approved" // PartVerdict
	PartRefused  Kind = "part.refused"  // PartVerdict

	ThreatsSeen      Kind = "threats.seen"      // Threats
	ArchitectureSeen Kind = "architecture.seen" // Architecture

	ReminderWanted Kind = "reminder.wanted" // ReminderTry
	ReminderSent   Kind = "reminder.sent"   // NoticeResult, of which ID is 0
	ReminderFailed Kind = "reminder.failed" // NoticeResult, of which ID is 0

	RecurrenceBegun    Kind = "recurrence.begun"    // Recurrence
	RecurrenceExtended Kind = "recurrence.extended" // RecurrenceEnd
	RecurrenceEnded    Kind = "recurrence.ended"    // RecurrenceEnd
	RecurrenceHit      Kind = "recurrence.hit"      // RecurrenceSign
)

// ReviewCall says when the internal review of an incident is to be held. Once more, it is moved.
type ReviewCall struct {
	Incident int64     `json:"incident"`
	At       time.Time `json:"at"`
	Chair    string    `json:"chair"` // staff id
	Invited  []string  `json:"invited,omitempty"`
	Agenda   string    `json:"agenda"` // vault object
	Hash     string    `json:"hash"`   // keyed hash of that object
}

// ReviewMeeting is an internal review that took place. A further one of the same incident stands beside it.
type ReviewMeeting struct {
	Incident  int64     `json:"incident"`
	At        time.Time `json:"at"`
	Attendees []string  `json:"attendees"`
	Minutes   string    `json:"minutes"` // vault object
	Hash      string    `json:"hash"`    // keyed hash of that object
}

// Measure is what is done so that a gap is closed, as from now on.
type Measure struct {
	ID       int64         `json:"id"`
	Incident int64         `json:"incident,omitempty"` // whose review found the gap; 0 is none, as after a drill or a review of the plan
	Text     string        `json:"text"`               // vault object: the gap, what is done, and how it will be verified
	Hash     string        `json:"hash"`               // keyed hash of that object
	Owner    string        `json:"owner"`
	Due      time.Time     `json:"due"`
	Remind   time.Duration `json:"remind_ns,omitempty"` // before it is due
	Why      string        `json:"why,omitempty"`       // vault object: why it is another one now
}

// MeasureLink says by which change of the plan or the rules a measure was carried out.
type MeasureLink struct {
	ID       int64  `json:"id"`
	Kind     string `json:"kind"`               // playbook, rule
	Ref      string `json:"ref"`                // id of it
	Revision string `json:"revision,omitempty"` // of a playbook
}

// MeasureStep is what a person said of a measure. Who it was is the entry's actor too.
type MeasureStep struct {
	ID     int64  `json:"id"`
	Person string `json:"person"`
	Text   string `json:"text,omitempty"` // vault object: what was done, how it was verified, or why
}

// PlanPart is a part of the plan that somebody keeps right, as from now on.
type PlanPart struct {
	ID    string `json:"id"`             // playbook:skimmer, roles, contacts, letters, schedules, rules, glossary
	Owner string `json:"owner"`          // staff id
	Days  int    `json:"days,omitempty"` // from review to review; 0 is 91, a quarter
	Gone  bool   `json:"gone,omitempty"`
}

// PartAsk wants parts of the plan reviewed earlier than their time.
type PartAsk struct {
	Parts []string  `json:"parts"`
	Cause string    `json:"cause"`          // architecture, threat, person
	Refs  []string  `json:"refs,omitempty"` // ids of rules, hosts, or a measure
	Due   time.Time `json:"due"`
	Text  string    `json:"text,omitempty"` // vault object: why
}

// PartReading says that a person read sections of a part, and saw what had changed since it was last approved.
type PartReading struct {
	ID       string   `json:"id"`
	Revision string   `json:"revision"`          // SHA-256 of what was read, in hex
	Against  string   `json:"against,omitempty"` // the approved one that it was compared with; "" of the first
	Sections []string `json:"sections"`          // that were ticked
	All      int      `json:"all"`               // how many sections it has
	Person   string   `json:"person"`
	Vault    string   `json:"vault,omitempty"` // vault object: keyed hashes of the sections by name, so that the next review sees what changed
}

// PartVerdict ends a review: another person than the reader approves of a part, or does not.
type PartVerdict struct {
	ID       string `json:"id"`
	Revision string `json:"revision"`
	Person   string `json:"person"`
	Text     string `json:"text,omitempty"`  // vault object: why not
	Alone    bool   `json:"alone,omitempty"` // nobody else on the team could: who read it approved of it
}

// Threats are rules that were not there before.
type Threats struct {
	Rules []string `json:"rules"`           // ids
	First bool     `json:"first,omitempty"` // of a new folder: none of them is news
	Parts []string `json:"parts,omitempty"` // of the plan, that they concern
}

// Architecture is what a host is made of, as far as the plan depends on it.
type Architecture struct {
	Host    string            `json:"host"`              // id of its agent
	Facts   map[string]string `json:"facts,omitempty"`   // name to keyed hash of its value; none: the host is gone
	Changed []string          `json:"changed,omitempty"` // names; "host" is the whole of it; none at first
}

// ReminderTry is the intent to remind a person, written before the act.
type ReminderTry struct {
	Try     int       `json:"try"`   // from 1, over all
	About   string    `json:"about"` // part:roles, measure:3, review:4, meeting:4
	Due     time.Time `json:"due"`   // of what is reminded of
	Step    string    `json:"step"`  // invited, before, owner, again, commander, administrators, verify
	Person  string    `json:"person"`
	Channel string    `json:"channel"`
	Message string    `json:"message"`         // Message-ID, the same in every repeat of this try
	Again   int       `json:"again,omitempty"` // the failed try that this one repeats
	Twice   bool      `json:"twice,omitempty"` // the repeated one may have reached its goal all the same
}

// Recurrence begins a watch for the return of an incident.
type Recurrence struct {
	ID       int64     `json:"id"`
	Incident int64     `json:"incident"`
	Vault    string    `json:"vault"` // the values, as JSON
	Count    int       `json:"count"`
	Left     int       `json:"left,omitempty"` // values that are not watched: our own, shared, victims, too many
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
}

// RecurrenceEnd moves the end of a watch, or ends it now.
type RecurrenceEnd struct {
	ID    int64     `json:"id"`
	Until time.Time `json:"until,omitzero"`
	Text  string    `json:"text"` // vault object: why
}

// RecurrenceSign says that what is watched for came back.
type RecurrenceSign struct {
	ID    int64     `json:"id"`
	Kind  string    `json:"kind"`  // of the value: address, hash, path, account
	Value string    `json:"value"` // keyed hash of it
	Vault string    `json:"vault"` // vault object: the value and the line
	At    time.Time `json:"at"`    // of the line
	Alert string    `json:"alert,omitempty"`
}
