package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
)

// Playbooks: their revisions are entries, their bytes lie in the vault, and each revision is read once. Those that came with the program are put into the
// plan at the first start (From "shipped"). One that a later program brings otherwise is taken by itself only where nobody changed it; a changed one is
// never written over: the new one is offered, and a person takes it, or does not.

// playbooks are the revisions that were read, and what came with the program.
type playbooks struct {
	mu       sync.Mutex
	read     map[string]*playbook.Playbook // by revision; nil can never be read
	failed   map[string]time.Time          // by revision: when the vault did not give it
	shipped  map[string]shippedBook        // by id
	glossary *playbook.Glossary
}

// A shippedBook is a playbook that came with the program.
type shippedBook struct {
	*playbook.Playbook
	revision string
	text     []byte
}

// Shipped is who wrote the playbooks that came with the program.
const Shipped = "shipped"

// load reads what came with the program.
func (b *playbooks) load(plan fs.FS) error {
	b.read, b.shipped, b.glossary = map[string]*playbook.Playbook{}, map[string]shippedBook{}, &playbook.Glossary{}
	if plan == nil {
		return nil
	}
	names, err := fs.Glob(plan, "playbooks/*.yaml")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := fs.ReadFile(plan, name)
		if err != nil {
			return fmt.Errorf("reading the playbook %s of the program: %w", name, err)
		}
		p, findings := playbook.Read(path.Base(name), text)
		if p == nil {
			return fmt.Errorf("the playbook %s of the program: %s", name, findings[0])
		}
		b.shipped[p.ID] = shippedBook{p, RevisionOf(text), text}
		b.read[RevisionOf(text)] = p
	}
	text, err := fs.ReadFile(plan, "glossary.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the glossary of the program: %w", err)
	}
	g, findings := playbook.ReadGlossary("glossary.yaml", text)
	if g == nil {
		return fmt.Errorf("the glossary of the program: %s", findings[0])
	}
	b.glossary = g
	return nil
}

// RevisionOf names the bytes of a playbook.
func RevisionOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// seedPlaybooks puts what came with the program into the plan: what is not there yet, and what nobody changed.
func (d *Desk) seedPlaybooks() error {
	var ids []string
	d.Read(func(s *State) {
		for id := range d.playbooks.shipped {
			if b := s.Runs.Books[id]; b == nil || shippedOnly(b) && !b.Retired && d.offered(b) != "" {
				ids = append(ids, id)
			}
		}
	})
	slices.Sort(ids)
	var texts [][]byte
	for _, id := range ids {
		texts = append(texts, d.playbooks.shipped[id].text)
	}
	if len(ids) == 0 {
		return nil
	}
	objects, err := d.vault.PutAll(texts)
	if err != nil {
		return fmt.Errorf("keeping the playbooks of the program: %w", err)
	}
	return d.write(func(s *State, _ time.Time) (drafts []entry.Draft, _ error) {
		for k, id := range ids {
			x, err := s.Runs.Put("desk", entry.Playbook{ID: id, Revision: d.playbooks.shipped[id].revision, Vault: objects[k], From: Shipped})
			if err != nil {
				return nil, err
			}
			drafts = append(drafts, x)
		}
		return drafts, nil
	})
}

// shippedOnly reports whether all revisions of a playbook came with a program.
func shippedOnly(b *playbook.Book) bool {
	return !slices.ContainsFunc(b.Revisions, func(r playbook.Revision) bool { return r.From != Shipped })
}

// readRevision reads a revision while the state is folded or held; nil when it cannot be read.
func (d *Desk) readRevision(revision string) *playbook.Playbook {
	d.playbooks.mu.Lock()
	defer d.playbooks.mu.Unlock()
	if p, known := d.playbooks.read[revision]; known {
		return p
	}
	if at, failed := d.playbooks.failed[revision]; failed && time.Since(at) < readAgain {
		return nil
	}
	id := ""
	for _, b := range d.state.Runs.Books {
		for _, r := range b.Revisions {
			if r.Revision == revision {
				id = r.Vault
			}
		}
	}
	if id == "" || d.vault == nil {
		return nil
	}
	text, err := d.vault.Get(id)
	if err == nil && RevisionOf(text) != revision {
		err = errors.New("its bytes are not those that were put")
	}
	if err != nil { // a disk can be mended while the program runs
		d.log.Error("a revision of a playbook cannot be read; it is tried again in a minute", "revision", revision, "error", err)
		if d.playbooks.failed == nil {
			d.playbooks.failed = map[string]time.Time{}
		}
		d.playbooks.failed[revision] = time.Now()
		return nil
	}
	p, findings := playbook.Read("", text)
	if p == nil {
		d.log.Error("a revision of a playbook cannot be read", "revision", revision, "error", findings[0].String())
	}
	if d.playbooks.read == nil {
		d.playbooks.read = map[string]*playbook.Playbook{}
	}
	d.playbooks.read[revision] = p
	return p
}

