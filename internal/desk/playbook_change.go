package desk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/cacao"
	"tocsin/internal/entry"
	"tocsin/internal/playbook"
	"tocsin/internal/tlp"
)

// A change of a playbook is asked for with its reason, and another person approves it after they saw the differences (approvals.go). It is refused when the
// plan went on since it was written. The owner of the data folder on its command line needs no second person, as everywhere.

// playbookSubject is how the subjects of entries and approvals of a playbook begin.
const playbookSubject = "playbook:"

// A PlaybookChange is a new revision of a playbook.
type PlaybookChange struct {
	Text   []byte // the YAML
	Before string // the revision that was changed; "" is a new playbook
	From   string // console, file, cacao
	Why    string
}

// bookChange is what an approval about a playbook keeps.
type bookChange struct {
	ID       string `json:"id"`
	Revision string `json:"revision,omitempty"`
	Vault    string `json:"vault,omitempty"` // the bytes
	Before   string `json:"before,omitempty"`
	From     string `json:"from,omitempty"`
	Retire   bool   `json:"retire,omitempty"`
}

// BadPlaybook is the refusal of a text that is no playbook.
type BadPlaybook struct{ Findings []playbook.Finding }

func (b *BadPlaybook) Error() string {
	for _, f := range b.Findings {
		if !f.Warning {
			return "this is no playbook that could be worked by: " + f.String()
		}
	}
	return "this is no playbook that could be worked by"
}

// PlaybookMoved is the refusal of a change of what is not the current revision any more.
type PlaybookMoved struct{ ID, Before, Now string }

func (m *PlaybookMoved) Error() string {
	if m.Now == "" {
		return fmt.Sprintf("the playbook %s is not in use any more: pull, and see what became of it", m.ID)
	}
	if m.Before == "" {
		return fmt.Sprintf("there is a playbook %s already, at revision %.12s: pull it, and change that one", m.ID, m.Now)
	}
	return fmt.Sprintf("the playbook %s moved on from revision %.12s to %.12s since you took it: pull it, and make your change there. Your text was not taken, and is not lost here", m.ID, m.Before, m.Now)
}

// movedOn says that a change is of another revision than the current one.
func movedOn(s *State, x bookChange) error {
	now := ""
	if b := s.Runs.Books[x.ID]; b != nil && !b.Retired {
		now = b.Current()
	}
	if now != x.Before && !(x.Before == "" && now == "") {
		return &PlaybookMoved{x.ID, x.Before, now}
	}
	return nil
}

// PutPlaybook asks that a text becomes the current revision of its playbook. Errors: Asked (a second person must approve), *BadPlaybook, *PlaybookMoved,
// FieldError of reason, auth.Refusal, ErrBroken. It is nil when it was done at once.
func (d *Desk) PutPlaybook(actor auth.Actor, x PlaybookChange) error {
	if err := errors.Join(auth.May(actor, auth.Playbooks), d.Broken()); err != nil {
		return err
	}
	x.Why = strings.TrimSpace(x.Why)
	if x.Why == "" {
		return FieldError{"reason", "Say why the playbook is changed."}
	}
	p, findings := playbook.Read("", x.Text)
	if p == nil {
		return &BadPlaybook{findings}
	}
	c := bookChange{ID: p.ID, Revision: RevisionOf(x.Text), Before: x.Before, From: x.From}
	err := error(nil)
	d.Read(func(s *State) {
		if err = movedOn(s, c); err == nil {
			_, err = s.Runs.Put(actor.Name, entry.Playbook{ID: c.ID, Revision: c.Revision, Vault: "-", From: c.From, Text: "-", By: actor.Name, Approver: "-"})
		}
	})
	if err != nil {
		return err
	}
	if c.Vault, err = d.vault.Put(x.Text); err != nil {
		return fmt.Errorf("keeping the playbook: %w", err)
	}
	return d.changeBook(actor, c, x.Why)
}

