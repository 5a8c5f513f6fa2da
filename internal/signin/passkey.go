package signin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// A Passkey is a key pair whose private half stays in a device or its owner's key ring; here lies the public half.
type Passkey struct {
	ID   string              `json:"id"`   // shown, and named in the ledger
	Name string              `json:"name"` // what its owner calls it
	Made time.Time           `json:"made"`
	Key  webauthn.Credential `json:"key"` // public key, counter at registration, whether it is synchronised
}

// Synced reports whether the passkey may be on several devices of its owner.
func (p Passkey) Synced() bool { return p.Key.Flags.BackupEligible }

// Passkeys runs the ceremonies of WebAuthn (level 3): passkeys are discoverable, so nobody types an id, and the device verifies its owner (PIN,
// finger, face), so a passkey is two factors. Attestation is not asked for: a team chooses its own devices.
type Passkeys struct{ w *webauthn.WebAuthn }

// maxResponse bounds what a browser sends of a ceremony, in bytes.
const maxResponse = 32 << 10

// NewPasskeys returns the ceremonies of a console at a public address, such as "https://tocsin.shop.example". Its error says why there can be no
// passkeys there, in words for those who run it: WebAuthn binds them to a host name, never to an IP address, and wants https.
func NewPasskeys(address string) (*Passkeys, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("passkeys need the console's public address, and %q is none", address)
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, fmt.Errorf("passkeys are bound to a name, and this console is reached by the address %s: give it a name (or localhost)", host)
	}
	if u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return nil, fmt.Errorf("passkeys need https, and this console is reached at %s", address)
	}
	resident := true
	w, err := webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: "Tocsin", RPOrigins: []string{NewOrigin(address).URL},
		AttestationPreference:             protocol.PreferNoAttestation,
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore, // browsers and key rings add credProps unasked; we read none of them
		AuthenticatorSelection: protocol.AuthenticatorSelection{RequireResidentKey: &resident, ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, fmt.Errorf("passkeys for %s: %w", address, err)
	}
	return &Passkeys{w}, nil
}

// keyOwner is a person as package webauthn sees one.
type keyOwner struct {
	c        Credentials
	id, name string
}

func (o keyOwner) WebAuthnID() []byte          { return o.c.Handle }
func (o keyOwner) WebAuthnName() string        { return o.id }
func (o keyOwner) WebAuthnDisplayName() string { return o.name }
func (o keyOwner) WebAuthnCredentials() (ks []webauthn.Credential) {
	for _, p := range o.c.Passkeys {
		ks = append(ks, p.Key)
	}
	return ks
}

// A Challenge is one ceremony under way: keep it in Ceremonies.
type Challenge struct{ session webauthn.SessionData }

// Register begins to make a passkey for a person, whose credentials have a handle. It returns what the browser needs, as JSON.
func (p *Passkeys) Register(c Credentials, id, name string) (options []byte, ch Challenge, err error) {
	owner := keyOwner{c, id, name}
	creation, session, err := p.w.BeginRegistration(owner, webauthn.WithExclusions(webauthn.Credentials(owner.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return nil, Challenge{}, fmt.Errorf("beginning to register a passkey: %w", err)
	}
	options, err = json.Marshal(creation.Response)
	return options, Challenge{*session}, err
}

// errPasskey is all that a person is told of a response that does not prove a passkey; the log may have more.
var errPasskey = errors.New("the passkey could not be verified; try again, or sign in another way")

// ErrPasskey reports whether err says that a response proved nothing.
func ErrPasskey(err error) bool { return errors.Is(err, errPasskey) }

func failed(err error) error {
	var p *protocol.Error
	if errors.As(err, &p) {
		return fmt.Errorf("%w (%s: %s)", errPasskey, p.Details, strings.ToValidUTF8(p.DevInfo, "?"))
	}
	return fmt.Errorf("%w (%w)", errPasskey, err)
}

// parse reads a browser's response. What it reads is hostile: the length is bounded, and a parser that panics costs the sign-in, not the program.
func parse[T any](response []byte, read func([]byte) (*T, error)) (out *T, err error) {
	if len(response) > maxResponse {
		return nil, fmt.Errorf("%w (a response of %d bytes)", errPasskey, len(response))
	}
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("%w (its parser panicked)", errPasskey)
		}
	}()
	out, err = read(response)
	if err != nil {
		return nil, failed(err)
	}
	if out == nil {
		return nil, errPasskey
	}
	return out, nil
}

