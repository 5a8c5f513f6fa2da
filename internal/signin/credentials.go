package signin

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Credentials are all ways in which one person proves who they are, but for the password, which has an object of its own. It is a
// value: every change is a function from the old one to the new one, and the vault keeps it whole, as JSON. A secret of it
// (the authenticator's) is readable there, because it must be; everything else is a public key or a hash.
type Credentials struct {
	Version  int            `json:"version"`          // 1
	Handle   []byte         `json:"handle,omitempty"` // WebAuthn's user handle: 32 bytes of chance that name nobody (WebAuthn 3, 14.6.1)
	Passkeys []Passkey      `json:"passkeys,omitempty"`
	App      *Authenticator `json:"app,omitempty"`
	Recovery []string       `json:"recovery,omitempty"` // salted hashes of the codes that are left
	Links    []Link         `json:"links,omitempty"`
	Tokens   []APIToken     `json:"tokens,omitempty"`
}

// A Link pins the account of an OpenID provider to a person. Only issuer and subject count: they never change and never name
// somebody else (OpenID Connect Core 5.7); mail addresses do both.
type Link struct {
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
	Made    time.Time `json:"made"`
	By      string    `json:"by"` // who pinned it: the person, or an administrator
}

const (
	mostPasskeys   = 20
	mostLinks      = 5
	maxName        = 60 // characters of what somebody calls a passkey
	credentialForm = 1
)

// A Mistake is something wrong with one field of a form.
type Mistake struct{ Field, Says string }

func (m Mistake) Error() string { return m.Says }

// What callers branch on.
var (
	ErrUnknown = errors.New("there is no such thing here; it may be removed already")
	ErrLastWay = errors.New("this is the only way in that you have: add another one first")
)

// ParseCredentials reads what the vault keeps. No bytes are nobody's: no ways in.
func ParseCredentials(raw []byte) (Credentials, error) {
	if len(raw) == 0 {
		return Credentials{Version: credentialForm}, nil
	}
	var c Credentials
	if err := json.Unmarshal(raw, &c); err != nil {
		return Credentials{}, fmt.Errorf("the stored credentials are damaged: %w", err)
	}
	if c.Version != credentialForm {
		return Credentials{}, fmt.Errorf("the stored credentials have version %d, and this program knows %d: start the newer one", c.Version, credentialForm)
	}
	return c, nil
}

// Bytes is what the vault keeps.
func (c Credentials) Bytes() ([]byte, error) {
	c.Version = credentialForm
	return json.Marshal(c)
}

// clone is c with lists of its own.
func (c Credentials) clone() Credentials {
	c.Version = credentialForm
	c.Passkeys, c.Recovery, c.Links, c.Tokens = slices.Clone(c.Passkeys), slices.Clone(c.Recovery), slices.Clone(c.Links), slices.Clone(c.Tokens)
	return c
}

// Second reports whether the person has a second factor, without which a password is then no longer enough.
func (c Credentials) Second() bool { return c.App != nil || len(c.Passkeys) > 0 }

// WithHandle gives the person a user handle, if they have none.
func (c Credentials) WithHandle() Credentials {
	if len(c.Handle) > 0 {
		return c
	}
	out := c.clone()
	out.Handle = make([]byte, 32)
	rand.Read(out.Handle) // never fails (crypto/rand)
	return out
}

// WithPasskey decides to add a passkey.
func (c Credentials) WithPasskey(p Passkey) (Credentials, error) {
	name, bad := checkName(p.Name)
	if bad != "" {
		return c, Mistake{"passkey-name", bad}
	}
	if len(c.Passkeys) >= mostPasskeys {
		return c, Mistake{"", fmt.Sprintf("You have %d passkeys. Remove one that is not needed any more.", mostPasskeys)}
	}
	for _, x := range c.Passkeys {
		if bytes.Equal(x.Key.ID, p.Key.ID) {
			return c, Mistake{"", "This passkey is yours already."}
		}
		if strings.EqualFold(x.Name, name) {
			return c, Mistake{"passkey-name", "You have a passkey of this name; choose another, so that you can tell them apart."}
		}
	}
	out := c.clone()
	p.Name = name
	out.Passkeys = append(out.Passkeys, p)
	return out, nil
}