// TakeOffered asks that the revision which came with the program becomes the current one.
func (d *Desk) TakeOffered(actor auth.Actor, id, why string) error {
	offered, now := "", ""
	d.Read(func(s *State) {
		if b := s.Runs.Books[id]; b != nil {
			offered, now = d.offered(b), b.Current()
			if b.Retired {
				now = ""
			}
		}
	})
	if offered == "" {
		return fmt.Errorf("%w: nothing is offered for %.60q", ErrNoPlaybook, id)
	}
	return d.PutPlaybook(actor, PlaybookChange{Text: d.playbooks.shipped[id].text, Before: now, From: "console", Why: why})
}

// RetirePlaybook asks that a playbook is not begun any more.
func (d *Desk) RetirePlaybook(actor auth.Actor, id, why string) error {
	if err := errors.Join(auth.May(actor, auth.Playbooks), d.Broken()); err != nil {
		return err
	}
	if strings.TrimSpace(why) == "" {
		return FieldError{"reason", "Say why the playbook is not used any more."}
	}
	err, now := error(nil), ""
	d.Read(func(s *State) {
		if _, err = s.Runs.Retire(actor.Name, id, "-"); err == nil {
			now = s.Runs.Books[id].Current()
		}
	})
	if err != nil {
		return err
	}
	return d.changeBook(actor, bookChange{ID: id, Before: now, Retire: true}, why)
}

// changeBook does a change for the owner of the folder, and asks for a second person else.
func (d *Desk) changeBook(actor auth.Actor, c bookChange, why string) error {
	if !actor.Local {
		return d.askFor(actor, auth.Playbooks, demand{About: playbookSubject + c.ID, Book: &c, Why: why})
	}
	return d.say(actor, auth.Playbooks, why, func(s *State, text string) (entry.Draft, error) {
		return putBook(s, actor.Name, c, text, actor.Name, "owner of the data folder")
	})
}

// putAsked does what a second person approved.
func (d *Desk) putAsked(s *State, actor string, x auth.Approval, r demand, text string) (entry.Draft, error) {
	if r.Book == nil {
		return entry.Draft{}, errors.New("what was approved names no playbook")
	}
	approver := x.Decided.Person
	if approver == "" {
		approver = "nobody: it passed by time"
	}
	return putBook(s, actor, *r.Book, text, x.Person, approver)
}

func putBook(s *State, actor string, c bookChange, text, by, approver string) (entry.Draft, error) {
	if err := movedOn(s, c); err != nil {
		return entry.Draft{}, err
	}
	if c.Retire {
		return s.Runs.Retire(actor, c.ID, text)
	}
	return s.Runs.Put(actor, entry.Playbook{ID: c.ID, Revision: c.Revision, Vault: c.Vault, From: c.From, Text: text, By: by, Approver: approver})
}

// A PlaybookAsk is a change that waits for a second person, as they look at it.
type PlaybookAsk struct {
	ID, Before, Why, By string
	Retire              bool
	Text                []byte
	Changes             []playbook.Change
	Findings            []playbook.Finding // warnings: what is done by hand, what the file of another program says of itself
}

