package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// MailOptions says through which server mail goes.
type MailOptions struct {
	Host     string // name or address of the server; its certificate must be for this name
	Port     int    // 0 is 587; on 465 TLS is implicit, whatever TLS says
	TLS      string // "required" (also ""): STARTTLS or nothing is sent; "implicit": TLS starts at once (RFC 8314); "opportunistic": STARTTLS when offered; "none": in the clear. Wherever there is TLS the certificate must hold
	CAFile   string // PEM file of the authority that signed the server's certificate; "" trusts what the machine trusts
	Username string // "" signs in to no server
	Password string // sent in the clear to no server but one on this machine
	From     string // sender's address, a name before it allowed
	Hello    string // how we name ourselves in EHLO; "" is the machine's name

	DSN     bool      // ask to be told when a message is late or does not come (RFC 3461), where the server can; only of messages with a Ref
	Bounces *Bounces  // whose reports those are; nil: they go to From
	DKIM    []DKIMKey // sign for the domain with each; usually the relay does that, and none is right
}

// A Mail sends mail through one server. It keeps connections open for some seconds, for bursts; it may be used by many
// goroutines, of which four send at once and the others wait.
type Mail struct {
	o     MailOptions
	addr  string
	from  *netmail.Address
	roots *x509.CertPool
	slots chan struct{} // one for each connection in use

	timers sync.WaitGroup // of idle links
	mu     sync.Mutex     // for what follows
	idle   []*link        // the newest last
	closed bool
}

// A link is one connection to the server, signed in.
type link struct {
	conn   *heard // below TLS, to break off with
	client *smtp.Client
	expire *time.Timer // closes the link when it was idle for keepOpen
}

// NewMail checks the options and reads the CA file. It does not connect; see Check.
func NewMail(o MailOptions) (*Mail, error) {
	if o.Host == "" {
		return nil, errors.New("mail: the server's host is missing")
	}
	if o.Port == 0 {
		o.Port = 587
	}
	if o.Port < 0 || o.Port > 65535 {
		return nil, fmt.Errorf("mail: %d is no port", o.Port)
	}
	if o.TLS == "" {
		o.TLS = "required"
	}
	if o.Port == 465 {
		o.TLS = "implicit"
	}
	if !slices.Contains([]string{"required", "implicit", "opportunistic", "none"}, o.TLS) {
		return nil, fmt.Errorf("mail: TLS is %q, but can be required, implicit, opportunistic or none", o.TLS)
	}
	from, err := address(o.From)
	if err != nil {
		return nil, fmt.Errorf("mail: the sender's address: %w", err)
	}
	if o.Hello == "" {
		o.Hello = machine()
	}
	if !helloForm.MatchString(o.Hello) {
		return nil, fmt.Errorf("mail: %q cannot be said in EHLO: it must be a host name", o.Hello)
	}
	if o.Bounces != nil {
		if err := o.Bounces.check(); err != nil {
			return nil, err
		}
	}
	for _, k := range o.DKIM {
		if err := k.check(); err != nil {
			return nil, err
		}
	}
	m := &Mail{o: o, from: from, addr: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), slots: make(chan struct{}, mailConns)}
	if m.roots, err = rootsOf(o.CAFile); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return m, nil
}

// rootsOf reads the certificates that a server's must come from; nil, which is the machine's own, when no file is named.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the CA file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return roots, nil
}

var (
	helloForm = regexp.MustCompile(`^[0-9A-Za-z.:\[\]_-]{1,255}$`)
	idForm    = regexp.MustCompile(`^[0-9A-Za-z.+=$_-]{1,120}@[0-9A-Za-z.-]{1,120}$`)
)

// machine returns the machine's name, or one that every server takes.
func machine() string {
	if name, err := os.Hostname(); err == nil && helloForm.MatchString(name) {
		return name
	}
	return "localhost"
}

