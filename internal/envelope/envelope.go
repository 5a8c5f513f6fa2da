// Package envelope turns a plain message into one that only its reader can open and that shows who wrote it: OpenPGP
// (RFC 9580 in PGP/MIME, RFC 3156) or S/MIME (RFC 8551). It knows keys; it keeps none and sends nothing.
//
//	a person's key    upload or WKD --ParseKey--> *Key --Check(address, now)--> usable, or a Refusal with its reason
//	our own key       NewIdentity --Marshal--> bytes that the caller keeps encrypted --LoadIdentity--> *Identity
//	a message         Plain --Sealer.Seal(reader, now)--> Sealed: headers and a body for internal/notify to send
//
// What Seal makes, from the outside in:
//
//	multipart/encrypted                       application/pkcs7-mime; smime-type=enveloped-data
//	  the message, signed inside                multipart/signed
//	  text/plain; protected-headers="v1"          text/plain; protected-headers="v1"
//	  Subject, From, To, Date, Message-ID         Subject, From, To, Date, Message-ID
//
// Outside stands the Subject "..." and nothing that the message says. The rule that no key means no details is here and
// nowhere else: see Sealer.Seal. Keys, certificates and answers of other servers are hostile: they are bounded before a
// library sees them.
package envelope

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of this package.
const (
	maxUpload     = 128 << 10           // bytes of a key, a certificate or an answer of a WKD server
	maxPackets    = 400                 // OpenPGP packets of one upload
	maxSubject    = 200                 // bytes
	maxBody       = 64 << 10            // bytes
	lookupTimeout = 10 * time.Second    // for the whole of a WKD lookup
	minRSA        = 2048                // bits
	maxRSA        = 8192                // bits: larger ones only cost time
	warnBefore    = 60 * 24 * time.Hour // before a key of ours expires
)

// A Reason says why a key or certificate cannot be used.
type Reason string

// The reasons of a Refusal.
const (
	Unreadable   Reason = "unreadable"    // it is not what it should be
	TooLarge     Reason = "too large"     // more than maxUpload bytes
	Several      Reason = "several"       // more than one key
	Secret       Reason = "secret"        // a secret key was uploaded
	Expired      Reason = "expired"       //
	NotYet       Reason = "not yet valid" //
	Revoked      Reason = "revoked"       //
	NoEncryption Reason = "no encryption" // nothing in it may be used for encryption
	Weak         Reason = "weak"          // the algorithm or its size is not enough
	OtherAddress Reason = "other address" // it is for somebody else
	Untrusted    Reason = "untrusted"     // no root that is known, and not pinned
	NoKey        Reason = "no key"        // there is none
)

// A Refusal says why a key is not used, for a program (Reason) and for people (Error).
type Refusal struct {
	Reason Reason
	Words  string // a whole sentence: what is wrong, and how to mend it
}

func (r *Refusal) Error() string { return r.Words }

// refuse returns a Refusal.
func refuse(why Reason, format string, args ...any) *Refusal {
	return &Refusal{why, fmt.Sprintf(format, args...)}
}

// because returns the sentence of err without what was put around it.
func because(err error) string {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Words
	}
	return oneLine(err.Error(), maxSubject)
}

// A Plain is a message before it is sealed.
type Plain struct {
	From, To string    // addresses as their headers show them, in ASCII; both stand outside and, protected, inside
	ID       string    // Message-ID without brackets
	Date     time.Time //
	Subject  string    // one line
	Body     string    // plain text, UTF-8, at most 64 KiB
}

// A Sealed is what is sent instead: headers and body of a MIME entity (RFC 2045), every line ended by CRLF.
type Sealed struct {
	Form       Form
	Subject    string // of the outside, not encoded
	Header     string // "Content-Type: ...\r\n" and what else belongs to the body, without MIME-Version
	Body       []byte // below the empty line
	Downgraded bool   // the reader gets less than was asked for: less protection, or no details
	Why        string // of the downgrade, a whole sentence; it belongs into the record
}

// A Form says how a message is protected.
type Form string

// The forms, the most private first.
const (
	OpenPGP Form = "openpgp" // encrypted and signed
	SMIME   Form = "smime"   // encrypted and signed
	Signed  Form = "signed"  // readable by everybody on the way, but signed
	Clear   Form = "clear"   // readable by everybody on the way
)

