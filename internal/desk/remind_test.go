package desk

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// Given a mail server that is down when a task is due, when it is up again, then whoever was not reached is reminded within minutes, once, and nobody else again;
// so it is when the program was started anew meanwhile.
func TestARemindersFailureIsTriedAgainSoon(t *testing.T) {
	for _, again := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			d, stop := h.start()
			h.team(d)
			anna := person("anna", plan.Commander)
			id, err := d.Report(anna, "it burns")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.AddTask(anna, id, TaskAsk{Title: "look", Person: "boris", Due: time.Now().Add(90 * time.Minute)}); err != nil {
				t.Fatal(err)
			}
			down := func(_ context.Context, m notify.Message) error {
				if strings.Contains(m.Subject, "A task of") {
					return &notify.Failure{Temporary: true, Reason: "450 later"}
				}
				return nil
			}
			h.failing(down)
			time.Sleep(92*time.Minute + 30*time.Second) // it failed when it was due, and a minute later
			synctest.Wait()
			reminders := func() (ids []string) {
				for _, m := range h.sent() {
					if strings.Contains(m.Subject, "A task of") {
						ids = append(ids, m.ID)
					}
				}
				return ids
			}
			if n := h.entries(d)[entry.TaskUnreminded]; n != 2 || len(reminders()) != 0 {
				t.Errorf("%d failures are written down, and %q sent", n, reminders())
			}
			if again {
				stop()
				_, stop = h.start()
			}
			h.failing(nil)
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			if got := reminders(); len(got) != 1 {
				t.Errorf("once the server is up: reminders %q", got)
			}
			time.Sleep(20 * time.Hour)
			synctest.Wait()
			if got := reminders(); len(got) != 1 {
				t.Errorf("within the day: reminders %q", got)
			}
			stop()
		})
	}
}

// Given a task of somebody who has no address, or of a role that nobody has, when it is due, then it stands in the ledger that nobody was reached, once, and not only that they were reminded.
func TestAReminderThatReachesNobodySaysSo(t *testing.T) {
	for name, ask := range map[string]TaskAsk{"no address": {Title: "look", Person: "carla"}, "nobody": {Title: "look", Role: plan.Legal}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				d, stop := h.start()
				defer stop()
				h.team(d)
				must(t, d.PutPerson(Local("config"), "carla", []string{plan.Analyst}, Contact{Name: "Carla"}, false))
				anna := person("anna", plan.Commander)
				id, err := d.Report(anna, "it burns")
				must(t, err)
				ask.Due = time.Now().Add(90 * time.Minute)
				_, err = d.AddTask(anna, id, ask)
				must(t, err)
				time.Sleep(12 * time.Hour)
				synctest.Wait()
				h.want(d, entry.TaskReminded, 1)
				h.want(d, entry.TaskUnreminded, 1)
				if ask.Person != "" {
					d.Read(func(s *State) {
						m := s.Incidents.Incidents[0].Command().Tasks[0].Missed
						if len(m) != 1 || len(m[0].What.People) != 1 || m[0].What.Why != entry.Unreachable {
							t.Errorf("missed: %+v", m)
						}
					})
				}
				time.Sleep(16 * time.Hour) // a day after it was due
				synctest.Wait()
				h.want(d, entry.TaskUnreminded, 2)
			})
		})
	}
}

func TestRemindersSayHowLongThereIs(t *testing.T) {
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]string{time.Hour: "is due in 1 h", 59*time.Minute + 50*time.Second: "is due in 1 h", 12 * time.Minute: "is due in 12 min", 10 * time.Second: "is due now", -2 * time.Minute: "is due now", -3 * time.Hour: "is late"} {
		if got := dueSays(now.Add(left), now); got != want {
			t.Errorf("%v before it is due it %s, want %s", left, got, want)
		}
	}
}
