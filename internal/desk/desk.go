// Package desk is the one door: commands come in, are decided by a pure function, written in the ledger, and only then
// folded into the state; only then are they true, and only then does anything act. Nothing else appends.
//
// Three loops live here. The reader takes lines from the archive at its own cursor, has them parsed and matched, and
// raises the alerts (reader.go, raise.go). The debt loop asks what is owed now, writes the intent, acts, and writes the
// outcome (debts.go, send.go). The watcher of package agent fills the archive (watch.go), or the player of the bundled
// sample does (sample.go). A full or broken disk stops them in this order: archive, ledger; the bell is heard even then.
//
// Faces (web, api, cli) call the methods of Desk, one file per noun, and look at the state inside Read.
package desk

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/archive"
	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/internal/ledger"
	"tocsin/internal/notify"
	"tocsin/internal/room"
	"tocsin/internal/scratch"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
	"tocsin/internal/signin"
	"tocsin/internal/tlp"
	"tocsin/internal/vault"
	"tocsin/internal/voice"
)

// A Sender rings one address once. It comes from package notify.
type Sender func(context.Context, notify.Message) error

// A ReportsReader hears reports of non-delivery until its context ends or something breaks: take gets each, looked each look into the mailbox.
type ReportsReader func(ctx context.Context, take func(notify.Report) error, looked func(notify.Look)) error

// Options are what the desk is given by the command line and the configuration.
type Options struct {
	Version     string
	Data        disk.Layer // all state
	Keys        disk.Layer // master and signing key, outside of Data
	Passphrase  string     // wraps the master key, if given
	Rules       *detect.Rules
	Refused     []detect.Refused
	Warned      []detect.Warning
	Plan        fs.FS    // the bundled plan: playbooks/*.yaml, glossary.yaml, actions.txt; nil is none
	Folders     *Folders // of the rules, which are loaded again when a file changes; nil: the rules above, for ever
	Geo         *intake.Geo
	Own         []netip.Prefix
	Shared      []netip.Prefix
	Trusted     []netip.Prefix
	Zone        *time.Location                                                 // of logs without a zone
	Maps        []intake.Mapping                                               // of JSON that no format knows
	Watch       []string                                                       // files, globs, folders
	Poll        time.Duration                                                  // of watched files, when the system tells nothing
	Sample      fs.FS                                                          // bundled logs to play instead
	Pace        time.Duration                                                  // how long the sample plays; 0 is 20 s
	Silent      func(file string) time.Duration                                // limit of silence; 0 is none
	Retention   time.Duration                                                  // of lines; 0 keeps all
	Keeps       []Keep                                                         // further limits of the lines on the shelf
	LogBytes    int64                                                          // a segment of the write-ahead log of lines, packed; 0 is 4 MiB. What is complete goes to the shelf
	SealLines   int64                                                          // how many lines of small segments go to the shelf at once; 0 is 50,000
	JoinAfter   time.Duration                                                  // how long after its last line came a small volume is joined with others; 0 is ten minutes
	Reserve     uint64                                                         // bytes that stay free for the ledger when the archive stops
	Ballast     int64                                                          // bytes set aside for the last entries on a full disk; 0 is 16 MiB
	Hub         *HubOptions                                                    // where agents on other hosts are heard; nil is nowhere
	Doors       Doors                                                          // other ways by which lines come in
	Senders     map[string]Sender                                              // by channel: mail, webhook
	Deliver     func(context.Context, notify.Message) (notify.Accepted, error) // mail for calls, with what the server said; nil is the sender of mail
	Phone       func(context.Context, voice.Order) voice.Outcome               // makes telephone calls; nil makes none
	Register    func(context.Context, func(voice.Registration)) error          // keeps us registered at the telephone provider until its context ends; nil does not
	Reports     ReportsReader                                                  // hears reports of non-delivery; nil hears none
	From        string                                                         // sender's address of our mail, for which we have a key; "" seals nothing by OpenPGP
	Signer      *envelope.Signer                                               // our certificate for S/MIME; nil is none
	Authorities *x509.CertPool                                                 // who may issue certificates of people; nil is nobody
	Lookup      envelope.Directory                                             // where people's keys are looked up
	Watchers    []Watcher                                                      // who is told every minute that the bell works
	Watches     []Watch                                                        // other Tocsins whose beats are taken here
	Tests       time.Duration                                                  // how often each channel of a person is tested; 0 is never
	Room        *RoomOptions                                                   // the war room; nil is none
	Slack       *SlackOptions                                                  // a channel for each incident; nil is none
	Webhooks    []Webhook                                                      // other programs that are told what happens
	Expiries    func(time.Time) []Expiry                                       // certificates that end soon or do not hold; nil is none
	Outside     *OutsideOptions                                                // where people outside report; nil is nowhere
	SignOn      *signin.ProviderConfig                                         // where people may sign in elsewhere; nil is nowhere
	URL         string                                                         // where people reach the console, without a slash at the end

	Organisation string // whose program this is, on covers, on /report and below mails to who reported; "" is not said
}

