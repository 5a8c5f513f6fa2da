package web

import (
	"fmt"

	"tocsin/internal/detect"
	"tocsin/ui"
)

// keptRules words what is broken in the rule files while the old rules stay.
func keptRules(broken []detect.Refused) (out []ui.RefusedRule) {
	for _, r := range broken {
		name := r.Title
		if name == "" {
			name = r.Rule
		}
		out = append(out, ui.RefusedRule{File: fmt.Sprintf("%s:%d", r.File, r.Line), Name: name, Why: r.Feature + ": " + r.Why})
	}
	return out
}
