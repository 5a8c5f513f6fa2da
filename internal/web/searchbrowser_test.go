package web

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// press types letters, as a keyboard does.
func press(text string) step { return chromedp.KeyEvent(text) }

// key presses a key that is no letter, with Shift or without.
func key(name string, shift bool) step {
	codes := map[string]int64{"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36, "ArrowRight": 39, "ArrowDown": 40}
	x := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: name, Code: name, WindowsVirtualKeyCode: codes[name], NativeVirtualKeyCode: codes[name]}
	if shift {
		x.Modifiers = 8
	}
	if name == "Enter" {
		x.Type, x.Text = input.DispatchKeyEventTypeKeyDown, "\r"
	}
	up := x
	up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
	return chromedp.Steps(send(input.DispatchKeyEvent, x), send(input.DispatchKeyEvent, up))
}

// mouse moves it to a place of the page; pressed says whether its button is.
func mouse(kind input.DispatchMouseEventType, x, y float64, pressed int64) step {
	return send(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, Buttons: pressed, ClickCount: 1})
}

// becomes waits until a script says true. While one page goes and another comes a script may fail.
func becomes(t *testing.T, ctx context.Context, what, script string) {
	t.Helper()
	short, done := context.WithTimeout(ctx, 20*time.Second)
	defer done()
	for {
		is, err := chromedp.Run(short, chromedp.Evaluate[bool](`Boolean(`+script+`)`))
		if err == nil && is {
			return
		}
		if short.Err() != nil {
			t.Fatalf("%s does not come (%v): %s", what, err, ask(t, ctx, chromedp.Evaluate[string](`location.href + ' ' + document.activeElement?.outerHTML.slice(0, 300) + ' ' + document.getElementById('q-list')?.innerText`)))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

const focused = `document.activeElement`

// walkTo presses Tab until what has the focus fits a selector.
func walkTo(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	for range 150 {
		if ask(t, ctx, chromedp.Evaluate[bool](fmt.Sprintf(`%s.matches(%q)`, focused, selector))) {
			return
		}
		in(t, ctx, key("Tab", false))
	}
	t.Fatalf("Tab does not lead to %s; the focus is on %s", selector, ask(t, ctx, chromedp.Evaluate[string](focused+`.outerHTML.slice(0, 300)`)))
}

// testSearchByKeyboard searches, opens a line and attaches it to an incident, without a pointer.
func testSearchByKeyboard(t *testing.T, ctx context.Context, console string) {
	down, enter, escape := key("ArrowDown", false), key("Enter", false), key("Escape", false)
	in(t, ctx, wide(), theme("light"), chromedp.Navigate(console+"/search"))
	walkTo(t, ctx, "#q")
	becomes(t, ctx, "the script", `document.querySelector('#q').getAttribute('role') === 'combobox'`)

	// A field, its relation, one of its values: by their first letters.
	in(t, ctx, press("sta"))
	becomes(t, ctx, "fields", `document.querySelector('#q-list [role=option] code')?.innerText === 'status'`)
	if ask(t, ctx, chromedp.Evaluate[string](`q.getAttribute('aria-expanded')`)) != "true" {
		t.Error("the list is open, and the box does not say so")
	}
	in(t, ctx, escape)
	becomes(t, ctx, "a closed list", `document.querySelector('#q-list').hidden && q.value === 'sta'`)
	in(t, ctx, down)
	becomes(t, ctx, "the list again", `!document.querySelector('#q-list').hidden`)
	in(t, ctx, down)
	becomes(t, ctx, "a chosen option", `document.querySelector('#' + q.getAttribute('aria-activedescendant'))?.getAttribute('aria-selected') === 'true'`)
	in(t, ctx, enter)
	becomes(t, ctx, "relations", `q.value === 'status' && document.querySelector('#q-list code')?.innerText === '='`)
	in(t, ctx, down)
	in(t, ctx, key("Tab", false))
	becomes(t, ctx, "values", `q.value === 'status=' && [...document.querySelectorAll('#q-list code')].some(n => n.innerText === '200')`)
	shoot(t, ctx, "search-completion", chromedp.CaptureScreenshot())
	in(t, ctx, press("404"), escape, enter, shown("#says"))
	becomes(t, ctx, "lines", `document.querySelectorAll('#found-lines > li').length > 0`)

	// A range of the bars.
	walkTo(t, ctx, "svg a.col")
	bars := ask(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll('svg a.col[tabindex="0"]').length`))
	if bars != 1 {
		t.Errorf("Tab stops at %d bars", bars)
	}
	in(t, ctx, key("End", false), key("Home", true))
	becomes(t, ctx, "a range", `/ to .*: .* lines?\. Enter narrows to it/.test(document.querySelector('.range-says').innerText)`)
	shoot(t, ctx, "search-range", chromedp.CaptureScreenshot())
	in(t, ctx, enter)
	becomes(t, ctx, "the range as a query", `/status=404 since \S+ until \S+/.test(document.querySelector('#q')?.value) && document.querySelectorAll('#found-lines > li').length > 0`)

	// A row opens; it leads to the line, which is attached to an incident.
	walkTo(t, ctx, ".found summary")
	in(t, ctx, enter)
	becomes(t, ctx, "an open row", `document.activeElement.parentElement.open`)
	walkTo(t, ctx, `.found-acts a[href^="/search/line/"]`)
	in(t, ctx, enter)
	becomes(t, ctx, "the line", `document.querySelector('h1')?.innerText.startsWith('Line ') && document.querySelector('.line.whole') !== null`)
	walkTo(t, ctx, `form[action="/search/attach"] button`)
	in(t, ctx, enter)
	becomes(t, ctx, "the incident", `location.pathname.startsWith('/incidents/') && document.querySelector('#lines .line') !== null`)
	if says := ask(t, ctx, chromedp.Text(chromedp.CSS("#timeline .timeline"))); !strings.Contains(says, "1 log line attached") {
		t.Error("the timeline does not say that a line was attached")
	}
	shoot(t, ctx, "incident-lines", chromedp.FullScreenshot(100))
}

// testDraggedRange chooses a range with a pointer.
func testDraggedRange(t *testing.T, ctx context.Context, console string) {
	in(t, ctx, wide(), chromedp.Navigate(console+"/search?q=status%3D404"))
	becomes(t, ctx, "the bars", `document.querySelector('svg[data-dressed]') !== null`)
	type box struct{ X, Y, W float64 }
	r := ask(t, ctx, chromedp.Evaluate[box](`(() => { const r = document.querySelector('svg[data-range]').getBoundingClientRect(); return {X: r.left, Y: r.top + r.height / 2, W: r.width} })()`))
	in(t, ctx, mouse(input.DispatchMouseEventTypeMouseMoved, r.X+2, r.Y, 0), mouse(input.DispatchMouseEventTypeMousePressed, r.X+2, r.Y, 1), mouse(input.DispatchMouseEventTypeMouseMoved, r.X+r.W/2, r.Y, 1),
		mouse(input.DispatchMouseEventTypeMouseMoved, r.X+r.W-2, r.Y, 1))
	becomes(t, ctx, "a range", `Number(document.querySelector('rect.range').getAttribute('width')) > 900`)
	in(t, ctx, mouse(input.DispatchMouseEventTypeMouseReleased, r.X+r.W-2, r.Y, 0))
	becomes(t, ctx, "the range as a query", `/status=404 since \S+ until \S+/.test(document.querySelector('#q')?.value)`)
}
