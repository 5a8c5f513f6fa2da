package api

import (
	"fmt"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/playbook"
)

// What requests say.
type (
	beginning struct {
		Playbook string `json:"playbook" minLength:"1" maxLength:"100" doc:"its id"`
	}
	ofRunWith[B any] struct {
		ID   int64 `path:"id" minimum:"1" doc:"its number"`
		Run  int64 `path:"run" minimum:"1" doc:"number of the run"`
		Body B
	}
	running struct {
		Do       string `json:"do" enum:"move,switch,stop" doc:"move it to another revision, begin another playbook in its place, or stop it"`
		Revision string `json:"revision,omitempty" maxLength:"64" doc:"of move; empty is the current one"`
		Playbook string `json:"playbook,omitempty" maxLength:"100" doc:"of switch: its id"`
		Why      string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	ofStep struct {
		ID   int64  `path:"id" minimum:"1" doc:"its number"`
		Run  int64  `path:"run" minimum:"1" doc:"number of the run"`
		Step string `path:"step" maxLength:"100" doc:"id of the step"`
		Body stepping
	}
	stepping struct {
		Do       string            `json:"do" enum:"take,leave,done,skip,reopen,approve,deny"`
		From     string            `json:"from,omitempty" maxLength:"100" doc:"of take: who does it as far as is known; empty is nobody. If it is another meanwhile, it is refused"`
		Found    string            `json:"found,omitempty" maxLength:"10000" doc:"of done: what was found"`
		Answers  map[string]string `json:"answers,omitempty" doc:"of done: of the questions that the step asks, one of their answers or words"`
		Evidence []string          `json:"evidence,omitempty" maxItems:"100" doc:"of done: numbers of attachments; 4/2 is number 2 of incident 4, which is one with it"`
		Without  string            `json:"without,omitempty" maxLength:"2000" doc:"of done: why it is done without evidence that the step expects"`
		Why      string            `json:"why,omitempty" maxLength:"10000" doc:"of leave, skip, reopen, deny: the reason"`
	}
	answering struct {
		Fact  string `json:"fact" minLength:"1" maxLength:"100"`
		Value string `json:"value" minLength:"1" maxLength:"10000"`
		Why   string `json:"why,omitempty" maxLength:"10000" doc:"why it is another answer now"`
	}
)

// runOperations are playbooks worked through in an incident.
func runOperations(t *table) {
	o := get("/incidents/{id}/playbooks", "suggestPlaybooks", "Name the playbooks that fit an incident, the best first")
	o.need = auth.See
	add(t, o, func(a ask, in *numbered) ([]string, error) {
		return append([]string{}, a.desk.SuggestedPlaybooks(a.actor, in.ID)...), nil
	})
	o = post("/incidents/{id}/runs", "beginRun", "Begin to work an incident through by a playbook")
	o.need = auth.Handle
	add(t, o, func(a ask, in *numberedWith[beginning]) (client.Numbered, error) {
		run, err := a.desk.BeginRun(a.actor, in.ID, in.Body.Playbook)
		return client.Numbered{ID: run}, err
	})
	o = post("/incidents/{id}/runs/{run}", "changeRun", "Move a run to another revision, switch its playbook, or stop it")
	o.need = auth.Handle
	add(t, o, func(a ask, in *ofRunWith[running]) (client.Numbered, error) {
		if err := a.runOf(in.ID, in.Run); err != nil {
			return client.Numbered{}, err
		}
		out, err := client.Numbered{ID: in.Run}, error(nil)
		switch x := in.Body; x.Do {
		case "move":
			err = a.desk.MoveRun(a.actor, in.Run, x.Revision, x.Why)
		case "switch":
			out.ID, err = a.desk.SwitchRun(a.actor, in.Run, x.Playbook, x.Why)
		default:
			err = a.desk.StopRun(a.actor, in.Run, x.Why)
		}
		return out, err
	})
	o = post("/incidents/{id}/runs/{run}/steps/{step}", "workStep", "Take, finish, skip, agree to, or open again a step")
	o.need, o.about = auth.Note, "To agree to a step, or not, needs the role that the playbook names. A token cannot: a program is no person who looks."
	act(t, o, func(a ask, in *ofStep) error {
		if err := a.runOf(in.ID, in.Run); err != nil {
			return err
		}
		switch x := in.Body; x.Do {
		case "take":
			return a.desk.TakeStep(a.actor, in.Run, in.Step, x.From)
		case "leave":
			return a.desk.LeaveStep(a.actor, in.Run, in.Step, x.Why)
		case "done":
			return a.desk.FinishStep(a.actor, desk.StepDone{Run: in.Run, Step: in.Step, Found: x.Found, Answers: x.Answers, Evidence: x.Evidence, Without: x.Without})
		case "skip":
			return a.desk.SkipStep(a.actor, in.Run, in.Step, x.Why)
		case "reopen":
			return a.desk.ReopenStep(a.actor, in.Run, in.Step, x.Why)
		case "approve":
			return a.desk.ApproveStep(a.actor, in.Run, in.Step)
		default:
			return a.desk.DenyStep(a.actor, in.Run, in.Step, x.Why)
		}
	})
	o = post("/incidents/{id}/runs/{run}/facts", "answerFact", "Answer a question of a run, or correct an answer")
	o.need = auth.Note
	act(t, o, func(a ask, in *ofRunWith[answering]) error {
		if err := a.runOf(in.ID, in.Run); err != nil {
			return err
		}
		return a.desk.AnswerFact(a.actor, in.Run, in.Body.Fact, in.Body.Value, in.Body.Why)
	})
}

// runOf checks that a run is of the incident that the path names: by that one it was decided who may.
func (a ask) runOf(id, run int64) (err error) {
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		r, e := s.Runs.Get(run)
		if err = e; err == nil && r.Incident != id {
			err = fmt.Errorf("%w %d in incident %d", playbook.ErrNoRun, run, id)
		}
	})
	return err
}
