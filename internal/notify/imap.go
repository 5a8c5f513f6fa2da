package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// As much of IMAP (RFC 9051, and RFC 3501 before it) as a mailbox of reports needs: one command at a time, each answer bounded in bytes, lines and time,
// because the server is not ours.

const (
	imapLine  = 16 << 10 // bytes of a line
	imapLines = 2000     // of one answer
)

// An imapLink is one connection. One goroutine uses it; when ctx ends, it is closed.
type imapLink struct {
	raw  net.Conn // below TLS
	conn net.Conn
	r    *bufio.Reader
	tag  int
	caps []string
	news bool // it said that something came (RFC 9051 7.4.1), in whatever answer, and nobody looked since
	stop func() bool
}

// An imapRefusal is a tagged NO or BAD, or a BYE.
type imapRefusal struct{ line string }

func (r *imapRefusal) Error() string { return "the server said " + oneLine(r.line, maxReply) }

// temporary reports whether the server itself says that trying again may help (RFC 5530).
func (r *imapRefusal) temporary() bool {
	up := strings.ToUpper(r.line)
	return strings.HasPrefix(up, "BYE") || strings.Contains(up, "[UNAVAILABLE]") || strings.Contains(up, "[INUSE]") || strings.Contains(up, "[SERVERBUG]") || strings.Contains(up, "[LIMIT]")
}

// An imapText is one answer line with its literals taken out.
type imapText struct {
	text     string
	literals [][]byte
}

// An imapAnswer is all that came before the tagged line of a command, and that line.
type imapAnswer struct {
	untagged []imapText
	tagged   string
}

func newIMAPLink(ctx context.Context, conn net.Conn) *imapLink {
	s := &imapLink{raw: conn, conn: conn, r: bufio.NewReaderSize(conn, imapLine)}
	s.stop = context.AfterFunc(ctx, func() { conn.Close() })
	return s
}

// Close ends the connection.
func (s *imapLink) Close() {
	s.stop()
	s.raw.Close()
}

// secure starts TLS. What the server said in the clear and was not read yet is forgotten, and an error: it would count as said inside.
func (s *imapLink) secure(ctx context.Context, config *tls.Config) error {
	if s.r.Buffered() > 0 {
		return permanent("the mailbox for reports said something in the clear behind STARTTLS: somebody may be between us, so nothing more was said")
	}
	t := tls.Client(s.raw, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	s.conn, s.r, s.caps = t, bufio.NewReaderSize(t, imapLine), nil
	return nil
}

func (s *imapLink) can(what string) bool {
	return slices.ContainsFunc(s.caps, func(c string) bool { return strings.EqualFold(c, what) })
}

// line reads one line with its literals, of which all together may have left bytes.
func (s *imapLink) line(left *int) (out imapText, err error) {
	var b strings.Builder
	for {
		var line strings.Builder // of any length that left allows: the numbers of a full mailbox are one line
		for full := true; full; {
			part, err := s.r.ReadSlice('\n')
			if full = errors.Is(err, bufio.ErrBufferFull); err != nil && !full {
				return out, err
			}
			if *left -= len(part); *left < 0 {
				return out, errors.New("the server sent more than it was asked for")
			}
			line.Write(part)
		}
		text := strings.TrimRight(line.String(), "\r\n")
		n, ok := literal(text)
		if !ok {
			b.WriteString(text)
			out.text = b.String()
			return out, nil
		}
		if *left -= n; *left < 0 {
			return out, errors.New("the server sent more than it was asked for")
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(s.r, body); err != nil {
			return out, err
		}
		b.WriteString(text[:strings.LastIndexByte(text, '{')] + "{}")
		out.literals = append(out.literals, body)
	}
}

// literal reads the length at the end of a line: {123}.
func literal(line string) (n int, ok bool) {
	if !strings.HasSuffix(line, "}") {
		return 0, false
	}
	open := strings.LastIndexByte(line, '{')
	if open < 0 {
		return 0, false
	}
	size, err := strconv.ParseUint(strings.TrimSuffix(line[open+1:len(line)-1], "+"), 10, 31)
	return int(size), err == nil
}

// greeting reads the server's first line.
func (s *imapLink) greeting() error {
	s.hurry(mailboxWait)
	left := imapLine
	l, err := s.line(&left)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(strings.ToUpper(l.text), "* OK") {
		return &imapRefusal{strings.TrimPrefix(l.text, "* ")}
	}
	return nil
}

func (s *imapLink) hurry(d time.Duration) { _ = s.conn.SetDeadline(time.Now().Add(d)) }

// say sends a command and reads its answer. A refusal is an *imapRefusal.
func (s *imapLink) say(command string) (imapAnswer, error) {
	tag, err := s.send(command)
	if err != nil {
		return imapAnswer{}, err
	}
	return s.answer(tag, nil)
}

func (s *imapLink) send(command string) (tag string, err error) {
	s.tag++
	tag = "t" + strconv.Itoa(s.tag)
	s.hurry(mailboxWait)
	_, err = io.WriteString(s.conn, tag+" "+command+"\r\n")
	return tag, err
}

// answer reads until the tagged line. more answers what the server asks for in between (a line that begins with "+").
func (s *imapLink) answer(tag string, more func(text string) (string, error)) (a imapAnswer, err error) {
	left, bye := maxReport+imapLine*8, ""
	for range imapLines {
		l, err := s.line(&left)
		if err != nil && bye != "" {
			return a, &imapRefusal{bye}
		}
		if err != nil {
			return a, err
		}
		switch first, rest, _ := strings.Cut(l.text, " "); first {
		case tag:
			a.tagged = rest
			if word, _, _ := strings.Cut(rest, " "); !strings.EqualFold(word, "OK") {
				return a, &imapRefusal{rest}
			}
			return a, nil
		case "*":
			if strings.HasPrefix(strings.ToUpper(rest), "BYE") {
				bye = rest
			}
			l.text = rest
			s.news = s.news || came(rest)
			a.untagged = append(a.untagged, l)
		case "+":
			if more == nil {
				return a, errors.New("the server asks for something that was not announced")
			}
			reply, err := more(rest)
			if err != nil {
				return a, err
			}
			if _, err := io.WriteString(s.conn, reply+"\r\n"); err != nil {
				return a, err
			}
		default:
			return a, errors.New("the server does not speak IMAP")
		}
	}
	return a, errors.New("the server's answer has no end")
}

// came reports whether an untagged line says that there are messages that may be new.
func came(rest string) bool {
	words := strings.Fields(rest)
	return len(words) == 2 && (strings.EqualFold(words[1], "EXISTS") || strings.EqualFold(words[1], "RECENT"))
}

// capabilities asks what the server can do.
func (s *imapLink) capabilities() error {
	a, err := s.say("CAPABILITY")
	if err != nil {
		return err
	}
	s.caps = nil
	for _, l := range a.untagged {
		if words := strings.Fields(l.text); len(words) > 0 && strings.EqualFold(words[0], "CAPABILITY") {
			s.caps = append(s.caps, words[1:]...)
		}
	}
	return nil
}

// signIn signs in by the strongest way that both know, as the sender of mail does.
func (s *imapLink) signIn(host, username, password string) error {
	l := &login{username: username, password: password}
	if t, ok := s.conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		l.state = &state
	}
	offer := &smtp.ServerInfo{Name: host, TLS: l.state != nil}
	for _, c := range s.caps {
		if way, ok := strings.CutPrefix(strings.ToUpper(c), "AUTH="); ok {
			offer.Auth = append(offer.Auth, way)
		}
	}
	if len(offer.Auth) == 0 && !s.can("LOGINDISABLED") && l.state != nil {
		_, err := s.say("LOGIN " + quoted(username) + " " + quoted(password))
		return err
	}
	mechanism, first, err := l.Start(offer)
	if err != nil {
		return err
	}
	tag, err := s.send("AUTHENTICATE " + mechanism)
	if err != nil {
		return err
	}
	_, err = s.answer(tag, func(text string) (string, error) {
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return "", errors.New("the server's challenge is not base64")
		}
		reply := first
		if reply == nil || len(challenge) > 0 {
			if reply, err = l.Next(challenge, true); err != nil {
				return "", err
			}
		}
		first = nil
		return base64.StdEncoding.EncodeToString(reply), nil
	})
	if err == nil && l.scram && l.step < 3 { // it said that all is well, and did not prove that it knows the password
		_, err = l.Next(nil, false)
	}
	return err
}

