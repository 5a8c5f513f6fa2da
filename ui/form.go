package ui

import (
	"slices"
	"strings"
)

// A Form is fields and a button, drawn by the part "form". The id of a field is the form's, "-", and the field's name: so a page may have many, and
// an Error names the field by it.
type Form struct {
	ID     string
	Action string
	Fields []Field
	Hidden []Option // Value is posted under the name Word
	Hint   string   // above the fields
	Button string
	Main   bool // its button is the main one of its place
	Next   bool // it is what the reader does next: the button carries data-next
	Danger bool
	Files  bool     // it brings files
	Leaves bool     // it brings no page, as a download does: nothing of it is a draft
	Also   []Option // more buttons: Value is posted under the name deed
}

// A Field is one thing to fill in.
type Field struct {
	Name    string
	Kind    string // lines, choice (a list), radios, ticks, tick, file; anything else is a line
	Label   string
	Hint    string
	Value   string // what was typed before
	Options []Option
	Rows    int // of lines; 0 is 3
	Most    int // characters; 0 is 2000
	Need    bool
	Code    bool   // it is read by a program: no spelling, letters of one width
	Wrong   string // what is wrong with it
}

// Again puts back what was typed, and what was wrong with it. Files are to be chosen again: no browser takes a name that a page gives.
func (f Form) Again(typed map[string][]string, es Errors) Form {
	f.Fields = slices.Clone(f.Fields)
	for i := range f.Fields {
		x := &f.Fields[i]
		x.Wrong = es.For(f.ID + "-" + x.Name)
		values, sent := typed[x.Name]
		if x.Kind == "ticks" {
			sent = true // none is ticked, none is sent
		}
		if !sent || x.Kind == "file" {
			continue
		}
		if len(values) > 0 {
			x.Value = values[0]
		}
		x.Options = slices.Clone(x.Options)
		for k := range x.Options {
			x.Options[k].Chosen = slices.Contains(values, x.Options[k].Value)
		}
	}
	return f
}

// With returns the form with one more field.
func (f Form) With(x Field) Form {
	f.Fields = append(slices.Clone(f.Fields), x)
	return f
}

// A Fold is a form behind a line that opens it.
type Fold struct {
	Summary string
	Form    Form
	Open    bool
}

// Height is how many rows a field of lines has.
func (f Field) Height() int {
	if f.Rows > 0 {
		return f.Rows
	}
	return 3
}

// Limit is how many characters a field takes.
func (f Field) Limit() int {
	if f.Most > 0 {
		return f.Most
	}
	return 2000
}

// A Placed is a field within a form.
type Placed struct {
	Field
	ID string
}

// In places the field in the form of an id.
func (f Field) In(form string) Placed {
	f.Value = strings.ToValidUTF8(f.Value, "\ufffd") // what was kept of a stranger goes into the page as text only
	return Placed{f, form + "-" + f.Name}
}

// Group reports whether it is several boxes.
func (f Field) Group() bool { return f.Kind == "radios" || f.Kind == "ticks" }

// Ticks is the type of its boxes.
func (f Field) Ticks() string {
	if f.Kind == "ticks" {
		return "checkbox"
	}
	return "radio"
}

// Must reports whether one of the boxes must be chosen.
func (f Field) Must() bool { return f.Need && f.Kind == "radios" }

// Long reports whether the words of the boxes are so long that each needs a line.
func (f Field) Long() bool {
	return slices.ContainsFunc(f.Options, func(o Option) bool { return len(o.Word) > 40 })
}

// Described is the ids of what tells more of the field.
func (p Placed) Described() string {
	out := ""
	if p.Hint != "" {
		out = p.ID + "-hint"
	}
	if p.Wrong != "" {
		out += " " + p.ID + "-wrong"
	}
	return strings.TrimSpace(out)
}

// Worn is the classes of the button.
func (f Form) Worn() string {
	out := ""
	if f.Main {
		out = "primary big"
	}
	if f.Danger {
		out += " danger"
	}
	return strings.TrimSpace(out)
}

// A Para is a piece of a text as it is shown: Kind is steps (numbered), list, or "" for lines that each are a paragraph.
type Para struct {
	Kind  string
	Lines []Text
}

// NewProse cuts a text of a plan into pieces: lines that begin with a number and a point are steps, those with "-" a list. Nothing else in it is
// followed.
func NewProse(s string) (out []Para) {
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		kind, rest := "", line
		if head, tail, ok := strings.Cut(line, ". "); ok && len(head) > 0 && len(head) < 4 && strings.Trim(head, "0123456789") == "" {
			kind, rest = "steps", tail
		} else if tail, ok := strings.CutPrefix(line, "- "); ok {
			kind, rest = "list", tail
		}
		switch n := len(out); {
		case line == "":
		case n > 0 && out[n-1].Kind == kind:
			out[n-1].Lines = append(out[n-1].Lines, Visible(rest))
		default:
			out = append(out, Para{kind, []Text{Visible(rest)}})
		}
	}
	return out
}

// A Label is how far something may be carried (TLP 2.0), in words.
type Label struct{ Word, Says string } // "TLP:AMBER", "Our organization and its clients, ..."

// Key is the label as part of a class.
func (l Label) Key() string {
	switch k := strings.ToLower(strings.TrimPrefix(l.Word, "TLP:")); k {
	case "clear", "green", "amber", "red":
		return k
	case "amber+strict":
		return "amber"
	}
	return "none"
}
