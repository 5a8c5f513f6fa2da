package envelope

import (
	"bytes"
	"fmt"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// encrypt makes multipart/encrypted (RFC 3156 section 4 and 6.2): signed inside the encryption, so that nobody on the way sees
// who signed, and so that a change shows.
func (i *Identity) encrypt(p Plain, to *Key, now time.Time) (Sealed, error) {
	entity, err := p.entity()
	if err != nil {
		return Sealed{}, err
	}
	mine, err := i.handle()
	if err != nil {
		return Sealed{}, err
	}
	theirs, err := to.handle()
	if err != nil {
		return Sealed{}, err
	}
	h, err := crypto.PGP().Encryption().Recipient(theirs).SigningKey(mine).SignTime(now.Unix()).EncryptionTime(now.Unix()).New()
	if err != nil {
		return Sealed{}, fmt.Errorf("encrypting to the key %s: %w", to.fingerprint, err)
	}
	m, err := h.Encrypt(entity)
	if err != nil {
		return Sealed{}, fmt.Errorf("encrypting to the key %s: %w", to.fingerprint, err)
	}
	armoured, err := m.Armor()
	if err != nil {
		return Sealed{}, fmt.Errorf("encrypting to the key %s: %w", to.fingerprint, err)
	}
	edge := boundary()
	var b bytes.Buffer
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\nVersion: 1\r\n\r\n", edge)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n", edge)
	b.WriteString(crlf(armoured))
	fmt.Fprintf(&b, "\r\n--%s--\r\n", edge)
	return Sealed{
		Form:    OpenPGP,
		Subject: "...",
		Header:  fmt.Sprintf("Content-Type: multipart/encrypted;\r\n protocol=\"application/pgp-encrypted\";\r\n boundary=%q\r\n", edge),
		Body:    b.Bytes(),
	}, nil
}

// sign makes multipart/signed (RFC 3156 section 5): anybody can read it. The micalg is of the SHA-256 that the key signs with.
func (i *Identity) sign(p Plain, now time.Time) (Sealed, error) {
	entity, err := p.entity()
	if err != nil {
		return Sealed{}, err
	}
	mine, err := i.handle()
	if err != nil {
		return Sealed{}, err
	}
	h, err := crypto.PGP().Sign().SigningKey(mine).SignTime(now.Unix()).Detached().New()
	if err != nil {
		return Sealed{}, fmt.Errorf("signing: %w", err)
	}
	signature, err := h.Sign(entity, crypto.Armor)
	if err != nil {
		return Sealed{}, fmt.Errorf("signing: %w", err)
	}
	part := "Content-Type: application/pgp-signature; name=\"signature.asc\"\r\nContent-Description: OpenPGP digital signature\r\n\r\n" + crlf(string(signature))
	out := Sealed{Form: Signed, Subject: p.Subject}
	out.Header, out.Body = signedEntity(entity, "application/pgp-signature", "pgp-sha256", part)
	return out, nil
}

// clearEntity sends the entity as it is.
func clearEntity(p Plain, entity []byte) (Sealed, error) {
	_, body, ok := bytes.Cut(entity, []byte("\r\n\r\n"))
	if !ok {
		return Sealed{}, fmt.Errorf("the message has no body")
	}
	return Sealed{
		Form:    Clear,
		Subject: p.Subject,
		Header:  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
		Body:    body,
	}, nil
}