// address reads one address. Only ASCII goes: with SMTPUTF8, servers write bounces in a form that few programs read (RFC 6533).
func address(s string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, fmt.Errorf("%q is no mail address", oneLine(s, maxSubject))
	}
	for _, r := range a.Address {
		if r <= ' ' || r > '~' {
			return nil, fmt.Errorf("%q has a character that mail servers do not take everywhere", oneLine(a.Address, maxSubject))
		}
	}
	a.Name = oneLine(a.Name, maxSubject)
	return a, nil
}

// Send hands one message to the server. nil means that the server took it, not that anybody read it. Every error is a *Failure.
func (m *Mail) Send(ctx context.Context, msg Message) error {
	_, err := m.Deliver(ctx, msg)
	return err
}

// Deliver is Send, and tells what the server said when it took the message. Every error is a *Failure.
func (m *Mail) Deliver(ctx context.Context, msg Message) (Accepted, error) {
	to, err := address(msg.To)
	if err != nil {
		return Accepted{}, permanent("mail: the recipient: %v", err)
	}
	c, err := m.prepare(msg, to)
	if err != nil {
		return Accepted{}, permanent("mail: %s", oneLine(err.Error(), 2*maxReply))
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := m.enter(ctx); err != nil {
		return Accepted{}, err
	}
	defer m.leave()
	if l := m.take(); l != nil {
		a, err := m.deliver(ctx, l, to, msg, c)
		if err == nil || !err.Temporary || err.Uncertain || l.alive() || ctx.Err() != nil {
			return a, plain(err)
		}
		// The server had closed the connection while it was idle: that says nothing about this message.
	}
	l, fail := m.dial(ctx)
	if fail != nil {
		return Accepted{}, fail
	}
	a, fail := m.deliver(ctx, l, to, msg, c)
	return a, plain(fail)
}

// Check connects, says EHLO, starts TLS, signs in, says NOOP and QUIT: all that can be proved without sending. Every error is a *Failure.
func (m *Mail) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.leave()
	l, fail := m.dial(ctx)
	if fail != nil {
		return fail
	}
	defer l.conn.Close()
	defer context.AfterFunc(ctx, func() { l.conn.Close() })()
	if err := l.client.Noop(); err != nil {
		return m.failure(ctx, "NOOP", err)
	}
	if err := l.client.Quit(); err != nil {
		return m.failure(ctx, "QUIT", err)
	}
	return nil
}

// Close says goodbye on the idle connections. Messages on their way are not broken off; nothing is kept open after them.
func (m *Mail) Close() {
	m.mu.Lock()
	idle := m.idle
	m.idle, m.closed = nil, true
	m.mu.Unlock()
	for _, l := range idle {
		if l.expire.Stop() {
			m.timers.Done()
			l.quit()
		}
	}
	m.timers.Wait()
}

// plain avoids an error that holds a nil *Failure.
func plain(f *Failure) error {
	if f == nil {
		return nil
	}
	return f
}

// enter waits for one of the places for sending.
func (m *Mail) enter(ctx context.Context) error {
	select {
	case m.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return network(ctx, "waiting for a connection to the mail server "+m.addr, ctx.Err())
	}
}

func (m *Mail) leave() { <-m.slots }

// take returns an idle link, nil when there is none.
func (m *Mail) take() *link {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := len(m.idle); n > 0; n = len(m.idle) {
		l := m.idle[n-1]
		m.idle = m.idle[:n-1]
		if l.expire.Stop() {
			m.timers.Done()
			return l
		}
	}
	return nil
}

// keep makes l idle: the next message uses it, or it is closed after keepOpen.
func (m *Mail) keep(l *link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		l.conn.Close()
		return
	}
	m.timers.Add(1)
	l.expire = time.AfterFunc(keepOpen, func() {
		defer m.timers.Done()
		l.quit()
	})
	m.idle = append(m.idle, l)
}