// Registered checks a browser's response to Register and returns the new passkey. c is what Register was given.
func (p *Passkeys) Registered(c Credentials, id string, ch Challenge, name string, response []byte, now time.Time) (Passkey, error) {
	parsed, err := parse(response, protocol.ParseCredentialCreationResponseBytes)
	if err != nil {
		return Passkey{}, err
	}
	key, err := p.w.CreateCredential(keyOwner{c, id, id}, ch.session, parsed)
	if err != nil {
		return Passkey{}, failed(err)
	}
	key.Attestation = webauthn.CredentialAttestation{} // nothing is asked of it, so nothing is kept
	return Passkey{ID: shortID(), Name: name, Made: now.UTC(), Key: *key}, nil
}

// Ask begins a sign-in, or a step-up of somebody who is signed in. It returns what the browser needs, as JSON.
func (p *Passkeys) Ask() (options []byte, ch Challenge, err error) {
	assertion, session, err := p.w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, Challenge{}, fmt.Errorf("beginning to ask for a passkey: %w", err)
	}
	options, err = json.Marshal(assertion.Response)
	return options, Challenge{*session}, err
}

// A Proved passkey is what a sign-in has shown.
type Proved struct {
	Person  string
	Passkey Passkey
	Count   uint32 // the new counter; 0 of passkeys that do not count
	Cloned  bool   // the counter did not grow: somebody may have a copy
}

// Answer checks a browser's response to Ask. find returns whose a user handle is; seen the counter that a passkey had last. When the counter
// went back or stood still the proof holds, and Cloned says so: the caller writes it down, shows it, and does not take it as a fresh second factor
// (WebAuthn 3, 7.2 step 22 leaves that to us; to refuse would let the thief lock the owner out).
func (p *Passkeys) Answer(ch Challenge, response []byte, find func(handle []byte) (person string, c Credentials, ok bool), seen func(person, passkey string) uint32) (Proved, error) {
	parsed, err := parse(response, protocol.ParseCredentialRequestResponseBytes)
	if err != nil {
		return Proved{}, err
	}
	var out Proved
	var owner Credentials
	key, err := p.w.ValidateDiscoverableLogin(func(rawID, handle []byte) (webauthn.User, error) {
		person, c, ok := find(handle)
		if !ok || len(c.Handle) == 0 || !bytes.Equal(c.Handle, handle) {
			return nil, errors.New("nobody has this handle")
		}
		c = c.clone()
		for i := range c.Passkeys {
			c.Passkeys[i].Key.Authenticator.SignCount = max(c.Passkeys[i].Key.Authenticator.SignCount, seen(person, c.Passkeys[i].ID))
			c.Passkeys[i].Key.Authenticator.CloneWarning = false
		}
		out.Person, owner = person, c
		return keyOwner{c, person, person}, nil
	}, ch.session, parsed)
	if err != nil {
		return Proved{}, failed(err)
	}
	for _, x := range owner.Passkeys {
		if bytes.Equal(x.Key.ID, key.ID) {
			out.Passkey = x
		}
	}
	out.Count, out.Cloned = key.Authenticator.SignCount, key.Authenticator.CloneWarning
	return out, nil
}

// HandleText is a user handle as a key of a map.
func HandleText(handle []byte) string { return base64.RawURLEncoding.EncodeToString(handle) }
