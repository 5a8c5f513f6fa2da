package report

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// A SecurityTxt is a file /.well-known/security.txt (RFC 9116).
type SecurityTxt struct {
	Contact         []string // URIs, best first: https:, mailto:, tel:
	Expires         time.Time
	Encryption      []string // URIs of keys
	Acknowledgments []string
	Languages       []string // RFC 5646; none is any
	Canonical       []string // where the file is to be found
	Policy          []string
	Hiring          []string
	Signed          bool // of a file that was read: it stands in an OpenPGP clear-signed message, which was not checked here
}

const (
	mostSecurityTxt = 32 << 10 // bytes that are read
	mostFields      = 100
	// WarnBefore is how long before its expiry a file is called for.
	WarnBefore = 30 * 24 * time.Hour
	// MostValid is how long a file of ours is valid: RFC 9116, section 2.5.5, recommends less than a year.
	MostValid = 364 * 24 * time.Hour
)

// fields lists the fields in the order in which they are written.
func (x *SecurityTxt) fields() []struct {
	name string
	uris *[]string
} {
	return []struct {
		name string
		uris *[]string
	}{{"Contact", &x.Contact}, {"Encryption", &x.Encryption}, {"Acknowledgments", &x.Acknowledgments}, {"Canonical", &x.Canonical}, {"Policy", &x.Policy}, {"Hiring", &x.Hiring}}
}

// Text writes the file, with line ends of RFC 9116 (CRLF or LF; we write CRLF, as a clear-signed text has).
//
// Errors: what Problems finds that makes a file invalid.
func (x SecurityTxt) Text() (string, error) {
	if wrong := x.Problems(x.Expires.Add(-time.Hour)); len(wrong) > 0 {
		return "", errors.New(wrong[0])
	}
	var b strings.Builder
	for i, f := range x.fields() {
		for _, u := range *f.uris {
			fmt.Fprintf(&b, "%s: %s\r\n", f.name, u)
		}
		if i == 0 {
			fmt.Fprintf(&b, "Expires: %s\r\n", x.Expires.UTC().Format(time.RFC3339))
		}
	}
	if len(x.Languages) > 0 {
		fmt.Fprintf(&b, "Preferred-Languages: %s\r\n", strings.Join(x.Languages, ", "))
	}
	return b.String(), nil
}

// Sign writes the file and has it signed (OpenPGP clear-signed, RFC 9580 section 7) by clear, which gets and returns a whole text.
func (x SecurityTxt) Sign(clear func(text string) (string, error)) (string, error) {
	text, err := x.Text()
	if err != nil {
		return "", err
	}
	out, err := clear(text)
	if err != nil {
		return "", fmt.Errorf("signing security.txt: %w", err)
	}
	back, err := ParseSecurityTxt(out)
	if err != nil {
		return "", fmt.Errorf("signing security.txt gave what does not read: %w", err)
	}
	if again, err := back.Text(); err != nil || !back.Signed || again != text {
		return "", errors.New("signing security.txt changed its text")
	}
	return out, nil
}

// Problems says what is wrong with a file at a time, in sentences: what RFC 9116 forbids.
func (x SecurityTxt) Problems(now time.Time) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if len(x.Contact) == 0 {
		add("security.txt has no Contact; one is required (RFC 9116, section 2.5.3).")
	}
	switch {
	case x.Expires.IsZero():
		add("security.txt has no Expires; one is required (RFC 9116, section 2.5.5).")
	case !now.Before(x.Expires):
		add("security.txt expired on %s; nobody may rely on it any more. Make a new one.", Day(x.Expires))
	case x.Expires.UTC().Year() > 9999 || x.Expires.UTC().Year() < 1:
		add("security.txt expires in a year that has no form (RFC 3339).")
	}
	for _, f := range x.fields() {
		for _, u := range *f.uris {
			if says := uri(f.name, u); says != "" {
				add("The %s of security.txt %s: %q.", f.name, says, clip(u))
			}
		}
	}
	for _, l := range x.Languages {
		if !tagged(l) {
			add("%q is no language tag (RFC 5646); write de, en or pt-BR.", clip(l))
		}
	}
	return wrong
}

