package desk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
)

// # Reports from outside
//
// Strangers write through package web (outside.go takes, outsidethread.go talks back) or by mail (outsideletters.go); people of the team read and decide
// (outsideread.go, outsidedecide.go). What was told is never here readable: it is sealed by the browser, or before it is written, and opens with the
// team's key (outsidekey.go) alone. No address and no user agent comes further than package web, which hands over a name of the network that dies with
// the program. Reporters who gave a mail address are answered there, too (outsidemail.go). security.txt is in securitytxt.go.

// A LettersReader hears mail of people until its context ends or something breaks: take gets each whole message, looked each look into the mailbox.
type LettersReader func(ctx context.Context, take func(raw []byte) error, looked func()) error

// OutsideOptions say how people outside report.
type OutsideOptions struct {
	URL       string        // where the page is, without a slash at the end, when it has an origin of its own; "" is the console's
	Severity  string        // how severe it is that a report waits to be read; "" is high
	Contact   []string      // further contacts for security.txt: mailto:, https:, tel:
	Letters   LettersReader // mail to abuse@ and security@; nil hears none
	Addresses []string      // of that mailbox, and others of ours: what comes from them is no report
	Limits    report.Limits // of the door; zero is report.Usual
}

// outside is what the program knows of reports besides the ledger. It dies with the program.
type outside struct {
	mu      sync.Mutex // for the door
	door    report.Door
	letters report.Door // what comes by mail, counted for itself
	spent   report.Spent

	gather  sync.Mutex
	waiting []*lateReport
	full    chan struct{} // of those that wait: closed when they fill an entry

	unlocked sync.Mutex
	keys     map[string]unlocked // by session or token
	tried    map[string]*trial   // passphrases, by who gave them
	opening  sync.Mutex          // one passphrase is tried at a time: each costs 64 MiB and a part of a second

	changing sync.Mutex // one change of the key or of security.txt at a time
	flying   sync.Map   // mails to reporters that are being sent, by report and number
	box      standby
	left     tally // letters that were left in the mailbox, by why
}

// A lateReport is not written yet.
type lateReport struct {
	filing report.Filing
	done   chan error
}

// TakesReports says whether people outside can report.
func (d *Desk) TakesReports() bool { return d.o.Outside != nil }

// OutsideURL is where the page for reports is, without a slash at the end, and whether it has an origin of its own.
func (d *Desk) OutsideURL() (string, bool) {
	if d.o.Outside != nil && d.o.Outside.URL != "" {
		return d.o.Outside.URL, true
	}
	return d.o.URL, false
}

// openOutside makes what the page needs, once the ledger is open: the team's key, and security.txt.
func (d *Desk) openOutside() error {
	if d.o.Outside == nil {
		return nil
	}
	d.outside.door.Limits = d.o.Outside.Limits
	if d.outside.door.Limits == (report.Limits{}) {
		d.outside.door.Limits = report.Usual()
	}
	d.outside.letters.Limits = d.outside.door.Limits
	if d.TeamKey() == "" {
		if err := d.makeReportKey("desk", ""); err != nil {
			return err
		}
	}
	return d.keepSecurityText(time.Now())
}

// applyReports folds what is of reports from outside.
func (s *State) applyReports(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.ReportFiled, entry.ReportBundled, entry.ReportRead, entry.ReportOpened, entry.ReportJoined, entry.ReportAnswered, entry.ReportClosed, entry.ReportSpam,
		entry.ReportReopened, entry.ReportTold, entry.ReportRung, entry.ReportGrew, entry.ReportGuessed, entry.ReportKeyMade, entry.SecurityTextPut:
		return true, s.reports.Fold(e)
	case entry.ReportMailWanted, entry.ReportMailSent, entry.ReportMailFailed:
		return true, s.applyReportMail(e)
	}
	return false, nil
}

// receiptHash is what is kept of a receipt's token.
func (d *Desk) receiptHash(token []byte) string {
	return report.Hash([]byte(d.vault.Hash("report receipts", "key")), token)
}

// challengeKey signs challenges.
func (d *Desk) challengeKey() []byte { return []byte(d.vault.Hash("report challenges", "key")) }

// Challenge returns the work that the next report costs, and of how many bits it is.
func (d *Desk) Challenge(now time.Time) (challenge string, difficulty int) {
	var chance [report.ChallengeChance]byte
	_, _ = rand.Read(chance[:]) // it never fails
	d.outside.mu.Lock()
	difficulty = d.outside.door.Difficulty(now)
	d.outside.mu.Unlock()
	return report.Challenge(d.challengeKey(), difficulty, now, chance), difficulty
}

