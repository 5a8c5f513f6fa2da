package inlet

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"tocsin/internal/record"
)

const secret = "a-token-of-the-shop"

// web serves doors of HTTP until the test ends.
func web(t *testing.T, o HTTPOptions) (h *HTTP, url string) {
	t.Helper()
	if o.Tokens == nil {
		o.Tokens = []Token{{Name: "shop", Hash: TokenHash(secret)}, {Name: "lines-only", Hash: TokenHash("lines"), Doors: []string{"lines"}, Host: "web-2"}}
	}
	h, err := NewHTTP(quietLog(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return h, s.URL
}

// post sends a body; headers are "Name: value".
func post(t *testing.T, url, body string, headers ...string) (status int, answer string, got http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(b), a.Header
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func zstded(s string) string {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return string(w.EncodeAll([]byte(s), nil))
}

// Given requests of all kinds, when they come, then they are answered so, and these lines are kept.
func TestHTTP(t *testing.T) {
	for _, x := range []struct {
		name, path, body string
		headers          []string
		status           int
		answer           string
		want             []string
		reason           Reason
	}{
		{"lines", "/in/lines", "a\n\nb\r\nc", nil, 200, `{"kept":4}`, []string{"a", "", "b\r", "c"}, ""},
		{"lines, gzip", "/in/lines", gzipped("a\nb\n"), []string{"Content-Encoding: gzip"}, 200, `{"kept":2}`, []string{"a", "b"}, ""},
		{"lines, zstd", "/in/lines", zstded("a\nb\n"), []string{"Content-Encoding: zstd"}, 200, `{"kept":2}`, []string{"a", "b"}, ""},
		{"a line too long is cut", "/in/lines", strings.Repeat("x", record.MaxLine+5) + "\nb", nil, 200, `{"kept":2}`, []string{strings.Repeat("x", record.MaxLine), "b"}, ""},
		{"nothing", "/in/lines", "", nil, 200, `{"kept":0}`, nil, ""},
		{"packing unknown", "/in/lines", "a", []string{"Content-Encoding: br"}, 415, "gzip or zstd", nil, BadRequest},
		{"not packed as it says", "/in/lines", "a", []string{"Content-Encoding: gzip"}, 400, "cannot be read", nil, BadRequest},
		{"packed and torn", "/in/lines", gzipped("a\nb\n")[:20], []string{"Content-Encoding: gzip"}, 400, "cannot be read", nil, BadRequest},
		{"a bomb", "/in/lines", gzipped(strings.Repeat("\x00", 9<<20)), []string{"Content-Encoding: gzip"}, 413, "more than", nil, TooLarge},
		{"a zstd bomb", "/in/lines", zstded(strings.Repeat("\x00", 9<<20)), []string{"Content-Encoding: zstd"}, 413, "more than", nil, TooLarge},
		{"too large", "/in/lines", strings.Repeat("x", 9<<20), nil, 413, "more than", nil, TooLarge},
		{"too many lines", "/in/lines", strings.Repeat("\n", 60_000), nil, 413, "more than 50000 lines", nil, TooLarge},
		{"too many objects", "/in/json", strings.Repeat("{}", 60_000), nil, 413, "more than 50000 lines", nil, TooLarge},
		{"as many lines as there may be", "/in/lines?log=a", strings.Repeat("\n", 50_000), nil, 200, `{"kept":50000}`, make([]string, 50_000), ""},
		{"no token", "/in/lines", "a", []string{"Authorization: "}, 401, "no token", nil, NoToken},
		{"unknown token", "/in/lines", "a", []string{"Authorization: Bearer x"}, 401, "not known", nil, BadToken},
		{"another scheme", "/in/lines", "a", []string{"Authorization: Basic " + secret}, 401, "no token", nil, NoToken},
		{"a token for one door", "/in/lines", "a", []string{"Authorization: bearer lines"}, 200, "1", []string{"a"}, ""},
		{"the same at another", "/in/json", "{}", []string{"Authorization: Bearer lines"}, 403, "for lines alone", nil, WrongDoor},
		{"no name of a log", "/in/lines?log=../x", "a", nil, 400, "no name of a log", nil, BadRequest},
		{"no key", "/in/lines", "a", []string{"Idempotency-Key: a b"}, 400, "none", nil, BadRequest},
		{"an object", "/in/json", ` {"a": "}\"{",  "b":[1]} `, nil, 200, "1", []string{`{"a": "}\"{",  "b":[1]}`}, ""},
		{"a list", "/in/json", "[{\"a\":1} ,\n{\"b\":2}]", nil, 200, "2", []string{`{"a":1}`, `{"b":2}`}, ""},
		{"objects on lines", "/in/json", "{\"a\":1}\n{\"a\" : 2}\r\n{\"a\":3}", []string{"Content-Encoding: gzip"}, 200, "3", []string{`{"a":1}`, `{"a" : 2}`, `{"a":3}`}, ""},
		{"an object on many lines", "/in/json", "{\n  \"a\": \"x  y\",\r\n  \"b\": {}\n}\n", nil, 200, "1", []string{`{"a":"x  y","b":{}}`}, ""},
		{"an empty list", "/in/json", "[]", nil, 200, "0", nil, ""},
		{"no object", "/in/json", `[{"a":1},7]`, nil, 400, "byte 10: an object was expected", nil, BadRequest},
		{"no JSON", "/in/json", `{"a":}`, nil, 400, "object 1", nil, BadRequest},
		{"a torn list", "/in/json", `[{"a":1}`, nil, 400, "ends in the middle", nil, BadRequest},
		{"a list and more", "/in/json", `[{"a":1}] {}`, nil, 400, "follows the list", nil, BadRequest},
		{"a deep object is not parsed", "/in/json", strings.Repeat(`{"a":`, 80) + "\n1" + strings.Repeat("}", 80) + "{}", nil, 200, "2", []string{strings.Repeat(`{"a":`, 80) + " 1" + strings.Repeat("}", 80), "{}"}, ""},
		{"an object too large is cut", "/in/json", `[{"a":"` + strings.Repeat("x", record.MaxLine) + `"},{}]`, nil, 200, "2", []string{`{"a":"` + strings.Repeat("x", record.MaxLine-6), "{}"}, ""},
	} {
		k := newKept()
		h, url := web(t, HTTPOptions{Append: k.Append})
		body := x.body
		if x.name == "objects on lines" {
			body = gzipped(body)
		}
		status, answer, header := post(t, url+x.path, body, x.headers...)
		if status != x.status || !strings.Contains(answer, x.answer) {
			t.Errorf("%s: %d %s, want %d %s", x.name, status, answer, x.status, x.answer)
		}
		if d := cmp.Diff(append([]string{}, x.want...), k.raws()); d != "" {
			t.Errorf("%s: %.2000s", x.name, d)
		}
		var all Count
		for _, c := range h.Counts() {
			all.Lines += c.Lines
			for r, n := range c.Refused {
				if r != x.reason || n != 1 {
					t.Errorf("%s: counted %d of %s", x.name, n, r)
				}
				all.Why = c.Why
			}
		}
		if all.Lines != int64(len(x.want)) || (all.Why != "") != (x.reason != "") || (status == 401) != (header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: counted %d lines, %q", x.name, all.Lines, all.Why)
		}
	}
}

// Given requests with a key, when they are repeated, then they are kept once; and no body is lost because its key was used before.
func TestKeys(t *testing.T) {
	k := newKept()
	h, url := web(t, HTTPOptions{Append: k.Append})
	for _, x := range []struct {
		key, body, token string
		status           int
	}{
		{"uuid-1", "a", secret, 200}, {"uuid-1", "a", secret, 200}, {"uuid-1", "b", secret, 422}, {"uuid-1", "other source", "lines", 200},
		{"boot/1", "c", secret, 200}, {"boot/1", "c", secret, 200}, {"boot/2", "d", secret, 200}, {"boot/1", "e", secret, 422},
		{`"uuid-1"`, "a", secret, 200},
	} {
		if status, answer, _ := post(t, url+"/in/lines", x.body, "Idempotency-Key: "+x.key, "Authorization: Bearer "+x.token); status != x.status {
			t.Errorf("key %s, body %s: %d %s", x.key, x.body, status, answer)
		}
	}
	want := []string{"a", "other source", "c", "d"}
	if d := cmp.Diff(want, k.raws()); d != "" {
		t.Error(d)
	}
	// A new start of the program has forgotten its own memory, the archive has not. The answer of the first try was lost.
	h.keys = keys{}
	for _, x := range [][2]string{{"uuid-1", "a"}, {"boot/2", "d"}, {"boot/1", "c"}} {
		if status, _, _ := post(t, url+"/in/lines", x[1], "Idempotency-Key: "+x[0]); status != 200 {
			t.Errorf("%q again: %d", x, status)
		}
	}
	if status, _, _ := post(t, url+"/in/lines", "new", "Idempotency-Key: "+"uuid-2"); status != 200 {
		t.Error("a new key")
	}
	if d := cmp.Diff(append(want, "new"), k.raws()); d != "" {
		t.Error(d)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if b := k.batches[2]; b.Agent != "http/shop" || b.Boot != "boot boot" || b.Number != 1 {
		t.Errorf("the key BOOT/NUMBER became %q %q %d", b.Agent, b.Boot, b.Number)
	}
}

// Given an archive that refuses, or too many requests, when one comes, then it is told to come again, and nothing is acknowledged.
func TestComeAgain(t *testing.T) {
	k := newKept()
	h, url := web(t, HTTPOptions{Append: k.Append, Requests: 1})
	k.set(func() error { return errors.New("the disk is full") })
	for _, door := range []string{"/in/lines", "/in/json", "/v1/logs"} {
		body := map[string]string{"/in/lines": "a", "/in/json": "{}", "/v1/logs": `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}`}[door]
		status, answer, header := post(t, url+door, body, "Content-Type: application/json")
		if status != 503 || header.Get("Retry-After") != "5" || !strings.Contains(answer, "again in a moment") {
			t.Errorf("%s: %d, Retry-After %q: %s", door, status, header.Get("Retry-After"), answer)
		}
	}
	if h.Counts()[0].Stuck == "" {
		t.Error("the door does not say that it is stuck")
	}
	entered, leave := make(chan bool), make(chan bool)
	k.set(func() error { entered <- true; <-leave; return nil })
	first := make(chan int)
	go func() {
		r, _ := http.NewRequest(http.MethodPost, url+"/in/lines", strings.NewReader("x"))
		r.Header.Set("Authorization", "Bearer "+secret)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			first <- 0
			return
		}
		a.Body.Close()
		first <- a.StatusCode
	}()
	<-entered
	if status, _, header := post(t, url+"/in/lines", "y"); status != 429 || header.Get("Retry-After") != "1" {
		t.Errorf("a second request at once: %d", status)
	}
	// A stop waits for the request under way, and refuses others.
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	cancel()
	until(t, "the doors are closed", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.closed })
	if status, _, _ := post(t, url+"/in/lines", "z"); status != 503 {
		t.Errorf("a request after the stop: %d", status)
	}
	select {
	case <-done:
		t.Error("Run did not wait for the request under way")
	default:
	}
	close(leave)
	if status := <-first; status != 200 {
		t.Errorf("the request under way: %d", status)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"x"}, k.raws()); d != "" {
		t.Error(d)
	}
}

// Given a request, when its connection is cut at any byte, then all of its lines are kept or none.
func TestHTTPCutAtEveryByte(t *testing.T) {
	k := newKept()
	h, url := web(t, HTTPOptions{Append: k.Append, BodyTime: 5 * time.Second})
	whole := "POST /in/lines HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + secret + "\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na\nb\n\r\n4\r\nc\nd\n\r\n0\r\n\r\n"
	for i := range len(whole) + 1 {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, whole[:i])
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	}
	until(t, "the requests are over", func() bool { return h.Counts()[0].Open == 0 })
	if n := len(k.raws()); n == 0 || n%4 != 0 {
		t.Errorf("%d lines", n)
	}
	for i, raw := range k.raws() {
		if raw != []string{"a", "b", "c", "d"}[i%4] {
			t.Errorf("line %d is %q", i, raw)
		}
	}
}

