package api_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// Given a schedule, when a program asks on the socket, then it hears what the console shows, and may do no more than its person may.
func TestOnCallThroughTheSocket(t *testing.T) {
	d, _, dir := running(t)
	c := client.New(dir)
	if list, err := c.Schedules(t.Context(), "", 14, ""); err != nil || len(list) != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := d.PutPerson(desk.Local("test"), "boris", []string{plan.Engineer}, desk.Contact{Name: "Boris Lang"}, false); err != nil {
		t.Fatal(err)
	}
	x := entry.Schedule{ID: "shop", Zone: "UTC", Layers: []entry.ScheduleLayer{{ID: "days", People: []string{"boris"}, Rotation: "daily", At: "09:00", Start: "2020-01-01"}}}
	if err := d.PutSchedule(desk.Local("test"), x, desk.ScheduleText{Name: "The shop"}, true); err != nil {
		t.Fatal(err)
	}
	list, err := c.Schedules(t.Context(), "shop", 3, plan.Reader)
	if err != nil || len(list) != 1 || list[0].Person != "boris" || list[0].Who != "Boris Lang" || list[0].Name != "The shop" || len(list[0].Shifts) < 3 || len(list[0].Gaps) != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	now := time.Now()
	away, err := c.PutAbsence(t.Context(), client.Cover{Person: "boris", Who: "boris", From: now, Until: now.Add(time.Hour), Why: "the dentist"})
	if err != nil || away.ID != 1 {
		t.Fatalf("%+v, %v", away, err)
	}
	if list, err = c.Schedules(t.Context(), "shop", 3, ""); err != nil || list[0].Person != "" || len(list[0].Gaps) != 1 || list[0].NextWho != "Boris Lang" || !strings.Contains(strings.Join(list[0].Warnings, " "), "nobody is on call from") {
		t.Errorf("away: %+v, %v", list, err)
	}
	over, err := c.PutOverride(t.Context(), client.Cover{Schedule: "shop", Who: plan.Analyst, Person: plan.Analyst, From: now, Until: now.Add(2 * time.Hour)})
	if err != nil || over.ID != 1 {
		t.Fatalf("%+v, %v", over, err)
	}
	if list, err = c.Schedules(t.Context(), "", 3, ""); err != nil || list[0].Person != plan.Analyst {
		t.Errorf("the override: %+v, %v", list, err)
	}
	for _, cover := range []func() (client.Covered, error){
		func() (client.Covered, error) {
			return c.PutOverride(t.Context(), client.Cover{ID: 1, End: true, Person: plan.Analyst})
		},
		func() (client.Covered, error) {
			return c.PutAbsence(t.Context(), client.Cover{ID: 1, End: true, Person: "boris"})
		},
	} {
		if _, err := cover(); err != nil {
			t.Error(err)
		}
	}
	text, err := c.Calendar(t.Context(), "shop", "")
	if err != nil || !strings.Contains(text, "SUMMARY:Boris Lang: The shop") {
		t.Errorf("%v\n%s", err, text)
	}
	for name, x := range map[string]struct {
		err  error
		says string
	}{
		"a reader takes over":     {second(c.PutOverride(t.Context(), client.Cover{Schedule: "shop", Who: plan.Reader, Person: plan.Reader, From: now, Until: now.Add(time.Hour)})), "may not answer"},
		"somebody else":           {second(c.PutOverride(t.Context(), client.Cover{Schedule: "shop", Who: "boris", Person: plan.Analyst, From: now, Until: now.Add(time.Hour)})), "may not team"},
		"an absence with more":    {second(c.PutAbsence(t.Context(), client.Cover{Who: "boris", Schedule: "shop", From: now, Until: now.Add(time.Hour)})), "an absence is of a person"},
		"half an end":             {second(c.PutAbsence(t.Context(), client.Cover{ID: 1})), "both its id and end"},
		"ended already":           {second(c.PutOverride(t.Context(), client.Cover{ID: 1, End: true})), "has ended already"},
		"no such schedule":        {second(c.Schedules(t.Context(), "none", 3, "")), "no such schedule"},
		"too far ahead":           {second(c.Schedules(t.Context(), "", 101, "")), "ask for 1 to 100"},
		"a stranger":              {second(c.Schedules(t.Context(), "", 3, "eve")), `has the id "eve"`},
		"a calendar of no one":    {second(c.Calendar(t.Context(), "", "")), "say of which schedule"},
		"a calendar of no such":   {second(c.Calendar(t.Context(), "none", "")), "no such schedule"},
		"a time that is backward": {second(c.PutAbsence(t.Context(), client.Cover{Who: "boris", From: now, Until: now.Add(-time.Hour)})), "cannot be"},
	} {
		if x.err == nil || !strings.Contains(x.err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, x.err, x.says)
		}
	}
}
