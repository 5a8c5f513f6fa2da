package voice

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// maxMessage is how long one SIP message may be, in bytes.
const maxMessage = 32 << 10

// A link is one TLS connection to a SIP server or app. Messages come out of In, which is closed when the connection ends.
type link struct {
	conn *tls.Conn
	in   chan sip.Message
	done chan struct{}
}

// A dialError says why no connection came about; Temporary is false when the certificate is to blame.
type dialError struct {
	Temporary bool
	Reason    string
}

func (e *dialError) Error() string { return e.Reason }

// dial connects and checks the certificate before a byte of SIP is sent. Its errors are *dialError.
func (l *Line) dial(ctx context.Context, a address) (*link, error) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	d := tls.Dialer{NetDialer: &net.Dialer{KeepAlive: 30 * time.Second}, Config: l.tlsFor(a.Host)}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.Host, a.Port))
	if err != nil {
		var bad *tls.CertificateVerificationError
		var name x509.HostnameError
		var missing *net.DNSError
		switch {
		case errors.As(err, &name):
			return nil, &dialError{false, fmt.Sprintf("the server %s shows a certificate for another name (%v); nothing was sent to it", a.Host, name)}
		case errors.As(err, &bad):
			return nil, &dialError{false, fmt.Sprintf("the certificate of the server %s is not trusted (%v); nothing was sent to it. Renew the certificate, or name its authority in the settings of calls", a.Host, bad.Err)}
		case errors.As(err, &missing) && missing.IsNotFound:
			return nil, &dialError{false, fmt.Sprintf("the server %s does not exist in the DNS; correct the address", a.Host)}
		}
		return nil, &dialError{true, fmt.Sprintf("no encrypted connection to the server %s: %v", a.Host, err)}
	}
	k := &link{conn: c.(*tls.Conn), in: make(chan sip.Message, 16), done: make(chan struct{})}
	go k.read()
	return k, nil
}

// read takes messages apart until the connection ends, a message is too long, or the link is closed.
func (k *link) read() {
	defer close(k.in)
	parser := sip.NewParser()
	parser.MaxMessageLength = maxMessage
	stream := parser.NewSIPStream()
	defer stream.Close()
	buf, fresh := make([]byte, 4096), true
	for {
		n, err := k.conn.Read(buf)
		if err != nil {
			return
		}
		data := buf[:n]
		if fresh { // between messages: keep-alives (RFC 5626, section 3.5.1); a ping is answered
			if strings.HasPrefix(string(data), "\r\n\r\n") {
				k.write([]byte("\r\n"))
			}
			for len(data) > 0 && (data[0] == '\r' || data[0] == '\n') {
				data = data[1:]
			}
			if len(data) == 0 {
				continue
			}
		}
		err = stream.ParseSIPStream(data, func(m sip.Message) {
			select {
			case k.in <- m:
			case <-k.done:
			}
		})
		if err != nil && !errors.Is(err, sip.ErrParseSipPartial) {
			return
		}
		fresh = err == nil
		select {
		case <-k.done:
			return
		default:
		}
	}
}

// write sends bytes, waiting at most 5 s: a far side that does not read shall not hold a call.
func (k *link) write(b []byte) error {
	if err := k.conn.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	_, err := k.conn.Write(b)
	return err
}

// close ends the connection and waits for nothing.
func (k *link) close() {
	close(k.done)
	_ = k.conn.SetDeadline(time.Now().Add(time.Second))
	_ = k.conn.Close()
}

// local is our address on the connection.
func (k *link) local() netip.AddrPort {
	a := k.conn.LocalAddr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// cipher says in words which TLS protects the link.
func (k *link) cipher() string {
	s := k.conn.ConnectionState()
	return tls.VersionName(s.Version) + " " + tls.CipherSuiteName(s.CipherSuite)
}

// A message is a SIP message that we send: its first line, its headers in order, its body.
type message struct {
	first string
	heads [][2]string
	kind  string // of the body
	body  []byte
}

func (m *message) add(name, value string) { m.heads = append(m.heads, [2]string{name, value}) }

// bytes writes the message. No header can hold a line end: they come from settings that were checked, or from a parser that cut at them.
func (m *message) bytes() []byte {
	var b strings.Builder
	b.WriteString(m.first + "\r\n")
	clean := strings.NewReplacer("\r", "", "\n", "", "\x00", "")
	for _, h := range m.heads {
		b.WriteString(h[0] + ": " + clean.Replace(h[1]) + "\r\n")
	}
	if len(m.body) > 0 {
		b.WriteString("Content-Type: " + m.kind + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(m.body))
	return append([]byte(b.String()), m.body...)
}

// headed is a message of either kind, request or response.
type headed interface {
	GetHeader(name string) sip.Header
	GetHeaders(name string) []sip.Header
}

// header returns a header's value, "" when the message has none.
func header(m headed, names ...string) string {
	for _, n := range names {
		if h := m.GetHeader(n); h != nil {
			return h.Value()
		}
	}
	return ""
}

// headers returns every value of a header.
func headers(m headed, name string) (out []string) {
	for _, h := range m.GetHeaders(name) {
		out = append(out, h.Value())
	}
	return out
}

// reply answers a request of the far side (RFC 3261, section 8.2.6); tag is ours in the dialog.
func reply(r *sip.Request, status int, reason string, more ...[2]string) *message {
	m := &message{first: fmt.Sprintf("SIP/2.0 %d %s", status, reason)}
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range headers(r, name) {
			if name == "To" && !strings.Contains(v, "tag=") {
				v += ";tag=" + token(8)
			}
			m.add(name, v)
		}
	}
	m.heads = append(m.heads, more...)
	return m
}

// token is chance in hexadecimal, of n bytes.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return fmt.Sprintf("%x", b)
}
