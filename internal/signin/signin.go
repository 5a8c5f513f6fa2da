// Package signin proves who somebody is: passwords, sessions, and links that act for one person.
//
// What a person may then do is package auth's matter; what was done by a link, and that it works once only, is the
// ledger's. This package keeps no file: password hashes are given to it, sessions lie in scratch and may be lost (people
// sign in again), and the throttle lies in memory.
//
//	password.go   Argon2id, and which new passwords are refused
//	session.go    a random token in a cookie, of which only the hash is stored
//	throttle.go   how long the next try has to wait
//	token.go      signed links for setup and for answering calls
//	credentials.go  what one person proves themselves with: a value, and functions from the old value to the new one
//	passkey.go    WebAuthn; ceremony.go  proofs under way, once and for five minutes
//	totp.go       codes of an authenticator app (RFC 6238); recovery.go  codes on paper instead; typed.go  how such codes are written
//	apitoken.go   tokens for programs
//	oidc.go       sign-in at a provider (OpenID Connect Core 1.0), groups to roles
//	breakglass.go sheets for the safe
//	device.go     browsers that signed in before, and what they call themselves
//
// What a password alone opens: everything, while a person has no second factor; nothing, once they have one.
//
// Time comes in as an argument everywhere. Sources: NIST SP 800-63B-4 for passwords and sessions, the OWASP cheat sheets
// for Argon2id's cost and for sessions.
package signin

import "time"

// The limits of this package.
const (
	minPassword = 12   // characters
	maxPassword = 256  // characters
	maxAtOnce   = 2    // hashings at once; each takes 19 MiB
	maxWaiting  = 32   // that wait for their turn; more get ErrBusy
	maxField    = 255  // bytes of a token's purpose, subject or person
	maxToken    = 1200 // bytes of a token as text

	idleTime  = 12 * time.Hour     // a session ends when it is unused for so long
	wholeTime = 7 * 24 * time.Hour // and after so long in any case
	touchTime = time.Minute        // how exactly its last use is known
	freshTime = 10 * time.Minute   // for so long after a second factor dangerous acts need no other

	freeTries      = 5                // that wait for nothing
	maxAccountWait = time.Minute      // short: anybody can cause it, and the team must get in during an attack
	maxNetworkWait = 15 * time.Minute //
	forgetTime     = time.Hour        // without a try
	knownTime      = 30 * 24 * time.Hour
	maxCounters    = 10_000 // of each sort, about 200 bytes each
)
