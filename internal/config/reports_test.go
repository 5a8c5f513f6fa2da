package config

import (
	"strings"
	"testing"
)

// TestReports: settings of reports from outside, and what is said of those that cannot work.
func TestReports(t *testing.T) {
	good := `reports: {listen: "localhost:8443", url: "https://report.shop.example", severity: medium, contact: ["mailto:security@shop.example"], addresses: [abuse@shop.example], imap: {host: imap.shop.example, username: abuse, password_file: /x}}`
	if c, err := Parse("x", []byte(good)); err != nil || c.Reports.Severity != "medium" || c.Reports.IMAP.Host != "imap.shop.example" {
		t.Errorf("%+v, %v", c.Reports, err)
	}
	for text, want := range map[string]string{
		`{severity: loud}`:                                                        "loud",
		`{listen: "localhost:8443"}`:                                              "needs both",
		`{listen: "0.0.0.0:8443", url: "https://a.example"}`:                      "without TLS",
		`{listen: "localhost:1", url: "http://a.example"}`:                        "begins with https://",
		`{listen: "localhost:1", url: "https://a.example/report"}`:                "ends with its host",
		`{contact: ["security@shop.example"]}`:                                    "RFC 9116",
		`{addresses: [nobody]}`:                                                   "no mail address",
		`{imap: {host: a.example, username: b, password_file: c}}`:                "begins no loop",
		`{addresses: [a@b.example], imap: {host: a.example}}`:                     "username and password_file",
		`{addresses: [a@b.example], imap: {username: b, password_file: /secret}}`: "the server of the mailbox",
	} {
		if _, err := Parse("x", []byte("reports: "+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
