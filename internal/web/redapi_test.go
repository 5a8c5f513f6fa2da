package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/signin"
	"tocsin/internal/tlp"
)

// An apiDocument is the part of the API's document that a program needs to call each operation.
type apiDocument struct {
	Paths      map[string]map[string]struct{ RequestBody apiBody } `json:"paths"`
	Components struct {
		Schemas map[string]apiSchema `json:"schemas"`
	} `json:"components"`
}

type apiBody struct {
	Content map[string]struct {
		Schema apiSchema `json:"schema"`
	} `json:"content"`
}

type apiSchema struct {
	Ref        string               `json:"$ref"`
	Type       any                  `json:"type"` // one, or several
	Format     string               `json:"format"`
	Enum       []any                `json:"enum"`
	Minimum    float64              `json:"minimum"`
	Items      *apiSchema           `json:"items"`
	Properties map[string]apiSchema `json:"properties"`
}

// example is a value of a schema, as far as it can be made out of the document alone.
func (d *apiDocument) example(name string, s apiSchema, depth int) any {
	if s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind := fmt.Sprint(s.Type)
	switch {
	case depth > 5:
		return nil
	case strings.Contains(kind, "object"):
		out := map[string]any{}
		for k, p := range s.Properties {
			if k != "$schema" && k != "person" { // a token is of a person already
				out[k] = d.example(k, p, depth+1)
			}
		}
		return out
	case strings.Contains(kind, "array"):
		if s.Items == nil {
			return []any{}
		}
		return []any{d.example(name, *s.Items, depth+1)}
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		return max(1, s.Minimum)
	case strings.Contains(kind, "boolean"):
		return true
	case s.Format == "date-time":
		return time.Now().Add(time.Hour)
	}
	return cmp.Or(map[string]string{"label": "CLEAR", "audience": "RED", "format": "md", "severity": "low", "query": "evil", "role": "engineer"}[name], "x")
}

// calls does every operation that the document names, for an incident, and hands each answer on. What follows lines without an end is left out: package web's own test listens to it.
func calls(t *testing.T, x *cage, id int64, token string, heard func(way string, got answer)) {
	t.Helper()
	var d apiDocument
	documented(t, api.NewDoor(nil, x.desk).Document, &d)
	fill := strings.NewReplacer("{id}", fmt.Sprint(id), "{name}", "tickets", "{step}", "none", "{person}", "anna", "{fingerprint}", "none", "{schedule}", "shop")
	who, bearer := x.as(t, ""), map[string]string{"Authorization": "Bearer " + token}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		if strings.Contains(path, "/live") || strings.Contains(path, "follow") {
			continue
		}
		to := "/api/v1" + strings.TrimPrefix(unfilled.ReplaceAllString(fill.Replace(path), "1"), "/v1")
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			method, way := strings.ToUpper(method), fmt.Sprintf("%s %s for incident %d", strings.ToUpper(method), path, id)
			content, sent := d.Paths[path][strings.ToLower(method)].RequestBody.Content["application/json"], []byte(nil)
			if method != http.MethodGet {
				sent = asJSON(t, d.example("", content.Schema, 0))
			}
			header := maps.Clone(bearer)
			got := who.send(method, to, "application/json", strings.NewReader(string(sent)), header)
			heard(way, got)
		}
	}
}

// unfilled is the place of a number in a path.
var unfilled = regexp.MustCompile(`\{[^}]+\}`)

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Given words that are RED, and a token of one for whom they are, when it does each operation that the API's document names, then none of the words is in any answer, and what was RED is
// so still; given the same words with another label, they are.
func TestNoProgramHearsRed(t *testing.T) {
	for _, as := range []string{"GREEN", "RED"} {
		t.Run(as, func(t *testing.T) {
			x := caged(t, as)
			token, err := x.desk.MakeToken(x.anna, "all", auth.Actions(), 1)
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			none, done, read := silent(t), 0, 0
			for _, id := range []int64{1, 2, 3} {
				if as == "GREEN" && id == 3 {
					break
				}
				calls(t, x, id, token, func(way string, got answer) {
					said.WriteString(got.body)
					if as == "RED" {
						none(way, got.all())
					}
					if got.code >= 500 && got.code != http.StatusServiceUnavailable {
						t.Errorf("%s: %d %s", way, got.code, got.body)
					}
					if ok := got.code < 300; ok && strings.HasPrefix(way, "GET") {
						read++
					} else if ok {
						done++
					}
				})
			}
			if read < 30 || done < 20 {
				t.Errorf("%d operations read, %d acted: that proves little", read, done)
			}
			if as == "GREEN" {
				for _, w := range []string{"edit", "statement", "decision", "option", "choice", "question", "answer", "task", "file", "from", "handover", "cause", "reason", "path.php", "bone", "well", "badly", "follows", "measure", "whole", "known", "system", "status"} {
					if !strings.Contains(said.String(), canary+w) && !strings.Contains(said.String(), "/"+canary+w) {
						t.Errorf("no operation says %q, so that none does when it is RED proves nothing", w)
					}
				}
				return
			}
			x.desk.Read(func(s *desk.State) {
				if l := s.Incidents.Label(x.red, ""); l != tlp.Red {
					t.Errorf("a token made it %s", l)
				}
				for _, what := range []string{"statement", "decision:1", "question:1", "task:1", "attachment:1", "cause", "lessons", "affected"} {
					if l := s.Incidents.Label(x.amber, what); l != tlp.Red {
						t.Errorf("a token made %s of what was RED in an incident: %s", l, what)
					}
				}
			})
		})
	}
}

// Given what is RED, and a person whose proof is an hour old, when they say that more people may hear it, then they are asked for a proof, and nothing is done; of what is not RED they are not.
func TestLiftingRedAsksForAProof(t *testing.T) {
	x := caged(t, "RED")
	v := x.as(t, "")
	v.cookie = must(x.web.sessions.Begin(time.Now(), signin.Session{Person: "anna", Proved: time.Now().Add(-time.Hour)}))
	label := func(id int64, what string) (l tlp.Label) {
		x.desk.Read(func(s *desk.State) { l = s.Incidents.Label(id, what) })
		return l
	}
	for _, f := range []struct {
		id         int64
		what, word string
	}{{2, "", "AMBER"}, {2, "", ""}, {2, "cause", "GREEN"}, {1, "statement", "AMBER"}, {1, "statement", ""}} {
		got := v.post(fmt.Sprintf("/incidents/%d/label", f.id), "what", f.what, "label", f.word, "reason", "it is over")
		if !strings.Contains(got.body, "Prove that it is you") || label(f.id, f.what) != tlp.Red {
			t.Errorf("%+v: %d, and it is %s", f, got.code, label(f.id, f.what))
		}
		if !strings.Contains(got.body, "it is over") {
			t.Errorf("%+v: what was typed is gone", f)
		}
	}
	if got := v.post("/incidents/1/label", "what", "", "label", "GREEN", "reason", "partners may know"); strings.Contains(got.body, "Prove that it is you") || label(1, "") != tlp.Green {
		t.Errorf("what is not RED: %d, and it is %s", got.code, label(1, ""))
	}
	fresh := x.as(t, "anna")
	if got := fresh.post("/incidents/1/label", "what", "statement", "label", "AMBER", "reason", "it is over"); got.code != http.StatusSeeOther || label(1, "statement") != tlp.Amber {
		t.Errorf("with a proof: %d, and it is %s", got.code, label(1, "statement"))
	}
}
