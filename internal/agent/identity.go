package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

const (
	identityFile = "identity.json"
	joiningFile  = "joining.key" // from before a join is asked for until it is answered: PKCS #8, DER
	headFile     = "head"
)

// An Identity is what an agent is to its server, and how it knows that one again. It is kept in a file of mode 0600.
type Identity struct {
	URL         string `json:"url"`
	Fingerprint string `json:"fingerprint"` // SHA-256 of the server's authority, hex
	Agent       string `json:"agent"`
	Name        string `json:"name"`
	Ledger      string `json:"ledger,omitempty"` // public key of the server's ledger
	Key         []byte `json:"key"`              // PKCS #8, DER
	Certificate []byte `json:"certificate"`      // DER
	Next        []byte `json:"next,omitempty"`   // key for which a certificate was asked, and whose answer did not come yet; as Key
}

// Join makes a key, spends the token at the server and keeps what it is from now on in the folder dir. The server is known by the
// fingerprint that the token carries; nothing is sent to another one. Proxy is "" for what HTTPS_PROXY says. The key is kept before
// anything is asked: if the answer is lost, Join can be called again with the same token.
func Join(ctx context.Context, dir, address, token, name, proxy string) (Identity, error) {
	t, err := record.ParseToken(token)
	if err != nil {
		return Identity{}, err
	}
	if address, err = checkAddress(address); err != nil {
		return Identity{}, err
	}
	l, err := disk.Open(dir)
	if err != nil {
		return Identity{}, err
	}
	defer l.Close()
	if old, err := readIdentity(l); err == nil {
		return Identity{}, fmt.Errorf("this host joined %s already, as %s: remove %s/%s first if it shall join anew", old.URL, old.Name, dir, identityFile)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Identity{}, err
	}
	key, err := joiningKey(l)
	if err != nil {
		return Identity{}, err
	}
	request, err := requestFor(key)
	if err != nil {
		return Identity{}, err
	}
	secret, _, _ := strings.Cut(t.String(), ".")
	id := Identity{URL: address, Fingerprint: hex.EncodeToString(t.Fingerprint[:]), Key: key}
	c, err := newClient(id, proxy)
	if err != nil {
		return Identity{}, err
	}
	defer c.close()
	var a record.Admission
	if err := c.post(ctx, "join", record.JoinRequest{Secret: secret, Name: name, Request: request}, &a); err != nil {
		return Identity{}, fmt.Errorf("joining %s: %w", address, err)
	}
	id.Agent, id.Name, id.Ledger, id.Certificate = a.Agent, a.Name, a.Ledger, a.Certificate
	if _, err := id.pair(); err != nil {
		return Identity{}, fmt.Errorf("joining %s: %w", address, err)
	}
	if err := id.write(l); err != nil {
		return Identity{}, err
	}
	if err := l.Remove(joiningFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	return id, nil
}

// joiningKey is the key of an earlier try to join, or a new one, which is kept.
func joiningKey(l disk.Layer) ([]byte, error) {
	key, err := disk.ReadFile(l, joiningFile)
	if err == nil {
		if _, err = requestFor(key); err == nil {
			return key, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if key, err = newKey(); err != nil {
		return nil, err
	}
	return key, disk.Replace(l, joiningFile, key)
}

// checkAddress returns the address of a server as it is used.
func checkAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%.200q is no address of a server for agents: write https://tocsin.example.com:8443", address)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// newKey makes a key (ECDSA on P-256; PKCS #8, DER).
func newKey() ([]byte, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the agent's key: %w", err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("making the agent's key: %w", err)
	}
	return b, nil
}

// requestFor asks for a certificate of a key (PKCS #10, RFC 2986).
func requestFor(key []byte) ([]byte, error) {
	k, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, errors.New("the agent's key cannot be read")
	}
	b, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
	if err != nil {
		return nil, fmt.Errorf("asking for a certificate: %w", err)
	}
	return b, nil
}

// pair is the certificate with its key.
func (id Identity) pair() (*tls.Certificate, error) {
	bad := errors.New("the agent's certificate or key cannot be read, or they do not belong together")
	leaf, err := x509.ParseCertificate(id.Certificate)
	if err != nil {
		return nil, bad
	}
	k, err := x509.ParsePKCS8PrivateKey(id.Key)
	key, ok := k.(*ecdsa.PrivateKey)
	public, same := leaf.PublicKey.(*ecdsa.PublicKey)
	if err != nil || !ok || !same || !public.Equal(key.Public()) || leaf.Subject.CommonName != id.Agent {
		return nil, bad
	}
	return &tls.Certificate{Certificate: [][]byte{id.Certificate}, PrivateKey: key, Leaf: leaf}, nil
}

func (id Identity) write(l disk.Layer) error {
	b, err := json.MarshalIndent(id, "", "\t")
	if err != nil {
		return err
	}
	return disk.Replace(l, identityFile, append(b, '\n'))
}

func readIdentity(l disk.Layer) (Identity, error) {
	b, err := disk.ReadFile(l, identityFile)
	if err != nil {
		return Identity{}, err
	}
	var id Identity
	if err := json.Unmarshal(b, &id); err != nil {
		return Identity{}, fmt.Errorf("the file %s cannot be read: bring it back from a copy, or remove it and join again", identityFile)
	}
	return id, nil
}

// settings is how the server is spoken to: TLS 1.3, and its certificate is signed by the authority whose fingerprint we know.
func (id Identity) settings() (*tls.Config, error) {
	pinned, err := hex.DecodeString(id.Fingerprint)
	if err != nil || len(pinned) != sha256.Size {
		return nil, errors.New("the fingerprint of the server cannot be read: join again")
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: record.HubName,
		InsecureSkipVerify: true, // because no public authority counts here: VerifyConnection decides
		VerifyConnection: func(s tls.ConnectionState) error {
			return verifyHub(s.PeerCertificates, [sha256.Size]byte(pinned), time.Now())
		},
	}
	if len(id.Certificate) > 0 {
		pair, err := id.pair()
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{*pair}
	}
	return c, nil
}

// verifyHub checks that a certificate is the hub's: signed for a server of its name by the pinned authority.
func verifyHub(chain []*x509.Certificate, pinned [sha256.Size]byte, now time.Time) error {
	roots := x509.NewCertPool()
	found := false
	for _, c := range chain {
		if sha256.Sum256(c.Raw) == pinned {
			roots.AddCert(c)
			found = true
		}
	}
	if !found || len(chain) < 2 {
		return errors.New("this is not the server that the token is of: its authority has another fingerprint; something stands between, or the address is wrong")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: record.HubName, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		return fmt.Errorf("the server's certificate is not good: %w; is this host's clock right?", err)
	}
	return nil
}

// proxyOf returns whom to go through, as http.Transport asks it.
func proxyOf(address string) (func(*http.Request) (*url.URL, error), error) {
	if address == "" {
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		return nil, errors.New("the proxy is no address: write http://proxy.example.com:3128")
	}
	return http.ProxyURL(u), nil
}
