package ui

// A Tab is one page of an incident.
type Tab struct {
	Word, Href string
	Count      string // "3", or ""
	Current    bool
}

// Lead is how an incident is commanded, as one person sees it: part of IncidentView.
type Lead struct {
	Open       int   // how many of the longest of its lists are open
	More       Pager // through what is open, when it is more than a page
	Tabs       []Tab
	Label      Label
	Labels     []Fold // to set it
	Marks      Link   // to the labels of all things in it
	Statement  []Text // what is known, in the Commander's sentences; none while nobody wrote it
	StatedBy   string // "Anna Keller"
	Stated     Time
	State      []Fold   // the form that writes it, for who may
	Scope      string   // "Customers are affected"; "" while nobody said
	ScopeTone  string   // as of a State
	Ask        ScopeAsk // asks for it, while nobody said
	Steps      []StepCard
	Since      Since
	Waits      []string // what the incident waits for, when the reader has nothing to do
	Runs       []RunRow
	Begin      []Fold
	Watch      WatchRow // for the return of its attacker
	Lanes      []Lane
	Clocks     []Clock
	Decisions  []DecisionRow
	Questions  []QuestionRow
	Handovers  []HandoverRow
	Tasks      []TaskRow
	Deciding   []Fold // forms below the lists
	Asking     []Fold
	Handing    []Fold
	Tasking    []Fold
	Note       Form // of the timeline
	Filters    []Option
	FilterSays string // "12 of 140 lines"
}

// A WatchRow is the watch for the return of an incident; without Until there is none.
type WatchRow struct {
	Until Time
	Says  string // what is watched for, and what was seen
	Wrong string // why it is not watched for, or not for all of it; "" is nothing
	Folds []Fold // go on longer, end it
}

// A Suggestion is the severity that a playbook speaks for, with its criteria; without Action there is none.
type Suggestion struct {
	Severity, Is Severity // suggested, and now
	Book         string   // "Skimmer in the checkout"
	Says, IsSays string   // when it is so, by the playbook; may be empty
	Action, More string   // where it is taken, and where all criteria stand
	Fields       []Option // hidden
}

// A ScopeAsk asks whom the incident touches: a button for each answer.
type ScopeAsk struct {
	Action  string
	Answers []Option
}

// Since is what changed since the reader looked last.
type Since struct {
	Says   string // "12 changes since you looked, 8 min ago"; "" is nothing
	Groups []SinceGroup
	Seen   Form // "I have seen it"
}

// A SinceGroup is what changed of one kind, the newest first.
type SinceGroup struct {
	Word  string
	Lines []Moment
	More  string // "and 14 more"
}

// A StepCard is a step that the reader does next, or could.
type StepCard struct {
	Href   string
	What   string
	Why    string
	Done   string
	Role   string // "Security Analyst"
	State  State
	Due    Time
	Late   bool
	Button string // "Do this step", "Agree or refuse"
	Main   bool
	Next   bool
}

// A Lane is what one role does.
type Lane struct {
	Role   string
	Holder string // a name; "" is nobody
	Mine   bool
	Count  string // "3 of 9 done"
	Rows   []LaneStep
	More   string // "6 more wait"
}

// A LaneStep is a step in a lane.
type LaneStep struct {
	Href  string
	What  string
	Who   string // who does it, or did
	State State
	Due   Time
}

// A Clock runs: something must be done by then.
type Clock struct {
	What string
	Href string
	Who  string
	Due  Time
	Late bool
}

// A RunRow is a playbook that is worked through.
type RunRow struct {
	Title    string
	Href     string // of the playbook in the revision
	Says     string // "12 of 31 steps done"
	Revision string
	State    State
	Folds    []Fold // stop it, take it to another revision
}

// A DecisionRow is a question with options.
type DecisionRow struct {
	ID      string
	Text    Text
	Label   Label // when it is another than the incident's
	Mark    Link  // to its label, here and below
	State   State
	Asked   string // by whom
	At      Time
	Options []OptionRow
	Chosen  Text // what was decided
	By      string
	Made    Time
	Why     Text
	Note    string // "Decision 4 took its place."
	Folds   []Fold
	Choose  []Fold // the form that decides; open while it is to be decided
}

// An OptionRow is one way to decide.
type OptionRow struct {
	Text   Text
	Chosen bool
}

// A QuestionRow is what somebody wants to know.
type QuestionRow struct {
	ID       string
	Text     Text
	For      string // "Legal Advisor", "everybody"
	Label    Label
	Mark     Link
	Asked    string
	At       Time
	State    State
	Answer   Text
	By       string
	Answered Time
	Folds    []Fold
}

// A HandoverRow is the note from one shift to the next.
type HandoverRow struct {
	ID       string
	From, To string
	Roles    string
	Text     Text
	At       Time
	State    State
	Answer   Text
	Label    Label
	Mark     Link
	Gone     Text   // why it was withdrawn
	Take     []Form // the reader is the next shift
	Folds    []Fold // correct it, withdraw it
}

// A TaskRow is something to be done that no playbook has.
type TaskRow struct {
	ID       string
	Incident Link // where it is; empty on the incident's own page
	Severity Severity
	What     string // "Task", "Question", "Hand-over"
	Text     Text
	Who      string
	State    State
	Due      Time
	Late     bool
	Since    Time
	Result   Text
	Label    Label
	Mark     Link
	Href     string
	Done     []Form
	Folds    []Fold
}

// Tasks shows what somebody has to do in every incident. GET /tasks
var Tasks = page[TasksView]("tasks")

// TasksView is what Tasks shows.
type TasksView struct {
	Frame
	Steps []StepCard // of playbooks, with their incidents
	Rows  []TaskRow
	Late  string // "2 are late"; "" is none
	Pager Pager
}

// StepPage shows one step of a playbook at work. GET /incidents/{id}/steps/{run}/{step}; posts go below it to take, leave, done, skip, reopen,
// approve, deny.
var StepPage = page[StepView]("step")

// StepView is what StepPage shows.
type StepView struct {
	Frame
	ID       string // of the incident
	Severity Severity
	Incident string // its title
	Book     Link
	Place    string // "Step 4 of 31 · Short-term containment"
	Role     string
	Holder   string
	State    State
	Due      Time
	Late     bool
	Doer     string // who does it, or settled it
	At       Time
	What     string
	Why      string
	How      []Para
	Done     string
	Waits    []Link    // steps that it waits for
	Action   ActionRow // what the program does for it
	Evidence []EvidenceRow
	Asks     []AnswerRow // questions with their answers, when it is settled or not the reader's turn
	Agree    string      // "The Incident Commander must agree before it is done."
	Next     string      // what the reader does now
	Main     []Form      // one at most, with the main button
	Folds    []Fold
	Result   Text
	Moments  []Moment
	Onward   Link // the next step of the reader, once this is settled
}

// An ActionRow is what the program can do for a step.
type ActionRow struct {
	Says string // "Opens the war room."; "" is nothing
	Hand string // "By hand: this program cannot do it yet."
	Link Link
}

// An EvidenceRow is a piece of evidence that a step expects, by name.
type EvidenceRow struct {
	Name  string
	State State
	Files []Link
}

// An AnswerRow is a question of a playbook with its answer.
type AnswerRow struct {
	Ask    string
	Answer Text
	By     string
	At     Time
}

// Hand is the state beside an action that is done by hand.
func (v StepView) Hand() State { return State{"late", "By hand"} }
