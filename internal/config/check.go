package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// check finds what is wrong with values that are right by themselves. Of a value that could not be read nothing more is
// said. Limits of the team and the escalation are those of package plan, which decides again.
func (d *decoder) check(c *Config) {
	say := func(key, format string, args ...any) {
		if !d.failed[key] {
			d.wrong(d.near(key), key, format, args...)
		}
	}
	checkOrganisation(c, say)
	checkListen(c, say)
	checkFolders(c, say)
	checkWays(c, say)
	checkHooks(c.Webhooks, say)
	checkSignOn(c.SignOn, say)
	checkRooms(c, say)
	checkReports(c, say)
	checkMail(c.Mail, say)
	checkChannels(c, say)
	checkPeople(c, say)
	checkEscalation(c, say)
	checkWatchers(c, say)
}

// near returns the place of a key, or of what it would stand in.
func (d *decoder) near(key string) place {
	for {
		if at, ok := d.places[key]; ok {
			return at
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			return place{}
		}
		key = key[:i]
	}
}

type say func(key, format string, args ...any)

// checkOrganisation refuses a name that would break a cover or a mail.
func checkOrganisation(c *Config, say say) {
	if n := utf8.RuneCountInString(c.Organisation); n > 100 {
		say("organisation", "the name has %d characters; at most 100 fit a cover", n)
	}
	if strings.TrimSpace(c.Organisation) != c.Organisation || strings.IndexFunc(c.Organisation, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		say("organisation", "the name is one line of text, without spaces around it and without signs that nobody sees")
	}
}

func checkListen(c *Config, say say) {
	host, port, err := net.SplitHostPort(c.Listen)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		say("listen", "%q is no address with port; write localhost:8181 or 0.0.0.0:443", c.Listen)
		return
	}
	checkURL(c, say)
	checkTLS(c, say)
	if loopback(host) {
		return
	}
	const reason = "others than this machine can reach %s, and without TLS passwords and incidents could be read on the way"
	if !c.TLS.On() {
		say("listen", reason+": give tls.cert and tls.key, or tls.acme, or listen on localhost behind a proxy that speaks TLS", c.Listen)
	}
	if c.PublicURL == "" {
		say("listen", "calls need a link that works from outside when the console listens on %s: give public_url, such as https://tocsin.example.com", c.Listen)
	} else if strings.HasPrefix(c.PublicURL, "http:") {
		say("public_url", reason+": the address must begin with https://", c.Listen)
	}
}

func checkURL(c *Config, say say) {
	if c.PublicURL == "" {
		return
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil:
		say("public_url", "%q is no address of a web site; write https://tocsin.example.com", c.PublicURL)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(c.PublicURL, "?"):
		say("public_url", "the console needs a host of its own: nothing may follow the host in %q", c.PublicURL)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		say("public_url", "links to %s would carry answers to calls in the clear: the address must begin with https://", u.Host)
	}
}

// loopback reports whether a host is this machine alone.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") { // RFC 6761 6.3
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}

func checkFolders(c *Config, say say) {
	if c.Keys != "" && c.Data != "" && (c.Keys == c.Data || strings.HasPrefix(c.Keys, strings.TrimRight(c.Data, "/")+"/")) {
		say("keys", "the keys must lie outside of data, or a copy of data opens itself")
	}
	for _, list := range []struct {
		key   string
		paths []string
	}{{"watch", c.Watch}, {"rules", c.Rules}, {"geo", c.Geo}} {
		for i, p := range list.paths {
			if p == "" {
				say(fmt.Sprintf("%s[%d]", list.key, i+1), "the path is empty")
			}
		}
	}
	if time.Duration(c.Retention) < 24*time.Hour {
		say("retention", "lines must be kept for at least 1d")
	}
	for i, k := range c.Keep {
		key := fmt.Sprintf("keep[%d]", i+1)
		switch {
		case k.Age == 0 && k.Size == 0:
			say(key, "it sets no limit: write age, size or both")
		case k.Age != 0 && time.Duration(k.Age) < 24*time.Hour:
			say(key+".age", "lines must be kept for at least 1d")
		case k.Size != 0 && k.Size < 100e6:
			say(key+".size", "less than 100MB would keep next to nothing")
		}
	}
	checkSilent("silent_after", c.SilentAfter, say)
	for path, limit := range c.Silent {
		checkSilent("silent."+path, limit, say)
	}
}

