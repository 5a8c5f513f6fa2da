package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"

	"tocsin/internal/disk"
)

// The list of erasures begins with 64 bytes, and has 48 for each erased object:
//
//	file    0  "tocsin vault erased 1", filled with zeros to 32
//	       32  id of the vault
//	       48  zeros
//	record  0  id of the object
//	       16  place of its slot                uint64
//	       24  first record of its batch        uint64
//	       32  zeros
//	       44  CRC-32C                          over id of the vault, place of the record (8 bytes), bytes 0 to 43
//
// The same list stands in the data folder (erased) and in the key folder (vault.erased). The place of the slot is
// there because zeroing it may have been interrupted: what is left of it then names no object.
const (
	erasedName   = "erased"
	erasedThere  = "vault.erased"
	erasedText   = "tocsin vault erased 1"
	erasedHeader = 64
	erasedSize   = 48
)

type erasure struct {
	id   id
	slot int64
}

// A list is one of the two files.
type list struct {
	table
	file  disk.File
	count int64
	has   map[id]bool
}

func (l *list) handle() disk.File {
	if l == nil {
		return nil
	}
	return l.file
}

func printErasure(vault id, i, batch int64, e erasure) []byte {
	b := make([]byte, 0, erasedSize)
	b = append(b, e.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.slot))
	b = binary.BigEndian.AppendUint64(b, uint64(batch))
	b = append(b, make([]byte, 12)...)
	return binary.BigEndian.AppendUint32(b, sum(vault, i, b))
}

func parseErasure(vault id, i int64, b []byte) (e erasure, batch int64, ok bool) {
	if len(b) != erasedSize || binary.BigEndian.Uint32(b[44:]) != sum(vault, i, b[:44]) {
		return e, 0, false
	}
	copy(e.id[:], b)
	slot, first := binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:])
	if slot > math.MaxInt64/slotSize-1 || first > uint64(i) || !zero(b[32:44]) {
		return e, 0, false
	}
	e.slot = int64(slot)
	return e, int64(first), true
}

// openLists reads both lists, and gives each what only the other has: one of them may be of an older backup. It
// returns the places of slots that they name.
func (v *Vault) openLists(said *Opened) (listed map[int64]bool, err error) {
	here, of, err := v.openList(v.data, path.Join(v.dir, erasedName), said)
	v.here = here
	if err != nil {
		return nil, err
	}
	there, ot, err := v.openList(v.keys, erasedThere, said)
	v.there = there
	if err != nil {
		return nil, err
	}
	listed = make(map[int64]bool)
	for _, e := range slices.Concat(of, ot) {
		v.erased[e.id] = true
		listed[e.slot] = true
	}
	if v.options.ReadOnly {
		return listed, nil
	}
	for _, add := range []struct {
		to  *list
		all []erasure
	}{{v.there, of}, {v.here, ot}} {
		err := add.to.addMissing(v.vault, add.all)
		if errors.Is(err, ErrFull) {
			said.Notes = append(said.Notes, fmt.Sprintf("%s lacks erasures that the other list has, because its disk is full: free space there and start again", add.to.name))
		} else if err != nil {
			return nil, err
		}
	}
	return listed, nil
}

func (v *Vault) openList(l disk.Layer, name string, said *Opened) (*list, []erasure, error) {
	t := &list{table: table{name: name, header: erasedHeader, size: erasedSize}, has: make(map[id]bool)}
	header := make([]byte, erasedHeader)
	copy(header, erasedText)
	copy(header[32:], v.vault[:])
	f, _, err := t.open(l, header, v.options.ReadOnly)
	if v.options.ReadOnly && errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	t.file = f
	mend := "The list of erasures stands in the data folder (" + path.Join(v.dir, erasedName) + ") and in the key folder (" + erasedThere + "): copy the other one over it"
	h := make([]byte, erasedHeader)
	if _, err := f.ReadAt(h, 0); err != nil && !errors.Is(err, io.EOF) {
		return t, nil, fmt.Errorf("reading vault file %s: %w", name, err)
	}
	if !bytes.Equal(h, header) {
		return t, nil, &DamageError{name, 0, "it is not the list of erasures of this vault", mend}
	}
	var all []erasure
	keep, err := t.read(f, func(i int64, b []byte) (verdict, int64) {
		e, batch, ok := parseErasure(v.vault, i, b)
		if !ok {
			return bad, 0
		}
		all = append(all, e)
		return good, batch
	})
	if damage, ok := errors.AsType[*DamageError](err); ok {
		damage.Mend = mend
	}
	if err != nil {
		return t, nil, err
	}
	// Good records after a bad one are of the torn batch, too, and go with it.
	all = all[:min(int64(len(all)), keep)]
	for _, e := range all {
		t.has[e.id] = true
	}
	t.count = keep
	if !v.options.ReadOnly {
		n, err := t.cut(f, keep)
		said.Cut += n
		return t, all, err
	}
	return t, all, nil
}

// addMissing adds the erasures that the list does not have, durably.
func (l *list) addMissing(vault id, all []erasure) error {
	var b []byte
	n := l.count
	for _, e := range all {
		if !l.has[e.id] {
			b = append(b, printErasure(vault, n, l.count, e)...)
			n++
		}
	}
	if n == l.count {
		return nil
	}
	if err := l.add(l.file, l.count, b); err != nil {
		return err
	}
	l.count = n
	for _, e := range all {
		l.has[e.id] = true
	}
	return nil
}

// Erase destroys the keys of objects: when it returns nil, none of them can ever be read again, also not from a
// backup of the data folder that is brought back. Objects that are erased already are no error; when one is unknown, none is
// erased (ErrNotFound). After ErrFull a later try may succeed; after that and after other errors (ErrBroken) they may
// turn out erased when the vault is opened again.
func (v *Vault) Erase(names ...string) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	if err := v.writable(); err != nil {
		return err
	}
	var all []erasure
	asked := make(map[id]bool)
	for _, name := range names {
		of, err := parseID(name)
		if err != nil {
			return err
		}
		place, ok := v.index[of]
		switch {
		case v.erased[of] || asked[of]:
		case !ok:
			return fmt.Errorf("%s: %w", name, ErrNotFound)
		default:
			asked[of] = true
			all = append(all, erasure{of, place})
		}
	}
	if len(all) == 0 {
		return nil
	}
	err := v.there.addMissing(v.vault, all)
	if err == nil {
		err = v.here.addMissing(v.vault, all)
	}
	if errors.Is(err, ErrFull) {
		return err
	}
	if err == nil {
		err = v.forget(all)
	}
	if err != nil {
		v.broken = err
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return nil
}

// forget zeroes the slots of objects that both lists name.
func (v *Vault) forget(all []erasure) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	places := make([]int64, len(all))
	for i, e := range all {
		places[i] = e.slot
	}
	if err := v.zeroSlots(places); err != nil {
		return err
	}
	for _, e := range all {
		delete(v.index, e.id)
		v.erased[e.id] = true
	}
	return nil
}