// PlaybookAsked returns what an approval about a playbook is for. Errors: auth.ErrNoApproval, what the vault cannot read.
func (d *Desk) PlaybookAsked(actor auth.Actor, approval int64) (out PlaybookAsk, err error) {
	if err := auth.May(actor, auth.See); err != nil {
		return out, err
	}
	var x auth.Approval
	d.ReadAs(actor, func(s *State) {
		a, e := s.Approvals.Get(approval)
		if err = e; err == nil {
			x = *a
		}
	})
	if err != nil {
		return out, err
	}
	r, err := d.requested(x.Vault, x.Hash)
	if err == nil && r.Book == nil {
		err = fmt.Errorf("%w: approval %d is not about a playbook", auth.ErrNoApproval, approval)
	}
	if err != nil {
		return out, err
	}
	out = PlaybookAsk{ID: r.Book.ID, Before: r.Book.Before, Why: r.Why, By: x.Person, Retire: r.Book.Retire}
	if out.Retire {
		return out, nil
	}
	if out.Text, err = d.vault.Get(r.Book.Vault); err != nil {
		return out, fmt.Errorf("reading the playbook that was asked for: %w", err)
	}
	p, _ := playbook.Read("", out.Text)
	was := d.Playbook(r.Book.Before)
	if p != nil {
		out.Findings = p.Unbuilt("", Built())
		if p.Foreign != nil { // what the file says of itself, as that nobody verified who signed it
			_, says := cacao.Read([]byte(p.Foreign.Source))
			for _, f := range says {
				out.Findings = append(out.Findings, playbook.Finding{Says: "the file that it was made of: " + f.String(), Warning: true})
			}
		}
	}
	if r.Book.Before == "" { // all of a new one is what changes
		was = &playbook.Playbook{}
	}
	if p != nil && was != nil {
		out.Changes = playbook.Diff(was, p)
	}
	return out, nil
}

// ExportPlaybook writes a revision of a playbook, "" the current one, as CACAO 2.0. The findings say what the format cannot say.
func (d *Desk) ExportPlaybook(id, revision string) ([]byte, []cacao.Finding, error) {
	history, err := d.PlaybookHistory(id)
	if err != nil {
		return nil, nil, err
	}
	k := slices.IndexFunc(history, func(r PlaybookRevision) bool { return revision == "" || r.Revision == revision })
	if k < 0 {
		return nil, nil, fmt.Errorf("%w: no revision %.12s of %s", ErrNoPlaybook, revision, id)
	}
	p := d.Playbook(history[k].Revision)
	if p == nil {
		return nil, nil, fmt.Errorf("the playbook %s cannot be read: run tocsin doctor", id)
	}
	if why := keptInside(p); why != "" {
		return nil, nil, fmt.Errorf("the playbook %s: %s", id, why)
	}
	return cacao.Export(p, cacao.Origin{By: d.identityOfShop(), Created: history[len(history)-1].Time, Modified: history[k].Time})
}

// keptInside says why a playbook leaves by no file, "" when it may: it keeps to the marking of the file that it was made of.
func keptInside(p *playbook.Playbook) string {
	if p == nil || p.Foreign == nil {
		return ""
	}
	x, _ := cacao.Read([]byte(p.Foreign.Source))
	if x == nil || x.TLP == "" {
		return ""
	}
	if l, err := tlp.Parse(x.TLP); err != nil || !tlp.MayLeave(l, tlp.Export) {
		return tlp.Refusal(l, tlp.Export)
	}
	return ""
}

