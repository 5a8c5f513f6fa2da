package plan

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// The forms of keys.
const (
	OpenPGP = "openpgp"
	SMIME   = "smime"
)

// Seals remembers to which keys mail for people is encrypted, and by which PINs calls know them. The zero Seals is empty.
type Seals struct {
	by   map[string]*Seal
	Ours []OurKey // our own keys for mail, the newest last
}

// An OurKey is a key of ours, as the ledger has it.
type OurKey struct {
	entry.MailKey
	Made    time.Time
	Revoked time.Time // zero: it is not
}

// A Seal is what one person has.
type Seal struct {
	Keys map[string]Pinned // by form
	Had  bool              // a key of theirs was confirmed once
	PIN  string            // vault object; "" is none
}

// A Pinned is one key of a person, and what was found since.
type Pinned struct {
	Key       entry.Key // confirmed; without a fingerprint there is none
	Candidate entry.Key // waits for somebody to compare its fingerprint; without one nothing does
}

// Of returns what a person has.
func (s *Seals) Of(person string) Seal {
	x, ok := s.by[person]
	if !ok {
		return Seal{}
	}
	return *x
}

var printForm = regexp.MustCompile(`^[0-9A-F]{40,64}$`)

// Fingerprint returns one as entries have it: people type and paste it with spaces and colons.
func Fingerprint(typed string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == ':' || r == '\t' || r == '\u00a0' {
			return -1
		}
		return r
	}, typed))
}

// Put decides that a key was brought for a person.
func (s *Seals) Put(actor string, x entry.Key) (entry.Draft, error) {
	if x.Form != OpenPGP && x.Form != SMIME || !printForm.MatchString(x.Fingerprint) {
		return entry.Draft{}, errors.New("this is no key that mail can be encrypted to")
	}
	now := s.Of(x.Person).Keys[x.Form]
	if x.Keep && now.Key.Fingerprint != x.Fingerprint {
		return entry.Draft{}, errors.New("another key than the confirmed one must be compared with its owner before it is used")
	}
	if x.Issued && (x.Form != SMIME || now.Key.Fingerprint != "" && !now.Key.Issued) {
		return entry.Draft{}, errors.New("a certificate takes the place of one that somebody compared only when somebody compares it, too")
	}
	if !x.Keep && !x.Issued && now.Candidate.Fingerprint == x.Fingerprint && now.Candidate.Vault != "" {
		return entry.Draft{}, errors.New("this key waits already for somebody to compare its fingerprint")
	}
	return entry.Draft{Actor: actor, Kind: entry.KeyPut, Subject: "person:" + x.Person, Body: x}, nil
}

// Confirm decides that a candidate's fingerprint was compared with its owner: typed is what the owner said.
func (s *Seals) Confirm(actor, person, typed string) (entry.Draft, error) {
	typed = Fingerprint(typed)
	if !printForm.MatchString(typed) {
		return entry.Draft{}, errors.New("type the whole fingerprint as the owner reads it: 40 digits and letters from A to F, or 64")
	}
	for _, k := range s.Of(person).Keys {
		if k.Candidate.Fingerprint == typed {
			return entry.Draft{Actor: actor, Kind: entry.KeyConfirmed, Subject: "person:" + person, Body: entry.KeyCheck{Person: person, Fingerprint: typed}}, nil
		}
	}
	return entry.Draft{}, errors.New("this is not the fingerprint of the key that waits: it is not theirs, or was mistyped; nothing was changed")
}

// Remove decides that a key, or a candidate, is used no more.
func (s *Seals) Remove(actor, person, fingerprint, text string) (entry.Draft, error) {
	fingerprint = Fingerprint(fingerprint)
	for _, k := range s.Of(person).Keys {
		if fingerprint != "" && (k.Key.Fingerprint == fingerprint || k.Candidate.Fingerprint == fingerprint) {
			return entry.Draft{Actor: actor, Kind: entry.KeyRemoved, Subject: "person:" + person, Body: entry.KeyEnd{Person: person, Fingerprint: fingerprint, Text: text}}, nil
		}
	}
	return entry.Draft{}, fmt.Errorf("%.40q has no key with this fingerprint", person)
}

// Apply folds an entry and reports whether it was one of these.
func (s *Seals) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.KeyPut:
		x, err := entry.Body[entry.Key](e)
		p := s.seal(x.Person)
		k := p.Keys[x.Form]
		if x.Keep || x.Issued {
			k.Key = x
			p.Had = true
			if k.Candidate.Fingerprint == x.Fingerprint {
				k.Candidate = entry.Key{}
			}
		} else {
			k.Candidate = x
		}
		p.Keys[x.Form] = k
		return true, err
	case entry.KeyConfirmed:
		x, err := entry.Body[entry.KeyCheck](e)
		p := s.seal(x.Person)
		for form, k := range p.Keys {
			if k.Candidate.Fingerprint == x.Fingerprint {
				p.Keys[form], p.Had = Pinned{Key: k.Candidate}, true
			}
		}
		return true, err
	case entry.KeyRemoved:
		x, err := entry.Body[entry.KeyEnd](e)
		p := s.seal(x.Person)
		for form, k := range p.Keys {
			if k.Key.Fingerprint == x.Fingerprint {
				k.Key = entry.Key{}
			}
			if k.Candidate.Fingerprint == x.Fingerprint {
				k.Candidate = entry.Key{}
			}
			p.Keys[form] = k
		}
		return true, err
	case entry.MailKeyMade:
		x, err := entry.Body[entry.MailKey](e)
		s.Ours = append(s.Ours, OurKey{MailKey: x, Made: e.Time})
		return true, err
	case entry.MailKeyRevoked:
		x, err := entry.Body[entry.MailKeyEnd](e)
		for k := range s.Ours {
			if s.Ours[k].Fingerprint == x.Fingerprint {
				s.Ours[k].Revoked = e.Time
			}
		}
		return true, err
	case entry.PersonPIN:
		x, err := entry.Body[entry.PIN](e)
		s.seal(x.ID).PIN = x.Vault
		return true, err
	}
	return false, nil
}

// seal returns what a person has, to be changed. States are read under a lock and maps are not kept, so they are changed in place.
func (s *Seals) seal(person string) *Seal {
	if s.by == nil {
		s.by = map[string]*Seal{}
	}
	if s.by[person] == nil {
		s.by[person] = &Seal{Keys: map[string]Pinned{}}
	}
	return s.by[person]
}
