package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"tocsin/internal/entry"
)

// A Key signs the heads of one ledger (Ed25519, in the text form of C2SP signed-note). The caller keeps its Secret in a
// folder outside the data folder: who has both can write another history.
type Key struct {
	secret string
	signer note.Signer
	public Verifier
}

// A Verifier checks the heads of one ledger. Its text is no secret. It is a note.Verifier.
type Verifier struct {
	note.Verifier
	text string
}

// NewKey makes a key for the ledger called origin, for example "shop.example/tocsin" (see entry.CheckOrigin). "" gives
// it a name by chance, as in "tocsin/5f2b8e0c9d417a36": two ledgers must not have the same.
func NewKey(origin string) (Key, error) {
	if origin == "" {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		origin = "tocsin/" + hex.EncodeToString(b[:])
	}
	if err := entry.CheckOrigin(origin); err != nil {
		return Key{}, err
	}
	secret, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return Key{}, fmt.Errorf("making the key of the ledger: %w", err)
	}
	return ParseKey(secret)
}

// ParseKey reads what Secret gives. Space around it does not matter. Its errors hold nothing of the text.
func ParseKey(text string) (Key, error) {
	bad := errors.New("this is not the secret key of a ledger (PRIVATE+KEY+name+...): restore the key from where it is kept")
	text = strings.TrimSpace(text)
	signer, err := note.NewSigner(text)
	if err != nil {
		return Key{}, bad
	}
	// The signer keeps its public half to itself, so the seed is read once more: it is the fifth part.
	seed, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 5)[4])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return Key{}, bad
	}
	pub := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	vtext, err := note.NewEd25519VerifierKey(signer.Name(), pub)
	if err != nil {
		return Key{}, bad
	}
	public, err := ParseVerifier(vtext)
	return Key{secret: text, signer: signer, public: public}, err
}

// Secret is the key as text, for one line in a file of mode 0600.
func (k Key) Secret() string { return k.secret }

// Public is the half that checks heads.
func (k Key) Public() Verifier { return k.public }

// Origin is the name of the ledger that the key signs for.
func (k Key) Origin() string { return k.public.Name() }

// String hides the secret, for logs.
func (k Key) String() string { return "key of " + k.public.text }

// GoString hides the secret too.
func (k Key) GoString() string { return k.String() }

// ParseVerifier reads what String gives. Space around it does not matter.
func ParseVerifier(text string) (Verifier, error) {
	text = strings.TrimSpace(text)
	v, err := note.NewVerifier(text)
	if err == nil {
		err = entry.CheckOrigin(v.Name())
	}
	if err != nil {
		return Verifier{}, fmt.Errorf("%.80q is not the public key of a ledger (name+hash+key)", text)
	}
	return Verifier{Verifier: v, text: text}, nil
}

// String is the public key as text, one line.
func (v Verifier) String() string { return v.text }

// SignExport signs what vouches for exported lines.
func (k Key) SignExport(x entry.ExportSeal) ([]byte, error) { return entry.SignExport(x, k.signer) }

// SignDossier lets what vouches for an incident report be signed: seal gets the key for as long as it runs.
func (k Key) SignDossier(seal func(note.Signer) ([]byte, error)) ([]byte, error) {
	return seal(k.signer)
}
