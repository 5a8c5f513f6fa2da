// Package config reads tocsin.yaml: the machine's settings. People, policies and mutes are entries of the plan; the
// file may seed them once, into an empty plan.
//
// It is strict: a key that is not known, a wrong type, a wrong address or duration is an error that names file, line and
// column, and the nearest known key. Every mistake of a file is told at once. Secrets never stand in it: they are named by
// file, or come as a systemd credential ($CREDENTIALS_DIRECTORY).
//
// A relative path begins at the folder of the file. The comments of Config are the manual; example.yaml says the same
// to those who write the file.
package config

import (
	_ "embed"
	"net/netip"
	"time"
)

// Example is a tocsin.yaml that names every key, with its default or a plausible value.
//
//go:embed example.yaml
var Example string

// Config is what tocsin.yaml may say. Every key is optional; the comments are the manual.
type Config struct {
	// Organisation is your name, as outsiders know it: on the covers of the plan and of reports, on the page for reports from outside and below
	// the mails to those who reported. One line of at most 100 characters. Default: the covers have the name of the ledger's key, the others none.
	Organisation string `yaml:"organisation"`
	// Listen is the console's address and port. Beyond loopback it needs tls and public_url. Default: localhost:8181.
	Listen string `yaml:"listen"`
	// PublicURL is how people reach the console; links in calls begin with it. Default: http://localhost and the port.
	PublicURL string `yaml:"public_url"`
	// TLS is how the console shows who it is: by a certificate of your own, or by one that an ACME server gives (doc/tls.md).
	TLS TLS `yaml:"tls"`
	// Data is the folder of all state; Keys the folder of the master and signing key. Default: see tocsin serve --help.
	Data string `yaml:"data"`
	Keys string `yaml:"keys"`
	// Watch lists files, globs and folders of logs.
	Watch []string `yaml:"watch"`
	// Rules lists folders of further Sigma rules. Geo names a file or a list of files that say where addresses lie and whose
	// they are: MaxMind DB (country, city, ASN) or a table of address or network, tab, country code. Later files fill what
	// earlier ones lack.
	Rules []string `yaml:"rules"`
	Geo   Files    `yaml:"geo"`
	// OwnNetworks are the shop's: their addresses join no incidents. SharedNetworks are used by many customers at once.
	OwnNetworks    []Network `yaml:"own_networks"`
	SharedNetworks []Network `yaml:"shared_networks"`
	// TrustedProxies may say in X-Forwarded-For who the client is.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	// Zone is the time zone of logs that name none, and of rules about the hour. Default: UTC.
	Zone Zone `yaml:"zone"`
	// Retention is how long log lines are kept, at least 1d. Default: 400d. SilentAfter is how long a source may be silent;
	// "never" or 0s is for ever. Default: 24h. Silent has limits for single sources, by path.
	Retention   Duration            `yaml:"retention"`
	Keep        []Keep              `yaml:"keep"` // further limits, of single log sources or of all together
	SilentAfter Duration            `yaml:"silent_after"`
	Silent      map[string]Duration `yaml:"silent"`
	// Mappings say how JSON that no format knows becomes records. doc/logs.md has an example.
	Mappings []Mapping `yaml:"mappings"`
	// Agents, Syslog, HTTP and Buckets are ways in which lines come from elsewhere (doc/inlets.md, doc/agents.md).
	Agents  Agents       `yaml:"agents"`
	Syslog  Syslog       `yaml:"syslog"`
	HTTP    []HTTPSource `yaml:"http"`
	Buckets []Bucket     `yaml:"buckets"`
	// Webhooks are other programs that are told what happens (doc/webhooks.md).
	Webhooks []Hook `yaml:"webhooks"`
	// SignOn is where people may sign in elsewhere (OpenID Connect).
	SignOn SignOn `yaml:"sign_on"`
	// Slack keeps a channel for each incident, Room is the audio conference of each.
	Slack Slack `yaml:"slack"`
	Room  Room  `yaml:"room"`
	// Mail is how calls go out by mail.
	Mail Mail `yaml:"mail"`
	// Reports is where people outside report (doc/reports.md).
	Reports Reports `yaml:"reports"`
	// Voice, SMS and the others are further ways to ring people; Chats are rooms that a step can ring as a whole. doc/calls.md, doc/chat.md
	Voice    Voice    `yaml:"voice"`
	SMS      SMS      `yaml:"sms"`
	Telegram Telegram `yaml:"telegram"`
	Pushover Pushover `yaml:"pushover"`
	Ntfy     Ntfy     `yaml:"ntfy"`
	Signed   Signed   `yaml:"signed"`
	Chats    []Chat   `yaml:"chats"`
	// Watchers are told every minute that the bell works; when they hear nothing, they ring. Watches are other Tocsins that are listened for here.
	Watchers []Watcher `yaml:"watchers"`
	Watches  []Watch   `yaml:"watches"`
	// TestCalls is how often each channel of a person is tested, 1d to 90d; "never" is not at all. Default: 30d.
	TestCalls Duration `yaml:"test_calls"`
	// People and Escalation seed the plan once.
	People     []Person   `yaml:"people"`
	Escalation Escalation `yaml:"escalation"`
}