// Words says how private a form is, for the screen.
func (f Form) Words() string {
	switch f {
	case OpenPGP:
		return "end to end: only the reader's OpenPGP key opens it; who writes to whom and when is seen on the way"
	case SMIME:
		return "end to end: only the reader's S/MIME certificate opens it; who writes to whom and when is seen on the way"
	case Signed:
		return "to the mail server only: every mail server on the way can read it; the signature shows changes"
	}
	return "to the mail server only: every mail server on the way can read and change it"
}

// entity writes the message as the inner part: quoted-printable, so that no server on the way has a reason to change it, with
// the headers that are to be protected. Lines do not end in a space and do not begin with "From " (RFC 3156 section 3).
func (p Plain) entity() ([]byte, error) {
	if len(p.Body) > maxBody {
		return nil, fmt.Errorf("the message has %d bytes; at most %d are sent", len(p.Body), maxBody)
	}
	var b bytes.Buffer
	b.WriteString("Content-Type: text/plain; charset=utf-8; protected-headers=\"v1\"\r\n")
	b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n")
	for _, h := range [][2]string{{"Subject", Header(p.Subject)}, {"From", ascii(p.From)}, {"To", ascii(p.To)}, {"Message-ID", "<" + ascii(p.ID) + ">"}} {
		if h[1] != "" && h[1] != "<>" {
			b.WriteString(h[0] + ": " + h[1] + "\r\n")
		}
	}
	if !p.Date.IsZero() {
		b.WriteString("Date: " + p.Date.Format(time.RFC1123Z) + "\r\n")
	}
	b.WriteString("\r\n")
	var text bytes.Buffer
	q := quotedprintable.NewWriter(&text)
	body := strings.ReplaceAll(strings.ReplaceAll(p.Body, "\r\n", "\n"), "\r", "\n")
	if _, err := q.Write([]byte(strings.TrimRight(body, "\n") + "\n")); err != nil {
		return nil, fmt.Errorf("writing the message: %w", err)
	}
	if err := q.Close(); err != nil {
		return nil, fmt.Errorf("writing the message: %w", err)
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(text.String(), "\r\n"), "\r\n") {
		if rest, ok := strings.CutPrefix(l, "From "); ok {
			l = "=46rom =\r\n" + rest // soft line end: the line may be at its limit of 76 already
		}
		b.WriteString(l + "\r\n")
	}
	return b.Bytes(), nil
}

// Header encodes one line of text for a header field (RFC 2047): only ASCII, folded between encoded words, at most maxSubject
// bytes of text. What would be read as an encoded word is encoded itself.
func Header(s string) string {
	s = oneLine(s, maxSubject)
	coded := mime.QEncoding.Encode("utf-8", strings.ReplaceAll(s, "=?", "= ?"))
	return strings.ReplaceAll(coded, "?= =?", "?=\r\n =?")
}

// oneLine drops what cannot be seen, makes every run of white space one space, and cuts at limit bytes.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > limit {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// ascii keeps what may stand in a header as it is.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// bareAddress returns the address of s in lower case, without a name before it; "" when it is none.
func bareAddress(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return ""
	}
	return strings.ToLower(a.Address)
}

// boundary returns one that no quoted-printable, base64 or armoured text has: "=_" stands in none of them.
func boundary() string {
	b := make([]byte, 15)
	rand.Read(b)
	return "=_" + strings.ToLower(base32.StdEncoding.EncodeToString(b))
}

// signedEntity lays out multipart/signed (RFC 1847): the entity, byte for byte as it was signed, and its signature.
func signedEntity(entity []byte, protocol, micalg, signature string) (header string, body []byte) {
	edge := boundary()
	header = fmt.Sprintf("Content-Type: multipart/signed; micalg=%s;\r\n protocol=%q;\r\n boundary=%q\r\n", micalg, protocol, edge)
	var b bytes.Buffer
	fmt.Fprintf(&b, "--%s\r\n", edge)
	b.Write(entity)
	fmt.Fprintf(&b, "\r\n--%s\r\n%s\r\n--%s--\r\n", edge, signature, edge)
	return header, b.Bytes()
}

// crlf ends every line by CRLF.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}
