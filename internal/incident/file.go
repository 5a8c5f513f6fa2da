package incident

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/tlp"
)

// A File is something that was brought to an incident as evidence. It is never replaced: another version is another file.
type File struct {
	entry.File
	Added  Written[struct{}]
	Chain  []Custody // who had it, from who brought it on
	Faults []int64   // entries of Chain at which its bytes were not what was brought: shown for ever
}

// Custody is one link of the chain.
type Custody struct {
	N      int64
	At     time.Time
	Kind   entry.Kind // attachment.added, attachment.passed, attachment.read
	Actor  string
	Person string
	From   string // vault objects
	To     string
	Why    string
	SHA256 string // of added and read: as found then; "" could not be read
}

// Sound reports whether the bytes were what was brought whenever somebody looked.
func (f *File) Sound() bool { return len(f.Faults) == 0 }

// FileKinds are what evidence can be.
func FileKinds() []string {
	return []string{"log", "image", "document", "mail", "code", "archive", "memory", "other"}
}

// aSum checks a SHA-256 in hex.
func aSum(s string) error {
	if len(s) != 64 || !hexadecimal(s) {
		return fmt.Errorf("%s is no SHA-256: it has 64 hexadecimal digits in small letters", quoted(s))
	}
	return nil
}

// FileOf returns an attachment by how a step or a cause names it: its number when it stands with the incident itself, or 4/2 for number 2 of incident 4 that is one
// with it. It is nil when there is none.
func (b *Book) FileOf(id int64, name string) *File {
	own, number, other := strings.Cut(name, "/")
	if !other {
		own, number = strconv.FormatInt(id, 10), name
	}
	n, err := strconv.Atoi(number)
	if err != nil || strconv.Itoa(n) != number {
		return nil
	}
	for _, p := range b.Parts(id) {
		if files := p.Command().Files; strconv.FormatInt(p.ID, 10) == own && n >= 1 && n <= len(files) {
			return &files[n-1]
		}
	}
	return nil
}

// Named is how a step or a cause of an incident names the file: FileOf finds it again.
func (f *File) Named(by int64) string {
	if f.Incident == by {
		return strconv.FormatInt(f.ID, 10)
	}
	return fmt.Sprintf("%d/%d", f.Incident, f.ID)
}

// AddFile decides that something becomes evidence of an incident; x says what it is, who brought it and where it is from. Its number is set here.
func (b *Book) AddFile(actor string, x entry.File) (entry.Draft, error) {
	i, err := b.open(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	if err := aSum(x.SHA256); err != nil {
		return entry.Draft{}, err
	}
	all := i.Command().Files
	switch {
	case x.Bytes < 0 || x.Vault == "" || x.Name == "":
		return entry.Draft{}, errors.New("an attachment needs its bytes and a name")
	case !slices.Contains(FileKinds(), x.Kind):
		return entry.Draft{}, fmt.Errorf("%s is no kind of attachment; known: %s", quoted(x.Kind), strings.Join(FileKinds(), ", "))
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.From == "":
		return entry.Draft{}, errors.New("say where the attachment is from: evidence without an origin proves nothing")
	}
	if k := slices.IndexFunc(all, func(f File) bool { return f.SHA256 == x.SHA256 }); k >= 0 {
		return entry.Draft{}, fmt.Errorf("the same bytes are attachment %d of incident %d already", k+1, x.Incident)
	}
	if x.Label != "" {
		l, err := tlp.Parse(x.Label)
		if err != nil {
			return entry.Draft{}, err
		}
		x.Label = string(l)
	}
	x.ID = int64(len(all)) + 1
	return draft(actor, entry.AttachmentAdded, x.Incident, x), room(all, "attachment", x.Incident)
}

// PassFile decides that an attachment, or a copy, went to somebody: to the police, to an expert. To and Why are vault objects.
func (b *Book) PassFile(actor string, x entry.FilePass) (entry.Draft, error) {
	i, err := b.Get(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	if _, err := numbered(i.Command().Files, x.ID, "attachment", x.Incident); err != nil {
		return entry.Draft{}, err
	}
	switch {
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.To == "" || x.Why == "":
		return entry.Draft{}, errors.New("say to whom the attachment went, and why: the chain of custody must be whole")
	}
	return draft(actor, entry.AttachmentPassed, x.Incident, x), nil
}

// ReadFile decides to write down that somebody looked at an attachment, and that its bytes had the SHA-256 x.SHA256 then ("" could not be read). What is not what was
// brought is no refusal: it is a fault that stays. Sound tells the caller whether the bytes may be shown as evidence.
func (b *Book) ReadFile(actor string, x entry.FileRead) (d entry.Draft, sound bool, err error) {
	i, err := b.Get(x.Incident)
	if err != nil {
		return entry.Draft{}, false, err
	}
	f, err := numbered(i.Command().Files, x.ID, "attachment", x.Incident)
	if err != nil {
		return entry.Draft{}, false, err
	}
	if x.SHA256 != "" {
		if err := aSum(x.SHA256); err != nil {
			return entry.Draft{}, false, err
		}
	}
	if x.Person == "" {
		return entry.Draft{}, false, errNobody
	}
	return draft(actor, entry.AttachmentRead, x.Incident, x), x.SHA256 == f.SHA256, nil
}

func (b *Book) applyFile(e entry.Entry) (bool, error) {
	link := Custody{N: e.N, At: e.Time, Kind: e.Kind, Actor: e.Actor}
	switch e.Kind {
	case entry.AttachmentAdded:
		return fold(b, e, func(x *entry.File) int64 { return x.Incident }, func(i *Incident, c *Command, x *entry.File, m *Mark) error {
			if err := follows(c.Files, x.ID, "attachment"); err != nil {
				return err
			}
			link.Person, link.From, link.Why, link.SHA256 = x.Person, x.From, x.Why, x.SHA256
			b.mayBeRed(i, x.Label)
			c.Files = append(c.Files, File{File: *x, Added: written(e, struct{}{}), Chain: []Custody{link}})
			b.index.kin.put(&b.index.kin.files, x.SHA256, i.ID)
			m.Ref, m.To, m.Why = x.Name, fmt.Sprint(x.ID), []string{x.Kind}
			return nil
		})
	case entry.AttachmentPassed:
		return fold(b, e, func(x *entry.FilePass) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.FilePass, m *Mark) error {
			f, err := numbered(c.Files, x.ID, "attachment", x.Incident)
			if err != nil {
				return err
			}
			link.Person, link.From, link.To, link.Why = x.Person, x.From, x.To, x.Why
			f.Chain = append(f.Chain, link)
			m.Ref, m.To = x.Why, fmt.Sprint(x.ID)
			return nil
		})
	case entry.AttachmentRead:
		return fold(b, e, func(x *entry.FileRead) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.FileRead, m *Mark) error {
			f, err := numbered(c.Files, x.ID, "attachment", x.Incident)
			if err != nil {
				return err
			}
			link.Person, link.Why, link.SHA256 = x.Person, x.Why, x.SHA256
			f.Chain = append(f.Chain, link)
			if x.SHA256 != f.SHA256 {
				f.Faults = append(f.Faults, e.N)
				m.Why = []string{"fault"}
			}
			m.Ref, m.To = x.Why, fmt.Sprint(x.ID)
			return nil
		})
	}
	return false, nil
}
