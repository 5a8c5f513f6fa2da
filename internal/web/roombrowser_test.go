package web

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"tocsin/internal/counterpart"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// touch begins or ends a touch at the middle of what a selector finds.
func touch(t *testing.T, p *counterpart.Person, kind input.DispatchTouchEventType, selector string) {
	t.Helper()
	x := input.DispatchTouchEventParams{Type: kind, TouchPoints: []*input.TouchPoint{}}
	if kind == input.DispatchTouchEventTypeTouchStart {
		at := ask(t, p.Tab, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, selector)))
		x.TouchPoints = []*input.TouchPoint{{X: at[0], Y: at[1]}}
	}
	p.Do(send(input.DispatchTouchEvent, x))
}

// tap touches with a finger, as long as a person does.
func tap(t *testing.T, p *counterpart.Person, selector string) {
	t.Helper()
	touch(t, p, input.DispatchTouchEventTypeTouchStart, selector)
	touch(t, p, input.DispatchTouchEventTypeTouchEnd, selector)
}

// roomConsole is a console with a war room that may be recorded, and two people who have passwords: anna, a commander, and boris, an engineer.
func roomConsole(t *testing.T) (c *console, recordings string) {
	t.Helper()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	recordings = filepath.Join(t.TempDir(), "recordings")
	c = newConsoleOf(t, set, attacks(), nil, func(o *desk.Options) { o.Room = &desk.RoomOptions{UDP: "127.0.0.1:0", Folder: recordings} }).staffed(t)
	us := desk.Local("config")
	if err := c.desk.PutPerson(us, "boris", []string{plan.Engineer}, desk.Contact{Name: "Boris Lang", Mail: "boris@shop.example"}, false); err != nil {
		t.Fatal(err)
	}
	if err := c.desk.SetPassword(t.Context(), us, "boris", password); err != nil {
		t.Fatal(err)
	}
	c.settled(t)
	return c, recordings
}

