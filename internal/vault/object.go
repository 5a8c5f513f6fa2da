package vault

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"tocsin/internal/disk"
)

// A pack begins with 32 bytes; objects follow:
//
//	file    "tocsin vault pack 1", filled with zeros to 32
//	object   0  id
//	        16  length            uint32, of what follows
//	        20  object, sealed    XChaCha20-Poly1305 under its own key, nonce zero; additional data:
//	                              "tocsin vault 1 object", id of the vault, id of the object
//
// Only slots refer to objects: what lies between or after them is rubbish of unfinished writes.
const (
	packPrefix   = "pack-"
	packText     = "tocsin vault pack 1"
	packHeader   = 32
	objectHeader = 20
)

func (v *Vault) packName(n uint32) string {
	return path.Join(v.dir, fmt.Sprintf("%s%06d", packPrefix, n))
}

// Put keeps an object and returns its id; the object is on the disk then. Errors: as PutAll.
func (v *Vault) Put(data []byte) (string, error) {
	ids, err := v.PutAll([][]byte{data})
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// PutAll keeps several objects, all or none, with the syncs of one, and returns their ids in the same order.
//
// Errors: ErrTooLarge; ErrFull, nothing was kept, a later try may succeed; ErrBroken, an earlier write or fsync failed and
// only opening again helps; ErrReadOnly; ErrClosed.
func (v *Vault) PutAll(objects [][]byte) ([]string, error) {
	for _, data := range objects {
		if len(data) > MaxObject {
			return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), MaxObject)
		}
	}
	v.writing.Lock()
	defer v.writing.Unlock()
	if err := v.writable(); err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, nil
	}
	err := v.packReady()
	var ids []id
	var packed, slots []byte
	if err == nil {
		ids, packed, slots, err = v.seal(objects)
	}
	if err == nil {
		err = v.write(packed, slots)
	}
	if err != nil {
		if !errors.Is(err, ErrFull) {
			v.broken = err
			err = fmt.Errorf("%w: %w", ErrBroken, err)
		}
		return nil, err
	}
	v.end += int64(len(packed))
	v.mu.Lock()
	defer v.mu.Unlock()
	names := make([]string, len(ids))
	for i, of := range ids {
		v.index[of] = v.count + int64(i)
		names[i] = hex.EncodeToString(of[:])
	}
	v.count += int64(len(ids))
	return names, nil
}

// seal encrypts objects for the end of the pack, and makes their slots.
func (v *Vault) seal(objects [][]byte) (ids []id, packed, slots []byte, err error) {
	wrap, err := newAEAD(v.wrap)
	if err != nil {
		return nil, nil, nil, err
	}
	for i, data := range objects {
		s := slot{pack: v.number, offset: v.end + int64(len(packed)), length: uint32(len(data) + overhead), batch: v.count}
		key := make([]byte, 32)
		if err := v.chance(s.id[:], key, s.nonce[:]); err != nil {
			return nil, nil, nil, err
		}
		sealed, err := sealObject(key, v.vault, s.id, data)
		if err != nil {
			return nil, nil, nil, err
		}
		packed = append(packed, s.id[:]...)
		packed = binary.BigEndian.AppendUint32(packed, s.length)
		packed = append(packed, sealed...)
		place := v.count + int64(i)
		raw := printSlot(v.vault, place, s)
		copy(s.wrapped[:], wrap.seal(s.nonce[:], key, v.wrapData(raw)))
		slots = append(slots, printSlot(v.vault, place, s)...)
		ids = append(ids, s.id)
	}
	return ids, packed, slots, nil
}

