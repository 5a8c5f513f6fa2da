package hub

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// A house is a hub with a real archive, served on loopback.
type house struct {
	t       testing.TB
	hub     *Hub
	archive *archive.Archive
	url     string
	saved   atomic.Pointer[State]
	revoked sync.Map
	now     atomic.Int64 // nanoseconds to add to the clock
	stop    func()
}

func open(t testing.TB, change func(*Options)) *house {
	t.Helper()
	h := &house{t: t}
	a, _, err := archive.Open(disk.NewLossy(), "archive", archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.archive = a
	ca, err := NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	h.saved.Store(&State{})
	h.begin(ca, change)
	return h
}

// begin starts the hub, on what an earlier one left.
func (h *house) begin(ca []byte, change func(*Options)) {
	h.t.Helper()
	o := Options{
		CA: ca, State: *h.saved.Load(), Append: h.archive.Append, Positions: h.archive.Positions,
		Save:    func(s State) error { h.saved.Store(&s); return nil },
		Revoked: func(id string) bool { _, ok := h.revoked.Load(id); return ok },
		Now:     func() time.Time { return time.Now().Add(time.Duration(h.now.Load())) },
	}
	if change != nil {
		change(&o)
	}
	var err error
	if h.hub, err = New(o); err != nil {
		h.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.url = "https://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.hub.Serve(ctx, l) }()
	h.stop = sync.OnceFunc(func() { cancel(); <-done })
	h.t.Cleanup(h.stop)
}

// A guest is a client that speaks the protocol by hand, so that it can also speak it wrongly.
type guest struct {
	h    *house
	http *http.Client
	id   record.Admission
	boot string
}

// guest makes one without a certificate.
func (h *house) guest(certificates ...tls.Certificate) *guest {
	roots := h.hub.authority.pool()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: record.HubName, MinVersion: tls.VersionTLS13, Certificates: certificates}, ForceAttemptHTTP2: true}
	h.t.Cleanup(tr.CloseIdleConnections)
	return &guest{h: h, http: &http.Client{Transport: tr}, boot: "b1"}
}

func request(t testing.TB) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}

