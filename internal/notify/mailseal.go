package notify

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"tocsin/internal/envelope"
)

// An Accepted says that a server took a message: not that it was delivered, and not that anybody read it.
type Accepted struct {
	Reply      string        // the server's words to the message's end, one line: most name the message in their queue ("250 2.0.0 Ok: queued as 5C0F")
	Server     string        // host and port
	TLS        string        // version and cipher suite; "" in the clear
	Form       envelope.Form // how the message was protected
	Downgraded string        // why it has less protection or fewer details than was asked for; "" when it has not. For the record
	From       string        // the envelope's sender, to which reports of non-delivery go
	DSN        bool          // the server promised to report (RFC 3461)
}

// A composed message is ready for the wire.
type composed struct {
	raw  []byte
	from string // the envelope's sender, without brackets
	envelope.Sealed
}

// compose writes the message as it goes over the wire, sealed if it is to be, and signed for the domain.
func (m *Mail) prepare(msg Message, to *netmail.Address) (c composed, err error) {
	if !idForm.MatchString(msg.ID) {
		return c, fmt.Errorf("the Message-ID %q is not of the form that we make", oneLine(msg.ID, maxSubject))
	}
	if c.from, err = m.sender(msg.Ref); err != nil {
		return c, err
	}
	if msg.Seal == nil {
		c.Form = envelope.Clear
		c.raw, err = m.compose(msg, to)
	} else {
		c.raw, c.Sealed, err = m.seal(msg, to)
	}
	if err != nil {
		return c, err
	}
	c.raw, err = signDKIM(m.o.DKIM, c.raw)
	return c, err
}

// sender returns the envelope's sender: with a token when there is what it shall name.
func (m *Mail) sender(ref string) (string, error) {
	if ref == "" || m.o.Bounces == nil {
		return m.from.Address, nil
	}
	return m.o.Bounces.Address(ref)
}

// seal writes a message whose body was made by internal/envelope. Outside stand only who, to whom, when, and that it is of a call.
func (m *Mail) seal(msg Message, to *netmail.Address) ([]byte, envelope.Sealed, error) {
	now := time.Now()
	s, err := msg.Seal(envelope.Plain{
		From: m.from.String(), To: to.String(), ID: msg.ID, Date: now,
		Subject: oneLine(msg.Subject, maxSubject), Body: lines(msg.Body, maxBody) + "\n",
	})
	if err != nil {
		return nil, s, fmt.Errorf("the message could not be sealed, so nothing was sent: %w", err)
	}
	var b bytes.Buffer
	b.WriteString("From: " + m.from.String() + "\r\nTo: " + to.String() + "\r\nSubject: " + envelope.Header(s.Subject) + "\r\n")
	b.WriteString("Date: " + now.Format(time.RFC1123Z) + "\r\nMessage-ID: <" + msg.ID + ">\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n")
	if call := oneLine(msg.Call, maxSubject); call != "" {
		b.WriteString("X-Tocsin-Call: " + envelope.Header(call) + "\r\n")
	}
	if msg.Twice {
		b.WriteString("X-Tocsin-Repeat: possibly twice\r\n")
	}
	b.WriteString(s.Header + "\r\n")
	b.Write(s.Body)
	for l := range bytes.SplitSeq(b.Bytes(), []byte("\r\n")) {
		if len(l) > 998 || bytes.ContainsAny(l, "\r\n\x00") {
			return nil, s, fmt.Errorf("the sealed message has a line that SMTP forbids")
		}
	}
	return b.Bytes(), s, nil
}

// xtext writes a word of an SMTP command so that it holds nothing that means something there (RFC 3461 section 4).
func xtext(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
