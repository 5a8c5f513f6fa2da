package envelope

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/smallstep/pkcs7"
)

// A Signer is our own S/MIME certificate with its key. It does not change; many goroutines may use it.
type Signer struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate
	key   crypto.Signer
	raw   []byte
}

// LoadSigner reads our certificate, those between it and its root, and its key (PKCS #8, PKCS #1 or SEC 1), all in PEM form, in one
// text; the key is RSA of 2048 bits or more, or ECDSA. address is what it must be for. The caller keeps the text encrypted.
func LoadSigner(text []byte, address string, now time.Time) (*Signer, error) {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("our certificate: %w; give the certificate and its key in PEM form", err)
	}
	s := &Signer{raw: bytes.Clone(text)}
	for i, der := range pair.Certificate {
		x, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("our certificate: %w", err)
		}
		if i == 0 {
			s.leaf = x
		} else if !bytes.Equal(x.RawSubject, x.RawIssuer) { // a root need not be sent
			s.chain = append(s.chain, x)
		}
	}
	switch k := pair.PrivateKey.(type) {
	case *rsa.PrivateKey:
		if weak(&k.PublicKey) {
			return nil, fmt.Errorf("our certificate: its key has %d bits; it needs %d at least", k.N.BitLen(), minRSA)
		}
		s.key = k
	case *ecdsa.PrivateKey:
		s.key = k
	default:
		return nil, fmt.Errorf("our certificate: its key is neither RSA nor ECDSA, and few mail programs know others")
	}
	if err := checkCertificate(s.leaf, address, now); err != nil {
		return nil, fmt.Errorf("our certificate: %w", err)
	}
	if s.leaf.KeyUsage != 0 && s.leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return nil, errors.New("our certificate: it may not sign (its key usage says so)")
	}
	return s, nil
}

// Marshal returns what LoadSigner read, with the secret key.
func (s *Signer) Marshal() []byte { return bytes.Clone(s.raw) }

// Certificate returns what others may have, in PEM form.
func (s *Signer) Certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.leaf.Raw})
}

// Warning says that the certificate expires soon or has expired; "" while there is time. It begins 60 days before, or in the last
// third of a shorter life.
func (s *Signer) Warning(now time.Time) string {
	before := min(warnBefore, s.leaf.NotAfter.Sub(s.leaf.NotBefore)/3)
	switch day := s.leaf.NotAfter.UTC().Format("2 January 2006"); {
	case now.Before(s.leaf.NotAfter.Add(-before)):
		return ""
	case now.Before(s.leaf.NotAfter):
		return "Our S/MIME certificate expires on " + day + ". Get the next one."
	default:
		return "Our S/MIME certificate expired on " + day + ". Those who have a certificate are told only to sign in, until you get a new one."
	}
}

// fit says whether our certificate can be used; nil has none.
func (s *Signer) fit(now time.Time) error {
	if s == nil {
		return refuse(NoKey, "We have no S/MIME certificate of our own yet. Add one, so that theirs can be used.")
	}
	if warning := s.Warning(now); now.After(s.leaf.NotAfter) {
		return refuse(Expired, "%s", warning)
	}
	return checkCertificate(s.leaf, "", now)
}

// sign makes multipart/signed with a detached signature (RFC 8551 section 3.5.3), SHA-256.
func (s *Signer) sign(p Plain) (Sealed, error) {
	entity, err := p.entity()
	if err != nil {
		return Sealed{}, err
	}
	out := Sealed{Form: Signed, Subject: p.Subject}
	out.Header, out.Body, err = s.signEntity(entity)
	return out, err
}

func (s *Signer) signEntity(entity []byte) (header string, body []byte, err error) {
	d, err := pkcs7.NewSignedData(entity)
	if err != nil {
		return "", nil, fmt.Errorf("signing: %w", err)
	}
	d.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := d.AddSigner(s.leaf, s.key, pkcs7.SignerInfoConfig{}); err != nil {
		return "", nil, fmt.Errorf("signing: %w", err)
	}
	for _, x := range s.chain {
		d.AddCertificate(x)
	}
	d.Detach()
	der, err := d.Finish()
	if err != nil {
		return "", nil, fmt.Errorf("signing: %w", err)
	}
	part := "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n" + base64Lines(der)
	header, body = signedEntity(entity, "application/pkcs7-signature", "sha-256", part)
	return header, body, nil
}

// encrypt makes EnvelopedData around the signed message: AES-256 in CBC mode, the key by RSA (PKCS #1 v1.5), which every S/MIME
// program reads. GCM would need AuthEnvelopedData (RFC 5083), which the library does not write: so a change on the way shows by the signature
// inside, not by the encryption, and a program that shows unsigned parts could be misled.
func (s *Signer) encrypt(p Plain, to *Certificate) (Sealed, error) {
	entity, err := p.entity()
	if err != nil {
		return Sealed{}, err
	}
	header, body, err := s.signEntity(entity)
	if err != nil {
		return Sealed{}, err
	}
	der, err := enveloped(append([]byte(header+"\r\n"), body...), to.leaf)
	if err != nil {
		return Sealed{}, fmt.Errorf("encrypting to the certificate %s: %w", to.short(), err)
	}
	return Sealed{
		Form:    SMIME,
		Subject: "...",
		Header: "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\n" +
			"Content-Disposition: attachment; filename=\"smime.p7m\"\r\n",
		Body: []byte(base64Lines(der) + "\r\n"),
	}, nil
}

// strong chooses the cipher: the library has it in a variable, which begins as DES. Nothing else in the program uses the library.
var strong = sync.OnceFunc(func() { pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmAES256CBC })

// aes256 is how the object identifier of AES-256-CBC is written: 2.16.840.1.101.3.4.1.42.
const aes256 = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"

// enveloped encrypts, and makes sure that it was with AES-256.
func enveloped(text []byte, to *x509.Certificate) ([]byte, error) {
	strong()
	der, err := pkcs7.Encrypt(text, []*x509.Certificate{to})
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(der, []byte(aes256)) {
		return nil, errors.New("envelope: internal error: the cipher is not AES-256")
	}
	return der, nil
}

// base64Lines writes lines of 76 characters, the last without its end.
func base64Lines(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var out bytes.Buffer
	for len(s) > 76 {
		out.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	out.WriteString(s)
	return out.String()
}
