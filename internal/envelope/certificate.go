package envelope

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"
)

// A Certificate is somebody's S/MIME certificate, with those between it and its root as far as they came along. It does not change.
type Certificate struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate
}

// A Trust says whose certificates are believed.
type Trust struct {
	Roots  *x509.CertPool // authorities; nil: none, only the pinned one
	Pinned string         // Fingerprint of the certificate that somebody compared; "": none
}

// maxChain is how many certificates may come along.
const maxChain = 8

// ParseCertificate reads a certificate in PEM or DER form, and in PEM those between it and its root after it: at most 128 KiB. The
// error is a *Refusal.
func ParseCertificate(upload []byte) (*Certificate, error) {
	list, fail := readCertificates(upload)
	if fail != nil {
		return nil, fail
	}
	for _, c := range list[1:] {
		if !c.IsCA {
			return nil, refuse(Several, "There is more than one person's certificate in the upload. Give one, and after it only those of its authorities.")
		}
	}
	return &Certificate{leaf: list[0], chain: list[1:]}, nil
}

// readCertificates reads at least one certificate.
func readCertificates(upload []byte) (list []*x509.Certificate, fail *Refusal) {
	if len(upload) > maxUpload {
		return nil, refuse(TooLarge, "This certificate has %d bytes; at most %d are taken.", len(upload), maxUpload)
	}
	if !bytes.Contains(upload, []byte("-----BEGIN ")) {
		c, err := x509.ParseCertificate(upload)
		if err != nil {
			return nil, refuse(Unreadable, "This is no certificate in PEM or DER form (%s). A file .p12 or .pfx holds the secret key too: export the certificate alone.", oneLine(err.Error(), maxSubject))
		}
		list = []*x509.Certificate{c}
		return list, oddCertificate(list)
	}
	for rest := upload; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if strings.Contains(block.Type, "PRIVATE KEY") {
			return nil, refuse(Secret, "There is a secret key in the upload. Nobody else may have it: it was not kept here, but it went over the network. Upload the certificate alone.")
		}
		if block.Type != "CERTIFICATE" {
			return nil, refuse(Unreadable, "The upload holds %q, which is no certificate.", oneLine(block.Type, 40))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, refuse(Unreadable, "The certificate is damaged (%s). Export it again.", oneLine(err.Error(), maxSubject))
		}
		if list = append(list, c); len(list) > maxChain {
			return nil, refuse(Several, "There are more than %d certificates in the upload. Give one, and those of its authorities.", maxChain)
		}
	}
	if len(list) == 0 {
		return nil, refuse(Unreadable, "The certificate is damaged: no whole block of it was found. Export it again.")
	}
	return list, oddCertificate(list)
}

// oddCertificate refuses what would cost a hostile amount of time to check.
func oddCertificate(list []*x509.Certificate) *Refusal {
	for _, c := range list {
		if p, ok := c.PublicKey.(*rsa.PublicKey); ok && p.N.BitLen() > maxRSA || len(c.Raw) > maxUpload/4 {
			return refuse(TooLarge, "A certificate in the upload is of an odd size: RSA may have %d bits at most.", maxRSA)
		}
	}
	return nil
}

// Marshal returns the certificates in PEM form; ParseCertificate reads them back.
func (c *Certificate) Marshal() []byte {
	var b bytes.Buffer
	for _, x := range append([]*x509.Certificate{c.leaf}, c.chain...) {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: x.Raw})
	}
	return b.Bytes()
}

// Fingerprint returns the SHA-256 of the certificate in upper-case hexadecimal digits.
func (c *Certificate) Fingerprint() string { return certificatePrint(c.leaf) }

