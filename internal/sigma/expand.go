package sigma

import (
	"maps"
	"slices"
	"strings"

	"tocsin/internal/tree"
)

// maxExpanded bounds what the placeholders of one value may grow to.
const maxExpanded = 10_000

// expanded puts the values of placeholders in their places (modifier expand): one tree for each value, or for each
// combination where a text holds several placeholders. A placeholder is %name%; "\%" is a percent sign.
func (r *reader) expanded(v *tree.Tree) []*tree.Tree {
	if v.Kind != tree.Text {
		return []*tree.Tree{v}
	}
	texts := []string{""}
	rest := v.Text
	for rest != "" {
		plain, name, behind := cutPlaceholder(rest)
		values := []string{""}
		if name != "" {
			values = r.resolve(v, name)
		}
		if len(texts)*len(values) > maxExpanded {
			r.fail(v, "placeholder %"+name+"%", "its placeholders stand for more than %d values", maxExpanded)
			return nil
		}
		var grown []string
		for _, t := range texts {
			for _, value := range values {
				grown = append(grown, t+plain+value)
			}
		}
		texts, rest = grown, behind
	}
	var out []*tree.Tree
	for _, t := range texts {
		out = append(out, &tree.Tree{Kind: tree.Text, Text: t, Line: v.Line, Col: v.Col})
	}
	return out
}

// resolve returns the values of a placeholder; a rule with one that has none is refused (Sigma 2.1, placeholders).
func (r *reader) resolve(v *tree.Tree, name string) []string {
	values := r.options.Placeholders[name]
	if len(values) == 0 {
		known := slices.Sorted(maps.Keys(r.options.Placeholders))
		r.fail(v, "placeholder %"+name+"%", "the placeholder %%%s%% has no values here%s: give it some, or write them into the rule", name, suggest(name, known))
		return nil
	}
	r.said = append(r.said, "%"+name+"%="+strings.Join(values, "\x01"))
	return values
}

// cutPlaceholder cuts s into what stands before its first placeholder, that one's name, and what stands behind it.
// Without a placeholder the whole of s is before.
func cutPlaceholder(s string) (before, name, behind string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '%':
			if n := strings.IndexByte(s[i+1:], '%'); n > 0 && !strings.ContainsAny(s[i+1:i+1+n], " \t\r\n\\*?") {
				return s[:i], s[i+1 : i+1+n], s[i+n+2:]
			}
		}
	}
	return s, "", ""
}

// percents writes "\%" as "%", where no pattern is read that would.
func percents(s string) string { return strings.ReplaceAll(s, `\%`, "%") }
