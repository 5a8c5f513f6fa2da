package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The limits of reading a mailbox.
const (
	mailboxWait  = 30 * time.Second // for one answer of its server
	mailboxIdle  = 4 * time.Minute  // at most so long nothing is asked (RFC 2177 allows 29 minutes; networks forget sooner)
	mailboxPoll  = 30 * time.Second // of a server without IDLE
	mailboxSoon  = time.Second      // after the server said in an answer that something came
	mailboxLater = 2 * time.Second  // after a report that could not be taken yet; each further time twice as long
	mailboxMost  = 10 * time.Minute // but not longer than this
	mailboxStuck = 500              // reports that could not be taken are remembered
	mailboxBatch = 50               // messages of one look
)

// MailboxOptions says where reports of non-delivery come to. There is no way without TLS.
type MailboxOptions struct {
	Host     string // name or address of the IMAP server; its certificate must be for this name
	Port     int    // 0 is 993, or 143 with STARTTLS
	StartTLS bool   // TLS begins by STARTTLS (RFC 9051 6.2.1); otherwise at once (RFC 8314)
	CAFile   string // PEM file of the authority that signed the server's certificate; "" trusts what the machine trusts
	Username string
	Password string
	Folder   string   // "" is INBOX
	Bounces  *Bounces // whose tokens are believed
	Letters  bool     // it is a mailbox for people's mail: no Bounces are needed, and HearLetters reads it
}

// A Mailbox reads reports of non-delivery by IMAP (RFC 9051 and 3501). What was read is marked as seen and left there.
type Mailbox struct {
	o     MailboxOptions
	addr  string
	roots *x509.CertPool

	mu    sync.Mutex
	valid uint32           // UIDVALIDITY of the folder, within which a UID is of one message (RFC 9051 2.3.1.1)
	stuck map[uint32]stuck // by UID: reports that could not be taken; it outlives a connection
	rest  stuck            // all others up to the UID upTo, when they are too many to be remembered each
	upTo  uint32           // the highest of these that could not be taken: what came later is new
}

// A stuck is a report that could not be taken.
type stuck struct {
	tries int
	next  time.Time // not read before
}

// ErrLater is what the receiver of a report answers to have it once more: the message stays unseen.
var ErrLater = errors.New("this report is to be read once more")

// NewMailbox checks the options and reads the CA file. It does not connect; see Check.
func NewMailbox(o MailboxOptions) (*Mailbox, error) {
	switch {
	case o.Host == "":
		return nil, errors.New("the mailbox for reports: the server's host is missing")
	case o.Username == "" || o.Password == "":
		return nil, errors.New("the mailbox for reports: user name and password are missing")
	case o.Bounces == nil && !o.Letters:
		return nil, errors.New("the mailbox for reports: there is no secret by which reports are believed")
	case o.Port < 0 || o.Port > 65535:
		return nil, fmt.Errorf("the mailbox for reports: %d is no port", o.Port)
	}
	if o.Bounces != nil {
		if err := o.Bounces.check(); err != nil {
			return nil, err
		}
	}
	if o.Folder == "" {
		o.Folder = "INBOX"
	}
	if o.Port == 0 {
		o.Port = 993
		if o.StartTLS {
			o.Port = 143
		}
	}
	for _, s := range []string{o.Folder, o.Username, o.Password} {
		if len(s) > 1000 || strings.ContainsAny(s, "\r\n\x00") {
			return nil, errors.New("the mailbox for reports: its folder, user name or password has a line end, or is too long")
		}
	}
	b := &Mailbox{o: o, addr: net.JoinHostPort(o.Host, strconv.Itoa(o.Port))}
	var err error
	if b.roots, err = rootsOf(o.CAFile); err != nil {
		return nil, fmt.Errorf("the mailbox for reports: %w", err)
	}
	return b, nil
}

// Check connects, signs in and looks at the folder, without changing it. Every error is a *Failure.
func (b *Mailbox) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.say("EXAMINE " + quoted(b.o.Folder)); err != nil {
		return b.failure(ctx, "opening the folder "+b.o.Folder, err)
	}
	_, _ = s.say("LOGOUT")
	return nil
}

// A Look is what one look into the mailbox found.
type Look struct {
	Reports int // that were believed, and taken
	Forged  int // without a token of ours: not believed
	Others  int // no reports: answers of people on leave, advertising
	Waiting int // that could not be taken so far, and are read again
	Tries   int // how often the oldest of these were tried
}

