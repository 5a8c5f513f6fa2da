package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// The slots file begins with 128 bytes, and has 128 bytes for every object:
//
//	file   0  "tocsin vault slots 1", filled with zeros to 32
//	      32  id of the vault
//	      48  check value: tells a wrong master key
//	      64  zeros
//	slot   0  "TVs1"
//	       4  number of the pack          uint32
//	       8  offset of the object in it  uint64
//	      16  length of the object there  uint32
//	      20  zeros
//	      24  id of the object
//	      40  nonce
//	      64  key of the object, wrapped  XChaCha20-Poly1305; additional data: id of the vault, bytes 0 to 39
//	     112  first slot of its batch     uint64
//	     120  zeros
//	     124  CRC-32C                     over id of the vault, place of the slot (8 bytes), bytes 0 to 123
//
// Numbers are big-endian. A slot is 128 bytes so that none lies across two sectors. An erased one is zeros. For ever: a
// change is a new text.
const (
	slotsName  = "slots"
	slotsText  = "tocsin vault slots 1"
	slotText   = "TVs1"
	slotSize   = 128
	wrappedKey = 32 + overhead
)

type slot struct {
	pack    uint32
	offset  int64
	length  uint32
	id      id
	nonce   [chacha20poly1305.NonceSizeX]byte
	wrapped [wrappedKey]byte
	batch   int64
}

func (v *Vault) slotTable() table {
	return table{name: path.Join(v.dir, slotsName), header: slotSize, size: slotSize}
}

func slotsHeader(vault id, check []byte) []byte {
	h := make([]byte, slotSize)
	copy(h, slotsText)
	copy(h[32:], vault[:])
	copy(h[48:], check)
	return h
}

// printSlot returns the bytes of slot i.
func printSlot(vault id, i int64, s slot) []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, slotText...)
	b = binary.BigEndian.AppendUint32(b, s.pack)
	b = binary.BigEndian.AppendUint64(b, uint64(s.offset))
	b = binary.BigEndian.AppendUint32(b, s.length)
	b = append(b, 0, 0, 0, 0)
	b = append(b, s.id[:]...)
	b = append(b, s.nonce[:]...)
	b = append(b, s.wrapped[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.batch))
	b = append(b, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, sum(vault, i, b))
}

// parseSlot is printSlot backwards; what it accepts prints the same.
func parseSlot(vault id, i int64, b []byte) (slot, bool) {
	if len(b) != slotSize || string(b[:4]) != slotText || binary.BigEndian.Uint32(b[124:]) != sum(vault, i, b[:124]) {
		return slot{}, false
	}
	s := slot{
		pack:   binary.BigEndian.Uint32(b[4:]),
		offset: int64(binary.BigEndian.Uint64(b[8:])),
		length: binary.BigEndian.Uint32(b[16:]),
		batch:  int64(binary.BigEndian.Uint64(b[112:])),
	}
	copy(s.id[:], b[24:])
	copy(s.nonce[:], b[40:])
	copy(s.wrapped[:], b[64:])
	ok := zero(b[20:24]) && zero(b[120:124]) && s.batch >= 0 && s.batch <= i && s.offset >= packHeader && s.offset < 1<<62 && s.length >= overhead
	return s, ok
}

// checkSlots opens the slots, made now in a new vault, and compares their head with the master key. first says that the
// key is new, too.
func (v *Vault) checkSlots(said *Opened, first bool) error {
	t := v.slotTable()
	f, made, err := t.open(v.data, slotsHeader(v.vault, v.check), v.options.ReadOnly)
	if err != nil {
		return err
	}
	v.slots = f
	if made && !first {
		said.Notes = append(said.Notes, fmt.Sprintf("the data folder held no vault, though there is a master key: an empty vault was made; if there should be one, bring back %s and what lies beside it", t.name))
	}
	h := make([]byte, slotSize)
	if _, err := f.ReadAt(h, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading vault file %s: %w", t.name, err)
	}
	const mend = "Bring it back from a backup"
	switch {
	case !bytes.Equal(h[:32], slotsHeader(id{}, nil)[:32]):
		return &DamageError{t.name, 0, fmt.Sprintf("it does not begin with %q; a file of another program, or of a newer version of this one", slotsText), mend}
	case !bytes.Equal(h[32:48], v.vault[:]):
		return fmt.Errorf("%w: %s in the key folder belongs to vault %x, and the data folder holds vault %x; bring back the key file of that one, or the data folder of this one", ErrWrongKey, keyName, v.vault, h[32:48])
	case !bytes.Equal(h[48:64], v.check):
		return fmt.Errorf("%w: %s in the key folder holds another key than the one that the vault was made with; bring the file back from the copy that you keep", ErrWrongKey, keyName)
	case !zero(h[64:]):
		return &DamageError{t.name, 64, "its first record has bytes where none belong", mend}
	}
	return nil
}