// Given a body that comes too slowly, when its time is over, then the request is refused.
func TestSlowBody(t *testing.T) {
	k := newKept()
	h, url := web(t, HTTPOptions{Append: k.Append, BodyTime: 100 * time.Millisecond})
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /in/lines HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\nabc", secret)
	until(t, "it is refused", func() bool { return h.Counts()[0].Refused[Slow] == 1 })
	if len(k.raws()) != 0 {
		t.Error("half a body was kept")
	}
}

// Given curl, when it sends a packed file and JSON as it does by itself, then the lines are kept.
func TestCurl(t *testing.T) {
	curl := program(t, "curl")
	k := newKept()
	_, url := web(t, HTTPOptions{Append: k.Append})
	file := t.TempDir() + "/log.gz"
	write(t, file, gzipped("one\ntwo\n"))
	for _, args := range [][]string{
		{"--data-binary", "@" + file, "-H", "Content-Encoding: gzip", url + "/in/lines?log=access.log"},
		{"--data-binary", `{"a":1}`, url + "/in/json"},
		{"-T", file, "-X", "POST", "-H", "Content-Encoding: gzip", "-H", "Expect: 100-continue", url + "/in/lines"},
	} {
		out, err := exec.Command(curl, append([]string{"-sS", "--fail", "-H", "Authorization: Bearer " + secret}, args...)...).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("kept")) {
			t.Errorf("curl %q: %v %s", args, err, out)
		}
	}
	if d := cmp.Diff([]string{"one", "two", `{"a":1}`, "one", "two"}, k.raws()); d != "" {
		t.Error(d)
	}
	if l := k.all()[0]; l.Host != "shop" || l.File != "http:lines/access.log" {
		t.Errorf("%+v", l)
	}
}

