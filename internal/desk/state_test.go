package desk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// The fold of the ledger is the live state, after whatever people and logs did.
func FuzzReplayIsLive(f *testing.F) {
	for seed := range uint64(6) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			h.o.Plan = firePlan()
			d, stop := h.start()
			h.team(d)
			chance := rand.New(rand.NewPCG(seed, 1))
			for range 60 {
				h.something(d, chance)
				if chance.IntN(4) == 0 {
					time.Sleep(time.Duration(chance.IntN(600)) * time.Second)
				}
				synctest.Wait()
			}
			live := worded(t, d)
			stop()
			d, stop = h.start()
			defer stop()
			folded := newState()
			folded.Runs.Text = d.readRevision
			for e, err := range d.ledger.Entries(1) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == entry.ProgramStarted && e.N > 2 {
					break // of the second start
				}
				if err := folded.apply(e); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(live, wordedState(t, folded)); diff != "" {
				t.Errorf("seed %d: live and replayed differ:\n%s", seed, diff)
			}
		})
	})
}

// something does one thing that people or logs do; what is refused is refused.
func (h *house) something(d *Desk, chance *rand.Rand) {
	actor := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander, plan.Analyst}}
	id := int64(chance.IntN(4) + 1)
	address := fmt.Sprintf("198.51.%d.7", chance.IntN(5))
	var err error
	switch chance.IntN(32) {
	case 0, 1, 2:
		h.feed(d, request(time.Now(), address, []string{"/evil", "/odd", "/fine"}[chance.IntN(3)]))
	case 3:
		err = d.SetSeverity(actor, id, incident.Severities()[chance.IntN(4)], "because")
	case 4:
		err = d.Note(actor, id, "a note", time.Time{})
	case 5:
		err = d.Finish(actor, id, []string{"true", "false"}[chance.IntN(2)], "done", "an excuse")
	case 6:
		err = d.Reopen(actor, id, "not done")
	case 7:
		err = d.Assign(actor, id, []string{"anna", "boris", ""}[chance.IntN(3)])
	case 8:
		err = d.SetPhase(actor, id, incident.Phases()[chance.IntN(len(incident.Phases()))])
	case 9:
		err = d.Answer(actor, id, "console")
	case 10:
		err = d.AddMute(actor, evilRule, address, "tested", time.Now().Add(time.Hour))
	case 11:
		err = d.RemoveMute(actor, id)
	case 12:
		err = d.RingNow(actor, "boris", plan.Mail)
	case 13:
		err = d.SetPolicy(actor, plan.DefaultPolicy())
	case 14:
		err = d.PutPerson(actor, "carla", []string{plan.Legal}, Contact{Name: "Carla", Mail: "carla@shop.example"}, chance.IntN(2) == 0)
	case 15:
		err = d.PassOn(actor, id, "voice")
	case 16:
		err = d.Snooze(actor, id, "link", time.Duration(chance.IntN(30)+1)*time.Minute)
	case 17:
		err = d.BarChannels(actor, id, [][]string{{plan.Mail}, {plan.Webhook, "chat"}, nil}[chance.IntN(3)], "because")
	case 18:
		err = d.Maintain(actor, entry.Maintenance{From: time.Now(), Until: time.Now().Add(time.Hour), Severities: []string{"high"}}, "a new database")
	case 19:
		err = d.EndMaintenance(actor, id)
	case 20:
		err = d.SetWays(actor, entry.Ways{ID: "boris", Rules: []entry.Way{{Channel: plan.Webhook, After: time.Duration(chance.IntN(9)) * time.Minute}}, Quiet: &entry.Hours{From: "22:00", Until: "07:00"}})
	case 21:
		p := plan.DefaultPolicy()
		p.ID, p.Steps[0].Answers = "night", chance.IntN(3)
		if err = d.SetPolicy(actor, p); err == nil {
			err = d.ChoosePolicies(actor, map[string]string{"high": []string{"night", ""}[chance.IntN(2)]})
		}
	default:
		err = h.commanding(d, actor, id, chance)
	}
	if err != nil {
		h.t.Logf("refused: %v", err)
	}
}

// commanding does one thing of those by which an incident is commanded.
func (h *house) commanding(d *Desk, actor auth.Actor, id int64, chance *rand.Rand) (err error) {
	run, step := int64(chance.IntN(4)+1), []string{"look", "call", "clean"}[chance.IntN(3)]
	switch chance.IntN(12) {
	case 0:
		_, err = d.BeginRun(actor, id, "fire")
	case 1:
		err = d.TakeStep(actor, run, step, "")
	case 2, 3:
		err = d.FinishStep(actor, StepDone{Run: run, Step: step, Answers: map[string]string{"where": "here", "big": []string{"yes", "no"}[chance.IntN(2)]}})
	case 4:
		err = d.SkipStep(actor, run, step, "because")
	case 5:
		err = d.ReopenStep(actor, run, step, "because")
	case 6:
		_, err = d.AddTask(actor, id, TaskAsk{Title: "a task", Role: plan.Engineer, Due: time.Now().Add(time.Duration(chance.IntN(90)+1) * time.Minute)})
	case 7:
		err = d.FinishTask(actor, id, 1, "done")
	case 8:
		err = d.Merge(actor, id, int64(chance.IntN(4)+1), "the same")
	case 9:
		err = d.Unmerge(actor, id, "not the same")
	case 10:
		_, err = d.AskDecision(actor, id, DecisionAsk{Question: "q", Options: []string{"a", "b"}})
	case 11:
		err = d.SetLabel(actor, id, "", []string{"RED", "AMBER", ""}[chance.IntN(3)], "because")
	}
	return err
}

// worded is the live state as text. Words are compared, because a folded nil slice equals an empty one.
func worded(t *testing.T, d *Desk) (text map[string]string) {
	d.Read(func(s *State) { text = wordedState(t, s) })
	return text
}

func wordedState(t *testing.T, s *State) map[string]string {
	t.Helper()
	text := map[string]string{}
	for name, part := range map[string]any{"incidents": s.Incidents.Incidents, "alerts": s.Incidents.Alerts, "order": s.Incidents.Order, "calls": s.Calls.Calls, "plan": s.Plan,
		"tuning": s.Tuning, "fleet": s.Fleet, "entries": s.Entries, "started": s.Started, "signins": s.Signins, "refused": s.Refused, "silences": s.Silences, "beats": s.Beats, "runs": s.Runs, "returns": s.Returns, "unwatched": s.Unwatched,
		"late": s.Runs.Owed(s.Started.Add(24 * time.Hour)), "reminders": s.Incidents.Owed(s.Started.Add(24 * time.Hour)), "commands": commandsOf(s)} {
		b, err := json.MarshalIndent(part, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		text[name] = string(b)
	}
	debts, again := s.Calls.Owed(&s.Plan, s.Started.Add(24*time.Hour))
	b, err := json.Marshal(debts)
	if err != nil {
		t.Fatal(err)
	}
	text["owed"] = fmt.Sprint(string(b), again)
	return text
}

func commandsOf(s *State) (out []any) {
	for _, i := range s.Incidents.Incidents {
		out = append(out, i.Command(), i.Merged, s.Incidents.Label(i.ID, ""))
	}
	return out
}

// An entry of a kind that this program does not know stops the start: half the truth is worse than none.
func TestUnknownKind(t *testing.T) {
	err := newState().apply(entry.Entry{N: 7, Kind: "teleport.used", Body: json.RawMessage("{}")})
	if err == nil || err.Error() != `entry 7 has the unknown kind "teleport.used": this program is older than its ledger; start the newer one` {
		t.Errorf("got %v", err)
	}
}
