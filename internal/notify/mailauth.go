package notify

import (
	"bytes"
	"crypto/tls"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// A login signs in by the strongest way that the server offers and this connection allows: SCRAM (RFC 5802, 7677) first, bound
// to the TLS connection where the server can do that (PLUS), then PLAIN and LOGIN, which show the password and so need TLS or a
// server on this machine, then CRAM-MD5.
type login struct {
	username, password string
	state              *tls.ConnectionState // nil in the clear
	chosen             smtp.Auth
	scram              bool
	step               int // of SCRAM
}

// What a server may ask to be computed: less than RFC 7677 wants gives the password away, more only costs time.
const (
	minIterations = 4096
	maxIterations = 1_000_000
)

// Start implements smtp.Auth.
func (l *login) Start(server *smtp.ServerInfo) (mechanism string, response []byte, err error) {
	offered := func(name string) bool {
		return slices.ContainsFunc(server.Auth, func(s string) bool { return strings.EqualFold(s, name) })
	}
	safe := server.TLS || server.Name == "localhost" || server.Name == "127.0.0.1" || server.Name == "::1"
	l.scram = true
	switch {
	case offered("SCRAM-SHA-256-PLUS") && l.state != nil:
		l.chosen = smtp.ScramSHA256PlusAuth(l.username, l.password, l.state)
	case offered("SCRAM-SHA-256"):
		l.chosen = smtp.ScramSHA256Auth(l.username, l.password)
	case offered("SCRAM-SHA-1"):
		l.chosen = smtp.ScramSHA1Auth(l.username, l.password)
	default:
		l.scram = false
	}
	switch {
	case l.scram:
	case offered("PLAIN") && safe:
		l.chosen = smtp.PlainAuth("", l.username, l.password, server.Name, false)
	case offered("LOGIN") && safe:
		l.chosen = smtp.LoginAuth(l.username, l.password, server.Name, false)
	case offered("CRAM-MD5"):
		l.chosen = smtp.CRAMMD5Auth(l.username, l.password)
	case offered("PLAIN") || offered("LOGIN"):
		return "", nil, permanent("the mail server %s wants the password in the clear: turn TLS on, or give no user name", server.Name)
	default:
		return "", nil, permanent("the mail server %s offers no way to sign in that this program knows (offered: %q): give no user name if it needs none",
			server.Name, oneLine(strings.Join(server.Auth, " "), maxReply))
	}
	return l.chosen.Start(server)
}

// Next implements smtp.Auth. In SCRAM the order of the three messages is held here: a server that skips one, or says that all is well
// without having proved that it knows the password, is not the server that we know.
func (l *login) Next(challenge []byte, more bool) ([]byte, error) {
	if !l.scram {
		return l.chosen.Next(challenge, more)
	}
	l.step++
	begins := []string{"", "r=", "v="}
	switch {
	case !more && l.step == 4:
		return nil, nil
	case !more || l.step > 3 || !bytes.HasPrefix(challenge, []byte(begins[l.step-1])) || l.step == 1 && len(challenge) > 0:
		return nil, permanent("the mail server did not prove that it knows the password, so it may be another one: nothing was sent")
	case l.step == 2:
		for f := range bytes.SplitSeq(challenge, []byte(",")) {
			if count, ok := bytes.CutPrefix(f, []byte("i=")); ok {
				if n, err := strconv.Atoi(string(count)); err != nil || n < minIterations || n > maxIterations {
					return nil, permanent("the mail server asks for %s rounds of SCRAM; between %d and %d are done", oneLine(string(count), 20), minIterations, maxIterations)
				}
			}
		}
	}
	return l.chosen.Next(challenge, more)
}