// A Keep says how long, or how many, lines are kept: what is beyond goes, the oldest first. Source is the name of a log source as the shelf
// has it (tocsin doctor lists them), "" is all together.
type Keep struct {
	Source string   `yaml:"source"`
	Age    Duration `yaml:"age"`
	Size   Size     `yaml:"size"` // on the disk
}

// Files are paths. One alone may stand without a list.
type Files []string

// Mapping says how lines of JSON become records. A path names a member, with dots between the names (user.email). What it means is checked by
// those who read logs.
type Mapping struct {
	Name string `yaml:"name"` // of the format of its records
	// Files are patterns of paths; When names members and the text that each must have, "*" for any.
	Files  Files             `yaml:"files"`
	When   map[string]string `yaml:"when"`
	Source Source            `yaml:"source"`
	Time   Stamp             `yaml:"time"`
	// Fields name each field's path, or paths of which the first that is there counts. Values say what a member's value
	// means: path, value, field, text. Set has fields that every record gets.
	Fields map[string]Files                        `yaml:"fields"`
	Values map[string]map[string]map[string]string `yaml:"values"`
	Set    map[string]string                       `yaml:"set"`
}

// Source is a log source in Sigma's words.
type Source struct {
	Category Files  `yaml:"category"` // one, or a list
	Product  string `yaml:"product"`
	Service  string `yaml:"service"`
}

// Stamp says where the time of a line stands, and how it is written: as a layout of Go's package time, or "" for what is usual.
type Stamp struct {
	Path   string `yaml:"path"`
	Layout string `yaml:"layout"`
	Zone   Zone   `yaml:"zone"`
}

// Mail is an SMTP server that takes our mail.
type Mail struct {
	Host     string `yaml:"host"`
	Port     int    `yaml:"port"` // default 587; 465 is TLS from the start
	From     string `yaml:"from"` // our own address
	Username string `yaml:"username"`
	// PasswordFile holds the password and nothing else. A name without a slash is a systemd credential first.
	PasswordFile string `yaml:"password_file"`
	// StartTLS is required (default), opportunistic or none.
	StartTLS string `yaml:"starttls"` // in the clear, a password goes to no server but one on this machine
	Hello    string `yaml:"hello"`    // our name in EHLO; default: the machine's
	CAFile   string `yaml:"ca_file"`  // further certificate authorities, PEM
	// DSN asks servers to report what does not come; Bounces is where those reports go. SMIMEFile is our certificate with its key, PEM.
	DSN       bool    `yaml:"dsn"`
	Bounces   Bounces `yaml:"bounces"`
	DKIM      []DKIM  `yaml:"dkim"`
	SMIMEFile string  `yaml:"smime_file"`
	// SMIMEAuthorities is a PEM file of those who may issue certificates of people: one that leads to them needs nobody to compare its fingerprint.
	SMIMEAuthorities string `yaml:"smime_authorities"`
}

