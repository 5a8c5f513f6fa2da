package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// A TreeState says what Verify thinks of the derived file tree, whose loss is no damage.
type TreeState string

const (
	TreeGood    TreeState = "good"
	TreeMissing TreeState = "missing" // the next start writes it anew
	TreeWrong   TreeState = "wrong"   // likewise
)

// A Report is what Verify looked at. With an error it says how far it came.
type Report struct {
	Head          entry.Head // of the ledger, its signature checked
	Entries       int64      // checked and good
	Bytes         int64      // of these entries
	First, Last   time.Time  // written into the first and the last entry
	Beyond        int64      // bytes behind the head: a write under way, or what a crash left; never acknowledged
	BeyondEntries int64      // whole lines in them
	Tree          TreeState
	Copy          *entry.Head // of the copy that was given
}

// Verify checks the ledger in the folder dir of l: the signature of its head, and every entry up to it. With copyOf, a
// signed head that was kept elsewhere, it also checks that today's ledger only added to what the copy stands for: this
// finds a ledger that was cut together with its head, or written anew by somebody who has the key.
//
// It changes nothing, needs no lock, and works offline and beside a running server: the head is read first, and what
// comes behind it is not looked at. A *Fault is its error for damage; other errors mean that it could not look.
func Verify(l disk.Layer, dir string, pub Verifier, copyOf []byte) (Report, error) {
	if copyOf == nil {
		return verify(l, dir, pub, nil)
	}
	kept, err := entry.OpenHead(copyOf, pub)
	if err != nil {
		return Report{}, fmt.Errorf("the copy of the head cannot be used: %w", err)
	}
	return verify(l, dir, pub, &kept)
}

// VerifySince is Verify with a head that something else names, which was signed with the ledger's key: the report of an incident.
func VerifySince(l disk.Layer, dir string, pub Verifier, then entry.Head) (Report, error) {
	return verify(l, dir, pub, &then)
}

func verify(l disk.Layer, dir string, pub Verifier, kept *entry.Head) (Report, error) {
	r := Report{Copy: kept}
	signed, err := readHead(l, dir)
	if errors.Is(err, errNoLedger) && r.Copy != nil && r.Copy.Size > 0 {
		return r, &Fault{Kind: Cut, Entry: 1, Mend: mendEntries,
			Text: fmt.Sprintf("the copy of the head knows of %d entries, but there is no ledger in this folder", r.Copy.Size)}
	}
	if err == nil {
		r.Head, err = entry.OpenHead(signed, pub)
		if err != nil {
			err = headFault(err)
		}
	}
	if fault, ok := errors.AsType[*Fault](err); ok && r.Copy != nil && holds(l, dir, *r.Copy) {
		fault.Text += fmt.Sprintf("; the first %d entries are those of the copy", r.Copy.Size)
	}
	if err != nil {
		return r, err
	}
	stored, err := r.checkEntries(l, dir)
	if err != nil || r.Copy == nil {
		return r, err
	}
	return r, r.checkCopy(l, dir, stored)
}

// checkEntries returns what the tree file must hold.
func (r *Report) checkEntries(l disk.Layer, dir string) ([]byte, error) {
	f, err := l.OpenFile(path.Join(dir, entriesName), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if r.Head.Size > 0 {
			return nil, &Fault{Kind: Missing, Entry: 1, Text: "the file " + entriesName + " is missing", Mend: mendEntries}
		}
		r.Tree = TreeGood
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	defer f.Close()
	stored, tree := collected(r.Head)
	found, err := scan(f, r.Head, nil, tree, unheard)
	r.Entries, r.Bytes, r.First, r.Last = found.edge.size, found.bytes, found.first, found.last
	if bad, ok := errors.AsType[*badLine](err); ok {
		err = locate(l, dir, r.Head, bad)
		if fault, ok := errors.AsType[*Fault](err); ok {
			r.Entries = max(fault.Entry-1, 0)
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	in := newLines(f, found.bytes)
	for {
		if _, err := in.next(); err != nil {
			break
		}
		r.BeyondEntries++
	}
	if st, err := f.Stat(); err == nil {
		r.Beyond = max(st.Size()-found.bytes, 0)
	}
	r.Tree = treeState(l, dir, *stored)
	return *stored, nil
}

func treeState(l disk.Layer, dir string, stored []byte) TreeState {
	tree, err := disk.ReadFile(l, path.Join(dir, treeName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return TreeMissing
	case err != nil || len(tree) < len(stored) || string(tree[:len(stored)]) != string(stored):
		return TreeWrong
	}
	return TreeGood
}

// checkCopy compares the head that somebody else kept with the ledger, whose entries are known to be those of its own head.
func (r *Report) checkCopy(l disk.Layer, dir string, stored []byte) error {
	kept := *r.Copy
	if kept.Size > r.Head.Size {
		fault := &Fault{Kind: Cut, Entry: r.Head.Size + 1, Mend: mendEntries,
			Text: fmt.Sprintf("it was cut, or an older head was put in place: the copy of the head knows of %d entries, this ledger of %d", kept.Size, r.Head.Size)}
		if holds(l, dir, kept) {
			fault.Text += fmt.Sprintf("; the %d entries are still in the file", kept.Size)
			fault.Mend = mendHead
		}
		return fault
	}
	then := edgeAt(stored, kept.Size)
	if then.root() != kept.Root {
		return &Fault{Kind: Forked, Mend: mendEntries,
			Text: fmt.Sprintf("it was forked: its first %d entries are not those that the copy of the head stands for, though its own head fits them; somebody who has the key wrote another history", kept.Size)}
	}
	return nil
}

// unheard is for a scan whose answer is all that is wanted.
func unheard(entry.Entry, []byte) error { return nil }

// holds says whether the entries on disk begin with those that head stands for.
func holds(l disk.Layer, dir string, head entry.Head) bool {
	f, err := l.OpenFile(path.Join(dir, entriesName), os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = scan(f, head, nil, nil, unheard)
	return err == nil
}
