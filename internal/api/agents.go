package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/fleet"
	"tocsin/internal/record"
)

// agentRoutes are the routes of agents.
func agentRoutes(d *desk.Desk) []route {
	return []route{
		{"GET /v1/agents", func(http.ResponseWriter, *http.Request) (any, error) { return agents(d), nil }},
		{"GET /v1/agents/{agent}", func(_ http.ResponseWriter, r *http.Request) (any, error) { return agent(d, r.PathValue("agent")) }},
		{"POST /v1/agents", func(w http.ResponseWriter, r *http.Request) (any, error) { return invite(d, w, r) }},
		{"POST /v1/agents/{agent}/revoke", func(w http.ResponseWriter, r *http.Request) (any, error) { return struct{}{}, revoke(d, w, r) }},
	}
}

// agents lists all without what they say of their hosts, which may be a megabyte each.
func agents(d *desk.Desk) client.AgentList {
	out := client.AgentList{Agents: []client.Agent{}, Strangers: reasons(d.Strangers())}
	out.Address, out.Fingerprint, _ = d.Hub()
	all, tokens := d.Agents()
	for _, a := range all {
		out.Agents = append(out.Agents, agentOf(d, a))
	}
	for _, t := range tokens {
		out.Tokens = append(out.Tokens, client.Token{Name: t.Name, Made: t.Made, By: t.By, Expires: t.Expires})
	}
	return out
}

// agent is one, by its id or else its name, with what it says of its host and what it lost. Of those with one name, the one that is heard comes first.
func agent(d *desk.Desk, which string) (client.Agent, error) {
	all, _ := d.Agents()
	k := slices.IndexFunc(all, func(a desk.Agent) bool { return a.ID == which })
	if k < 0 {
		k = slices.IndexFunc(all, func(a desk.Agent) bool { return a.Name == which })
	}
	if k < 0 {
		return client.Agent{}, fmt.Errorf("%w %q: tocsin agents list names them", fleet.ErrNoAgent, which)
	}
	a := all[k]
	x := agentOf(d, a)
	var err error
	if !a.HostAt.IsZero() {
		if x.Host, err = json.Marshal(a.Host); err != nil {
			return x, err
		}
	}
	for _, g := range a.Gaps {
		x.Gaps = append(x.Gaps, client.Loss{Told: g.Told, File: g.File, Print: g.Print, From: g.From, To: g.To, Since: g.Since, Until: g.Until, Why: g.Why})
	}
	return x, nil
}

func agentOf(d *desk.Desk, a desk.Agent) client.Agent {
	return client.Agent{ID: a.ID, Name: a.Name, State: a.State(), Joined: a.Joined, By: a.By, From: d.Text(a.From), Expires: a.Expires, Revoked: a.Revoked, Why: d.Text(a.Why),
		Lost: a.Lost, Seen: a.Seen, Address: a.Address, Lines: a.Lines, Refused: reasons(a.Refused)}
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
	actor, err := readFrom(d, w, r, &body, &body.Person)
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
	actor, err := readFrom(d, w, r, &body, &body.Person)
	if err != nil {
		return err
	}
	return d.RevokeAgent(actor, r.PathValue("agent"), body.Why)
}
