package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A Tracing is what to read the cause of an incident with.
type Tracing struct {
	Zone    string        `json:"zone,omitempty"`       // IANA name, of times in queries; "" is UTC
	Timeout time.Duration `json:"timeout_ns,omitempty"` // after it the trace ends with what it knows; 0 is the server's
	Person  string        `json:"-"`
}

// A Story is how an incident came about, as `trace --json` prints it.
type Story struct {
	Incident   int64       `json:"incident"`
	Title      string      `json:"title"`
	Statements []Statement `json:"statements"` // in order of time
	Nodes      []Node      `json:"nodes"`
	Edges      []Edge      `json:"edges"`
	Cut        []string    `json:"cut"`   // sentences that say what was not looked into, or is not told
	Asked      int         `json:"asked"` // questions to the kept lines
}

// A Statement is one sentence of it, and the lines that it stands on.
type Statement struct {
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
	Kind  string    `json:"kind"` // fact, guess
	Step  string    `json:"step"` // which question it answers: first, tried, entered, moved, ...
	Text  string    `json:"text"`
	Why   string    `json:"why,omitempty"` // of a guess
	Bytes int64     `json:"bytes,omitempty"`
	About []int     `json:"about"` // places in Nodes
	Count int64     `json:"count"` // lines
	Query string    `json:"query"` // finds precisely them
	Lines []LineRef `json:"lines"` // the first ones
}

// A LineRef names a kept line.
type LineRef struct {
	Number int64     `json:"number"` // in the archive
	Host   string    `json:"host,omitempty"`
	File   string    `json:"file"`
	Time   time.Time `json:"time"`
}

// A Node is somebody or something in the graph.
type Node struct {
	Kind    string `json:"kind"` // address, account, session, program, file, alert
	Name    string `json:"name"`
	Note    string `json:"note,omitempty"`
	Suspect bool   `json:"suspect,omitempty"`
}

// An Edge says what one node has to do with another.
type Edge struct {
	From      int    `json:"from"` // places in Nodes
	To        int    `json:"to"`
	Verb      string `json:"verb"`
	Statement int    `json:"statement"` // place in Statements
	Guess     bool   `json:"guess,omitempty"`
}

// Trace reads for the cause of an incident. Errors: ErrNotRunning, or the server's words.
func (c *Client) Trace(ctx context.Context, incident int64, x Tracing) (out Story, err error) {
	body, err := c.stream(ctx, as(fmt.Sprintf("/v1/incidents/%d/trace", incident), x.Person), x)
	if err != nil {
		return out, err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&out); err != nil {
		return out, fmt.Errorf("reading what the running Tocsin told: %w", err)
	}
	return out, nil
}
