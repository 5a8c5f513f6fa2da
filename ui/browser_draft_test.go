package ui

import (
	"testing"

	"github.com/chromedp/chromedp"

	"tocsin/internal/counterpart"
)

// Given a form in which somebody typed, when the page is left and opened again, then the draft is there and says so, the live page leaves it alone, and it
// goes when it is thrown away; N leads to the note from anywhere.
func TestBrowserKeepsDrafts(t *testing.T) {
	ctx := browser(t)
	server := serve(t)
	complaints := listen(t, ctx)
	value := func(of string) string {
		return get(t, ctx, chromedp.Evaluate[string](`document.querySelector('`+of+`').value`))
	}
	page := server.URL + "/incident-lead"
	typing := func(at, words string) step {
		return js(`{ const e = document.querySelector('` + at + `'); e.value = '` + words + `'; e.dispatchEvent(new InputEvent('input', {bubbles: true})); }`)
	}
	saved := `(async () => { const end = Date.now() + 5000; while (Date.now() < end && !Object.keys(localStorage).some((k) => k.startsWith('draft:'))) await new Promise((r) => setTimeout(r, 50)); return true; })()`
	run(t, ctx, chromedp.Navigate(page), js(`localStorage.clear()`), typing("#ask-text", "Do we call the police?"))
	get(t, ctx, chromedp.Evaluate[bool](saved, chromedp.EvalAwaitPromise))
	run(t, ctx, chromedp.Navigate(page))
	if got := value("#ask-text"); got != "Do we call the police?" {
		t.Errorf("the draft is %q", got)
	}
	if open := get(t, ctx, chromedp.Evaluate[bool](`document.querySelector('#ask').closest('details').open && document.querySelector('#ask .draft-note') !== null`)); !open {
		t.Error("the draft is not shown as one")
	}
	run(t, ctx, js(`document.querySelector('#ask .draft-note button').click()`), chromedp.Navigate(page))
	if got := value("#ask-text"); got != "" {
		t.Errorf("thrown away, and still there: %q", got)
	}
	complaints.Report(t, "drafts")
	run(t, ctx, js(`document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'n', bubbles: true}))`))
	if got := get(t, ctx, chromedp.Evaluate[string](`document.activeElement.id`)); got != "note" {
		t.Errorf("N leads to %q", got)
	}
}

// Given a form half typed, when the whole browser is closed and a new one is opened with the same profile, then what was typed is there.
func TestBrowserKeepsDraftsWhenItIsClosed(t *testing.T) {
	server := serve(t)
	profile := chromedp.UserDataDir(t.TempDir())
	page := server.URL + "/incident-lead"
	first := counterpart.Browser(t, profile)
	run(t, first, chromedp.Navigate(page), js(`document.querySelector('#ask').closest('details').open = true`), chromedp.SendKeys(chromedp.CSS("#ask-text"), "Do we call the police?"))
	get(t, first, chromedp.Evaluate[bool](`(async () => { while (!Object.keys(localStorage).some((k) => k.startsWith('draft:'))) await new Promise((r) => setTimeout(r, 20)); return true; })()`, chromedp.EvalAwaitPromise))
	if err := chromedp.Cancel(first); err != nil {
		t.Fatal(err)
	}
	second := counterpart.Browser(t, profile)
	run(t, second, chromedp.Navigate(page))
	if got := get(t, second, chromedp.Evaluate[string](`document.querySelector('#ask-text').value`)); got != "Do we call the police?" {
		t.Errorf("in the new browser the draft is %q", got)
	}
}
