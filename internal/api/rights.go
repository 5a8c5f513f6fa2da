package api

import (
	"fmt"
	"slices"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// roleOperations are those of who holds which role in an incident.
func roleOperations(t *table) {
	o := get("/incidents/{id}/roles", "listRoles", "Show who holds which role in an incident")
	o.need = auth.See
	add(t, o, func(a ask, in *numbered) ([]client.HeldRole, error) { return roles(a, in.ID) })
	o = post("/incidents/{id}/roles", "changeRole", "Take, give, hand over or leave a role in an incident")
	o.need, o.web = auth.Note, "POST /incidents/{id}/role/take, POST /incidents/{id}/role/give, POST /incidents/{id}/role/hand, POST /incidents/{id}/role/leave"
	o.about = "To give a role, and to change what others hold, needs the right lead."
	add(t, o, func(a ask, in *numberedWith[client.RoleChange]) (out []client.HeldRole, err error) {
		x := in.Body
		switch x.Do {
		case "take":
			err = a.desk.TakeRole(a.actor, in.ID, x.Role, x.Deputy)
		case "give":
			err = a.desk.GiveRole(a.actor, in.ID, x.Role, x.To, x.Deputy, x.Note)
		case "hand":
			err = a.desk.HandRole(a.actor, in.ID, x.Role, x.To, x.Note)
		case "leave":
			err = a.desk.LeaveRole(a.actor, in.ID, x.Role, x.To, x.Note)
		default:
			err = mistake{"do", fmt.Sprintf("%.40q is nothing to do with a role; known: take, give, hand, leave", x.Do)}
		}
		if err != nil {
			return nil, err
		}
		return roles(a, in.ID)
	})
}

func roles(a ask, id int64) (out []client.HeldRole, err error) {
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		var i *incident.Incident
		if i, err = s.Incidents.Get(id); err == nil {
			out = heldRoles(s, i)
		}
	})
	return out, err
}

func heldRoles(s *desk.State, i *incident.Incident) (out []client.HeldRole) {
	for _, role := range plan.ResponseRoles() {
		h := i.Roles[role]
		x := client.HeldRole{Role: role, Since: h.Since, Deputies: slices.Clone(h.Deputies)}
		gap := false
		if x.Person, gap = h.Held(desk.CanHold(s, i.ID)); gap && h.Person != "" {
			x.Left = h.Person
		}
		out = append(out, x)
	}
	return out
}

// approvalsAtMost is how many approvals one answer has.
const approvalsAtMost = 1000

// rightOperations are those of rights, approvals and break-glass sheets.
func rightOperations(t *table) {
	o := get("/rights", "getRights", "Show who may do what, and who has which role")
	o.need, o.web = auth.See, "GET /rights"
	add(t, o, func(a ask, _ *none) (client.Rights, error) { return rights(a), nil })
	o = get("/approvals", "listApprovals", "Show what waits for a second person, and what became of the last ones")
	o.need, o.web = auth.See, "GET /approvals"
	add(t, o, func(a ask, _ *none) ([]client.Approval, error) {
		out := []client.Approval{}
		for _, p := range a.desk.Approvals(a.actor, approvalsAtMost) {
			out = append(out, client.Approval{ID: p.ID, Action: p.Action, About: p.About, By: p.Person, At: p.At, Until: p.Until, State: p.State, Who: append([]string{}, p.Who...), Why: p.Why})
		}
		return out, nil
	})
	o = post("/approvals/{id}", "decideApproval", "Approve or deny what waits for a second person")
	o.need, o.web, o.about = auth.See, "POST /approvals/{id}", "It needs the right to what was asked for. A token cannot approve: a program is no person who looks. It can deny what its owner may approve only in the console."
	act(t, o, func(a ask, in *numberedWith[client.Decision]) error {
		return a.desk.Approve(a.actor, in.ID, in.Body.Approve, in.Body.Why)
	})
	o = get("/break-glass", "listSheets", "List the break-glass sheets")
	o.need, o.web, o.about = auth.Sheets, "GET /break-glass", "They are used at the console, where who uses one is seen and everyone is rung."
	add(t, o, func(a ask, _ *none) ([]client.GlassSheet, error) {
		all, err := a.desk.Sheets()
		out := []client.GlassSheet{}
		for _, x := range all.Sheets {
			out = append(out, client.GlassSheet{Number: x.Number, Made: x.Made, By: x.By, State: x.State(), Used: x.Used, Void: x.Void})
		}
		return out, err
	})
	o = post("/break-glass", "makeSheets", "Make break-glass sheets, which replace all sealed ones")
	o.need, o.web, o.shown, o.about = auth.Sheets, "POST /break-glass", true, "First it answers 202; once a second person has approved, the same request makes them. A token cannot ask for it."
	add(t, o, func(a ask, in *body[client.SheetCount]) ([]client.PrintedSheet, error) {
		pages, err := a.desk.MakeSheets(a.actor, in.Body.Count)
		out := []client.PrintedSheet{}
		for _, x := range pages {
			out = append(out, client.PrintedSheet{Number: x.Number, Code: x.Code, Address: x.Address, Made: x.Made, By: x.By})
		}
		return out, err
	})
}

func rights(a ask) client.Rights {
	out := client.Rights{Who: map[string][]string{}}
	for _, x := range auth.Table() {
		out.Table = append(out.Table, client.Right{Action: string(x.Action), Words: x.Words, Roles: x.Roles, Two: x.Two})
	}
	a.desk.ReadAs(a.actor, func(s *desk.State) {
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
	return out
}
