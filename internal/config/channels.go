package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// DKIM is a key that signs our mail for a domain. Most relays sign already: then there is none here.
type DKIM struct {
	Domain   string `yaml:"domain"`
	Selector string `yaml:"selector"`
	KeyFile  string `yaml:"key_file"` // PEM: RSA of 2048 bits, or Ed25519
}

// Bounces is the mailbox to which reports of non-delivery come: local+TOKEN@domain.
type Bounces struct {
	Local      string `yaml:"local"` // default bounce
	Domain     string `yaml:"domain"`
	SecretFile string `yaml:"secret_file"` // 16 bytes at least
	IMAP       IMAP   `yaml:"imap"`        // where that mailbox is read; without it reports are not read
}

// IMAP is where the mailbox for reports is read, by TLS alone.
type IMAP struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"`          // default 993; 143 with starttls
	StartTLS     bool   `yaml:"starttls"`      // TLS begins by STARTTLS; otherwise at once
	Username     string `yaml:"username"`      //
	PasswordFile string `yaml:"password_file"` // holds the password and nothing else
	Folder       string `yaml:"folder"`        // default INBOX
	CAFile       string `yaml:"ca_file"`       // further certificate authorities, PEM
}

// Voice makes encrypted telephone calls (doc/calls.md). Without a trunk only people with a SIP address of their own are called.
type Voice struct {
	On           bool   `yaml:"on"`    // calls to sips: addresses, without a trunk
	Trunk        string `yaml:"trunk"` // sips:host or sips:host:port
	Domain       string `yaml:"domain"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	Caller       string `yaml:"caller"`  // number that is shown; default: user
	CAFile       string `yaml:"ca_file"` // further certificate authorities, PEM
	// Advertise is our address as the far side sees it, behind NAT. Ports are for sound, UDP: "40000-40100". Speech is the program that speaks details; "-" is none.
	Advertise string   `yaml:"advertise"`
	Ports     string   `yaml:"ports"`
	Speech    string   `yaml:"speech"`
	Ring      Duration `yaml:"ring"` // how long it rings; default 30s
}

// SMS is a gateway that sends text messages by HTTP. {{to}}, {{text}} and {{id}} in url and body are replaced.
type SMS struct {
	URL         string            `yaml:"url"`
	Method      string            `yaml:"method"` // default POST
	Headers     map[string]string `yaml:"headers"`
	AuthFile    string            `yaml:"authorization_file"` // holds the value of the header Authorization
	ContentType string            `yaml:"content_type"`       // default application/x-www-form-urlencoded
	Body        string            `yaml:"body"`
	Plus        string            `yaml:"plus"`    // before the digits of a number: "+" (default), "none", "00"
	Path        string            `yaml:"path"`    // where in a JSON answer it says that it was taken
	Values      Files             `yaml:"values"`  // what stands there then
	IDPath      string            `yaml:"id_path"` // where the message's id stands
	Parts       int               `yaml:"parts"`   // how many a text may have; default 2
	CAFile      string            `yaml:"ca_file"`
}

// Telegram is our bot; people have the number of their chat with it.
type Telegram struct {
	TokenFile string `yaml:"token_file"`
	API       string `yaml:"api"` // a Bot API server of your own
}

// Pushover is our application there; people have their user key.
type Pushover struct {
	TokenFile string `yaml:"token_file"`
}

// Ntfy is the server for people who have a topic alone; those with a whole address need nothing here.
type Ntfy struct {
	URL       string `yaml:"url"` // default https://ntfy.sh
	TokenFile string `yaml:"token_file"`
	CAFile    string `yaml:"ca_file"`
}

// Signed is the key with which messages to programs of yours are signed.
type Signed struct {
	KeyFile string `yaml:"key_file"` // 32 bytes at least
	KeyID   string `yaml:"key_id"`   // default main
	CAFile  string `yaml:"ca_file"`
}

// Chat is a room that a step of the escalation can ring as chat:NAME.
type Chat struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind"` // slack, mattermost, teams, discord, telegram, ntfy
	// AddressFile holds the webhook's address, the chat's number, or the topic: a secret.
	AddressFile string `yaml:"address_file"`
	CAFile      string `yaml:"ca_file"` // of mattermost
}

