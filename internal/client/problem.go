package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A Problem is why something was not done (RFC 9457, type about:blank). As an error it is the server's sentence.
type Problem struct {
	Status int       `json:"status" doc:"the status of HTTP"`
	Title  string    `json:"title" doc:"the name of that status"`
	Detail string    `json:"detail" doc:"a sentence: what is wrong, and how to mend it"`
	Right  string    `json:"right,omitempty" doc:"of 403: the right that is missing, as in the table of rights"`
	Field  string    `json:"field,omitempty" doc:"the field that is wrong, if it is one"`
	First  string    `json:"first,omitempty" doc:"of 409, when two worked at once: what the first one wrote"`
	Yours  string    `json:"yours,omitempty" doc:"and what you sent, so that it is not lost"`
	Lacks  []string  `json:"lacks,omitempty" doc:"of closing: what must be written first (cause, lessons), unless an excuse says why not"`
	Errors []Mistake `json:"errors,omitempty" doc:"what is wrong with the form of the request"`

	After time.Duration `json:"-"` // when to ask again, as the header Retry-After says
}

// A Mistake is one thing that is wrong with the form of a request.
type Mistake struct {
	Where string `json:"where" doc:"such as body.severity"`
	Says  string `json:"says"`
}

func (p Problem) Error() string { return p.Detail }

// Waiting says that something waits for a second person. It is no failure.
type Waiting struct {
	Approval int64     `json:"approval" doc:"its number: somebody else approves it within 24 hours"`
	Alone    time.Time `json:"alone,omitzero" doc:"nobody else can approve it: when it passes unless somebody denies it"`
	Says     string    `json:"says" doc:"the same in words"`
}

func (w Waiting) Error() string { return w.Says }

// problemIn is what the server says instead of an answer: a Problem, or a Waiting.
func problemIn(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("reading what Tocsin said: %w", err)
	}
	if resp.StatusCode == http.StatusAccepted {
		var w Waiting
		if err := json.Unmarshal(b, &w); err != nil {
			return fmt.Errorf("reading what Tocsin said: %w", err)
		}
		return w
	}
	var p Problem
	if json.Unmarshal(b, &p) != nil || p.Detail == "" {
		p = Problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode), Detail: resp.Status}
	}
	p.Status = resp.StatusCode
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 && n <= 3600 {
		p.After = time.Duration(n) * time.Second
	}
	return p
}
