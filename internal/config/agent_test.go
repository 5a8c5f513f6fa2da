package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAgent: given a settings file of an agent, when it is read, then its values or its mistakes are told.
func TestAgent(t *testing.T) {
	own := func(change func(*Agent)) Agent {
		a := DefaultAgent()
		change(&a)
		return a
	}
	tests := []struct {
		name, text string
		want       Agent
		wrong      string
	}{
		{"nothing", "", DefaultAgent(), ""},
		{"the example is the default", AgentExample, DefaultAgent(), ""},
		{"a relative path begins at the file", "watch: [logs]\ndata: d\n", own(func(a *Agent) { a.Watch, a.Data = []string{"/etc/t/logs"}, "/etc/t/d" }), ""},
		{"syslog and a proxy", "syslog: 127.0.0.1:1514\nproxy: http://p:3128\n", own(func(a *Agent) { a.Syslog, a.Proxy = "127.0.0.1:1514", "http://p:3128" }), ""},
		{"an unknown key", "wach: [a]\n", Agent{}, `unknown key "wach"`},
		{"syslog for everybody", "syslog: 0.0.0.0:514\n", Agent{}, "syslog: "},
		{"no spool", "spool_mib: 0\n", Agent{}, "spool_mib: "},
		{"nothing to watch", "watch: []\njournal: false\n", Agent{}, "there is nothing to watch"},
		{"units without a journal", "journal: false\njournal_units: [ssh.service]\n", Agent{}, "journal_units: "},
		{"a proxy that is none", "proxy: proxy:3128\n", Agent{}, "proxy: "},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			a, err := ParseAgent("/etc/t/tocsin-agent.yaml", []byte(x.text))
			if x.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), x.wrong) {
					t.Fatalf("error %v, want one with %q", err, x.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(x.want, a); d != "" {
				t.Error(d)
			}
		})
	}
	for _, key := range keysOf(reflect.TypeFor[Agent]()) {
		if !strings.Contains(AgentExample, key+":") {
			t.Errorf("the example does not name %s", key)
		}
	}
}