func checkSilent(key string, limit Duration, say say) {
	if 0 < limit && time.Duration(limit) < time.Minute {
		say(key, `less than 1m would ring all the time; "never" turns it off`)
	}
}

func checkMail(m Mail, say say) {
	if reflect.DeepEqual(m, Default().Mail) {
		return
	}
	if m.Host == "" {
		say("mail.host", "the mail server is missing")
	} else if strings.ContainsAny(m.Host, ":/@ ") && net.ParseIP(m.Host) == nil {
		say("mail.host", "%q is no name of a server; its port goes to mail.port", m.Host)
	}
	if m.Port < 1 || m.Port > 65535 {
		say("mail.port", "%d is no port; usual are 587 and 465", m.Port)
	}
	if m.From == "" {
		say("mail.from", "the sender's address is missing")
	} else {
		checkAddress("mail.from", m.From, say)
	}
	ways := []string{"required", "opportunistic", "none"}
	if !slices.Contains(ways, m.StartTLS) {
		say("mail.starttls", "%s", oneOf(m.StartTLS, ways))
	}
	switch {
	case m.Username != "" && m.PasswordFile == "":
		say("mail.password_file", "the file with the password of %s is missing", m.Username)
	case m.Username == "" && m.PasswordFile != "":
		say("mail.username", "there is a password, and nobody whose it is")
	case m.Username != "" && m.StartTLS == "none" && m.Port != 465 && !loopback(m.Host):
		say("mail.starttls", "the password would go to %s in the clear: it can be none only for a server on this machine", m.Host)
	}
}

func checkAddress(key, text string, say say) {
	if _, err := mail.ParseAddress(text); err != nil {
		say(key, "%q is no mail address; write anna@example.com", text)
	}
}

