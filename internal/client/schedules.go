package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Schedule is one: who is on call now, and what comes.
type Schedule struct {
	Schedule string    `json:"schedule"`
	Name     string    `json:"name"`
	Zone     string    `json:"zone"`
	Person   string    `json:"person"` // "" is nobody
	Who      string    `json:"who"`
	Until    time.Time `json:"until,omitzero"`
	Next     string    `json:"next"` // the id of who comes then; "" is nobody
	NextWho  string    `json:"next_who"`
	Why      string    `json:"why,omitempty"`
	Shifts   []Shift   `json:"shifts"`
	Gaps     []Shift   `json:"gaps"`
	Warnings []string  `json:"warnings"` // in words, with ids
}

// A Shift is a time in which one person is on call, or nobody is.
type Shift struct {
	Person string    `json:"person"`
	Who    string    `json:"who"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Why    string    `json:"why"`
}

// Schedules says who is on call by every schedule, or by one, and what comes in so many days.
func (c *Client) Schedules(ctx context.Context, schedule string, days int, person string) (out []Schedule, err error) {
	q := url.Values{"schedule": {schedule}, "days": {strconv.Itoa(days)}}
	return out, c.do(ctx, http.MethodGet, as("/v1/schedules?"+q.Encode(), person), nil, &out)
}

// Calendar returns an iCalendar object: of a schedule, or ("") of a person's own duties.
func (c *Client) Calendar(ctx context.Context, schedule, person string) (string, error) {
	var out Exported
	q := url.Values{"schedule": {schedule}}
	err := c.do(ctx, http.MethodGet, as("/v1/schedules/calendar?"+q.Encode(), person), nil, &out)
	return out.Data, err
}

// A Cover asks for an override (with a schedule) or an absence. End ends the one with the number ID.
type Cover struct {
	Schedule string    `json:"schedule,omitempty"`
	Who      string    `json:"who,omitempty"`
	Instead  string    `json:"instead,omitempty"`
	Swap     bool      `json:"swap,omitempty"`
	From     time.Time `json:"from,omitzero"`
	Until    time.Time `json:"until,omitzero"`
	Why      string    `json:"why,omitempty"`
	ID       int64     `json:"id,omitempty"`
	End      bool      `json:"end,omitempty"`
	Person   string    `json:"-"` // who asks
}

// Covered is the number of an override or absence.
type Covered struct {
	ID int64 `json:"id"`
}

// PutOverride puts somebody on call for a time, or ends that.
func (c *Client) PutOverride(ctx context.Context, x Cover) (out Covered, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/schedules/overrides", x.Person), x, &out)
}

// PutAbsence says that somebody is away, or is back.
func (c *Client) PutAbsence(ctx context.Context, x Cover) (out Covered, err error) {
	return out, c.do(ctx, http.MethodPost, as("/v1/schedules/absences", x.Person), x, &out)
}