// quit ends the link; a server that does not answer is left after two seconds.
func (l *link) quit() {
	l.conn.SetDeadline(time.Now().Add(2 * time.Second))
	l.client.Quit()
	l.conn.Close()
}

// alive reports whether the link was not closed.
func (l *link) alive() bool { return l.conn.SetDeadline(time.Time{}) == nil }

// dial connects, starts TLS and signs in.
func (m *Mail) dial(ctx context.Context) (*link, *Failure) {
	connecting := "connecting to the mail server " + m.addr
	dctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	dialed, err := new(net.Dialer).DialContext(dctx, "tcp", m.addr)
	if err != nil {
		return nil, network(dctx, connecting, err)
	}
	raw := &heard{Conn: dialed, left: maxHeard}
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn, config := net.Conn(raw), &tls.Config{ServerName: m.o.Host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
	if m.o.TLS == "implicit" {
		secure := tls.Client(raw, config)
		if err := secure.HandshakeContext(dctx); err != nil {
			raw.Close()
			return nil, m.failure(dctx, "starting TLS", err)
		}
		conn = secure
	}
	client, err := smtp.NewClient(conn, m.o.Host)
	if err != nil {
		raw.Close()
		return nil, m.failure(ctx, "the connection", err)
	}
	l := &link{conn: raw, client: client}
	if fail := m.greet(ctx, l, config); fail != nil {
		raw.Close()
		return nil, fail
	}
	return l, nil
}

// greet says EHLO, starts TLS as the options say, and signs in.
func (m *Mail) greet(ctx context.Context, l *link, config *tls.Config) *Failure {
	l.client.SkipSMTPUTF8(true)
	if err := l.client.Hello(m.o.Hello); err != nil {
		return m.failure(ctx, "EHLO", err)
	}
	if m.o.TLS == "required" || m.o.TLS == "opportunistic" {
		offered, _ := l.client.Extension("STARTTLS")
		if !offered && m.o.TLS == "required" {
			return permanent("the mail server %s offers no STARTTLS, so nothing was sent: use its TLS port (465), or allow mail in the clear with TLS none", m.addr)
		}
		if offered {
			if err := l.client.StartTLS(config); err != nil {
				return m.failure(ctx, "STARTTLS", err)
			}
		}
	}
	if m.o.Username == "" {
		return nil
	}
	sign := &login{username: m.o.Username, password: m.o.Password}
	if state, ok := l.client.TLSConnectionState(); ok {
		sign.state = &state
	}
	if err := l.client.Auth(sign); err != nil {
		if f, ok := errors.AsType[*Failure](err); ok {
			return f
		}
		return m.failure(ctx, "signing in", err)
	}
	return nil
}

// compose writes the message as it goes over the wire: one part, text/plain, UTF-8, quoted-printable, no line over 76 bytes.
func (m *Mail) compose(msg Message, to *netmail.Address) ([]byte, error) {
	if !idForm.MatchString(msg.ID) {
		return nil, fmt.Errorf("the Message-ID %q is not of the form that we make", oneLine(msg.ID, maxSubject))
	}
	g := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP), mail.WithCharset(mail.CharsetUTF8))
	g.SetAddrHeaderFromMailAddress(mail.HeaderFrom, m.from)
	g.SetAddrHeaderFromMailAddress(mail.HeaderTo, to)
	g.Subject(oneLine(msg.Subject, maxSubject))
	g.SetDate()
	g.SetGenHeader("Message-ID", "<"+msg.ID+">")
	g.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	if msg.Call != "" {
		g.SetGenHeader("X-Tocsin-Call", oneLine(msg.Call, maxSubject))
	}
	if msg.Twice {
		g.SetGenHeader("X-Tocsin-Repeat", "possibly twice")
	}
	g.SetBodyString(mail.TypeTextPlain, lines(msg.Body, maxBody)+"\n")
	var b bytes.Buffer
	if _, err := g.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("writing the message: %w", err)
	}
	return b.Bytes(), nil
}
