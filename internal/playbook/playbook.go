// Package playbook is the part of the plan that runs: what to do in which kind of emergency, step by step, each step for a role. It reads
// playbooks (doc/playbooks.md), says what is wrong with them, and decides and folds runs of them within incidents.
//
//	file -> Read: *Playbook, findings with their places -> Check: what can never be done -> playbook.put in the ledger (its bytes in the vault)
//	run.begun, step.taken, step.done, fact.answered, ... -> Runs.Apply -> Run.Look(now): where each step stands, and since when
//
// Where a step stands is computed from what was written and never stored: an answer that is corrected later changes which steps are needed,
// and none is lost. What was done stays done.
//
// Phases are those of the written plan, which divides the containment of NIST SP 800-61r2 in two.
package playbook

import (
	"slices"
	"time"
)

// The phases, in their order.
const (
	Identification = "identification"
	Short          = "short-term-containment"
	Long           = "long-term-containment"
	Eradication    = "eradication"
	Recovery       = "recovery"
	Lessons        = "lessons"
)

// Phases lists them.
func Phases() []string {
	return []string{Identification, Short, Long, Eradication, Recovery, Lessons}
}

// PhaseWord is what a phase is called on screens.
func PhaseWord(phase string) string {
	switch phase {
	case Identification:
		return "Detection and identification"
	case Short:
		return "Short-term containment"
	case Long:
		return "Long-term containment"
	case Eradication:
		return "Eradication"
	case Recovery:
		return "Recovery"
	case Lessons:
		return "Lessons learned"
	}
	return phase
}

// IncidentPhase is the phase of the incident (package incident) while a phase of a playbook is worked on.
func IncidentPhase(phase string) string {
	if phase == Short || phase == Long {
		return "containment"
	}
	return phase
}

// Roles are those that a step can belong to, in the order of screens.
func Roles() []string {
	return []string{"commander", "engineer", "analyst", "legal", "communications"}
}

// Severities are the values of the fact severity, from the least to the worst.
func Severities() []string { return []string{"low", "medium", "high", "critical"} }

// Facts that every playbook knows. Severity is the incident's; the others are answered like those that a playbook asks.
const (
	Severity = "severity"
	Affected = "affected" // whom it touches: site-only, customers, unknown
	Verdict  = "verdict"  // of the alarm: real, false-alarm, unknown
)

// builtIn are the facts that a playbook need not name.
func builtIn() []Fact {
	return []Fact{
		{ID: Severity, Ask: "How severe is it?", Of: Severities()},
		{ID: Affected, Ask: "Does it touch the site only, or customers too?", Of: []string{"site-only", "customers", "unknown"}},
		{ID: Verdict, Ask: "Is it a real attack or a false alarm?", Of: []string{"real", "false-alarm", "unknown"}},
	}
}

// A Playbook is what to do in one kind of emergency. It is not changed after it was read.
type Playbook struct {
	ID       string // small letters, digits and "-"
	Title    string
	Summary  string
	Signs    []string // how people recognise it
	Suggest  Suggest
	Owner    string            // role that keeps it right
	Review   int               // days from one review to the next
	Severity string            // that an incident of it has at first; "" leaves it
	Criteria map[string]string // of each severity, for this kind
	Facts    []Fact            // that it asks, without those that every playbook knows
	Ends     Condition         // when it holds, what is not settled is not needed any more; never when it is the one that always holds
	Phases   []Phase
	Steps    []*Step // all of them, as written
	Foreign  *Foreign

	place map[string][2]int // line and column of what a finding may be about: "step look", "fact backup", ...
}

// Foreign is the file of another format that a playbook was made of, kept so that what this format has no place for is not lost (package cacao).
type Foreign struct {
	Source string // JSON, at most MaxSource bytes
	Mapped string // SHA-256, in hex, of what Own printed when it was made: whoever changed the playbook since changed this
}

// Suggest says of which incidents a playbook is proposed.
type Suggest struct {
	Techniques []string // of ATT&CK, as rules name them: attack.t1059.007
	Rules      []string // ids
	Titles     []string // words that an incident's title holds, in small letters
}

// A Fact is a question whose answer conditions read.
type Fact struct {
	ID  string
	Ask string
	Of  []string // the answers that are possible; none is any text, which conditions cannot read
}

// A Phase is a part of a playbook.
type Phase struct {
	Name  string
	Nodes []Node
}

// A Node is a step, or branches that are worked on at the same time.
type Node struct {
	Step     *Step
	Together []Branch
}

// A Branch is steps one behind the other, beside others.
type Branch struct {
	Name  string
	Nodes []Node
}

// A Step is one thing that a person does.
type Step struct {
	ID       string
	Role     string
	What     string // one line, as one says it to a person
	Why      string
	How      string
	Done     string // by what one sees that it is done
	If       Condition
	Asks     []string // facts that must be answered to be done
	After    []string // ids: in place of the order in which steps are written
	Early    bool     // After is given, and may be empty: ready from the start
	Within   time.Duration
	Approve  string   // role of which another person must agree before it is done
	Action   *Action  // what the program can do for it
	Evidence []string // what is to be attached, by name
	Always   bool     // needed even when the run has ended

	Phase    string
	Branches []string // names of the branches that it stands in, from the outside
	Before   []int    // places in Playbook.Steps of those that it waits for
}

// An Action is something that the program does.
type Action struct {
	Do   string
	With map[string]string
}

// Step returns the step of an id, nil when there is none.
func (p *Playbook) Step(id string) *Step {
	if i := p.index(id); i >= 0 {
		return p.Steps[i]
	}
	return nil
}

func (p *Playbook) index(id string) int {
	return slices.IndexFunc(p.Steps, func(s *Step) bool { return s.ID == id })
}

// Fact returns a fact that it asks or that every playbook knows.
func (p *Playbook) Fact(id string) (Fact, bool) {
	for _, f := range slices.Concat(builtIn(), p.Facts) {
		if f.ID == id {
			return f, true
		}
	}
	return Fact{}, false
}
