package signin

import (
	"crypto/rand"
)

const (
	recoveryCodes = 10 // in one set
	recoveryBytes = 10 // 80 bits of chance each
	recoveryChars = 16
	recoveryFor   = "recovery code"
)

// newRecovery returns a set of recovery codes, as they are shown once, and what is stored of them.
func newRecovery() (shown, hashes []string) {
	for range recoveryCodes {
		b := make([]byte, recoveryBytes)
		rand.Read(b) // never fails (crypto/rand)
		code := spell(b)
		shown = append(shown, inGroups(code))
		hashes = append(hashes, salted(recoveryFor, code))
	}
	return shown, hashes
}
