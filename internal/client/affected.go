package client

import (
	"context"
	"fmt"
	"net/http"
)

// Affected is what an incident touched and cost: a row each, its parts with semicolons between them, as the console's form takes them.
type Affected struct {
	Systems []string `json:"systems" maxItems:"200" doc:"name; what it is for; what happened to it; its state now"`
	Data    []string `json:"data" maxItems:"200" doc:"which; read, copied, changed, destroyed or exposed; how many records; how one knows"`
	People  []string `json:"people" maxItems:"200" doc:"who; how many; in which countries; how one knows"`
	Costs   []string `json:"costs" maxItems:"200" doc:"what; 12500.50 EUR; 32 h 10 min; estimate"`
	Seen    int64    `json:"seen,omitempty" minimum:"0" doc:"entry of the version that was looked at; 0 of none. If another was written since, it is refused"`
	Kept    string   `json:"kept,omitempty" maxLength:"1000" doc:"why the rows are not told, so that nothing may be written in their place either"`
}

// PutAffected writes down what an incident touched and cost, in the place of what was written before.
func (c *Client) PutAffected(ctx context.Context, id int64, x Affected, person string) error {
	return c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/affected", id), person), x, nil)
}