// idForm is that of package plan.
var idForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,31}$`)

func checkPeople(c *Config, say say) {
	seen := make(map[string]bool)
	for i, p := range c.People {
		key := func(name string) string { return fmt.Sprintf("people[%d].%s", i+1, name) }
		switch {
		case p.ID == "":
			say(key("id"), "everyone needs an id: a short name that never changes")
		case !idForm.MatchString(p.ID):
			say(key("id"), "%q is no id: a small letter, then up to 31 of a-z 0-9 . _ -", p.ID)
		case p.ID == everyone:
			say(key("id"), "%q means the whole team and cannot be a person's id", p.ID)
		case seen[p.ID]:
			say(key("id"), "there are two people with the id %q", p.ID)
		}
		seen[p.ID] = true
		if len(p.Roles) == 0 {
			say(key("roles"), "everyone needs a role: %s", strings.Join(roles(), ", "))
		}
		for j, r := range p.Roles {
			if !slices.Contains(roles(), r) {
				say(fmt.Sprintf("%s[%d]", key("roles"), j+1), "%s", oneOf(r, roles()))
			}
		}
		if p.Mail != "" {
			checkAddress(key("mail"), p.Mail, say)
		}
	}
}

// The words of package plan, which this package may not import.
const everyone = "everyone"

func roles() []string {
	return []string{"commander", "engineer", "analyst", "legal", "communications", "reader"}
}

func channels() []string {
	return []string{"voice", "sms", "pushover", "ntfy", "telegram", "mattermost", "teams", "discord", "signed", "webhook", "mail", "console"}
}

func checkEscalation(c *Config, say say) {
	e := c.Escalation
	if e.Rounds < 1 || e.Rounds > 20 {
		say("escalation.rounds", "%d is no number of rounds from 1 to 20", e.Rounds)
	}
	if every := time.Duration(e.Every); every < 30*time.Second || every > 24*time.Hour {
		say("escalation.every", "the last step repeats every 30s to 24h")
	}
	if time.Duration(e.Throttle) > time.Hour {
		say("escalation.throttle", "new calls can wait for 1h at most; 0s is not at all")
	}
	if base := Default().Escalation; len(e.Steps) == 0 && (e.Rounds != base.Rounds || e.Every != base.Every || e.Throttle != base.Throttle || e.Attend != base.Attend || e.Medium) {
		say("escalation.steps", "without steps nothing of escalation would hold; one that rings all at once is: - who: [everyone]")
	}
	if attend := time.Duration(e.Attend); attend != 0 && (attend < 5*time.Minute || attend > 24*time.Hour) {
		say("escalation.attend", "after an answer without a sign of work it rings again after 5m to 24h; 0s is never")
	}
	if len(e.Steps) > 20 {
		say("escalation.steps", "there are %d steps; 20 can be", len(e.Steps))
	}
	known := []string{everyone}
	for _, r := range roles() {
		known = append(known, "role:"+r)
	}
	for _, p := range c.People {
		known = append(known, p.ID)
	}
	for i, s := range e.Steps {
		key := func(name string) string { return fmt.Sprintf("escalation.steps[%d].%s", i+1, name) }
		if len(s.Who) == 0 {
			say(key("who"), "nobody is rung in this step: name ids of people, role:engineer or everyone")
		}
		for j, w := range s.Who {
			place := fmt.Sprintf("%s[%d]", key("who"), j+1)
			switch {
			case slices.Contains(known, w):
			case groupForm.MatchString(w):
			case slices.Contains(roles(), w):
				say(place, "for the role write role:%s", w)
			case len(c.People) > 0 || !idForm.MatchString(w): // without people in the file, ids are those of the plan
				say(place, "%s", oneOf(w, known))
			}
		}
		for j, b := range s.By {
			if !slices.Contains(channels(), b) {
				say(fmt.Sprintf("%s[%d]", key("by"), j+1), "%s", oneOf(b, channels()))
			}
		}
		if s.Answers < 0 || s.Answers > 5 {
			say(key("answers"), "a step wants 1 to 5 answers")
		}
		if wait := time.Duration(s.Wait); s.Wait != 0 && (wait < 10*time.Second || wait > 24*time.Hour) {
			say(key("wait"), "the wait for an answer is 10s to 24h")
		}
	}
	if n := len(e.Steps); n > 0 && !slices.Contains(e.Steps[n-1].Who, everyone) {
		say(fmt.Sprintf("escalation.steps[%d].who", n), "the last step must ring everyone, so that a call never ends unheard")
	}
}

// groupForm is a schedule or a chat, as a step names it.
var groupForm = regexp.MustCompile(`^(schedule|chat):[a-z][a-z0-9._-]{0,31}$`)

// hashForm is a SHA-256 in hex.
var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

func checkWatchers(c *Config, say say) {
	if t := time.Duration(c.TestCalls); t != 0 && (t < 24*time.Hour || t > 90*24*time.Hour) {
		say("test_calls", `channels are tested every 1d to 90d; "never" turns it off`)
	}
	for i, w := range c.Watchers {
		key := fmt.Sprintf("watchers[%d]", i+1)
		u, err := url.Parse(w.URL)
		switch {
		case w.URL == "":
			say(key+".url", "the address of the watcher is missing")
		case err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
			say(key+".url", "%q is no address that begins with https://; write one such as https://watch.example.com/beat/shop", w.URL)
		}
		if w.TokenFile == "" {
			say(key+".token_file", "the file with the token is missing: without it the watcher cannot tell whose beats these are")
		}
	}
	seen := map[string]bool{}
	for i, w := range c.Watches {
		key := fmt.Sprintf("watches[%d]", i+1)
		switch {
		case !idForm.MatchString(w.ID):
			say(key+".id", "%q is no id: a small letter, then up to 31 of a-z 0-9 . _ -", w.ID)
		case seen[w.ID]:
			say(key+".id", "there are two watches with the id %q", w.ID)
		}
		seen[w.ID] = true
		if !hashForm.MatchString(w.TokenHash) {
			say(key+".token_hash", "this is no SHA-256 in hex: write what `printf %%s TOKEN | sha256sum` prints")
		}
		if t := time.Duration(w.SilentAfter); t != 0 && (t < 2*time.Minute || t > 24*time.Hour) {
			say(key+".silent_after", "a beat comes every minute, so silence is 2m to 24h; the default is 3m")
		}
	}
}
