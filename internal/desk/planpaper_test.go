package desk

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"tocsin/internal/auth"
)

// Given a shop that says its name, when the plan is printed, then the name and the revision history stand in each form, how people are reached only for those who may see
// it, and another form is refused.
func TestPrintPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, stop := burns(t)
		defer stop()
		anna, reader := auth.Actor{Name: "anna", ID: "anna", Local: true}, auth.Actor{Name: "reader", ID: "reader", Roles: []string{"reader"}}
		d.o.Organisation = "Shop & Sons"
		md, err := d.PrintPlan(anna, "md", nil)
		must(t, err)
		for _, want := range []string{"Shop & Sons", "Revision history", "Contacts"} {
			if !strings.Contains(strings.NewReplacer(`\`, "", "&amp;", "&").Replace(string(md.Bytes)), want) {
				t.Errorf("the Markdown lacks %q", want)
			}
		}
		reach := []byte("anna@")
		if less, err := d.PrintPlan(reader, "md", nil); !bytes.Contains(md.Bytes, reach) || err != nil && !refusedByAuth(err) || bytes.Contains(less.Bytes, reach) {
			t.Errorf("how people are reached: %v for anna, %v for a reader, %v", bytes.Contains(md.Bytes, reach), bytes.Contains(less.Bytes, reach), err)
		}
		html, err := d.PrintPlan(anna, "", nil)
		must(t, err)
		if html.Name != "emergency-plan.html" || !bytes.Contains(html.Bytes, []byte("Shop &amp; Sons")) {
			t.Errorf("%s: %.400s", html.Name, html.Bytes)
		}
		pdf, err := d.PrintPlan(anna, "pdf", nil)
		must(t, err)
		if !bytes.HasPrefix(pdf.Bytes, []byte("%PDF-")) || pdf.Type != "application/pdf" {
			t.Errorf("%s, %.20q", pdf.Type, pdf.Bytes)
		}
		if name := os.Getenv("TOCSIN_PLAN_PDF"); name != "" {
			must(t, os.WriteFile(name, pdf.Bytes, 0o600))
		}
		if _, err := d.PrintPlan(anna, "docx", nil); err == nil || !errors.As(err, new(FieldError)) {
			t.Errorf("a form that there is not: %v", err)
		}
		m, err := d.Dossier(anna, 1, DossierAsk{Form: "html"})
		must(t, err)
		if !bytes.Contains(m.Bytes, []byte("Shop &amp; Sons")) {
			t.Error("the report's cover lacks the name")
		}
		x, err := d.Exchange(anna, 1, "stix", "AMBER")
		must(t, err)
		if !bytes.Contains(x.Data, []byte(`"name":"Shop \u0026 Sons"`)) && !bytes.Contains(x.Data, []byte(`"name": "Shop & Sons"`)) && !bytes.Contains(x.Data, []byte(`"name":"Shop & Sons"`)) {
			t.Errorf("other teams are not told whose incident it is: %.600s", x.Data)
		}
	})
}
