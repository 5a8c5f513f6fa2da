package vault

import (
	"crypto/cipher"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// An aead is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under one key.
type aead struct{ c cipher.AEAD }

// overhead is how much longer a sealed text is.
const overhead = chacha20poly1305.Overhead

func newAEAD(key []byte) (aead, error) {
	c, err := chacha20poly1305.NewX(key)
	if err != nil {
		return aead{}, fmt.Errorf("making a cipher: %w", err)
	}
	return aead{c}, nil
}

func (a aead) seal(nonce, plain, additional []byte) []byte {
	return a.c.Seal(nil, nonce, plain, additional)
}

func (a aead) open(nonce, sealed, additional []byte) ([]byte, error) {
	return a.c.Open(nil, nonce, sealed, additional)
}

// sealObject encrypts an object under its own key. The nonce is zero: the key is used this once.
func sealObject(key []byte, vault, of id, plain []byte) ([]byte, error) {
	a, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return a.seal(make([]byte, chacha20poly1305.NonceSizeX), plain, objectData(vault, of)), nil
}

func openObject(key []byte, vault, of id, sealed []byte) ([]byte, error) {
	a, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return a.open(make([]byte, chacha20poly1305.NonceSizeX), sealed, objectData(vault, of))
}

// objectData ties an object to its id and its vault.
func objectData(vault, of id) []byte {
	return append(append([]byte("tocsin vault 1 object"), vault[:]...), of[:]...)
}
