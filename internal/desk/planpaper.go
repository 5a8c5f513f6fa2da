package desk

import (
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/dossier"
)

// A PrintedPlan is the whole plan as one file.
type PrintedPlan struct {
	Name  string // emergency-plan.pdf
	Type  string // of its content
	Bytes []byte
}

// PrintPlan writes the whole plan (WholePlan) as html, md or pdf; "" is html. Times are in the zone, nil is UTC. How people and contacts are reached stands in it for
// those who may see it. Errors: a FieldError of format, auth.Refusal.
func (d *Desk) PrintPlan(actor auth.Actor, form string, zone *time.Location) (out PrintedPlan, err error) {
	if form == "" {
		form = "html"
	}
	out = PrintedPlan{Name: "emergency-plan." + form, Type: dossierTypes()[form]}
	if out.Type == "" || form == "docx" {
		return PrintedPlan{}, FieldError{"format", fmt.Sprintf("The plan is printed as html, md or pdf, and %.20q is none of them.", form)}
	}
	w, err := d.WholePlan(actor, zone)
	if err != nil {
		return PrintedPlan{}, err
	}
	switch form {
	case "md":
		out.Bytes = w.Document().Markdown()
	case "pdf":
		out.Bytes, err = dossier.PDF(dossier.Plan(w))
	default:
		out.Bytes = w.Document().HTML()
	}
	if err != nil {
		return PrintedPlan{}, fmt.Errorf("writing the plan: %w", err)
	}
	return out, nil
}

// Organisation is the name of whom this program works for, as tocsin.yaml says it, or "".
func (d *Desk) Organisation() string { return d.o.Organisation }

// organisation is the name that stands on covers: who set none has that of the ledger's key, so that papers of two shops are told apart.
func (d *Desk) organisation() string {
	if d.o.Organisation != "" {
		return d.o.Organisation
	}
	return d.key.Origin()
}
