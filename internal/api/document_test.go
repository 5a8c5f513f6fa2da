package api_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/api"
	"tocsin/internal/auth"
)

// TestDocument holds the document against its golden file, and against what OpenAPI 3.1 demands of its form.
func TestDocument(t *testing.T) {
	g := elsewhere(t)
	golden(t, "testdata/openapi.json", append(g.document(), '\n'))
	var doc map[string]any
	g.must(json.Unmarshal(g.document(), &doc))
	if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("openapi is %v", doc["openapi"])
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch x := v.(type) {
		case map[string]any:
			if ref, ok := x["$ref"].(string); ok {
				kind, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
				of, _ := doc["components"].(map[string]any)[kind].(map[string]any)
				if _, there := of[name]; !there {
					t.Errorf("%s refers to %s, which is not there", at, ref)
				}
			}
			if k, ok := x["type"].(string); ok && strings.Contains(at, "/schema") && !slices.Contains([]string{"object", "array", "string", "integer", "number", "boolean", "null"}, k) {
				t.Errorf("%s has the type %s", at, k)
			}
			for name, y := range x {
				walk(at+"/"+name, y)
			}
		case []any:
			for _, y := range x {
				walk(at, y)
			}
		}
	}
	walk("", doc)
	seen := map[string]bool{}
	for path, verbs := range doc["paths"].(map[string]any) {
		for verb, v := range verbs.(map[string]any) {
			o := v.(map[string]any)
			id, _ := o["operationId"].(string)
			if seen[id] || id == "" {
				t.Errorf("%s %s: the operationId %q is not its own", verb, path, id)
			}
			seen[id] = true
			if action, _ := o["x-tocsin-action"].(string); !slices.Contains(auth.Actions(), auth.Action(action)) {
				t.Errorf("%s needs %q, which is no right", id, action)
			}
			if o["summary"] == "" || len(o["responses"].(map[string]any)) < 2 || len(o["tags"].([]any)) != 1 || len(o["security"].([]any)) != 1 {
				t.Errorf("%s is not documented: %v", id, o)
			}
			var declared []string
			list, _ := o["parameters"].([]any)
			for _, p := range list {
				if m := p.(map[string]any); m["in"] == "path" {
					declared = append(declared, m["name"].(string))
					if m["required"] != true {
						t.Errorf("%s: the path's %s is not required", id, m["name"])
					}
				}
			}
			for _, part := range strings.Split(path, "/") {
				if name, ok := strings.CutPrefix(part, "{"); ok && !slices.Contains(declared, strings.TrimSuffix(name, "}")) {
					t.Errorf("%s does not declare %s of its path", id, part)
				}
			}
		}
	}
}

// FuzzRequests sends whatever to every operation: nothing panics, and nothing is a mistake of ours.
func FuzzRequests(f *testing.F) {
	g := elsewhere(f)
	h := api.Handler(slog.New(slog.NewTextHandler(io.Discard, nil)), g.d, nil)
	ops := slices.DeleteFunc(g.ops(), func(o op) bool { return o.ID == "findKey" || o.ID == "testWebhook" }) // these ask elsewhere
	for _, body := range []string{``, `{}`, `[]`, `null`, `{"why":"x"}`, `{"note":"\u0000","happened":"0001-01-01T00:00:00Z"}`, `{"lasts_ns":9223372036854775807}`, `{"severity":"critical","why":"x"}`, `{"query":"* | count"}`,
		`{"card":{"version":1,"name":"x","ways":[]},"group":"team"}`, `{"id":"x","name":"x","zone":"UTC","layers":[{"id":"a","people":["reader"],"rotation":"daily","at":"09:00","start":"2026-01-01"}]}`} {
		f.Add(uint16(0), "1", "", body)
		f.Add(uint16(40), "analyst", "most=1", body)
	}
	f.Fuzz(func(t *testing.T, n uint16, id, query, body string) {
		o := ops[int(n)%len(ops)]
		path := strings.NewReplacer("{id}", "1", "{call}", "1", "{agent}", "1").Replace(o.path)
		if id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
			path = strings.NewReplacer("{id}", id, "{call}", id, "{agent}", id).Replace(o.path)
		}
		r := httptest.NewRequest(o.verb, "/v1"+path, strings.NewReader(body))
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s?%s %q: %d %s", o.verb, path, query, body, w.Code, w.Body)
		}
	})
}
