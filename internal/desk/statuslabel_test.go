package desk

import (
	"errors"
	"testing"
	"testing/synctest"

	"tocsin/internal/plan"
)

// Given labels of an incident and of what is written for stakeholders, when a link to the status page is asked for, then what nobody labelled is shown, and what somebody did holds.
func TestStatusPageAsksTheLabel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		h.bank(d, true)
		anna := person("anna", plan.Commander)
		for _, tt := range []struct {
			what, label string
			shown       bool
		}{{"statement", "RED", true}, {"", "AMBER", false}, {"status", "GREEN", true}, {"", "AMBER+STRICT", false}, {"", "CLEAR", true}, {"status", "RED", false}} {
			must(t, d.SetLabel(anna, 1, tt.what, tt.label, "because"))
			if _, err := d.StatusLink(anna, 1, 1); tt.shown != (err == nil) || err != nil && !errors.Is(err, ErrLabel) {
				t.Errorf("%q is %s: %v", tt.what, tt.label, err)
			}
		}
	})
}