// Solved is the answer to a challenge.
type Solved struct{ Challenge, Number string }

// ErrNotWorked says that the work of a challenge was not done, or is over: another one is needed.
var ErrNotWorked = errors.New("the work was not done, or the challenge is over")

// work takes the answer to a challenge. It counts once.
func (d *Desk) work(now time.Time, w Solved) error {
	done, err := report.CheckWork(d.challengeKey(), w.Challenge, w.Number, now)
	if err == nil {
		d.outside.mu.Lock()
		err = d.outside.spent.Use(done, now)
		d.outside.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotWorked, err)
	}
	return nil
}

// smallRoom is the room of the disk that large reports leave to small ones, so that a flood with attachments never shuts the door for words.
const smallRoom = 1 << 30

// admit asks the door, and whether the disk has room: reports must never be what fills it.
func (d *Desk) admit(now time.Time, network, way string, plain bool, size int64) error {
	if err := d.Broken(); err != nil {
		return err
	}
	need := d.o.Reserve + uint64(2*ballastSize+size)
	if size > report.Small {
		need += smallRoom
	}
	if free, err := d.o.Data.Free(); err == nil && free < need {
		return report.Refusal{Why: "bytes", Wait: time.Hour}
	}
	d.outside.mu.Lock()
	defer d.outside.mu.Unlock()
	if way == report.Mail { // strangers at the page's plain form do not shut the mailbox
		return d.outside.letters.Admit(now, network, plain, size)
	}
	return d.outside.door.Admit(now, network, plain, size)
}

// ErrNoReportKey says that there is no key to which reports are sealed.
var ErrNoReportKey = errors.New("the team has no key for reports yet: set reports in tocsin.yaml, then restart")

// A SealedReport is what the page's script sends.
type SealedReport struct {
	From      string // see report.Senders
	Token     []byte // of its receipt
	Recipient string // to whom answers are sealed
	Lang      string
	Sealed    []byte
}

// FileSealed takes a report that the browser has sealed. One that came already, because its answer was lost on the way, is taken once.
//
// Errors: ErrNotWorked; report.Refusal; ErrBroken; else it is not what the page's script sends.
func (d *Desk) FileSealed(network string, w Solved, r SealedReport) error {
	now := time.Now()
	if !d.TakesReports() || d.TeamKey() == "" {
		return ErrNoReportKey
	}
	if err := errors.Join(letterbox.CheckSealed(r.Sealed), checkToken(r.Token), letterbox.CheckRecipient(r.Recipient)); err != nil {
		return err
	}
	if err := d.work(now, w); err != nil {
		return err
	}
	return d.file(now, network, report.Filing{From: r.From, Way: report.Form, Receipt: d.receiptHash(r.Token), Reply: r.Recipient, Lang: r.Lang}, r.Sealed)
}

func checkToken(token []byte) error {
	if len(token) != 32 {
		return errors.New("the token of a receipt has 32 bytes")
	}
	return nil
}

// FilePlain takes a report that reached us readable, seals it, and returns its receipt, which is kept nowhere. Errors as of FileSealed, without ErrNotWorked.
func (d *Desk) FilePlain(network string, p report.Parcel) (report.Receipt, error) {
	return d.FilePlainOnce(network, "", p)
}

// FilePlainOnce is FilePlain for a form that was drawn with the chance once: the same words from the same form are one report with one receipt, however often they
// are sent. once is kept nowhere, and of its form is known whether it was. "" takes each.
func (d *Desk) FilePlainOnce(network, once string, p report.Parcel) (report.Receipt, error) {
	return d.filePlain(network, report.Form, p, once, "")
}

// onceReceipt makes a receipt. Of the same words in the same form it is the same, by a key of the installation and the chance of the form, which we do not keep:
// so nobody can make it again from what lies here.
func (d *Desk) onceReceipt(once string, p report.Parcel) (report.Receipt, error) {
	var chance [report.ReceiptBytes]byte
	if once == "" {
		_, _ = rand.Read(chance[:]) // it never fails
		return report.NewReceipt(chance), nil
	}
	b, err := report.WriteParcel(p, letterbox.Overhead(2))
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, []byte(d.vault.Hash("report form", once)))
	m.Write(b)
	copy(chance[:], m.Sum(nil))
	return report.NewReceipt(chance), nil
}

