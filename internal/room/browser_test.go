package room

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tocsin/internal/counterpart"
	"tocsin/ui"
)

// longer is how long to listen, in milliseconds: long with TOCSIN_SOAK=1. That a tone is loud or not shows within half a second; its pattern needs more.
func longer(short, long int) time.Duration {
	if os.Getenv("TOCSIN_SOAK") == "1" {
		short = long
	}
	return time.Duration(short) * time.Millisecond
}

// Browsers with a tone each hear each other's and not their own; a muted one is not heard; who comes late hears; a recording is said to
// all, and holds each tone; a guessed code opens nothing. They are a host and a guest; with TOCSIN_SOAK=1 a third is there, as in the console's own test.
func TestBrowsersHearEachOther(t *testing.T) {
	t.Parallel()
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
	names := []string{"anna", "specialist"}
	if os.Getenv("TOCSIN_SOAK") == "1" {
		names = append(names, "boris")
	}
	people := make([]*counterpart.Person, len(names))
	counterpart.Together(t, len(people), func(i int) { people[i] = counterpart.NewPerson(t, names[i], counterpart.Tones()[i]) })
	anna, guest, staff := people[0], people[1], append([]*counterpart.Person{people[0]}, people[2:]...)
	counterpart.Together(t, len(staff), func(i int) {
		staff[i].Do(chromedp.Navigate(server + "/incidents/12/room?as=" + staff[i].Name))
		staff[i].EnterRoom()
	})
	shown := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll('#room-people li').length === %d`, n)
	}

	t.Run("a guessed code opens nothing, and what is wrong is said", func(t *testing.T) {
		guest.Do(chromedp.Navigate(server+"/room#"+strings.Repeat("r1.eyJyb29tIjoiMTIifQ.", 2)+"AAAA"), counterpart.Click("#room-join"))
		guest.Until("refused", `document.querySelector('#room-mic').textContent.includes('opens no room') && document.querySelector('#room-in').hidden`)
	})
	guest.Do(chromedp.Navigate("about:blank"), chromedp.Navigate(server+"/room#"+seal(Ticket{Name: "Dr. <b>Öztürk</b>", Once: true})))
	guest.EnterRoom()
	if got := guest.Says(`location.href`); strings.Contains(got, "#") {
		t.Errorf("the code stays in the address bar: %s", got)
	}
	for _, p := range people {
		p.Until("all connected", shown(len(people))+` && !document.querySelector('#room-people .state-late')`)
		p.Until("none muted", `!document.querySelector('#room-people .state-off')`)
	}
	anna.Do(counterpart.Click("#room-record"), counterpart.Click("#room-record"))
	for _, p := range people {
		p.Until("the notice of the recording", `document.querySelector('#room-tape').checkVisibility() && document.querySelector('#room-tape').innerText.includes('being recorded by Anna Keller')`)
	}

	t.Run("each hears the others and not themselves", func(t *testing.T) { counterpart.HearEachOther(t, people...) })
	t.Run("who is muted is not heard", func(t *testing.T) {
		guest.Do(counterpart.Click("#room-mute"))
		for _, p := range staff {
			p.Until("shown as muted", `document.querySelector('#room-people .state-off')`)
		}
		counterpart.HearAllBut(t, guest, longer(1300, 2000), staff...)
	})
	t.Run("push to talk, by the space key", func(t *testing.T) {
		guest.Do(counterpart.Click("#room-push"))
		talks := func(want bool) {
			guest.Until(fmt.Sprint("talks ", want), fmt.Sprintf(`document.querySelector('#room-talk').checkVisibility() && document.querySelector('#room-talk').getAttribute('aria-pressed') === '%t'`, want))
		}
		talks(false)
		key := func(kind string) {
			guest.Do(counterpart.JS(`document.activeElement.dispatchEvent(new KeyboardEvent('` + kind + `', {key: ' ', bubbles: true, cancelable: true}))`))
		}
		key("keydown")
		talks(true)
		anna.Until("the guest speaks", `document.querySelector('#room-people').lastElementChild.classList.contains('speaks')`)
		key("keyup")
		talks(false)
	})
	t.Run("the host mutes, and the guest sees why", func(t *testing.T) {
		anna.Do(counterpart.Click("#room-people li:last-child button"))
		guest.Until("silenced", `document.querySelector('#room-talk').disabled && document.querySelector('#room-talk').innerText.includes('A host has muted you')`)
	})
	t.Run("who leaves is gone", func(t *testing.T) {
		guest.Do(counterpart.Click("#room-leave"))
		anna.Until("one fewer", shown(len(staff)))
	})
	anna.Do(counterpart.Click("#room-record"))
	anna.Until("the end of the recording", `!document.querySelector('#room-tape').checkVisibility()`)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, ok := marks.Load("recorded "); ok {
			break
		}
	}
	t.Run("the recording holds each voice, in its time", func(t *testing.T) { checkRecording(t, dir, people, &marks) })
	t.Run("a full room", func(t *testing.T) { showFullRoom(t, rs, seal, anna) })
	anna.Do(counterpart.Click("#room-end"), counterpart.Click("#room-end"))
	for _, p := range staff {
		p.Until("the end", `document.querySelector('#room-mic').textContent.includes('ended the conference')`)
	}
	for _, p := range people {
		for _, s := range p.Complaints.Take() {
			if !strings.Contains(s, "/room/join") && !strings.Contains(s, "ScriptProcessorNode") { // the guessed code's status, and what the test itself listens with
				t.Errorf("%s: the browser says: %s", p.Name, s)
			}
		}
	}
}

// showFullRoom takes every seat that is left, and looks at what the page shows then: everybody by name, the mute button at hand, and nothing that sticks out of a phone.
func showFullRoom(t *testing.T, rs *Rooms, seal func(Ticket) string, p *counterpart.Person) {
	p.Do(counterpart.Click("#room-mute"))
	for n := len(rs.People("12")); n < Seats; n++ {
		name := []string{"Boris Lang", "Zoë van der Meer-Oosterhout", "Forensics", "Dr. Öztürk, Data protection authority"}[n%4]
		if _, _, err := rs.Enter(seal(Ticket{Name: fmt.Sprint(name, " ", n), Person: fmt.Sprint("p", n)}), ""); err != nil {
			t.Fatal(err)
		}
	}
	p.Until("thirty are shown", fmt.Sprintf(`document.querySelectorAll('#room-people li').length === %d && document.querySelector('#room-count').textContent === '%d'`, Seats, Seats))
	p.Do(counterpart.Narrow(), counterpart.JS(`scrollTo(0, 0)`))
	if w := counterpart.Ask(t, p.Tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); w > 360 {
		t.Errorf("on a phone the page is %d wide", w)
	}
	p.Do(counterpart.JS(`scrollTo(0, document.body.scrollHeight)`))
	p.Until("at the end of the list the microphone can still be muted", `(() => { const r = document.querySelector('#room-mute').getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight; })()`)
	if dir := os.Getenv("TOCSIN_SHOTS"); dir != "" {
		for name, size := range map[string]counterpart.Step{"desk": counterpart.Wide(), "phone": counterpart.Narrow()} {
			for _, theme := range []string{"light", "dark"} {
				p.Do(size, counterpart.Theme(theme), counterpart.JS(`scrollTo(0, 0)`))
				if err := os.WriteFile(filepath.Join(dir, "room-full-"+name+"-"+theme+".png"), counterpart.Ask(t, p.Tab, chromedp.FullScreenshot(100)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// checkRecording lets a browser decode the files.
func checkRecording(t *testing.T, dir string, people []*counterpart.Person, marks *sync.Map) {
	m, sum := readManifest(t, dir)
	told, ok := marks.Load("recorded ")
	if !ok || told.(Mark).SHA256 != sum || told.(Mark).Folder != dir {
		t.Errorf("the mark says %+v, the manifest's SHA-256 is %s", told, sum)
	}
	if len(m.Files) != len(people) || m.Fault != "" || m.Lost != 0 || m.By != "Anna Keller" {
		t.Fatalf("%+v", m)
	}
	for _, v := range m.Files {
		b, err := os.ReadFile(filepath.Join(dir, v.File))
		if err != nil {
			t.Fatal(err)
		}
		s := people[0].Decode(base64.StdEncoding.EncodeToString(b))
		long := float64(len(s.Samples)) / s.Rate
		if d := long - float64(v.Long)/1000; d < -.1 || d > .1 {
			t.Errorf("%s lasts %.2f s, the manifest says %d ms", v.File, long, v.Long)
		}
		for _, p := range people {
			fits, loud := p.Tone.In(s)
			if p.Name != cmp.Or(v.Person, "specialist") {
				if loud > .005 {
					t.Errorf("the file of %s holds %s: loud %.4f", v.Name, p.Name, loud)
				}
				continue
			}
			t.Logf("the file of %s lasts %.2f s, begins at %d ms, fits %.3f, loud %.4f", v.Name, long, v.Starts, fits, loud)
			if fits < .9 || loud < .02 {
				t.Errorf("the file of %s: fits %.3f, loud %.4f", v.Name, fits, loud)
			}
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
