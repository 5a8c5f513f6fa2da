package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

const (
	maxBody   = 64 << 10 // bytes of a request, where an operation says nothing else
	maxKey    = 255      // characters of an idempotency key
	actionKey = "x-tocsin-action"
	twoKey    = "x-tocsin-two-persons"
	webKey    = "x-tocsin-console"
	onceKey   = "x-tocsin-shown-once"
)

// An operation is what is registered once, and served on the socket and below /api.
type operation struct {
	verb, path string // path below /v1; {id} of incidents is the number of one, by which a role in it and a restriction count
	id         string // operationId
	sum        string // a sentence without its full stop
	about      string // more, if there is more to say
	need       auth.Action
	web        string // routes of the console that do the same, comma apart
	most       int64  // bytes of a request; 0 is maxBody
	shown      bool   // its answer has a secret, which is shown once and kept nowhere
	stream     bool   // it answers bit by bit: by no key, and for as long as it takes
	reads      bool   // it changes nothing, so it is done anew under the same key, and its answer is not kept
	silent     bool   // it acts, and writes no entry: after a crash nobody knows whether it was done
	proof      bool   // it needs a person who proved anew who they are, so a token cannot
}

// A table is all operations, and what serves them.
type table struct {
	api  huma.API
	mux  *http.ServeMux
	desk *desk.Desk
	log  *slog.Logger
	ops  map[string]operation
	quit <-chan struct{} // closed when the program ends; nil is never
}

// An ask is one request: who asks, of which desk, and when.
type ask struct {
	ctx   context.Context
	desk  *desk.Desk
	log   *slog.Logger
	actor auth.Actor
	via   string // command, api
	now   time.Time

	table *table
	w     http.ResponseWriter
	again func(time.Time) (auth.Actor, error) // who asks, looked at anew: rights are taken away, and tokens end
	under *desk.Asking                        // the idempotency key; nil is none
}

type askKey struct{}

// What requests have in their paths and bodies.
type (
	none        struct{}
	body[B any] struct{ Body B }
	numbered    struct {
		ID int64 `path:"id" minimum:"1" doc:"its number"`
	}
	numberedWith[B any] struct {
		ID   int64 `path:"id" minimum:"1" doc:"its number"`
		Body B
	}
	named struct {
		ID string `path:"id" maxLength:"200" doc:"its id"`
	}
	namedWith[B any] struct {
		ID   string `path:"id" maxLength:"200" doc:"its id"`
		Body B
	}
	reply[O any] struct{ Body O }
)

// done is the answer of what has nothing to tell.
type done struct{}

// newTable returns a table without operations.
func newTable(log *slog.Logger, d *desk.Desk) *table {
	json := huma.DefaultJSONFormat
	t := &table{mux: http.NewServeMux(), desk: d, log: log, ops: map[string]operation{}}
	t.api = humago.NewWithPrefix(t.mux, "/v1", huma.Config{OpenAPI: describe(), Formats: map[string]huma.Format{"application/json": json, "json": json}, DefaultFormat: "application/json",
		RejectUnknownQueryParameters: true, Transformers: []huma.Transformer{worded}})
	t.api.UseMiddleware(t.gate)
	t.mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		t.refuse(w, problemFor(http.StatusNotFound, "there is no such operation: the document below openapi.json names them all"))
	})
	return t
}

// typeName names the types of the document: those of other packages by their package, too.
func typeName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if n := t.Name(); n != "" && t != reflect.TypeFor[done]() && n[0] >= 'a' && n[0] <= 'z' && t.PkgPath() != "" && !strings.HasSuffix(n, "Body") {
		name += "Body" // of requests
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if p := path.Base(t.PkgPath()); p != "client" && p != "api" && t.PkgPath() != "" {
		return strings.ToUpper(p[:1]) + p[1:] + name
	}
	return name
}

// add registers an operation.
func add[I, O any](t *table, o operation, do func(ask, *I) (O, error)) {
	op := t.document(o)
	huma.Register(t.api, op, func(ctx context.Context, in *I) (*reply[O], error) {
		a, _ := ctx.Value(askKey{}).(ask) // it goes on as an argument
		out, err := keyed(a, o, func(a ask) (O, error) { return do(a, in) })
		a.hurry()
		if err != nil {
			return nil, err
		}
		return &reply[O]{out}, nil
	})
}

// act registers an operation that answers nothing but that it is done.
func act[I any](t *table, o operation, do func(ask, *I) error) {
	add(t, o, func(a ask, in *I) (done, error) { return done{}, do(a, in) })
}