// kept lists the files below a folder that may not be there.
func kept(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		if os.IsNotExist(err) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestBrowserWarRoom: two who sign in, one of them on a phone, and a guest with a link hold a conference on an incident by the buttons of the console, and
// each hears the other two. It is in the timeline who came and went; nothing is kept but what was recorded, which all were told.
func TestBrowserWarRoom(t *testing.T) {
	tones := counterpart.Tones()
	var c *console
	var recordings string
	people := make([]*counterpart.Person, 3)
	counterpart.Together(t, 4, func(i int) {
		if i == 3 {
			c, recordings = roomConsole(t)
			return
		}
		people[i] = counterpart.NewPerson(t, []string{"anna", "boris", "guest"}[i], tones[i])
	})
	anna, boris, guest := people[0], people[1], people[2]
	boris.Do(counterpart.Phone())
	anna.Do(wide())
	counterpart.Together(t, 2, func(i int) {
		p, secret := people[i], []string{"correct horse battery", password}[i]
		p.Do(chromedp.Navigate(c.URL+"/incidents/1"), fill("#id", p.Name), fill("#password", secret), click("form[action='/sign-in'] button:not([type=button])"), shown("#timeline"))
		p.Do(click(`a[href="/incidents/1/room"]`), shown("#room-join"))
		p.EnterRoom()
	})
	shownAs := func(name string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('#room-people li')].find((li) => li.querySelector('.room-name').innerText.includes(%q))`, name)
	}

	t.Run("a host invites a guest, and stays in the room meanwhile", func(t *testing.T) {
		anna.Do(fill("#invite-name", "Dr. Öztürk"), click("#room-invite button"))
		anna.Until("the link", `document.querySelector('#invite-link')`)
		link := strings.TrimSpace(anna.Says(`document.querySelector('#invite-link').innerText`))
		if !strings.HasPrefix(link, c.URL+"/room#r1.") {
			t.Fatalf("the link is %q", link)
		}
		guest.Do(chromedp.Navigate(link))
		guest.EnterRoom()
		if got := guest.Says(`document.body.innerText`); strings.Contains(got, "injection") {
			t.Errorf("the guest's page says what the incident is about:\n%s", got)
		}
	})
	t.Run("who is in it, by name", func(t *testing.T) {
		for _, p := range people {
			for _, name := range []string{"Anna Keller", "Boris Lang", "Dr. Öztürk"} {
				p.Until(name+" is shown, and heard", fmt.Sprintf(`(%s)?.querySelector('.state-good, .state-busy')`, shownAs(name)))
			}
		}
		if got := guest.Says(shownAs("Anna") + `.innerText`); !strings.Contains(got, "host") {
			t.Errorf("of the host the guest sees %q", got)
		}
		if got := anna.Says(shownAs("Öztürk") + `.innerText`); !strings.Contains(got, "guest, by a link") {
			t.Errorf("of the guest the host sees %q", got)
		}
	})
	t.Run("each hears the others and not themselves", func(t *testing.T) { counterpart.HearEachOther(t, people...) })
	t.Run("who is muted is not heard", func(t *testing.T) {
		tap(t, boris, "#room-mute")
		for _, p := range people {
			p.Until("Boris is muted", `(`+shownAs("Boris")+`).querySelector('.state-off')`)
		}
		counterpart.HearAllBut(t, boris, 1300*time.Millisecond, anna, guest)
	})
	t.Run("push to talk, with a thumb", func(t *testing.T) {
		tap(t, boris, "label[for=room-push]")
		boris.Until("the talk button", `document.querySelector('#room-talk').checkVisibility() && document.querySelector('#room-talk').innerText.includes('Hold to talk')`)
		touch(t, boris, input.DispatchTouchEventTypeTouchStart, "#room-talk")
		anna.Until("Boris speaks", `(`+shownAs("Boris")+`).classList.contains('speaks')`)
		anna.Hears(boris)
		touch(t, boris, input.DispatchTouchEventTypeTouchEnd, "#room-talk")
		boris.Until("he is not heard", `document.querySelector('#room-talk').getAttribute('aria-pressed') === 'false'`)
		counterpart.HearAllBut(t, boris, 1300*time.Millisecond, anna, guest)
	})
	if names := kept(t, recordings); len(names) > 0 {
		t.Errorf("nobody records, and these were kept: %v", names)
	}
	t.Run("a recording is said to all", func(t *testing.T) {
		anna.Do(click("#room-record"), click("#room-record"))
		for _, p := range people {
			p.Until("the notice", `document.querySelector('#room-tape').checkVisibility() && document.querySelector('#room-tape').innerText.includes('being recorded by Anna Keller')`)
		}
		phoneFits(t, boris)
		for name, p := range map[string]*counterpart.Person{"room-desk": anna, "room-phone": boris} {
			for _, th := range []string{"light", "dark"} {
				p.Do(theme(th))
				shoot(t, p.Tab, name+"-"+th, chromedp.FullScreenshot(100))
			}
		}
		anna.Do(click("#room-record"))
		for _, p := range people {
			p.Until("the end of the notice", `!document.querySelector('#room-tape').checkVisibility()`)
		}
		c.until(t, "the hash of the recording", func(st *desk.State) bool {
			tapes := st.Rooms.Tapes[1]
			return len(tapes) == 1 && tapes[0].SHA256 != ""
		})
		voices := 0
		for _, name := range kept(t, recordings) {
			if strings.HasSuffix(name, ".ogg") {
				voices++
			}
		}
		if voices < 2 {
			t.Errorf("of three, of whom one was silent, %d voices were kept", voices)
		}
	})
	was := len(kept(t, recordings))
	guest.Do(click("#room-leave"))
	anna.Until("two left", `document.querySelectorAll('#room-people li').length === 2`)
	tap(t, boris, "#room-leave")
	anna.Until("one left", `document.querySelectorAll('#room-people li').length === 1`)
	anna.Do(click("#room-leave"), shown("#room-door"))
	if now := len(kept(t, recordings)); now != was {
		t.Errorf("after the recording ended there were %d files, and now %d", was, now)
	}
	t.Run("the timeline", func(t *testing.T) {
		anna.Do(chromedp.Navigate(c.URL+"/incidents/1"), shown("#timeline"))
		said := anna.Says(`document.querySelector('#timeline').innerText`)
		for _, want := range []string{"War room: Anna Keller came in", "War room: Boris Lang came in", "War room: a guest (Dr. Öztürk) came in", "War room: recording began", "War room: recording ended",
			"War room: a guest (Dr. Öztürk) left", "War room: Boris Lang left", "War room: Anna Keller left"} {
			if n := strings.Count(said, want); n != 1 {
				t.Errorf("the timeline says %d times %q:\n%s", n, want, said)
			}
		}
	})
	for _, p := range people {
		for _, s := range p.Complaints.Take() {
			if !strings.Contains(s, "ScriptProcessorNode") { // what the test itself listens with
				t.Errorf("%s: the browser says: %s", p.Name, s)
			}
		}
	}
}

// phoneFits holds that nothing on a phone's page sticks out, and that no control is lower than a thumb needs.
func phoneFits(t *testing.T, p *counterpart.Person) {
	t.Helper()
	if w := ask(t, p.Tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); w > 360 {
		t.Errorf("on a phone the page is %d wide: %s", w, strings.Join(ask(t, p.Tab, chromedp.Evaluate[[]string](beyond)), "\n"))
	}
	for _, s := range ask(t, p.Tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll('#room button, #room .choice, #room-invite button')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).map((e) => e.outerHTML.slice(0, 80))`)) {
		t.Error("lower than a thumb needs: ", s)
	}
}
