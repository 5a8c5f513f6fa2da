package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Reports is the page on which people outside report, and the mailbox for their mail (doc/reports.md).
type Reports struct {
	// Off takes the page away. Default: it is at the console's address, /report.
	Off bool `yaml:"off"`
	// Listen is an address and port of its own for the page, with the console's certificate; URL is how people outside reach it then.
	Listen string `yaml:"listen"`
	URL    string `yaml:"url"`
	// Severity is how severe it is that a report waits to be read, which rings by the policy: low, medium, high, critical. Default: high.
	Severity string `yaml:"severity"`
	// Contact are further contacts for security.txt: mailto:security@example.com, https:, tel:.
	Contact Files `yaml:"contact"`
	// Addresses are those of the mailbox: what comes from them is our own, and no report. IMAP is where it is read.
	Addresses Files `yaml:"addresses"`
	IMAP      IMAP  `yaml:"imap"`
}

func checkReports(c *Config, say say) {
	r := c.Reports
	if r.Severity != "" && !slices.Contains([]string{"low", "medium", "high", "critical"}, r.Severity) {
		say("reports.severity", "%s", oneOf(r.Severity, []string{"low", "medium", "high", "critical"}))
	}
	if (r.Listen == "") != (r.URL == "") {
		say("reports.listen", "an origin of its own needs both: listen, such as 0.0.0.0:8443, and url, such as https://report.example.com")
	}
	if r.Listen != "" {
		host, port, err := net.SplitHostPort(r.Listen)
		if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
			say("reports.listen", "%q is no address with port; write 0.0.0.0:8443", r.Listen)
		} else if !loopback(host) && !c.TLS.On() {
			say("reports.listen", "others than this machine can reach %s, and without TLS reports could be changed on the way: give tls.cert and tls.key, or tls.acme, or listen on localhost behind a proxy that speaks TLS", r.Listen)
		}
	}
	if u, err := url.Parse(r.URL); r.URL != "" && (err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname()))) {
		say("reports.url", "%q is no address that begins with https:// and ends with its host", r.URL)
	}
	for i, x := range r.Contact {
		u, err := url.Parse(x)
		if err != nil || u.Scheme != "mailto" && u.Scheme != "https" && u.Scheme != "tel" || strings.ContainsAny(x, " \r\n") {
			say(fmt.Sprintf("reports.contact[%d]", i+1), "%q is no contact of RFC 9116; write mailto:security@example.com, or an address that begins with https://", x)
		}
	}
	for i, a := range r.Addresses {
		checkAddress(fmt.Sprintf("reports.addresses[%d]", i+1), a, say)
	}
	if m := r.IMAP; m != (IMAP{}) {
		if m.Host == "" {
			say("reports.imap.host", "the server of the mailbox is missing")
		}
		if m.Username == "" || m.PasswordFile == "" {
			say("reports.imap.username", "the mailbox needs username and password_file")
		}
		if m.Port < 0 || m.Port > 65535 {
			say("reports.imap.port", "%d is no port; usual are 993, and 143 with starttls", m.Port)
		}
		if len(r.Addresses) == 0 {
			say("reports.addresses", "name the addresses of the mailbox, such as [abuse@example.com, security@example.com], so that mail between them begins no loop")
		}
	}
}
