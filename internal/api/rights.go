package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// approvalsAtMost is how many approvals one answer has.
const approvalsAtMost = 1000

// rightRoutes are the routes of rights, of roles in incidents, and of approvals.
func rightRoutes(d *desk.Desk) []route {
	return []route{
		{"GET /v1/rights", func(_ http.ResponseWriter, r *http.Request) (any, error) { return rights(d, r) }},
		{"GET /v1/incidents/{id}/roles", func(_ http.ResponseWriter, r *http.Request) (any, error) {
			actor, id, err := onIncident(d, r, r.URL.Query().Get("person"))
			if err != nil {
				return nil, err
			}
			return roles(d, actor, id)
		}},
		{"POST /v1/incidents/{id}/roles", func(w http.ResponseWriter, r *http.Request) (any, error) { return changeRole(d, w, r) }},
		{"GET /v1/approvals", func(_ http.ResponseWriter, r *http.Request) (any, error) { return approvals(d, r) }},
	}
}

func onIncident(d *desk.Desk, r *http.Request, person string) (auth.Actor, int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return auth.Actor{}, 0, fmt.Errorf("%q is not the number of an incident", r.PathValue("id"))
	}
	actor, err := actorOf(d, person)
	return actor, id, err
}

func rights(d *desk.Desk, r *http.Request) (client.Rights, error) {
	out := client.Rights{Who: map[string][]string{}}
	actor, err := actorOf(d, r.URL.Query().Get("person"))
	if err == nil {
		err = auth.May(actor, auth.See)
	}
	if err != nil {
		return out, err
	}
	for _, x := range auth.Table() {
		out.Table = append(out.Table, client.Right{Action: string(x.Action), Words: x.Words, Roles: x.Roles, Two: x.Two})
	}
	d.ReadAs(actor, func(s *desk.State) {
		for id, p := range s.Plan.People {
			for _, role := range p.Roles {
				if !p.Gone {
					out.Who[role] = append(out.Who[role], id)
				}
			}
		}
	})
	for role := range out.Who {
		slices.Sort(out.Who[role])
	}
	return out, nil
}

func roles(d *desk.Desk, actor auth.Actor, id int64) (out []client.HeldRole, err error) {
	if err := d.MayOn(actor, auth.See, id); err != nil {
		return nil, err
	}
	d.ReadAs(actor, func(s *desk.State) {
		var i *incident.Incident
		if i, err = s.Incidents.Get(id); err != nil {
			return
		}
		onTeam := func(person string) bool { p, ok := s.Plan.People[person]; return ok && !p.Gone }
		for _, role := range plan.ResponseRoles() {
			h := i.Roles[role]
			x := client.HeldRole{Role: role, Since: h.Since, Deputies: slices.Clone(h.Deputies)}
			gap := false
			if x.Person, gap = h.Held(onTeam); gap && h.Person != "" {
				x.Left = h.Person
			}
			out = append(out, x)
		}
	})
	return out, err
}

func changeRole(d *desk.Desk, w http.ResponseWriter, r *http.Request) ([]client.HeldRole, error) {
	var x client.RoleChange
	if err := read(w, r, maxBody, &x); err != nil {
		return nil, err
	}
	actor, id, err := onIncident(d, r, x.Person)
	if err != nil {
		return nil, err
	}
	switch x.Do {
	case "take":
		err = d.TakeRole(actor, id, x.Role, x.Deputy)
	case "give":
		err = d.GiveRole(actor, id, x.Role, x.To, x.Deputy, x.Note)
	case "hand":
		err = d.HandRole(actor, id, x.Role, x.To, x.Note)
	case "leave":
		err = d.LeaveRole(actor, id, x.Role, x.To, x.Note)
	default:
		err = fmt.Errorf("%q is nothing to do with a role; known: take, give, hand, leave", x.Do)
	}
	if err != nil {
		return nil, err
	}
	return roles(d, actor, id)
}

func approvals(d *desk.Desk, r *http.Request) ([]client.Approval, error) {
	actor, err := actorOf(d, r.URL.Query().Get("person"))
	if err == nil {
		err = auth.May(actor, auth.See)
	}
	if err != nil {
		return nil, err
	}
	out := []client.Approval{}
	for _, p := range d.Approvals(actor, approvalsAtMost) {
		out = append(out, client.Approval{ID: p.ID, Action: p.Action, About: p.About, By: p.Person, At: p.At, Until: p.Until, State: p.State, Who: append([]string{}, p.Who...), Why: p.Why})
	}
	return out, nil
}