// Given any body, when it is cut into objects, then each is a JSON object on one line, and says what it said where it stood.
func FuzzObjects(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "[{\"a\":\n1},{}]", "{\"a\":1}\n{\"b\":\"\xff\"}", `[{"a":"]"}`, `[[{}]]`, strings.Repeat(`{"a":`, 70)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := objectsOf(body, 100)
		if err != nil {
			if _, ok := errors.AsType[*refusal](err); !ok {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		for _, p := range out {
			var a, b map[string]any
			if strings.Count(p.raw, "{")+strings.Count(p.raw, "[") > maxDepth && !strings.ContainsAny(p.raw, "\r\n") {
				continue // it may be too deep to be parsed
			}
			if strings.ContainsAny(p.raw, "\r\n") || json.Unmarshal([]byte(p.raw), &a) != nil {
				t.Fatalf("%q gives %q", body, p.raw)
			}
			from := body[p.start+int64(len(body)-len(bytes.TrimPrefix(body, []byte("\ufeff")))):]
			if err := json.NewDecoder(bytes.NewReader(from)).Decode(&b); err != nil || !cmp.Equal(a, b) {
				t.Fatalf("%q at %d gives %q, not %v: %v", body, p.start, p.raw, b, err)
			}
		}
	})
}

// Given settings with a mistake, when the doors are made, then the error says which.
func TestHTTPSettings(t *testing.T) {
	for says, o := range map[string]HTTPOptions{
		"make a token":              {},
		"two tokens":                {Tokens: []Token{{Name: "a"}, {Name: "a"}}},
		"letters, digits":           {Tokens: []Token{{Name: "a b"}}},
		"there are lines, json and": {Tokens: []Token{{Name: "a", Doors: []string{"otel"}}}},
		"bytes at most":             {Tokens: []Token{{Name: "a"}}, MaxBody: 1 << 30},
	} {
		o.Append = newKept().Append
		if _, err := NewHTTP(quietLog(), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error should say %q and is %v", says, err)
		}
	}
}