// A Desk is the running system.
type Desk struct {
	log     *slog.Logger
	o       Options
	ledger  *ledger.Ledger
	key     ledger.Key
	vault   *vault.Vault
	archive *archive.Archive
	shelf   *shelf.Shelf
	scratch *scratch.Store
	pins    sync.Mutex // one PIN of a call is checked at a time

	mu     sync.RWMutex
	state  *State
	broken error // why no more commands are taken, if set

	details      sync.Mutex // held while details of alerts are kept or erased, with their entry
	changed      *broadcast // something that screens show is different
	owing        chan struct{}
	sending      sync.WaitGroup
	flying       map[flight]context.CancelFunc // tries that are being sent; owned by the debt loop
	landed       chan landing
	notices      couriers
	updates      runners
	postmen      postmen   // reminders of reviews and measures
	asks         time.Time // when it is looked next for what the plan is to be reviewed for; the debt loop owns it
	cards        cards
	reader       *reader
	rules        atomic.Pointer[RuleSet] // that detection uses
	lists        lists
	readOnly     bool // there are lines to be searched, and no other store
	offline      bool // there is no reader, and nothing runs
	watcher      *agent.Watcher
	alarm        *alarm
	secret       []byte // signs answer and setup links
	replies      once   // idempotency keys
	bringing     *Slots // of large requests, from their first byte until they are done
	seeking      *Slots // of searches, traces and exports, while they read
	exporting    *Slots // of exports until they are handed out
	following    *Slots // of those that follow lines
	passwords    *signin.Passwords
	nobody       string // a password that nobody has
	beat         beat
	refusals     tally
	refusedFrom  hourly  // sign-ins
	tokensFrom   hourly  // tokens
	bundled      measure // the sample, if it is played
	searcher     *search.Searcher
	toExpire     []*shelf.Volume // of which the entry stands already; of the goroutine that keeps the shelf, as the next
	unsaid       bool            // an entry about volumes could not be written
	saying       sync.Mutex      // while the ledger is told of what was done on the shelf, where others than that goroutine may do it
	agents       agents
	doors        doors
	callers      []*caller // of webhooks
	names        sync.Map  // of log sources, by keyed hash
	beats        beats
	seals        ourKeys // our keys for mail
	registration standby // the registration at the telephone provider
	mailbox      standby // of reports of non-delivery
	People       contacts
	ways         ways
	views        views
	rooms        *room.Rooms // nil: there is no war room
	chat         chatting
	outside      outside   // reports from outside
	playbooks    playbooks // as they were read, and those that came with the program
	returns      returns
	nothingLeft  map[int64]time.Time // incidents that left nothing to watch for, by when they were closed; the bell owns it
	reminded     int64               // entry up to which reminders were sent; the bell owns it
}

// ErrBroken says that the ledger could not be written. Nothing was done.
var ErrBroken = errors.New("the ledger cannot be written, so Tocsin takes no command. Free the disk or mend it, then restart")

// Local is the program's own actor.
func Local(name string) auth.Actor { return auth.Actor{Name: name, Local: true} }