// fetch reads one message, or its beginning.
func (s *imapLink) fetch(id uint32) ([]byte, error) {
	a, err := s.say(fmt.Sprintf("UID FETCH %d (BODY.PEEK[]<0.%d>)", id, maxReport))
	if err != nil {
		return nil, err
	}
	for _, l := range a.untagged {
		if strings.Contains(strings.ToUpper(l.text), "FETCH") && len(l.literals) > 0 {
			return l.literals[0], nil
		}
	}
	return nil, nil // it went meanwhile
}

// wait returns when something may have come: soon when the server said so in an answer since the last look, at once when it says so now (IDLE, RFC 2177), or after a
// while; after most, unless that is 0. nil also when ctx ended.
func (s *imapLink) wait(ctx context.Context, most time.Duration) error {
	switch {
	case s.news:
		most = mailboxSoon // a server that says so without end is asked no more often than this
	case s.can("IDLE"):
		return s.idle(most)
	case most == 0:
		most = mailboxPoll
	}
	pause := time.NewTimer(most)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-pause.C:
	}
	if s.news {
		return nil
	}
	_, err := s.say("NOOP")
	return err
}

// idle waits by IDLE, for most when that is not 0.
func (s *imapLink) idle(most time.Duration) error {
	tag, err := s.send("IDLE")
	if err != nil {
		return err
	}
	if most == 0 || most > mailboxIdle {
		most = mailboxIdle
	}
	s.hurry(mailboxWait)
	left := imapLine * 8
	for idle := false; !idle || !s.news; {
		l, err := s.line(&left)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() && idle {
			break
		}
		if err != nil {
			return err
		}
		if strings.HasPrefix(l.text, "+") {
			idle = true
			s.hurry(most)
			continue
		}
		if strings.HasPrefix(l.text, tag+" ") {
			return &imapRefusal{strings.TrimPrefix(l.text, tag+" ")}
		}
		if strings.HasPrefix(strings.ToUpper(l.text), "* BYE") {
			return &imapRefusal{strings.TrimPrefix(l.text, "* ")}
		}
		if rest, ok := strings.CutPrefix(l.text, "* "); ok && came(rest) { // also before its "+"
			s.news = true
		}
	}
	s.hurry(mailboxWait)
	if _, err := io.WriteString(s.conn, "DONE\r\n"); err != nil {
		return err
	}
	_, err = s.answer(tag, nil)
	return err
}

// quoted writes a string of IMAP. Line ends were refused when the options were read.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