func certificatePrint(x *x509.Certificate) string {
	sum := sha256.Sum256(x.Raw)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// Expires returns when the certificate can no longer be used.
func (c *Certificate) Expires() time.Time { return c.leaf.NotAfter }

// Addresses returns the mail addresses that the certificate is for, in lower case.
func (c *Certificate) Addresses() []string { return certificateAddresses(c.leaf) }

// certificateAddresses returns those of the alternative name, or, as old certificates have it, of the subject (RFC 8550 section 3).
func certificateAddresses(x *x509.Certificate) (out []string) {
	for _, a := range x.EmailAddresses {
		out = append(out, strings.ToLower(a))
	}
	if len(out) == 0 {
		for _, n := range x.Subject.Names {
			if s, ok := n.Value.(string); ok && n.Type.String() == "1.2.840.113549.1.9.1" {
				out = append(out, strings.ToLower(s))
			}
		}
	}
	return out
}

// Check says whether the certificate can be used at now to encrypt to address: its time, its address, what it may be used for, its
// key, and its trust: pinned, or signed by a root for mail (RFC 8550). Lists of revoked certificates are not fetched. The error is a *Refusal.
func (c *Certificate) Check(address string, trust Trust, now time.Time) error {
	if fail := checkCertificate(c.leaf, address, now); fail != nil {
		return fail
	}
	key, ok := c.leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return refuse(NoEncryption, "The certificate %s has a key that is not RSA; we encrypt to RSA only. Ask its owner for an RSA certificate or an OpenPGP key.", c.short())
	}
	if weak(key) {
		return refuse(Weak, "The certificate %s has a key of %d bits; it needs %d to %d. Ask its owner for a new one.", c.short(), key.N.BitLen(), minRSA, maxRSA)
	}
	if c.leaf.KeyUsage != 0 && c.leaf.KeyUsage&x509.KeyUsageKeyEncipherment == 0 {
		return refuse(NoEncryption, "The certificate %s is for signing only. Ask its owner for the one for encryption.", c.short())
	}
	return c.trusted(trust, now)
}

// trusted says whether the certificate is pinned or leads to a root.
func (c *Certificate) trusted(trust Trust, now time.Time) error {
	if trust.Pinned != "" && strings.EqualFold(strings.ReplaceAll(trust.Pinned, " ", ""), c.Fingerprint()) {
		return nil
	}
	if trust.Roots == nil {
		return refuse(Untrusted, "Nobody has compared the fingerprint of the certificate %s, and no authority is named. Compare it with its owner and confirm it.", c.short())
	}
	between := x509.NewCertPool()
	for _, x := range c.chain {
		between.AddCert(x)
	}
	_, err := c.leaf.Verify(x509.VerifyOptions{Roots: trust.Roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}})
	if err != nil {
		return refuse(Untrusted, "The certificate %s leads to no authority that is known here (%s). Upload its authorities' certificates with it, or compare its fingerprint with its owner and confirm it.",
			c.short(), oneLine(err.Error(), maxSubject))
	}
	return nil
}

func (c *Certificate) short() string { return Grouped(c.Fingerprint()[:16]) }

// checkCertificate checks what holds for theirs and for ours: its time, its address, and that it is for mail.
func checkCertificate(x *x509.Certificate, address string, now time.Time) error {
	short := Grouped(certificatePrint(x)[:16])
	switch {
	case now.After(x.NotAfter):
		return refuse(Expired, "The certificate %s expired on %s. Get a new one.", short, x.NotAfter.UTC().Format("2 January 2006"))
	case now.Before(x.NotBefore):
		return refuse(NotYet, "The certificate %s is not valid before %s. Compare the clocks.", short, x.NotBefore.UTC().Format("2 January 2006"))
	case address != "" && !slices.Contains(certificateAddresses(x), bareAddress(address)):
		return refuse(OtherAddress, "The certificate %s is not for %s.", short, oneLine(address, maxSubject))
	}
	if len(x.ExtKeyUsage)+len(x.UnknownExtKeyUsage) > 0 && !slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) && !slices.Contains(x.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return refuse(NoEncryption, "The certificate %s is not for mail (its extended key usage says so). Ask for one for mail protection.", short)
	}
	return nil
}
