package inlet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frames runs a stream through a framer in pieces that end at cuts, and ends it in good order.
func frames(stream string, max int, cuts ...int) (raws []string, torn bool, err error) {
	f := newFramer(unknown, max)
	var out []piece
	from := 0
	for _, to := range append(cuts, len(stream)) {
		if to < from || to > len(stream) {
			continue
		}
		if out, err = f.add([]byte(stream[from:to]), out); err != nil {
			return rawsOf(out), false, err
		}
		from = to
	}
	out, torn = f.rest(out)
	return rawsOf(out), torn, nil
}

func rawsOf(pieces []piece) []string {
	out := []string{}
	for _, p := range pieces {
		out = append(out, p.raw)
	}
	return out
}

// Given a stream of syslog, when it is read, then these are its frames.
func TestFrames(t *testing.T) {
	for _, x := range []struct {
		name, stream string
		want         []string
		torn, bad    bool
	}{
		{"octet counting, the second frame torn", "8 <13>1 - 6 <1>ab", []string{"<13>1 - "}, true, false},
		{"octet counting, two frames", "7 <13>1 -6 <1>abc", []string{"<13>1 -", "<1>abc"}, false, false},
		{"octet counting with a line end inside and one behind", "9 <13>a\nbc\n6 <1>abc\r\n", []string{"<13>a#012bc", "<1>abc"}, false, false},
		{"octet counting that counts the line end", "7 <13>ab\n7 <13>cd\n", []string{"<13>ab", "<13>cd"}, false, false},
		{"line ends", "<13>a\n<13>b\n", []string{"<13>a", "<13>b"}, false, false},
		{"line ends, the last one missing", "<13>a\n<13>b", []string{"<13>a", "<13>b"}, false, false},
		{"a carriage return is the line's", "<13>a\r\n", []string{"<13>a\r"}, false, false},
		{"empty frames are none", "\n\n<13>a\n\n", []string{"<13>a"}, false, false},
		{"a date is no length", "2026-11-28 a\n", []string{"2026-11-28 a"}, false, false},
		{"a number and a word are no length", "42 apples\n7 pears\n", []string{"42 apples", "7 pears"}, false, false},
		{"nine digits are no length", "123456789 <1>\n", []string{"123456789 <1>"}, false, false},
		{"a length begins with no zero", "012 <1>\n", []string{"012 <1>"}, false, false},
		{"only digits, which may be a length", "123", []string{}, true, false},
		{"nothing", "", []string{}, false, false},
		{"a frame too long is cut, and the next one found", "25 <13>4567890123456789012345 <1>ab", []string{"<13>456789012345", "<1>ab"}, false, false},
		{"a line too long is cut, and the next one found", "<13>45678901234567890\n<1>b\n", []string{"<13>456789012345", "<1>b"}, false, false},
		{"another framing behind octet counting", "6 <1>abc<1>def\n", []string{"<1>abc"}, false, true},
		{"a length of no sense", "6 <1>abc99999999 <1>", []string{"<1>abc"}, false, true},
		{"torn inside a length", "6 <1>abc12", []string{"<1>abc"}, true, false},
	} {
		got, torn, err := frames(x.stream, 16)
		if d := cmp.Diff(x.want, got); d != "" || torn != x.torn || (err != nil) != x.bad {
			t.Errorf("%s: %q: torn %v, error %v\n%s", x.name, x.stream, torn, err, d)
		}
	}
}

// Given any stream, when it is handed over in any pieces, then the same frames come out, none is longer than the bound or has a line end,
// and they lie in the stream one behind the other.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{"7 <13>1 -6 <1>abc", "<13>a\n<13>b", "25 <13>4567890123456789012345 <1>ab", "9 <13>a\nbc\n6 <1>abc\r\n", "6 <1>abc<1>", "12", "2 \n<1>\n"} {
		f.Add(s, uint16(1), uint16(5))
	}
	f.Fuzz(func(t *testing.T, s string, a, b uint16) {
		whole, torn, err := frames(s, 16)
		cuts := []int{int(a) % (len(s) + 1), int(b) % (len(s) + 1)}
		if cuts[0] > cuts[1] {
			cuts[0], cuts[1] = cuts[1], cuts[0]
		}
		every := make([]int, 0, len(s))
		for i := range s {
			every = append(every, i)
		}
		for _, cuts := range [][]int{cuts, every} {
			got, alsoTorn, alsoErr := frames(s, 16, cuts...)
			if d := cmp.Diff(whole, got); d != "" || torn != alsoTorn || fmt.Sprint(err) != fmt.Sprint(alsoErr) {
				t.Fatalf("%q in pieces %v: torn %v or %v, error %v or %v\n%s", s, cuts, torn, alsoTorn, err, alsoErr, d)
			}
		}
		for _, raw := range whole {
			if len(raw) > 16 || raw == "" || strings.Contains(raw, "\n") {
				t.Fatalf("%q gives the frame %q", s, raw)
			}
		}
		fr := newFramer(unknown, 16)
		out, _ := fr.add([]byte(s), nil)
		end := int64(0)
		for _, p := range out {
			if p.start < end || p.end <= p.start || p.end > int64(len(s)) {
				t.Fatalf("%q: a frame from %d to %d behind %d", s, p.start, p.end, end)
			}
			end = p.end
		}
	})
}

// Given lines and objects, when their stream is handed over in any pieces, then the same come out of it.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"a\nb\n\nc", `[{"a":1},{"b":"]}\""}]`, `{"Records":[{"a":1},{"b":[2]}]}`, "{\"a\":\n1} {\"b\":2}", "[]", "[{},]", `{ "Records" : [ ] }`, `[{"a":[[[[[[]]]]]]}]`} {
		f.Add(s, uint16(3), uint8(12))
	}
	type splitter interface {
		add([]byte, []piece) ([]piece, error)
		rest([]piece) ([]piece, error)
	}
	f.Fuzz(func(t *testing.T, s string, at uint16, max uint8) {
		m := int(max)%64 + 1
		for name, fresh := range map[string]func() splitter{
			"text":    func() splitter { return &textSplitter{held: held{max: m}} },
			"objects": func() splitter { return newObjectSplitter("", "", m) },
			"list":    func() splitter { return newObjectSplitter(listOpen, listClose, m) },
			"cloud":   func() splitter { return newObjectSplitter(cloudOpen, cloudClose, m) },
		} {
			run := func(pieces ...string) ([]string, string) {
				sp := fresh()
				var out []piece
				var err error
				for _, p := range pieces {
					if out, err = sp.add([]byte(p), out); err != nil {
						return rawsOf(out), err.Error()
					}
				}
				out, err = sp.rest(out)
				for _, p := range out {
					if len(p.raw) > m || strings.ContainsAny(p.raw, "\n") || name != "text" && strings.Contains(p.raw, "\r") {
						t.Fatalf("%s of %q: %q", name, s, p.raw)
					}
				}
				return rawsOf(out), fmt.Sprint(err)
			}
			whole, says := run(s)
			i := int(at) % (len(s) + 1)
			for _, pieces := range [][]string{{s[:i], s[i:]}, strings.Split(s, "")} {
				if name == "text" && strings.Join(pieces, "") != s {
					continue
				}
				got, also := run(pieces...)
				if d := cmp.Diff(whole, got); d != "" || says != also {
					t.Fatalf("%s of %q in %q: %s or %s\n%s", name, s, pieces, says, also, d)
				}
			}
		}
	})
}