// PortRange reads "40000-40100"; "" is 0 to 0.
func PortRange(s string) (low, high uint16, err error) {
	if s == "" {
		return 0, 0, nil
	}
	a, b, ok := strings.Cut(s, "-")
	from, err := strconv.ParseUint(a, 10, 16)
	to, terr := strconv.ParseUint(b, 10, 16)
	if !ok || err != nil || terr != nil || from < 1024 || to <= from {
		return 0, 0, fmt.Errorf("%.40q is no range of ports; write one such as 40000-40100, two a call are plenty", s)
	}
	return uint16(from), uint16(to), nil
}

// Calls reports whether telephone calls are made.
func (v Voice) Calls() bool { return v.On || v.Trunk != "" }

func checkChannels(c *Config, say say) {
	checkSealing(c.Mail, say)
	checkVoice(c.Voice, say)
	checkSMS(c.SMS, say)
	missing := func(key, file, what string, set bool) {
		if set && file == "" {
			say(key, "the file with %s is missing", what)
		}
	}
	missing("telegram.token_file", c.Telegram.TokenFile, "the bot's token, as @BotFather gives it,", c.Telegram != Telegram{})
	missing("signed.key_file", c.Signed.KeyFile, "the key that both sides know", c.Signed != Signed{})
	checkWeb("telegram.api", c.Telegram.API, say)
	checkWeb("ntfy.url", c.Ntfy.URL, say)
	kinds := []string{"slack", "mattermost", "teams", "discord", "telegram", "ntfy"}
	seen := map[string]bool{}
	for i, x := range c.Chats {
		key := fmt.Sprintf("chats[%d]", i+1)
		switch {
		case !idForm.MatchString(x.Name):
			say(key+".name", "%q is no name: a small letter, then up to 31 of a-z 0-9 . _ -", x.Name)
		case seen[x.Name]:
			say(key+".name", "there are two chats with the name %q", x.Name)
		}
		seen[x.Name] = true
		if !slices.Contains(kinds, x.Kind) {
			say(key+".kind", "%s", oneOf(x.Kind, kinds))
		}
		if x.Kind == "telegram" && c.Telegram.TokenFile == "" {
			say(key+".kind", "a chat of Telegram needs our bot: give telegram.token_file")
		}
		missing(key+".address_file", x.AddressFile, "the chat's address", true)
	}
}

// checkWeb says what is wrong with an address of a service; none is right.
func checkWeb(key, text string, say say) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		say(key, "%q is no address that begins with https://", text)
	}
}

