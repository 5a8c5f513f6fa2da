package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// Given a server with a playbook whose name can be no file, one whose text is not its revision, and good ones, when they are pulled, then the good ones lie there and are known as pulled, and the others are named.
func TestPullOfWhatCanBeNoFile(t *testing.T) {
	good := "playbook: good\n"
	book := func(id, text string) client.PlaybookFile {
		return client.PlaybookFile{Playbook: client.Playbook{ID: id, Title: id, From: "shipped\x1b[2J", Revision: desk.RevisionOf([]byte(good))}, Text: text}
	}
	all := []client.PlaybookFile{book("a--b", good), book("../x", good), book("changed", "playbook: evil\n"), book("good", good)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := json.Marshal(all)
		for _, x := range all {
			if strings.HasSuffix(r.URL.Path, "/playbooks/"+x.ID) {
				b, err = json.Marshal(x)
			}
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b) // of a client that is there
	}))
	defer server.Close()
	t.Setenv(tokenName, "tcs_1")
	dir := t.TempDir()
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		status := Main(append(args, "--server", server.URL), Program{Files: os.DirFS("../.."), Out: &out, Err: &out})
		return status, out.String()
	}
	status, says := run("plan", "pull", dir)
	if status != 1 || !strings.Contains(says, `"a--b"`) || !strings.Contains(says, `"../x"`) || !strings.Contains(says, "changed, whose text is not that of the revision") {
		t.Errorf("%d, %s", status, says)
	}
	text, err := os.ReadFile(filepath.Join(dir, "good.yaml"))
	if err != nil || string(text) != good {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "changed.yaml")); err == nil {
		t.Error("a text that was changed on its way lies there")
	}
	was, err := readPulled(dir)
	if err != nil || len(was.Revisions) != 1 || was.Revisions["good"] != all[3].Revision {
		t.Errorf("%+v, %v", was, err)
	}
	if _, says := run("plan", "list"); strings.Contains(says, "\x1b") || !strings.Contains(says, "good") {
		t.Errorf("the list says %q", says)
	}
}
