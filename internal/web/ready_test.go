package web

import (
	"strings"
	"testing"

	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// Given ways of which some are not proven, then the worst is named as what is to be done next, and mail that came back is worse than a test that failed.
func TestReadiness(t *testing.T) {
	way := func(person, state string) oncall.Proof {
		return oncall.Proof{Person: person, Channel: plan.Mail, State: state}
	}
	for name, c := range map[string]struct {
		proofs           []oncall.Proof
		tone, next, says string
	}{
		"nobody":                 {},
		"all proven":             {[]oncall.Proof{way("anna", oncall.Proven)}, "good", "", ""},
		"a test rings":           {[]oncall.Proof{way("anna", oncall.Testing)}, "late", "", ""},
		"never tested":           {[]oncall.Proof{way("anna", oncall.TooOld), way("boris", oncall.Never)}, "late", "boris", "nobody knows yet"},
		"mail came back":         {[]oncall.Proof{way("anna", oncall.Failing), way("boris", oncall.CameBack), way("cleo", oncall.Proven)}, "bad", "boris", "mail to boris came back"},
		"mail came back, no way": {[]oncall.Proof{way("anna", oncall.CameBack), way("boris", oncall.NoWayYet)}, "bad", "boris", "cannot be reached at all"},
		"a test failed":          {[]oncall.Proof{way("anna", oncall.Silent), way("boris", oncall.Failing)}, "bad", "boris", "could not be sent"},
	} {
		out, next := readinessOf(c.proofs, 50, func(id string) string { return id })
		if out.State.Tone != c.tone || next != c.next || !strings.Contains(out.Next, c.says) {
			t.Errorf("%s: %+v, next %q", name, out, next)
		}
	}
}
