package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tocsin/internal/signin"
)

// In a browser the form of a new password says how strong it is while it is typed, as the server would, and shows what is typed when asked to.
func TestBrowserPasswordForm(t *testing.T) {
	ctx := browser(t)
	c := newEmptyConsole(t, boring(), nil)
	c.run(t)
	in(t, ctx, narrow(), chromedp.Navigate(c.desk.SetupLink(time.Now())), shown(".show-password"))
	text := func(script string) string { return ask(t, ctx, chromedp.Evaluate[string](script)) }
	for _, password := range []string{"short", "aaaaaaaaaaaa", "tidal copper", "tidal copper wagon", "Quiet-Harbour+72 lamps?"} {
		in(t, ctx, js(fmt.Sprintf(`{ const f = document.getElementById('password'); f.value = %q; f.dispatchEvent(new Event('input')); }`, password)))
		if got := text(`document.querySelector('.strength [role=status]').textContent`); !strings.HasSuffix(got, signin.Strengths()[signin.Strength(password)]) {
			t.Errorf("%q: the page says %q, the server %d", password, got, signin.Strength(password))
		}
	}
	in(t, ctx, click("#password + .show-password"))
	if got := text(`document.getElementById('password').type`); got != "text" {
		t.Errorf("shown it is a field of type %s", got)
	}
	in(t, ctx, click("#password + .show-password"))
	if got := text(`document.getElementById('password').type`); got != "password" {
		t.Errorf("hidden it is a field of type %s", got)
	}
}
