package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/ui"
)

// approvalsShown is how many approvals a page has.
const approvalsShown = 100

// rights shows the table of rights, and who has which role.
func (s *Server) rights(v *visit) error {
	view := ui.RightsView{Frame: s.frame(v, "people", "Who may do what")}
	for _, r := range plan.Roles() {
		view.Roles = append(view.Roles, plan.RoleWord(r))
	}
	for _, rule := range auth.Table() {
		row := ui.RightRow{Action: string(rule.Action), Words: rule.Words, Two: rule.Two}
		for _, r := range plan.Roles() {
			row.May = append(row.May, slices.Contains(rule.Roles, r))
		}
		view.Rows = append(view.Rows, row)
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, r := range plan.Roles() {
			var who []string
			for _, id := range staff(st) {
				if slices.Contains(st.Plan.People[id].Roles, r) {
					who = append(who, s.name(st, id))
				}
			}
			view.Holders = append(view.Holders, ui.Fact{Name: plan.RoleWord(r), Value: orElse(strings.Join(who, ", "), "nobody")})
		}
	})
	return ui.Rights.Show(v.w, http.StatusOK, view)
}

// approvals lists what waits for a second person.
func (s *Server) approvals(v *visit) error { return s.showApprovals(v, http.StatusOK, nil) }

// showApprovals lists it, with why nothing was decided.
func (s *Server) showApprovals(v *visit, code int, mistake error) error {
	view := ui.ApprovalsView{Frame: s.frame(v, "people", "Approvals")}
	list := s.desk.Approvals(v.actor, approvalsShown)
	words := map[auth.Action]string{}
	for _, r := range auth.Table() {
		words[r.Action] = r.Words
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, p := range list {
			row := ui.ApprovalRow{ID: fmt.Sprint(p.ID), Words: desk.Title(words[auth.Action(p.Action)]), About: p.About, Why: ui.VisibleLines(p.Why), By: s.actorName(st, "person:"+p.Person),
				At: v.at(p.At), State: approvalState(p.State), May: p.May, Mine: p.Mine && p.State == "asked", Action: fmt.Sprintf("/approvals/%d", p.ID)}
			var who []string
			for _, id := range p.Who {
				who = append(who, s.name(st, id))
			}
			switch {
			case p.State == "asked" && len(who) > 0:
				row.Ends, row.Says = v.at(p.Until), "Can be approved by "+strings.Join(who, ", ")+"."
			case p.State == "asked" && p.Alone:
				row.Ends, row.Says = v.at(p.Due), "There is no second person: everyone is rung, and it passes unless somebody denies it."
			case p.State == "asked":
				row.Ends, row.Says = v.at(p.Until), "Nobody who could approve it can sign in now."
			case p.Decided.Alone:
				row.Says = "It passed without a second person, because there was none."
			case p.Decided.Person != "":
				row.Says = "Decided by " + s.actorName(st, "person:"+p.Decided.Person) + "."
			}
			if p.State == "failed" {
				row.Says += " It could not be done: " + s.desk.Text(p.Text)
			}
			if p.Action == string(auth.Sheets) && p.State == "approved" && p.Mine {
				row.Says += " Make the sheets now, once, under People and policy, Break-glass sheets."
			}
			view.Rows = append(view.Rows, row)
		}
	})
	if mistake != nil {
		view.Errors, view.Still = ui.Errors{{Says: sentence(mistake)}}, true
	}
	return ui.Approvals.Show(v.w, code, view)
}

func approvalState(state string) ui.State {
	switch state {
	case "asked":
		return ui.State{Tone: "late", Word: "waits for a second person"}
	case "denied", "failed":
		return ui.State{Tone: "bad", Word: state}
	case "expired":
		return ui.State{Tone: "off", Word: state}
	}
	return ui.State{Tone: "good", Word: state}
}

// approve approves or denies.
func (s *Server) approve(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	yes, key := v.r.PostFormValue("decision") == "yes", "denied"
	if yes {
		key = "approved"
	}
	if err := s.desk.Approve(v.actor, id, yes, text(v.r, "reason")); err != nil {
		if known(err) || errors.Is(err, auth.ErrNoApproval) { // what is hidden is as what never was
			return err
		}
		return s.showApprovals(v, http.StatusConflict, err)
	}
	return done(v, "/approvals", key)
}

// rolesPart says who holds what in an incident.
func (s *Server) rolesPart(st *desk.State, i *incident.Incident) ui.RolesPart {
	p := ui.RolesPart{Kind: i.Restriction.Kind, Kinds: options(i.Restriction.Kind, "insider", "somebody of ours", "hr", "personnel", "legal", "legal privilege")}
	canHold := desk.CanHold(st, i.ID)
	gone := func(id string) string {
		if i.Hides(id) {
			return s.name(st, id) + " is not named here"
		}
		return s.name(st, id) + " left the team"
	}
	for _, r := range plan.ResponseRoles() {
		h := i.Roles[r]
		row := ui.RoleRow{Key: r, Word: plan.RoleWord(r)}
		holder, gap := h.Held(canHold)
		if row.Gap, row.Holds = gap, !gap; !gap {
			row.Holder = s.name(st, holder)
		} else if h.Person != "" {
			row.Says = gone(h.Person)
		}
		var deputies []string
		for _, d := range h.Deputies {
			if canHold(d) {
				deputies = append(deputies, s.name(st, d))
			} else {
				deputies = append(deputies, gone(d))
			}
		}
		row.Deputies = strings.Join(deputies, ", ")
		p.Rows = append(p.Rows, row)
	}
	for _, id := range staff(st) {
		p.People = append(p.People, ui.Option{Value: id, Word: s.name(st, id)})
		p.Named = append(p.Named, ui.Option{Value: id, Word: s.name(st, id), Chosen: slices.Contains(i.Restriction.People, id)})
	}
	return p
}

func (s *Server) takeRole(v *visit) error {
	return s.act(v, "role", func(id int64) error {
		return s.desk.TakeRole(v.actor, id, text(v.r, "role"), text(v.r, "deputy") != "")
	}, "role")
}

func (s *Server) giveRole(v *visit) error {
	return s.act(v, "role", func(id int64) error {
		return s.desk.GiveRole(v.actor, id, text(v.r, "role"), text(v.r, "person"), text(v.r, "deputy") != "", text(v.r, "note"))
	}, "role")
}

func (s *Server) handRole(v *visit) error {
	return s.act(v, "hand", func(id int64) error {
		return s.desk.HandRole(v.actor, id, text(v.r, "role"), text(v.r, "person"), text(v.r, "note"))
	}, "role")
}

func (s *Server) leaveRole(v *visit) error {
	return s.act(v, "role", func(id int64) error {
		return s.desk.LeaveRole(v.actor, id, text(v.r, "role"), text(v.r, "person"), text(v.r, "note"))
	}, "role")
}

func (s *Server) restrict(v *visit) error {
	return s.act(v, "restrict", func(id int64) error {
		return s.desk.Restrict(v.actor, id, text(v.r, "kind"), v.r.PostForm["people"])
	}, "restricted")
}

func (s *Server) unrestrict(v *visit) error {
	return s.act(v, "unrestrict", func(id int64) error { return s.desk.Unrestrict(v.actor, id, text(v.r, "reason")) }, "")
}
