package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/fleet"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/review"
	"tocsin/internal/rota"
)

// A problem is an error as programs get it (RFC 9457).
type problem struct {
	client.Problem
	headers http.Header
}

func (p problem) GetStatus() int { return p.Status }

func (p problem) GetHeaders() http.Header { return p.headers }

func (p problem) Error() string { return p.Detail }

// ContentType is what huma asks for.
func (p problem) ContentType(string) string { return "application/problem+json" }

// problemFor returns a problem of a status, in words.
func problemFor(status int, says string) problem {
	return problem{Problem: client.Problem{Status: status, Title: http.StatusText(status), Detail: says}}
}

// waits is the answer to what waits for a second person. It is no problem.
type waits struct{ client.Waiting }

func (w waits) GetStatus() int { return http.StatusAccepted }

func (w waits) Error() string { return w.Says }

// mistake is something wrong with one field of a request.
type mistake struct{ field, says string }

func (m mistake) Error() string { return m.says }

// foreign is a request by a token in the name of another person.
type foreign struct{ person string }

func (f foreign) Error() string {
	return fmt.Sprintf("this token is not of %.60q: leave the person out, or use a token of theirs", f.person)
}

// byToken is what needs a person who proved anew who they are.
type byToken struct{ need auth.Action }

func (b byToken) Error() string {
	return "a token cannot do this: it needs a person who has just proved who they are, in the console, or somebody at the machine"
}

// errMissing is something that there is not.
var errMissing = errors.New("there is no such thing here; it may have ended")

// Too many ask the kept lines at once.
var (
	errManySearches = errors.New("too many searches are under way: wait a little, and ask again")
	errManyLarge    = errors.New("too many large requests come at this moment: wait a little, and send it again")
	errManyExports  = errors.New("too many exports are under way: wait until one is handed out, and ask again")
	errManyFollow   = errors.New("too many follow lines: end one, and ask again")
)

var errNothingRings = errors.New("no call is ringing")

// statusOf is the status of an error. One that is not named here, and is a sentence of ours about what was asked for, is a mistake in the request; any other is
// a failure of this program, whose words are for its log alone.
func statusOf(err error) int {
	is := func(all ...error) bool {
		for _, x := range all {
			if errors.Is(err, x) {
				return true
			}
		}
		return false
	}
	_, uncertain := errors.AsType[desk.Uncertain](err)
	_, refused := errors.AsType[auth.Refusal](err)
	_, closed := errors.AsType[auth.Closed](err)
	_, other := errors.AsType[foreign](err)
	_, token := errors.AsType[byToken](err)
	_, late := errors.AsType[*incident.Overtaken](err)
	_, lacks := errors.AsType[*incident.Lacks](err)
	_, moved := errors.AsType[*desk.PlaybookMoved](err)
	switch {
	case refused, closed, other, token, is(desk.ErrLabel):
		return http.StatusForbidden
	case late, lacks, moved, uncertain, is(desk.ErrReportLocked, incident.ErrMerged, oncall.ErrAnswered, oncall.ErrPassed, oncall.ErrRests, errNothingRings, desk.ErrUnderWay, desk.ErrNotKnown, desk.ErrOnceFile, desk.ErrMoved, contact.ErrNotOwed, plan.ErrTaken, incident.ErrClosed):
		return http.StatusConflict
	case is(errMissing, desk.ErrNoOutsideReport, desk.ErrNoPlaybook, playbook.ErrNoRun, desk.ErrNoHabit, desk.ErrNoHook, desk.ErrNoRoom, desk.ErrNoMailKey, fleet.ErrNoAgent, incident.ErrNotFound, review.ErrNotFound, auth.ErrNoApproval, contact.ErrNotFound, rota.ErrUnknown):
		return http.StatusNotFound
	case is(desk.ErrManyKeys, errManySearches, errManyExports, errManyFollow, errManyLarge):
		return http.StatusTooManyRequests
	case is(desk.ErrBroken):
		return http.StatusServiceUnavailable
	case is(context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case is(context.Canceled, desk.ErrBusy): // nothing that a repeat should be told
		return http.StatusServiceUnavailable
	case ours(err):
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// failed maps an error to what the program gets, in one place.
func failed(a ask, err error) huma.StatusError {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	if w, ok := errors.AsType[desk.Asked](err); ok {
		return waits{client.Waiting{Approval: w.ID, Alone: w.Alone, Says: err.Error()}}
	}
	p := problemFor(statusOf(err), err.Error())
	if r, ok := errors.AsType[auth.Refusal](err); ok {
		p.Right = string(r.Action)
	}
	if b, ok := errors.AsType[byToken](err); ok {
		p.Right = string(b.need)
	}
	if errors.Is(err, desk.ErrUnderWay) || p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		p.headers = http.Header{"Retry-After": {"1"}}
	}
	if m, ok := errors.AsType[desk.ManyKeys](err); ok {
		p.headers = http.Header{"Retry-After": {strconv.Itoa(int((m.Wait + time.Second - 1) / time.Second))}}
	}
	if f, ok := errors.AsType[desk.FieldError](err); ok {
		p.Field = f.Field
	}
	if o, ok := errors.AsType[*desk.Overtaken](err); ok {
		p.First, p.Yours = o.First, o.Yours
	}
	if l, ok := errors.AsType[*incident.Lacks](err); ok {
		p.Lacks = l.What
	}
	if b, ok := errors.AsType[*desk.BadPlaybook](err); ok {
		for _, f := range b.Findings[:min(len(b.Findings), errorsAtMost)] {
			p.Errors = append(p.Errors, client.Mistake{Where: fmt.Sprintf("line %d", f.Line), Says: f.Says})
		}
	}
	if m, ok := errors.AsType[mistake](err); ok {
		p.Field = m.field
	}
	if p.Status == http.StatusInternalServerError {
		a.log.Error("an operation failed", "error", err)
		p.Detail = "Tocsin could not do this, for a reason of its own. The program's log says which; what was asked for is in order."
	}
	return p
}

// ours reports whether an error is made of nothing but sentences of ours. What the machine, the network or another module says has a type of theirs, or is one of
// the errors of package io, and is somewhere in the chain.
func ours(err error) bool {
	for _, x := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrShortWrite, io.ErrClosedPipe, fs.ErrClosed, fs.ErrInvalid, net.ErrClosed} {
		if errors.Is(err, x) {
			return false
		}
	}
	t := reflect.TypeOf(err)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if from := t.PkgPath(); from != "errors" && from != "fmt" && !strings.HasPrefix(from, "tocsin/") {
		return false
	}
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		inner := x.Unwrap()
		return inner == nil || ours(inner)
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(x.Unwrap(), func(e error) bool { return !ours(e) })
	}
	return true
}

// errorsAtMost is how many mistakes a problem names.
const errorsAtMost = 20

// worded words what huma found wrong in a request: it says where, and never what was sent, which may be a secret or hostile.
func worded(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	out := client.Problem{Status: m.Status, Title: http.StatusText(m.Status)}
	var says []string
	for _, x := range m.Errors[:min(len(m.Errors), errorsAtMost)] {
		says = append(says, strings.TrimPrefix(fmt.Sprintf("%.100s: %.200s", x.Location, x.Message), ": "))
		out.Errors = append(out.Errors, client.Mistake{Where: fmt.Sprintf("%.100s", x.Location), Says: fmt.Sprintf("%.200s", x.Message)})
	}
	out.Detail = "the request is not what this operation takes: " + strings.Join(says, "; ")
	if len(says) == 0 {
		out.Detail = "the request is not what this operation takes: " + m.Detail
	}
	return out, nil
}
