package voice

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Mark is one moment of a call, for its history: what happened, in words.
type Mark struct {
	At   time.Time
	What string
}

// Privacy is how far the encryption of a call reaches.
type Privacy string

const (
	EndToEnd   Privacy = "end to end"      // straight to the person's own SIP app
	ToProvider Privacy = "to the provider" // through a trunk: the last leg is the telephone network
)

// Sentence is what the screen says of it.
func (p Privacy) Sentence() string {
	if p == EndToEnd {
		return "Encrypted from Tocsin to the person's SIP address (TLS and SRTP). Where that address belongs to a server that takes calls for the person, that server can listen; their own app or telephone alone makes it end to end."
	}
	return "Encrypted from Tocsin to the telephone provider (TLS and SRTP). The provider, and the telephone network from there to the person's telephone, can listen: the call says the incident's number and severity, and anything else only after the PIN."
}

// An Outcome is how a call ended and why.
type Outcome struct {
	Result    Result
	Temporary bool          // Failed only: calling again may succeed
	After     time.Duration // do not call again before; 0 when the far side did not say
	Reason    string        // for people
	Privacy   Privacy
	Trail     []Mark
}

// verdict turns a final response other than 2xx to the invitation (RFC 3261, section 21) into an outcome. after is the value of
// its Retry-After, "" for none.
func verdict(status int, after string) Outcome {
	o := Outcome{Result: Failed, After: retryAfter(after)}
	switch status {
	case 486, 600:
		o.Result, o.Reason = Busy, "the person's line is busy"
	case 603, 607:
		o.Result, o.Reason = Refused, "the person declined the call"
	case 487:
		o.Result, o.Reason = NoAnswer, "it rang, and nobody answered"
	case 401, 407:
		o.Reason = "the provider refuses the user name or the password; correct them in the settings of the trunk"
	case 403:
		o.Reason = "the far side forbids the call; ask the provider whether this account may call this number, and for the caller's number that it allows"
	case 404, 410, 484, 485, 604:
		o.Reason = "the address or number does not exist there; correct the person's address"
	case 415, 488, 606:
		o.Reason = "the far side does not take an encrypted call with G.711; switch on SRTP (SDES) and PCMU in its settings"
	case 408:
		o.Temporary, o.Reason = true, "the far side did not reach the person's telephone in time"
	case 480:
		o.Temporary, o.Reason = true, "the person's telephone is not reachable now; is the app running and signed in?"
	case 503:
		o.Temporary, o.Reason = true, "the far side is overloaded or under maintenance"
	default:
		switch {
		case status >= 300 && status < 400:
			o.Reason = "the far side sends the call on to another address, and a call with confidential words is not sent on; correct the person's address"
		case status >= 500 && status < 600:
			o.Temporary, o.Reason = true, fmt.Sprintf("the far side has a failure of its own (%d)", status)
		default:
			o.Reason = fmt.Sprintf("the far side refuses the call (%d)", status)
		}
	}
	if !o.Temporary && o.Result == Failed {
		o.After = 0
	}
	return o
}

// retryAfter reads "120 (in a meeting);duration=60" as seconds, at most an hour: more would silence the bell. "" and nonsense are 0.
func retryAfter(value string) time.Duration {
	value = strings.TrimSpace(value)
	end := 0
	for end < len(value) && end < 9 && value[end] >= '0' && value[end] <= '9' {
		end++
	}
	n, _ := strconv.Atoi(value[:end])
	return min(time.Duration(n)*time.Second, time.Hour)
}

// A timer is what both sides agreed about the life of a session (RFC 4028): Every is the interval, 0 for none; Ours whether we
// refresh it.
type timer struct {
	Every time.Duration
	Ours  bool
}

// readTimer reads a Session-Expires: "1800;refresher=uac". own is the name of our side in it ("uac" in answers to our requests, "uas"
// in requests of the far side). An interval below 1 s, or nonsense, is no timer.
func readTimer(value, own string) timer {
	number, parameters, _ := strings.Cut(value, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 31)
	if err != nil || n == 0 {
		return timer{}
	}
	t := timer{Every: time.Duration(n) * time.Second, Ours: own == "uac"}
	for p := range strings.SplitSeq(parameters, ";") {
		if name, who, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "refresher") {
			t.Ours = strings.EqualFold(strings.TrimSpace(who), own)
		}
	}
	return t
}

// next is after which time the timer needs something: a refresh by us at half of the interval, or, when the far side refreshes
// and did not, the end of the call a third of it (at most 32 s) before it runs out.
func (t timer) next() time.Duration {
	if t.Ours {
		return t.Every / 2
	}
	return t.Every - min(32*time.Second, t.Every/3)
}
