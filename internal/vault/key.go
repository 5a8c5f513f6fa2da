package vault

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"tocsin/internal/disk"
)

// keyName is the file with the master key, in the key folder:
//
//	tocsin vault key 1
//	vault <id, 32 hex digits>
//	key <master key, 64 hex digits>
//
// or, in place of the last line, when a passphrase wraps it:
//
//	argon2id <passes> <KiB> <lanes> <salt, 32 hex digits>
//	sealed <nonce, 48 hex digits> <master key, sealed, 96 hex digits>
//
// The sealed key is XChaCha20-Poly1305 under the 32 bytes that argon2id (RFC 9106) makes of the passphrase, with the
// first two lines as additional data.
const (
	keyName = "vault.key"
	keyText = "tocsin vault key 1"
)

// The second choice of RFC 9106, section 4: for machines that have other things to do.
const (
	passes = 3
	memory = 64 << 10 // KiB
	lanes  = 4
)

// A masterKey is what the key file says.
type masterKey struct {
	vault   id
	key     []byte // nil while it is wrapped
	wrapped bool
	passes  uint32
	memory  uint32
	lanes   uint8
	salt    []byte
	nonce   []byte
	sealed  []byte
}

// unlock reads the master key, or makes one when this vault has never been opened, and derives what is used of it.
func (v *Vault) unlock(said *Opened) (first bool, err error) {
	var m masterKey
	raw, err := disk.ReadFile(v.keys, keyName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		first = true
		m, err = v.firstKey(said)
	case err != nil:
		err = fmt.Errorf("reading the vault's master key: %w", err)
	default:
		m, err = v.readKey(raw, said)
	}
	if err != nil {
		return first, err
	}
	v.vault = m.vault
	if info, err := v.keys.Stat(keyName); err == nil && info.Mode().Perm()&0o077 != 0 {
		said.Notes = append(said.Notes, fmt.Sprintf("the master key (%s in the key folder) can be read by other users of this machine: chmod 600 it", keyName))
	}
	return first, v.derive(m.key)
}

// readKey opens the key of a key file, and wraps it from now on when a passphrase is new.
func (v *Vault) readKey(raw []byte, said *Opened) (masterKey, error) {
	m, err := parseKey(raw)
	if err != nil {
		return m, fmt.Errorf("reading the vault's master key, %s in the key folder: %w; bring the file back from the copy that you keep", keyName, err)
	}
	if err := v.unwrap(&m); err != nil {
		return m, err
	}
	return m, v.rewrap(m, said)
}

// firstKey makes the master key. It refuses when there are slots already: a new key could not open them.
func (v *Vault) firstKey(said *Opened) (masterKey, error) {
	_, err := v.data.Stat(path.Join(v.dir, slotsName))
	switch {
	case err == nil:
		return masterKey{}, fmt.Errorf("%w: %s is missing from the key folder; bring it back from the copy that you keep, without it nothing in the vault can be read", ErrWrongKey, keyName)
	case !errors.Is(err, fs.ErrNotExist):
		return masterKey{}, fmt.Errorf("looking for the vault: %w", err)
	case v.options.ReadOnly:
		return masterKey{}, fmt.Errorf("opening the vault: %s is missing from the key folder: %w", keyName, fs.ErrNotExist)
	}
	m := masterKey{key: make([]byte, 32)}
	if err := v.chance(m.vault[:], m.key); err != nil {
		return m, err
	}
	if err := v.writeKey(m); err != nil {
		return m, err
	}
	said.Notes = append(said.Notes, fmt.Sprintf("a new master key was made, %s in the key folder: keep a copy of it apart from the backups of the data, for without it nobody can read the vault", keyName))
	return m, nil
}

// chance fills each of the slices.
func (v *Vault) chance(into ...[]byte) error {
	for _, b := range into {
		if _, err := io.ReadFull(v.options.Random, b); err != nil {
			return fmt.Errorf("asking for random bytes: %w", err)
		}
	}
	return nil
}

// writeKey puts the key file in place, wrapped when there is a passphrase.
func (v *Vault) writeKey(m masterKey) error {
	if v.options.Passphrase != "" {
		m.wrapped, m.passes, m.memory, m.lanes = true, passes, memory, lanes
		m.salt, m.nonce = make([]byte, 16), make([]byte, chacha20poly1305.NonceSizeX)
		if err := v.chance(m.salt, m.nonce); err != nil {
			return err
		}
		c, err := m.cipher(v.options.Passphrase)
		if err != nil {
			return err
		}
		m.sealed = c.seal(m.nonce, m.key, m.head())
	}
	if err := disk.Replace(v.keys, keyName, m.print()); err != nil {
		return fmt.Errorf("writing the vault's master key: %w", err)
	}
	return nil
}