// Hear stays signed in until ctx ends or something breaks, and hands each report that comes to take, in the order of the mailbox. looked is told
// after each look, if it is not nil. It returns nil when ctx ended, else a *Failure; the caller tries again.
func (b *Mailbox) Hear(ctx context.Context, take func(Report) error, looked func(Look)) error {
	return b.hear(ctx, func(raw []byte, l *Look) error { return b.take(raw, take, l) }, looked)
}

// HearLetters is Hear for a mailbox of people's mail (Letters): take gets each message as it came, at most 2 MiB of it.
func (b *Mailbox) HearLetters(ctx context.Context, take func(raw []byte) error, looked func()) error {
	return b.hear(ctx, func(raw []byte, _ *Look) error { return take(raw) }, func(Look) { looked() })
}

func (b *Mailbox) hear(ctx context.Context, take func([]byte, *Look) error, looked func(Look)) error {
	s, fail := b.open(ctx)
	if fail != nil {
		return quietly(ctx, fail)
	}
	defer s.Close()
	if err := b.choose(s); err != nil {
		return quietly(ctx, b.failure(ctx, "opening the folder "+b.o.Folder, err))
	}
	for {
		l, again, err := b.look(s, take)
		if err != nil {
			return quietly(ctx, b.failure(ctx, "reading reports", err))
		}
		if looked != nil {
			looked(l)
		}
		if again < 0 {
			continue
		}
		if err := s.wait(ctx, again); err != nil {
			return quietly(ctx, b.failure(ctx, "waiting for reports", err))
		}
		if ctx.Err() != nil {
			_, _ = s.say("LOGOUT")
			return nil
		}
	}
}

