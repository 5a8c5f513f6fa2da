package counterpart

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A Person is a browser with a fake microphone that says their tone. Whatever fails in it fails the test.
type Person struct {
	Name       string // in what the test says
	Tone       Tone
	Tab        context.Context
	Complaints *Complaints
	t          *testing.T
}

// NewPerson starts a Chromium for somebody. The microphone is given without a question, and the war room may be on loopback.
func NewPerson(t *testing.T, name string, tone Tone) *Person {
	t.Helper()
	wav := filepath.Join(t.TempDir(), "tone.wav")
	tone.wav(t, wav)
	tab := Browser(t, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", wav), chromedp.Flag("allow-loopback-in-peer-connection", true))
	return &Person{Name: name, Tone: tone, Tab: tab, Complaints: Overhear(t, tab), t: t}
}

// Do does steps in their tab.
func (p *Person) Do(steps ...Step) {
	p.t.Helper()
	Do(p.t, p.Tab, steps...)
}

// Says returns what a script yields as text.
func (p *Person) Says(script string) string {
	p.t.Helper()
	return Ask(p.t, p.Tab, chromedp.Evaluate[string](script))
}

// Until waits until a script says true. While one page goes and another comes a script may fail.
func (p *Person) Until(what, script string) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		short, done := context.WithTimeout(p.Tab, 20*time.Second)
		is, err := chromedp.Run(short, chromedp.Evaluate[bool](`Boolean(`+script+`)`))
		done()
		if is && err == nil {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s: not within 20 s: %s (%v)\n%s", p.Name, what, err, page(p.Tab))
		}
	}
}

// EnterRoom joins on the war room's page that is shown, by its buttons, without the filters that would take a tone for noise, and speaks.
func (p *Person) EnterRoom() {
	p.t.Helper()
	p.Do(chromedp.WaitVisible(chromedp.CSS("#room-join")), Click("#room-clean"), Click("#room-join"), chromedp.WaitVisible(chromedp.CSS("#room-mute")))
	p.Until("connected and shown", `document.querySelector('#room-people li .state-off')`)
	p.Do(Click("#room-mute"))
	p.Until("heard", `document.querySelector('#room-mute').getAttribute('aria-pressed') === 'false'`)
}

// listening begins to record what comes out of the page's audio elements.
const listening = `(() => {
	const sound = new AudioContext(), node = sound.createScriptProcessor(4096, 1, 1), got = [];
	node.onaudioprocess = (e) => got.push(e.inputBuffer.getChannelData(0).slice());
	for (const a of document.querySelectorAll('#room-audio audio')) sound.createMediaStreamSource(a.srcObject).connect(node);
	node.connect(sound.destination);
	window.listening = () => {
		node.disconnect();
		const all = new Float32Array(got.length * 4096);
		got.forEach((part, k) => all.set(part, k * 4096));
		sound.close();
		return (` + packed + `)(sound.sampleRate, all);
	};
})()`

// packed makes of samples what Hear reads.
const packed = `(rate, samples) => {
	let s = '';
	for (const b of new Uint8Array(Int16Array.from(samples, (v) => Math.max(-1, Math.min(1, v)) * 32767).buffer)) s += String.fromCharCode(b);
	return {rate, samples: btoa(s)};
}`

// hear reads what a script yields that ends in packed.
func (p *Person) hear(script string) Sound {
	p.t.Helper()
	got := Ask(p.t, p.Tab, chromedp.Evaluate[struct {
		Rate    float64
		Samples []byte
	}](script, chromedp.EvalAwaitPromise))
	s := Sound{got.Rate, make([]float64, len(got.Samples)/2)}
	for i := range s.Samples {
		s.Samples[i] = float64(int16(uint16(got.Samples[2*i])|uint16(got.Samples[2*i+1])<<8)) / 32768
	}
	return s
}

// Decode lets their browser decode a file of sound, given in base 64.
func (p *Person) Decode(file string) Sound {
	p.t.Helper()
	return p.hear(`(async () => {
		const bytes = Uint8Array.from(atob('` + file + `'), (c) => c.charCodeAt(0));
		const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes.buffer);
		return (` + packed + `)(sound.sampleRate, sound.getChannelData(0));
	})()`)
}

// Listen records what several hear of the war room at the same time; the first 0.4 s, in which it starts, is cut off.
func Listen(long time.Duration, people ...*Person) []Sound {
	for _, p := range people {
		p.Do(JS(listening))
	}
	time.Sleep(long)
	out := make([]Sound, len(people))
	for i, p := range people {
		s := p.hear(`window.listening()`)
		s.Samples = s.Samples[min(len(s.Samples), int(s.Rate*.4)):]
		out[i] = s
	}
	return out
}

// HearEachOther holds that everybody hears the tone of everybody else, in its rhythm, and nobody their own. They listen up to ten times: a machine
// under load may spoil what is heard; it cannot make up a tone.
func HearEachOther(t *testing.T, people ...*Person) {
	t.Helper()
	clear, wanted := map[string]bool{}, len(people)*(len(people)-1)
	for try := 0; try < 10 && len(clear) < wanted; try++ {
		for i, s := range Listen(2700*time.Millisecond, people...) {
			for k, other := range people {
				fits, loud := other.Tone.In(s)
				t.Logf("%s hears %s: fits %.3f, loud %.5f", people[i].Name, other.Name, fits, loud)
				if i != k && fits > .9 && loud > .02 {
					clear[people[i].Name+" hears "+other.Name] = true
				}
				if i == k && loud > .005 {
					t.Errorf("%s hears themselves: loud %.5f", other.Name, loud)
				}
			}
		}
	}
	if len(clear) != wanted {
		t.Errorf("of %d that should be heard clearly, these were: %v", wanted, clear)
	}
}

// Hears holds that one hears the pitch of another, who speaks all the while. They listen up to five times.
func (p *Person) Hears(other *Person) {
	p.t.Helper()
	var heard []float64
	for range 5 {
		_, loud := other.Tone.In(Listen(time.Second, p)[0])
		if heard = append(heard, loud); loud > .02 {
			return
		}
	}
	p.t.Errorf("%s speaks, and %s hears no more than %.5f", other.Name, p.Name, heard)
}

// HearAllBut holds that people hear each other's pitch, listening up to five times, and never anything of one who is silent. What is still in the jitter
// buffers is waited out.
func HearAllBut(t *testing.T, silent *Person, long time.Duration, people ...*Person) {
	t.Helper()
	time.Sleep(300 * time.Millisecond)
	heard, wanted := map[string]bool{}, len(people)*(len(people)-1)
	for try := 0; try < 5 && (try == 0 || len(heard) < wanted); try++ {
		for i, s := range Listen(long, people...) {
			for _, other := range append([]*Person{silent}, people...) {
				if other == people[i] {
					continue
				}
				_, loud := other.Tone.In(s)
				t.Logf("%s hears %s: loud %.5f", people[i].Name, other.Name, loud)
				if other == silent && loud > .002 {
					t.Errorf("%s hears %s, who is silent: loud %.5f", people[i].Name, other.Name, loud)
				}
				if other != silent && loud > .02 {
					heard[people[i].Name+" hears "+other.Name] = true
				}
			}
		}
	}
	if len(heard) != wanted {
		t.Errorf("of %d that should be heard, these were: %v", wanted, heard)
	}
}

// Together does n things at once, each in a goroutine that a failure ends.
func Together(t *testing.T, n int, do func(int)) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}
