package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tocsin/internal/cert"
	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/web"
)

// acmeDir is where certificates that ACME gave lie, in the data folder.
const acmeDir = "acme"

// secured is how the console shows who it is. The zero value speaks http.
type secured struct {
	tls    *tls.Config                     // nil is http
	states func(time.Time) []cert.State    // of the certificates that are shown
	close  []func()                        // in the order of opening
	public string                          // host of the console, in small letters
	hsts   time.Duration                   // how long browsers shall remember https
	wrap   func(http.Handler) http.Handler // answers challenges on the port of http; nil is none
}

// secure opens the certificate before anything else begins: a console that cannot show one does not start half. listener stays open.
func secure(ctx context.Context, log *slog.Logger, set settings, listener net.Listener) (s secured, err error) {
	s = secured{states: func(time.Time) []cert.State { return nil }, hsts: time.Duration(set.TLS.HSTS)}
	if u, err := url.Parse(set.desk.URL); err == nil {
		s.public = strings.ToLower(u.Hostname())
	}
	if !set.tls() {
		return s, nil
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	var plainPort net.Listener
	if set.TLS.HTTPListen != "" {
		if plainPort, err = net.Listen("tcp", set.TLS.HTTPListen); err != nil {
			return s, fmt.Errorf("tls.http_listen: listening on %s: %w; stop what uses that port, or leave the setting out", set.TLS.HTTPListen, err)
		}
	}
	var acme *cert.ACME
	if set.TLS.ACME.On() {
		acme, err = s.openACME(log, set, listener, plainPort)
	} else {
		err = s.openOwn(log, set)
	}
	if plainPort != nil {
		s.redirect(log, plainPort, set.desk.URL)
	}
	if err == nil && acme != nil {
		err = acme.Obtain(ctx, listener)
	}
	return s, err
}

func (s *secured) openOwn(log *slog.Logger, set settings) error {
	c, err := openCertificate(log, set.TLS.Cert, set.TLS.Key, time.Now())
	if err != nil {
		return err
	}
	s.tls = c.settings()
	s.states = func(now time.Time) []cert.State {
		leaf := c.at(now).Leaf
		if leaf == nil {
			return nil
		}
		return []cert.State{{Name: set.TLS.Cert, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}}
	}
	return nil
}

func (s *secured) openACME(log *slog.Logger, set settings, listener, plainPort net.Listener) (*cert.ACME, error) {
	var at net.Addr
	if plainPort != nil {
		at = plainPort.Addr()
	}
	a, err := cert.NewACME(acmeOptions(log, set), listener.Addr(), at)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, a.Close)
	s.tls, s.wrap = a.TLS(), a.Challenge
	s.states = func(time.Time) []cert.State { return a.States() }
	return a, nil
}

func acmeOptions(log *slog.Logger, set settings) cert.Options {
	a := set.TLS.ACME
	return cert.Options{Names: a.Names, Mail: a.Mail, Directory: a.Directory, CAFile: a.CAFile, Dir: filepath.Join(set.data, acmeDir), Log: log}
}

// redirect serves the port of http until Close.
func (s *secured) redirect(log *slog.Logger, l net.Listener, to string) {
	h := http.Handler(redirector(to))
	if s.wrap != nil {
		h = s.wrap(h)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(l); err != http.ErrServerClosed {
			log.Error("the port of http stopped: links that begin with http:// lead nowhere, and the challenge http-01 is not answered", "error", err)
		}
	})
	s.close = append(s.close, func() {
		_ = server.Close()
		wg.Wait()
	})
}

// redirector leads to the same path under https, at the console's own address whatever the request says of itself. What a form sent in the
// clear is not sent on.
func redirector(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This port only leads to "+to+". What was just sent came in the clear: if it was a password, change it.", http.StatusForbidden)
			return
		}
		path := "/" + strings.TrimLeft(r.URL.EscapedPath(), "/")
		if r.URL.RawQuery != "" {
			path += "?" + r.URL.RawQuery
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, to+path, http.StatusPermanentRedirect)
	}
}

// Close ends what secure opened.
func (s *secured) Close() {
	for _, f := range s.close {
		f()
	}
	s.close = nil
}

// remember is how long browsers shall remember that the console speaks https only (RFC 6797): of a public name that shows a certificate which holds
// now, and of nothing else, because a browser that remembers lets nobody past a certificate that does not. 0 says nothing of it.
func (s *secured) remember(r *http.Request) time.Duration {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || !strings.EqualFold(host, s.public) || !strings.Contains(s.public, ".") {
		return 0
	}
	if s.tls == nil {
		return s.hsts // a proxy in front speaks TLS, and its certificate is its own
	}
	for _, x := range s.states(time.Now()) {
		if x.Judge(time.Now()).Step == 4 {
			return 0
		}
	}
	if r.TLS == nil {
		return 0
	}
	return s.hsts
}

// expiries are the certificates to be spoken of, for the desk.
func (s *secured) expiries(now time.Time) (out []desk.Expiry) {
	for _, x := range s.states(now) {
		if v := x.Judge(now); v.Step > 0 {
			out = append(out, desk.Expiry{Name: x.Name, Level: v.Level(), Since: v.Since, Says: v.Says + ". " + v.Mend})
		}
	}
	return out
}

// warnings are those of which a renewal failed, on every page.
func (s *secured) warnings(now time.Time) (out []web.Warning) {
	for _, x := range s.states(now) {
		if v := x.Judge(now); v.Mend != "" {
			out = append(out, web.Warning{Says: strings.ToUpper(v.Says[:1]) + v.Says[1:] + ".", Mend: strings.ToUpper(v.Mend[:1]) + v.Mend[1:] + "."})
		}
	}
	return out
}

// examineTLS says how good the certificates in the folder are.
func examineTLS(s settings, now time.Time) (found []finding) {
	if !s.TLS.ACME.On() {
		return []finding{examineCertificate(s.TLS.Cert, s.TLS.Key, now)}
	}
	for _, x := range cert.Stored(acmeOptions(nil, s)) {
		v := x.Judge(now)
		found = append(found, finding{What: "tls", OK: v.Step < 4, Warn: v.Mend != "" && v.Step < 4, Says: v.Says, Mend: v.Mend})
	}
	return found
}

// checkHooks refuses kinds of entries that are not told.
func checkHooks(c *config.Config, say func(key, says string)) {
	words := hookWords()
	for i, h := range c.Webhooks {
		for j, w := range h.What {
			if !words[w] {
				say(fmt.Sprintf("webhooks[%d].what[%d]", i+1, j+1), fmt.Sprintf("%q is nothing that a webhook is told: doc/webhooks.md lists the kinds", w))
			}
		}
	}
}
