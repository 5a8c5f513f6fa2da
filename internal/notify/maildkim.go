package notify

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/wneessen/go-mail"
)

// selectorForm is a DKIM selector, or a domain: labels of the DNS.
var selectorForm = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?(\.[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?)*$`)

// A DKIMKey signs mail for a domain (RFC 6376). Use an RSA key of 2048 bits; one of Ed25519 (RFC 8463) may sign beside it, but many
// receivers do not know it yet, so it does not do alone.
type DKIMKey struct {
	Domain   string // d=: the domain of the sender's address, or one above it, so that DMARC finds them aligned
	Selector string // s=: names the key in the DNS
	Key      crypto.Signer
}

// ReadDKIMKey reads a secret key in PEM form (PKCS #1 or PKCS #8): RSA of 2048 to 4096 bits, or Ed25519.
func ReadDKIMKey(domain, selector string, text []byte) (DKIMKey, error) {
	key, err := mail.PrivKeyFromPEM(text)
	if err != nil {
		return DKIMKey{}, fmt.Errorf("the DKIM key %s of %s cannot be read: %w; make one with openssl genrsa 2048", oneLine(selector, 60), oneLine(domain, 60), err)
	}
	k := DKIMKey{strings.ToLower(domain), strings.ToLower(selector), key}
	return k, k.check()
}

func (k DKIMKey) check() error {
	if !selectorForm.MatchString(k.Domain) || len(k.Domain) > 70 || !selectorForm.MatchString(k.Selector) || len(k.Selector) > 63 {
		return fmt.Errorf("the DKIM key %q of %q: both must be names of the DNS, of at most 70 and 63 characters", oneLine(k.Selector, 60), oneLine(k.Domain, 60))
	}
	switch key := k.Key.(type) {
	case *rsa.PrivateKey:
		if n := key.N.BitLen(); n < 2048 || n > 4096 {
			return fmt.Errorf("the DKIM key %s of %s has %d bits; receivers want 2048 to 4096 (RFC 8301)", k.Selector, k.Domain, n)
		}
	case ed25519.PrivateKey:
	default:
		return fmt.Errorf("the DKIM key %s of %s is neither RSA nor Ed25519", k.Selector, k.Domain)
	}
	return nil
}

// Record returns what must stand in the DNS so that receivers can check the signatures: the name, and the text of its TXT record.
// Name servers want a text over 255 bytes in several quoted strings; what stands in them is joined.
func (k DKIMKey) Record() (name, text string, err error) {
	name = k.Selector + "._domainkey." + k.Domain
	switch pub := k.Key.Public().(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			return "", "", fmt.Errorf("the DKIM key %s of %s: %w", k.Selector, k.Domain, err)
		}
		return name, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
	case ed25519.PublicKey:
		return name, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub), nil
	}
	return "", "", errors.New("a DKIM key of an unknown kind")
}

// signed are the headers that a receiver shows or acts on, and again those of which none may be added. Together they stay under 74
// bytes: the library folds longer lists in the middle of a name, and verifiers then look for half a name.
func signed() (once, again []string) {
	return []string{"From", "To", "Subject", "Date", "Message-ID", "Content-Type"}, []string{"From", "To", "Subject"}
}

// signDKIM puts a signature of each key before the message.
func signDKIM(keys []DKIMKey, raw []byte) ([]byte, error) {
	if len(keys) == 0 {
		return raw, nil
	}
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, errors.New("signing by DKIM: the message has no body")
	}
	head = append(bytes.Clone(head), "\r\n"...)
	var out bytes.Buffer
	for _, k := range keys {
		s := mail.NewDKIMSigner(k.Domain, k.Selector, k.Key)
		s.HeaderCanonicalization(mail.CanonicalizationRelaxed)
		s.BodyCanonicalization(mail.CanonicalizationRelaxed)
		once, again := signed()
		s.SignHeaders(once...)
		s.OversignHeaders(again...)
		if err := s.ValidateConfig(); err != nil {
			return nil, fmt.Errorf("signing by DKIM: %w", err)
		}
		line, err := s.Sign(head, body)
		if err != nil {
			return nil, fmt.Errorf("signing by DKIM: %w", err)
		}
		if !strings.HasPrefix(line, "DKIM-Signature:") {
			line = "DKIM-Signature: " + line
		}
		out.WriteString(strings.TrimRight(line, "\r\n") + "\r\n")
	}
	out.Write(raw)
	return out.Bytes(), nil
}
