package envelope

import (
	"time"
)

// A Verdict is what to do with a key that was found for a person.
type Verdict struct {
	Keep    bool   // put it in the place of the kept one, without asking: the same key, with what changed of it
	Confirm bool   // ask an administrator to compare the fingerprint first; until then the kept key stays in use
	Why     string // a whole sentence
}

// Judge compares a key that was found (by WKD, or uploaded by somebody) with the kept one, whose fingerprint somebody confirmed. nil
// stands for none. A fingerprint that nobody confirmed is never used by itself; a revocation is believed at once and never taken back.
func Judge(kept, found *Key, now time.Time) Verdict {
	switch {
	case found == nil && kept == nil:
		return Verdict{Why: "No key was found."}
	case found == nil:
		return Verdict{Why: "The key is no longer published; the confirmed one stays in use."}
	case kept == nil:
		return Verdict{Confirm: true, Why: "A key was found. Compare its fingerprint with its owner, by phone or face to face, before it is used: " + Grouped(found.fingerprint)}
	case kept.fingerprint != found.fingerprint:
		return Verdict{Confirm: true, Why: "Another key than the confirmed one was found. Somebody may be trying to read along: ask the owner whether they changed it, and compare " + Grouped(found.fingerprint)}
	}
	if string(kept.packets) == string(found.packets) {
		return Verdict{Why: "The same key was found."}
	}
	before, after := kept.revoked(now), found.revoked(now)
	switch {
	case before && !after:
		return Verdict{Why: "An older copy of the key was found, without its revocation; it stays revoked."}
	case after && !before:
		return Verdict{Keep: true, Why: "The key was revoked by its owner."}
	case kept.Check("", now) == nil && found.Check("", now) != nil:
		return Verdict{Why: "A copy of the key was found that cannot be used; the kept one stays in use."}
	}
	return Verdict{Keep: true, Why: "The same key was found, with changes by its owner (such as a later expiry)."}
}

// revoked reports whether the key was revoked as a whole.
func (k *Key) revoked(now time.Time) bool {
	e, err := k.entity()
	return err == nil && e.Revoked(now)
}
