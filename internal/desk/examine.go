package desk

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/envelope"
	"tocsin/internal/fleet"
	"tocsin/internal/intake"
	"tocsin/internal/plan"
	"tocsin/internal/shelf"
	"tocsin/internal/vault"
)

// An Examined store is what the doctor found of it.
type Examined struct {
	What string
	Says string
	Err  error
	Mend string
}

// lowSpace is from how little free space on the doctor warns.
const lowSpace = 1 << 30

// Examine reads every store without changing it, beside a running server too. quick leaves out reading every archived line.
func Examine(data, keys disk.Layer, quick bool) (out []Examined) {
	add := func(what, says string, err error, mend string) {
		x := Examined{What: what, Says: says, Err: err}
		if err != nil {
			x.Says, x.Mend = err.Error(), mend
		}
		out = append(out, x)
	}
	free, err := data.Free()
	if err == nil && free < lowSpace {
		err = fmt.Errorf("only %s of the disk are free", Size(int64(free)))
	}
	add("disk", Size(int64(free))+" free", err, "free some, or lower the retention")
	l, err := OpenLedger(data, keys, "")
	var says string
	if err == nil {
		r, verr := l.Verify(nil)
		says, err = fmt.Sprintf("%d entries, each as it was signed", r.Entries), verr
	}
	add("ledger", says, err, "tocsin ledger verify says more")
	v, vsaid, err := vault.Open(data, vaultDir, keys, vault.Options{ReadOnly: true})
	if v != nil {
		defer v.Close()
	}
	add("vault", vsaid.String(), err, "")
	a, asaid, err := archive.Open(data, archiveDir, archive.Options{ReadOnly: true})
	if a != nil {
		defer a.Close()
	}
	if err == nil && !quick {
		_, err = archive.Verify(data, archiveDir)
	}
	add("archive", asaid.String(), err, "")
	says, err = examineShelf(data)
	add("shelf", says, err, "tocsin archive verify says more")
	return out
}

// examineShelf says what is kept on the shelf, and fails when a volume of it was set aside.
func examineShelf(data disk.Layer) (string, error) {
	s, said, err := shelf.Open(data, shelfDir, shelf.Options{ReadOnly: true})
	if err != nil {
		return "", err
	}
	defer s.Close()
	var f fleet.Book
	for e, err := range (Offline{Data: data}).Entries(1) {
		if err != nil {
			return "", err
		}
		if _, err := f.Apply(e); err != nil {
			return "", err
		}
	}
	v := s.View()
	defer v.Close()
	k := keptIn(v)
	says := "no lines are on the shelf yet"
	if said.Volumes > 0 {
		says = fmt.Sprintf("%d volumes with %d records, %s of lines in %s, the oldest of %s", said.Volumes, said.Rows, Size(k.Raw), Size(k.Bytes), k.Oldest.Format("2006-01-02 15:04"))
	}
	if len(f.Aside) > 0 {
		return "", fmt.Errorf("%s; damaged and set aside: %s", says, strings.Join(f.Aside, ", "))
	}
	return says, nil
}

// KnownFormat says which format the first lines of a log have, with the settings' mappings of JSON.
func KnownFormat(name, head string, maps []intake.Mapping) (string, bool) {
	p, err := intake.New(intake.Options{Maps: maps})
	if err != nil {
		return "", false
	}
	lines := strings.Split(head, "\n")
	return p.Known(name, lines[:min(len(lines), 50)])
}

// MailKey reads our own key for mail from a sender's address; nil is none yet.
func MailKey(keys disk.Layer, from string) (*envelope.Identity, error) {
	name, _, err := keyName(from)
	if err != nil {
		return nil, err
	}
	return loadIdentity(keys, name)
}

// A Reach is how a member of the team can be rung.
type Reach struct {
	ID      string
	Mail    string // "" is none
	Webhook string // a secret; "" is none
	Voice   string // "" is none
}

// Team returns how everybody in the plan who is not gone can be rung, by id, and whether the team has set the default escalation policy. It changes nothing, and
// works beside a running server.
func Team(data, keys disk.Layer) (team []Reach, own bool, err error) {
	var p plan.Plan
	for e, err := range (Offline{Data: data}).Entries(1) {
		if err != nil {
			return nil, false, err
		}
		if _, err := p.Apply(e); err != nil {
			return nil, false, err
		}
	}
	v, _, err := vault.Open(data, vaultDir, keys, vault.Options{ReadOnly: true})
	if err != nil {
		return nil, false, err
	}
	defer v.Close()
	for _, id := range slices.Sorted(maps.Keys(p.People)) {
		x := p.People[id]
		if x.Gone {
			continue
		}
		var c Contact
		b, err := v.Get(x.Vault)
		if err == nil {
			err = json.Unmarshal(b, &c)
		}
		if err != nil {
			return nil, false, fmt.Errorf("the contact of %s: %w", id, err)
		}
		team = append(team, Reach{ID: id, Mail: c.Mail, Webhook: c.Webhook, Voice: c.Voice})
	}
	return team, p.PolicyN != 0, nil
}
