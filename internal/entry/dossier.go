package entry

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The manifest of a dossier is a signed note (C2SP signed-note) with the key of the ledger, as a head is. Its first line is one that no head and
// no seal has; its second names the ledger; package dossier says what the others are. The format is for ever.
const (
	dossierManifest = "tocsin dossier 1"
	maxDossier      = 64 << 10 // bytes of a signed manifest
)

// SignDossier signs the lines of a dossier's manifest, each with its line end, with the key of the ledger.
func SignDossier(lines string, key note.Signer) ([]byte, error) {
	if err := CheckOrigin(key.Name()); err != nil {
		return nil, err
	}
	text := dossierManifest + "\n" + key.Name() + "\n" + lines
	switch {
	case !strings.HasSuffix(lines, "\n") || strings.HasPrefix(lines, "\n") || strings.Contains(lines, "\n\n"):
		return nil, errors.New("a manifest of a dossier is whole lines, none of them empty")
	case len(text) > maxDossier/2:
		return nil, fmt.Errorf("the manifest of the dossier is too long: %d bytes, at most %d", len(text), maxDossier/2)
	}
	return note.Sign(&note.Note{Text: text}, key)
}

// OpenDossier checks the signature of a dossier's manifest and returns its lines. It accepts only the bytes that SignDossier makes.
func OpenDossier(signed []byte, key note.Verifier) (lines string, err error) {
	if len(signed) > maxDossier {
		return "", errors.New("this is no manifest of a dossier: too long")
	}
	text, err := openNote("manifest", signed, key)
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(text, dossierManifest+"\n"+key.Name()+"\n")
	if !ok {
		return "", errors.New("this is no manifest of a dossier: the key signed something else")
	}
	return rest, nil
}
