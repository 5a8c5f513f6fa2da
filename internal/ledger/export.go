package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path"

	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// A seal is the last line of an export: it makes the stream checkable by itself.
//
//	{"n":41,...}                                             the entries, byte for byte as they are kept
//	{"n":42,...}
//	{"head":"shop.example/tocsin\n42\n...","from":41,"before":["...","..."]}
//
// The format is for ever; fields may be added when they are optional.
type seal struct {
	Head   string      `json:"head"`             // signed, as in the file head
	From   int64       `json:"from"`             // number of the first entry
	Before []tlog.Hash `json:"before,omitempty"` // roots of the perfect subtrees over the entries before From, largest first
}

// Export writes the entries from number from (1 is the first) up to the signed head to w, one a line, and then the
// head. The whole ledger is checked on the way: when the error is not nil, the last line is missing and what was
// written is worth nothing. It works offline and beside a running server.
func Export(l disk.Layer, dir string, pub Verifier, w io.Writer, from int64) error {
	signed, err := readHead(l, dir)
	if err != nil {
		return err
	}
	head, err := entry.OpenHead(signed, pub)
	if err != nil {
		return headFault(err)
	}
	if from < 1 || from > head.Size+1 {
		return fmt.Errorf("exporting from entry %d: the ledger has %d entries", from, head.Size)
	}
	f, err := l.OpenFile(path.Join(dir, entriesName), os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("exporting the ledger: %w", err)
	}
	defer f.Close()
	out := bufio.NewWriterSize(w, 16<<10)
	stored, tree := collected(head)
	_, err = scan(f, head, nil, tree, func(e entry.Entry, line []byte) error {
		if e.N < from {
			return nil
		}
		out.Write(line) // its error stays with out and comes back below
		return out.WriteByte('\n')
	})
	if bad, ok := errors.AsType[*badLine](err); ok {
		return locate(l, dir, head, bad)
	}
	if err != nil {
		return fmt.Errorf("exporting the ledger: %w", err)
	}
	before := edgeAt(*stored, from-1)
	last, err := json.Marshal(seal{Head: string(signed), From: from, Before: before.peaks})
	if err != nil {
		return err
	}
	out.Write(append(last, '\n'))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting the ledger: %w", err)
	}
	return nil
}

// VerifyExport checks what Export wrote: that it is whole, and that its entries are those which the head at its end was
// signed for. It returns that head and the number of the first entry in r.
func VerifyExport(r io.Reader, pub Verifier) (head entry.Head, from int64, err error) {
	fail := func(format string, args ...any) (entry.Head, int64, error) {
		return entry.Head{}, 0, fmt.Errorf("this export is not whole or was changed: "+format, args...)
	}
	var list []tlog.Hash
	var s seal
	in := lines{r: bufio.NewReaderSize(r, 16<<10)}
	for s.Head == "" {
		line, err := in.next()
		switch {
		case err == io.EOF:
			return fail("the head at its end is missing")
		case err != nil:
			return fail("line %d: %w", len(list)+1, err)
		case !bytes.HasPrefix(line, []byte(`{"head":`)):
			list = append(list, tlog.RecordHash(line))
		default:
			err := json.Unmarshal(line, &s)
			again, _ := json.Marshal(s)
			if err != nil || s.Head == "" || !bytes.Equal(again, line) { // one way to write it: no bit may be free
				return fail("its last line is not the head as Export writes it")
			}
		}
	}
	if _, err := in.next(); err != io.EOF {
		return fail("something follows the head")
	}
	if head, err = entry.OpenHead([]byte(s.Head), pub); err != nil {
		return fail("%w", err)
	}
	if s.From < 1 || s.From-1+int64(len(list)) != head.Size || len(s.Before) != bits.OnesCount64(uint64(s.From-1)) {
		return fail("it has %d entries from number %d, its head stands for %d", len(list), s.From, head.Size)
	}
	e := edge{size: s.From - 1, peaks: s.Before}
	var stored []byte
	for _, h := range list {
		stored = e.addHash(h, stored[:0])
	}
	if e.root() != head.Root {
		return fail("its entries are not those that its head stands for")
	}
	return head, s.From, nil
}