// identityOfShop is who we are in playbooks for others: always the same for one ledger, and nothing of it can be told.
func (d *Desk) identityOfShop() string {
	h := []byte(RevisionOf([]byte("tocsin identity\n" + d.ledger.Head().Origin)))
	h[12], h[16] = '4', '8' // the form of a random UUID (RFC 9562, version 4)
	return fmt.Sprintf("identity--%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:32])
}

// ImportPlaybook asks that a file of CACAO 2.0 becomes a playbook, and returns its id. Findings say what was refused, by name, or taken over otherwise than it is written.
func (d *Desk) ImportPlaybook(actor auth.Actor, data []byte, why string) (id string, findings []cacao.Finding, err error) {
	if err := auth.May(actor, auth.Playbooks); err != nil {
		return "", nil, err
	}
	x, findings := cacao.Read(data)
	if x == nil {
		var why []string
		for _, f := range findings {
			if !f.Warning && len(why) < 10 {
				why = append(why, f.String())
			}
		}
		return "", findings, fmt.Errorf("the file cannot be taken over: %s", strings.Join(why, "; "))
	}
	before, said := d.Placed(x)
	findings = append(findings, said...)
	if now := d.Playbook(before); now != nil && string(now.Print()) == string(x.Playbook.Print()) {
		return x.Playbook.ID, findings, fmt.Errorf("the playbook %s is this already", x.Playbook.ID)
	}
	return x.Playbook.ID, findings, d.PutPlaybook(actor, PlaybookChange{Text: x.Playbook.Print(), Before: before, From: "cacao", Why: why})
}

// Placed finds the place of a playbook that was read of a file: before is the revision that it follows, "" when it is a new playbook. A file is another version of a playbook
// only when that was made of the same file, or is what we exported. Otherwise one that is called the same is another one, which stays as it is: the file's gets a name that
// nobody has, and a finding says so. The file of somebody else is kept with it.
func (d *Desk) Placed(x *cacao.Import) (before string, findings []cacao.Finding) {
	by := d.identityOfShop()
	if x.By != by {
		x.Keep()
	}
	was := x.Playbook.ID
	for n := 2; ; n++ {
		id, now, retired, there := x.Playbook.ID, "", false, false
		d.Read(func(s *State) {
			if b := s.Runs.Books[id]; b != nil {
				now, retired, there = b.Current(), b.Retired, true
			}
		})
		if !there {
			break
		}
		if p := d.Playbook(now); p != nil && sameFile(p, x, by) {
			if !retired {
				before = now
			}
			break
		}
		x.Rename(fmt.Sprintf("%s-%d", strings.TrimRight(was[:min(len(was), 34)], "-"), n))
	}
	if id := x.Playbook.ID; id != was {
		findings = []cacao.Finding{{Place: "/name", Says: fmt.Sprintf("there is a playbook %s already, which was not made of this file; it stays as it is, and this one is called %s", was, id), Warning: true}}
	}
	return before, findings
}

// sameFile reports whether a playbook of ours and one that was read are versions of the same file.
func sameFile(ours *playbook.Playbook, x *cacao.Import, by string) bool {
	if x.ID == "" {
		return false
	}
	if x.ID == cacao.ID(by, ours.ID) {
		return true
	}
	if ours.Foreign == nil {
		return false
	}
	was, _ := cacao.Read([]byte(ours.Foreign.Source))
	return was != nil && was.ID == x.ID
}

// WholePlan is the plan as one document to be printed: contacts, roles, playbooks, glossary, and how it came to be so.
func (d *Desk) WholePlan(actor auth.Actor, zone *time.Location) (w playbook.Whole, err error) {
	if err := auth.May(actor, auth.See); err != nil {
		return w, err
	}
	w = playbook.Whole{Organisation: d.organisation(), Printed: time.Now(), Zone: zone, Head: fmt.Sprintf("%d entries, %s", d.ledger.Head().Size, d.ledger.Head().Root), Glossary: d.Glossary().Terms}
	reviewed := d.printedPeople(actor, &w)
	for _, row := range d.Playbooks() {
		if row.Retired {
			continue
		}
		e := playbook.Edition{Playbook: d.Playbook(row.Revision), Revision: row.Revision}
		inside := keptInside(e.Playbook)
		if inside != "" { // neither its steps nor what it is called are on paper
			e.Playbook = &playbook.Playbook{ID: "kept-inside", Title: "A playbook that is kept inside", Summary: inside}
			row.Title = e.Playbook.Title
		}
		if p := reviewed[playbookSubject+row.ID]; p.Approved == row.Revision {
			e.Reviewed, e.ReviewedBy = p.ApprovedAt, p.ApprovedBy
		}
		w.Playbooks = append(w.Playbooks, e)
		history, err := d.PlaybookHistory(row.ID)
		if err != nil {
			return w, err
		}
		for k, h := range history {
			what := "changed"
			if k == len(history)-1 {
				what = "added"
			}
			if inside != "" {
				h.Why = ""
			}
			w.History = append(w.History, playbook.HistoryLine{At: h.Time, Part: row.Title, What: what, By: h.By, Why: h.Why, ApprovedBy: h.Approver})
		}
	}
	slices.SortStableFunc(w.History, func(a, b playbook.HistoryLine) int { return a.At.Compare(b.At) })
	return w, nil
}