// readAgain is how long a revision that the vault did not give is not asked for again.
const readAgain = time.Minute

// Playbook returns a revision of a playbook, nil when it cannot be read.
func (d *Desk) Playbook(revision string) (p *playbook.Playbook) {
	d.Read(func(*State) { p = d.readRevision(revision) })
	return p
}

// PlaybookText returns the bytes of a revision, as they were put. Errors: ErrNoPlaybook, what the vault cannot read.
func (d *Desk) PlaybookText(revision string) ([]byte, error) {
	vault := ""
	d.Read(func(s *State) {
		for _, b := range s.Runs.Books {
			for _, r := range b.Revisions {
				if r.Revision == revision {
					vault = r.Vault
				}
			}
		}
	})
	if vault == "" {
		for _, x := range d.playbooks.shipped {
			if x.revision == revision {
				return slices.Clone(x.text), nil
			}
		}
		return nil, fmt.Errorf("%w: no revision %.12s", ErrNoPlaybook, revision)
	}
	return d.vault.Get(vault)
}

// ErrNoPlaybook says that the plan has no such playbook.
var ErrNoPlaybook = errors.New("the plan has no such playbook")

// A PlaybookRow is a playbook of the plan, as lists show it.
type PlaybookRow struct {
	ID, Title, Summary, Owner, Severity string
	Review                              int // days from review to review
	Steps, Revisions                    int
	Revision, From, By, Approver        string // of the current revision
	Changed                             time.Time
	Retired                             bool
	Offered                             string // revision that came with this program and was not taken, "" of none
	Waits                               int64  // approval under which a change waits, 0 of none
}

// Playbooks returns the playbooks of the plan by title, those that are not used any more last.
func (d *Desk) Playbooks() (out []PlaybookRow) {
	d.Read(func(s *State) {
		waits := map[string]int64{}
		for _, x := range s.Approvals.All {
			if id, ok := strings.CutPrefix(x.About, playbookSubject); ok && x.State == "asked" {
				waits[id] = x.ID
			}
		}
		for id, b := range s.Runs.Books {
			r := b.Revisions[len(b.Revisions)-1]
			row := PlaybookRow{ID: id, Title: id, Revisions: len(b.Revisions), Revision: r.Revision, From: r.From, By: r.By, Approver: r.Approver, Changed: r.Time, Retired: b.Retired,
				Offered: d.offered(b), Waits: waits[id]}
			if p := d.readRevision(r.Revision); p != nil {
				row.Title, row.Summary, row.Owner, row.Severity, row.Review, row.Steps = p.Title, p.Summary, p.Owner, p.Severity, p.Review, len(p.Steps)
			}
			out = append(out, row)
		}
	})
	slices.SortFunc(out, func(a, b PlaybookRow) int {
		if a.Retired != b.Retired {
			if a.Retired {
				return 1
			}
			return -1
		}
		return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
	})
	return out
}

// offered is the revision that came with the program and that the plan never had, "" of none.
func (d *Desk) offered(b *playbook.Book) string {
	x, ok := d.playbooks.shipped[b.ID]
	if !ok || slices.ContainsFunc(b.Revisions, func(r playbook.Revision) bool { return r.Revision == x.revision }) {
		return ""
	}
	return x.revision
}

// A PlaybookRevision is one change of a playbook.
type PlaybookRevision struct {
	entry.Playbook
	N    int64 // the ledger entry
	Time time.Time
	Why  string
}

// PlaybookHistory returns the revisions of a playbook, newest first.
func (d *Desk) PlaybookHistory(id string) (out []PlaybookRevision, err error) {
	out, err = d.PlaybookRevisions(id)
	for k := range out {
		out[k].Why = d.RevisionWhy(out[k])
	}
	return out, err
}

// RevisionWhy reads why a revision was put.
func (d *Desk) RevisionWhy(r PlaybookRevision) string {
	if r.From == Shipped {
		return "It came with the program."
	}
	return d.Text(r.Text)
}

