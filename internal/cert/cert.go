// Package cert keeps the console's certificate: how long it is good, what to say of it, and, where the owner wants that, how it is got and
// renewed by ACME (RFC 8555) with the challenges http-01 (RFC 8555 8.3) and tls-alpn-01 (RFC 8737).
//
// A console is reached by a certificate that holds, or not at all. At the start Obtain takes what the folder has; only what is missing or
// ran out is asked for, and when that fails the start fails with a sentence. No certificate of its own making is ever shown, because
// people who learn to click a warning away click the attacker's away, too.
//
// From then on a goroutine of the library looks every ten minutes whether a certificate is in the last third of its life, and renews it. A
// renewal that fails hurts nobody at first, so it is said before it does: State.Judge is asked by the desk, which makes an alert of it, and by
// `tocsin doctor`, which finds the last failure in the file failing.json.
//
//	Obtain --(missing, ran out)--> ACME server <--challenge--> our ports        folder: acme/certificates/..., acme/acme/... (account), 0600
//	TLS().GetCertificate <-- cache <-- folder                                         acme/failing.json: name -> when, why
//	States(now) --> Judge(now) --> desk: a standing alert; doctor: a line
package cert

import (
	"fmt"
	"strings"
	"time"
)

// A State is a certificate, and what is known of its renewal.
type State struct {
	Name      string // what it is called in sentences: its names, or its file
	NotBefore time.Time
	NotAfter  time.Time
	Managed   bool      // renewed by this program
	Fault     string    // why the last try to renew it failed; "" when none did since it was got
	FaultAt   time.Time // when that was
}

// A Verdict is what to say of a State. Step is 0 while all is well, and 1, 2, 3 when at most 30, 14 or 3 days are left; 4 when it does not
// hold any more, or not yet. Of a certificate with a short life the steps are a third, a sixth and a twelfth of it.
type Verdict struct {
	Step  int
	Since time.Time // when this step began; of one that begins only later, then
	Says  string    // a sentence without its end
	Mend  string    // what to do; "" when nothing
}

// steps are how long before the end each begins, at most; parts the share of the life.
var (
	steps = [...]time.Duration{30 * day, 14 * day, 3 * day}
	parts = [...]time.Duration{3, 6, 12}
)

const day = 24 * time.Hour

// Level is how grave the step is, in the words of package incident; "" is not grave.
func (v Verdict) Level() string {
	return [...]string{"", "low", "medium", "high", "critical"}[v.Step]
}

// Judge says how good the certificate is at a time. One that this program renews is not spoken of at the first step while no renewal
// failed: it is about to be renewed.
func (s State) Judge(now time.Time) Verdict {
	on := func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
	v := Verdict{Mend: s.mend()}
	switch {
	case s.NotAfter.IsZero():
		return Verdict{Step: 4, Since: s.FaultAt, Says: "there is no certificate for " + s.Name + s.because(), Mend: v.Mend}
	case now.Before(s.NotBefore):
		return Verdict{Step: 4, Since: s.NotBefore, Says: fmt.Sprintf("the certificate of %s begins only on %s, and this machine's clock says %s", s.Name, on(s.NotBefore), on(now)),
			Mend: "see whether the clock of this machine is right (timedatectl)"}
	case !now.Before(s.NotAfter):
		return Verdict{Step: 4, Since: s.NotAfter, Says: fmt.Sprintf("the certificate of %s expired on %s: browsers refuse the console%s", s.Name, on(s.NotAfter), s.because()), Mend: v.Mend}
	}
	life := s.NotAfter.Sub(s.NotBefore)
	for k, most := range steps {
		if begins := s.NotAfter.Add(-min(most, life/parts[k])); !now.Before(begins) {
			v.Step, v.Since = k+1, begins
		}
	}
	if v.Step == 0 || v.Step == 1 && s.Managed && s.Fault == "" {
		says := fmt.Sprintf("the certificate of %s is good until %s", s.Name, on(s.NotAfter))
		if s.Fault != "" {
			return Verdict{Says: says + "; renewing it failed" + s.because(), Mend: v.Mend}
		}
		return Verdict{Says: says}
	}
	v.Says = fmt.Sprintf("the certificate of %s expires on %s%s", s.Name, on(s.NotAfter), s.because())
	return v
}

// because adds why the last renewal failed.
func (s State) because() string {
	if s.Fault == "" {
		return ""
	}
	return fmt.Sprintf(" (tried last on %s: %s)", s.FaultAt.UTC().Format("2 January, 15:04 UTC"), s.Fault)
}

func (s State) mend() string {
	if s.Managed {
		return "see whether the ACME server can be reached from here and reaches this machine on port 80 or 443; it is tried again by itself"
	}
	return "renew it; a running server takes the new one by itself within a minute"
}

// plain makes what an ACME server said one bounded line.
func plain(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))), " ")
	if r := []rune(s); len(r) > 400 {
		s = string(r[:399]) + "…"
	}
	return s
}
