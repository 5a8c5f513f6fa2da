package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/fleet"
	"tocsin/internal/record"
)

type (
	// An AgentPath names an agent.
	AgentPath struct {
		Agent string `path:"agent" maxLength:"200" doc:"its id, or its name"`
	}
	invitation struct {
		Name  string        `json:"name,omitempty" maxLength:"100" doc:"without it the agent is called as its host is"`
		Valid time.Duration `json:"valid_ns,omitempty" minimum:"0" doc:"how long the token works; 0 is a day"`
	}
	revoking struct {
		AgentPath
		Body client.Reason
	}
)

// agentOperations are those of agents on other hosts.
func agentOperations(t *table) {
	o := get("/agents", "listAgents", "List the agents, and the tokens that still let one in")
	o.need, o.web = auth.See, "GET /agents"
	add(t, o, func(a ask, _ *none) (client.AgentList, error) { return agents(a.desk), nil })
	o = get("/agents/{agent}", "getAgent", "Show an agent with what it says of its host, and the lines that it lost")
	o.need, o.web = auth.See, "GET /agents/{id}"
	add(t, o, func(a ask, in *AgentPath) (client.Agent, error) { return agent(a.desk, in.Agent) })
	o = post("/agents", "inviteAgent", "Make a token that lets one agent join")
	o.need, o.web, o.shown, o.silent = auth.Hosts, "POST /agents", true, true
	add(t, o, func(a ask, in *body[invitation]) (client.Invitation, error) {
		i, err := a.desk.InviteAgent(a.actor, in.Body.Name, cmp.Or(in.Body.Valid, 24*time.Hour))
		return client.Invitation{Token: i.Token, Command: i.Command(), Expires: i.Expires}, err
	})
	o = post("/agents/{agent}/revoke", "revokeAgent", "Hear an agent no more")
	o.need, o.web = auth.Hosts, "POST /agents/{id}/revoke"
	act(t, o, func(a ask, in *revoking) error { return a.desk.RevokeAgent(a.actor, in.Agent, in.Body.Why) })
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