var (
	domainForm   = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9-]{2,63}$`)
	selectorForm = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$`)
	trunkForm    = regexp.MustCompile(`^sips:([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
)

func checkSealing(m Mail, say say) {
	domain := ""
	if i := strings.LastIndexByte(m.From, '@'); i >= 0 {
		domain = strings.ToLower(strings.TrimRight(m.From[i+1:], "> "))
	}
	for i, k := range m.DKIM {
		key := fmt.Sprintf("mail.dkim[%d]", i+1)
		switch {
		case !domainForm.MatchString(k.Domain):
			say(key+".domain", "%q is no domain; it is that of the sender's address, or one above it", k.Domain)
		case domain != "" && domain != strings.ToLower(k.Domain) && !strings.HasSuffix(domain, "."+strings.ToLower(k.Domain)):
			say(key+".domain", "a signature for %s does not count for mail from %s: it must be that domain or one above it", k.Domain, domain)
		}
		if !selectorForm.MatchString(k.Selector) {
			say(key+".selector", "%q is no selector; it is the name before ._domainkey in the DNS, such as tocsin1", k.Selector)
		}
		if k.KeyFile == "" {
			say(key+".key_file", "the file with the secret key is missing: openssl genrsa -out dkim.pem 2048")
		}
	}
	b := m.Bounces
	if b == (Bounces{}) {
		return
	}
	if !domainForm.MatchString(b.Domain) {
		say("mail.bounces.domain", "%q is no domain; it is the one whose mail server delivers bounce+ANYTHING to one mailbox", b.Domain)
	}
	if b.SecretFile == "" {
		say("mail.bounces.secret_file", "the file with the secret is missing: without it anybody could forge reports; openssl rand -base64 24 makes one")
	}
	at := b.IMAP
	if at == (IMAP{}) {
		return
	}
	if at.Host == "" {
		say("mail.bounces.imap.host", "the server of the mailbox is missing")
	}
	if at.Username == "" || at.PasswordFile == "" {
		say("mail.bounces.imap.username", "the mailbox needs a username and a password_file")
	}
	if at.Port < 0 || at.Port > 65535 {
		say("mail.bounces.imap.port", "%d is no port", at.Port)
	}
}

func checkVoice(v Voice, say say) {
	if v == (Voice{}) {
		return
	}
	if !v.Calls() {
		say("voice", "it makes no calls: give trunk, or on: true for people with a SIP address of their own")
	}
	switch {
	case v.Trunk == "" && (v.User != "" || v.PasswordFile != "" || v.Caller != "" || v.Domain != ""):
		say("voice.trunk", "the telephone provider's server is missing; write sips:sip.example.com")
	case v.Trunk == "":
	case strings.HasPrefix(v.Trunk, "sip:"):
		say("voice.trunk", "calls over sip: can be heard on the way: ask the provider for its address with TLS, and write sips:")
	case !trunkForm.MatchString(v.Trunk):
		say("voice.trunk", "%q is no server for encrypted calls; write sips:sip.example.com or sips:sip.example.com:5061", v.Trunk)
	}
	if v.Trunk != "" && v.User == "" {
		say("voice.user", "the account at the telephone provider is missing")
	}
	if v.User != "" && v.PasswordFile == "" {
		say("voice.password_file", "the file with the password of %s is missing", v.User)
	}
	if _, _, err := PortRange(v.Ports); err != nil {
		say("voice.ports", "%v", err)
	}
	if a, err := netip.ParseAddr(v.Advertise); v.Advertise != "" && (err != nil || a.IsUnspecified()) {
		say("voice.advertise", "%q is no address; write ours as the provider sees it, such as 192.0.2.7", v.Advertise)
	}
	if ring := v.Ring; ring != 0 && (ring < Duration(10e9) || ring > Duration(120e9)) {
		say("voice.ring", "a telephone rings for 10s to 2m")
	}
}

func checkSMS(s SMS, say say) {
	if s.URL == "" {
		if s.Body != "" || s.AuthFile != "" || s.Method != "" || len(s.Headers) > 0 {
			say("sms.url", "the gateway's address is missing")
		}
		return
	}
	u, err := url.Parse(strings.NewReplacer("{{to}}", "1", "{{text}}", "1", "{{id}}", "1").Replace(s.URL))
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		say("sms.url", "%q is no address that begins with https://", s.URL)
	}
	all := s.URL + s.Body
	for _, must := range []string{"{{to}}", "{{text}}"} {
		if !strings.Contains(all, must) {
			say("sms.body", "%s stands neither in url nor in body, so no message could be sent", must)
		}
	}
	if ways := []string{"", "GET", "POST", "PUT"}; !slices.Contains(ways, s.Method) {
		say("sms.method", "%s", oneOf(s.Method, ways[1:]))
	}
	if s.Parts < 0 || s.Parts > 10 {
		say("sms.parts", "a text has 1 to 10 parts, and each is paid for")
	}
}
