package hub

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"tocsin/internal/record"
)

// How long certificates hold. The clocks of two machines may differ by skew.
const (
	agentLife  = 90 * 24 * time.Hour
	serverLife = 90 * 24 * time.Hour
	caLife     = 30 * 365 * 24 * time.Hour
	skew       = 24 * time.Hour
)

// An authority signs the certificates of its hub and of agents (X.509, RFC 5280; ECDSA on P-256). Those of agents are good for clients alone,
// the hub's for a server: an agent cannot play the hub.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	fingerprint [sha256.Size]byte

	mu  sync.Mutex
	now *tls.Certificate // the hub's own; its key lives in memory only
}

// NewCA makes the authority of a hub: a certificate and its key as PEM. Whoever has it can sign in as any agent.
func NewCA(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the hub's authority: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Tocsin hub"}, NotBefore: now.Add(-skew), NotAfter: now.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the hub's authority: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("making the hub's authority: %w", err)
	}
	var b bytes.Buffer
	for _, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := pem.Encode(&b, block); err != nil {
			return nil, fmt.Errorf("making the hub's authority: %w", err)
		}
	}
	return b.Bytes(), nil
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:])
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

// readAuthority reads what NewCA made. Its errors hold nothing of the key.
func readAuthority(text []byte) (*authority, error) {
	bad := errors.New("the hub's authority cannot be read: it must be one certificate and its key as PEM; bring the file back from where its copy is kept, or every agent has to join again")
	pair, err := tls.X509KeyPair(text, text)
	if err != nil || len(pair.Certificate) != 1 {
		return nil, bad
	}
	c, err := x509.ParseCertificate(pair.Certificate[0])
	key, ok := pair.PrivateKey.(crypto.Signer)
	if err != nil || !ok || !c.IsCA {
		return nil, bad
	}
	return &authority{certificate: c, key: key, fingerprint: sha256.Sum256(c.Raw)}, nil
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

// server returns the hub's own certificate, a new one before a third of its life is left.
func (a *authority) server(now time.Time) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now != nil && now.Before(a.now.Leaf.NotAfter.Add(-serverLife/3)) && now.After(a.now.Leaf.NotBefore) {
		return a.now, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the hub's certificate: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: record.HubName}, DNSNames: []string{record.HubName},
		NotBefore: now.Add(-skew), NotAfter: now.Add(serverLife),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("making the hub's certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the hub's certificate: %w", err)
	}
	a.now = &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key, Leaf: leaf}
	return a.now, nil
}

// readRequest returns the key that a request for a certificate has (PKCS #10, RFC 2986) and proves to have, and what it is known by. Nothing else of a
// request counts: who the agent is, the hub says.
func readRequest(request []byte) (public any, key string, err error) {
	r, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, "", errors.New("the request for a certificate cannot be read")
	}
	if err := r.CheckSignature(); err != nil {
		return nil, "", errors.New("the request for a certificate is not signed with its own key")
	}
	switch k := r.PublicKey.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return nil, "", errors.New("an agent's key must be Ed25519 or ECDSA on P-256")
		}
	default:
		return nil, "", errors.New("an agent's key must be Ed25519 or ECDSA on P-256")
	}
	return r.PublicKey, keyOf(r.RawSubjectPublicKeyInfo), nil
}

// keyOf is what a public key is known by: SHA-256 of its PKIX form in DER, in hex.
func keyOf(pkix []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(pkix))
}

// admit signs the key of an agent.
func (a *authority) admit(public any, id string, now, until time.Time) ([]byte, error) {
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: id}, NotBefore: now.Add(-skew), NotAfter: until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.certificate, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("signing an agent's certificate: %w", err)
	}
	return der, nil
}
