package query_test

import (
	"net/netip"
	"testing"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"

	"pgregory.net/rapid"
)

// texts are such that they are easily printed wrong.
var texts = []string{"a", "and", "OR", "in", "not", "since", "a b", `"`, `\`, `\\`, `a\*b`, "*", "**", "a*", `\"`, "(x)", "|", "a,b", "=", "=~x", "~", ">=1", "!", "-a", "--", "/a/", "/a", "//", "a/i", "10.0.0.0/8", "10.0.0.1", "::1", "fe80::1", "5xx", "5*", "200",
	"0200", "1e3", "10kb", "250ms", "2026-11-20", "ü", "İ", "ſince", "K", "\n", "\t x", "\x00", "“x”", "„", "x=y", "x:", "http://x", `C:\`, "on", "a\u202eb", "/", "2h", "now", "x in y", "'", "#", "%", "?"}

func drawLeaf(t *rapid.T) *query.Expr {
	field := rapid.SampledFrom([]query.Field{query.Raw, query.Host, query.File, query.Log, query.KnownField(record.SourceIP), query.KnownField(record.SourceNetwork), query.KnownField(record.HTTPStatus),
		query.KnownField(record.UserName), query.KnownField(record.HTTPBodyBytes), query.KnownField(record.EventDuration), query.KnownField(record.EventCode), query.OwnField("took"), query.OwnField("my field"),
		query.OwnField("ip"), query.OwnField("and"), query.OwnField(`a"\b`), query.OwnField("usr"), query.OwnField("1"), query.OwnField("a-b.c@d")}).Draw(t, "field")
	text := rapid.OneOf(rapid.SampledFrom(texts), rapid.StringN(1, 8, -1)).Draw(t, "text")
	switch rapid.IntRange(0, 7).Draw(t, "leaf") {
	case 0:
		return query.Is(field, text)
	case 1:
		return query.Holds(field, text)
	case 2:
		return query.Like(field, "*"+text+"*x")
	case 3:
		return query.Has(field)
	case 4:
		if e, err := query.Fits(field, rapid.SampledFrom([]string{"a", "a|b", `\/x`, "[/]", `a/b`, `\\`, "a b", "(x)", `"`, `\d+`, " "}).Draw(t, "regex"), rapid.SampledFrom([]string{"", "i", "ms", "si"}).Draw(t, "flags")); err == nil {
			// In the language a slash has no backslash in the tree: "\/" is read as "/".
			if e.Text != `\/x` {
				return e
			}
		}
		return query.Has(field)
	case 5:
		if field == query.KnownField(record.SourceIP) || field == query.KnownField(record.SourceNetwork) {
			return query.In(field, netip.MustParsePrefix(rapid.SampledFrom([]string{"10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "::/0"}).Draw(t, "net")))
		}
		n := rapid.OneOf(rapid.Float64Range(-1e15, 1e15), rapid.SampledFrom([]float64{0, 1, 0.1, 1e9, 6e10, 36e11, 1e30, 1e-300, 1500, 250e6})).Draw(t, "number")
		return query.Compare(field, rapid.SampledFrom([]query.Op{query.Less, query.AtMost, query.More, query.AtLeast}).Draw(t, "op"), n)
	case 6:
		if field == query.KnownField(record.HTTPStatus) || field == query.OwnField("my field") {
			return query.IsNumber(field, "200", 200)
		}
		return query.Is(field, text)
	}
	return query.CompareTime(rapid.SampledFrom([]query.Op{query.Less, query.AtMost, query.More, query.AtLeast}).Draw(t, "op"), time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), rapid.Int64Range(0, 999).Draw(t, "ns")).In(berlin))
}

func drawExpr(t *rapid.T, depth int) *query.Expr {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 || kind < 2 {
		return drawLeaf(t)
	}
	if kind == 2 {
		return query.None(drawExpr(t, depth-1))
	}
	if kind == 3 {
		f := query.KnownField(record.UserName)
		return query.All(query.Has(f), query.None(query.Any(query.Is(f, "x"), query.Like(f, "a *"))))
	}
	kids := make([]*query.Expr, rapid.IntRange(2, 4).Draw(t, "kids"))
	for i := range kids {
		kids[i] = drawExpr(t, depth-1)
	}
	if kind == 4 {
		return query.All(kids...)
	}
	return query.Any(kids...)
}

// Given any condition, when it is printed, then it is read back as the same.
func TestPrintedIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := &query.Query{Where: drawExpr(t, 3), Zone: berlin}
		if rapid.Bool().Draw(t, "windowed") {
			q.Since = time.Unix(1_700_000_000, 5)
		}
		text := q.String()
		if len(text) > query.MaxText {
			t.Skip("too long")
		}
		again, err := query.Parse(text, now, berlin)
		if err != nil {
			t.Fatalf("%s", err.(*query.Error).Show(text))
		}
		if !again.Same(q) {
			t.Fatalf("%s\nis read as\n%s\n%+v", text, again, again.Where)
		}
	})
}
