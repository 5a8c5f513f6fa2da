package api

import (
	"encoding/json"
	"net/http"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/record"
)

// agentRoutes are the routes of agents.
func agentRoutes(d *desk.Desk) []route {
	return []route{
		{"GET /v1/agents", func(http.ResponseWriter, *http.Request) (any, error) { return agents(d) }},
		{"POST /v1/agents", func(w http.ResponseWriter, r *http.Request) (any, error) { return invite(d, w, r) }},
		{"POST /v1/agents/{agent}/revoke", func(w http.ResponseWriter, r *http.Request) (any, error) { return struct{}{}, revoke(d, w, r) }},
	}
}

func agents(d *desk.Desk) (out client.AgentList, err error) {
	out.Agents = []client.Agent{}
	out.Address, out.Fingerprint, _ = d.Hub()
	all, tokens := d.Agents()
	for _, a := range all {
		x := client.Agent{ID: a.ID, Name: a.Name, State: a.State(), Joined: a.Joined, By: a.By, From: d.Text(a.From), Expires: a.Expires, Revoked: a.Revoked, Why: d.Text(a.Why),
			Lost: a.Lost, Seen: a.Seen, Address: a.Address, Lines: a.Lines, Refused: reasons(a.Refused)}
		if !a.HostAt.IsZero() {
			if x.Host, err = json.Marshal(a.Host); err != nil {
				return out, err
			}
		}
		if len(a.Gaps) > 0 {
			if x.Gaps, err = json.Marshal(a.Gaps); err != nil {
				return out, err
			}
		}
		out.Agents = append(out.Agents, x)
	}
	for _, t := range tokens {
		out.Tokens = append(out.Tokens, client.Token{Name: t.Name, Made: t.Made, By: t.By, Expires: t.Expires})
	}
	out.Strangers = reasons(d.Strangers())
	return out, nil
}

func reasons(m map[record.Reason]int64) map[string]int64 {
	out := map[string]int64{}
	for r, n := range m {
		out[string(r)] += n
	}
	return out
}

func invite(d *desk.Desk, w http.ResponseWriter, r *http.Request) (client.Invitation, error) {
	var body struct {
		Name   string        `json:"name"`
		Valid  time.Duration `json:"valid_ns"`
		Person string        `json:"person"`
	}
	if err := read(w, r, maxBody, &body); err != nil {
		return client.Invitation{}, err
	}
	actor, err := actorOf(d, body.Person)
	if err != nil {
		return client.Invitation{}, err
	}
	i, err := d.InviteAgent(actor, body.Name, body.Valid)
	return client.Invitation{Token: i.Token, Command: i.Command(), Expires: i.Expires}, err
}

func revoke(d *desk.Desk, w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Why    string `json:"why"`
		Person string `json:"person"`
	}
	if err := read(w, r, maxBody, &body); err != nil {
		return err
	}
	actor, err := actorOf(d, body.Person)
	if err != nil {
		return err
	}
	return d.RevokeAgent(actor, r.PathValue("agent"), body.Why)
}
