// Package vault keeps personal data and free text, encrypted, so that each object can be erased for good while the
// ledger that names it stays whole.
//
// An object is encrypted under a key of its own. The key stands, wrapped by the master key, in a slot of fixed size;
// erasing overwrites the slot with zeros, and what is left of the object is noise. Objects themselves are only ever
// added, at the end of pack files. The bytes are drawn in doc/formats/vault.md.
//
// Two folders: the data folder with slots and packs, and the key folder, which must lie outside it and outside its
// backups, with the master key. The list of what was erased stands in both. So a backup of the data folder is of no
// use to a thief, and one that is brought back does not bring back what was erased since: Open erases it again.
// Who has an old backup and the master key can still read it without this program; backups must expire, too.
//
// The order of writes is the crash safety: object, sync, slot, sync, only then the id is given out. An object without
// slot is rubbish that nothing refers to. For erasing: list in the key folder, sync, list in the data folder, sync,
// zeros, sync; Open finishes what was begun.
//
// One process writes. Others may read beside it (Options.ReadOnly): they see the objects that were there when they
// opened, and notice what is erased meanwhile.
package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"

	"tocsin/internal/disk"
)

// MaxObject is how many bytes an object may have. Longer things are cut into several by the caller.
const MaxObject = 64 << 20

// packSize is the length in bytes from which a pack gets no more objects.
const packSize = 64 << 20

// What callers branch on.
var (
	ErrNotFound   = errors.New("the vault has no such object")
	ErrErased     = errors.New("the object was erased")
	ErrFull       = errors.New("the vault takes nothing more: the disk is full")
	ErrBroken     = errors.New("the vault takes nothing more, because an earlier write failed")
	ErrTooLarge   = errors.New("the object is too large for the vault")
	ErrReadOnly   = errors.New("the vault was opened for reading only")
	ErrClosed     = errors.New("the vault is closed")
	ErrWrongKey   = errors.New("the master key does not open this vault")
	ErrPassphrase = errors.New("the master key is wrapped by a passphrase")
)

// Options are what may differ between two vaults. The zero value is a good one.
type Options struct {
	Passphrase string    // wraps the master key (argon2id); "" leaves it to the permissions of its file
	ReadOnly   bool      // beside a running server: nothing is made, cut or erased
	Random     io.Reader // keys, nonces and ids; nil is crypto/rand. Only a test gives another one
}

// Opened says what Open found and did, for the log and the console.
type Opened struct {
	Objects int      // that can be read
	Erased  int      // ids that are known as erased
	Again   int      // of them, objects that had come back, or whose erasing had been interrupted, and were erased now
	Cut     int64    // bytes of unfinished writes that were cut; nothing in them had been acknowledged
	Notes   []string // what a person should know or do, a sentence each
}

// String tells a person about it.
func (o Opened) String() string {
	s := fmt.Sprintf("vault: %d objects, %d erased", o.Objects, o.Erased)
	if o.Cut > 0 {
		s += fmt.Sprintf("; the last write was not finished when the program or the machine stopped: %d bytes were cut, nothing in them had been acknowledged", o.Cut)
	}
	if o.Again > 0 {
		s += fmt.Sprintf("; %d objects that had been erased were there again (a backup was brought back, or erasing was interrupted) and were erased again", o.Again)
	}
	for _, n := range o.Notes {
		s += "; " + n
	}
	return s
}

// A DamageError says that bytes which had been acknowledged are not what was written.
type DamageError struct {
	File   string
	Offset int64
	Why    string
	Mend   string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("vault file %s is damaged at byte %d: %s. %s", e.File, e.Offset, e.Why, e.Mend)
}

// An id names an object: 128 bits of chance, which say nothing about it.
type id [16]byte

func parseID(s string) (id, error) {
	var i id
	if len(s) != 2*len(i) {
		return i, fmt.Errorf("%q: %w", s, ErrNotFound)
	}
	if _, err := hex.Decode(i[:], []byte(s)); err != nil || hex.EncodeToString(i[:]) != s {
		return i, fmt.Errorf("%q: %w", s, ErrNotFound)
	}
	return i, nil
}