// Open opens all stores and folds the ledger. It says what it found in the log. The caller holds the folder's lock.
func Open(log *slog.Logger, o Options) (*Desk, error) {
	d := &Desk{log: log, o: o, state: newState(), changed: newBroadcast(), owing: make(chan struct{}, 1),
		flying: map[flight]context.CancelFunc{}, landed: make(chan landing, 64), seeking: newSlots(seekers), exporting: newSlots(downloads), following: newSlots(followers), bringing: newSlots(uploads)}
	d.notices, d.updates, d.postmen = newCouriers(), newRunners(), newPostmen()
	d.beats.told, d.beats.heard = map[string]Told{}, map[string]pulse{}
	d.state.Plan.Tests = o.Tests
	d.alarm = newAlarm(d)
	d.state.Runs.Text = d.readRevision
	if err := d.playbooks.load(o.Plan); err != nil {
		return nil, err
	}
	set := RuleSet{Rules: o.Rules, Refused: o.Refused, Warned: o.Warned}
	d.passwords = signin.NewPasswords()
	var err error
	if d.nobody, err = d.passwords.Hash(context.Background(), rand.Text()); err != nil { // before the ledger is read, because it takes 19 MB for a moment
		return nil, err
	}
	cut, err := d.openStores()
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if o.Folders != nil {
		set = d.firstRules()
		d.saveRules(&set)
	}
	d.rules.Store(&set)
	d.eraseAgain()
	d.eraseSentMail()
	d.secret = []byte(d.vault.Hash("links", "key"))
	d.People.open(d)
	if err = d.openWays(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err = d.openIdentity(time.Now()); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if d.Sample() {
		err = d.measureSample(d.state.firstStart(time.Now()))
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.relist()
	d.relistReturns()
	d.nothingLeft = map[int64]time.Time{}
	if d.reader, err = newReader(d); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	err = d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{
			{Actor: "desk", Kind: entry.ProgramStarted, Subject: "program", Body: entry.Started{
				Version: o.Version, Sample: o.Sample != nil, CutBytes: cut.CutBytes, CutEntries: cut.CutEntries}},
			set.loaded(detect.Adopted{}),
		}, nil
	})
	if err == nil {
		err = d.seedPlaybooks()
	}
	if err == nil {
		err = d.noteIdentity()
	}
	if err == nil {
		err = d.openHub()
	}
	if err == nil {
		err = d.openDoors()
	}
	if err == nil {
		err = d.openRoom()
	}
	if err == nil {
		err = d.openSlack()
	}
	if err == nil {
		err = d.openWebhooks()
	}
	if err == nil {
		err = d.openOutside()
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close closes the stores. Run must have returned.
func (d *Desk) Close() error {
	var errs []error
	if d.o.Hub != nil {
		_ = d.o.Hub.Listener.Close() // Run has closed it, if it ever ran
	}
	if d.rooms != nil {
		errs = append(errs, d.rooms.Close()) // it writes who leaves
	}
	d.closeSlack()
	if d.searcher != nil {
		d.searcher.Close()
	}
	if d.shelf != nil {
		errs = append(errs, d.shelf.Close())
	}
	if d.archive != nil {
		errs = append(errs, d.archive.Close())
	}
	if d.ledger != nil {
		errs = append(errs, d.ledger.Close())
	}
	if d.vault != nil {
		errs = append(errs, d.vault.Close())
	}
	if d.scratch != nil {
		errs = append(errs, d.scratch.Flush(time.Now()))
	}
	return errors.Join(errs...)
}

// Run does the work until ctx ends: watch, read, ring. It returns nil when ctx ended it.
func (d *Desk) Run(ctx context.Context) error {
	err := runLoops(ctx, map[string]func(context.Context) error{
		"watcher": d.watch, "reader": d.reader.run, "bell": d.ring, "housekeeping": d.housekeep, "shelf": d.shelve, "rules": d.watchRules,
		"agents": d.hear, "doors": d.takeIn, "sources": d.listen, "watchers": d.tell, "cards": d.showCards, "slack": d.hearSlack, "webhooks": d.tellHooks, "line": d.register, "reports": d.hearReports, "letters": d.hearLetters,
	})
	d.sending.Wait()
	d.landLast()
	d.landNotices()
	d.landUpdates()
	d.landLastReminders()
	return err
}

// runLoops runs loops until ctx ends or one of them fails, which ends the others. It returns why, nil when ctx ended them.
func runLoops(ctx context.Context, loops map[string]func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	for name, loop := range loops {
		wg.Go(func() {
			if err := loop(ctx); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// write is the only way anything changes: decide, append, fold.
func (d *Desk) write(decide func(*State, time.Time) ([]entry.Draft, error)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	now := time.Now()
	drafts, err := decide(d.state, now)
	if err != nil || len(drafts) == 0 {
		return err
	}
	entries, err := d.ledger.Append(now, drafts...)
	if err != nil && d.ledger.Broken() == nil { // a draft that can be no entry: nothing was written, and the next may be
		d.log.Error("an entry cannot be made", "error", err)
		return err
	}
	if err != nil {
		d.broken = fmt.Errorf("%w (%v)", ErrBroken, err)
		d.log.Error("the ledger cannot be written", "error", err)
		d.alarm.sound(ledgerFails, "its ledger: "+err.Error())
		if err := disk.DropBallast(d.o.Data, ballast); err != nil { // the next start needs room to mend a torn end
			d.log.Error("giving back the ballast", "error", err)
		}
		return d.broken
	}
	for _, e := range entries {
		if err := d.state.apply(e); err != nil {
			panic("desk: we wrote what we cannot read: " + err.Error())
		}
	}
	d.changed.say()
	d.owes()
	return nil
}

// owes wakes the debt loop.
func (d *Desk) owes() {
	select {
	case d.owing <- struct{}{}:
	default:
	}
}

// do asks permission, then writes one decision.
func (d *Desk) do(actor auth.Actor, a auth.Action, decide func(*State, time.Time) (entry.Draft, error)) error {
	if err := auth.May(actor, a); err != nil {
		return err
	}
	return d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		x, err := decide(s, now)
		if err != nil {
			return nil, err
		}
		return []entry.Draft{x}, nil
	})
}

// say is do with what a person wrote. Only who may act fills the vault.
func (d *Desk) say(actor auth.Actor, a auth.Action, words string, decide func(s *State, text string) (entry.Draft, error)) error {
	if err := errors.Join(auth.May(actor, a), d.Broken()); err != nil {
		return err
	}
	text, err := d.text(strings.TrimSpace(words))
	if err != nil {
		return err
	}
	return d.do(actor, a, func(s *State, _ time.Time) (entry.Draft, error) { return decide(s, text) })
}

// text puts what a person wrote into the vault, before the entry that names it. Empty text is no object.
func (d *Desk) text(s string) (id string, err error) {
	if s == "" {
		return "", nil
	}
	if len(s) > textAtMost {
		return "", fmt.Errorf("the text is longer than %d bytes; shorten it or attach a file", textAtMost)
	}
	id, err = d.vault.Put([]byte(s))
	if err != nil {
		return "", fmt.Errorf("keeping the text: %w", err)
	}
	return id, nil
}

// Text returns what a person wrote, or says why it is not there any more.
func (d *Desk) Text(id string) string {
	switch id {
	case "":
		return ""
	case incident.Covered:
		return "(" + tlp.Red.String() + ": only those for whom it is may read this.)"
	}
	b, err := d.vault.Get(id)
	switch {
	case errors.Is(err, vault.ErrErased):
		return "(erased)"
	case err != nil:
		return "(not readable: " + err.Error() + ")"
	}
	return string(b)
}

// Read calls look with the state, which does not change meanwhile. Keep nothing of it, do nothing slow, and ask nothing of the reader
// (Reading, Habits): an order to forget a habit holds the reader while it is written.
func (d *Desk) Read(look func(*State)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	look(d.state)
}

// Broken returns why no command is taken, or nil.
func (d *Desk) Broken() error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.broken
}

// Changed returns a channel that is closed at the next change.
func (d *Desk) Changed() <-chan struct{} { return d.changed.next() }

// Sample reports whether the bundled logs are played.
func (d *Desk) Sample() bool { return d.o.Sample != nil }

// A broadcast wakes everyone who waits for the next change.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func newBroadcast() *broadcast { return &broadcast{ch: make(chan struct{})} }

func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ch
}

func (b *broadcast) say() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.ch = make(chan struct{})
}
