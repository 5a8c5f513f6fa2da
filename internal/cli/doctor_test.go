package cli

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/plan"
)

// The doctor tries the chats that stand in the plan, not only those of the settings, and names whom no call reaches.
func TestDoctorLooksAtTheTeam(t *testing.T) {
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			http.NotFound(w, r)
			return
		}
		http.Error(w, "no_text", http.StatusBadRequest)
	}))
	defer chat.Close()
	s := settings{folders: folders{data: filepath.Join(t.TempDir(), "data"), keys: filepath.Join(t.TempDir(), "keys")}, Config: config.Default()}
	open := func(name string) *disk.Folder {
		t.Helper()
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := disk.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	d, err := desk.Open(slog.New(slog.DiscardHandler), desk.Options{Version: "test", Data: open(s.data), Keys: open(s.keys), Rules: new(detect.Rules)})
	if err != nil {
		t.Fatal(err)
	}
	for id, c := range map[string]desk.Contact{"anna": {Name: "Anna", Webhook: chat.URL + "/good"}, "boris": {Name: "Boris", Webhook: chat.URL + "/gone"},
		"chen": {Name: "Chen", Mail: "chen@shop.example"}, "dora": {Name: "Dora"}} {
		if err := d.PutPerson(desk.Local("test"), id, []string{plan.Engineer}, c, id == "dora"); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range (Program{Err: io.Discard}).examineTeam(t.Context(), s, false) {
		mark := "BAD"
		switch {
		case f.OK && f.Warn:
			mark = "look"
		case f.OK:
			mark = "ok"
		}
		said = append(said, mark+" "+f.Says)
		if strings.Contains(f.Says, chat.URL) {
			t.Errorf("the address of a chat is a secret: %q", f.Says)
		}
	}
	for k, want := range []string{"ok the chat of anna answers", "BAD boris: ", "look rung in the console only, because mail and chat do not reach them: chen", "ok there is no escalation policy of your own, so the built-in one is in force: a call rings everyone at once, again every 5 minutes", "look The links in calls lead to localhost"} {
		if len(said) != 5 || !strings.HasPrefix(said[k], want) {
			t.Fatalf("finding %d of %q, want %q", k, said, want)
		}
	}
}

func TestDoctorCountsTheLogsOfAFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("notes.txt", "These are notes.\n")
	if f := examineSource(dir); !f.OK || !f.Warn || !strings.Contains(f.Says, "0 known logs among 1 files") {
		t.Errorf("a folder without logs: %+v", f)
	}
	write("access.log", "203.0.113.9 - - [09/Nov/2026:14:00:00 +0000] \"GET /trap HTTP/1.1\" 404 0 \"-\" \"Mozilla/5.0\"\n")
	if err := os.Mkdir(filepath.Join(dir, "old"), 0o700); err != nil {
		t.Fatal(err)
	}
	if f := examineSource(dir); !f.OK || f.Warn || !strings.Contains(f.Says, "1 known logs among 2 files") {
		t.Errorf("a folder with one log: %+v", f)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "error.log")); err != nil {
		t.Fatal(err)
	}
	if f := examineSource(dir); !f.OK || !f.Warn || !strings.Contains(f.Says, "1 cannot be read") {
		t.Errorf("a folder with a log that cannot be read: %+v", f)
	}
}
