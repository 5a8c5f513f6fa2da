package sigma

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

// TestConformanceAttributes: every attribute of a document is kept (rules: Components).
func TestConformanceAttributes(t *testing.T) {
	full := func(more string) string { return refusalHead + more + detectionText }
	for _, c := range []struct {
		part string
		text string
		got  func(m *Meta) any
		want any
	}{
		{"rules: Title", full(""), func(m *Meta) any { return m.Title }, "c"},
		{"rules: Title", strings.Replace(full(""), "title: c", "title: "+strings.Repeat("ä", 256), 1), func(m *Meta) any { return len(m.Title) }, 512},
		{"rules: Identification", full(""), func(m *Meta) any { return m.ID + " " + m.Key() }, "c1 c1"},
		{"rules: Identification", strings.Replace(full("name: n\n"), "id: c1\n", "", 1), func(m *Meta) any { return m.Key() }, "n"},
		{"rules: Identification", full("related:\n  - {id: a, type: derived}\n  - {id: b, type: obsolete}\n  - {id: c, type: merged}\n  - {id: d, type: renamed}\n  - {id: e, type: similar}\n"),
			func(m *Meta) any { return m.Related },
			[]Related{{"a", "derived"}, {"b", "obsolete"}, {"c", "merged"}, {"d", "renamed"}, {"e", "similar"}}},
		{"rules: Name", full("name: failed_login\n"), func(m *Meta) any { return m.Name }, "failed_login"},
		{"rules: Taxonomy", full(""), func(m *Meta) any { return m.Taxonomy }, "sigma"},
		{"rules: Taxonomy", full("taxonomy: sigma\n"), func(m *Meta) any { return m.Taxonomy }, "sigma"},
		{"rules: Status", full("status: stable\n"), func(m *Meta) any { return m.Status }, "stable"},
		{"rules: Status", full("status: unsupported\n"), func(m *Meta) any { return m.Status }, "unsupported"},
		{"rules: Description", full("description: |\n  Two\n  lines\n"), func(m *Meta) any { return m.Description }, "Two\nlines\n"},
		{"rules: License", full("license: DRL-1.1\n"), func(m *Meta) any { return m.License }, "DRL-1.1"},
		{"rules: Author", full("author: Anna, Bob\n"), func(m *Meta) any { return m.Author }, "Anna, Bob"},
		{"rules: Author", full("author: [Anna, Bob]\n"), func(m *Meta) any { return m.Author }, "Anna, Bob"},
		{"rules: References", full("references:\n  - https://example.org/a#b\n"), func(m *Meta) any { return m.References }, []string{"https://example.org/a#b"}},
		{"rules: Date", full("date: 2026-11-09\n"), func(m *Meta) any { return m.Date }, "2026-11-09"},
		{"rules: Modified", full("modified: 2026-11-10\n"), func(m *Meta) any { return m.Modified }, "2026-11-10"},
		{"rules: Fields", full("fields: [CommandLine, User]\n"), func(m *Meta) any { return m.Fields }, []string{"CommandLine", "User"}},
		{"rules: FalsePositives", full("falsepositives: [a, b]\n"), func(m *Meta) any { return m.FalsePositives }, []string{"a", "b"}},
		{"rules: FalsePositives", full("falsepositives: Unlikely\n"), func(m *Meta) any { return m.FalsePositives }, []string{"Unlikely"}},
		{"rules: Level", full("level: informational\n"), func(m *Meta) any { return m.Level }, "informational"},
		{"rules: Tags", full("tags: [attack.t1110, cve.2021-44228]\n"), func(m *Meta) any { return m.Tags }, []string{"attack.t1110", "cve.2021-44228"}},
		{"rules: Scope", full("scope: [server]\n"), func(m *Meta) any { return m.Scope }, []string{"server"}},
		{"correlation: Level", "title: c\nlevel: high\nstatus: test\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n", func(m *Meta) any { return m.Level + " " + m.Status }, "high test"},
		{"filters: Description", "title: c\nid: f\ndescription: d\ndate: 2026-11-09\nmodified: 2026-11-10\nlogsource: {category: application}\nfilter: {rules: [a], selection: {f: 1}, condition: selection}\n",
			func(m *Meta) any { return []string{m.ID, m.Description, m.Date, m.Modified} }, []string{"f", "d", "2026-11-09", "2026-11-10"}},
	} {
		docs, err := Parse("c.yml", []byte(c.text))
		if err != nil || len(docs) != 1 {
			t.Errorf("%s: %v\n%s", c.part, err, c.text)
			continue
		}
		if d := cmp.Diff(c.want, c.got(docs[0].Meta())); d != "" {
			t.Errorf("%s: %s", c.part, d)
		}
		same(t, docs[0])
	}
}

