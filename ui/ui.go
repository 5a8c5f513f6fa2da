// Package ui is the visible console: pages, parts and static files, embedded, and one typed value per page to render them.
//
//	pages/incident.html ─┐
//	parts/*.html ────────┴─ page[IncidentView] ── Incident.Render(w, IncidentView{...})
//
// A page says what it shows by its view: a struct of strings and small structs, already sorted and worded, with no type
// of the domain. The wrong view does not compile, and a test renders every page, so that a template cannot fail at
// night. Templates know range, if, with and two functions; everything else is decided in Go.
//
// What is shown is hostile until shown otherwise: html/template escapes by context, Visible makes control and bidi
// characters of log lines readable, and Render lets none of them through anywhere else. Secure sends a policy under
// which a browser runs no script, style or form target but ours; so no page holds inline code, and a test says so.
// Every page works without JavaScript; app.js only saves the reload and makes the sound of a call, and search.js completes queries and
// shows a search while it runs.
package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed pages parts static
var files embed.FS

// A Page is a page that takes a T, a struct that embeds Frame.
type Page[T any] struct{ parsed func() *template.Template }

// page parses pages/name.html together with every file in parts when it is first shown: for all pages that takes a quarter of a second, which no command
// line should wait for. A mistake in one panics then; a test shows every page.
func page[T any](name string) Page[T] {
	return Page[T]{sync.OnceValue(func() *template.Template {
		t := template.New("").Funcs(template.FuncMap{"asset": asset, "icon": icon}).Option("missingkey=error")
		return template.Must(t.ParseFS(files, "parts/*.html", "pages/"+name+".html"))
	})}
}

// Part writes one template of the page alone, scrubbed like a page, for a script of ours that puts it in place of what the page shows.
func (p Page[T]) Part(w io.Writer, name string, view any) error {
	var b bytes.Buffer
	if err := p.parsed().ExecuteTemplate(&b, name, view); err != nil {
		return fmt.Errorf("rendering %s of a page: %w", name, err)
	}
	_, err := w.Write(scrub(b.Bytes()))
	return err
}

// Render writes the page, or nothing at all if the template fails. Characters that could turn the reading order or hide
// text are written as escapes, wherever they stand.
func (p Page[T]) Render(w io.Writer, view T) error {
	var b bytes.Buffer
	if err := p.parsed().ExecuteTemplate(&b, "layout", view); err != nil {
		return fmt.Errorf("rendering a page: %w", err)
	}
	out := scrub(b.Bytes())
	if f, ok := any(view).(interface{ finds() func(string) []Term }); ok && f.finds() != nil {
		out = explain(out, f.finds())
	}
	_, err := w.Write(out)
	return err
}

// Show answers a request with the page. The status is 200 for most, 4xx when a form is shown again.
// An error means that the template failed, and nothing was written, or that the browser went away.
func (p Page[T]) Show(w http.ResponseWriter, status int, view T) error {
	var b bytes.Buffer
	if err := p.Render(&b, view); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := b.WriteTo(w)
	return err
}

// assets maps the name of a static file to its URL, /static/<hash>/<name>. The hash lets browsers keep it for ever.
var assets = hashAssets()

func hashAssets() map[string]string {
	names, err := fs.ReadDir(files, "static")
	if err != nil {
		panic("ui: internal error: the static files are not embedded: " + err.Error())
	}
	urls := make(map[string]string, len(names))
	for _, n := range names {
		b, err := files.ReadFile("static/" + n.Name())
		if err != nil {
			panic("ui: internal error: an embedded file cannot be read: " + err.Error())
		}
		sum := sha256.Sum256(b)
		urls[n.Name()] = "/static/" + hex.EncodeToString(sum[:6]) + "/" + n.Name()
	}
	return urls
}

// asset returns the URL of a static file.
func asset(name string) (string, error) {
	u, ok := assets[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return u, nil
}

// icon returns the URL of a drawing in icons.svg.
func icon(name string) (string, error) {
	u, err := asset("icons.svg")
	return u + "#" + name, err
}

// Static serves the files that pages refer to, below /static/. An old hash is not found: the page that names it is old too.
func Static() http.Handler {
	root, err := fs.Sub(files, "static")
	if err != nil {
		panic("ui: internal error: the static files are not embedded: " + err.Error())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		if assets[name] != r.URL.Path {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeFileFS(w, r, root, name)
	})
}

// policy is the Content-Security-Policy of every answer (W3C CSP level 3, Trusted Types): a page may load our own files
// and post to us, and nothing else. It needs no nonce, because no page has inline code. There is no media-src: the
// sound of a call is made by Web Audio, which loads nothing.
var policy = strings.Join([]string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
	"connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
	"require-trusted-types-for 'script'", "trusted-types ui",
}, "; ")

// Secure wraps h with the headers that every answer carries and refuses posts from other origins (403, without calling
// h). Set tls when the console is reached by https only: browsers then refuse plain http for a year.
func Secure(h http.Handler, tls bool) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := Error.Show(w, http.StatusForbidden, ErrorFor(http.StatusForbidden)); err != nil {
			return // the browser went away, and nothing was done for it
		}
	}))
	h = cross.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		if tls {
			head.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.ServeHTTP(w, r)
	})
}
