package desk

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/report"
	"tocsin/internal/tlp"
)

// Attachments are evidence: their bytes lie in the vault, their SHA-256 and who brought them from where stand in the ledger. Each look at one is written down,
// with what its bytes were found to be then. None is ever replaced: another version is another attachment.

// FileAtMost is how many bytes an attachment may have. Larger things are exported, or sealed on the host that has them.
const FileAtMost = 32 << 20

// A FileText is what a person says of an attachment.
type FileText struct {
	Name  string
	Kind  string // log, image, document, mail, code, archive, memory, other
	From  string // where it is from
	Why   string
	Label string // TLP, "" is that of the incident
}

// Bounds of what is said of an attachment, in bytes.
const (
	nameAtMost = 200
	textAtMost = 20_000 // what the vault takes as one text, see Desk.text
)

// AddFile makes bytes evidence of an incident, and returns the number of the attachment. What a file is called, and what it claims to be, is kept as words: nothing
// in it is opened.
func (d *Desk) AddFile(actor auth.Actor, id int64, x FileText, body io.Reader) (number int64, err error) {
	if _, err := doer(actor); err != nil {
		return 0, err
	}
	if err := cmp.Or(d.MayOn(actor, auth.Note, id), d.Broken()); err != nil {
		return 0, err
	}
	x.Name = report.KeptName(x.Name, nameAtMost)
	long := fmt.Sprintf("This has more than %d bytes: shorten it, or bring it as an attachment of its own.", textAtMost)
	switch {
	case x.Name == "":
		return 0, FieldError{"name", "An attachment needs a name."}
	case strings.TrimSpace(x.From) == "":
		return 0, FieldError{"from", "Say where the attachment is from: evidence without an origin proves nothing."}
	case len(strings.TrimSpace(x.From)) > textAtMost:
		return 0, FieldError{"from", long}
	case len(strings.TrimSpace(x.Why)) > textAtMost:
		return 0, FieldError{"why", long}
	}
	err = error(nil)
	d.Read(func(s *State) { err = working(s, id) })
	if err != nil {
		return 0, err
	}
	b, err := io.ReadAll(io.LimitReader(body, FileAtMost+1))
	switch {
	case err != nil:
		return 0, fmt.Errorf("the attachment did not come whole: %w", err)
	case len(b) > FileAtMost:
		return 0, FieldError{"file", fmt.Sprintf("An attachment has at most %s. Keep what is larger where it is, seal it there, and write down its SHA-256.", Size(FileAtMost))}
	case len(b) == 0:
		return 0, FieldError{"file", "The attachment is empty."}
	}
	sum := sha256.Sum256(b)
	y := entry.File{Incident: id, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(b)), Kind: cmp.Or(x.Kind, "other"), Label: x.Label, Person: actor.ID, Vault: "-", Name: "-", From: "-"}
	d.Read(func(s *State) { _, err = s.Incidents.AddFile(actor.Name, y) })
	if err != nil {
		return 0, err // before the vault is filled
	}
	if y.Vault, err = d.vault.Put(b); err != nil {
		return 0, fmt.Errorf("keeping the attachment: %w", err)
	}
	defer func() { d.unkept(err, y.Vault) }() // somebody else was faster: the bytes are there already, or the incident was closed
	err = d.wrote(actor, auth.Note, id, []string{x.Name, x.From, x.Why}, func(s *State, _ time.Time, _ string, texts []string) ([]entry.Draft, error) {
		y.Name, y.From, y.Why = texts[0], texts[1], texts[2]
		z, err := s.Incidents.AddFile(actor.Name, y)
		if err == nil {
			number = z.Body.(entry.File).ID
		}
		return one(z, err)
	})
	return number, err
}

// PassFile writes down that an attachment, or a copy, went to somebody. What its label keeps inside must be labelled otherwise first, with the reason: a Withheld says so.
func (d *Desk) PassFile(actor auth.Actor, id, file int64, from, to, why string) error {
	return d.wrote(actor, auth.Note, id, []string{from, to, why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		if err := withheld(s, id, attachmentOf(file), tlp.Export); err != nil {
			return nil, err
		}
		return one(s.Incidents.PassFile(actor.Name, entry.FilePass{Incident: id, ID: file, Person: person, From: texts[0], To: texts[1], Why: texts[2]}))
	})
}

// An OpenedFile is an attachment as it was found. One that is not Sound is no evidence any more, and is shown as such.
type OpenedFile struct {
	Name, Kind, SHA256 string
	Bytes              []byte
	Sound              bool
}

// OpenFile reads an attachment, holds its bytes against what was brought, and writes that down before it hands them out. Errors: an auth.Refusal, incident.ErrNotFound, a
// Withheld.
func (d *Desk) OpenFile(actor auth.Actor, id, file int64, why string) (out OpenedFile, err error) {
	if err := cmp.Or(d.MayOn(actor, auth.Note, id), d.Broken()); err != nil {
		return out, err
	}
	var f entry.File
	d.Read(func(s *State) {
		i, e := s.Incidents.Get(id)
		if err = e; err != nil {
			return
		}
		if file < 1 || file > int64(len(i.Command().Files)) {
			err = fmt.Errorf("%w: incident %d has no attachment %d", incident.ErrNotFound, id, file)
			return
		}
		f = i.Command().Files[file-1].File
		err = evidenceWithheld(s, i, file, actor)
	})
	if err != nil {
		return out, err
	}
	b, readErr := d.vault.Get(f.Vault)
	found := ""
	if readErr == nil {
		sum := sha256.Sum256(b)
		found = hex.EncodeToString(sum[:])
	}
	out = OpenedFile{Name: d.Text(f.Name), Kind: f.Kind, SHA256: found, Bytes: b}
	err = d.wrote(actor, auth.Note, id, []string{why}, func(s *State, _ time.Time, person string, texts []string) ([]entry.Draft, error) {
		x, sound, err := s.Incidents.ReadFile(actor.Name, entry.FileRead{Incident: id, ID: file, Person: person, SHA256: found, Why: texts[0]})
		out.Sound = sound
		return one(x, err)
	})
	if err == nil && readErr != nil {
		err = fmt.Errorf("attachment %d cannot be read, which is written down: %w", file, readErr)
	}
	return out, err
}