// TestConformanceFiles: files of several documents, and keys that nobody knows (rules: File Structure, Yaml File).
func TestConformanceFiles(t *testing.T) {
	one := refusalHead + detectionText
	for _, c := range []struct {
		part string
		text string
		docs int
		bad  int
	}{
		{"rules: Yaml File", one, 1, 0},
		{"rules: Yaml File", "---\n" + one + "...\n", 1, 0},
		{"rules: Yaml File", "\ufeff" + one, 1, 0},
		{"rules: Yaml File", strings.ReplaceAll(one, "\n", "\r\n"), 1, 0},
		{"rules: Yaml File", "# a comment\n---\n" + one + "---\n" + one, 2, 0},
		{"rules: Yaml File", one + "---\n# nothing\n---\n" + one, 2, 0},
		{"rules: Yaml File", one + "---\ntitle: [\n---\n" + one, 2, 1},
		{"rules: Yaml File", one + "---\ntitle: x\n---\n" + one, 2, 2},
		{"rules: Yaml File", "", 0, 0},
		{"correlation: Failed Logins Followed by Successful Login", one + "---\n" + correlationText("type: event_count, rules: [c1], timespan: 1m, condition: {gte: 1}"), 2, 0},
		{"filters: Examples", one + "---\n" + filterText("{rules: [c1], selection: {f|startswith: adm_}, condition: selection}"), 2, 0},
		{"rules: File Structure", "custom: {a: [1, b]}\n" + one + "another: x\n", 1, 0},
		{"rules: LogSource", strings.Replace(one, "{category: application}", "{category: application, definition: 'a: b', more: [x]}", 1), 1, 0},
	} {
		docs, err := Parse("c.yml", []byte(c.text))
		if len(docs) != c.docs || len(Refusals(err)) != c.bad {
			t.Errorf("%s: %d documents and %v\n%s", c.part, len(docs), err, c.text)
		}
		for _, d := range docs {
			same(t, d)
			if strings.Contains(c.text, "custom") && !strings.Contains(string(d.Print()), "custom:\n  a:\n    - 1\n    - b\n") {
				t.Errorf("%s: a key was lost:\n%s", c.part, d.Print())
			}
		}
	}
}

// TestConformanceRouting: a rule reads the logs that have each part that it names (rules: LogSource).
func TestConformanceRouting(t *testing.T) {
	nginx := record.LogSource{Categories: []string{"webserver", "authentication"}, Product: "nginx", Service: "access"}
	sshd := record.LogSource{Categories: []string{"authentication"}, Product: "linux", Service: "sshd"}
	for _, c := range []struct {
		source      string
		nginx, sshd bool
	}{
		{"category: webserver", true, false},
		{"category: authentication", true, true},
		{"product: nginx", true, false},
		{"service: sshd", false, true},
		{"product: linux, service: sshd", false, true},
		{"product: linux, service: auth", false, true},
		{"product: linux, service: syslog", false, true},
		{"product: linux, service: cron", false, false},
		{"service: nginx", true, false},
		{"service: apache", false, false},
		{"category: webserver, product: nginx", true, false},
		{"category: webserver, product: nginx, service: access", true, false},
		{"category: webserver, service: error", false, false},
		{"category: webserver, product: apache", false, false},
		{"category: authentication, product: linux", false, true},
		{"product: windows", false, false},
		{"service: onelogin.events", false, false},
		{"category: process_creation, product: windows, service: firewall-as", false, false},
	} {
		docs, err := Parse("c.yml", []byte("title: c\nlogsource: {"+c.source+"}\n"+detectionText))
		if err != nil {
			t.Fatal(err)
		}
		u := docs[0].Rule
		if u.Routed(nginx) != c.nginx || u.Routed(sshd) != c.sshd {
			t.Errorf("{%s}: nginx %v, sshd %v", c.source, u.Routed(nginx), u.Routed(sshd))
		}
	}
}

