package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// RemoteOptions say what an agent on a host of its own watches, and where it keeps what the server does not have yet.
type RemoteOptions struct {
	Dir     string   // data folder: what Join left, the spool, the head of the ledger
	Paths   []string // as Options.Paths
	Usual   []string // those of Paths that nobody asked for: of them one that holds logs is enough
	Journal bool     // follow the systemd journal
	Units   []string // of it only these; none is all
	Syslog  string   // address on loopback for RFC 3164 and 5424, UDP and TCP; "" is none
	Spool   int64    // bytes; 0 is 1 GiB
	Proxy   string   // "" is what HTTPS_PROXY says
	Version string
	Roots   []string // where shops are looked for; none is the usual web roots

	Poll       time.Duration // as Options.Poll
	BatchDelay time.Duration // as Options.BatchDelay; 0 is 50 ms
	Journalctl string        // program to follow the journal by; "" is journalctl
}

// A Remote is the agent on a shop host: it follows logs into its spool, and sends from there. Run it once.
type Remote struct {
	log     *slog.Logger
	o       RemoteOptions
	folder  *disk.Folder
	held    *disk.Held
	spooled *disk.Folder
	spool   *Spool
	sender  *sender

	watcher *Watcher
	journal *journal
	syslog  *syslog
	found   facts
	guard   *guard
}

// Status is what a Remote last wrote down about itself, for the command line.
type Status struct {
	At     time.Time   `json:"at"`
	Server string      `json:"server"`
	Agent  string      `json:"agent"`
	Name   string      `json:"name"`
	State  string      `json:"state"` // "connected", or what is wrong
	Since  time.Time   `json:"since"`
	Last   time.Time   `json:"last_receipt,omitzero"`
	Until  time.Time   `json:"certificate_until"`
	Host   record.Host `json:"host"`
}

const (
	statusFile   = "status.json"
	statusEvery  = 5 * time.Second
	usualSpool   = 1 << 30
	fewBatches   = 100     // that wait: with more the server is behind, or away
	smallestRoom = 1 << 20 // bytes that a spool has at least
)

// OpenRemote opens the data folder of an agent that joined. Close gives it back, if Run was not called.
func OpenRemote(log *slog.Logger, o RemoteOptions) (_ *Remote, err error) {
	if o.Spool == 0 {
		o.Spool = usualSpool
	}
	if o.Spool < smallestRoom {
		return nil, fmt.Errorf("a spool of %d bytes is too small: give it 1 MiB at least", o.Spool)
	}
	if o.BatchDelay == 0 {
		o.BatchDelay = 50 * time.Millisecond
	}
	r := &Remote{log: log, o: o}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.folder, err = disk.Open(o.Dir); err != nil {
		return nil, err
	}
	if r.held, err = disk.Lock(o.Dir); err != nil {
		return nil, err
	}
	id, err := readIdentity(r.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("this host did not join a server yet: make a token there and run tocsin-agent join URL TOKEN (looked in %s)", o.Dir)
	}
	if err != nil {
		return nil, err
	}
	c, err := newClient(id, o.Proxy)
	if err != nil {
		return nil, err
	}
	if r.spooled, err = disk.Open(filepath.Join(o.Dir, "spool")); err != nil {
		return nil, err
	}
	if r.spool, err = OpenSpool(log, r.spooled, o.Spool); err != nil {
		return nil, err
	}
	r.sender = &sender{log: log, layer: r.folder, spool: r.spool, client: c, host: r.host, every: usualRhythm()}
	if err = r.feeds(); err != nil {
		return nil, err
	}
	return r, nil
}

// feeds makes what lines come from.
func (r *Remote) feeds() (err error) {
	start := r.spool.Positions()
	lost := func(g record.Gap) { r.sender.gap(g) }
	if len(r.o.Paths) > 0 {
		r.watcher = New(r.log, Options{
			Paths: r.o.Paths, Start: start, Since: r.spool.Stopped(), Append: r.spool.Append, Poll: r.o.Poll, BatchLines: 4000, BatchDelay: r.o.BatchDelay,
			// Each batch costs the server an fsync of its own. Those that pile up while it cannot be reached shall not be the reason that it takes long to catch up.
			Behind: func() bool { return r.spool.State().Batches > fewBatches },
			Stamp:  func(_, raw string) (time.Time, bool) { return timeIn(raw, time.Now(), time.Local) },
		})
		r.guard = newGuard(r.log, r.watcher, r.spool, lost)
	}
	if r.o.Journal {
		r.journal = newJournal(r.log, r.o.Journalctl, r.o.Units, start[journalFile], r.spool.Append)
	}
	if r.o.Syslog != "" {
		if r.syslog, err = newSyslog(r.log, r.o.Syslog, start[syslogFile], r.spool.Append, lost); err != nil {
			return err
		}
	}
	return nil
}