// streams registers an operation that writes its own answer. Until its first byte an error is a problem.
func streams[I any](t *table, o operation, types string, do func(ask, *I, http.ResponseWriter) error) {
	o.stream = true
	op := t.document(o)
	op.Responses["200"] = &huma.Response{Description: "bit by bit", Content: map[string]*huma.MediaType{types: {Schema: &huma.Schema{Type: "string"}}}}
	huma.Register(t.api, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		a, _ := ctx.Value(askKey{}).(ask)
		return &huma.StreamResponse{Body: func(h huma.Context) {
			_, w := humago.Unwrap(h)
			if err := do(a, in, prompt{w, http.NewResponseController(w)}); err != nil {
				t.refuse(w, failed(a, err))
			}
		}}, nil
	})
}

// document is an operation as huma knows it.
func (t *table) document(o operation) huma.Operation {
	if _, twice := t.ops[o.id]; twice {
		panic("two operations are called " + o.id)
	}
	if o.web == "" {
		o.web = consoleRoutes(o.id)
	}
	t.ops[o.id] = o
	tag, _, _ := strings.Cut(strings.TrimPrefix(o.path, "/"), "/")
	op := huma.Operation{OperationID: o.id, Method: o.verb, Path: o.path, Summary: o.sum, Description: o.about, Tags: []string{tag}, MaxBodyBytes: -1, BodyReadTimeout: -1,
		Responses: map[string]*huma.Response{}, Security: []map[string][]string{{"token": {}}}, Extensions: map[string]any{actionKey: string(o.need)}}
	if o.web != "" {
		op.Extensions[webKey] = strings.Split(o.web, ", ")
	}
	codes := []int{400, 401, 403, 404, 422, 429, 500, 503}
	if o.verb == http.MethodPost {
		codes = append(codes, 409, 413)
	}
	if o.keyed() {
		op.Parameters = []*huma.Param{{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "1 to 255 visible characters; the same key with the same request gets the first answer again for 24 hours"}}
	}
	if auth.TwoPersons(o.need) {
		op.Extensions[twoKey] = true
		op.Responses["202"] = &huma.Response{Description: "It waits for a second person", Content: map[string]*huma.MediaType{"application/json": {
			Schema: t.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[client.Waiting](), true, "")}}}
	}
	if o.shown {
		op.Extensions[onceKey] = true
	}
	for _, code := range codes {
		op.Responses[strconv.Itoa(code)] = &huma.Response{Ref: "#/components/responses/" + t.problem(code)}
	}
	return op
}

// problem is the name of the answer with a status in the document.
func (t *table) problem(code int) string {
	all, name := t.api.OpenAPI().Components, fmt.Sprint("Problem", code)
	if all.Responses == nil {
		all.Responses = map[string]*huma.Response{}
	}
	if all.Responses[name] == nil {
		all.Responses[name] = &huma.Response{Description: http.StatusText(code), Content: map[string]*huma.MediaType{"application/problem+json": {
			Schema: all.Schemas.Schema(reflect.TypeFor[client.Problem](), true, "")}}}
	}
	return name
}

// gate stands before every operation: who asks, whether they may, what they sent, and whether they asked before.
func (t *table) gate(h huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(h)
	o := t.ops[h.Operation().OperationID]
	control, aborted := http.NewResponseController(w), false
	defer func() { // the next request of this connection has its own time
		if !aborted {
			_ = control.Flush()
			_ = control.SetWriteDeadline(time.Time{})
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			if aborted = p == http.ErrAbortHandler; aborted {
				panic(p)
			}
			t.log.Error("an operation panicked", "operation", o.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			t.refuse(w, problemFor(http.StatusInternalServerError, "Tocsin made a mistake. The program's log says what happened."))
		}
	}()
	a, err := t.asks(r)
	a.w = w
	if err == nil {
		err = t.may(a, o, r)
	}
	var sent []byte
	if err == nil && o.large(r) {
		var giveBack func()
		if giveBack, err = t.bring(a, r, control); err == nil {
			defer giveBack()
		}
	}
	if err == nil {
		sent, err = t.sent(w, r, o)
	}
	if err == nil {
		err = exact(t.api.OpenAPI().Components.Schemas, h.Operation(), sent)
	}
	var key string
	if err == nil {
		key, err = keyOf(r)
	}
	if err != nil {
		a.hurry()
		t.refuse(w, failed(a, err))
		return
	}
	if key != "" && o.keyed() {
		sum := sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery + "\n" + string(sent)))
		a.under = &desk.Asking{Actor: a.actor, Key: key, Print: hex.EncodeToString(sum[:]), Silent: o.silent}
	}
	next(humago.NewContext(h.Operation(), r.WithContext(context.WithValue(r.Context(), askKey{}, a)), w))
}

