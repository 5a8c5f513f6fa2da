package soak

import (
	"errors"
	"io"
	"log"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// A sink is a mail server that takes everything and counts Message-IDs.
type sink struct {
	port int
	slow func() time.Duration // before it says yes

	mu   sync.Mutex
	seen map[string]int
	ids  []string // in order of the first arrival
}

func newSink(t testing.TB, slow func() time.Duration) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{port: l.Addr().(*net.TCPAddr).Port, slow: slow, seen: map[string]int{}}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{s}, nil }))
	server.Domain = "sink.example"
	server.ErrorLog = log.New(io.Discard, "", 0) // a killed client is no news
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-served; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

// a session is one connection.
type session struct{ s *sink }

func (session) Mail(string, *smtp.MailOptions) error { return nil }
func (session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (session) Reset()                               {}
func (session) Logout() error                        { return nil }

func (x session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, m.Body); err != nil { // a torn message counts for nothing
		return err
	}
	id := strings.Trim(m.Header.Get("Message-ID"), "<>")
	x.s.mu.Lock()
	if x.s.seen[id]++; x.s.seen[id] == 1 {
		x.s.ids = append(x.s.ids, id)
	}
	x.s.mu.Unlock()
	time.Sleep(x.s.slow())
	return nil
}

// counts returns how often each Message-ID came.
func (s *sink) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := make(map[string]int, len(s.seen))
	for id, n := range s.seen {
		m[id] = n
	}
	return m
}

// latest returns the call of the newest message, 0 if there is none.
func (s *sink) latest() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) == 0 {
		return 0
	}
	part := strings.Split(s.ids[len(s.ids)-1], "-") // call-12-1@origin
	if len(part) < 2 {
		return 0
	}
	n, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
