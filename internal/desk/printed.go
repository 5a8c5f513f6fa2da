package desk

import (
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/review"
)

// printedPeople puts the response team, the contacts and the dates of reviews into the plan that is printed, and returns its parts. How somebody is reached stands
// there for those who may see it; others get the names of roles and of the team alone.
func (d *Desk) printedPeople(actor auth.Actor, w *playbook.Whole) map[string]review.Part {
	parts := map[string]review.Part{}
	reach := auth.May(actor, auth.Reach) == nil
	duties := map[string]string{}
	for _, r := range auth.Table() {
		for _, role := range r.Roles {
			duties[role] += "- may " + r.Words + "\n"
		}
	}
	d.Read(func(s *State) {
		for id, p := range s.Reviews.Parts {
			parts[id] = *p
		}
		for _, role := range plan.ResponseRoles() {
			text := playbook.RoleText{Name: plan.RoleWord(role), Duties: strings.TrimSpace(duties[role])}
			for _, id := range holders(s, role) {
				c := d.People.Get(s.Plan.People[id].Vault)
				says := c.Name + " (" + id + ")"
				if reach {
					for _, way := range []string{c.Voice, c.SMS, c.Mail} {
						if way != "" && !strings.Contains(says, way) {
							says += ", " + way
						}
					}
				}
				text.People = append(text.People, says)
			}
			w.Roles = append(w.Roles, text)
		}
	})
	if !reach {
		return parts
	}
	groups := map[string]string{contact.Team: "Team", contact.Stakeholders: "Stakeholders", contact.Providers: "Providers", contact.Regulators: "Authorities"}
	for _, g := range contact.Groups() {
		out := playbook.ContactGroup{Name: groups[g]}
		for _, x := range d.listed() {
			if x.Group != g {
				continue
			}
			c := playbook.Contact{Name: strings.Trim(x.Card.Name+", "+x.Card.Organisation, ", "), Role: x.Card.Role, Hours: strings.TrimSpace(x.Card.Hours + " " + x.Card.Zone), Note: "Checked on " + x.Checked.UTC().Format("2006-01-02") + "."}
			for _, way := range x.Card.Ways {
				c.Ways = append(c.Ways, way.Kind+": "+way.Value)
			}
			out.Contacts = append(out.Contacts, c)
		}
		if len(out.Contacts) > 0 {
			w.Contacts = append(w.Contacts, out)
		}
	}
	return parts
}