// WithoutPasskey decides to remove a passkey, unless the person could not sign in any more then. password says that they have one.
func (c Credentials) WithoutPasskey(id string, password bool) (Credentials, Passkey, error) {
	k := slices.IndexFunc(c.Passkeys, func(p Passkey) bool { return p.ID == id })
	if k < 0 {
		return c, Passkey{}, ErrUnknown
	}
	gone := c.Passkeys[k]
	out := c.clone()
	out.Passkeys = slices.Delete(out.Passkeys, k, k+1)
	if !out.way(password) {
		return c, Passkey{}, ErrLastWay
	}
	return out.tidy(), gone, nil
}

// way reports whether the person can sign in.
func (c Credentials) way(password bool) bool {
	return password || len(c.Passkeys) > 0 || len(c.Links) > 0
}

// tidy drops recovery codes when they have nothing to recover: they stand in for a second factor.
func (c Credentials) tidy() Credentials {
	if !c.Second() {
		c.Recovery = nil
	}
	return c
}

// WithApp decides to take an authenticator app whose secret has just been proved by a code.
func (c Credentials) WithApp(a Authenticator) Credentials {
	out := c.clone()
	out.App = &a
	return out
}

// WithoutApp decides to remove the authenticator app.
func (c Credentials) WithoutApp() (Credentials, error) {
	if c.App == nil {
		return c, ErrUnknown
	}
	out := c.clone()
	out.App = nil
	return out.tidy(), nil
}

// WithRecovery decides to make a new set of recovery codes, which replaces the old one, and returns the codes as they are shown once.
func (c Credentials) WithRecovery() (Credentials, []string, error) {
	if !c.Second() {
		return c, nil, Mistake{"", "Recovery codes stand in for a passkey or an authenticator: add one first."}
	}
	out := c.clone()
	shown, hashes := newRecovery()
	out.Recovery = hashes
	return out, shown, nil
}

// Recover decides on a recovery code that somebody typed; one that is right is used up. Which it is does not show in the time.
func (c Credentials) Recover(code string) (Credentials, bool) {
	code, err := typed(code, recoveryChars)
	if err != nil {
		return c, false
	}
	k := which(c.Recovery, recoveryFor, code)
	if k < 0 {
		return c, false
	}
	out := c.clone()
	out.Recovery = slices.Delete(out.Recovery, k, k+1)
	return out, true
}

// WithLink decides to pin an account of a provider.
func (c Credentials) WithLink(l Link) (Credentials, error) {
	if l.Issuer == "" || l.Subject == "" {
		return c, errors.New("an account without issuer or subject cannot be pinned")
	}
	for _, x := range c.Links {
		if x.Issuer == l.Issuer && x.Subject == l.Subject {
			return c, Mistake{"", "This account is linked already."}
		}
	}
	if len(c.Links) >= mostLinks {
		return c, Mistake{"", fmt.Sprintf("At most %d accounts can be linked to a person.", mostLinks)}
	}
	out := c.clone()
	out.Links = append(out.Links, l)
	return out, nil
}

// WithoutLink decides to unpin the account number n, from 0.
func (c Credentials) WithoutLink(n int, password bool) (Credentials, Link, error) {
	if n < 0 || n >= len(c.Links) {
		return c, Link{}, ErrUnknown
	}
	gone := c.Links[n]
	out := c.clone()
	out.Links = slices.Delete(out.Links, n, n+1)
	if !out.way(password) {
		return c, Link{}, ErrLastWay
	}
	return out, gone, nil
}

// WithoutFactors decides what stays when somebody has lost all they had: nothing but the account of the provider. Passkeys, app, recovery codes
// and tokens go; the person signs in with a password that a one-time link lets them choose, and begins anew.
func (c Credentials) WithoutFactors() Credentials {
	return Credentials{Version: credentialForm, Handle: c.Handle, Links: slices.Clone(c.Links)}
}

// checkName checks what a person calls something of theirs, which they alone see and which is shown again. It returns the name as it is kept, or what
// is wrong with it, in words for the person.
func checkName(name string) (kept, wrong string) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "", "Give it a name by which you will know it again."
	case utf8.RuneCountInString(name) > maxName:
		return "", fmt.Sprintf("The name has more than %d characters.", maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return "", "The name has a character that cannot be seen."
	}
	return name, ""
}
