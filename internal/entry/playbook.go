package entry

import "time"

// Kinds of playbooks and of what is done by them. Their texts lie in the vault: here stand names, choices and times.
const (
	PlaybookPut     Kind = "playbook.put"     // Playbook
	PlaybookRetired Kind = "playbook.retired" // PlaybookEnd

	RunBegun   Kind = "run.begun"   // Run
	RunMoved   Kind = "run.moved"   // RunMove
	RunStopped Kind = "run.stopped" // RunEnd

	StepTaken    Kind = "step.taken"    // StepWork
	StepLeft     Kind = "step.left"     // StepWork: who had taken it does it no more
	StepDone     Kind = "step.done"     // StepResult
	StepSkipped  Kind = "step.skipped"  // StepWork
	StepReopened Kind = "step.reopened" // StepWork
	StepApproved Kind = "step.approved" // StepWork
	StepDenied   Kind = "step.denied"   // StepWork
	StepLate     Kind = "step.late"     // StepOverdue

	FactAnswered Kind = "fact.answered" // Fact
)

// Playbook is a revision of a playbook, as from now on.
type Playbook struct {
	ID       string `json:"id"`
	Revision string `json:"revision"` // SHA-256 of its bytes, in hex
	Vault    string `json:"vault"`    // the bytes
	Before   string `json:"before,omitempty"`
	From     string `json:"from"`           // shipped, console, file, cacao
	Text     string `json:"text,omitempty"` // vault object: why it was changed
	By       string `json:"by,omitempty"`   // who wrote the change
	Approver string `json:"approver,omitempty"`
}

// PlaybookEnd says that a playbook is not begun any more. Runs of it go on.
type PlaybookEnd struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Run is a playbook that is worked through in an incident.
type Run struct {
	ID       int64  `json:"id"`
	Incident int64  `json:"incident"`
	Playbook string `json:"playbook"`
	Revision string `json:"revision"`
	Why      string `json:"why,omitempty"` // proposed, chosen
}

// RunMove takes a run to another revision.
type RunMove struct {
	ID   int64  `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text"` // vault object: why
}

// RunEnd stops a run: it was the wrong playbook.
type RunEnd struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
}

// StepWork is something that a person did with a step.
type StepWork struct {
	Run    int64  `json:"run"`
	Step   string `json:"step"`
	Person string `json:"person"`
	Role   string `json:"role,omitempty"` // of approvals: for which role
	Text   string `json:"text,omitempty"` // vault object: why
	Via    string `json:"via,omitempty"`  // of taken and approved: their session or token
}

// StepResult is a step that is done.
type StepResult struct {
	Run      int64    `json:"run"`
	Step     string   `json:"step"`
	Person   string   `json:"person"`
	Answers  []Fact   `json:"answers,omitempty"`
	Evidence []string `json:"evidence,omitempty"` // ids of attachments
	Text     string   `json:"text,omitempty"`     // vault object: what was found
}

// StepOverdue says that a step was not done in its time, and who is rung for it.
type StepOverdue struct {
	Run  int64     `json:"run"`
	Step string    `json:"step"`
	Due  time.Time `json:"due"`
	Role string    `json:"role"`
}

// Fact is the answer to a question. One about the whole incident has no run.
type Fact struct {
	Incident int64  `json:"incident,omitempty"` // of a fact that stands alone
	Run      int64  `json:"run,omitempty"`
	Fact     string `json:"fact"`
	Value    string `json:"value,omitempty"` // one of its answers
	Text     string `json:"text,omitempty"`  // vault object: an answer in words
	Person   string `json:"person,omitempty"`
	Why      string `json:"why,omitempty"` // vault object: why it is another one now
}
