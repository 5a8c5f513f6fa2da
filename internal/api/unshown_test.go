package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// Given words that are labelled RED, when a program that was not told them writes others in their place, by the number that it was given or by another, then it is
// refused, it learns nothing of them, and they stand; and what nobody wrote yet it may write.
func TestWhatWasNotShownIsNotWrittenOver(t *testing.T) {
	g := elsewhere(t)
	token, commander := g.token(plan.Commander), g.actor(plan.Commander)
	post := func(path, body string, want int) {
		t.Helper()
		if w := g.ask(token, http.MethodPost, "/incidents/1/"+path, body); w.Code != want || strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%s %s: %d, want %d: %s", path, body, w.Code, want, w.Body)
		}
	}
	post("label", `{"what":"affected","label":"RED"}`, 200)
	post("affected", `{"systems":["web-1; shop; unharmed; runs"],"data":[],"people":[],"costs":[]}`, 200)
	g.must(g.d.PutAffected(commander, 1, desk.AffectedText{Systems: "SECRET; shop; changed; off", Before: affectedOf(g).Before}))
	g.must(g.d.State(commander, 1, 0, "SECRET is known."))
	g.must(g.d.PutCause(commander, 1, desk.CauseText{Class: "own-code", Sum: "SECRET"}))
	g.must(g.d.PutLessons(commander, 1, desk.LessonsText{Well: "SECRET"}))
	for _, what := range []string{"statement", "cause", "lessons"} {
		g.must(g.d.SetLabel(commander, 1, what, "RED", ""))
	}
	var c client.Command
	g.must(json.Unmarshal(g.ask(token, http.MethodGet, "/incidents/1/command", "").Body.Bytes(), &c))
	if x := c.Affected; !strings.Contains(x.Kept, "TLP:RED") || len(x.Systems) != 0 || x.Seen == 0 {
		t.Errorf("what is not told is told as %+v", x)
	}
	back, err := json.Marshal(c.Affected)
	g.must(err)
	post("affected", string(back), 403)
	post("affected", `{"systems":["x; y; z; a"],"data":[],"people":[],"costs":[]}`, 403)
	post("state", `{"text":"Nothing is known."}`, 403)
	post("cause", `{"class":"person","sum":"x"}`, 403)
	post("lessons", `{"well":"x"}`, 403)
	task, err := g.d.AddTask(commander, 1, desk.TaskAsk{Title: "SECRET", Role: plan.Engineer})
	g.must(err)
	g.must(g.d.Write(commander, 1, desk.NoteText{Text: "SECRET"}))
	note, entry := int64(0), int64(0)
	g.d.Read(func(s *desk.State) {
		i, _ := s.Incidents.Get(1)
		note, entry = i.Timeline[len(i.Timeline)-1].N, i.Command().Tasks[0].Versions[0].N
	})
	change, edit := fmt.Sprintf("tasks/%d/change", task), fmt.Sprintf("notes/%d/edit", note)
	g.must(g.d.SetLabel(commander, 1, fmt.Sprintf("task:%d", task), "RED", ""))
	g.must(g.d.SetLabel(commander, 1, fmt.Sprintf("note:%d", note), "RED", ""))
	for _, seen := range []int64{entry, entry + 1} { // the one that it was given, and any other
		post(change, fmt.Sprintf(`{"title":"x","role":"engineer","seen":%d,"why":"y"}`, seen), 403)
		post(edit, fmt.Sprintf(`{"text":"x","before":%d}`, note+seen-entry), 403)
	}
	if x := affectedOf(g); x.Systems != "SECRET; shop; changed; off" {
		t.Errorf("it reads %+v now", x)
	}
}

func affectedOf(g *gate) desk.AffectedText {
	g.t.Helper()
	x, err := g.d.Affected(g.actor(plan.Commander), 1)
	g.must(err)
	return x
}
