package contact

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/entry"
)

// A Template is a text for stakeholders: the state of one.
type Template struct {
	entry.Template
	Put time.Time
	By  string
}

// A Text is what the vault keeps of a template.
type Text struct {
	Version  int       `json:"version"`
	Name     string    `json:"name"`
	Versions []Version `json:"versions"` // by language; the first is for readers of none of them
}

// A Version is a text in one language.
type Version struct {
	Lang    string `json:"lang"`
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// Limits of a template.
const (
	maxSubject   = 200
	maxBody      = 8000
	maxTemplates = 200
)

// Placeholders are the words that a template may have in braces, in the order in which screens explain them.
func Placeholders() []Placeholder {
	return []Placeholder{
		{"incident.number", "the number of the incident"}, {"severity", "how severe it is, in the reader's language"},
		{"state", "open or closed"}, {"phase", "where the work stands"}, {"opened", "when the incident was opened, in the reader's time zone"},
		{"closed", "when it was closed; empty while it is open"}, {"now", "when the update is written"},
		{"status", "the sentences that the team wrote for stakeholders"}, {"next.update", "when more is promised"},
		{"contact.name", "who reads it"}, {"status.link", "the signed link to the status page"},
	}
}

// A Placeholder is a word that a template may have in braces.
type Placeholder struct{ Name, Says string }

// TemplateOf returns a template if it stands.
func (b *Book) TemplateOf(id int64) (*Template, error) {
	if id < 1 || id > int64(len(b.Templates)) || b.Templates[id-1].Gone {
		return nil, fmt.Errorf("template %d: %w", id, ErrNotFound)
	}
	return b.Templates[id-1], nil
}

// PutTemplate decides that a text is as it is in the vault from now on. ID 0 is a new one; Gone ends it, unless a rule uses it.
func (b *Book) PutTemplate(actor string, x entry.Template) (entry.Draft, error) {
	if x.ID == 0 {
		x.ID = int64(len(b.Templates)) + 1
	} else if _, err := b.TemplateOf(x.ID); err != nil {
		return entry.Draft{}, err
	}
	switch {
	case x.ID > maxTemplates:
		return entry.Draft{}, fmt.Errorf("there are at most %d templates", maxTemplates)
	case !x.Gone && (x.Vault == "" || len(x.Langs) == 0):
		return entry.Draft{}, errors.New("a template without a text in the vault cannot be kept")
	}
	for _, r := range b.Rules {
		if x.Gone && !r.Gone && r.Template == x.ID {
			return entry.Draft{}, fmt.Errorf("rule %d sends this text: change or end that rule first", r.ID)
		}
	}
	return entry.Draft{Actor: actor, Kind: entry.TemplatePut, Subject: fmt.Sprintf("template:%d", x.ID), Body: x}, nil
}

// CheckText brings a template into its one form and says all that is wrong with it. Fields are name, and of the second version lang.2, subject.2, body.2.
func CheckText(t *Text) (wrong []Problem) {
	t.Version = CardVersion
	t.Name = tidy(t.Name, false)
	if t.Name == "" {
		wrong = append(wrong, Problem{"name", "A text needs a name, by which rules choose it."})
	}
	if says := plain(t.Name, maxShort); says != "" {
		wrong = append(wrong, Problem{"name", "The name " + says + "."})
	}
	if len(t.Versions) == 0 {
		return append(wrong, Problem{"body.1", "Write the text in at least one language."})
	}
	if len(t.Versions) > maxLangs {
		return append(wrong, Problem{"lang.1", fmt.Sprintf("A text has at most %d languages.", maxLangs)})
	}
	seen := map[string]bool{}
	for i := range t.Versions {
		v := &t.Versions[i]
		if l := tags([]string{v.Lang}); len(l) == 1 {
			v.Lang = l[0]
		}
		v.Subject, v.Body = tidy(v.Subject, false), tidy(v.Body, true)
		add := func(field, says string) { wrong = append(wrong, Problem{fmt.Sprintf("%s.%d", field, i+1), says}) }
		if !langForm.MatchString(v.Lang) {
			add("lang", fmt.Sprintf("%q is no language tag (BCP 47); write de, en or pt-BR.", v.Lang))
		}
		if seen[v.Lang] {
			add("lang", fmt.Sprintf("The language %s is there twice.", v.Lang))
		}
		seen[v.Lang] = true
		for _, f := range []struct {
			name, text string
			most       int
		}{{"subject", v.Subject, maxSubject}, {"body", v.Body, maxBody}} {
			if f.text == "" {
				add(f.name, fmt.Sprintf("The %s is empty.", f.name))
			}
			if says := plain(f.text, f.most); says != "" {
				add(f.name, fmt.Sprintf("The %s %s.", f.name, says))
			}
			if _, err := scan(f.text); err != nil {
				add(f.name, fmt.Sprintf("In the %s, %s", f.name, err))
			}
		}
	}
	return wrong
}

// For returns the version for a reader of some languages, the most wanted first: the same tag, or the same language, else the first version.
func (t Text) For(langs []string) Version {
	for _, l := range langs {
		for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, func(a, b string) bool { return language(a) == language(b) }} {
			if k := slices.IndexFunc(t.Versions, func(v Version) bool { return same(v.Lang, l) }); k >= 0 {
				return t.Versions[k]
			}
		}
	}
	if len(t.Versions) == 0 {
		return Version{}
	}
	return t.Versions[0]
}

