package entry

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Head stands for the whole ledger at one moment: how many entries, and the hash that commits to all of them.
//
// Its text is a checkpoint as C2SP tlog-checkpoint has it, without extension lines; signed, it is a note
// (C2SP signed-note) with exactly one Ed25519 signature by a key that is named as the ledger:
//
//	shop.example/ledger                                      origin
//	3                                                        size, decimal
//	R0N0rqSuTCJzUKDNIrCDK7hNmIt3slCZ6Hw+4DnvjpE=             root, base64
//	                                                         empty line
//	— shop.example/ledger 5Rc2...=                           signature
//
// It holds no time on purpose: the same entries give the same head, wherever they are kept.
// The format is for ever.
type Head struct {
	Origin string    // which ledger; also the name of its key
	Size   int64     // entries, from 0
	Root   tlog.Hash // RFC 6962 Merkle tree hash over the stored bytes of each entry, without line end
}

// A Proof shows that one head extends another: the tree hashes of RFC 6962, section 2.1.2.
type Proof = tlog.TreeProof

const (
	maxHead = 4096    // bytes of a signed head
	maxSize = 1 << 48 // entries; beyond 2^62 the arithmetic of the tree would not end
)

// CheckOrigin says whether a ledger may be called so: letters, digits and signs, without space and plus sign, at most
// 200 bytes (a limit of the signed note, which uses both as separators).
func CheckOrigin(origin string) error {
	switch {
	case origin == "" || len(origin) > 200 || !utf8.ValidString(origin):
	case strings.ContainsFunc(origin, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '+' }):
	default:
		return nil
	}
	return fmt.Errorf("%q cannot name a ledger: use letters, digits, dots, dashes and slashes", origin)
}

// Text is the text that is signed. ParseHead reads it.
func (h Head) Text() string {
	return h.Origin + "\n" + strconv.FormatInt(h.Size, 10) + "\n" + h.Root.String() + "\n"
}

// ParseHead reads what Text writes and nothing else: a head has one text.
func ParseHead(text string) (Head, error) {
	if len(text) > maxHead {
		return Head{}, errors.New("this is no head: too long")
	}
	f := strings.Split(text, "\n")
	if len(f) != 4 || f[3] != "" {
		return Head{}, errors.New("this is no head: it must be three lines: origin, size, root")
	}
	if err := CheckOrigin(f[0]); err != nil {
		return Head{}, fmt.Errorf("this is no head: %w", err)
	}
	h := Head{Origin: f[0]}
	var err error
	if h.Size, err = strconv.ParseInt(f[1], 10, 64); err != nil || h.Size < 0 || h.Size > maxSize {
		return Head{}, fmt.Errorf("this is no head: its size %.40q is not a count", f[1])
	}
	if h.Root, err = tlog.ParseHash(f[2]); err != nil {
		return Head{}, fmt.Errorf("this is no head: its root %.60q is not a hash in base64", f[2])
	}
	if h.Text() != text { // +3, 007, stray bits behind the base64
		return Head{}, errors.New("this is no head: it is not written the one way that a head is written")
	}
	return h, nil
}

// SignHead signs h with the key of its ledger.
func SignHead(h Head, key note.Signer) ([]byte, error) {
	if key.Name() != h.Origin {
		return nil, fmt.Errorf("the key of %q cannot sign a head of %q", key.Name(), h.Origin)
	}
	if _, err := ParseHead(h.Text()); err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: h.Text()}, key)
}

// OpenHead reads a signed head and checks its signature. It accepts only the bytes that SignHead makes, so that no bit
// of a head can change unseen: base64 and notes alone would leave some free.
func OpenHead(signed []byte, key note.Verifier) (Head, error) {
	if len(signed) > maxHead {
		return Head{}, errors.New("this is no signed head: too long")
	}
	text, err := openNote("head", signed, key)
	if err != nil {
		return Head{}, err
	}
	h, err := ParseHead(text)
	if err != nil {
		return Head{}, err
	}
	if h.Origin != key.Name() {
		return Head{}, fmt.Errorf("the head is of %q, its key of %q", h.Origin, key.Name())
	}
	return h, nil
}

// openNote returns the text of a signed note that is called so, if the key signed it, and only if the note is written the one way
// that it is written.
func openNote(what string, signed []byte, key note.Verifier) (text string, err error) {
	n, err := note.Open(signed, note.VerifierList(key))
	if unsigned, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		by := "nobody"
		if len(unsigned.Note.UnverifiedSigs) > 0 {
			s := unsigned.Note.UnverifiedSigs[0]
			by = fmt.Sprintf("%q (key %08x)", s.Name, s.Hash)
		}
		return "", fmt.Errorf("the %s is signed by %s, not by the key of this ledger, %q (key %08x)", what, by, key.Name(), key.KeyHash())
	}
	if _, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return "", fmt.Errorf("the signature of the %s does not fit: %s or signature were changed", what, what)
	}
	if err != nil {
		return "", fmt.Errorf("this is no signed %s: %w", what, err)
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil || n.Text+"\n— "+key.Name()+" "+base64.StdEncoding.EncodeToString(sig)+"\n" != string(signed) {
		return "", fmt.Errorf("the signature of the %s is not written the one way that it is written: it was changed", what)
	}
	return n.Text, nil
}

// PeekHead reads a signed head without checking its signature, for those who have no key: it tells what the head claims.
func PeekHead(signed []byte) (Head, error) {
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok || len(signed) > maxHead {
		return Head{}, errors.New("this is no signed head")
	}
	return ParseHead(text + "\n")
}

// Extends checks by a proof that the ledger of the head now holds what the older head then promised, in the same
// order, and only added to it. The error says whether the ledger was cut or forked. It needs no ledger: this is what
// an agent asks before it takes a new head for an old one.
func (now Head) Extends(then Head, p Proof) error {
	switch {
	case now.Origin != then.Origin:
		return fmt.Errorf("the heads are of two ledgers, %q and %q", then.Origin, now.Origin)
	case now.Size < then.Size:
		return fmt.Errorf("the ledger was cut: it had %d entries and has %d", then.Size, now.Size)
	case now.Size == then.Size && now.Root != then.Root:
		return fmt.Errorf("the ledger was forked: two heads of %d entries differ", now.Size)
	case now.Size == then.Size || then.Size == 0:
		if len(p) != 0 {
			return errors.New("this proof is for other heads: here none is needed")
		}
		return nil
	}
	if err := tlog.CheckTree(p, now.Size, now.Root, then.Size, then.Root); err != nil {
		return fmt.Errorf("the ledger was forked, or the proof is for other heads: the first %d of %d entries are not shown to be those of the older head", then.Size, now.Size)
	}
	return nil
}
