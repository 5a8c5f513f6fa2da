package ui

import (
	"strconv"
	"strings"
	"time"
)

// Words is what the public pages say, in one language. A field that is empty fails a test. {n} stands for a number, {name} for a file's
// name, {mb} for megabytes, {day} for a day.
type Words struct {
	Lang, Name             string // ISO 639-1, and what its speakers call it
	Skip, Language         string
	Title, Intro           string
	Sealed, Unsealed, Kept string

	From, Employee, Customer, Researcher, Supplier, Unknown string
	What, WhatHint                                          string
	When, WhenHint                                          string
	Where, WhereHint                                        string
	Contact, ContactHint, Optional                          string
	Files, FilesHint                                        string
	FilesMost                                               Numbered // how many files are taken
	Keep, KeepSays                                          string
	Send, SendSealed, HaveReceipt                           string

	Checking, Sealing, Working, Sending, Done, Opening string // while the script works
	Cleaned, Stays, Fake, Big, Large, Many             string // of files
	Failed, Empty, Long, Over, Wrongs, NoKey           string
	Busy                                               Numbered // minutes to wait

	Sent, WasPlain, Receipt, ReceiptSays, Copy, Copied, Print string

	Return, ReturnSays, PlainReceipt, ReceiptHint, Open string
	Mistyped, NoReport                                  string
	Tries                                               Numbered // minutes to wait after wrong receipts

	Thread, Stands, Filed, Messages         string
	New, Read, Answered, AtWork, Closed     string // where a report stands
	Count                                   Numbered
	Team, You, Reply, ReplySent, Unreadable string
	Date                                    string // with {day}, {month}, {year}
	Months                                  [12]string
	First                                   string // how the first of a month is written, "" as a number
}

// Numbered is a text with a number, in the forms that its language needs (CLDR plural rules, cardinal, whole numbers below a million).
type Numbered struct{ One, Few, Many, Other string }

// classes are the forms that a language has. English, German, Dutch, Italian, Spanish: 1 and others; French and Portuguese count 0 as 1;
// Polish tells 2-4, 22-24, ... from the rest.
func classes(lang string) []string {
	if lang == "pl" {
		return []string{"one", "few", "many"}
	}
	return []string{"one", "other"}
}

// class is the form that n takes.
func class(lang string, n int) string {
	n = max(n, -n)
	switch {
	case lang == "pl" && n != 1 && n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return "few"
	case lang == "pl" && n != 1:
		return "many"
	case n == 1, n == 0 && (lang == "fr" || lang == "pt"):
		return "one"
	}
	return "other"
}

// form is the text of a class.
func (c Numbered) form(class string) string {
	switch class {
	case "one":
		return c.One
	case "few":
		return c.Few
	case "many":
		return c.Many
	}
	return c.Other
}

// Say puts a number into a text.
func (w Words) Say(c Numbered, n int) string {
	return strings.ReplaceAll(c.form(class(w.Lang, n)), "{n}", strconv.Itoa(n))
}

// Day writes a day (2006-01-02); what is none comes back as it is.
func (w Words) Day(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	n := strconv.Itoa(t.Day())
	if t.Day() == 1 && w.First != "" {
		n = w.First
	}
	return strings.NewReplacer("{day}", n, "{month}", w.Months[t.Month()-1], "{year}", strconv.Itoa(t.Year())).Replace(w.Date)
}

// Languages returns the words of every language, English first.
func Languages() []Words {
	return []Words{english(), german(), french(), spanish(), italian(), dutch(), polish(), portuguese()}
}

// WordsIn returns the words of a language, English ones for another.
func WordsIn(lang string) Words {
	for _, w := range Languages() {
		if w.Lang == lang {
			return w
		}
	}
	return english()
}

// Choose chooses a language: the one that the address asks for (?lang=), or what the browser likes best of ours (Accept-Language, RFC 9110
// section 12.5.4). No cookie remembers it.
func Choose(asked, accept string) string {
	known := func(tag string) string {
		tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		for _, w := range Languages() {
			if w.Lang == tag {
				return tag
			}
		}
		return ""
	}
	if l := known(asked); l != "" {
		return l
	}
	best, lang := 0.0, "en"
	for i, part := range strings.Split(accept[:min(len(accept), 1000)], ",") {
		if i == 50 {
			break
		}
		tag, rest, _ := strings.Cut(part, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ReplaceAll(rest, " ", ""), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		if l := known(tag); l != "" && q > best {
			best, lang = q, l
		}
	}
	return lang
}
