package intake

import "strings"

// marked reports whether a URL has, as it is or percent-encoded, a character that some language gives a meaning to: brackets,
// quotes, < > ; | $ ` ^ * ! @ # ~ \\, a control character, or a colon in the query. url.marked is url.normal where this is so
// and missing elsewhere: few addresses of customers have one, so rules about code need not look at the others.
func marked(url string) bool {
	query := len(url)
	for i := 0; i < len(url); i++ {
		c := url[i]
		switch {
		case c == '?' && query == len(url):
			query = i
			continue
		case c == '%' && i+2 < len(url):
			b, ok := hexByte(url[i+1], url[i+2])
			if !ok && url[i+1]|0x20 == 'u' || ok && b == '%' {
				return true
			}
			if !ok {
				continue
			}
			c = b
			i += 2
		}
		if markOf[c] || c == ':' && i > query {
			return true
		}
	}
	return false
}

// markOf is the characters that marked looks for.
var markOf = func() (m [256]bool) {
	for _, c := range []byte("'\"<>()[]{}$;|`^*!@#~\\\x7f\xc0\xc1\xe0\xf0") { // the last ones begin overlong UTF-8
		m[c] = true
	}
	for c := range ' ' {
		m[c] = true
	}
	return m
}()

// shell is what a shell makes of a URL, for rules that look for commands: the path and each value of the query are decoded as
// normal decodes them, then
//
//   - whatever starts a command (; | & a line end, $( ` <( >() becomes one ";", without blanks around it;
//   - what only hides a word goes: quotes, backslashes, cmd.exe's ^, $@ and $*, empty $() and backquotes, an empty ${x};
//   - $IFS and < become a blank, runs of blanks one blank, none behind "=";
//   - braces are expanded ({cat,/etc/passwd}, c{a,}t), $((1+1)) is dropped.
//
// (POSIX.1-2017, Shell & Utilities, 2.2 to 2.6; brace expansion: the manual of bash, 3.5.1; cmd.exe: SS64.) It is "" when nothing in
// the URL means anything to a shell. An "&" as it was sent parts values, one that was encoded parts commands. The time is linear.
func shell(url string) string {
	if !forShell(url) {
		return ""
	}
	path, query, has := strings.Cut(url, "?")
	w := shellWords{out: make([]byte, 0, len(url)+8)}
	w.text(undone(path, len(path)))
	for sep := byte('?'); has; sep = '&' {
		var value string
		value, query, has = strings.Cut(query, "&")
		w.out = append(w.out, sep)
		w.text(undone(value, 0))
	}
	if !w.special {
		return ""
	}
	return string(w.out)
}

// forShell reports whether something in a URL may mean something to a shell. Most have nothing, and cost no more than this.
func forShell(url string) bool {
	for i := range len(url) {
		switch c := url[i]; {
		case c == '%':
			if i+2 < len(url) {
				b, ok := hexByte(url[i+1], url[i+2])
				if ok && (shellMark[b] || b == '%') || !ok && url[i+1]|0x20 == 'u' {
					return true
				}
			}
		case c != '&' && shellMark[c]:
			return true
		}
	}
	return false
}

// shellWords writes what a shell reads.
type shellWords struct {
	out     []byte
	special bool
	inside  uint64 // of the brackets that are open, the innermost lowest: 1 when it is of $( or <(
	depth   int
}

// shellMark is the characters that mean something to a shell.
var shellMark = [256]bool{';': true, '|': true, '&': true, '$': true, '`': true, '\'': true, '"': true, '\\': true, '^': true, '<': true, '>': true, '{': true, '\n': true, '\r': true}

// text reads one value, or the path.
func (w *shellWords) text(s string) {
	w.inside, w.depth = 0, 0
	for i := 0; i < len(s); {
		c := s[i]
		if shellMark[c] {
			w.special = true
			i += w.mark(s[i:])
			continue
		}
		i++
		switch {
		case c == 0:
		case c <= ' ', c == 0x7f:
			w.blank()
		case c == '(':
			w.inside <<= 1
			w.depth++
			w.out = append(w.out, c)
		case c == ')' && w.depth > 0:
			if w.inside&1 == 1 {
				w.command()
			} else {
				w.out = append(w.out, c)
			}
			w.inside >>= 1
			w.depth--
		default:
			w.out = append(w.out, c)
		}
	}
	if n := len(w.out); n > 0 && w.out[n-1] == ' ' {
		w.out = w.out[:n-1]
	}
}

