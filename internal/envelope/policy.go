package envelope

import "time"

// A Policy says what a person gets when nothing can be encrypted to them.
type Policy string

// The policies. Anything else, "" included, is Required.
const (
	Required      Policy = "required"      // only that an incident needs them, with no details
	Opportunistic Policy = "opportunistic" // while they have no key at all: the whole message, signed
)

// A Reader is whom a message is for, and what is known of their keys.
type Reader struct {
	Address     string
	Policy      Policy
	Key         *Key         // nil: none
	Certificate *Certificate // nil: none
	Trust       Trust        // how Certificate is trusted
	Bare        Bare         // what they are told when they get no details
}

// A Bare is what somebody is told who gets no details: of what kind the message is, and nothing else.
type Bare string

// The kinds. Anything else, "" included, is IncidentNeeds.
const (
	IncidentNeeds Bare = "incident" // an incident needs them
	NoticeWaits   Bare = "notice"   // a notice that they asked for waits in the console
	ChangeTold    Bare = "change"   // how they sign in, or are reached, was changed
	UpdateWaits   Bare = "update"   // there is news for them, which they get by another way: they may have no account here
)

// A Sealer is our side: with what we sign.
type Sealer struct {
	Identity *Identity // our OpenPGP key; nil: OpenPGP is not used
	Signer   *Signer   // our S/MIME certificate; nil: S/MIME is not used
	SignIn   string    // address of the console, told to those who get no details
}

// Seal makes the message that p's reader may get at now:
//
//	an OpenPGP key that can be used      encrypted and signed by it
//	a certificate that can be used       encrypted and signed by it
//	a key or certificate that cannot,    no details, whatever the policy: somebody expects privacy here
//	or ours cannot be used
//	none, Required                       no details
//	none, Opportunistic                  all of it, signed if we have a key
//
// The last three are Downgraded and say why. "No details" is a fixed text with the address of the console; it is signed too. An
// error means that nothing may be sent: Seal never falls back to a weaker form because a stronger one failed.
func (s Sealer) Seal(p Plain, to Reader, now time.Time) (Sealed, error) {
	var why error
	if to.Key != nil {
		if why = to.Key.Check(to.Address, now); why == nil {
			why = s.Identity.fit(now)
		}
		if why == nil {
			return s.Identity.encrypt(p, to.Key, now)
		}
	}
	if to.Certificate != nil {
		unfit := to.Certificate.Check(to.Address, to.Trust, now)
		if unfit == nil {
			unfit = s.Signer.fit(now)
		}
		if unfit == nil {
			return s.Signer.encrypt(p, to.Certificate)
		}
		if why == nil {
			why = unfit
		}
	}
	if why == nil && to.Policy == Opportunistic {
		out, err := s.sign(p, now)
		out.Downgraded, out.Why = true, "There is no key of this person, and their policy allows a readable message."
		return out, err
	}
	words := "There is no key of this person, so they were told nothing but to sign in. Add their OpenPGP key or certificate."
	if why != nil {
		words = because(why) + " So they were told nothing but to sign in."
	}
	out, err := s.sign(bare(p, to.Bare, s.SignIn), now)
	out.Downgraded, out.Why = true, words
	return out, err
}

// bare returns the message that tells nothing.
func bare(p Plain, kind Bare, signIn string) Plain {
	p.Subject = "An incident needs you"
	p.Body = "An incident needs you. Sign in to read more.\n"
	switch kind {
	case NoticeWaits:
		p.Subject = "A notice waits for you"
		p.Body = "A notice that you asked for waits. Sign in to read more.\n"
	case ChangeTold:
		p.Subject = "How you sign in or are reached was changed"
		p.Body = "Something of how you sign in, or of how you are reached, was changed. Sign in to read what, and tell your team at once if it was not you.\n"
	case UpdateWaits:
		p.Subject = "There is news for you"
		p.Body = "There is news for you, which is not written in a mail that others can read. Call us to hear it.\n"
	}
	if signIn != "" && kind != UpdateWaits {
		p.Body += "\n" + signIn + "\n"
	}
	p.Body += "\nThis message has no details, because nothing can be encrypted to you yet, or no longer.\nAsk your administrator to add or renew your key.\n"
	return p
}

// sign makes the message readable by all, signed by what we have.
func (s Sealer) sign(p Plain, now time.Time) (Sealed, error) {
	switch {
	case s.Identity.fit(now) == nil:
		return s.Identity.sign(p, now)
	case s.Signer.fit(now) == nil:
		return s.Signer.sign(p)
	}
	entity, err := p.entity()
	if err != nil {
		return Sealed{}, err
	}
	return clearEntity(p, entity)
}
