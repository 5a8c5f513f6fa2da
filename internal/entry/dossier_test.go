package entry

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// TestDossierManifest: what is signed is read back; nothing else that the key signed is taken for a manifest, and no bit may change.
func TestDossierManifest(t *testing.T) {
	secret, public, err := note.GenerateKey(bytes.NewReader(make([]byte, ed25519.SeedSize)), "shop.example/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	const lines = "incident 42\nfile a.pdf 00\n"
	signed, err := SignDossier(lines, signer)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenDossier(signed, verifier); err != nil || got != lines {
		t.Fatalf("OpenDossier = %q, %v; want %q", got, err, lines)
	}
	for k := range signed {
		changed := bytes.Clone(signed)
		changed[k] ^= 1
		if _, err := OpenDossier(changed, verifier); err == nil {
			t.Fatalf("byte %d may change unseen", k)
		}
	}
	head, err := SignHead(Head{Origin: "shop.example/ledger", Size: 3}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDossier(head, verifier); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("a head opens as a manifest: %v", err)
	}
	if _, err := OpenHead(signed, verifier); err == nil {
		t.Error("a manifest opens as a head")
	}
	for _, bad := range []string{"", "no line end", "a\n\nb\n", "\n", strings.Repeat("x", 1<<16) + "\n"} {
		if _, err := SignDossier(bad, signer); err == nil {
			t.Errorf("SignDossier takes %.20q", bad)
		}
	}
}