// PlaybookRevisions is PlaybookHistory without the reasons, which lie in the vault.
func (d *Desk) PlaybookRevisions(id string) (out []PlaybookRevision, err error) {
	d.Read(func(s *State) {
		b := s.Runs.Books[id]
		if b == nil {
			err = fmt.Errorf("%w: %.60q", ErrNoPlaybook, id)
			return
		}
		for _, r := range slices.Backward(b.Revisions) {
			out = append(out, PlaybookRevision{Playbook: r.Playbook, N: r.N, Time: r.Time})
		}
	})
	return out, err
}

// OfferedRevision stands for the revision that came with the program, in PlaybookDiff.
const OfferedRevision = "offered"

// PlaybookDiff says how two revisions of a playbook differ. from "" is the one before to, to "" the current one.
func (d *Desk) PlaybookDiff(id, from, to string) (out []playbook.Change, err error) {
	history, err := d.PlaybookHistory(id)
	if err != nil {
		return nil, err
	}
	known := func(revision string) bool {
		return slices.ContainsFunc(history, func(r PlaybookRevision) bool { return r.Revision == revision })
	}
	if to == "" {
		to = history[0].Revision
	}
	if to == OfferedRevision {
		d.Read(func(s *State) { to = d.offered(s.Runs.Books[id]) })
		if from == "" {
			from = history[0].Revision
		}
	} else if !known(to) {
		return nil, fmt.Errorf("%w: no revision %.12s of %s", ErrNoPlaybook, to, id)
	}
	if from == "" {
		k := slices.IndexFunc(history, func(r PlaybookRevision) bool { return r.Revision == to })
		if k+1 == len(history) {
			return nil, nil // the first one differs from nothing
		}
		from = history[k+1].Revision
	} else if !known(from) {
		return nil, fmt.Errorf("%w: no revision %.12s of %s", ErrNoPlaybook, from, id)
	}
	a, b := d.Playbook(from), d.Playbook(to)
	if a == nil || b == nil {
		return nil, fmt.Errorf("one of the two revisions of %s cannot be read: run tocsin doctor", id)
	}
	return playbook.Diff(a, b), nil
}

// Glossary returns the words of the plan; it is never nil.
func (d *Desk) Glossary() *playbook.Glossary {
	if d.playbooks.glossary == nil {
		return &playbook.Glossary{}
	}
	return d.playbooks.glossary
}

// BuiltActions are the actions of playbooks that the program can do itself today. A step with another one is done by hand.
func (d *Desk) BuiltActions() []string { return Built() }

// Built are the actions of playbooks that the program can do itself today.
func Built() []string {
	return []string{"archive.export", "archive.search", "incident.hold", "incident.restrict", "monitor.recurrence", "room.open", "rules.mute", "trace.incident", "updates.send"}
}

// CheckPlaybook says what is wrong with a playbook, and what in it is done by hand, as warnings.
func (d *Desk) CheckPlaybook(file string, data []byte) []playbook.Finding {
	p, findings := playbook.Read(file, data)
	if p != nil {
		findings = append(findings, p.Unbuilt(file, Built())...)
	}
	return findings
}

// SuggestedPlaybooks names the playbooks that fit an incident, the best first.
func (d *Desk) SuggestedPlaybooks(actor auth.Actor, id int64) (out []string) {
	d.ReadAs(actor, func(s *State) {
		if i, err := s.Incidents.Get(id); err == nil {
			out = d.suggested(s, i)
		}
	})
	return out
}

// suggested asks the playbooks in use which of them fit.
func (d *Desk) suggested(s *State, i *incident.Incident) []string {
	var books []*playbook.Playbook
	for _, b := range s.Runs.Books {
		if p := d.readRevision(b.Current()); p != nil && !b.Retired {
			books = append(books, p)
		}
	}
	var techniques, rules []string
	for _, id := range s.Incidents.Family(i.ID) {
		x, err := s.Incidents.Get(id)
		if err != nil {
			continue
		}
		for _, a := range x.Alerts[max(0, len(x.Alerts)-alertsAsked):] {
			if a := s.Incidents.Alerts[a]; a != nil {
				rules, techniques = append(rules, a.Rule), append(techniques, a.Techniques...)
			}
		}
	}
	slices.Sort(rules)
	slices.Sort(techniques)
	return playbook.Suggested(books, i.Title, slices.Compact(techniques), slices.Compact(rules))
}

// alertsAsked is of how many alerts of an incident a playbook is suggested: the newest.
const alertsAsked = 500