// write makes objects durable, then their slots. After a cut between the two the objects are rubbish.
func (v *Vault) write(packed, slots []byte) error {
	_, err := v.pack.WriteAt(packed, v.end)
	if disk.Full(err) {
		_ = v.pack.Truncate(v.end) // only for the space: the next object is written over it
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err == nil {
		err = v.pack.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing vault file %s: %w", v.packName(v.number), err)
	}
	return v.slotTable().add(v.slots, v.count, slots)
}

// packReady sees to it that there is a pack to write to. The first call looks for the newest one.
func (v *Vault) packReady() error {
	if v.pack == nil {
		if err := v.findPack(); err != nil {
			return err
		}
	}
	if v.pack != nil && v.end < packSize {
		return nil
	}
	name := v.packName(v.number + 1)
	header := make([]byte, packHeader)
	copy(header, packText)
	if err := disk.Replace(v.data, name, header); disk.Full(err) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	} else if err != nil {
		return err
	}
	f, err := v.data.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("opening vault file %s: %w", name, err)
	}
	if v.pack != nil {
		err = v.pack.Close()
	}
	v.pack, v.number, v.end = f, v.number+1, packHeader
	return err
}

// findPack opens the newest pack. New objects go after all that is in it: what no slot refers to may belong to slots
// of a backup that is still to be brought back.
func (v *Vault) findPack() error {
	all, err := v.data.ReadDir(v.dir)
	if err != nil {
		return fmt.Errorf("looking for packs of the vault: %w", err)
	}
	for _, d := range all {
		digits, ok := strings.CutPrefix(d.Name(), packPrefix)
		n, err := strconv.ParseUint(digits, 10, 32)
		if ok && err == nil && v.packName(uint32(n)) == path.Join(v.dir, d.Name()) {
			v.number = max(v.number, uint32(n))
		}
	}
	if v.number == 0 {
		return nil
	}
	name := v.packName(v.number)
	f, err := v.data.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("opening vault file %s: %w", name, err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("opening vault file %s: %w", name, err), f.Close())
	}
	v.pack, v.end = f, max(info.Size(), packHeader)
	return nil
}

// Get returns an object. Errors: ErrErased, ErrNotFound, *DamageError when what is there is not what was put.
func (v *Vault) Get(name string) ([]byte, error) {
	of, err := parseID(name)
	if err != nil {
		return nil, err
	}
	s, raw, place, err := v.look(of)
	if err != nil {
		return nil, err
	}
	mend := "Bring the file back from a backup; other objects are not touched by this"
	wrap, err := newAEAD(v.wrap)
	if err != nil {
		return nil, err
	}
	key, err := wrap.open(s.nonce[:], s.wrapped[:], v.wrapData(raw))
	if err != nil {
		return nil, &DamageError{v.slotTable().name, slotSize * (place + 1), "the key of object " + name + " does not unwrap", mend}
	}
	pack := v.packName(s.pack)
	f, err := v.data.OpenFile(pack, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("reading object %s: %w", name, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("reading object %s: %w", name, err)
	} else if info.Size() < s.offset+objectHeader+int64(s.length) {
		return nil, &DamageError{pack, info.Size(), "it ends before the end of object " + name, mend}
	}
	b := make([]byte, objectHeader+int(s.length))
	if _, err := f.ReadAt(b, s.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading object %s: %w", name, err)
	}
	plain, err := openObject(key, v.vault, of, b[objectHeader:])
	if err != nil || id(b[:16]) != of || binary.BigEndian.Uint32(b[16:]) != s.length {
		return nil, &DamageError{pack, s.offset, "object " + name + " was changed", mend}
	}
	return plain, nil
}

// look finds the slot of an object, as it is on the disk now: another process may have erased it.
func (v *Vault) look(of id) (s slot, raw []byte, place int64, err error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.closed {
		return s, nil, 0, ErrClosed
	}
	if v.erased[of] {
		return s, nil, 0, fmt.Errorf("%x: %w", of, ErrErased)
	}
	place, ok := v.index[of]
	if !ok {
		return s, nil, 0, fmt.Errorf("%x: %w", of, ErrNotFound)
	}
	s, raw, ok, err = v.slotAt(place)
	switch {
	case err != nil:
		return s, nil, 0, err
	case zero(raw):
		return s, nil, 0, fmt.Errorf("%x: %w", of, ErrErased)
	case !ok || s.id != of:
		return s, nil, 0, &DamageError{v.slotTable().name, slotSize * (place + 1), fmt.Sprintf("the slot of object %x was changed", of), "Bring the data folder back from a backup"}
	}
	return s, raw, place, nil
}