// filePlain files a report that is readable. letter is a keyed hash of the mail that it is, "" of a form: the same mail is one report, however often it is read.
func (d *Desk) filePlain(network, way string, p report.Parcel, once, letter string) (report.Receipt, error) {
	team := d.TeamKey()
	if !d.TakesReports() || team == "" {
		return "", ErrNoReportKey
	}
	receipt, err := d.onceReceipt(once, p)
	if err != nil {
		return "", err
	}
	own, err := letterbox.Derive(receipt)
	if err != nil {
		return "", err
	}
	hash := d.receiptHash(own.Token[:])
	if letter != "" {
		hash = d.receiptHash([]byte(letter))
	}
	if d.filed(hash) {
		return receipt, nil
	}
	sealed, err := letterbox.Post(p, team, own.Key.Recipient())
	if err != nil {
		return "", err
	}
	from := p.From
	if from == "" {
		from = report.Unknown
	}
	return receipt, d.file(time.Now(), network, report.Filing{From: from, Way: way, Plain: true, Receipt: hash, Reply: own.Key.Recipient(), Lang: p.Lang}, sealed)
}

// filed reports whether a report has this hash of a receipt.
func (d *Desk) filed(hash string) (is bool) {
	d.Read(func(s *State) { _, is = s.reports.Find(hash) })
	return is
}

// file lets a report in, keeps it, and writes its entry.
func (d *Desk) file(now time.Time, network string, f report.Filing, sealed []byte) error {
	f.Size = int64(len(sealed))
	if err := d.admit(now, network, f.Way, f.Plain, f.Size); err != nil {
		return err
	}
	if d.filed(f.Receipt) { // its answer was lost on the way
		return nil
	}
	d.mu.RLock()
	_, err := report.Take(d.state.reports, now, 1, []report.Filing{{From: f.From, Way: f.Way, Vault: "-", Size: f.Size, Receipt: f.Receipt, Reply: f.Reply}})
	d.mu.RUnlock()
	if err != nil { // before anything is kept of it
		return err
	}
	if f.Vault, err = d.vault.Put(sealed); err != nil {
		return fmt.Errorf("keeping a report: %w", err)
	}
	err = d.gathered(f)
	d.unkept(err, f.Vault)
	if errors.Is(err, report.ErrTwice) { // it came twice at once
		return nil
	}
	return err
}

// gathered writes a report, together with those that come in the same moments once so many came that they are bundled. It returns when it is written.
func (d *Desk) gathered(f report.Filing) error {
	x, o := &lateReport{f, make(chan error, 1)}, &d.outside
	o.gather.Lock()
	o.waiting = append(o.waiting, x)
	first, full := len(o.waiting) == 1, o.full
	if first {
		full = make(chan struct{})
		o.full = full
	} else if len(o.waiting) == report.MostBundle {
		close(o.full)
	}
	o.gather.Unlock()
	if first {
		if d.bundles(time.Now()) {
			late := time.NewTimer(report.GatherFor)
			select {
			case <-late.C:
			case <-full:
			}
			late.Stop()
		}
		d.writeGathered()
	}
	return <-x.done
}

// bundles says whether the next report is bundled.
func (d *Desk) bundles(now time.Time) (is bool) {
	d.Read(func(s *State) {
		drafts, err := report.Take(s.reports, now, d.outside.own(), []report.Filing{{From: report.Unknown, Way: report.Form, Vault: "-", Size: 1}})
		is = err == nil && len(drafts) == 1 && drafts[0].Kind == entry.ReportBundled
	})
	return is
}

func (o *outside) own() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.door.Limits.Own
}

// writeGathered writes those that wait, at most MostBundle in one entry. When one of them cannot be, the others are written one by one.
func (d *Desk) writeGathered() {
	o := &d.outside
	o.gather.Lock()
	all := o.waiting
	o.waiting, o.full = nil, nil
	o.gather.Unlock()
	own := o.own()
	put := func(some []*lateReport) error {
		var filings []report.Filing
		for _, x := range some {
			filings = append(filings, x.filing)
		}
		return d.write(func(s *State, now time.Time) ([]entry.Draft, error) { return report.Take(s.reports, now, own, filings) })
	}
	for len(all) > 0 {
		some := all[:min(len(all), report.MostBundle)]
		all = all[len(some):]
		err := put(some)
		for _, x := range some {
			if err != nil && len(some) > 1 && !errors.Is(err, ErrBroken) {
				x.done <- put([]*lateReport{x})
				continue
			}
			x.done <- err
		}
	}
}

// owedReports is what the bell owes for reports, and when to ask again: see report.Owed.
func (d *Desk) owedReports(s *State, now time.Time) (drafts []entry.Draft, again time.Time) {
	debts, again := report.Owed(s.reports, now)
	for _, x := range debts {
		drafts = append(drafts, x.Draft())
	}
	return drafts, again
}
