package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// An Agent is one on another host, as `agents list --json` prints it (without host and gaps) and `agents show --json`.
type Agent struct {
	ID      string           `json:"id"`
	Name    string           `json:"name"`
	State   string           `json:"state"` // heard, lost, revoked, not heard yet
	Joined  time.Time        `json:"joined"`
	By      string           `json:"by,omitempty"` // who made its token
	From    string           `json:"from,omitempty"`
	Expires time.Time        `json:"expires"` // of its certificate
	Revoked time.Time        `json:"revoked,omitzero"`
	Why     string           `json:"why,omitempty"`
	Lost    time.Time        `json:"lost,omitzero"` // when it was heard of last, while it is lost
	Seen    time.Time        `json:"seen,omitzero"`
	Address string           `json:"address,omitempty"`
	Lines   int64            `json:"lines"` // since the server's start
	Refused map[string]int64 `json:"refused,omitempty"`
	Host    json.RawMessage  `json:"host,omitempty"` // what it says of its host: record.Host
	Gaps    []Loss           `json:"gaps,omitempty"` // lines that it lost
}

// A Loss is lines that an agent lost: record.Gap, and when it told of them.
type Loss struct {
	Told  time.Time `json:"told"`
	File  string    `json:"file"`
	Print string    `json:"print,omitempty"`
	From  int64     `json:"from"`
	To    int64     `json:"to"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Why   string    `json:"why"`
}

// A Token may still be used to join.
type Token struct {
	Name    string    `json:"name,omitempty"`
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
}

// An AgentList is all agents and tokens.
type AgentList struct {
	Address     string           `json:"address,omitempty"`     // at which agents are heard
	Fingerprint string           `json:"fingerprint,omitempty"` // by which they know this server; "" when none are heard
	Agents      []Agent          `json:"agents"`
	Tokens      []Token          `json:"tokens,omitempty"`
	Strangers   map[string]int64 `json:"strangers,omitempty"` // refused requests of those who are no agents, by reason
}

// An Invitation lets one agent join.
type Invitation struct {
	Token   string    `json:"token"`
	Command string    `json:"command"` // to be typed on the host
	Expires time.Time `json:"expires"`
}

// Agents lists them. Errors: ErrNotRunning, or the server's words.
func (c *Client) Agents(ctx context.Context) (out AgentList, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/agents", nil, &out)
}

// Agent shows one, which is named by its id or name, with its host and what it lost. Errors: ErrNotRunning, or the server's words.
func (c *Client) Agent(ctx context.Context, which string) (out Agent, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/agents/"+url.PathEscape(which), nil, &out)
}

// InviteAgent makes a token. name may be "": then the agent is called as its host is.
func (c *Client) InviteAgent(ctx context.Context, name string, valid time.Duration, person string) (out Invitation, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/agents", person), map[string]any{"name": name, "valid_ns": valid}, &out)
}

// RevokeAgent hears an agent no more. It is named by its id or name.
func (c *Client) RevokeAgent(ctx context.Context, which, why, person string) error {
	return c.do(ctx, http.MethodPost, as("/v1/agents/"+url.PathEscape(which)+"/revoke", person), map[string]string{"why": why}, nil)
}
