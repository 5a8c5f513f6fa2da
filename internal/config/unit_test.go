package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unit returns the systemd unit as it is shipped, with a program in it that is there on every machine.
func unit(t *testing.T) (text, path string) {
	t.Helper()
	data, err := os.ReadFile("../../dist/tocsin.service")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "tocsin.service")
	there, err := exec.LookPath("true")
	if err != nil {
		t.Skip("there is no program to put into the unit")
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(data), "/usr/local/bin/tocsin", there)), 0o600); err != nil {
		t.Fatal(err)
	}
	return string(data), path
}

func TestUnit(t *testing.T) {
	text, _ := unit(t)
	for _, want := range []string{
		"ExecStart=/usr/local/bin/tocsin serve --data %S/tocsin\n", "StateDirectory=tocsin tocsin-keys\n", // keys: the data folder's name with -keys
		"SupplementaryGroups=adm\n", "NoNewPrivileges=yes\n", "ProtectSystem=strict\n", "SystemCallFilter=@system-service\n", "MemoryMax=1G\n",
		"UMask=0077\n", "StateDirectoryMode=0700\n", "Restart=always\n", "#LoadCredential=smtp:",
	} {
		if !strings.Contains("\n"+text, "\n"+want) {
			t.Errorf("the unit lacks %q", want)
		}
	}
	if !strings.Contains(Example, "password_file: smtp\n") {
		t.Error("the example names another credential than the unit")
	}
}

// TestUnitAnalyzed asks systemd itself: the unit is right, and its exposure at most 2.0 of 10.
func TestUnitAnalyzed(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	_, path := unit(t)
	if out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || strings.Contains(string(out), "tocsin.service:") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", path).CombinedOutput(); err != nil {
		t.Errorf("security: %v\n%s", err, out)
	}
}
