package voice

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A call is one call under way. Its loop alone touches it, but for the media's receiver.
type call struct {
	dialog
	line  *Line
	order Order
	media *media
	own   description
	clips map[string][]byte
	out   Outcome
	now   func() time.Time

	// after the answer
	talk      talk
	up        bool // answered: a BYE is owed
	gone      bool // the far side said BYE, or the connection ended
	invite    int  // the number of our last INVITE
	ack       []byte
	wantsPlan bool // an INVITE without a description was answered with ours; its ACK brings theirs
	theirs    int  // the highest number of a request of the far side
	timer     timer
	due       time.Time // when the timer needs something
	refresh   bool      // a re-INVITE of ours is under way
	held      bool
}

// maxMarks is how many moments a call's history keeps.
const maxMarks = 200

func (c *call) mark(format string, a ...any) {
	if len(c.out.Trail) < maxMarks {
		c.out.Trail = append(c.out.Trail, Mark{c.now(), fmt.Sprintf(format, a...)})
	}
}

// fail sets how the call ended.
func (c *call) fail(temporary bool, format string, a ...any) {
	c.out.Result, c.out.Temporary, c.out.Reason = Failed, temporary, fmt.Sprintf(format, a...)
}

// Call makes one call and returns when it is over; it takes at most the ringing time, the limit and a few seconds. When ctx ends the call
// is hung up. Only a key of the person makes it Acknowledged or PassedOn.
func (l *Line) Call(ctx context.Context, o Order) Outcome {
	c := &call{line: l, order: o, now: time.Now}
	c.out.Privacy = EndToEnd
	if o.Through {
		c.out.Privacy = ToProvider
	}
	server, err := c.address()
	if err != nil {
		c.fail(false, "%v", err)
		return c.out
	}
	if err := c.prepare(ctx); err != nil {
		c.fail(false, "preparing the words: %v", err)
		return c.out
	}
	c.link, err = l.dial(ctx, server)
	if err != nil {
		var d *dialError
		c.fail(!errors.As(err, &d) || d.Temporary, "%v", err)
		c.mark("no connection: %v", err)
		return c.out
	}
	defer c.link.close()
	c.mark("connected to %s: %s", server.Host, c.link.cipher())
	if err := c.openSound(); err != nil {
		c.fail(true, "%v", err)
		return c.out
	}
	defer c.media.close()
	if answer := c.ring(ctx); answer != nil {
		c.converse(ctx, answer)
		sent, received, forged := c.media.counts()
		c.mark("%d packets sent, %d received, %d failed their authentication or were repeated", sent, received, forged)
	}
	return c.out
}

// address works out whom to call, over which server.
func (c *call) address() (server address, err error) {
	o, t := c.order, c.line.options.Trunk
	if !o.Through {
		if server, err = readAddress(o.To); err != nil {
			return server, err
		}
		if server.User == "" {
			return server, fmt.Errorf("the address %.80q names nobody; write sips:name@host", o.To)
		}
		c.uri = server.uri()
	} else {
		if t == nil {
			return server, errors.New("there is no trunk for calls to numbers; set one up, or give the person a sips: address")
		}
		if server, err = readAddress(t.Server); err != nil {
			return server, err
		}
		to := address{Host: t.domain(server), Port: "5061"}
		if strings.HasPrefix(strings.ToLower(o.To), "sips:") {
			if to, err = readAddress(o.To); err != nil {
				return server, err
			}
		} else if to.User, err = number(o.To); err != nil {
			return server, err
		}
		c.uri = to.uri()
		c.signer.user, c.signer.password = t.User, t.Password
	}
	c.to = "<" + c.uri + ">"
	return server, nil
}

func (t *Trunk) domain(server address) string {
	if t.Domain != "" {
		return t.Domain
	}
	return server.Host
}

// number reads a telephone number: digits, an optional + before them, and spaces, hyphens, dots, slashes and brackets that people write.
func number(s string) (string, error) {
	out := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()", r) {
			return -1
		}
		return r
	}, strings.TrimPrefix(strings.ToLower(s), "tel:"))
	digits := strings.TrimPrefix(out, "+")
	if len(digits) < 2 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "" {
		return "", fmt.Errorf("%.40q is no telephone number; write it as +49 30 1234567", s)
	}
	return out, nil
}

