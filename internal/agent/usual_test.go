package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNeeded: given what a host watches and the folders that are only usual, when it is told of, then those that nobody misses are left out.
func TestNeeded(t *testing.T) {
	usual := []string{"/var/log/nginx", "/var/log/apache2"}
	gone := func(path string) Source { return Source{Path: path, Pattern: path, State: Missing} }
	nginx := Source{Path: "/var/log/nginx/access.log", Pattern: "/var/log/nginx", State: OK}
	for _, x := range []struct {
		name  string
		all   []Source
		usual []string
		want  []string
	}{
		{"one web server", []Source{gone("/var/log/apache2"), nginx}, usual, []string{nginx.Path}},
		{"no web server", []Source{gone("/var/log/apache2"), gone("/var/log/nginx")}, usual, []string{"/var/log/apache2", "/var/log/nginx"}},
		{"asked for", []Source{gone("/var/log/apache2"), nginx}, nil, []string{"/var/log/apache2", nginx.Path}},
		{"another that was asked for", []Source{gone("/srv/shop.log"), nginx}, usual, []string{"/srv/shop.log", nginx.Path}},
		{"a log that was read and is gone", []Source{gone("/var/log/apache2"), {Path: "/var/log/nginx/old.log", Pattern: "/var/log/nginx", State: Missing, Lines: 7}, nginx}, usual, []string{"/var/log/nginx/old.log", nginx.Path}},
		{"one that may not be read", []Source{gone("/var/log/nginx"), {Path: "/var/log/apache2", Pattern: "/var/log/apache2", State: Unreadable}}, usual, []string{"/var/log/apache2"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			var got []string
			for _, s := range needed(x.all, x.usual) {
				got = append(got, s.Path)
			}
			if d := cmp.Diff(x.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