// Person seeds a member of the team.
type Person struct {
	ID          string   `yaml:"id"`
	Name        string   `yaml:"name"`
	Roles       []string `yaml:"roles"`
	Mail        string   `yaml:"mail"`
	Voice       string   `yaml:"voice"`        // a phone: "+49301234567", or sips:anna@example.com
	SMS         string   `yaml:"sms"`          // a phone: "+49301234567"
	WebhookFile string   `yaml:"webhook_file"` // holds the address of a Slack-format incoming webhook, which is a secret
	Zone        Zone     `yaml:"zone"`
}

// Escalation seeds the policy. The last step must ring everyone.
type Escalation struct {
	Steps    []Step   `yaml:"steps"`
	Rounds   int      `yaml:"rounds"`   // default 1
	Every    Duration `yaml:"every"`    // between repeats of the last step; default 5m
	Throttle Duration `yaml:"throttle"` // least time between new calls; default 2m, 0s is off
	Medium   bool     `yaml:"medium"`   // ring for Medium too
	Attend   Duration `yaml:"attend"`   // after an answer without a sign of work for so long it rings again; default 30m, 0s is never
}

// Step rings some people at once.
type Step struct {
	Who     []string `yaml:"who"`     // staff ids, role:<role>, schedule:<schedule>, chat:<chat>, everyone
	By      []string `yaml:"by"`      // voice, sms, mail and the other channels; none is every channel that a person has
	Wait    Duration `yaml:"wait"`    // for an answer; default 5m
	Answers int      `yaml:"answers"` // how many people must answer, 1 to 5; default 1
}

// Watcher is an address that takes a beat every minute: /beat/ID of another Tocsin, or any that takes a POST.
type Watcher struct {
	URL       string `yaml:"url"`
	TokenFile string `yaml:"token_file"` // holds the token that both agreed on
}

// Watch is another Tocsin whose beats are taken at /beat/ID.
type Watch struct {
	ID          string   `yaml:"id"`
	TokenHash   string   `yaml:"token_hash"`   // SHA-256 of the token, in hex
	SilentAfter Duration `yaml:"silent_after"` // default 3m
}

// A Duration is a time.Duration that may also be written in days: 90s, 5m, 24h, 30d.
type Duration time.Duration

// Size is bytes, written as 500MB or 20GB; a kilobyte has 1,000 (IEC 80000-13).
type Size int64

// A Network is an address or a network in CIDR form.
type Network netip.Prefix

// A Zone is an IANA time zone; the zero Zone is UTC.
type Zone struct{ *time.Location }

// Default returns the settings of a file that says nothing.
func Default() Config {
	return Config{
		Listen: "localhost:8181", Retention: Duration(400 * 24 * time.Hour), SilentAfter: Duration(24 * time.Hour),
		TLS:        TLS{HSTS: Duration(365 * 24 * time.Hour)},
		Agents:     Agents{LostAfter: Duration(40 * time.Second)},
		Mail:       Mail{Port: 587, StartTLS: "required"},
		Escalation: Escalation{Rounds: 1, Every: Duration(5 * time.Minute), Throttle: Duration(2 * time.Minute), Attend: Duration(30 * time.Minute)},
		TestCalls:  Duration(30 * 24 * time.Hour),
	}
}

// Prefixes returns networks as netip has them.
func Prefixes(ns []Network) (out []netip.Prefix) {
	for _, n := range ns {
		out = append(out, netip.Prefix(n))
	}
	return out
}

// SilentLimit returns how long a source may be silent; 0 is for ever.
func (c Config) SilentLimit(file string) time.Duration {
	if d, ok := c.Silent[file]; ok {
		return time.Duration(d)
	}
	return time.Duration(c.SilentAfter)
}
