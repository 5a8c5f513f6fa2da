package cli

import (
	"slices"
	"strings"

	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
	"tocsin/internal/web"
)

// advice says what the settings of a running program lack, given the team as it is now.
func advice(c config.Config, d *desk.Desk) []web.Warning {
	outside := c.Mail.Host != ""
	d.Read(func(s *desk.State) {
		for _, p := range s.Plan.People {
			outside = outside || !p.Gone && slices.Contains(p.Channels, plan.Webhook)
		}
	})
	return lacking(c, outside)
}

// lacking says which settings do not do what people expect. outside says that calls go out by mail or chat: who reads
// them sits at another machine.
func lacking(c config.Config, outside bool) (out []web.Warning) {
	if outside && c.PublicURL == "" {
		out = append(out, web.Warning{Says: "The links in calls lead to localhost, the reader's own machine, so nobody can answer by them.",
			Mend: "Set public_url in tocsin.yaml to the address under which people reach the console, then restart."})
	}
	if strings.HasPrefix(c.PublicURL, "https:") && !c.TLS.On() && len(c.TrustedProxies) == 0 {
		out = append(out, web.Warning{Says: "A proxy speaks TLS for the console, and is not named: all sign-ins count as from its address, so one attacker slows down everybody.",
			Mend: "Set trusted_proxies in tocsin.yaml to the proxy's address, such as [127.0.0.1, \"::1\"], and have it set X-Forwarded-For."})
	}
	return out
}
