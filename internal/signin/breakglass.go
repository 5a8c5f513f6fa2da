package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"
)

// # Break-glass
//
// Sheets of paper in the safe, for the night in which nobody can sign in: the provider is down, the phones are gone, the one with the
// password is on an island. A sheet has a code of 128 bits and a check of 12, so that a typing error is told from a wrong code. It works once, and
// its use signs in as a person named after the sheet, for a bounded time; whoever calls Use must ring everyone.

const (
	sheetBytes = 16
	sheetChars = 28
	sheetFor   = "break-glass sheet"
	mostSheets = 20

	// GlassTime is how long a break-glass session lasts at most.
	GlassTime = 4 * time.Hour
)

// GlassPrefix begins the names of break-glass persons; a staff id has no colon, so nobody else has such a name.
const GlassPrefix = "break-glass:"

// Sheets are the break-glass credentials of a Tocsin, as the vault keeps them.
type Sheets struct {
	Version int     `json:"version"` // 1
	Next    int     `json:"next"`    // number of the next sheet; numbers are never used again
	Sheets  []Sheet `json:"sheets"`
}

// A Sheet is one of them. What was used or replaced stays, without its hash.
type Sheet struct {
	Number int       `json:"number"`
	Hash   string    `json:"hash,omitempty"`
	Made   time.Time `json:"made"`
	By     string    `json:"by"`
	Used   time.Time `json:"used,omitzero"`
	Void   time.Time `json:"void,omitzero"` // replaced by a newer set
}

// State says in a word how a sheet fares.
func (s Sheet) State() string {
	switch {
	case !s.Used.IsZero():
		return "used"
	case !s.Void.IsZero():
		return "void"
	}
	return "sealed"
}

// A SheetPage is what is printed for the safe, once.
type SheetPage struct {
	Number  int
	Code    string // seven groups of four
	Address string // where it is typed
	Made    time.Time
	By      string
}

// NewSheets decides to make count sheets (1 to 20) that replace all sealed ones, so that a copy of an older set opens nothing.
func NewSheets(old Sheets, count int, by, address string, now time.Time) (Sheets, []SheetPage, error) {
	if count < 1 || count > mostSheets {
		return old, nil, fmt.Errorf("between 1 and %d break-glass sheets are made at once; got %d", mostSheets, count)
	}
	s := Sheets{Version: 1, Next: max(1, old.Next)}
	for _, x := range old.Sheets {
		if x.State() == "sealed" {
			x.Void, x.Hash = now.UTC(), ""
		}
		s.Sheets = append(s.Sheets, x)
	}
	s.Sheets = s.Sheets[max(0, len(s.Sheets)-10*mostSheets):] // what is older stands in the ledger
	var pages []SheetPage
	for range count {
		b := make([]byte, sheetBytes)
		rand.Read(b) // never fails (crypto/rand)
		code := sheetCode(b)
		s.Sheets = append(s.Sheets, Sheet{Number: s.Next, Hash: salted(sheetFor, code), Made: now.UTC(), By: by})
		pages = append(pages, SheetPage{Number: s.Next, Code: inGroups(code), Address: address, Made: now.UTC(), By: by})
		s.Next++
	}
	return s, pages, nil
}

// sheetCode is 128 bits and the first 12 of their SHA-256, as 28 characters.
func sheetCode(b []byte) string {
	sum := sha256.Sum256(append([]byte("tocsin sheet\x00"), b...))
	return spell(append(b[:len(b):len(b)], sum[0], sum[1]&0xf0))[:sheetChars]
}

// A GlassFact says that a sheet was used. Whoever gets one rings everyone.
type GlassFact struct {
	Sheet  int
	Person string    // "break-glass:3"
	Until  time.Time // when its session ends
}

// Use decides on a code that somebody typed. An error is for the person: it says whether the code was mistyped or is none (any more).
func (s Sheets) Use(code string, now time.Time) (Sheets, GlassFact, error) {
	code, err := typed(code, sheetChars)
	if err != nil {
		return s, GlassFact{}, err
	}
	if !sheetWhole(code) {
		return s, GlassFact{}, fmt.Errorf("the code was mistyped: its last group does not fit to the others; look at each character again")
	}
	var hashes []string
	for _, x := range s.Sheets {
		hashes = append(hashes, x.Hash)
	}
	k := which(hashes, sheetFor, code)
	if k < 0 || s.Sheets[k].State() != "sealed" {
		return s, GlassFact{}, ErrGlass
	}
	out := s
	out.Sheets = append([]Sheet(nil), s.Sheets...)
	out.Sheets[k].Used, out.Sheets[k].Hash = now.UTC(), ""
	n := out.Sheets[k].Number
	return out, GlassFact{Sheet: n, Person: fmt.Sprintf("%s%d", GlassPrefix, n), Until: now.Add(GlassTime).UTC()}, nil
}

// ErrGlass is the answer to a code that opens nothing.
var ErrGlass = fmt.Errorf("this sheet opens nothing: it was used before, replaced by a newer set, or is of another Tocsin")

// sheetWhole reports whether the check of a code fits.
func sheetWhole(code string) bool {
	b, ok := unspell(code, sheetBytes)
	return ok && sheetCode(b) == code
}

// unspell reads the first n bytes that spell wrote.
func unspell(s string, n int) ([]byte, bool) {
	var out []byte
	var bits uint
	var have int
	for _, r := range s {
		k := -1
		for i, a := range alphabet {
			if a == r {
				k = i
			}
		}
		if k < 0 {
			return nil, false
		}
		bits, have = bits<<5|uint(k), have+5
		if have >= 8 {
			have -= 8
			out = append(out, byte(bits>>have))
		}
	}
	if len(out) < n {
		return nil, false
	}
	return out[:n], true
}
