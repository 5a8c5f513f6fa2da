package voice

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/counterpart"
)

// A hearing keeps what the line heard and tells when sound came.
type hearing struct {
	sync.Mutex
	pcm  []int16
	once sync.Once
	came chan struct{}
}

// lineTo makes a line that trusts the test's authority, with short times.
func lineTo(t *testing.T, pki string, change func(*Options)) (*Line, *hearing) {
	t.Helper()
	o := Options{CAFile: pki + "/ca.pem", Ring: 4 * time.Second, Limit: 8 * time.Second, Pause: 300 * time.Millisecond, Repeats: 1, Stray: 3, Speech: "-"}
	if change != nil {
		change(&o)
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := &hearing{came: make(chan struct{})}
	l.heard = func(_ string, pcm []int16) {
		h.Lock()
		defer h.Unlock()
		h.pcm = append(h.pcm, pcm...)
		h.once.Do(func() { close(h.came) })
	}
	return l, h
}

func trail(o Outcome) string {
	var b strings.Builder
	for _, m := range o.Trail {
		b.WriteString(m.What + "\n")
	}
	return b.String()
}

// TestTelephone calls a real telephone in every way that it can behave.
func TestTelephone(t *testing.T) {
	pki := counterpart.Authority(t)
	isPIN := func(_ context.Context, pin string) bool { return pin == "42" }
	const secure = "mediaenc=srtp-mand;answermode=auto"
	for _, given := range []struct {
		name, account, keys, command string
		pin                          func(context.Context, string) bool
		record                       error
		options                      func(*Options)
		want                         Result
		trail, reason                string
		hears                        string // the last words that the telephone kept, of voice's clips
		log, never                   string // stands in the telephone's own log, and does not
	}{
		{name: "1 acknowledges", account: secure, keys: "1", want: Acknowledged, trail: "hung up by us", hears: "noted"},
		{name: "2 passes on", account: secure, keys: "2", want: PassedOn, trail: "the sound is encrypted", hears: "passed"},
		{name: "the right PIN, then 1", account: secure, keys: "42#1", pin: isPIN, want: Acknowledged, trail: "the PIN was right", hears: "noted"},
		{name: "wrong PINs never count", account: secure, keys: "1#2#3#", pin: isPIN, want: NoAnswer, trail: "the PIN was wrong", reason: "PIN", hears: "wrong"},
		{name: "random keys", account: secure, keys: "7895", want: NoAnswer, reason: "without a meaning", hears: "goodbye"},
		{name: "silence, as of a voicemail", account: secure, want: NoAnswer, reason: "nobody pressed a key that counts", options: func(o *Options) { o.Limit = 3 * time.Second }, log: "terminated (duration: 3 secs)"},
		{name: "an answer that cannot be recorded", account: secure, keys: "1", record: errors.New("the disk is full"), want: Failed, reason: "the disk is full", hears: "unrecorded"},
		{name: "rings and nobody answers", account: "mediaenc=srtp-mand;answermode=manual", want: NoAnswer, trail: "it rings", reason: "nobody answered", options: func(o *Options) { o.Ring = 800 * time.Millisecond }, log: "session closed", never: "Call established"},
		{name: "busy", account: "mediaenc=srtp-mand;answermode=manual", command: "hangup", want: Busy, log: "rejecting incoming call from sips:tocsin@127.0.0.1 (486", never: "Call established"},
		{name: "no encryption", account: "answermode=auto", want: Failed, reason: "SRTP", log: "baresip is ready", never: "Call established"},
	} {
		t.Run(given.name, func(t *testing.T) {
			t.Parallel()
			p := counterpart.NewTelephone(t, pki, given.account)
			l, h := lineTo(t, pki, given.options)
			done := make(chan struct{})
			go func() {
				if given.command != "" {
					time.Sleep(700 * time.Millisecond)
					p.Tell(given.command, "")
				}
				select {
				case <-h.came:
					p.Press(given.keys)
				case <-done:
				}
			}()
			record := func(context.Context, Result) error { return given.record }
			got := l.Call(context.Background(), Order{To: fmt.Sprintf("sips:oncall@127.0.0.1:%d", p.Port), Number: "7", Severity: "high", PIN: given.pin, Record: record})
			close(done)
			if got.Result != given.want || !strings.Contains(got.Reason, given.reason) || !strings.Contains(trail(got), given.trail) {
				t.Errorf("got %s: %s\n%s", got.Result, got.Reason, trail(got))
			}
			if given.hears != "" {
				given.log = "SRTP is Enabled"
			}
			for range 40 {
				if strings.Contains(p.Said(), given.log) {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			if log := p.Said(); !strings.Contains(log, given.log) || given.never != "" && strings.Contains(log, given.never) {
				t.Errorf("the telephone's log lacks %q, or has %q:\n%s", given.log, given.never, log)
			}
			if given.hears == "" {
				return
			}
			h.Lock()
			defer h.Unlock()
			if g := goertzel(h.pcm[len(h.pcm)/2:], 440); g < 0.9 {
				t.Errorf("we heard 440 Hz with a share of %.3f", g)
			}
			words, err := clips("en")
			if err != nil {
				t.Fatal(err)
			}
			if c := likeness(decode(0, words[given.hears][:4000]), p.Heard(t)); c < 0.95 {
				t.Errorf("the telephone heard %q with a correlation of %.3f", given.hears, c)
			}
		})
	}
}

// likeness is the best correlation of a piece with any place of a recording.
func likeness(piece, recording []int16) (best float64) {
	piece = piece[1000:3000]
	for at := 0; at+len(piece) < len(recording) && best < 0.97; at++ {
		var ab, aa, bb float64
		for i := range piece {
			x, y := float64(piece[i]), float64(recording[at+i])
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
		best = max(best, ab/math.Sqrt(aa*bb+1))
	}
	return best
}

// TestWrongAuthority: a certificate of another authority, one for another name, and one that has expired end before a byte of SIP.
func TestWrongAuthority(t *testing.T) {
	t.Parallel()
	pki, other := counterpart.Authority(t), counterpart.Authority(t)
	p := counterpart.NewTelephone(t, pki, "mediaenc=srtp-mand;answermode=auto")
	l, _ := lineTo(t, other, nil)
	got := l.Call(context.Background(), Order{To: fmt.Sprintf("sips:oncall@127.0.0.1:%d", p.Port)})
	if got.Result != Failed || got.Temporary || !strings.Contains(got.Reason, "not trusted") {
		t.Errorf("another authority: %s, temporary %t: %s", got.Result, got.Temporary, got.Reason)
	}
	for i := 0; i < 40 && !strings.Contains(p.Said(), "tls: accept error"); i++ {
		time.Sleep(50 * time.Millisecond)
	}
	if log := p.Said(); !strings.Contains(log, "tls: accept error") || strings.Contains(log, "ncoming call") {
		t.Errorf("another authority: the telephone's log says\n%s", log)
	}
	refused := func() int { return strings.Count(p.Said(), "tls: accept error") }
	before := refused()
	l, _ = lineTo(t, pki, nil)
	got = l.Call(context.Background(), Order{To: fmt.Sprintf("sips:oncall@localhost:%d", p.Port)})
	if got.Result != Failed || got.Temporary || !strings.Contains(got.Reason, "another name") {
		t.Errorf("another name: %s, temporary %t: %s", got.Result, got.Temporary, got.Reason)
	}
	for i := 0; i < 40 && refused() == before; i++ {
		time.Sleep(50 * time.Millisecond)
	}
	if log := p.Said(); refused() == before || strings.Contains(log, "ncoming call") {
		t.Errorf("another name: the telephone's log says\n%s", log)
	}
	old := counterpart.AuthorityFor(t, -time.Minute)
	l, _ = lineTo(t, old, nil)
	port := startFarSide(t, old, func(f *farSide) {
		for range f.in {
			t.Error("a message came though the certificate has expired")
		}
	})
	got = l.Call(context.Background(), Order{To: fmt.Sprintf("sips:oncall@127.0.0.1:%d", port)})
	if got.Result != Failed || got.Temporary || !strings.Contains(got.Reason, "expired") {
		t.Errorf("expired: %s, temporary %t: %s", got.Result, got.Temporary, got.Reason)
	}
}

// TestHalfOpen: a server that takes the connection and says nothing holds a call no longer than its context lasts.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	l, _ := lineTo(t, counterpart.Authority(t), nil)
	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	if got := l.Call(ctx, Order{To: "sips:oncall@" + silent.Addr().String()}); got.Result != Failed || !got.Temporary || !strings.Contains(got.Reason, "no encrypted connection") {
		t.Errorf("got %s, temporary %t: %s", got.Result, got.Temporary, got.Reason)
	}
}

// TestTrunk registers and calls through Kamailio.
func TestTrunk(t *testing.T) {
	t.Parallel()
	pki := counterpart.Authority(t)
	p := counterpart.NewTelephone(t, pki, "mediaenc=srtp-mand;answermode=auto")
	port, said := counterpart.Trunk(t, pki, p.Port)
	with := func(password string) (*Line, *hearing) {
		return lineTo(t, pki, func(o *Options) {
			o.Trunk = &Trunk{Server: fmt.Sprintf("sips:127.0.0.1:%d", port), User: "tocsin", Password: password}
		})
	}
	l, h := with("s3cret")
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	states := make(chan Registration, 4)
	ended := make(chan error, 1)
	registering, unregister := context.WithCancel(ctx)
	go func() { ended <- l.Register(registering, func(r Registration) { states <- r }) }()
	if r := <-states; !r.Registered || time.Until(r.Until) < 4*time.Minute {
		t.Errorf("registration: %+v", r)
	}
	if text, err := l.Check(ctx, "", true); err != nil {
		t.Errorf("check: %s, %v", text, err)
	}
	go func() { <-h.came; p.Press("2") }()
	got := l.Call(ctx, Order{To: "+49 30 1234567", Through: true, Number: "12", Severity: "critical"})
	if got.Result != PassedOn || got.Privacy != ToProvider {
		t.Errorf("got %s: %s\n%s", got.Result, got.Reason, trail(got))
	}
	unregister()
	if err := <-ended; err != nil {
		t.Errorf("the registration ended with %v", err)
	}
	logs := func(line string, n int) { // what a program writes comes a moment after what it does
		t.Helper()
		for i := 0; i < 100 && strings.Count(said(), line) < n; i++ {
			time.Sleep(50 * time.Millisecond)
		}
		if strings.Count(said(), line) < n || strings.Contains(line, "took") && strings.Count(said(), line) > n {
			t.Errorf("the trunk's log does not say %q %d times:\n%s", line, n, said())
		}
	}
	logs("trunk: took INVITE of tocsin", 1)
	logs("trunk: took REGISTER of tocsin over tls", 3) // to be there, for the check, and to be there no more

	l, _ = with("wrong")
	got = l.Call(ctx, Order{To: "+49 30 1234567", Through: true})
	if got.Result != Failed || got.Temporary || !strings.Contains(got.Reason, "password") {
		t.Errorf("wrong password: %s, temporary %t: %s", got.Result, got.Temporary, got.Reason)
	}
	if err := l.Register(ctx, func(Registration) {}); err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("registering with a wrong password: %v", err)
	}
	logs("trunk: refused REGISTER of tocsin", 1)
	logs("trunk: took REGISTER", 3)
}
