package notify

import (
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// A login signs in by the strongest way that the server offers and this connection allows: SCRAM (RFC 5802, 7677) first,
// then PLAIN and LOGIN, which show the password and so need TLS or a server on this machine, then CRAM-MD5.
type login struct {
	username, password string
	chosen             smtp.Auth
}

// Start implements smtp.Auth.
func (l *login) Start(server *smtp.ServerInfo) (mechanism string, response []byte, err error) {
	offered := func(name string) bool {
		return slices.ContainsFunc(server.Auth, func(s string) bool { return strings.EqualFold(s, name) })
	}
	safe := server.TLS || server.Name == "localhost" || server.Name == "127.0.0.1" || server.Name == "::1"
	switch {
	case offered("SCRAM-SHA-256"):
		l.chosen = smtp.ScramSHA256Auth(l.username, l.password)
	case offered("SCRAM-SHA-1"):
		l.chosen = smtp.ScramSHA1Auth(l.username, l.password)
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

// Next implements smtp.Auth.
func (l *login) Next(challenge []byte, more bool) ([]byte, error) {
	return l.chosen.Next(challenge, more)
}
