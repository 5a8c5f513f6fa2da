package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/notify"
)

// outside are the settings of reports from outside; nil is that they are off.
func (p Program) outside(c config.Config, sample bool) (*desk.OutsideOptions, error) {
	r := c.Reports
	if r.Off {
		return nil, nil
	}
	o := &desk.OutsideOptions{URL: r.URL, Severity: r.Severity, Contact: r.Contact, Addresses: r.Addresses}
	box, err := p.letters(c)
	if err != nil || box == nil || sample { // nothing of the sample is real: mail that is read is seen by nobody else
		return o, err
	}
	o.Letters = box.HearLetters
	return o, nil
}

// letters is the mailbox of people's mail; nil when it is not set up.
func (p Program) letters(c config.Config) (*notify.Mailbox, error) {
	at := c.Reports.IMAP
	if at == (config.IMAP{}) {
		return nil, nil
	}
	password, err := p.named("reports.imap.password_file", at.PasswordFile)
	if err != nil {
		return nil, err
	}
	return notify.NewMailbox(notify.MailboxOptions{Host: at.Host, Port: at.Port, StartTLS: at.StartTLS, CAFile: at.CAFile, Username: at.Username, Password: password, Folder: at.Folder, Letters: true})
}

// A publicServer serves the page for reports at an origin of its own. It logs nothing: what a server says of connections has addresses in it.
type publicServer struct {
	server   *http.Server
	listener net.Listener
}

// openPublic listens for the page's own origin; nil when it has none.
func openPublic(set settings, shown secured, h http.Handler) (*publicServer, error) {
	if set.Reports.Listen == "" || set.Reports.Off {
		return nil, nil
	}
	l, err := net.Listen("tcp", set.Reports.Listen)
	if err != nil {
		return nil, errors.New("the page for reports cannot listen on " + set.Reports.Listen + ": stop what uses that port, or choose another at reports.listen in tocsin.yaml")
	}
	s := newServer(slog.New(slog.DiscardHandler), h)
	s.TLSConfig = shown.tls
	return &publicServer{s, l}, nil
}

func (s *publicServer) serve() error {
	if s.server.TLSConfig != nil {
		return s.server.ServeTLS(s.listener, "", "")
	}
	return s.server.Serve(s.listener)
}

func (s *publicServer) shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	return s.server.Shutdown(ctx)
}