// language is the first part of a tag.
func language(tag string) string {
	l, _, _ := strings.Cut(tag, "-")
	return l
}

// A piece of a template is text, or a placeholder.
type piece struct {
	text   string
	name   string // of a placeholder; "" is text
	offset int    // in bytes
}

// scan takes a template apart. {{ and }} are the braces themselves. Errors name the line and the column, in characters from 1.
func scan(s string) (out []piece, err error) {
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			out = append(out, piece{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c:
			text.WriteByte(c)
			i++
		case c == '}':
			return nil, placed(s, i, "a brace is closed that was not opened; write }} for the brace itself.")
		case c == '{':
			end := strings.IndexAny(s[i+1:], "{}\n")
			if end < 0 || s[i+1+end] != '}' {
				return nil, placed(s, i, "a brace is opened and not closed; write {{ for the brace itself.")
			}
			name := strings.TrimSpace(s[i+1 : i+1+end])
			if !slices.ContainsFunc(Placeholders(), func(p Placeholder) bool { return p.Name == name }) {
				return nil, placed(s, i, unknown(name))
			}
			flush()
			out = append(out, piece{name: name, offset: i})
			i += 1 + end
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return out, nil
}

func unknown(name string) string {
	var known []string
	for _, p := range Placeholders() {
		known = append(known, "{"+p.Name+"}")
	}
	if len(name) > 40 {
		name = strings.ToValidUTF8(name[:40], "") + "…"
	}
	return fmt.Sprintf("there is no placeholder {%s}; known: %s.", name, strings.Join(known, " "))
}

// placed says where in a text something is.
func placed(s string, offset int, says string) error {
	before := s[:offset]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return Problem{Says: fmt.Sprintf("line %d, column %d: %s", line, column, says)}
}

// Fill writes a template with values for its placeholders. It refuses what has no value: a stakeholder reads no gap.
func Fill(s string, values map[string]string) (string, error) {
	pieces, err := scan(s)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		v := strings.TrimSpace(values[p.name])
		if v == "" {
			return "", placed(s, p.offset, fmt.Sprintf("{%s} has no value yet%s.", p.name, mend(p.name)))
		}
		b.WriteString(v)
	}
	return b.String(), nil
}

// mend says how a placeholder gets its value.
func mend(name string) string {
	switch name {
	case "status":
		return ": write what stakeholders may know first"
	case "next.update":
		return ": say when more is promised, beside what stakeholders may know"
	case "closed":
		return ", because the incident is open"
	}
	return ""
}

// FillBoth fills subject and body. Values of the subject have one line.
func (v Version) FillBoth(values map[string]string) (subject, body string, err error) {
	flat := map[string]string{}
	for k, x := range values {
		flat[k] = strings.Join(strings.Fields(x), " ")
	}
	if subject, err = Fill(v.Subject, flat); err != nil {
		return "", "", Problem{"subject", "In the subject, " + err.Error()}
	}
	if body, err = Fill(v.Body, values); err != nil {
		return "", "", Problem{"body", "In the body, " + err.Error()}
	}
	return subject, body, nil
}

// Sentences are what the vault keeps of the status that the team wrote for stakeholders: a text without a subject in each language.
type Sentences struct {
	Version  int       `json:"version"`
	Versions []Version `json:"versions"`
}

// CheckSentences brings a status into its one form and says all that is wrong with it. Fields are, of the second version, lang.2 and body.2.
func CheckSentences(x *Sentences) (wrong []Problem) {
	x.Version = CardVersion
	x.Versions = slices.DeleteFunc(x.Versions, func(v Version) bool { return strings.TrimSpace(v.Body) == "" })
	if len(x.Versions) == 0 {
		return []Problem{{"body.1", "Write what stakeholders may know."}}
	}
	for i := range x.Versions {
		v := &x.Versions[i]
		v.Subject, v.Body = "", tidy(v.Body, true)
		if l := tags([]string{v.Lang}); len(l) != 1 || !langForm.MatchString(l[0]) {
			wrong = append(wrong, Problem{fmt.Sprintf("lang.%d", i+1), fmt.Sprintf("%q is no language tag (BCP 47); write de, en or pt-BR.", v.Lang)})
		} else {
			v.Lang = l[0]
		}
		if says := plain(v.Body, maxLong); says != "" {
			wrong = append(wrong, Problem{fmt.Sprintf("body.%d", i+1), "The text " + says + "."})
		}
	}
	return wrong
}

// For returns the sentences for a reader of some languages.
func (x Sentences) For(langs []string) Version { return Text{Versions: x.Versions}.For(langs) }

// SetStatus decides what stakeholders may know of an incident from now on.
func (b *Book) SetStatus(actor string, x entry.Status, now time.Time) (entry.Draft, error) {
	n := b.needs[x.Incident]
	switch {
	case n == nil || n.opened.IsZero():
		return entry.Draft{}, fmt.Errorf("incident %d: %w", x.Incident, ErrNotFound)
	case !x.Next.IsZero() && !x.Next.After(now):
		return entry.Draft{}, Problem{"next", "What is promised next lies in the future."}
	case x.Vault == "" || x.Hash == "":
		return entry.Draft{}, Problem{"body.1", "Write what stakeholders may know."}
	}
	return updateDraft(actor, entry.StatusPut, x.Incident, x), nil
}