// TestConformanceTaxonomy: the field names of the taxonomy and of SigmaHQ, by log source (taxonomy: Fields).
func TestConformanceTaxonomy(t *testing.T) {
	for _, c := range []struct {
		source string
		names  string // "rule's name>record's name", and "name!" for one that no parser here gives
	}{
		{"category: webserver", "c-ip>source.ip cs-username>user.name cs-method>http.request.method cs-uri-stem>url.path cs-uri-query>url.original " +
			"sc-status>http.response.status_code sc-bytes>http.response.body.bytes cs-version>http.version cs-host>url.domain cs-user-agent>user_agent.original " +
			"cs-referer>http.request.referrer s-port>destination.port cs-cookie>http.request.cookie cs-bytes>cs-bytes cs-content-type! date! time! s-sitename>s-sitename " +
			"s-computername>s-computername s-ip>destination.ip cs(User-Agent)>user_agent.original cs(Referer)>http.request.referrer " +
			"c-win32-status! time-taken! sc-substatus>sc-substatus sc-win32-status>sc-win32-status cs-content-length! x-forwarded-for>network.forwarded_ip " +
			"url.original>url.original"},
		{"category: proxy", "c-uri>url.original c-uri-extension>url.extension c-uri-query>url.original c-uri-stem>url.path c-useragent>user_agent.original " +
			"cs-host>url.domain cs-method>http.request.method r-dns>url.domain cs-referrer>http.request.referrer cs-version>http.version sc-bytes>http.response.body.bytes " +
			"sc-status>http.response.status_code src_ip>source.ip dst_ip>destination.ip cs-bytes! cs-cookie>http.request.cookie rs-bytes! c-user-agent! sr-host!"},
		{"product: apache, service: error", "cs-method>http.request.method user>user!"},
		{"category: firewall", "src_ip>source.ip src_port>source.port dst_ip>destination.ip dst_port>destination.port username>user.name action!"},
		{"category: file_event, product: linux", "TargetFilename>file.path User>user.name Image!"},
		{"product: linux, service: auditd", "type! a0! name! exe!"},
		{"product: linux, service: sshd", "message>message"},
		{"product: linux, service: vsftpd", "message>message"},
		{"product: aws, service: cloudtrail", "eventSource>eventSource userIdentity.type>userIdentity.type requestParameters.attribute>requestParameters.attribute errorCode>errorCode responseElements>responseElements eventNames!"},
		{"category: antivirus", "Filename! Signature! Action!"},
		{"category: database", "db.statement>db.statement"},
		{"category: application, product: shop", "anything>anything cs-method>cs-method"},
		{"category: network, service: connection", "source.ip>source.ip destination.port>destination.port network.transport!"},
	} {
		for f := range strings.FieldsSeq(c.names) {
			name, ours, _ := strings.Cut(strings.TrimSuffix(f, "!"), ">")
			docs, err := Parse("c.yml", fmt.Appendf(nil, "title: c\nlogsource: {%s}\ndetection: {s: {'%s': x}, condition: s}\n", c.source, name))
			if err != nil {
				t.Errorf("{%s}: %v", c.source, err)
				continue
			}
			u := docs[0].Rule
			if loose := len(u.Loose()) > 0; loose != strings.HasSuffix(f, "!") {
				t.Errorf("{%s}: %s is loose: %v", c.source, name, loose)
			}
			if ours == "" {
				ours = name
			}
			if !u.Match(sigmaRecord(strings.TrimSuffix(ours, "!") + "=x")) {
				t.Errorf("{%s}: %s is not the record's %s", c.source, name, ours)
			}
		}
	}
}