// Warning is what to tell the team about the expiry of the file, "" while there is time.
func (x SecurityTxt) Warning(now time.Time) string {
	left := x.Expires.Sub(now)
	switch days := int(left / (24 * time.Hour)); {
	case x.Expires.IsZero() || left > WarnBefore:
		return ""
	case left <= 0:
		return fmt.Sprintf("security.txt expired on %s: researchers may not rely on it. Make a new one.", Day(x.Expires))
	case days == 0:
		return "security.txt expires today. Make a new one."
	case days == 1:
		return "security.txt expires in 1 day. Make a new one."
	default:
		return fmt.Sprintf("security.txt expires in %d days, on %s. Make a new one.", days, Day(x.Expires))
	}
}

// uri says what is wrong with a URI of a field. Web URIs must be https (RFC 9116, section 2.4).
func uri(field, s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > 2000 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "is no URI"
	case u.Scheme == "https" && u.Host != "":
	case u.Scheme == "mailto" && strings.Contains(u.Opaque, "@") && field == "Contact":
	case u.Scheme == "tel" && u.Opaque != "" && field == "Contact":
	case (u.Scheme == "openpgp4fpr" || u.Scheme == "dns") && u.Opaque != "" && field == "Encryption":
	case u.Scheme == "http":
		return "must begin with https"
	default:
		return "needs a scheme that fits, such as https"
	}
	return ""
}

func tagged(l string) bool {
	if len(l) < 2 || len(l) > 35 {
		return false
	}
	for i, part := range strings.Split(l, "-") {
		if part == "" || len(part) > 8 || i == 0 && len(part) == 1 {
			return false
		}
		for _, c := range part {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

const (
	clearBegin = "-----BEGIN PGP SIGNED MESSAGE-----"
	clearEnd   = "-----BEGIN PGP SIGNATURE-----"
)

// ParseSecurityTxt reads a file, of ours or of others, signed or not. Unknown fields are skipped, as RFC 9116 asks; a signature is not
// checked.
func ParseSecurityTxt(text string) (x SecurityTxt, err error) {
	if len(text) > mostSecurityTxt {
		return x, fmt.Errorf("security.txt has %d bytes, at most %d are read", len(text), mostSecurityTxt)
	}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if lines[0] == clearBegin {
		if lines, err = unsigned(lines[1:]); err != nil {
			return x, err
		}
		x.Signed = true
	}
	fields, languages := 0, false
	for n, l := range lines {
		l = strings.TrimRight(l, " \t")
		if l == "" || l[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		value = strings.Trim(value, " \t")
		if fields++; !ok || name == "" || value == "" || strings.ContainsAny(name, " \t") {
			return x, fmt.Errorf("line %d of security.txt is no field: write name, colon, value", n+1)
		}
		if fields > mostFields {
			return x, fmt.Errorf("security.txt has more than %d fields", mostFields)
		}
		switch name = strings.ToLower(name); name {
		case "expires":
			if !x.Expires.IsZero() {
				return x, fmt.Errorf("line %d of security.txt: Expires stands twice", n+1)
			}
			if x.Expires, err = time.Parse(time.RFC3339, strings.ToUpper(value)); err != nil || x.Expires.IsZero() {
				return x, fmt.Errorf("line %d of security.txt: Expires is no time such as 2026-12-31T18:00:00Z (RFC 3339)", n+1)
			}
		case "preferred-languages":
			if languages {
				return x, fmt.Errorf("line %d of security.txt: Preferred-Languages stands twice", n+1)
			}
			languages = true
			for l := range strings.SplitSeq(value, ",") {
				x.Languages = append(x.Languages, strings.TrimSpace(l))
			}
		default:
			for _, f := range x.fields() {
				if strings.EqualFold(f.name, name) {
					*f.uris = append(*f.uris, value)
				}
			}
		}
	}
	return x, nil
}

// unsigned takes the text out of a clear-signed message: behind its headers, before its signature, without the dashes that protect lines.
func unsigned(lines []string) ([]string, error) {
	for i, l := range lines {
		if strings.TrimSpace(l) == "" {
			lines = lines[i+1:]
			for k, l := range lines {
				if l == clearEnd {
					return lines[:k], nil
				}
				lines[k] = strings.TrimPrefix(l, "- ")
			}
			break
		}
	}
	return nil, errors.New("security.txt begins like a signed message, and has no signature")
}