// quietly is nil when we ended it ourselves.
func quietly(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// choose opens the folder. What is remembered by UID is of another folder when its UIDVALIDITY is not what it was.
func (b *Mailbox) choose(s *imapLink) error {
	said, err := s.say("SELECT " + quoted(b.o.Folder))
	if err != nil {
		return err
	}
	valid := said.validity()
	b.mu.Lock()
	defer b.mu.Unlock()
	if valid != b.valid {
		b.valid, b.stuck, b.rest, b.upTo = valid, nil, stuck{}, 0
	}
	return nil
}

// look reads what was not seen yet. again says when to look again: at once (below zero) because there is more, later because something was not
// taken yet, or when something came (zero).
func (b *Mailbox) look(s *imapLink, take func([]byte, *Look) error) (l Look, again time.Duration, err error) {
	s.news = false
	found, err := s.say("UID SEARCH UNSEEN UNDELETED")
	if err != nil {
		return l, 0, err
	}
	ids := found.numbers("SEARCH")
	b.forget(ids)
	read := 0
	for _, id := range ids {
		now := time.Now()
		if b.rests(id, now) {
			continue
		}
		if read == mailboxBatch {
			again = -1
			break
		}
		raw, err := s.fetch(id)
		if err != nil {
			return l, 0, err
		}
		read++
		switch err := take(raw, &l); {
		case errors.Is(err, ErrLater):
			b.later(id, now)
			continue
		case err != nil:
			return l, 0, err
		}
		if _, err := s.say(fmt.Sprintf(`UID STORE %d +FLAGS.SILENT (\Seen)`, id)); err != nil {
			return l, 0, err
		}
	}
	rest := b.waiting(&l, time.Now())
	if again == 0 {
		again = rest
	}
	return l, again, nil
}

// forget drops what is remembered of messages that are not there any more, or were taken.
func (b *Mailbox) forget(ids []uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.stuck {
		if _, there := slices.BinarySearch(ids, id); !there {
			delete(b.stuck, id)
		}
	}
	if len(b.stuck) < mailboxStuck {
		b.rest, b.upTo = stuck{}, 0
	}
}

// rests reports whether a message is not to be read yet.
func (b *Mailbox) rests(id uint32, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	x, known := b.stuck[id]
	if !known && id <= b.upTo {
		x = b.rest
	}
	return now.Before(x.next)
}

// later remembers that a message could not be taken.
func (b *Mailbox) later(id uint32, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stuck == nil {
		b.stuck = map[uint32]stuck{}
	}
	if x, known := b.stuck[id]; known || len(b.stuck) < mailboxStuck {
		b.stuck[id] = x.later(now)
	} else {
		b.upTo = max(b.upTo, id)
		if !now.Before(b.rest.next) { // what is new does not make those that rest wait longer
			b.rest = b.rest.later(now)
		}
	}
}

func (x stuck) later(now time.Time) stuck {
	return stuck{x.tries + 1, now.Add(min(mailboxMost, mailboxLater<<min(x.tries, 10)))}
}

// waiting counts what could not be taken, and says when the first of it is to be read again; 0 is never.
func (b *Mailbox) waiting(l *Look, now time.Time) (again time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range b.stuck {
		l.Waiting, l.Tries = l.Waiting+1, max(l.Tries, x.tries)
		if rest := max(x.next.Sub(now), time.Millisecond); again == 0 || rest < again {
			again = rest
		}
	}
	return again
}

// take reads one message. Its error is that of the receiver; what cannot be read is counted.
func (b *Mailbox) take(raw []byte, take func(Report) error, l *Look) error {
	r, err := ReadReport(bytes.NewReader(raw), "", b.o.Bounces)
	switch {
	case errors.Is(err, ErrForged):
		l.Forged++
	case err != nil:
		l.Others++
	default:
		if err := take(r); err != nil {
			return err
		}
		l.Reports++
	}
	return nil
}

// open connects, starts TLS and signs in.
func (b *Mailbox) open(ctx context.Context) (*imapLink, *Failure) {
	dctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(dctx, "tcp", b.addr)
	if err != nil {
		return nil, network(dctx, "connecting to the mailbox for reports "+b.addr, err)
	}
	s := newIMAPLink(ctx, conn)
	config := &tls.Config{ServerName: b.o.Host, RootCAs: b.roots, MinVersion: tls.VersionTLS12}
	if err := b.greet(dctx, s, config); err != nil {
		fail := b.failure(dctx, "signing in", err)
		s.Close()
		return nil, fail
	}
	return s, nil
}

func (b *Mailbox) greet(ctx context.Context, s *imapLink, config *tls.Config) error {
	if !b.o.StartTLS {
		if err := s.secure(ctx, config); err != nil {
			return err
		}
	}
	if err := s.greeting(); err != nil {
		return err
	}
	if b.o.StartTLS {
		if err := s.capabilities(); err != nil {
			return err
		}
		if !s.can("STARTTLS") {
			return permanent("the mailbox for reports %s offers no STARTTLS, so nothing was said to it: use its TLS port (993)", b.addr)
		}
		if _, err := s.say("STARTTLS"); err != nil {
			return err
		}
		if err := s.secure(ctx, config); err != nil {
			return err
		}
	}
	if err := s.capabilities(); err != nil { // what was said before TLS does not count (RFC 9051 6.2.1)
		return err
	}
	if err := s.signIn(b.o.Host, b.o.Username, b.o.Password); err != nil {
		return err
	}
	return s.capabilities()
}

// failure words what went wrong.
func (b *Mailbox) failure(ctx context.Context, step string, err error) *Failure {
	doing := "the mailbox for reports " + b.addr + ", " + step
	var f *Failure
	if own, ok := errors.AsType[*Failure](err); ok {
		return own
	}
	if said, ok := errors.AsType[*imapRefusal](err); ok {
		f = permanent("%s: it answered %s", doing, oneLine(said.line, maxReply))
		f.Temporary = said.temporary()
	} else if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		f = permanent("%s: its certificate does not hold (%s); if its authority is your own, name the authority's file as CA file", doing, oneLine(cert.Err.Error(), maxReply))
	} else {
		f = network(ctx, doing, err)
	}
	if len(b.o.Password) >= 4 {
		f.Reason = strings.ReplaceAll(f.Reason, b.o.Password, "[password]")
	}
	return f
}

// validity is the UIDVALIDITY of an answer to SELECT (RFC 9051 7.1); 0 when it says none.
func (a imapAnswer) validity() uint32 {
	for _, l := range a.untagged {
		words := strings.Fields(l.text)
		if len(words) < 3 || !strings.EqualFold(words[0], "OK") || !strings.EqualFold(words[1], "[UIDVALIDITY") {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSuffix(words[2], "]"), 10, 32); err == nil {
			return uint32(n)
		}
	}
	return 0
}

// numbers returns the numbers of untagged answers of a kind, sorted, each once; at most a thousand.
func (a imapAnswer) numbers(kind string) (out []uint32) {
	for _, l := range a.untagged {
		words := strings.Fields(l.text)
		if len(words) == 0 || !strings.EqualFold(words[0], kind) {
			continue
		}
		for _, w := range words[1:] {
			if n, err := strconv.ParseUint(w, 10, 32); err == nil && n > 0 && len(out) < 1000 {
				out = append(out, uint32(n))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
