package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A Watching puts values on a watch list; a file's content goes in Data in place of Values.
type Watching struct {
	Person string    `json:"-"`               // staff id of who does it; "" is whoever sits at this machine
	List   string    `json:"list"`            // its name or number; a new name makes a list
	Level  string    `json:"level,omitempty"` // low, medium, high
	About  string    `json:"about,omitempty"`
	Values []string  `json:"values,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	File   string    `json:"file,omitempty"` // name of the imported file
	Data   string    `json:"data,omitempty"`
	End    bool      `json:"end,omitempty" doc:"of removing: the whole list"`
}

// A Watched answer says what became of it.
type Watched struct {
	List    int64          `json:"list"`
	Added   int            `json:"added"`
	Known   int            `json:"known"`
	Removed int            `json:"removed"`
	Format  string         `json:"format,omitempty"`
	Refused []NotTaken     `json:"refused,omitempty"`
	More    int            `json:"refused_more,omitempty"` // that were refused and are not named
	Passed  map[string]int `json:"passed,omitempty"`
	Expired int            `json:"expired,omitempty"`
}

// A NotTaken part of a file could not be put on a list.
type NotTaken struct {
	Where   string `json:"where"`
	Feature string `json:"feature"`
	Why     string `json:"why"`
}

// A WatchList is a list as `watch list --json` prints it.
type WatchList struct {
	ID      int64       `json:"id"`
	Name    string      `json:"name"`
	About   string      `json:"about,omitempty"`
	Level   string      `json:"level"`
	Refused int         `json:"refused,omitempty"`
	Fault   string      `json:"fault,omitempty"`
	Hits    int64       `json:"hits"`
	LastHit time.Time   `json:"last_hit,omitzero"`
	Values  []ListValue `json:"values"`
}

// A ListValue stands on a list.
type ListValue struct {
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	Note  string    `json:"note,omitempty"`
	Of    string    `json:"of,omitempty"`
	Added time.Time `json:"added"`
}

// A Never says who never alerts until when, and why.
type Never struct {
	ID         int64     `json:"id,omitempty"`
	Person     string    `json:"-"`
	Rule       string    `json:"rule,omitempty"`
	From       string    `json:"from,omitempty"` // address or network
	Account    string    `json:"account,omitempty"`
	Until      time.Time `json:"until"`
	Why        string    `json:"why"`
	By         string    `json:"by,omitempty"`
	Suppressed int64     `json:"suppressed,omitempty"` // alerts that opened no incident because of it
	Last       time.Time `json:"last,omitzero"`        // when it suppressed last
}

// A RuleState is which rules the server uses.
type RuleState struct {
	Hash    string       `json:"hash"`
	Loaded  int          `json:"loaded"`
	Refused []BrokenRule `json:"refused"`           // do not watch
	Kept    []BrokenRule `json:"kept"`              // broken in their files; the old ones stay
	Trouble string       `json:"trouble,omitempty"` // why the folders could not be read again
}

// A BrokenRule could not be loaded.
type BrokenRule struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Rule    string `json:"rule,omitempty"`
	Feature string `json:"feature"`
	Why     string `json:"why"`
}

// Watch puts values on a watch list, Import those of a file. Unwatch takes values off, or ends the whole list by End.
func (c *Client) Watch(ctx context.Context, x Watching) (out Watched, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/watch", x.Person), x, &out)
}

// Import puts the values of a file on a watch list.
func (c *Client) Import(ctx context.Context, x Watching) (out Watched, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/watch/import", x.Person), x, &out)
}

// Unwatch takes values off a list, or ends the whole list by End.
func (c *Client) Unwatch(ctx context.Context, x Watching) (out Watched, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/watch/remove", x.Person), x, &out)
}

// WatchLists returns every list with its values.
func (c *Client) WatchLists(ctx context.Context) (out []WatchList, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/watch", nil, &out)
}

// AddNever adds a mute and returns its id.
func (c *Client) AddNever(ctx context.Context, x Never) (out Never, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/never", x.Person), x, &out)
}

// RemoveNever ends a mute now.
func (c *Client) RemoveNever(ctx context.Context, id int64, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/never/%d/remove", id), person), nil, nil)
}

// Nevers returns the mutes that are in force.
func (c *Client) Nevers(ctx context.Context) (out []Never, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/never", nil, &out)
}

// Rules returns which rules the server uses.
func (c *Client) Rules(ctx context.Context) (out RuleState, err error) {
	return out, c.do(ctx, http.MethodGet, "/v1/rules", nil, &out)
}
