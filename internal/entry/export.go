package entry

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// An ExportSeal vouches for lines that were handed out as evidence: by the SHA-256 of the manifest that names them all. Its text, signed as
// a note (C2SP signed-note) with the key of the ledger as a head is, but with a first line that no head has:
//
//	tocsin lines export 1
//	shop.example/ledger                                                origin: which ledger
//	9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08   SHA-256 of the manifest, hex
//
// The format is for ever.
type ExportSeal struct {
	Origin   string
	Manifest string
}

const exportSeal = "tocsin lines export 1"

func (x ExportSeal) text() string { return exportSeal + "\n" + x.Origin + "\n" + x.Manifest + "\n" }

// SignExport signs it with the key of its ledger.
func SignExport(x ExportSeal, key note.Signer) ([]byte, error) {
	if key.Name() != x.Origin {
		return nil, fmt.Errorf("the key of %q cannot sign an export of %q", key.Name(), x.Origin)
	}
	return note.Sign(&note.Note{Text: x.text()}, key)
}

// OpenExport reads a signed seal and checks its signature. It accepts only the bytes that SignExport makes.
func OpenExport(signed []byte, key note.Verifier) (ExportSeal, error) {
	if len(signed) > maxHead {
		return ExportSeal{}, errors.New("this is no signature of an export: too long")
	}
	text, err := openNote("export", signed, key)
	if err != nil {
		return ExportSeal{}, err
	}
	f := strings.Split(text, "\n")
	if len(f) != 4 || f[0] != exportSeal {
		return ExportSeal{}, errors.New("this is no signature of an export: the key signed something else")
	}
	x := ExportSeal{Origin: f[1], Manifest: f[2]}
	if sum, err := hex.DecodeString(x.Manifest); err != nil || len(sum) != 32 || x.text() != text || x.Origin != key.Name() {
		return ExportSeal{}, errors.New("this is no signature of an export: it names another ledger, or no SHA-256")
	}
	return x, nil
}
