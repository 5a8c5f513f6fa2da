package ui

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	printing "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var onePage = regexp.MustCompile(`/Type\s*/Page\b`)

// TestBrowserPrintsCard prints the emergency card, with few contacts and with as many as it takes, with phrases and without: it is one page of A4 and of Letter, in
// letters that can be read, and nothing of the console around it is on the paper. TOCSIN_SHOTS keeps the papers.
func TestBrowserPrintsCard(t *testing.T) {
	ctx := browser(t)
	server := serve(t)
	shots := os.Getenv("TOCSIN_SHOTS")
	for _, name := range []string{"contacts-card", "contacts-card-few", "contacts-card-full"} {
		run(t, ctx, chromedp.Navigate(server.URL+"/"+name))
		for paper, size := range map[string][2]float64{"a4": {8.27, 11.69}, "letter": {8.5, 11}} {
			pdf := get(t, ctx, chromedp.Action[[]byte](func(ctx context.Context, tab *chromedp.Target) ([]byte, error) {
				r, err := cdp.Call(ctx, tab, printing.PrintToPDF, printing.PrintToPDFParams{PaperWidth: size[0], PaperHeight: size[1], PreferCSSPageSize: new(true)})
				return r.Data, err
			}))
			if n := len(onePage.FindAll(pdf, -1)); n != 1 || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
				t.Errorf("%s on %s: %d pages", name, paper, n)
			}
			if shots != "" {
				if err := os.WriteFile(filepath.Join(shots, name+"-"+paper+".pdf"), pdf, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		if shots != "" { // there is not everywhere a program that draws the papers
			run(t, ctx, chromedp.EmulateViewport(733, 1062, chromedp.EmulateScale(2)), send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})) // A4 without its margins
			if err := os.WriteFile(filepath.Join(shots, name+"-print.png"), get(t, ctx, chromedp.FullScreenshot(100)), 0o644); err != nil {
				t.Fatal(err)
			}
			run(t, ctx, send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}))
		}
	}
}