// rewrap wraps a key that lay open, once a passphrase is given.
func (v *Vault) rewrap(m masterKey, said *Opened) error {
	if m.wrapped || v.options.Passphrase == "" || v.options.ReadOnly {
		return nil
	}
	if err := v.writeKey(m); err != nil {
		return err
	}
	said.Notes = append(said.Notes, "the master key is wrapped by the passphrase from now on; older copies of its file still hold it open")
	return nil
}

// unwrap opens the key with the passphrase.
func (v *Vault) unwrap(m *masterKey) error {
	if !m.wrapped {
		return nil
	}
	if v.options.Passphrase == "" {
		return fmt.Errorf("%w: give the passphrase that was used when %s was made", ErrPassphrase, keyName)
	}
	c, err := m.cipher(v.options.Passphrase)
	if err != nil {
		return err
	}
	if m.key, err = c.open(m.nonce, m.sealed, m.head()); err != nil || len(m.key) != 32 {
		return fmt.Errorf("%w: the passphrase does not open %s; give the one that was used when it was made", ErrWrongKey, keyName)
	}
	return nil
}

// derive makes the keys for wrapping and hashing, and the check value that tells a wrong master key. They are
// HKDF-SHA256 (RFC 5869) of the master key, with the vault's id as salt.
func (v *Vault) derive(master []byte) error {
	for _, d := range []struct {
		use    string
		length int
		to     *[]byte
	}{{"wrap", 32, &v.wrap}, {"hash", 32, &v.hash}, {"check", 16, &v.check}} {
		key, err := hkdf.Key(sha256.New, master, v.vault[:], "tocsin vault 1 "+d.use, d.length)
		if err != nil {
			return fmt.Errorf("deriving the vault's keys: %w", err)
		}
		*d.to = key
	}
	return nil
}

func (m masterKey) head() []byte {
	return fmt.Appendf(nil, "%s\nvault %x\n", keyText, m.vault)
}

func (m masterKey) print() []byte {
	if !m.wrapped {
		return fmt.Appendf(m.head(), "key %x\n", m.key)
	}
	return fmt.Appendf(m.head(), "argon2id %d %d %d %x\nsealed %x %x\n", m.passes, m.memory, m.lanes, m.salt, m.nonce, m.sealed)
}

// parseKey reads a key file strictly: what it accepts prints the same.
func parseKey(b []byte) (masterKey, error) {
	var m masterKey
	lines := strings.Split(string(b), "\n")
	wrong := errors.New("this is not a key file of a vault")
	field := func(i int, name string) []string {
		if i >= len(lines) {
			return nil
		}
		words := strings.Split(lines[i], " ")
		if words[0] != name {
			return nil
		}
		return words[1:]
	}
	if vault := field(1, "vault"); len(vault) == 1 {
		m.vault, _ = parseID(vault[0])
	}
	if key := field(2, "key"); len(key) == 1 {
		m.key, _ = hex.DecodeString(key[0])
		if len(m.key) != 32 {
			return m, wrong
		}
	} else if sealed := field(3, "sealed"); len(sealed) == 2 {
		m.wrapped = true
		var text string
		if _, err := fmt.Sscanf(lines[2], "argon2id %d %d %d %s", &m.passes, &m.memory, &m.lanes, &text); err != nil {
			return m, wrong
		}
		m.salt, _ = hex.DecodeString(text)
		m.nonce, _ = hex.DecodeString(sealed[0])
		m.sealed, _ = hex.DecodeString(sealed[1])
		if len(m.nonce) != chacha20poly1305.NonceSizeX || m.passes < 1 || m.passes > 100 || m.memory > 4<<20 || m.lanes < 1 {
			return m, wrong
		}
	}
	if !bytes.Equal(m.print(), b) {
		return m, wrong
	}
	return m, nil
}

func (m masterKey) cipher(passphrase string) (aead, error) {
	return newAEAD(argon2.IDKey([]byte(passphrase), m.salt, m.passes, m.memory, m.lanes, 32))
}
