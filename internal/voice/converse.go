package voice

import (
	"context"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// converse is the answered call, up to its end. The outcome is set when it returns, and the far side knows that the call is over.
func (c *call) converse(ctx context.Context, answer *sip.Response) {
	c.mark("answered (%d)", answer.StatusCode)
	defer func() { c.hangup(context.WithoutCancel(ctx)) }()
	theirs, err := readDescription(answer.Body())
	if err == nil && theirs.Tag != c.own.Tag {
		err = errPlain
	}
	if err == nil {
		err = c.media.use(theirs)
	}
	if err != nil {
		c.mark("refused: %v", err)
		c.fail(false, "%v", err)
		return
	}
	c.held = theirs.Direction == "sendonly" || theirs.Direction == "inactive"
	c.mark("the sound is encrypted with %s", suite)
	c.setTimer(readTimer(header(answer, "Session-Expires", "x"), "uac"))
	received := make(chan struct{})
	go func() { defer close(received); c.media.receive() }()
	defer func() { c.media.close(); <-received }()
	c.speakUntilDone(ctx)
}

// setTimer begins the session timer anew.
func (c *call) setTimer(t timer) {
	c.timer = t
	if t.Every > 0 {
		c.due = c.now().Add(t.next())
	}
}

// speakUntilDone runs the talk: sends a frame every 20 ms, takes keys and messages, until one side ends the call.
func (c *call) speakUntilDone(ctx context.Context) {
	p := c.line.options
	begin := c.now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	alive := time.NewTicker(25 * time.Second)
	defer alive.Stop()
	limit := time.NewTimer(p.Limit)
	defer limit.Stop()
	checked, recorded := make(chan bool, 1), make(chan error, 1)
	recording := false
	play, hang := quiet(400*time.Millisecond), false
	idle, frames := time.Duration(0), 0
	still := quiet(20 * time.Millisecond)
	c.out.Result, c.out.Reason = NoAnswer, "the call was taken, but nobody pressed a key that counts (a voicemail does not)"

	do := func(s step) {
		if s.Say != nil {
			play, idle = play[:0:0], 0
			for _, name := range s.Say {
				play = append(play, c.clips[name]...)
				play = append(play, quiet(120*time.Millisecond)...)
			}
		}
		if s.Check != "" {
			go func() { checked <- c.order.PIN(ctx, s.Check) }()
		}
		if s.Record != "" {
			c.mark("pressed the key for: %s", s.Record)
			recording = true
			go func() {
				if c.order.Record == nil {
					recorded <- nil
					return
				}
				recorded <- c.order.Record(context.WithoutCancel(ctx), s.Record)
			}()
		}
		if s.Hangup {
			hang = true
			c.out.Result, c.out.Reason, c.out.Temporary = s.Result, s.Reason, s.Result == Failed
		}
	}
	finish := func(reason string) { // the end of the call by another reason than the talk's
		if recording { // the key was pressed: the answer counts once it is on record
			do(c.talk.recorded(<-recorded))
			recording = false
		} else if !hang {
			c.out.Reason = reason
		}
		c.mark("%d keys pressed, %d PINs wrong", c.talk.digits, c.talk.wrongPINs)
	}
	first := c.talk.begin()
	lead := play
	do(first)
	play = append(lead, play...)
	for {
		select {
		case <-ctx.Done():
			if !hang && !recording {
				c.fail(true, "the call was ended because Tocsin stops, or had no more time")
			}
			finish(c.out.Reason)
			return
		case <-limit.C:
			finish("the call lasted longer than it may, and nobody pressed a key that counts")
			return
		case <-alive.C:
			_ = c.link.write([]byte("\r\n\r\n"))
		case right := <-checked:
			c.mark("the PIN was %s", map[bool]string{true: "right", false: "wrong"}[right])
			do(c.talk.checked(right))
		case err := <-recorded:
			recording = false
			do(c.talk.recorded(err))
		case key := <-c.media.keys:
			do(c.talk.digit(key))
		case m, ok := <-c.link.in:
			if !ok {
				c.gone = true
				c.mark("the far side ended the connection")
				finish("the connection to the far side broke before anybody pressed a key that counts")
				return
			}
			if ended, reason := c.take(m, do); ended {
				finish(reason)
				return
			}
		case <-tick.C:
			if c.timer.Every > 0 && c.now().After(c.due) && !c.refresh {
				if !c.timer.Ours {
					c.mark("the far side did not refresh the session in time")
					finish("the far side did not keep the call alive (session timer)")
					return
				}
				c.refresh = true
				if err := c.sendInvite(max(int(c.timer.Every/time.Second), 90), 90); err != nil {
					c.mark("refreshing the session: %v", err)
				}
			}
			for due := int(c.now().Sub(begin) / (20 * time.Millisecond)); frames < due; frames++ {
				if due-frames > 10 { // the machine was too busy: skip, do not flood
					frames = due - 1
				}
				switch {
				case c.held:
					c.media.skip()
				case len(play) > 0:
					n := min(frame, len(play))
					_ = c.media.send(append(play[:n:n], still[n:]...))
					play = play[n:]
				case hang:
					finish(c.out.Reason)
					return
				default:
					_ = c.media.send(still)
					if idle += 20 * time.Millisecond; idle >= p.Pause {
						idle = 0
						do(c.talk.said())
					}
				}
			}
		}
	}
}

// take handles a SIP message within the call. It returns true when the call is over, and why.
func (c *call) take(m sip.Message, do func(step)) (bool, string) {
	if r, ok := m.(*sip.Response); ok {
		return c.takeResponse(r)
	}
	r := m.(*sip.Request)
	if !c.ours(r) {
		c.link.strange(r)
		return false, ""
	}
	if r.Method == sip.ACK {
		if c.wantsPlan {
			c.wantsPlan = false
			if theirs, err := readDescription(r.Body()); err != nil || c.media.use(theirs) != nil {
				c.mark("the far side changed the call to one without encryption: hung up")
				return true, "the far side changed the call to one without encryption, so it was ended"
			}
		}
		return false, ""
	}
	if seq := r.CSeq(); seq == nil || int(seq.SeqNo) <= c.theirs && r.Method != sip.CANCEL {
		_ = c.link.write(reply(r, 500, "Out Of Order").bytes())
		return false, ""
	} else if r.Method != sip.CANCEL {
		c.theirs = int(seq.SeqNo)
	}
	switch r.Method {
	case sip.BYE:
		c.gone = true
		_ = c.link.write(reply(r, 200, "OK").bytes())
		c.mark("hung up by the far side")
		return true, "the far side hung up before anybody pressed a key that counts"
	case sip.INFO:
		_ = c.link.write(reply(r, 200, "OK").bytes())
		if key, err := infoDigit(header(r, "Content-Type"), r.Body()); err == nil {
			do(c.talk.digit(key))
		}
	case sip.INVITE, sip.UPDATE:
		_ = c.link.write(c.renegotiate(r).bytes())
	default:
		c.link.strange(r)
	}
	return false, ""
}

// renegotiate answers an INVITE or UPDATE within the call: hold, another address, or only a sign of life (RFC 3261, section 14; RFC 3311;
// RFC 4028). What would drop the encryption gets a 488, and the call goes on as it was.
func (c *call) renegotiate(r *sip.Request) *message {
	if c.refresh && r.Method == sip.INVITE {
		return reply(r, 491, "Request Pending")
	}
	more := [][2]string{{"Contact", c.contact}, {"Allow", allowed}, {"Supported", "timer"}}
	if v := header(r, "Session-Expires", "x"); v != "" {
		t := readTimer(v, "uas")
		if t.Every > 0 && t.Every < 90*time.Second {
			return reply(r, 422, "Session Interval Too Small", [2]string{"Min-SE", "90"})
		}
		who := "uac"
		if t.Ours {
			who = "uas"
		}
		if t.Every > 0 {
			number, _, _ := strings.Cut(v, ";")
			more = append(more, [2]string{"Session-Expires", strings.TrimSpace(number) + ";refresher=" + who}, [2]string{"Require", "timer"})
		}
		c.setTimer(t)
	} else if c.timer.Every > 0 && !c.timer.Ours {
		c.setTimer(c.timer)
	}
	own := c.own
	switch body := r.Body(); {
	case len(body) > 0:
		theirs, err := readDescription(body)
		if err == nil {
			err = c.media.use(theirs)
		}
		if err != nil {
			c.mark("refused a change of the call: %v", err)
			return reply(r, 488, "Not Acceptable Here", [2]string{"Warning", `399 tocsin "only RTP/SAVP with AES_CM_128_HMAC_SHA1_80"`})
		}
		own.Tag, own.Audio, own.Digits, own.Direction = theirs.Tag, theirs.Audio[:1], theirs.Digits, mirror(theirs.Direction)
		held := theirs.Direction == "sendonly" || theirs.Direction == "inactive"
		if held != c.held {
			c.mark("%s", map[bool]string{true: "put on hold by the far side", false: "taken from hold by the far side"}[held])
		}
		c.held = held
	case r.Method == sip.UPDATE:
		return reply(r, 200, "OK", more...)
	default:
		c.wantsPlan = true
	}
	if own.Direction != c.own.Direction || own.Tag != c.own.Tag {
		own.Version = c.own.Version + 1
	}
	c.own.Version, c.own.Direction, c.own.Tag = own.Version, own.Direction, own.Tag
	m := reply(r, 200, "OK", more...)
	m.kind, m.body = "application/sdp", own.text()
	return m
}

// takeResponse handles what the far side answers to our INVITEs within the call.
func (c *call) takeResponse(r *sip.Response) (bool, string) {
	if r.StatusCode < 200 || !c.answers(r, "INVITE", c.invite) {
		return false, ""
	}
	if !c.refresh {
		switch {
		case r.StatusCode >= 300:
		case tagOf(header(r, "To")) == tagOf(c.to): // their 2xx again: our ACK was lost behind a proxy
			_ = c.link.write(c.ack)
		default: // a second telephone answered the same invitation: let it go
			to, uri := header(r, "To"), inAngles(header(r, "Contact"))
			if uri == "" {
				uri = c.uri
			}
			_ = c.link.write(c.numbered("ACK", uri, to, "z9hG4bK"+token(12), c.invite).bytes())
			_ = c.link.write(c.numbered("BYE", uri, to, "z9hG4bK"+token(12), c.invite+1).bytes())
			c.mark("a second telephone answered too, and was let go")
		}
		return false, ""
	}
	c.refresh = false
	c.ackFinal(r)
	switch status := r.StatusCode; {
	case status < 300:
		if theirs, err := readDescription(r.Body()); err != nil || c.media.use(theirs) != nil {
			c.mark("the far side dropped the encryption at a refresh: hung up")
			return true, "the far side changed the call to one without encryption, so it was ended"
		}
		c.setTimer(readTimer(header(r, "Session-Expires", "x"), "uac"))
		c.mark("session refreshed")
	case status == 401 || status == 407:
		if c.signer.challenged(r) == nil {
			c.due = c.now()
		} else {
			c.timer = timer{}
		}
	case status == 408 || status == 481:
		c.gone = true
		return true, "the far side no longer knows the call"
	case status == 491:
		c.due = c.now().Add(3 * time.Second)
	default: // it stays up until the limit
		c.timer = timer{}
	}
	return false, ""
}
