package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/notify"
)

// python runs the sample code of the manual against what notify signs.
func python(t *testing.T, code string) {
	t.Helper()
	program, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not installed (Debian package python3): it runs the sample code of doc/webhooks.md")
	}
	key := []byte("the text of tickets.key, without its line end")
	now := time.Now()
	signed := func(id string, at time.Time, change func(http.Header)) map[string]any {
		body := []byte(`{"version":1,"id":"` + id + `","kind":"webhook.test"}`)
		h := http.Header{}
		notify.Sign(h, body, "tickets", key, at)
		change(h)
		plain := map[string]string{}
		for k, v := range maps.All(h) {
			plain[k] = v[0]
		}
		return map[string]any{"headers": plain, "body": string(body)}
	}
	as := func(http.Header) {}
	cases := []struct {
		name string
		sent map[string]any
		want string
	}{
		{"good", signed("a/1", now, as), "a/1"},
		{"again", signed("a/1", now.Add(time.Second), as), "None"},
		{"another", signed("a/2", now, as), "a/2"},
		{"old", signed("a/3", now.Add(-301*time.Second), as), "refused"},
		{"of the future", signed("a/3", now.Add(302*time.Second), as), "refused"},
		{"another time", signed("a/3", now, func(h http.Header) { h.Set(notify.HeaderTimestamp, strconv.FormatInt(now.Unix()+1, 10)) }), "refused"},
		{"another key", signed("a/3", now, func(h http.Header) { h.Set(notify.HeaderKey, "other") }), "refused"},
		{"no signature", signed("a/3", now, func(h http.Header) { h.Del(notify.HeaderSignature) }), "refused"},
		{"odd digits", signed("a/3", now, func(h http.Header) { h.Set(notify.HeaderTimestamp, "١٢") }), "refused"},
		{"still good", signed("a/3", now, as), "a/3"},
	}
	var in bytes.Buffer
	for _, c := range cases {
		if err := json.NewEncoder(&in).Encode(c.sent); err != nil {
			t.Fatal(err)
		}
	}
	harness := code + `
import sys
for line in sys.stdin:
    x = json.loads(line)
    try:
        m = receive(x["headers"], x["body"].encode(), ` + strconv.FormatInt(now.Unix(), 10) + `)
        print(m and m["id"])
    except ValueError:
        print("refused")
`
	cmd := exec.CommandContext(t.Context(), program, "-I", "-c", harness)
	cmd.Stdin = &in
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	for k, c := range cases {
		if k >= len(got) || got[k] != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
			break
		}
	}
}