// asks says who asks: on the socket the person of the query, or whoever sits at the machine; else whose token it is.
func (t *table) asks(r *http.Request) (ask, error) {
	a := ask{ctx: r.Context(), desk: t.desk, log: t.log, now: time.Now(), via: "command", table: t}
	q := r.URL.Query()
	people := q["person"]
	if q.Del("person"); len(people) > 0 {
		r.URL.RawQuery = q.Encode()
	}
	person := ""
	if len(people) > 0 {
		person = people[0]
	}
	if len(people) > 1 {
		return a, mistake{"person", "Say one person."}
	}
	if b, ok := r.Context().Value(tokenKey{}).(bearer); ok {
		a.actor, a.again, a.via = b.actor, b.again, "api"
		if person != "" && person != a.actor.ID {
			return a, foreign{person}
		}
		return a, nil
	}
	a.again = func(time.Time) (auth.Actor, error) {
		if person == "" {
			return desk.Local("command"), nil
		}
		p, ok := t.desk.Person(person)
		if !ok {
			return auth.Actor{}, mistake{"person", fmt.Sprintf("nobody on the team has the id %.60q", person)}
		}
		return desk.Actor(p), nil
	}
	var err error
	a.actor, err = a.again(a.now)
	return a, err
}

// may says whether who asks may do it: on an incident, a role that they hold in it counts, and a restriction.
func (t *table) may(a ask, o operation, r *http.Request) error {
	if a.actor.Local {
		return nil
	}
	if o.proof && a.actor.Scope != nil {
		return byToken{o.need}
	}
	if strings.HasPrefix(o.path, "/incidents/{id}") {
		if id, err := strconv.ParseInt(r.PathValue("id"), 10, 64); err == nil {
			return t.desk.MayOn(a.actor, o.need, id)
		}
	}
	return auth.May(a.actor, o.need)
}

// large reports whether what comes with a request may be so large that it needs a slot.
func (o operation) large(r *http.Request) bool {
	return o.most > desk.BringLarge && (r.ContentLength < 0 || r.ContentLength > desk.BringLarge)
}

// bring waits for a slot in which a large request is held until it is done, and gives it a time to come in.
func (t *table) bring(a ask, r *http.Request, control *http.ResponseController) (giveBack func(), err error) {
	wait, stop := context.WithTimeout(r.Context(), desk.BringWait)
	defer stop()
	giveBack, ok := t.desk.Bringing().Take(wait, a.actor.Name)
	if !ok {
		return nil, errManyLarge
	}
	_ = control.SetReadDeadline(time.Now().Add(desk.BringWithin)) // not every connection has one
	return giveBack, nil
}

// sent reads what came with a request.
func (t *table) sent(w http.ResponseWriter, r *http.Request, o operation) ([]byte, error) {
	most := o.most
	if most == 0 {
		most = maxBody
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, problemFor(http.StatusRequestEntityTooLarge, fmt.Sprintf("the request has more than the %d bytes that this operation takes", most))
	}
	if err != nil {
		return nil, problemFor(http.StatusBadRequest, "the request did not come whole")
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // it has come; its limit would end slow work
	return b, nil
}

// keyOf reads an idempotency key: a string of structured fields, or the same without its quotes.
func keyOf(r *http.Request) (string, error) {
	all := r.Header.Values("Idempotency-Key")
	if len(all) == 0 {
		return "", nil
	}
	key := strings.TrimSpace(all[0])
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if len(all) > 1 || key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", problemFor(http.StatusBadRequest, "an idempotency key is one header of 1 to 255 visible ASCII characters")
	}
	return key, nil
}

// refuse writes a problem, or that something waits for a second person.
func (t *table) refuse(w http.ResponseWriter, err huma.StatusError) {
	kind := "application/json"
	if f, ok := err.(huma.ContentTypeFilter); ok {
		kind = f.ContentType(kind)
	}
	if x, ok := err.(huma.HeadersError); ok {
		for name, values := range x.GetHeaders() {
			w.Header()[name] = values
		}
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(err.GetStatus())
	if err := json.NewEncoder(w).Encode(err); err != nil {
		t.log.Debug("answering a program", "error", err)
	}
}