func (h *house) token(name string) string {
	h.t.Helper()
	token, err := h.hub.NewToken(name, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// joined is an agent with a certificate.
func (h *house) joined(name string) *guest {
	h.t.Helper()
	key, der := request(h.t)
	secret, _, _ := strings.Cut(h.token(name), ".")
	var a record.Admission
	if status := h.guest().ask("POST", "join", mustJSON(record.JoinRequest{Secret: secret, Request: der}), &a); status != 200 {
		h.t.Fatalf("join: status %d", status)
	}
	g := h.guest(tls.Certificate{Certificate: [][]byte{a.Certificate}, PrivateKey: key})
	g.id = a
	return g
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (g *guest) ask(method, path string, body []byte, answer any) int {
	g.h.t.Helper()
	r, err := http.NewRequest(method, g.h.url+"/agent/v1/"+path, bytes.NewReader(body))
	if err != nil {
		g.h.t.Fatal(err)
	}
	r.Header.Set("Tocsin-Now", strconv.FormatInt(time.Now().UnixNano(), 10))
	got, err := g.http.Do(r)
	if err != nil {
		g.h.t.Fatal(err)
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil {
		g.h.t.Fatal(err)
	}
	if answer != nil {
		if err := json.Unmarshal(b, answer); err != nil {
			g.h.t.Fatalf("%s: %v", b, err)
		}
	}
	return got.StatusCode
}

// frame packs lines of a file.
func (g *guest) frame(number uint64, file string, lines ...string) []byte {
	b := record.Batch{Agent: "agent-of-somebody-else", Received: time.Now()}
	at := int64(0)
	for _, l := range lines {
		b.Lines = append(b.Lines, record.Line{Host: "foreign", File: file, Offset: at, Raw: l})
		at += int64(len(l)) + 1
	}
	b.Positions = []record.Position{{File: file, Offset: at}}
	return pack(g.h.t, g.boot, number, b)
}

func pack(t testing.TB, boot string, number uint64, b record.Batch) []byte {
	t.Helper()
	plain, err := record.PackBatch(b)
	if err != nil {
		t.Fatal(err)
	}
	return packed(t, boot, number, plain, len(plain))
}

func packed(t testing.TB, boot string, number uint64, plain []byte, size int) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return record.AppendFrame(nil, record.Frame{Boot: boot, Number: number, Plain: size, Payload: z.EncodeAll(plain, nil)})
}

func (g *guest) send(frames ...[]byte) (int, record.Receipts) {
	g.h.t.Helper()
	var a record.Receipts
	return g.ask("POST", "batches", bytes.Join(frames, nil), &a), a
}

// lines are all that the archive has, as "agent host file text".
func (h *house) lines() (all []string) {
	h.t.Helper()
	blocks, err := h.archive.Read(1, 1<<20)
	if err != nil && !errors.Is(err, archive.ErrClosed) {
		h.t.Fatal(err)
	}
	for _, b := range blocks {
		for _, l := range b.Lines {
			all = append(all, b.Agent+" "+l.Host+" "+l.File+" "+l.Raw)
		}
	}
	return all
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

// TestJoin: given a token, when somebody joins with it, then it gives one certificate and no more.
func TestJoin(t *testing.T) {
	h := open(t, nil)
	_, der := request(t)
	secret := func(token string) string { s, _, _ := strings.Cut(token, "."); return s }
	used := secret(h.token("shop1"))
	old := secret(h.token("shop2"))
	named := secret(h.token("shop3"))
	free := secret(h.token(""))
	tests := []struct {
		name   string
		ask    record.JoinRequest
		later  time.Duration
		status int
		reason record.Reason
		called string
	}{
		{"a token", record.JoinRequest{Secret: used, Name: "elsewhere", Request: der}, 0, 200, "", "shop1"},
		{"the same again", record.JoinRequest{Secret: used, Request: der}, 0, 403, record.BadToken, ""},
		{"one that was never given", record.JoinRequest{Secret: strings.Repeat("a", 52), Request: der}, 0, 403, record.BadToken, ""},
		{"no token", record.JoinRequest{Request: der}, 0, 403, record.BadToken, ""},
		{"the token names the host", record.JoinRequest{Secret: named, Name: "other", Request: der}, 0, 200, "", "shop3"},
		{"a name that is none", record.JoinRequest{Secret: free, Name: "a b\n", Request: der}, 0, 400, record.Request, ""},
		{"a name that is taken", record.JoinRequest{Secret: free, Name: "SHOP1", Request: der}, 0, 409, record.Request, ""},
		{"no key", record.JoinRequest{Secret: free, Name: "shop4", Request: []byte("x")}, 0, 400, record.Request, ""},
		{"what failed did not spend it", record.JoinRequest{Secret: free, Name: "shop4", Request: der}, 0, 200, "", "shop4"},
		{"too late", record.JoinRequest{Secret: old, Request: der}, 2 * time.Hour, 403, record.BadToken, ""},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			h.now.Store(int64(x.later))
			before := h.hub.Counts()[Count{"", x.reason}]
			var a struct {
				record.Admission
				record.Receipts
			}
			if status := h.guest().ask("POST", "join", mustJSON(x.ask), &a); status != x.status || a.Refused != x.reason || a.Name != x.called {
				t.Fatalf("status %d, %+v", status, a)
			}
			if x.reason != "" && h.hub.Counts()[Count{"", x.reason}] != before+1 {
				t.Error("it is not counted")
			}
		})
	}
	b := mustJSON(h.saved.Load())
	for _, s := range []string{used, old, named, free} {
		if bytes.Contains(b, []byte(s)) {
			t.Error("a secret is kept")
		}
	}
}

// TestTokenOnce: given one token, when many join with it at once, then one does.
func TestTokenOnce(t *testing.T) {
	h := open(t, nil)
	secret, _, _ := strings.Cut(h.token(""), ".")
	var all sync.WaitGroup
	var in atomic.Int64
	for i := range 16 {
		all.Go(func() {
			_, der := request(t)
			if h.guest().ask("POST", "join", mustJSON(record.JoinRequest{Secret: secret, Name: fmt.Sprint("h", i), Request: der}), nil) == 200 {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d joined", in.Load())
	}
}

// TestJoinUnkept: given a state that cannot be kept, when somebody joins, then nobody did and the token is good.
func TestJoinUnkept(t *testing.T) {
	fails := false
	h := open(t, nil)
	ca := h.hub.o.CA
	h.stop()
	save := func(s State) error {
		if fails {
			return errors.New("the disk is full")
		}
		h.saved.Store(&s)
		return nil
	}
	h.begin(ca, func(o *Options) { o.Save = save })
	secret, _, _ := strings.Cut(h.token("a"), ".")
	_, der := request(t)
	fails = true
	if status := h.guest().ask("POST", "join", mustJSON(record.JoinRequest{Secret: secret, Request: der}), nil); status != 503 {
		t.Errorf("status %d", status)
	}
	if _, err := h.hub.NewToken("b", time.Hour); err == nil || len(h.hub.Agents()) > 0 {
		t.Error("what is not kept is there")
	}
	fails = false
	if status := h.guest().ask("POST", "join", mustJSON(record.JoinRequest{Secret: secret, Request: der}), nil); status != 200 {
		t.Errorf("status %d", status)
	}
}

// TestBatches: given an agent, when it sends what it may not, then it is refused, counted and without effect.
func TestBatches(t *testing.T) {
	h := open(t, func(o *Options) { o.InFlight = 80 << 20 })
	g := h.joined("shop1")
	one, two := g.frame(1, "/a.log", "x", "y"), g.frame(2, "/a.log", "z")
	status, a := g.send(one, two)
	if status != 200 || len(a.Receipts) != 2 || a.Receipts[0].First != 1 || a.Receipts[0].Last != 2 || a.Receipts[1].First != 3 || a.Receipts[1].Boot != "b1" {
		t.Fatalf("status %d, %+v", status, a)
	}
	want := []string{g.id.Agent + " shop1 /a.log x", g.id.Agent + " shop1 /a.log y", g.id.Agent + " shop1 /a.log z"}
	same(t, h.lines(), want...)
	if _, again := g.send(two); len(again.Receipts) != 1 || again.Receipts[0] != a.Receipts[1] {
		t.Errorf("a repeat: %+v", again)
	}
	changed := bytes.Clone(g.frame(3, "/a.log", "w"))
	changed[len(changed)-1] ^= 1
	otherBoot := *g
	otherBoot.boot = "b2"
	bomb := packed(t, "b1", 3, make([]byte, record.MaxSentPlain*4), record.MaxSentPlain)
	var many [][]byte
	for range 1100 {
		many = append(many, two)
	}
	tests := []struct {
		name   string
		body   []byte
		status int
		reason record.Reason
	}{
		{"an earlier one", one, 409, record.Replayed},
		{"one is left out", g.frame(4, "/a.log", "w"), 409, record.Reordered},
		{"a new boot that does not begin with 1", otherBoot.frame(2, "/a.log", "w"), 409, record.Reordered},
		{"another content under the last number", g.frame(2, "/a.log", "other"), 409, record.Conflict},
		{"a hash that does not fit", changed, 400, record.Changed},
		{"no frame", []byte("GET / HTTP/1.0\r\n\r\n and some more bytes, so that it is longer than a header is"), 400, record.Garbage},
		{"half a frame", one[:len(one)-1], 400, record.Garbage},
		{"no zstd", record.AppendFrame(nil, record.Frame{Boot: "b1", Number: 3, Plain: 10, Payload: []byte("not packed")}), 400, record.Garbage},
		{"no batch", packed(t, "b1", 3, []byte("no batch at all"), 15), 400, record.Garbage},
		{"another length", packed(t, "b1", 3, []byte("no batch at all"), 14), 400, record.Garbage},
		{"a bomb", bomb, 400, record.Garbage},
		{"a number out of the world", g.frame(1<<63, "/a.log", "w"), 400, record.Garbage},
		{"the name that the hub uses itself", g.frame(3, "queue:", "w"), 400, record.Garbage},
		{"too many", bytes.Join(many, nil), 413, record.Oversize},
		{"too long", make([]byte, maxBatches+1), 413, record.Oversize},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			before := h.hub.Counts()[Count{g.id.Agent, x.reason}]
			status, a := g.send(x.body)
			if status != x.status || a.Refused != x.reason || a.Why == "" {
				t.Fatalf("status %d, %+v", status, a)
			}
			if status == 409 && (a.Newest == nil || a.Newest.Number != 2) {
				t.Errorf("it does not say what it has: %+v", a.Newest)
			}
			if h.hub.Counts()[Count{g.id.Agent, x.reason}] != before+1 {
				t.Error("it is not counted")
			}
			same(t, h.lines(), want...)
		})
	}
	if h.hub.room.used+h.hub.desk.used != 0 {
		t.Errorf("%d bytes are still held", h.hub.room.used+h.hub.desk.used)
	}
	if status, _ := g.send(g.frame(3, "/a.log", "w")); status != 200 {
		t.Errorf("what is right is refused: %d", status)
	}
}

// TestAfterRestart: given a hub that was started again, when its agent repeats itself or lies about its past, then the archive's own
// words decide.
func TestAfterRestart(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	two := g.frame(2, "/a.log", "y")
	g.send(g.frame(1, "/a.log", "x"), two)
	ca := h.hub.o.CA
	h.stop()
	h.begin(ca, nil)
	var a record.Receipts
	if g.ask("GET", "receipts", nil, &a); a.Newest == nil || a.Newest.Number != 2 || a.Newest.Boot != "b1" {
		t.Fatalf("%+v", a.Newest)
	}
	if status, _ := g.send(g.frame(2, "/a.log", "other")); status != 409 {
		t.Errorf("the past can be overwritten: %d", status)
	}
	if status, a := g.send(two); status != 200 || len(a.Receipts) != 1 {
		t.Errorf("a repeat is refused: %d", status)
	}
	if status, _ := g.send(g.frame(3, "/a.log", "z")); status != 200 {
		t.Errorf("the next is refused: %d", status)
	}
	same(t, h.lines(), g.id.Agent+" shop1 /a.log x", g.id.Agent+" shop1 /a.log y", g.id.Agent+" shop1 /a.log z")
}

// TestCertificates: given all kinds of certificates, when they ask, then only those of agents that may be heard are.
func TestCertificates(t *testing.T) {
	h, other := open(t, nil), open(t, nil)
	g := h.joined("shop1")
	foreign := other.joined("shop1")
	server, err := h.hub.authority.server(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"receipts", "time", "head?from=0"} {
		if status := h.guest().ask("GET", path, nil, nil); status != 401 {
			t.Errorf("%s without a certificate: status %d", path, status)
		}
	}
	for _, c := range []tls.Certificate{foreign.http.Transport.(*http.Transport).TLSClientConfig.Certificates[0], *server} {
		r, _ := http.NewRequest("GET", h.url+"/agent/v1/time", nil)
		if got, err := h.guest(c).http.Do(r); err == nil {
			t.Errorf("a certificate that is not an agent's of this hub: status %d", got.StatusCode)
		}
	}
	if status := g.ask("GET", "time", nil, nil); status != 200 {
		t.Errorf("status %d", status)
	}
	h.now.Store(int64(91 * 24 * time.Hour))
	if status := g.ask("GET", "time", nil, nil); status != 401 {
		t.Errorf("a certificate that ended, on an open connection: status %d", status)
	}
	h.now.Store(0)
	old, err := tls.Dial("tcp", strings.TrimPrefix(h.url, "https://"), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err == nil {
		old.Close()
		t.Error("TLS 1.2 is spoken")
	}
}

// TestRevoked: given an agent with open connections, when it is revoked, then nothing more of it is taken, not even a batch on its way.
func TestRevoked(t *testing.T) {
	h := open(t, nil)
	g, other := h.joined("shop1"), h.joined("shop2")
	g.send(g.frame(1, "/a.log", "x"))
	frame := g.frame(2, "/a.log", "y")
	half, more := io.Pipe()
	r, _ := http.NewRequest("POST", h.url+"/agent/v1/batches", half)
	r.ContentLength = int64(len(frame))
	answer := make(chan int, 1)
	go func() {
		got, err := g.http.Do(r)
		if err != nil {
			answer <- 0
			return
		}
		got.Body.Close()
		answer <- got.StatusCode
	}()
	more.Write(frame[:10])
	h.revoked.Store(g.id.Agent, true)
	more.Write(frame[10:])
	more.Close()
	if status := <-answer; status != 403 {
		t.Errorf("a batch on its way: status %d", status)
	}
	for _, path := range []string{"receipts", "time", "head?from=0"} {
		var a record.Receipts
		if status := g.ask("GET", path, nil, &a); status != 403 || a.Refused != record.Revoked {
			t.Errorf("%s: status %d", path, status)
		}
	}
	_, der := request(t)
	if status := g.ask("POST", "renew", mustJSON(record.JoinRequest{Request: der}), nil); status != 403 {
		t.Errorf("renew: status %d", status)
	}
	if status, _ := other.send(other.frame(1, "/a.log", "z")); status != 200 {
		t.Errorf("another agent: status %d", status)
	}
	same(t, h.lines(), g.id.Agent+" shop1 /a.log x", other.id.Agent+" shop2 /a.log z")
	if h.hub.Counts()[Count{g.id.Agent, record.Revoked}] != 5 {
		t.Errorf("counts: %v", h.hub.Counts())
	}
	for _, a := range h.hub.Agents() {
		if a.Revoked != (a.ID == g.id.Agent) {
			t.Errorf("%+v", a)
		}
	}
}

// TestRoom: given little room, when two agents send at once, then the second is told to come again.
func TestRoom(t *testing.T) {
	h := open(t, func(o *Options) { o.InFlight = 6000 })
	g, other := h.joined("shop1"), h.joined("shop2")
	half, more := io.Pipe()
	r, _ := http.NewRequest("POST", h.url+"/agent/v1/batches", half)
	r.ContentLength = 2990
	done := make(chan struct{})
	go func() {
		defer close(done)
		if got, err := g.http.Do(r); err == nil {
			got.Body.Close()
		}
	}()
	more.Write(make([]byte, 10))
	frame := other.frame(1, "/a.log", "x")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		h.hub.room.mu.Lock()
		held := h.hub.room.used
		h.hub.room.mu.Unlock()
		if held > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the first does not hold its bytes")
		}
	}
	if status, a := other.send(frame); status != 429 || a.Refused != record.Busy {
		t.Errorf("status %d, %+v", status, a)
	}
	if status, _ := g.send(frame); status != 429 {
		t.Errorf("a second request of one agent: status %d", status)
	}
	more.CloseWithError(errors.New("gone"))
	<-done
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if status, _ := other.send(frame); status == 200 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the room does not come back")
		}
	}
}

