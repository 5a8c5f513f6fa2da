package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A Way is one channel of one person, and whether it is proven.
type Way struct {
	Person  string    `json:"person"`
	Channel string    `json:"channel,omitempty"`
	State   string    `json:"state"` // proven, or why it is not: never, failing, silent, old, testing, noway
	At      time.Time `json:"at,omitzero"`
}

// A Turn is a step of a policy as it would ring now.
type Turn struct {
	Step  int      `json:"step"` // from 1
	Wait  string   `json:"wait"`
	Rings []string `json:"rings"`          // "anna by mail"
	Left  []string `json:"left,omitempty"` // "schedule:web: nobody"
}

// OnCall is who would be rung now.
type OnCall struct {
	At          time.Time         `json:"at"`
	Policies    map[string][]Turn `json:"policies"` // by severity
	Maintenance []string          `json:"maintenance,omitempty"`
	Ready       int               `json:"ready"` // of 100 channels, so many are proven
	Ways        []Way             `json:"ways"`
}

// OnCall says who would be rung now. Errors: ErrNotRunning, or the server's words.
func (c *Client) OnCall(ctx context.Context) (out OnCall, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/oncall", nil, &out)
}

// Simulation is what to simulate.
type Simulation struct {
	Policy   string        `json:"policy,omitempty"` // "" is the one for the severity
	Severity string        `json:"severity"`
	At       time.Time     `json:"at,omitzero"` // zero is now
	Lasts    time.Duration `json:"lasts_ns,omitempty"`
}

// A Moment is one thing that a simulation saw.
type Moment struct {
	After   time.Duration `json:"after_ns"`
	At      time.Time     `json:"at"`
	What    string        `json:"what"`           // step, ring, later, held, left, maintenance
	Step    int           `json:"step,omitempty"` // from 1
	Person  string        `json:"person,omitempty"`
	Channel string        `json:"channel,omitempty"`
	Target  string        `json:"target,omitempty"`
	Why     string        `json:"why,omitempty"`
	Until   time.Time     `json:"until,omitzero"`
	Instead string        `json:"instead,omitempty"`
}

// Simulate says who would be rung, minute by minute. Errors: ErrNotRunning, or the server's words.
func (c *Client) Simulate(ctx context.Context, x Simulation) (out []Moment, err error) {
	return out, c.do(ctx, http.MethodPost, "/v1/oncall/simulate", x, &out)
}

// A Snoozing keeps a call quiet.
type Snoozing struct {
	Lasts time.Duration `json:"lasts_ns" minimum:"1" doc:"for so many nanoseconds; a critical one for a quarter of an hour at most"`
}

// PassOn lets the next step ring at once. Errors: ErrNotRunning, or the server's words.
func (c *Client) PassOn(ctx context.Context, call int64, person string) (out Answered, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/calls/"+callWord(call)+"/pass", person), nil, &out)
}

// Snooze keeps a call quiet for a while. Errors: ErrNotRunning, or the server's words.
func (c *Client) Snooze(ctx context.Context, call int64, lasts time.Duration, person string) (out Answered, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/calls/"+callWord(call)+"/snooze", person), Snoozing{Lasts: lasts}, &out)
}

// callWord names a call; 0 is the one that rings longest.
func callWord(call int64) string {
	if call == 0 {
		return "ringing"
	}
	return fmt.Sprint(call)
}
