package config

import (
	_ "embed"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
)

// AgentExample is a tocsin-agent.yaml that names every key, with its default or a plausible value.
//
//go:embed agent.yaml
var AgentExample string

// Agent is what tocsin-agent.yaml may say: the settings of the agent on a shop host. Every key is optional.
type Agent struct {
	// Data is the folder of what the agent keeps: its key, its certificate and what it has not sent yet. Default:
	// /var/lib/tocsin-agent.
	Data string `yaml:"data"`
	// Watch lists files, globs and folders of logs. Default: the usual folders of nginx and Apache.
	Watch []string `yaml:"watch"`
	// Journal follows the systemd journal; JournalUnits are those units of it that count, none is all. Default: true.
	Journal      bool     `yaml:"journal"`
	JournalUnits []string `yaml:"journal_units"`
	// Syslog is an address on loopback at which RFC 3164 and RFC 5424 are taken over UDP and TCP. Default: none.
	Syslog string `yaml:"syslog"`
	// SpoolMiB is how much may wait to be sent, in MiB, at least 1. Default: 1024.
	SpoolMiB int `yaml:"spool_mib"`
	// Proxy is what the server is reached through. Default: what HTTPS_PROXY says.
	Proxy string `yaml:"proxy"`
	// WebRoots are folders in which shops are looked for. Default: the usual ones.
	WebRoots []string `yaml:"web_roots"`
}

// DefaultAgent returns the settings of a file that says nothing.
func DefaultAgent() Agent {
	return Agent{
		Data: "/var/lib/tocsin-agent", Watch: []string{"/var/log/nginx", "/var/log/apache2", "/var/log/httpd"}, Journal: true, SpoolMiB: 1024,
	}
}

// LoadAgent reads the settings file of an agent. All its mistakes come as one joined error of Problems.
func LoadAgent(name string) (Agent, error) {
	data, err := readFile(name)
	if err != nil {
		return Agent{}, err
	}
	return ParseAgent(name, data)
}

// ParseAgent is Parse for the settings of an agent.
func ParseAgent(name string, data []byte) (Agent, error) {
	a := DefaultAgent()
	d := &decoder{file: name, places: make(map[string]place), failed: make(map[string]bool)}
	d.decode(data, &a)
	d.checkAgent(a)
	if len(d.problems) > 0 {
		return a, d.err()
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return a, fmt.Errorf("reading the settings: %w", err)
	}
	at := func(p *string) {
		if !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	at(&a.Data)
	for _, list := range [][]string{a.Watch, a.WebRoots} {
		for i := range list {
			at(&list[i])
		}
	}
	return a, nil
}

func (d *decoder) checkAgent(a Agent) {
	say := func(key, format string, args ...any) {
		if !d.failed[key] {
			d.wrong(d.near(key), key, format, args...)
		}
	}
	if a.Data == "" {
		say("data", "the path is empty")
	}
	for _, list := range []struct {
		key   string
		paths []string
	}{{"watch", a.Watch}, {"web_roots", a.WebRoots}, {"journal_units", a.JournalUnits}} {
		for i, p := range list.paths {
			if p == "" {
				say(fmt.Sprintf("%s[%d]", list.key, i+1), "this is empty")
			}
		}
	}
	if len(a.JournalUnits) > 0 && !a.Journal {
		say("journal_units", "the journal is not followed: set journal to true")
	}
	if a.Syslog != "" {
		if p, err := netip.ParseAddrPort(a.Syslog); err != nil || !p.Addr().IsLoopback() {
			say("syslog", "%q is no address of this machine alone; write 127.0.0.1:1514", a.Syslog)
		}
	}
	if a.SpoolMiB < 1 || a.SpoolMiB > 1<<20 {
		say("spool_mib", "the spool needs 1 MiB at least, and 1048576 at most")
	}
	if u, err := url.Parse(a.Proxy); a.Proxy != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5") {
		say("proxy", "this is no address of a proxy; write http://proxy.example.com:3128")
	}
	if len(a.Watch) == 0 && !a.Journal && a.Syslog == "" {
		say("watch", "there is nothing to watch: name logs, or set journal to true")
	}
}
