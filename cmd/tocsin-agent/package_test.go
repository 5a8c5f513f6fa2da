package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackage: the Debian package has the program, its unit, its settings and scripts that a shell can read.
func TestPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds")
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("there is no dpkg-deb")
	}
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	run("../../packaging/agent/build.sh", "0.0.1", dir)
	name := filepath.Join(dir, "tocsin-agent_0.0.1_amd64.deb")
	files := run("dpkg-deb", "--contents", name)
	for _, want := range []string{"./usr/bin/tocsin-agent", "./usr/lib/systemd/system/tocsin-agent.service", "./etc/tocsin-agent/tocsin-agent.yaml"} {
		if !strings.Contains(files, want+"\n") {
			t.Errorf("%s is not in it:\n%s", want, files)
		}
	}
	run("dpkg-deb", "--extract", name, filepath.Join(dir, "tree"))
	if said := run(filepath.Join(dir, "tree/usr/bin/tocsin-agent"), "--version"); said != "tocsin-agent version 0.0.1\n" {
		t.Errorf("its program says %q", said)
	}
	licences, err := os.ReadFile(filepath.Join(dir, "tree/usr/share/doc/tocsin-agent/copyright"))
	for _, want := range []string{"==== Tocsin\n", "==== The Go standard library\n", "==== github.com/klauspost/compress v", "==== golang.org/x/sys v", "==== github.com/goccy/go-yaml v"} {
		if err != nil || !strings.Contains(string(licences), want) {
			t.Errorf("no licence %q: %v", want, err)
		}
	}
	run("dpkg-deb", "--control", name, filepath.Join(dir, "control"))
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		run("sh", "-n", filepath.Join(dir, "control", script))
	}
	if text := run("dpkg-deb", "--info", name, "conffiles"); text != "/etc/tocsin-agent/tocsin-agent.yaml\n" {
		t.Errorf("%q", text)
	}
}
