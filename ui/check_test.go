package ui

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// find returns the elements below n for which is true.
func find(n *html.Node, is func(*html.Node) bool) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && is(d) {
			found = append(found, d)
		}
	}
	return found
}

// tag matches elements of one of the names.
func tag(names ...string) func(*html.Node) bool {
	return func(n *html.Node) bool {
		for _, name := range names {
			if n.Data == name {
				return true
			}
		}
		return false
	}
}

// pick by a small selector: "tag", "#id", ".class" or "tag.class".
func selector(s string) func(*html.Node) bool {
	if id, ok := strings.CutPrefix(s, "#"); ok {
		return func(n *html.Node) bool { return attr(n, "id") == id }
	}
	name, class, _ := strings.Cut(s, ".")
	return func(n *html.Node) bool {
		return (name == "" || n.Data == name) && (class == "" || hasClass(n, class))
	}
}

func hasClass(n *html.Node, class string) bool {
	for c := range strings.FieldsSeq(attr(n, "class")) {
		if c == class {
			return true
		}
	}
	return false
}

func attr(n *html.Node, key string) string {
	v, _ := lookup(n, key)
	return v
}

func lookup(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// words returns the text below n.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// inert says what in a page could run, load or post elsewhere. It holds for hostile data, too.
func inert(doc *html.Node) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, n := range find(doc, func(*html.Node) bool { return true }) {
		switch n.Data {
		case "style", "iframe", "object", "embed", "base", "noscript":
			say("<%s> in the page", n.Data)
		case "script":
			if src := attr(n, "src"); src != assets["app.js"] && src != assets["search.js"] && src != assets["room.js"] && src != assets["passkey.js"] && src != assets["password.js"] && src != assets["report.js"] && src != assets["draft.js"] || n.FirstChild != nil {
				say("a script that is not one of ours: %q", src)
			}
		case "form":
			if a := attr(n, "action"); !ours(a) {
				say("a form that posts to %q", a)
			}
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "srcdoc" || a.Key == "formaction" {
				say("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
			if (a.Key == "href" || a.Key == "src") && strings.Contains(a.Val, ":") && !strings.HasPrefix(a.Val, "http") && ours(a.Val) == false && !dials(n, a.Val) {
				say("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
	return wrong
}

// dials reports whether a link opens the phone or the mail program, which loads and posts nothing.
func dials(n *html.Node, u string) bool {
	return n.Data == "a" && (strings.HasPrefix(u, "tel:") || strings.HasPrefix(u, "mailto:"))
}

// ours reports whether a URL is a path, query or fragment on this server.
func ours(u string) bool {
	return strings.HasPrefix(u, "/") && !strings.HasPrefix(u, "//") || strings.HasPrefix(u, "#") || strings.HasPrefix(u, "?")
}

// whole says what a page lacks for a reader who sees, or does not.
func whole(doc *html.Node) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, must := range []string{"h1", "main", "head", "header.top", "footer", "a.skip"} {
		if n := find(doc, selector(must)); len(n) != 1 || words(n[0]) == "" && must != "footer" {
			say("%d times %s, or one without words", len(n), must)
		}
	}
	ids := map[string]bool{}
	for _, n := range find(doc, func(n *html.Node) bool { return attr(n, "id") != "" }) {
		if id := attr(n, "id"); ids[id] {
			say("id %q twice", id)
		} else {
			ids[id] = true
		}
	}
	for _, n := range find(doc, tag("a")) {
		if href := attr(n, "href"); words(n) == "" || href == "" {
			say("a link without words or without an address: %q %q", words(n), href)
		} else if f, ok := strings.CutPrefix(href, "#"); ok && !ids[f] {
			say("a link to %q, which is not on the page", href)
		}
	}
	for _, n := range find(doc, tag("button", "summary", "legend", "caption", "th", "h2", "h3")) {
		if words(n) == "" {
			say("<%s> without words", n.Data)
		}
	}
	for _, n := range find(doc, tag("form")) {
		if m := attr(n, "method"); m != "post" && m != "get" {
			say("a form with method %q", m)
		}
		if len(find(n, tag("button"))) == 0 {
			say("a form without a button: %s", attr(n, "action"))
		}
	}
	return append(wrong, labels(doc, ids)...)
}

// labels says which inputs have no label, and which references lead nowhere.
func labels(doc *html.Node, ids map[string]bool) (wrong []string) {
	labelled := map[string]bool{}
	for _, n := range find(doc, tag("label")) {
		labelled[attr(n, "for")] = words(n) != ""
		if f, ok := lookup(n, "for"); ok && !ids[f] {
			wrong = append(wrong, fmt.Sprintf("a label for %q, which is not on the page", f))
		}
	}
	for _, n := range find(doc, tag("input", "select", "textarea")) {
		if attr(n, "type") != "hidden" && !labelled[attr(n, "id")] && n.Parent.Data != "label" {
			wrong = append(wrong, fmt.Sprintf("no label for <%s name=%q>", n.Data, attr(n, "name")))
		}
	}
	for _, key := range []string{"aria-labelledby", "aria-describedby", "popovertarget"} {
		for _, n := range find(doc, func(n *html.Node) bool { return attr(n, key) != "" }) {
			for id := range strings.FieldsSeq(attr(n, key)) {
				if !ids[id] {
					wrong = append(wrong, fmt.Sprintf("<%s %s=%q>: no such id", n.Data, key, id))
				}
			}
		}
	}
	return wrong
}

func parse(t *testing.T, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// venom is what an attacker would write into every field that holds a string: code, signs that turn or end things, and
// a word too long for any line.
var venom = strings.Repeat("W", 300) + "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x00\x1b]0;javascript:alert(3)\xff{{.}} style=x "

// spoil returns a copy of view with every string venomous.
func spoil[T any](view T) T {
	v := reflect.New(reflect.TypeOf(view)).Elem()
	v.Set(clone(reflect.ValueOf(view)))
	return v.Interface().(T)
}

func clone(v reflect.Value) reflect.Value {
	switch v.Interface().(type) {
	case Time, Bar, Spark, Curve, Coordinate: // made of numbers by At, NewChart, NewSpark, NewGraph and NewStrip
		return v
	}
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(venom)
		if v.Len() == 0 {
			out.SetString("")
		} else if strings.Contains(v.String(), "://") || strings.HasPrefix(v.String(), "/") {
			out.SetString("javascript:alert(4)//" + venom)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(clone(v.Field(i)))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(clone(v.Index(i)))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(clone(v.Index(i)))
		}
	default:
		out.Set(v)
	}
	return out
}