// mark reads what begins with a character that means something, and returns how many bytes it took.
func (w *shellWords) mark(s string) int {
	switch c := s[0]; c {
	case '\'', '"', '\\', '^':
		return 1
	case ';', '|', '&', '\n', '\r':
		w.command()
		return 1
	case '`':
		if strings.HasPrefix(s, "``") {
			return 2
		}
		w.command()
		return 1
	case '<', '>':
		if len(s) > 1 && s[1] == '(' {
			return w.substitute(s)
		}
		if c == '<' {
			w.blank()
			return 1
		}
	case '{':
		if n := w.braces(s); n > 0 {
			return n
		}
	case '$':
		if n := w.dollar(s); n > 0 {
			return n
		}
	}
	w.out = append(w.out, s[0])
	return 1
}

// dollar reads an expansion; 0 when it is none that is known.
func (w *shellWords) dollar(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch c := s[1]; {
	case c == '(' && strings.HasPrefix(s, "$(("):
		if end := strings.Index(s[:min(len(s), maxExpansion)], "))"); end > 0 {
			return end + 2
		}
		return w.substitute(s)
	case c == '(':
		return w.substitute(s)
	case c == '@' || c == '*' && len(s) > 2 && letter(s[2]):
		return 2
	case c == '\'' || c == '"': // $'x', $"x"
		return 1
	case c >= '1' && c <= '9' && len(s) > 2 && letter(s[2]) && len(w.out) > 0 && letter(w.out[len(w.out)-1]): // an empty parameter in a word
		return 2
	case strings.HasPrefix(s, "$IFS") && (len(s) == 4 || !letter(s[4])):
		w.blank()
		if len(s) > 5 && s[4] == '$' && s[5] == '9' {
			return 6
		}
		return 4
	case c == '{':
		end := strings.IndexByte(s[:min(len(s), maxExpansion)], '}')
		if end < 0 {
			return 0
		}
		if strings.HasPrefix(s[2:], "IFS") {
			w.blank()
			return end + 1
		}
		if end == 3 && strings.IndexByte("@*#!-?0123456789", s[2]) >= 0 {
			return end + 1
		}
	}
	return 0
}

// substitute reads the start of a command substitution, or all of an empty one.
func (w *shellWords) substitute(s string) int {
	if len(s) > 2 && s[2] == ')' {
		return 3
	}
	w.inside = w.inside<<1 | 1
	w.depth++
	w.command()
	return 2
}

// maxExpansion is how many bytes of an expansion are looked at.
const maxExpansion = 64

// braces expands {a,b} with the word around it; 0 when it is no brace expansion: blanks, quotes of JSON, colons, no comma.
func (w *shellWords) braces(s string) int {
	end, commas := 0, 0
	for i := 1; i < len(s) && i < maxExpansion && end == 0; i++ {
		switch s[i] {
		case '}':
			end = i
		case ',':
			commas++
		case ' ', ':', '{', '[', '&', '\n':
			return 0
		}
	}
	if end == 0 || commas == 0 || commas > 8 {
		return 0
	}
	before := len(w.out)
	for before > 0 && len(w.out)-before < maxExpansion && strings.IndexByte(" =;&?", w.out[before-1]) < 0 {
		before--
	}
	head := string(w.out[before:])
	tail := s[end+1:]
	if i := strings.IndexAny(tail, " ;|&`\n$\"'}"); i >= 0 {
		tail = tail[:i]
	}
	tail = tail[:min(len(tail), maxExpansion)]
	w.out = w.out[:before]
	if before > 0 && w.out[before-1] == '=' { // the words of it are a command
		w.command()
	}
	for part := range strings.SplitSeq(s[1:end], ",") {
		for _, c := range []byte(head + part + tail) {
			if c > ' ' && c != 0x7f && (c == '{' || !shellMark[c]) {
				w.out = append(w.out, c)
			}
		}
		w.blank()
	}
	return end + 1 + len(tail)
}

// blank parts words.
func (w *shellWords) blank() {
	if n := len(w.out); n > 0 && strings.IndexByte(" =;", w.out[n-1]) < 0 {
		w.out = append(w.out, ' ')
	}
}

// command parts commands.
func (w *shellWords) command() {
	n := len(w.out)
	if n > 0 && w.out[n-1] == ' ' {
		n--
		w.out = w.out[:n]
	}
	if n == 0 || w.out[n-1] != ';' {
		w.out = append(w.out, ';')
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