// prepare readies the words before the telephone rings.
func (c *call) prepare(ctx context.Context) error {
	code := known(c.order.Language)
	var err error
	if c.clips, err = clips(code); err != nil {
		return err
	}
	o, p := c.order, c.line.options
	severity := o.Severity
	if _, ok := c.clips["severity-"+severity]; !ok {
		severity = ""
	}
	if o.Detail != "" && o.PIN != nil && p.Speech != "-" {
		pcm, err := speak(ctx, p.Speech, vocabulary()[code].Voice, o.Detail)
		if err != nil {
			c.mark("the details are not spoken: %v", err)
		} else {
			c.clips["detail"] = encode(pcm)
		}
	}
	_, detail := c.clips["detail"]
	if o.Test {
		c.clips["hello"] = append(c.clips["hello"][:len(c.clips["hello"]):len(c.clips["hello"])], c.clips["test"]...)
	}
	c.talk = talk{pinAsked: o.PIN != nil, detail: detail, tries: p.PINTries, stray: p.Stray, repeats: p.Repeats, number: spoken(o.Number), severity: severity}
	return nil
}

// openSound opens the media and writes our description of it.
func (c *call) openSound() error {
	p := c.line.options
	var err error
	bind := c.link.local().Addr()
	if c.media, err = openMedia(bind, p.PortLow, p.PortHigh); err != nil {
		return err
	}
	show := bind
	if p.Advertise.IsValid() {
		show = p.Advertise
	}
	if heard := c.line.heard; heard != nil {
		to := c.order.To
		c.media.heard = func(pcm []int16) { heard(to, pcm) }
	}
	chance := [8]byte(c.media.key[22:])
	c.own = description{Session: binary.BigEndian.Uint64(chance[:])>>2 ^ uint64(c.now().UnixNano())>>2, Version: 1, Media: netip.AddrPortFrom(show, c.media.port()), Tag: 1, Key: c.media.key, Audio: []uint8{0, 8}, Digits: 101, Direction: "sendrecv"}
	caller, host := "tocsin", bracket(show.String())
	c.contact = fmt.Sprintf("<sips:tocsin@%s;transport=tls>", netip.AddrPortFrom(show, c.link.local().Port()))
	if t := c.line.options.Trunk; c.order.Through {
		server, _ := readAddress(t.Server)
		caller, host = t.User, bracket(t.domain(server))
		if t.Caller != "" {
			caller = t.Caller
		}
	}
	c.from = fmt.Sprintf("\"Tocsin\" <sips:%s@%s>;tag=%s", caller, host, token(8))
	c.id = token(16)
	return nil
}

// sendInvite sends our INVITE, the first one, a signed one, or a refresh within the call.
func (c *call) sendInvite(every, least int) error {
	m := c.request("INVITE")
	c.invite = c.cseq
	m.add("Supported", "timer")
	m.add("Session-Expires", fmt.Sprintf("%d", every))
	m.add("Min-SE", fmt.Sprintf("%d", least))
	c.signer.sign(m, "INVITE", c.uri)
	m.kind, m.body = "application/sdp", c.own.text()
	return c.link.write(m.bytes())
}

// ackFinal acknowledges a final response to our INVITE: a refusal belongs to the transaction, a 2xx is a request of its own.
func (c *call) ackFinal(r *sip.Response) {
	if r.StatusCode >= 300 {
		_ = c.link.write(c.numbered("ACK", c.uri, header(r, "To"), c.branch, c.invite).bytes())
		return
	}
	m := c.numbered("ACK", c.uri, c.to, "z9hG4bK"+token(12), c.invite)
	c.signer.sign(m, "ACK", c.uri)
	c.ack = m.bytes()
	_ = c.link.write(c.ack)
}

