package tuning

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Kind says what a value on a watch list is.
type Kind string

const (
	Address Kind = "address"
	Network Kind = "network"
	Account Kind = "account"
	Hash    Kind = "hash" // of a file, in hex: MD5, SHA-1, SHA-256 or SHA-512
	Domain  Kind = "domain"
	URL     Kind = "url"
)

// Kinds lists every kind, in the order in which they are shown.
func Kinds() []Kind { return []Kind{Address, Network, Account, Hash, Domain, URL} }

// The widest networks that a list takes: a wider one would name a part of the internet, and nobody in it.
const (
	widest4 = 8
	widest6 = 16
)

// longestValue is how many bytes an account, domain or URL may have.
const longestValue = 2000

// A Listed value is one line of a watch list. Its Text is in its one form: two that mean the same are the same.
type Listed struct {
	Kind  Kind      `json:"kind"`
	Text  string    `json:"text"`
	From  time.Time `json:"from,omitzero"`  // it counts for records from then on; zero: always
	Until time.Time `json:"until,omitzero"` // and before then; zero: for ever
	Note  string    `json:"note,omitempty"` // what its source says of it
}

// Key is what tells values apart.
func (v Listed) Key() string { return string(v.Kind) + " " + v.Text }

// String is the value as ParseValue reads it back.
func (v Listed) String() string {
	if _, _, named := kindInFront(v.Text); guess(v.Text) == v.Kind && !named {
		return v.Text
	}
	return string(v.Kind) + ":" + v.Text
}

// kindInFront cuts "account:" and its like off a text.
func kindInFront(s string) (k Kind, rest string, ok bool) {
	kind, rest, found := strings.Cut(s, ":")
	for _, k := range Kinds() {
		if found && strings.EqualFold(kind, string(k)) {
			return k, rest, true
		}
	}
	return "", s, false
}

// ParseValue reads a value as people write it: "203.0.113.9", "203.0.113.0/24", a hash in hex, "https://...", a domain, or an
// account. What could be two things takes its kind in front: "account:anna.keller".
func ParseValue(s string) (Listed, error) {
	s = strings.TrimSpace(s)
	if k, rest, ok := kindInFront(s); ok {
		return NewValue(k, rest)
	}
	return NewValue(guess(s), s)
}

// guess says what a text without a kind in front is.
func guess(s string) Kind {
	if _, err := netip.ParseAddr(s); err == nil {
		return Address
	}
	if at, bits, ok := strings.Cut(s, "/"); ok && bits != "" && strings.Trim(bits, "0123456789") == "" {
		if _, err := netip.ParseAddr(at); err == nil {
			return Network
		}
	}
	name := strings.TrimSuffix(s, ".")
	label := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case hashName(s) != "":
		return Hash
	case strings.Contains(s, "://"):
		return URL
	case strings.ContainsRune(s, '@') || !strings.Contains(name, ".") || len(label) < 2:
		return Account
	case domainName(s) == nil:
		return Domain
	}
	return Account
}

// NewValue reads a value of a kind. Errors say what it should be.
func NewValue(kind Kind, text string) (Listed, error) {
	v := Listed{Kind: kind, Text: strings.TrimSpace(text)}
	if v.Text == "" {
		return v, errors.New("there is no value")
	}
	if len(v.Text) > longestValue || !utf8.ValidString(v.Text) || strings.ContainsFunc(v.Text, unicode.IsControl) {
		return v, fmt.Errorf("a value is text of at most %d bytes without control characters", longestValue)
	}
	switch kind {
	case Address:
		a, err := netip.ParseAddr(v.Text)
		if err != nil {
			return v, fmt.Errorf("%q is no address; write it as 203.0.113.9 or 2001:db8::9", v.Text)
		}
		v.Text = plain(a).String()
	case Network:
		return network(v)
	case Account:
		v.Text = strings.ToLower(v.Text)
	case Hash:
		if hashName(v.Text) == "" {
			return v, fmt.Errorf("%q is no hash: MD5, SHA-1, SHA-256 and SHA-512 have 32, 40, 64 and 128 hex digits", v.Text)
		}
		v.Text = strings.ToLower(v.Text)
	case Domain:
		if err := domainName(v.Text); err != nil {
			return v, err
		}
		v.Text = strings.ToLower(strings.TrimSuffix(v.Text, "."))
	case URL:
		scheme, rest, ok := strings.Cut(v.Text, "://")
		if !ok || scheme == "" || rest == "" || strings.ContainsFunc(v.Text, unicode.IsSpace) {
			return v, fmt.Errorf("%q is no URL; write it whole, such as https://evil.example/x.js", v.Text)
		}
		host, path, _ := strings.Cut(rest, "/")
		v.Text = strings.ToLower(scheme) + "://" + strings.ToLower(host) + "/" + path
	default:
		return v, fmt.Errorf("%q is no kind of value; known: address, network, account, hash, domain, url", kind)
	}
	return v, nil
}

// plain gives an address its one form.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// network reads a network, or an address as one when its prefix is whole.
func network(v Listed) (Listed, error) {
	p, err := netip.ParsePrefix(v.Text)
	if err != nil {
		return v, fmt.Errorf("%q is no network; write it as 203.0.113.0/24 or 2001:db8::/32", v.Text)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return v, fmt.Errorf("the network %s holds addresses of both kinds", v.Text)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	p = p.Masked()
	least := widest4
	if p.Addr().Is6() {
		least = widest6
	}
	if p.Bits() < least {
		return v, fmt.Errorf("the network %s is too wide: at least /%d is needed", v.Text, least)
	}
	if p.Bits() == p.Addr().BitLen() {
		return Listed{Kind: Address, Text: p.Addr().String(), From: v.From, Until: v.Until, Note: v.Note}, nil
	}
	v.Text = p.String()
	return v, nil
}

// hashName names the hash that a text in hex can be, "" if it can be none.
func hashName(s string) string {
	name := map[int]string{32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}[len(s)]
	if strings.Trim(strings.ToLower(s), "0123456789abcdef") != "" {
		return ""
	}
	return name
}

// domainName checks a host's name: labels of letters, digits, - and _, or of another script (RFC 1123, RFC 5890).
func domainName(s string) error {
	s = strings.TrimSuffix(s, ".")
	labels := strings.Split(s, ".")
	for _, l := range labels {
		wrong := func(r rune) bool {
			return r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}
		if l == "" || len(l) > 63 || strings.ContainsFunc(l, wrong) {
			return fmt.Errorf("%q is no domain; write it as evil.example", s)
		}
	}
	if len(labels) < 2 || len(s) > 253 {
		return fmt.Errorf("%q is no domain; write it as evil.example", s)
	}
	return nil
}
