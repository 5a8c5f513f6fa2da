package desk

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/ledger"
)

// publicFile holds the key that checks the signed head, beside the signing key and in the data folder.
const publicFile = "ledger.pub"

// LedgerHead returns the signed head, when its last entry was written, and whose key signed it.
func (d *Desk) LedgerHead() (head entry.Head, signed time.Time, signer string) {
	head = d.ledger.Head()
	for e, err := range d.ledger.Entries(head.Size) {
		if err == nil {
			signed = e.Time
		}
	}
	return head, signed, d.key.Public().String()
}

// LastEntries returns up to n entries, newest first.
func (d *Desk) LastEntries(n int64) ([]entry.Entry, error) {
	var out []entry.Entry
	from := max(1, d.ledger.Head().Size-n+1)
	for e, err := range d.ledger.Entries(from) {
		if err != nil {
			return nil, err
		}
		out = append([]entry.Entry{e}, out...)
	}
	return out, nil
}

// EntriesFor returns the last n entries, newest first, as they may be shown to actor: of those about what is restricted to others nothing but
// number and time, so that the row shows that there is one. Auditors are no exception: who audits a restricted incident is named in it.
func (d *Desk) EntriesFor(actor auth.Actor, n int64) ([]entry.Entry, error) {
	out, err := d.LastEntries(n)
	if err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	view := d.viewOf(actor)
	for k, e := range out {
		if view != d.state && hiddenIn(view, d.state, e) {
			out[k] = entry.Entry{N: e.N, Time: e.Time}
		}
	}
	return out, nil
}

// hiddenIn reports whether an entry is about something that a view lacks and the whole state has.
func hiddenIn(view, all *State, e entry.Entry) bool {
	noun, id, _ := strings.Cut(e.Subject, ":")
	n, _ := strconv.ParseInt(id, 10, 64) // none is 0, which nothing has
	lacks := func(in func(*State) bool) bool { return in(all) && !in(view) }
	lacksIncident := func(id int64) bool {
		return lacks(func(s *State) bool { _, err := s.Incidents.Get(id); return err == nil })
	}
	var of struct { // a body says where it belongs
		Incident int64 `json:"incident"`
	}
	_ = json.Unmarshal(e.Body, &of) // of a body of another form, what its subject says counts
	if lacksIncident(of.Incident) {
		return true
	}
	if noun == "reminder" && n >= 1 && n <= int64(len(all.Reviews.Reminders)) { // what became of one that named its subject when it was wanted
		noun, id, _ = strings.Cut(all.Reviews.Reminders[n-1].About, ":")
		n, _ = strconv.ParseInt(id, 10, 64)
	}
	switch noun {
	case "incident", "review":
		return lacksIncident(n)
	case "measure":
		m, err := all.Reviews.Measure(n)
		return err == nil && lacksIncident(m.Incident)
	case "alert":
		return lacks(func(s *State) bool { return s.Incidents.Alerts[id] != nil })
	case "call":
		return lacks(func(s *State) bool { _, err := s.Calls.Get(n); return err == nil })
	case "approval":
		return lacks(func(s *State) bool { _, err := s.Approvals.Get(n); return err == nil })
	case "report":
		return lacks(func(s *State) bool {
			c, ok := s.reports.Case(n)
			if !ok || c.Incident == 0 {
				return ok
			}
			_, err := s.Incidents.Get(c.Incident)
			return err == nil
		})
	}
	return false
}

// VerifyLedger reads the whole ledger again and checks it against its head.
func (d *Desk) VerifyLedger() (ledger.Report, error) {
	return ledger.Verify(d.o.Data, ledgerDir, d.key.Public(), nil)
}

// An Offline ledger is one that is looked at without the program running, or beside it.
type Offline struct {
	Data disk.Layer
	key  ledger.Verifier
	Copy bool // the key came from the data folder itself: whoever wrote the ledger could have changed it too
}

// OpenLedger finds the key that checks the ledger of a data folder: the given text, else the key folder's, else the data folder's.
func OpenLedger(data, keys disk.Layer, key string) (Offline, error) {
	o := Offline{Data: data}
	for k, from := range []disk.Layer{keys, data} {
		if key != "" {
			break
		}
		if from == nil {
			continue
		}
		b, err := disk.ReadFile(from, publicFile)
		if err == nil {
			key, o.Copy = string(b), k == 1
		}
	}
	if key == "" {
		return o, errors.New("no key to check the ledger with: give --keys, or --key with the text of " + publicFile)
	}
	var err error
	o.key, err = ledger.ParseVerifier(key)
	return o, err
}

// An ExportKey checks what a ledger signed.
type ExportKey = ledger.Verifier

// Key is the one that checks the ledger.
func (o Offline) Key() ExportKey { return o.key }

// Verify checks every entry, and that the ledger extends copyOf if that is not nil.
func (o Offline) Verify(copyOf []byte) (ledger.Report, error) {
	return ledger.Verify(o.Data, ledgerDir, o.key, copyOf)
}

// Export writes the entries from a number on, checked.
func (o Offline) Export(w io.Writer, from int64) error {
	return ledger.Export(o.Data, ledgerDir, o.key, w, from)
}

// Entries calls yield with each entry from a number on.
func (o Offline) Entries(from int64) func(func(entry.Entry, error) bool) {
	return ledger.Read(o.Data, ledgerDir, from)
}
