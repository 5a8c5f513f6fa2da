package client

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// A Server is a Tocsin elsewhere.
type Server struct {
	URL         string // of its console: https://tocsin.example
	Token       string
	CA          []byte // PEM: certificates to believe in place of the machine's
	Fingerprint string // SHA-256 of the server's own certificate, hex: it alone is believed, whoever signed it
}

// At returns a client of a server elsewhere. The token never leaves by a redirect, and goes over plain HTTP only to this machine. Errors say what is wrong
// with x.
func At(x Server) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(x.URL, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%.100q is not the address of a server; an example is https://tocsin.example", x.URL)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%.100q: a server is reached by https", x.URL)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%.100q: by plain http a token could be read on the way; use https", x.URL)
	case x.Token == "" || strings.ContainsFunc(x.Token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return nil, errors.New("a server elsewhere wants a token: make one under How you sign in, and give it in TOCSIN_TOKEN or in a file")
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(x.CA) > 0 {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(x.CA) {
			return nil, errors.New("the file of certificates has none in PEM")
		}
	}
	if x.Fingerprint != "" {
		if err := pin(conf, x.Fingerprint); err != nil {
			return nil, err
		}
	}
	transport := &http.Transport{TLSClientConfig: conf, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 5 * time.Minute,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, IdleConnTimeout: time.Minute}
	return &Client{base: u.String() + "/api", token: x.Token, http: &http.Client{Timeout: 2 * time.Minute, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the server sends us elsewhere, and a token goes nowhere else")
		}}}, nil
}

// pin believes one certificate, in place of all who sign them.
func pin(conf *tls.Config, fingerprint string) error {
	want, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(strings.TrimPrefix(strings.ToLower(fingerprint), "sha256:")))
	if err != nil || len(want) != sha256.Size {
		return errors.New("a fingerprint is the SHA-256 of the server's certificate: 64 hex digits")
	}
	conf.InsecureSkipVerify = true // VerifyConnection decides in its place
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the server shows no certificate")
		}
		got := sha256.Sum256(s.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(got[:], want) != 1 {
			return fmt.Errorf("the server's certificate has the fingerprint %x, not the one that was given", got)
		}
		if end := s.PeerCertificates[0].NotAfter; time.Now().After(end) {
			return fmt.Errorf("the server's certificate ended at %s", end.UTC().Format(time.RFC3339))
		}
		return nil
	}
	return nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// certificate reports whether a server was not believed: asking again does not help.
func certificate(err error) bool {
	_, a := errors.AsType[*tls.CertificateVerificationError](err)
	_, b := errors.AsType[x509.UnknownAuthorityError](err)
	_, c := errors.AsType[x509.HostnameError](err)
	return a || b || c || strings.Contains(err.Error(), "the server's certificate") || strings.Contains(err.Error(), "the server sends us elsewhere")
}
