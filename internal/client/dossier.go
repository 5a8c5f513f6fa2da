package client

import (
	"context"
	"fmt"
	"net/http"
)

// A DossierAsk says which report of an incident is wanted.
type DossierAsk struct {
	Format   string `json:"format,omitempty" enum:"pdf,html,docx,md" doc:"pdf, if it is not said"`
	Depth    string `json:"depth,omitempty" enum:"full,executive" doc:"full, if it is not said"`
	Audience string `json:"audience,omitempty" maxLength:"16" doc:"TLP label of those who read it: CLEAR, GREEN, AMBER (if it is not said), AMBER+STRICT; RED is for the eyes of who asks, when they are named on a restricted incident"`
	Zone     string `json:"zone,omitempty" maxLength:"64" doc:"of the times in it, as Europe/Berlin; UTC, if it is not said"`
	Template string `json:"template,omitempty" maxLength:"60000" doc:"one of your own, for html and md"`
}

// A Dossier is the report of an incident, and the signed manifest that vouches for its bytes.
type Dossier struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Bytes    []byte `json:"bytes" doc:"base64"`
	Manifest string `json:"manifest"`
}

// MakeDossier writes the report of an incident as it stands now.
func (c *Client) MakeDossier(ctx context.Context, id int64, x DossierAsk, person string) (out Dossier, err error) {
	return out, c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/report", id), person), x, &out)
}

// An ExchangeAsk says in which form other teams get an incident.
type ExchangeAsk struct {
	Format   string `json:"format" enum:"stix,veris"`
	Audience string `json:"audience,omitempty" maxLength:"16" doc:"TLP label of those who read it: CLEAR, GREEN, AMBER (if it is not said), AMBER+STRICT"`
}

// An Exchanged answer is an incident for other teams, and what is not in it.
type Exchanged struct {
	Data    string `json:"data" doc:"JSON"`
	Label   string `json:"label" doc:"of the whole: TLP:GREEN"`
	Objects int    `json:"objects"`
	Hidden  int    `json:"hidden" doc:"parts that the label of the readers does not let out"`
	Victims int    `json:"victims" doc:"values that are a victim's, which are left out"`
	Wrong   int    `json:"wrong" doc:"values that are none of their kind"`
	More    int    `json:"more" doc:"parts beyond the bounds"`
}

// Exchange writes an incident for other teams.
func (c *Client) Exchange(ctx context.Context, id int64, x ExchangeAsk, person string) (out Exchanged, err error) {
	return out, c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/exchange", id), person), x, &out)
}
