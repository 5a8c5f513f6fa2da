package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tocsin/internal/desk"
)

// writeWithin is how long who asked may take to take a part of an answer.
const writeWithin = time.Minute

// keyed reports whether an operation is done once under a key.
func (o operation) keyed() bool { return o.verb == http.MethodPost && !o.stream && !o.reads }

// hurry gives who asked a minute to take the answer.
func (a ask) hurry() {
	if a.w != nil {
		_ = http.NewResponseController(a.w).SetWriteDeadline(time.Now().Add(writeWithin)) // not every connection has one
	}
}

// prompt gives each part of an answer a minute to be taken.
type prompt struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p prompt) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(writeWithin)) // not every connection has one
	return p.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (p prompt) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// before is an answer that was given before, under the same key. huma takes it as it takes problems.
type before struct{ desk.Reply }

func (b before) GetStatus() int { return b.Status }

func (b before) Error() string { return "it was answered before" }

func (b before) GetHeaders() http.Header { return http.Header{"Idempotent-Replayed": {"true"}} }

// MarshalJSON returns the answer as it was.
func (b before) MarshalJSON() ([]byte, error) { return b.Body, nil }

// keyed does what is asked for under a key, or answers as it was answered before. Without a key it does it. What was begun under a key is ended though
// who asked has gone: they will ask again. Its form was looked at before, so that no key is taken for what cannot be done.
func keyed[O any](a ask, o operation, do func(ask) (O, error)) (out O, err error) {
	if a.under == nil {
		if out, err = do(a); err != nil {
			return out, failed(a, err)
		}
		return out, nil
	}
	was, err := a.desk.Once(*a.under, a.now)
	switch {
	case err != nil:
		return out, failed(a, err)
	case was != nil && was.Shown:
		return out, problemFor(http.StatusConflict, "this was done, and its answer is shown only once: what it made can be ended, and made anew under a new idempotency key")
	case was != nil && was.Gone:
		return out, problemFor(http.StatusConflict, "this was done, and its answer is not kept: it was long, or what it named was erased since")
	case was != nil:
		return out, before{*was}
	}
	var kept *desk.Reply
	defer func() { // also when it panics
		if err := a.desk.Answered(*a.under, kept); err != nil {
			a.log.Error("an answer could not be kept under its idempotency key", "operation", o.id, "error", err)
		}
	}()
	ctx, stop := context.WithCancel(context.WithoutCancel(a.ctx))
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	a.ctx = ctx
	watching.Go(func() {
		select {
		case <-ctx.Done():
		case <-a.table.quit:
			stop()
		}
	})
	if out, err = do(a); err != nil {
		p := failed(a, err)
		if ctx.Err() == nil {
			kept = &desk.Reply{Status: p.GetStatus()}
		}
		return out, p
	}
	var b bytes.Buffer
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false)
	if err := to.Encode(out); err != nil {
		return out, failed(a, err)
	}
	kept = &desk.Reply{Status: http.StatusOK, Type: "application/json", Body: bytes.TrimSpace(b.Bytes()), Shown: o.shown}
	if o.shown {
		kept.Body = nil
	}
	return out, nil
}

var _ huma.StatusError = before{}
