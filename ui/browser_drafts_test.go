package ui

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Given drafts in a browser, when a page is opened, then one comes back with what its person looked at when they typed, what others left and what is old is gone, only what the
// server took is dropped, and on a secret page a draft stays in its tab.
func TestBrowserDraftsAreTheirOwners(t *testing.T) {
	ctx := browser(t)
	server := serve(t)
	page := server.URL + "/incident-lead"
	ask := func(expression string) string { return get(t, ctx, chromedp.Evaluate[string](expression)) }
	run(t, ctx, chromedp.Navigate(page), js(`{
		localStorage.clear(); sessionStorage.clear();
		const form = document.querySelector('#state'), now = form.querySelector('[name=seen]').value;
		const key = (who) => 'draft:' + who + ':' + form.getAttribute('action') + '#state';
		const draft = (at, words) => JSON.stringify({at, fields: [['text', words, null]], seen: [['seen', '17']]});
		localStorage.setItem(key('anna'), draft(Date.now(), 'It is the cellar.'));
		localStorage.setItem(key('boris'), draft(Date.now(), 'A secret of another.'));
		localStorage.setItem('draft:anna:/elsewhere#old', draft(Date.now() - 8 * 24 * 3600 * 1000, 'Old.'));
		sessionStorage.setItem('sent', JSON.stringify({key: key('anna'), number: '99'}));
	}`), chromedp.Navigate(page+"?done=assigned&took=98"))
	if got := ask(`document.querySelector('#state [name=text]').value + '|' + document.querySelector('#state [name=seen]').value`); got != "It is the cellar.|17" {
		t.Errorf("the draft and what was looked at: %q", got)
	}
	if got := ask(`Object.keys(localStorage).filter((k) => k.startsWith('draft:')).length + Object.values(localStorage).join()`); len(got) == 0 || got[0] != '1' {
		t.Errorf("drafts that are left: %s", got)
	}
	run(t, ctx, js(`document.querySelector('#state .draft-note button').click()`))
	if got := ask(`document.querySelector('#state [name=seen]').value`); got == "17" {
		t.Error("thrown away, and what was looked at then stays")
	}
	// A form that is sent carries a number, and its draft goes when that comes back.
	run(t, ctx, js(`{
		document.querySelector('#state [name=text]').value = 'Sent.';
		document.addEventListener('submit', (e) => e.preventDefault());
		document.querySelector('#state').requestSubmit();
		sessionStorage.setItem('number', document.querySelector('#state [name=draft]').value);
	}`))
	if got := ask(`String(Object.values(localStorage).some((x) => x.includes('Sent.')))`); got != "true" {
		t.Error("what is on its way is not kept")
	}
	number := ask(`sessionStorage.getItem('number')`)
	run(t, ctx, chromedp.Navigate(page+"?done=stated&took="+number))
	if got := ask(`String(Object.values(localStorage).some((x) => x.includes('Sent.')))`); got != "false" {
		t.Error("what was taken is a draft still")
	}
}

// Given a page of a secret incident, when it is shown, then it says that drafts stay with the tab.
func TestSecretPagesKeepDraftsInTheTab(t *testing.T) {
	for secret, want := range map[bool]int{true: 1, false: 0} {
		v := leadView()
		v.TabDrafts = secret
		var b strings.Builder
		if err := Incident.Render(&b, v); err != nil || strings.Count(b.String(), `data-person="anna" data-drafts="tab"`) != want {
			t.Errorf("secret %v: %v", secret, err)
		}
	}
}
