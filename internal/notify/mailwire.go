package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// deliver sends c over l and keeps l for the next message when it is still good.
func (m *Mail) deliver(ctx context.Context, l *link, to *netmail.Address, msg Message, c composed) (Accepted, *Failure) {
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	l.conn.left = maxHeard
	dsn := false
	if m.o.DSN && msg.Ref != "" {
		dsn, _ = l.client.Extension("DSN")
	}
	reply, step, err := l.transmit(c.from, bare(to), msg.ID, dsn, c.raw)
	stop()
	if err == nil {
		m.keep(l)
		a := Accepted{Reply: m.hide(oneLine("250 "+reply, maxReply)), Server: m.addr, Form: c.Form, From: c.from, DSN: dsn}
		if c.Downgraded {
			a.Downgraded = pick(c.Why, "It was sent with less than was asked for.")
		}
		if state, ok := l.client.TLSConnectionState(); ok {
			a.TLS = tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)
		}
		return a, nil
	}
	f := m.failure(ctx, step, err)
	answer, replied := errors.AsType[*textproto.Error](err)
	f.Uncertain = step == "the message's end" && !replied
	if replied && answer.Code != 421 && l.client.Reset() == nil {
		m.keep(l)
	} else {
		l.conn.Close()
	}
	return Accepted{}, f
}

// bare returns the address as MAIL FROM and RCPT TO want it.
func bare(a *netmail.Address) string {
	return (&netmail.Address{Address: a.Address}).String()
}

// transmit is one mail transaction (RFC 5321 3.3), with what RFC 3461 adds to it when dsn. It returns the server's words, or the
// step that failed.
func (l *link) transmit(from, to, id string, dsn bool, raw []byte) (reply, step string, err error) {
	from = bare(&netmail.Address{Address: from})
	mail, rcpt := "MAIL FROM:"+from, "RCPT TO:"+to
	if dsn {
		mail += " RET=HDRS ENVID=" + xtext(id)
		rcpt += " NOTIFY=FAILURE,DELAY ORCPT=rfc822;" + xtext(strings.Trim(to, "<>"))
	}
	if err := l.say(mail, 250); err != nil {
		return "", "MAIL FROM " + from, err
	}
	if err := l.say(rcpt, 25); err != nil {
		return "", "RCPT TO " + to, err
	}
	w, err := l.client.Data()
	if err != nil {
		return "", "DATA", err
	}
	if _, err := w.Write(raw); err != nil {
		return "", "the message", err
	}
	if err := w.Close(); err != nil {
		return "", "the message's end", err
	}
	if d, ok := w.(*smtp.DataCloser); ok {
		reply = d.ServerResponse()
	}
	return reply, "", nil
}

// say sends a command and reads the answer. What we send is ASCII in lines of 76, so no BODY=8BITMIME is asked for, and no SMTPUTF8.
func (l *link) say(command string, want int) error {
	id, err := l.client.Text.Cmd("%s", command)
	if err != nil {
		return err
	}
	l.client.Text.StartResponse(id)
	defer l.client.Text.EndResponse(id)
	_, _, err = l.client.Text.ReadResponse(want)
	return err
}

// heard bounds what a server may say, so that one which never ends its line costs no memory.
type heard struct {
	net.Conn
	left int // bytes; one goroutine reads
}

// Read implements net.Conn.
func (h *heard) Read(b []byte) (int, error) {
	if h.left <= 0 {
		return 0, fmt.Errorf("the server said more than %d bytes", maxHeard)
	}
	n, err := h.Conn.Read(b[:min(len(b), h.left)])
	h.left -= n
	return n, err
}

// failure words what went wrong in a step. A reply of 4xx is temporary and one of 5xx permanent (RFC 5321 4.2.1); so is a
// certificate that does not hold; everything else may be better next time.
func (m *Mail) failure(ctx context.Context, step string, err error) *Failure {
	doing := "the mail server " + m.addr + ", " + step
	var f *Failure
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		f = &Failure{Temporary: reply.Code < 500, Reason: fmt.Sprintf("%s: it answered %d %s", doing, reply.Code, oneLine(reply.Msg, maxReply))}
		f.After = replyAfter(reply.Code, reply.Msg)
	} else if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		f = permanent("%s: its certificate does not hold (%s); if its authority is your own, name the authority's file as CA file", doing, oneLine(cert.Err.Error(), maxReply))
	} else {
		f = network(ctx, doing, err)
	}
	f.Reason = m.hide(f.Reason)
	return f
}

// waitForm is how greylists and rate limits say for how long.
var waitForm = regexp.MustCompile(`(?i)\b(?:in|for|after|within|wait|retry)\b\D{0,12}(\d{1,5}) ?(s|sec|secs|seconds?|m|min|mins|minutes?)\b`)

// replyAfter says for how long a server does not want to be asked again (RFC 5321 4.2.1, RFC 3463 for 4.7.x): what it says itself, or, of a
// greylist that does not say it, a minute. Others are asked again soon: what waits is a call.
func replyAfter(code int, words string) time.Duration {
	if code < 400 || code >= 500 {
		return 0
	}
	if x := waitForm.FindStringSubmatch(words[:min(len(words), 1000)]); x != nil {
		n, _ := strconv.Atoi(x[1])
		unit := time.Second
		if x[2][0] == 'm' || x[2][0] == 'M' {
			unit = time.Minute
		}
		return min(time.Duration(n)*unit, maxAfter)
	}
	if strings.HasPrefix(words, "4.7.") { // greylists and limits of our rate
		return time.Minute
	}
	return 0
}

// hide takes the password out of a text, should a server repeat it.
func (m *Mail) hide(s string) string {
	if len(m.o.Password) < 4 {
		return s
	}
	return strings.ReplaceAll(s, m.o.Password, "[password]")
}
