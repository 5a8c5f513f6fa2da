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
