package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Rights is who may do what.
type Rights struct {
	Table []Right             `json:"table"`
	Who   map[string][]string `json:"who"` // staff ids by role
}

// A Right is one action, and the roles that may do it.
type Right struct {
	Action string   `json:"action"`
	Words  string   `json:"words"`
	Roles  []string `json:"roles"`
	Two    bool     `json:"two_persons,omitempty"` // another one who may do it too must approve
}

// A HeldRole is who has a role in an incident.
type HeldRole struct {
	Role     string    `json:"role"`
	Person   string    `json:"person,omitempty"` // "" is a gap
	Since    time.Time `json:"since,omitzero"`
	Deputies []string  `json:"deputies,omitempty"`
	Left     string    `json:"left,omitempty"` // who held it, and left the team
}

// A RoleChange is what becomes of a role in an incident.
type RoleChange struct {
	Person string `json:"-"`  // staff id of who does it; "" is whoever sits at this machine
	Do     string `json:"do"` // take, give, hand, leave
	Role   string `json:"role"`
	To     string `json:"to,omitempty"` // who gets it, or whose it was, of leave
	Deputy bool   `json:"deputy,omitempty"`
	Note   string `json:"note,omitempty"`
}

// An Approval is something that needs a second person.
type Approval struct {
	ID     int64     `json:"id"`
	Action string    `json:"action"`
	About  string    `json:"about"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
	State  string    `json:"state"` // asked, approved, denied, expired, done, failed
	Who    []string  `json:"who"`   // who can approve it
	Why    string    `json:"why,omitempty"`
}

// Rights returns the table of rights. Errors: ErrNotRunning, or the server's words.
func (c *Client) Rights(ctx context.Context, person string) (out Rights, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/rights", person), nil, &out)
}

// Roles returns who has which role in an incident.
func (c *Client) Roles(ctx context.Context, incident int64, person string) (out []HeldRole, err error) {
	return out, c.do(ctx, http.MethodGet, as(fmt.Sprintf("/v1/incidents/%d/roles", incident), person), nil, &out)
}

// ChangeRole changes a role in an incident, and returns who has which then.
func (c *Client) ChangeRole(ctx context.Context, incident int64, x RoleChange) (out []HeldRole, err error) {
	return out, c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/roles", incident), x.Person), x, &out)
}

// Approvals returns what waits for a second person, and what became of the last ones.
func (c *Client) Approvals(ctx context.Context, person string) (out []Approval, err error) {
	return out, c.do(ctx, http.MethodGet, as("/v1/approvals", person), nil, &out)
}

// A Decision approves or denies something that needs a second person.
type Decision struct {
	Approve bool   `json:"approve" doc:"false denies it; who asked for it may deny it, which takes it back"`
	Why     string `json:"why,omitempty" maxLength:"10000" doc:"the reason, for the ledger"`
}

// Decide approves what waits for a second person, or denies it. A token cannot: a program is no person who looks.
func (c *Client) Decide(ctx context.Context, id int64, x Decision, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/approvals/%d", id), person), x, nil)
}