// ring invites and waits for the answer: nil when there is none, and then the outcome is set.
func (c *call) ring(ctx context.Context) *sip.Response {
	every, least, longer := 1800, 90, 0
	if err := c.sendInvite(every, least); err != nil {
		c.fail(true, "sending the invitation: %v", err)
		return nil
	}
	c.mark("invited %s", strings.TrimSuffix(c.uri, ";transport=tls"))
	limit := time.NewTimer(c.line.options.Ring)
	defer limit.Stop()
	alive := time.NewTicker(25 * time.Second)
	defer alive.Stop()
	done := ctx.Done()
	heard, cancelling, early := false, false, []byte(nil)
	said := map[int]bool{}
	stop := func(why Outcome) {
		done = nil
		c.out.Result, c.out.Temporary, c.out.Reason = why.Result, why.Temporary, why.Reason
		if cancelling = true; heard { // before the first response there is nothing to cancel (RFC 3261, section 9.1)
			_ = c.link.write(c.request("CANCEL").bytes())
			c.mark("gave up, and told the far side")
		}
		limit.Reset(5 * time.Second)
	}
	for {
		select {
		case <-done:
			stop(Outcome{Result: Failed, Temporary: true, Reason: "the call was ended before anybody answered"})
		case <-limit.C:
			if cancelling {
				if !heard {
					c.fail(true, "the far side did not react to the invitation")
				}
				return nil
			}
			stop(Outcome{Result: NoAnswer, Reason: "it rang, and nobody answered"})
		case <-alive.C:
			_ = c.link.write([]byte("\r\n\r\n"))
		case m, ok := <-c.link.in:
			if !ok {
				if !cancelling {
					c.fail(true, "the far side ended the connection before it answered")
				}
				return nil
			}
			r, isResponse := m.(*sip.Response)
			if !isResponse {
				c.link.strange(m.(*sip.Request))
				continue
			}
			if !c.answers(r, "INVITE", c.invite) {
				continue
			}
			status := r.StatusCode
			switch {
			case status < 200:
				if !said[status] && len(said) < 10 {
					said[status] = true
					c.mark("%s (%d)", map[int]string{100: "the server works on it", 180: "it rings", 183: "the network speaks before the answer"}[status], status)
				}
				if len(r.Body()) > 0 && len(r.Body()) <= maxSDP {
					early = r.Body()
				}
				if first := !heard; first {
					heard = true
					if cancelling {
						_ = c.link.write(c.request("CANCEL").bytes())
					}
				}
			case status < 300:
				c.established(r)
				c.ackFinal(r)
				c.up = true
				if len(r.Body()) == 0 {
					r.SetBody(early)
				}
				if cancelling { // they answered while we cancelled
					c.mark("answered while we gave up: hung up")
					c.hangup(context.WithoutCancel(ctx))
					return nil
				}
				return r
			default:
				c.ackFinal(r)
				if cancelling {
					return nil
				}
				if status == 401 || status == 407 {
					if err := c.signer.challenged(r); err != nil {
						c.mark("refused: %v (%d)", err, status)
						c.fail(false, "%v", err)
						return nil
					}
				} else if n := readTimer(header(r, "Min-SE"), "uac").Every; status == 422 && longer < 2 && n > 0 && n <= 24*time.Hour {
					longer++
					least = max(least, int(n/time.Second))
					every = max(every, least)
				} else {
					o := verdict(status, header(r, "Retry-After"))
					c.out.Result, c.out.Temporary, c.out.After, c.out.Reason = o.Result, o.Temporary, o.After, o.Reason
					c.mark("%s (%d)", o.Reason, status)
					return nil
				}
				if err := c.sendInvite(every, least); err != nil {
					c.fail(true, "sending the invitation: %v", err)
					return nil
				}
			}
		}
	}
}

// hangup says BYE and waits up to 2 s for its answer.
func (c *call) hangup(ctx context.Context) {
	if !c.up || c.gone {
		return
	}
	c.gone = true
	if _, err := c.exchange(ctx, "BYE", 2*time.Second, func(*message) {}); err != nil {
		c.mark("hung up, and the far side did not confirm: %v", err)
		return
	}
	c.mark("hung up by us")
}
