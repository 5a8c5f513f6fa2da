package voice

import "strings"

// A Result is how a call ended.
type Result string

const (
	Acknowledged Result = "acknowledged" // the person pressed 1
	PassedOn     Result = "passed on"    // the person pressed 2
	NoAnswer     Result = "no answer"    // rang out, or somebody (or a voicemail) answered and pressed nothing that counts
	Busy         Result = "busy"
	Refused      Result = "refused" // the person declined
	Failed       Result = "failed"
)

// A talk is what goes on between the line and the person once the call is answered: a machine with the inputs digit, checked,
// recorded, said and nothing else. It never says anything confidential before the PIN was right, and only 1 and 2 after that are answers.
type talk struct {
	pinAsked  bool // a PIN is needed
	detail    bool // there is something confidential to say
	tries     int  // of the PIN that are left
	stray     int  // keys without a meaning that are still borne
	repeats   int  // how often the words are said again when nobody presses anything
	number    string
	severity  string
	state     talkState
	typed     []byte
	answer    Result
	digits    int // pressed so far
	wrongPINs int
}

type talkState uint8

const (
	askPIN talkState = iota
	waitPIN
	menu
	waitRecord
	closing
)

// maxPIN is how many digits of a PIN are taken; more are wrong.
const maxPIN = 12

// A step is what the line must do next. Nothing set: go on as before.
type step struct {
	Say    []string // words to say now, instead of what is being said: names of phrases, and "detail"
	Check  string   // a PIN to check; the answer comes by checked
	Record Result   // an answer to record; whether it could comes by recorded
	Hangup bool     // once all is said
	Result Result
	Reason string
}

// begin returns the first words.
func (t *talk) begin() step {
	if t.pinAsked {
		t.state = askPIN
	} else {
		t.state = menu
	}
	return step{Say: t.words()}
}

// words are what is said in the present state, from the beginning.
func (t *talk) words() []string {
	words := []string{"hello"}
	if t.number != "" { // it is not told to everybody
		words = append(words, "incident")
	}
	for _, d := range t.number {
		words = append(words, "digit-"+string(d))
	}
	if t.severity != "" {
		words = append(words, "severity-"+t.severity)
	}
	if t.state == askPIN {
		return append(words, "pin")
	}
	if t.detail && t.pinAsked {
		words = append(words, "detail")
	}
	return append(words, "menu")
}

// digit takes a key that was pressed: one of 0 to 9, *, #, A to D.
func (t *talk) digit(key byte) step {
	t.digits++
	switch t.state {
	case askPIN:
		switch {
		case key == '#' && len(t.typed) == 0:
			return t.strayed()
		case key == '#':
			pin := string(t.typed)
			t.typed = t.typed[:0]
			t.state = waitPIN
			return step{Check: pin}
		case key == '*': // begin again
			t.typed = t.typed[:0]
			return t.strayed()
		case key < '0' || key > '9' || len(t.typed) >= maxPIN:
			return t.strayed()
		}
		t.typed = append(t.typed, key)
		return step{}
	case menu:
		switch key {
		case '1', '2':
			t.answer = map[byte]Result{'1': Acknowledged, '2': PassedOn}[key]
			t.state = waitRecord
			return step{Record: t.answer}
		case '3':
			return step{Say: t.words()}
		}
		return t.strayed()
	}
	return step{}
}

// strayed counts a key without a meaning.
func (t *talk) strayed() step {
	if t.stray--; t.stray >= 0 {
		return step{}
	}
	return t.end(NoAnswer, "somebody pressed keys without a meaning, so the call counts as not answered", "goodbye")
}

// end is the way out of every state.
func (t *talk) end(r Result, reason string, words ...string) step {
	t.state = closing
	return step{Say: words, Hangup: true, Result: r, Reason: reason}
}

// checked takes whether the PIN was right.
func (t *talk) checked(right bool) step {
	switch {
	case t.state != waitPIN:
		return step{}
	case right:
		t.state = menu
		words := []string{"menu"}
		if t.detail {
			words = []string{"detail", "menu"}
		}
		return step{Say: words}
	}
	t.wrongPINs++
	if t.tries--; t.tries <= 0 {
		return t.end(NoAnswer, "the PIN was wrong too often, so the call counts as not answered", "wrong", "goodbye")
	}
	t.state = askPIN
	return step{Say: []string{"wrong", "pin"}}
}

// recorded takes whether the answer is on record: only then is it said to be noted.
func (t *talk) recorded(err error) step {
	switch {
	case t.state != waitRecord:
		return step{}
	case err != nil:
		return t.end(Failed, "the person answered, but the answer could not be recorded: "+err.Error(), "unrecorded")
	case t.answer == Acknowledged:
		return t.end(Acknowledged, "the person acknowledged", "noted")
	}
	return t.end(PassedOn, "the person passed it on", "passed")
}

// said takes that all words were said and a pause went by.
func (t *talk) said() step {
	if t.state != askPIN && t.state != menu {
		return step{}
	}
	if t.repeats--; t.repeats < 0 {
		return t.end(NoAnswer, "the call was taken, but nobody pressed a key that counts (a voicemail does not)", "goodbye")
	}
	return step{Say: t.words()}
}

// spoken keeps of an incident's number what can be spoken as digits, at most 12 of them.
func spoken(number string) string {
	s := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	return s[:min(len(s), 12)]
}
