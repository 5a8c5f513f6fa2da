package room

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tocsin/ui"
)

// A person is a browser with a fake microphone that says their tone.
type person struct {
	t    *testing.T
	name string
	tab  context.Context

	mu   sync.Mutex
	said []string // what the browser says against our page
}

type step = chromedp.Action[chromedp.Void]

// browse starts a Chromium for somebody.
func browse(t *testing.T, name string) *person {
	t.Helper()
	path := ""
	for _, n := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(n); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium on this machine: the war room is tested with it. Install the package chromium")
	}
	dir := t.TempDir()
	wav := filepath.Join(dir, "tone.wav")
	tones[name].wav(t, wav)
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()),
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", wav), chromedp.Flag("allow-loopback-in-peer-connection", true))
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	p := &person{t: t, name: name, tab: ctx}
	t.Cleanup(closeTab) // ends the process: nothing of it is kept
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	err := chromedp.Listen(ctx, func(e any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := e.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				p.said = append(p.said, e.Entry.Text+" "+e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			p.said = append(p.said, fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) do(steps ...step) {
	p.t.Helper()
	do(p, chromedp.Steps(steps...))
}

// do does what answers.
func do[T any](p *person, a chromedp.Action[T]) T {
	p.t.Helper()
	ctx, done := context.WithTimeout(p.tab, 40*time.Second)
	defer done()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	return v
}

func click(selector string) step { return chromedp.Click(chromedp.CSS(selector)) }

// until waits until a script says true.
func (p *person) until(what, script string) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); !do(p, chromedp.Evaluate[bool](`Boolean(`+script+`)`)); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s: not within 20 s: %s\n%s", p.name, what, do(p, chromedp.Evaluate[string](`document.querySelector('main').innerText`)))
		}
	}
}

// join comes in by a link and speaks.
func (p *person) join(link string) {
	p.t.Helper()
	p.do(chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("#room-join")), click("#room-clean"), click("#room-join"), chromedp.WaitVisible(chromedp.CSS("#room-mute")))
	p.until("connected and shown", `document.querySelector('#room-people li .state-off')`)
	p.do(click("#room-mute"))
	p.until("heard", `document.querySelector('#room-mute').getAttribute('aria-pressed') === 'false'`)
}

// listen begins to record what comes out of the page's audio elements.
const listenScript = `(() => {
	const sound = new AudioContext(), node = sound.createScriptProcessor(4096, 1, 1), got = [];
	node.onaudioprocess = (e) => got.push(e.inputBuffer.getChannelData(0).slice());
	for (const a of document.querySelectorAll('#room-audio audio')) sound.createMediaStreamSource(a.srcObject).connect(node);
	node.connect(sound.destination);
	window.listening = () => {
		node.disconnect();
		const all = new Int16Array(got.length * 4096);
		got.forEach((part, k) => part.forEach((v, i) => { all[k * 4096 + i] = Math.max(-1, Math.min(1, v)) * 32767; }));
		let s = '';
		for (const b of new Uint8Array(all.buffer)) s += String.fromCharCode(b);
		sound.close();
		return {rate: sound.sampleRate, samples: btoa(s)};
	};
})()`

type sample struct {
	Rate    float64
	Samples []byte
}

func (s sample) floats() []float64 {
	out := make([]float64, len(s.Samples)/2)
	for i := range out {
		out[i] = float64(int16(uint16(s.Samples[2*i])|uint16(s.Samples[2*i+1])<<8)) / 32768
	}
	return out
}

// listenAll records what several hear at the same time.
func listenAll(long time.Duration, people ...*person) map[string]sample {
	for _, p := range people {
		p.do(chromedp.Evaluate[chromedp.Void](listenScript))
	}
	time.Sleep(long)
	out := map[string]sample{}
	for _, p := range people {
		s := do(p, chromedp.Evaluate[sample](`window.listening()`))
		s.Samples = s.Samples[min(len(s.Samples), 2*int(s.Rate*.4)):] // while it was starting
		out[p.name] = s
	}
	return out
}

// longer is how long to listen, in milliseconds: long with TOCSIN_SOAK=1. That a tone is loud or not shows within half a second; its pattern needs more.
func longer(short, long int) time.Duration {
	if os.Getenv("TOCSIN_SOAK") == "1" {
		short = long
	}
	return time.Duration(short) * time.Millisecond
}