// TestFiles: given an agent that names ever more files, when it has named enough, then it is refused.
func TestFiles(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	number := uint64(0)
	for n := 0; ; n++ {
		b := record.Batch{Received: time.Now()}
		for i := range 4000 {
			b.Positions = append(b.Positions, record.Position{File: fmt.Sprintf("/%d/%d", n, i)})
		}
		number++
		status, a := g.send(pack(t, "b1", number, b))
		if status == 200 && n < 2 {
			continue
		}
		if status != 422 || a.Refused != record.Files || n != 2 {
			t.Fatalf("after %d: status %d, %+v", n, status, a)
		}
		break
	}
}

// TestStart: given a batch with which watching starts, when it was spooled for long and the agent's clock is off, then the archive
// gets the moment by the server's clock, and none before the agent joined or after now.
func TestStart(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	var number uint64
	for _, x := range []struct {
		late, want time.Duration // of the agent's start before its now; of the archive's before the server's now
	}{{-time.Hour, 0}, {48 * time.Hour, -1}} {
		number++
		file := fmt.Sprint("/", number)
		b := record.Batch{Start: true, Received: time.Now().Add(-x.late), Positions: []record.Position{{File: file}}}
		if status, a := g.send(pack(t, "b1", number, b)); status != 200 {
			t.Fatalf("%+v", a)
		}
		got, _ := h.archive.StartedAt(g.id.Agent, file)
		if x.want < 0 && !got.Equal(h.hub.Agents()[0].Joined.Joined) || x.want == 0 && time.Since(got).Abs() > time.Minute {
			t.Errorf("%v late: %v", x.late, got)
		}
	}
}

