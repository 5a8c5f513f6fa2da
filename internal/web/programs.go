package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/signin"
	"tocsin/ui"
)

// knock throttles tokens that open nothing, by network. A right one never waits, so nobody can lock a program out.
func (s *Server) knock() Knock {
	return Knock{
		Failed: func(r *http.Request) time.Duration {
			a := s.address(r)
			return s.tokens.Allow(time.Now(), "token from "+signin.Network(a), a)
		},
		Remote: func(r *http.Request) string { return s.address(r).String() },
		Quit:   s.quit,
	}
}

// A document is as much of an OpenAPI document as its pages show.
type document struct {
	Info struct {
		Version     string `json:"version"`
		Description string `json:"description"`
	} `json:"info"`
	Tags []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"tags"`
	Paths      map[string]map[string]described `json:"paths"`
	Components struct {
		Schemas   map[string]schema   `json:"schemas"`
		Responses map[string]response `json:"responses"`
	} `json:"components"`
}

type described struct {
	ID         string   `json:"operationId"`
	Sum        string   `json:"summary"`
	About      string   `json:"description"`
	Tags       []string `json:"tags"`
	Action     string   `json:"x-tocsin-action"`
	Two        bool     `json:"x-tocsin-two-persons"`
	Once       bool     `json:"x-tocsin-shown-once"`
	Parameters []struct {
		Name     string `json:"name"`
		In       string `json:"in"`
		Says     string `json:"description"`
		Required bool   `json:"required"`
		Schema   schema `json:"schema"`
	} `json:"parameters"`
	Body struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]response `json:"responses"`

	method, path string
}

type response struct {
	Ref     string           `json:"$ref"`
	Says    string           `json:"description"`
	Content map[string]media `json:"content"`
}

type media struct {
	Schema schema `json:"schema"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       json.RawMessage   `json:"type"`
	Format     string            `json:"format"`
	Says       string            `json:"description"`
	Enum       []any             `json:"enum"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Array      *schema           `json:"items"`
	More       json.RawMessage   `json:"additionalProperties"`
}

// opened reads the document.
func (s *Server) opened() (d document, err error) {
	if s.o.Document == nil {
		return d, errMissing
	}
	b, err := s.o.Document()
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		return d, fmt.Errorf("reading our own document of operations: %w", err)
	}
	return d, nil
}

// of returns the operations of a chapter, by path.
func (d document) of(tag string) (out []described) {
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range []string{"get", "post"} {
			if op, ok := d.Paths[path][method]; ok && slices.Contains(op.Tags, tag) {
				op.method, op.path = strings.ToUpper(method), path
				out = append(out, op)
			}
		}
	}
	return out
}

// operations lists everything that a program may ask.
func (s *Server) operations(v *visit) error {
	d, err := s.opened()
	if err != nil {
		return err
	}
	view := ui.ProgramsView{Frame: s.frame(v, "me", "For programs"), Says: d.Info.Description, Version: d.Info.Version}
	for _, t := range d.Tags {
		c := ui.Chapter{Name: t.Name, Says: t.Description, Href: "/api/" + t.Name}
		for _, op := range d.of(t.Name) {
			c.Operations = append(c.Operations, ui.OperationLine{Method: op.method, Path: op.path, Says: op.Sum, Right: op.Action, Href: c.Href + "#" + op.ID})
		}
		view.Chapters = append(view.Chapters, c)
	}
	return ui.Programs.Show(v.w, http.StatusOK, view)
}

// chapter documents the operations of one chapter.
func (s *Server) chapter(v *visit) error {
	d, err := s.opened()
	if err != nil {
		return err
	}
	for _, t := range d.Tags {
		if t.Name != v.r.PathValue("id") {
			continue
		}
		view := ui.ChapterView{Frame: s.frame(v, "me", "For programs: "+t.Name), Name: t.Name, Says: t.Description}
		for _, op := range d.of(t.Name) {
			view.Operations = append(view.Operations, s.operation(v, d, op))
		}
		return ui.ChapterPage.Show(v.w, http.StatusOK, view)
	}
	return errMissing
}

// operation documents one.
func (s *Server) operation(v *visit, d document, op described) ui.Operation {
	x := ui.Operation{ID: op.ID, Method: op.method, Path: "/api/v1" + op.path, Says: op.Sum, About: op.About, Right: op.Action, Two: op.Two, Once: op.Once,
		May: auth.May(v.actor, auth.Action(op.Action)) == nil}
	table := func(caption string, fields []ui.OperationField) {
		if len(fields) > 0 {
			x.Tables = append(x.Tables, ui.FieldTable{Caption: caption, Label: caption + " of " + op.ID, Fields: fields})
		}
	}
	var parameters []ui.OperationField
	for _, p := range op.Parameters {
		parameters = append(parameters, ui.OperationField{Name: p.Name, Type: p.In + ", " + d.word(p.Schema), Says: d.says(p.Says, p.Schema), Must: p.Required})
	}
	table("Parameters", parameters)
	example := ""
	for _, m := range op.Body.Content {
		table("Body", d.fields(m.Schema, "", 0))
		b, err := json.Marshal(d.example(m.Schema, 0))
		if err == nil {
			example = string(b)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[code]
		if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
			r = d.Components.Responses[name]
		}
		x.Answers = append(x.Answers, ui.Fact{Name: code, Value: r.Says})
		if code != "200" {
			continue
		}
		for _, m := range r.Content {
			table("Answer", d.fields(m.Schema, "", 0))
		}
	}
	x.Curl = s.curl(v, op, example)
	return x
}

// curl is how to ask from a shell. The token stands in a file, so that no list of processes shows it.
func (s *Server) curl(v *visit, op described, body string) string {
	scheme := "http"
	if s.o.TLS || v.r.TLS != nil {
		scheme = "https"
	}
	t := "curl -H @token.txt"
	if op.method == http.MethodPost {
		t += " -X POST"
	}
	if body != "" {
		t += " -H 'Content-Type: application/json' \\\n  -d '" + strings.ReplaceAll(body, "'", `'\''`) + "'"
	}
	path := strings.NewReplacer("{id}", "12", "{call}", "ringing", "{agent}", "web-1").Replace(op.path)
	return t + " \\\n  " + scheme + "://" + ui.Visible(v.r.Host).String() + "/api/v1" + path
}

// resolved follows a reference.
func (d document) resolved(x schema) schema {
	if name, ok := strings.CutPrefix(x.Ref, "#/components/schemas/"); ok {
		y := d.Components.Schemas[name]
		if y.Says == "" {
			y.Says = x.Says
		}
		return y
	}
	return x
}

// kind is the type of a schema, without null.
func (x schema) kind() string {
	var one string
	if json.Unmarshal(x.Type, &one) == nil {
		return one
	}
	var all []string
	_ = json.Unmarshal(x.Type, &all) // absent is anything
	for _, t := range all {
		if t != "null" {
			return t
		}
	}
	return ""
}

// word is a schema in a word.
func (d document) word(x schema) string {
	x = d.resolved(x)
	switch k := x.kind(); {
	case k == "array" && x.Array != nil:
		return "list of " + d.word(*x.Array)
	case k == "string" && x.Format == "date-time":
		return "time"
	case k == "string":
		return "text"
	case k == "boolean":
		return "yes or no"
	case k == "integer":
		return "whole number"
	case k == "":
		return "anything"
	default:
		return k
	}
}

// says is what a schema is for, and what it may be.
func (d document) says(says string, x schema) string {
	x = d.resolved(x)
	if says == "" {
		says = x.Says
	}
	if len(x.Enum) == 0 {
		return says
	}
	var words []string
	for _, e := range x.Enum {
		words = append(words, fmt.Sprint(e))
	}
	return strings.TrimPrefix(says+"; one of "+strings.Join(words, ", "), "; ")
}

// A list of fields ends at this depth, and at so many.
const (
	fieldsDeep = 4
	fieldsMost = 80
)

// fields lists what an object has, with dots between an object and its parts.
func (d document) fields(x schema, prefix string, depth int) (out []ui.OperationField) {
	x = d.resolved(x)
	if depth > fieldsDeep {
		return nil
	}
	if x.kind() == "array" && x.Array != nil {
		return d.fields(*x.Array, prefix+"[]", depth)
	}
	names := slices.Collect(maps.Keys(x.Properties))
	sort.Strings(names)
	for _, name := range names {
		p := x.Properties[name]
		full := strings.TrimPrefix(prefix+"."+name, ".")
		out = append(out, ui.OperationField{Name: full, Type: d.word(p), Says: d.says(p.Says, p), Must: slices.Contains(x.Required, name)})
		out = append(out, d.fields(p, full, depth+1)...)
		if len(out) > fieldsMost {
			return out[:fieldsMost]
		}
	}
	return out
}

// example is a body that has what must be there.
func (d document) example(x schema, depth int) any {
	x = d.resolved(x)
	if len(x.Enum) > 0 {
		return x.Enum[0]
	}
	switch x.kind() {
	case "object":
		out := map[string]any{}
		for _, name := range x.Required {
			if depth < fieldsDeep {
				out[name] = d.example(x.Properties[name], depth+1)
			}
		}
		return out
	case "array":
		if x.Array == nil || depth >= fieldsDeep {
			return []any{}
		}
		return []any{d.example(*x.Array, depth+1)}
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "string":
		if x.Format == "date-time" {
			return "2026-12-01T09:00:00Z"
		}
		return "..."
	}
	return nil
}