// Three browsers with a tone each hear each other's and not their own; a muted one is not heard; who comes late hears; a recording is said to
// all, and holds each tone; a guessed code opens nothing.
func TestBrowsersHearEachOther(t *testing.T) {
	if testing.Short() {
		t.Skip("browsers take seconds")
	}
	dir := filepath.Join(t.TempDir(), "recording")
	o := Options{UDP: "127.0.0.1:0", Key: bytes.Repeat([]byte{9}, 32), Folder: func(string) (string, error) { return dir, nil }}
	var marks sync.Map
	o.Told = func(m Mark) error { marks.Store(m.Kind+" "+m.Name, m); return nil }
	rs, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	seal := func(x Ticket) string {
		x.Room, x.Until = "12", time.Now().Add(time.Hour)
		code, err := rs.Seal(x)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	server := serveRoom(t, rs, seal)
	names := []string{"anna", "boris", "specialist"}
	people := make([]*person, len(names))
	together(t, len(people), func(i int) { people[i] = browse(t, names[i]) })
	anna, boris, guest := people[0], people[1], people[2]
	together(t, 2, func(i int) { people[i].join(server + "/incidents/12/room?as=" + names[i]) })

	t.Run("a guessed code opens nothing, and what is wrong is said", func(t *testing.T) {
		guest.do(chromedp.Navigate(server+"/room#"+strings.Repeat("r1.eyJyb29tIjoiMTIifQ.", 2)+"AAAA"), click("#room-join"))
		guest.until("refused", `document.querySelector('#room-mic').textContent.includes('opens no room') && document.querySelector('#room-in').hidden`)
	})
	guest.do(chromedp.Navigate("about:blank"))
	guest.join(server + "/room#" + seal(Ticket{Name: "Dr. <b>Öztürk</b>", Once: true}))
	if got := do(guest, chromedp.Evaluate[string](`location.href`)); strings.Contains(got, "#") {
		t.Errorf("the code stays in the address bar: %s", got)
	}
	for _, p := range people {
		p.until("three connected", `document.querySelectorAll('#room-people li').length === 3 && !document.querySelector('#room-people .state-late')`)
		p.until("none muted", `!document.querySelector('#room-people .state-off')`)
	}
	anna.do(click("#room-record"), click("#room-record"))
	for _, p := range people {
		p.until("the notice of the recording", `document.querySelector('#room-tape').checkVisibility() && document.querySelector('#room-tape').innerText.includes('being recorded by Anna Keller')`)
	}

	t.Run("each hears the others and not themselves", func(t *testing.T) {
		fit := map[string]bool{}
		for try := 0; try < 5 && len(fit) < 6; try++ { // a machine under load may spoil what is heard; it cannot make up a tone
			for who, s := range listenAll(2700*time.Millisecond, people...) {
				for name, x := range tones {
					fits, loud := x.heard(s.floats(), s.Rate)
					t.Logf("%s hears %s: fits %.3f, loud %.5f", who, name, fits, loud)
					if who != name && fits > .9 && loud > .02 {
						fit[who+" hears "+name] = true
					}
					if who == name && loud > .005 {
						t.Errorf("%s hears themselves: loud %.5f", who, loud)
					}
				}
			}
		}
		if len(fit) != 6 {
			t.Errorf("of 6 that should be heard clearly, these were: %v", fit)
		}
	})
	shots(t, anna, boris, guest)
	t.Run("who is muted is not heard", func(t *testing.T) {
		guest.do(click("#room-mute"))
		for _, p := range []*person{anna, boris} {
			p.until("shown as muted", `document.querySelector('#room-people .state-off')`)
		}
		time.Sleep(300 * time.Millisecond) // what is in the jitter buffers
		for who, s := range listenAll(longer(1000, 1500), anna, boris) {
			other := map[string]string{"anna": "boris", "boris": "anna"}[who]
			_, loud := tones[other].heard(s.floats(), s.Rate)
			_, muted := tones["specialist"].heard(s.floats(), s.Rate)
			t.Logf("%s hears %s: loud %.5f; the muted one: loud %.5f", who, other, loud, muted)
			if loud < .02 || muted > .002 {
				t.Errorf("%s hears %s: loud %.5f; the muted one: loud %.5f", who, other, loud, muted)
			}
		}
	})
	t.Run("push to talk, by the space key", func(t *testing.T) {
		guest.do(click("#room-push"))
		talks := func(want bool) {
			guest.until(fmt.Sprint("talks ", want), fmt.Sprintf(`document.querySelector('#room-talk').checkVisibility() && document.querySelector('#room-talk').getAttribute('aria-pressed') === '%t'`, want))
		}
		talks(false)
		key := func(kind string) {
			guest.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.dispatchEvent(new KeyboardEvent('` + kind + `', {key: ' ', bubbles: true, cancelable: true}))`))
		}
		key("keydown")
		talks(true)
		anna.until("the guest speaks", `document.querySelector('#room-people').lastElementChild.classList.contains('speaks')`)
		key("keyup")
		talks(false)
	})
	t.Run("the host mutes, and the guest sees why", func(t *testing.T) {
		anna.do(click("#room-people li:last-child button"))
		guest.until("silenced", `document.querySelector('#room-talk').disabled && document.querySelector('#room-talk').innerText.includes('A host has muted you')`)
	})
	t.Run("who leaves is gone", func(t *testing.T) {
		guest.do(click("#room-leave"))
		anna.until("two left", `document.querySelectorAll('#room-people li').length === 2`)
	})
	anna.do(click("#room-record"))
	boris.until("the end of the recording", `!document.querySelector('#room-tape').checkVisibility()`)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, ok := marks.Load("recorded "); ok {
			break
		}
	}
	t.Run("the recording holds each voice, in its time", func(t *testing.T) { checkRecording(t, dir, anna, &marks) })
	anna.do(click("#room-end"), click("#room-end"))
	boris.until("the end", `document.querySelector('#room-mic').textContent.includes('ended the conference')`)
	for _, p := range people {
		for _, s := range p.said {
			if !strings.Contains(s, "/room/join") && !strings.Contains(s, "ScriptProcessorNode") { // the guessed code's status, and what the test itself listens with
				t.Errorf("%s: the browser says: %s", p.name, s)
			}
		}
	}
}

// together does n things at once, each in a goroutine that a failure ends.
func together(t *testing.T, n int, do func(int)) {
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

// checkRecording lets a browser decode the files.
func checkRecording(t *testing.T, dir string, p *person, marks *sync.Map) {
	m, sum := readManifest(t, dir)
	told, ok := marks.Load("recorded ")
	if !ok || told.(Mark).SHA256 != sum || told.(Mark).Folder != dir {
		t.Errorf("the mark says %+v, the manifest's SHA-256 is %s", told, sum)
	}
	if len(m.Files) != 3 || m.Fault != "" || m.Lost != 0 || m.By != "Anna Keller" {
		t.Fatalf("%+v", m)
	}
	for i, v := range m.Files {
		name := cmp.Or(v.Person, "specialist")
		b, err := os.ReadFile(filepath.Join(dir, v.File))
		if err != nil {
			t.Fatal(err)
		}
		js, err := json.Marshal(base64.StdEncoding.EncodeToString(b))
		if err != nil {
			t.Fatal(err)
		}
		s := do(p, chromedp.Evaluate[sample](`(async () => {
			const bytes = Uint8Array.from(atob(`+string(js)+`), (c) => c.charCodeAt(0));
			const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes.buffer);
			const all = Int16Array.from(sound.getChannelData(0), (v) => Math.max(-1, Math.min(1, v)) * 32767);
			let s = '';
			for (const b of new Uint8Array(all.buffer)) s += String.fromCharCode(b);
			return {rate: sound.sampleRate, samples: btoa(s)};
		})()`, chromedp.EvalAwaitPromise))
		all := s.floats()
		long := float64(len(all)) / s.Rate
		if d := long - float64(m.Files[i].Long)/1000; d < -.1 || d > .1 {
			t.Errorf("%s lasts %.2f s, the manifest says %d ms", name, long, m.Files[i].Long)
		}
		fits, loud := tones[name].heard(all, s.Rate)
		t.Logf("the file of %s lasts %.2f s, begins at %d ms, fits %.3f, loud %.4f", name, long, m.Files[i].Starts, fits, loud)
		if fits < .9 || loud < .02 {
			t.Errorf("the file of %s: fits %.3f, loud %.4f", name, fits, loud)
		}
	}
}

// serveRoom serves the real page with the headers of the console, as web will.
func serveRoom(t *testing.T, rs *Rooms, seal func(Ticket) string) string {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", ui.Static())
	mux.Handle("/room/", http.StripPrefix("/room", rs.Handler()))
	show := func(w http.ResponseWriter, v ui.RoomView) {
		v.Base, v.Frame.Title = "/room", "War room"
		if err := ui.Room.Show(w, http.StatusOK, v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /favicon.ico", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /room", func(w http.ResponseWriter, _ *http.Request) { show(w, ui.RoomView{}) })
	mux.HandleFunc("GET /live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /incidents/12/room", func(w http.ResponseWriter, r *http.Request) {
		x := map[string]Ticket{"anna": {Name: "Anna Keller", Person: "anna", Host: true}, "boris": {Name: "Boris Lang", Person: "boris"}}[r.FormValue("as")]
		v := ui.RoomView{Incident: "SQL injection against the shop, with data going out", Href: "/incidents/12", Code: seal(x), Phone: "Without it, call +49 30 901820 and ask for incident 12."}
		v.Frame.Still, v.Frame.Nav, v.Frame.Who = true, "incidents", ui.Who{ID: x.Person, Name: x.Name}
		show(w, v)
	})
	s := httptest.NewServer(ui.Secure(mux, false))
	t.Cleanup(func() {
		if err := rs.Close(); err != nil {
			t.Error(err)
		}
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// shots draws what people see, for people to look at: TOCSIN_SHOTS=folder
func shots(t *testing.T, desk, wide, phone *person) {
	dir := os.Getenv("TOCSIN_SHOTS")
	if dir == "" {
		return
	}
	for p, size := range map[*person]step{desk: chromedp.EmulateViewport(1280, 860), phone: chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2))} {
		for _, theme := range []string{"light", "dark"} {
			p.do(size, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
				_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
				return chromedp.Void{}, err
			})
			if err := os.WriteFile(filepath.Join(dir, "live-room-"+p.name+"-"+theme+".png"), do(p, chromedp.FullScreenshot(100)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