// TestState: given what an agent says of its host, when it is asked for, then it is there, and no more of it than is sensible.
func TestState(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	host := record.Host{System: "Debian", Ports: make([]record.Port, 5000), Clock: record.Clock{Known: true, Offset: time.Second}}
	if status := g.ask("POST", "state", mustJSON(host), nil); status != 200 {
		t.Fatalf("status %d", status)
	}
	a := h.hub.Agents()[0]
	if a.Host.System != "Debian" || len(a.Host.Ports) != maxList || a.Host.Clock.Offset != time.Second || a.Seen.IsZero() {
		t.Errorf("%+v", a)
	}
	for _, body := range [][]byte{[]byte("{"), bytes.Repeat([]byte(" "), maxState+1), []byte(`{"ports":{}}`)} {
		if status := g.ask("POST", "state", body, nil); status != 400 {
			t.Errorf("status %d", status)
		}
	}
}

// TestUnkept: given an archive that takes nothing, when an agent sends, then it gets no receipt and is told to come again.
func TestUnkept(t *testing.T) {
	h := open(t, nil)
	g := h.joined("shop1")
	keep := h.hub.o.Append
	h.hub.o.Append = func(record.Batch) (record.Receipt, error) { return record.Receipt{}, archive.ErrFull }
	frame := g.frame(1, "/a.log", "x")
	if status, a := g.send(frame); status != 503 || a.Refused != record.Unkept || len(a.Receipts) > 0 {
		t.Errorf("status %d, %+v", status, a)
	}
	h.hub.o.Append = keep
	if status, _ := g.send(frame); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestAuthority(t *testing.T) {
	for _, text := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if _, err := New(Options{CA: []byte(text), Append: func(record.Batch) (record.Receipt, error) { return record.Receipt{}, nil }, Save: func(State) error { return nil }, Positions: func(string) map[string]record.Position { return nil }}); err == nil {
			t.Errorf("%q is an authority", text)
		}
	}
	h := open(t, nil)
	if h.hub.Fingerprint() != sha256.Sum256(h.hub.authority.certificate.Raw) {
		t.Error("another fingerprint")
	}
	first, err := h.hub.authority.server(time.Now())
	again, _ := h.hub.authority.server(time.Now().Add(59 * 24 * time.Hour))
	later, _ := h.hub.authority.server(time.Now().Add(61 * 24 * time.Hour))
	if err != nil || first != again || first == later {
		t.Error("the hub's certificate is not renewed when a third is left")
	}
}

// FuzzBatches: whatever an agent sends, the hub answers, holds no bytes afterwards, and the archive has what it had and whole batches.
func FuzzBatches(f *testing.F) {
	h := open(f, nil)
	g := h.joined("shop1")
	f.Add(g.frame(1, "/a.log", "x", "y"))
	f.Add([]byte("TAf1"))
	seeds, _ := filepath.Glob("testdata/frames/*")
	for _, name := range seeds {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b)
		}
	}
	me := Joined{ID: g.id.Agent, Name: "shop1"}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := httptest.NewRequest("POST", "/agent/v1/batches", bytes.NewReader(b))
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{NotAfter: time.Now().Add(time.Hour)}}}}
		r.TLS.VerifiedChains[0][0].Subject.CommonName = g.id.Agent
		w := httptest.NewRecorder()
		h.hub.batches(w, r, me)
		if w.Code == 200 && len(b) > 0 {
			var a record.Receipts
			if json.Unmarshal(w.Body.Bytes(), &a) != nil || len(a.Receipts) == 0 {
				t.Errorf("%s", w.Body)
			}
		}
		if h.hub.room.used+h.hub.desk.used != 0 || len(h.hub.busy) != 0 {
			t.Error("something is still held")
		}
	})
}