// Close gives the folder back.
func (r *Remote) Close() {
	if r.spool != nil {
		_ = r.spool.Close()
	}
	if r.syslog != nil {
		r.syslog.close()
	}
	if r.spooled != nil {
		r.spooled.Close()
	}
	if r.held != nil {
		_ = r.held.Unlock()
	}
	if r.folder != nil {
		r.folder.Close()
	}
}

// Run watches and sends until ctx ends, which is no error; what was not sent is sent at the next start. An error means that the
// spool cannot be written any more: start again.
func (r *Remote) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	var err error
	all.Go(func() {
		err = r.sender.run(ctx)
		stop()
	})
	all.Go(func() { // who waits for room in the spool must not wait any more
		<-ctx.Done()
		_ = r.spool.Close()
	})
	all.Go(func() { r.found.run(ctx, r.o.Roots) })
	all.Go(func() { r.note(ctx) })
	if r.watcher != nil {
		all.Go(func() { _ = r.watcher.Run(ctx) })
		all.Go(func() { r.guard.run(ctx) })
	}
	if r.journal != nil {
		all.Go(func() { r.journal.run(ctx) })
	}
	if r.syslog != nil {
		all.Go(func() { r.syslog.run(ctx) })
	}
	all.Wait()
	r.writeStatus()
	r.Close()
	return err
}

// note writes down how the agent is, for the command line.
func (r *Remote) note(ctx context.Context) {
	for {
		r.writeStatus()
		select {
		case <-ctx.Done():
			return
		case <-time.After(statusEvery):
		}
	}
}

// writeStatus replaces the file that the command line reads. It is not synced: after a power cut nobody needs it.
func (r *Remote) writeStatus() {
	id := r.sender.client.identity()
	s := Status{At: time.Now(), Server: id.URL, Agent: id.Agent, Name: id.Name, Host: r.host()}
	if pair, err := id.pair(); err == nil {
		s.Until = pair.Leaf.NotAfter
	}
	r.sender.mu.Lock()
	s.State, s.Since, s.Last = r.sender.state, r.sender.since, r.sender.last
	s.Host.Clock, s.Host.Head, s.Host.Gaps = r.sender.clock, r.sender.headAt, slices.Clone(r.sender.gaps)
	r.sender.mu.Unlock()
	s.Host.Spool = r.spool.State()
	if s.State == "" {
		s.State = "connecting"
	}
	b, err := json.MarshalIndent(s, "", "\t")
	if err == nil {
		err = replaceSoft(r.folder, statusFile, b)
	}
	if err != nil {
		r.log.Debug("the status cannot be written", "err", err)
	}
}

// replaceSoft is disk.Replace without its syncs.
func replaceSoft(l disk.Layer, name string, b []byte) error {
	f, err := l.OpenFile(name+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return l.Rename(name+".tmp", name)
}

// ReadStatus reads what a running agent wrote down last.
func ReadStatus(dir string) (Status, error) {
	l, err := disk.Open(dir)
	if err != nil {
		return Status{}, err
	}
	defer l.Close()
	b, err := disk.ReadFile(l, statusFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Status{}, fmt.Errorf("no agent ran on %s yet: tocsin-agent run starts it", dir)
	}
	var s Status
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

// host is what is known of this host now.
func (r *Remote) host() record.Host {
	h := r.found.now()
	h.At, h.Version = time.Now(), r.o.Version
	if r.watcher != nil {
		for _, s := range needed(r.watcher.Sources(), r.o.Usual) {
			h.Sources = append(h.Sources, record.Feed{Path: s.Path, Pattern: s.Pattern, State: string(s.State), Why: s.Why, Lines: s.Lines, Lag: s.Lag, Last: s.LastLine, Gaps: s.Gaps})
		}
	}
	if r.journal != nil {
		h.Sources = append(h.Sources, r.journal.feed())
	}
	if r.syslog != nil {
		h.Sources = append(h.Sources, r.syslog.feed())
	}
	return h
}

// Spooled reads how much waits, for tests and the command line.
func (r *Remote) Spooled() record.Spool { return r.spool.State() }

// clip shortens a text from outside for a message.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
