package cli

import "testing"

func TestFolders(t *testing.T) {
	for _, tt := range []struct{ name, state, data, keys string }{
		{"as a service", "/var/lib/tocsin", "/var/lib/tocsin", "/var/lib/tocsin-keys"},
		{"with two state folders", "/var/lib/tocsin:/var/lib/other", "/var/lib/tocsin", "/var/lib/tocsin-keys"},
		{"not as a service", "", "/home/anna/state/tocsin", "/home/anna/state/tocsin-keys"},
	} {
		t.Setenv("STATE_DIRECTORY", tt.state)
		t.Setenv("XDG_STATE_HOME", "/home/anna/state")
		var f folders
		if err := f.fill("", ""); err != nil || f.data != tt.data || f.keys != tt.keys {
			t.Errorf("%s: %+v, %v", tt.name, f, err)
		}
	}
}
