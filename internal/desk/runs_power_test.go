package desk

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"testing/fstest"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
)

// fire is a short playbook with all that a step can have.
const fire = `playbook: fire
title: Fire
summary: Something burns.
signs: [smoke]
suggest: {titles: [request for evil]}
owner: commander
review: 90
facts:
  - {fact: where, ask: Where does it burn?}
  - {fact: big, ask: Is it big?, of: [yes, no]}
phases:
  - phase: identification
    steps:
      - {step: look, role: analyst, what: Look, why: w, how: h, done: d, asks: [where, big], within: 30m}
      - {step: call, role: commander, what: Call, why: w, how: h, done: d, if: big = yes}
  - phase: recovery
    steps:
      - {step: clean, role: engineer, what: Clean, why: w, how: h, done: d, approve: commander}
`

func firePlan() fstest.MapFS { return fsOf([]byte(fire)) }

func fsOf(text []byte) fstest.MapFS {
	return fstest.MapFS{"playbooks/fire.yaml": {Data: text}}
}

// person is who has a role in these tests.
func person(id, role string) auth.Actor {
	return auth.Actor{Name: "person:" + id, ID: id, Roles: []string{role}}
}

// A burning is a run of the program whose disk stops at a step.
type burning struct {
	data, keys *disk.Lossy
	done       int // acts that were acknowledged
}

func (b *burning) open() (*Desk, error) {
	return Open(slog.New(slog.NewTextHandler(io.Discard, nil)), Options{Version: "test", Data: b.data, Keys: b.keys, Rules: &detect.Rules{}, Plan: firePlan(), URL: "http://localhost:1", Senders: map[string]Sender{}})
}

// acts works a run through, act by act; what was done before is refused, and goes on.
func acts() []func(*Desk) error {
	anna, ben, eve := person("anna", plan.Commander), person("ben", plan.Engineer), person("eve", plan.Analyst)
	return []func(*Desk) error{
		func(d *Desk) error {
			for _, p := range []auth.Actor{anna, ben, eve} {
				if err := d.PutPerson(Local("config"), p.ID, p.Roles, Contact{Name: p.ID}, false); err != nil {
					return err
				}
			}
			return nil
		},
		func(d *Desk) error { _, err := d.Report(anna, "it burns"); return err },
		func(d *Desk) error { _, err := d.BeginRun(anna, 1, "fire"); return err },
		func(d *Desk) error { return d.TakeStep(eve, 1, "look", "") },
		func(d *Desk) error {
			return d.FinishStep(eve, StepDone{Run: 1, Step: "look", Found: "smoke", Answers: map[string]string{"where": "the cellar", "big": "no"}})
		},
		func(d *Desk) error { return d.AnswerFact(eve, 1, "big", "yes", "the roof, too") },
		func(d *Desk) error { return d.FinishStep(anna, StepDone{Run: 1, Step: "call"}) },
		func(d *Desk) error { return d.ApproveStep(anna, 1, "clean") },
		func(d *Desk) error { return d.FinishStep(ben, StepDone{Run: 1, Step: "clean", Found: "clean"}) },
	}
}

// stages is how far a run has come, by act: what must be true once the act was acknowledged.
func stages(s *State) (out []bool) {
	r, err := s.Runs.Get(1)
	if err != nil {
		r = &playbook.Run{}
	}
	settled := func(step string) bool { return r.Marks[step] != nil && r.Marks[step].Settled == playbook.Done }
	looks := r.Marks["look"]
	return []bool{len(s.Plan.People) == 3, len(s.Incidents.Incidents) == 1, err == nil, looks != nil && (looks.Taken == "eve" || looks.Settled != ""), settled("look"),
		err == nil && (r.Answers["big"].Value == "yes"), settled("call"), err == nil && r.Marks["clean"] != nil && (r.Marks["clean"].Approved == "anna" || settled("clean")), settled("clean")}
}

func (b *burning) work(d *Desk, from int) {
	for n, act := range acts() {
		if n < from {
			continue
		}
		if act(d) != nil {
			return
		}
		b.done = n + 1
	}
}

// Given a run of a playbook, when the plug is pulled at any write, then each act that was acknowledged is true, none is done twice, and the run goes on to its end.
func TestPowerCutsInARun(t *testing.T) {
	b := &burning{data: disk.NewLossy(), keys: disk.NewLossy()}
	d, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	begun := b.data.Ops()
	b.work(d, 0)
	err = d.Close()
	steps := b.data.Ops()
	if err != nil || b.done != len(acts()) {
		t.Fatalf("without a cut %d acts are done, %v", b.done, err)
	}
	stride := (steps - begun) / 12
	if os.Getenv("TOCSIN_SOAK") != "" {
		stride = 1
	}
	for n := begun + 1; n <= steps; n += max(stride, 1) {
		t.Run(fmt.Sprint("step ", n), func(t *testing.T) { burn(t, n) })
	}
}

func burn(t *testing.T, n int) {
	b := &burning{data: disk.NewLossy(), keys: disk.NewLossy()}
	b.data.FailAfter(n)
	if d, err := b.open(); err == nil {
		b.work(d, 0)
		_ = d.Close()
	}
	b.data, b.keys = b.data.Crash(), b.keys.Crash()
	d, err := b.open()
	if err != nil {
		t.Fatalf("it does not start again: %v", err)
	}
	far := 0
	d.Read(func(s *State) {
		for k, is := range stages(s) {
			if k < b.done && !is {
				t.Errorf("act %d was acknowledged, and is not true", k)
			}
			if is {
				far = k + 1
			}
		}
	})
	if far > b.done+1 {
		t.Errorf("%d acts are true, and %d were done", far, b.done)
	}
	if far == 1 || far == 0 { // the people are three entries, and some may be there
		far = 0
		d.Read(func(s *State) {
			if len(s.Plan.People) == 3 {
				far = 1
			}
		})
	}
	if far == 0 {
		for _, p := range []string{"anna", "ben", "eve"} {
			if _, there := d.Person(p); !there {
				err = errors.Join(err, d.PutPerson(Local("config"), p, []string{map[string]string{"anna": plan.Commander, "ben": plan.Engineer, "eve": plan.Analyst}[p]}, Contact{Name: p}, false))
			}
		}
		far = 1
	}
	b.work(d, far)
	if b.done != len(acts()) || err != nil {
		t.Errorf("the run does not go on: %d acts are done, %v", b.done, err)
	}
	d.Read(func(s *State) {
		r, err := s.Runs.Get(1)
		if err != nil || !r.Over() || len(s.Runs.All) != 1 {
			t.Errorf("the run is not over: %v, %d runs", err, len(s.Runs.All))
			return
		}
		times := map[string]int{}
		for _, x := range r.History {
			if x.Kind == "step.done" {
				times[x.Step]++
			}
		}
		for step, n := range times {
			if n != 1 {
				t.Errorf("%s was done %d times", step, n)
			}
		}
	})
	if _, err := d.VerifyLedger(); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