// A Vault is open. All its methods may be called at the same time.
type Vault struct {
	data    disk.Layer
	dir     string
	keys    disk.Layer
	options Options
	vault   id // of the vault itself, so that files of two are not mixed
	wrap    []byte
	hash    []byte
	check   []byte

	// writing is held by the one who writes; mu guards what readers look at, and the slots while they are zeroed.
	writing sync.Mutex
	broken  error
	closed  bool
	pack    disk.File // the newest, for writing; nil before the first Put
	number  uint32    // of the newest pack
	end     int64     // of the newest pack
	here    *list     // erasures, in the data folder
	there   *list     // erasures, in the key folder

	mu     sync.RWMutex
	slots  disk.File
	count  int64        // slots in the file
	index  map[id]int64 // slot of each object that can be read
	erased map[id]bool
}

// Open opens the vault whose objects lie in folder dir of data, and whose master key lies in keys. Both are made
// when neither is there. It reads slots and lists, and decrypts nothing.
//
// Errors: ErrWrongKey, ErrPassphrase, *DamageError, those of the layers.
func Open(data disk.Layer, dir string, keys disk.Layer, o Options) (*Vault, Opened, error) {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if !o.ReadOnly {
		if err := makeFolder(data, dir); err != nil {
			return nil, Opened{}, fmt.Errorf("making the vault's folder: %w", err)
		}
		return open(data, dir, keys, o)
	}
	for tries := 1; ; tries++ { // again when a server was erasing or adding in the moment
		v, said, err := open(data, dir, keys, o)
		if _, damaged := errors.AsType[*DamageError](err); !damaged || tries == 4 {
			return v, said, err
		}
	}
}

func open(data disk.Layer, dir string, keys disk.Layer, o Options) (*Vault, Opened, error) {
	v := &Vault{data: data, dir: dir, keys: keys, options: o, index: make(map[id]int64), erased: make(map[id]bool)}
	var said Opened
	first, err := v.unlock(&said)
	if err == nil {
		err = v.checkSlots(&said, first)
	}
	var listed map[int64]bool
	if err == nil {
		listed, err = v.openLists(&said)
	}
	if err == nil {
		err = v.openSlots(&said, listed)
	}
	if err != nil {
		return nil, said, errors.Join(err, v.closeFiles())
	}
	said.Objects, said.Erased = len(v.index), len(v.erased)
	return v, said, nil
}

// makeFolder makes dir, durably.
func makeFolder(l disk.Layer, dir string) error {
	if err := l.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for dir = path.Clean(dir); dir != "."; dir = path.Dir(dir) {
		if err := l.SyncDir(path.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the files. The vault cannot be used after it.
func (v *Vault) Close() error {
	v.writing.Lock()
	defer v.writing.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil
	}
	v.closed = true
	return v.closeFiles()
}

func (v *Vault) closeFiles() error {
	var err error
	for _, f := range []disk.File{v.slots, v.pack, v.here.handle(), v.there.handle()} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// Hash returns what stands in the ledger in place of a personal datum: equal texts of one kind ("address", "network",
// "account", "session") have equal hashes, and without the master key nobody can try out texts. 32 hex digits:
// HMAC-SHA256 (RFC 2104) over kind, a zero byte and text, cut to 128 bits. Erasing objects does not change hashes.
func (v *Vault) Hash(kind, text string) string {
	h := hmac.New(sha256.New, v.hash)
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// writable says why nothing can be written, nil when it can. Call it with writing held.
func (v *Vault) writable() error {
	switch {
	case v.options.ReadOnly:
		return ErrReadOnly
	case v.closed:
		return ErrClosed
	case v.broken != nil:
		return fmt.Errorf("%w: %w", ErrBroken, v.broken)
	}
	return nil
}