// openSlots reads the slots, and knows then where each object is. It finishes erasing: a slot whose object is on
// the list is zeroed, and so is what an interrupted erasing left of one (listed: the places that erasures name).
func (v *Vault) openSlots(said *Opened, listed map[int64]bool) error {
	type found struct {
		place int64
		id    id
		pack  uint32
		end   int64
	}
	var all []found
	var again []int64
	t := v.slotTable()
	keep, err := t.read(v.slots, func(i int64, b []byte) (verdict, int64) {
		s, ok := parseSlot(v.vault, i, b)
		switch {
		case ok && v.erased[s.id]:
			again = append(again, i)
			return good, s.batch
		case ok:
			all = append(all, found{i, s.id, s.pack, s.offset + objectHeader + int64(s.length)})
			return good, s.batch
		case !listed[i] && !(v.options.ReadOnly && zero(b)): // a server may have erased it since the lists were read
			return bad, 0
		case !zero(b):
			again = append(again, i)
		}
		return missing, 0
	})
	if damage, ok := errors.AsType[*DamageError](err); ok {
		damage.Mend = "Bring the data folder back from a backup: what was erased since is erased again on the next start"
	}
	if err != nil {
		return err
	}
	v.count = keep
	ends := make(map[uint32]int64)
	for _, f := range all {
		if f.place < keep {
			v.index[f.id] = f.place
			ends[f.pack] = max(ends[f.pack], f.end)
		}
	}
	if !v.options.ReadOnly {
		n, err := t.cut(v.slots, keep)
		if err != nil {
			return err
		}
		said.Cut += n
		again = slices.DeleteFunc(again, func(i int64) bool { return i >= keep })
		said.Again = len(again)
		if err := v.zeroSlots(again); err != nil {
			return err
		}
	}
	return v.checkPacks(ends)
}

// slotAt reads slot i. ok is false when it is not one.
func (v *Vault) slotAt(i int64) (s slot, raw []byte, ok bool, err error) {
	raw = make([]byte, slotSize)
	if _, err := v.slots.ReadAt(raw, slotSize*(i+1)); err != nil {
		return slot{}, nil, false, fmt.Errorf("reading slot %d of the vault: %w", i, err)
	}
	s, ok = parseSlot(v.vault, i, raw)
	return s, raw, ok, nil
}

// wrapData ties a wrapped key to its vault, its object and the place of that.
func (v *Vault) wrapData(raw []byte) []byte {
	return append(v.vault[:len(v.vault):len(v.vault)], raw[:40]...)
}

// zeroSlots overwrites slots with zeros, durably. Call it with mu held.
func (v *Vault) zeroSlots(places []int64) error {
	if len(places) == 0 {
		return nil
	}
	nothing := make([]byte, slotSize)
	for _, i := range places {
		if _, err := v.slots.WriteAt(nothing, slotSize*(i+1)); err != nil {
			return fmt.Errorf("erasing slot %d of the vault: %w", i, err)
		}
	}
	if err := v.slots.Sync(); err != nil {
		return fmt.Errorf("erasing slots of the vault: %w", err)
	}
	return nil
}

// checkPacks sees whether the packs are as long as the slots say. A shorter one was lost or is of an older backup.
func (v *Vault) checkPacks(ends map[uint32]int64) error {
	for _, n := range slices.Sorted(maps.Keys(ends)) {
		name, end := v.packName(n), ends[n]
		var size int64
		info, err := v.data.Stat(name)
		if err == nil {
			size = info.Size()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("looking at vault file %s: %w", name, err)
		}
		if size < end {
			return &DamageError{name, size, fmt.Sprintf("it should be at least %d bytes long", end),
				fmt.Sprintf("Bring it back from a backup; without one, \"truncate -s %d\" on it lets the vault open, and the objects that are lost say so", end)}
		}
	}
	return nil
}
