//go:build bench

package bench

import (
	"bufio"
	"cmp"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

const (
	shared   = root + "/../shared/data"
	distinct = 1_000_000 // lines
)

// realLines makes n distinct lines of real ones: each copy comes from other addresses and has another size.
func realLines(t testing.TB, n int) (lines []string) {
	t.Helper()
	var base []string
	for _, name := range []string{shared + "/logs/elastic/apache_access_10k.log", shared + "/range-a/logs/access.log"} {
		f, err := os.Open(name)
		if os.IsNotExist(err) {
			t.Skip("the logs are not here")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			base = append(base, s.Text())
		}
	}
	for k := 0; len(lines) < n; k++ {
		for _, l := range base {
			if len(lines) == n {
				break
			}
			address, rest, _ := strings.Cut(l, " ")
			if p := strings.Split(address, "."); k > 0 && len(p) == 4 {
				address = fmt.Sprintf("%s.%s.%d.%s", p[0], p[1], (int(p[2][0])*7+k*31)%256, p[3])
			}
			l = address + " " + rest
			if i := strings.Index(l, `" 200 `); i >= 0 && k > 0 {
				l = fmt.Sprintf(`%s" 200 %d%s`, l[:i], k, l[i+len(`" 200 `):])
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// oneCore runs act on one core and returns what it took of it: user and system time, which other programs do not lengthen
// much. It is the median of five.
func oneCore(act func()) time.Duration {
	return oneCoreOf(func() func() { return act })
}

// oneCoreOf is oneCore for what must be made ready each time, which is not measured.
func oneCoreOf(ready func() (act func())) time.Duration {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var all []time.Duration
	for range 5 {
		act := ready()
		runtime.GC()
		before := used()
		act()
		all = append(all, used()-before)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func used() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func newParser(t testing.TB) *intake.Parser {
	t.Helper()
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// documents reads the rules below a folder, those that want says.
func documents(t testing.TB, folder string, change func(string) string, want func(sigma.LogSource) bool) (docs []sigma.Document) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".yml") {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		got, _ := sigma.Parse(name, []byte(change(string(b))))
		for _, x := range got {
			if x.Rule == nil || want(x.Rule.LogSource) {
				docs = append(docs, x)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func asIs(s string) string { return s }

func web(l sigma.LogSource) bool {
	return l.Category == "webserver" || l.Product == "apache" || l.Product == "nginx"
}

func (x *table) detection(t *testing.T) {
	lines := realLines(t, distinct)
	perSecond := func(d time.Duration) float64 { return float64(len(lines)) / d.Seconds() }
	var r record.Record
	p := newParser(t)
	parse := oneCore(func() {
		for _, l := range lines {
			p.ParseInto(&r, record.Line{File: "access.log", Raw: l}, time.Time{})
		}
	})
	x.add("parse alone, one core", ">= 8,000,000/s", perSecond(parse) < 8e6, "%.0f records/s", perSecond(parse))

	docs := documents(t, root+"/rules", asIs, func(sigma.LogSource) bool { return true })
	hub := documents(t, shared+"/sigma", asIs, web)
	rules, _, _ := detect.Load(append(docs, hub...))
	start := func(o detect.Options) (*detect.Detector, func([]string)) {
		d, p, n := detect.New(rules, o), newParser(t), int64(0)
		return d, func(lines []string) {
			for _, l := range lines {
				n++
				p.ParseInto(&r, record.Line{File: "access.log", Seq: n, Raw: l}, time.Time{})
				d.Step(&r)
			}
		}
	}
	step := func(o detect.Options, lines []string) detect.Stats {
		d, read := start(o)
		read(lines)
		return d.Stats()
	}
	var fast detect.Stats
	const first = 2000 // lines: by then the rules are compiled to what is rare among them, which is not what is measured
	took := oneCoreOf(func() func() {
		d, read := start(detect.Options{})
		read(lines[:first])
		return func() {
			read(lines[first:])
			fast = d.Stats()
		}
	})
	whole := float64(len(lines)-first) / took.Seconds()
	x.add(fmt.Sprintf("parse, %d SigmaHQ web rules, the shop pack, correlations, one core", len(hub)), ">= 1,000,000/s", whole < 1e6, "%.0f records/s", whole)
	part := lines[:100_000]
	before := used()
	plain := step(detect.Options{Plain: true}, part)
	x.add("the same by the plain evaluator", "", false, "%.0f records/s", float64(len(part))/(used()-before).Seconds())
	again := step(detect.Options{}, part)
	for i, s := range plain.Rules {
		if o := again.Rules[i]; o.Matches != s.Matches || o.Alerts != s.Alerts {
			t.Errorf("%s: the plain evaluator has %d matches and %d alerts, the compiled %d and %d", s.Title, s.Matches, s.Alerts, o.Matches, o.Alerts)
		}
	}
	matched := int64(0)
	for _, s := range fast.Rules {
		matched = max(matched, 0) + s.Matches
	}
	t.Logf("%d lines, %d matches of rules and correlations", len(lines), matched)

	var only []*sigma.Rule
	for _, d := range hub {
		only = append(only, d.Rule)
	}
	x.matching(t, lines, only, fmt.Sprintf("parse, %d SigmaHQ web rules", len(only)), 0)
	x.mapped(t, lines)
	x.hostile(t, append(ruleList(docs), only...))
}

func ruleList(docs []sigma.Document) (out []*sigma.Rule) {
	for _, d := range docs {
		if d.Rule != nil && web(d.Rule.LogSource) {
			out = append(out, d.Rule)
		}
	}
	return out
}

// matching measures parser and rules, without correlations.
func (x *table) matching(t *testing.T, lines []string, rules []*sigma.Rule, what string, goal float64) float64 {
	p := newParser(t)
	var sample []*record.Record
	for _, n := range rand.New(rand.NewPCG(1, 1)).Perm(len(lines))[:1024] {
		sample = append(sample, p.Parse(record.Line{File: "access.log", Raw: lines[n]}, time.Time{}))
	}
	begin := time.Now()
	set := sigma.Compile(rules, sample)
	compiled := time.Since(begin)
	m := set.NewMatcher(nil)
	var r record.Record
	hits := 0
	took := oneCore(func() {
		hits = 0
		for _, l := range lines {
			p.ParseInto(&r, record.Line{File: "access.log", Raw: l}, time.Time{})
			hits += len(m.Match(&r))
		}
	})
	is := float64(len(lines)) / took.Seconds()
	words := ""
	if goal > 0 {
		words = fmt.Sprintf(">= %.0f/s", goal)
	}
	x.add(what+", one core", words, is < goal, "%.0f records/s", is)
	t.Logf("%s: compiled in %v, %d hits; %.120s", what, compiled.Round(time.Millisecond), hits, set)
	return is
}

var fieldKey = regexp.MustCompile(`^(\s{6,}(?:- )?)([A-Za-z_][\w.\-]*)((?:\|[\w|]+)?:.*)$`)

// onWeb turns a rule of any log source into one of the web server: its fields become those of requests, by their names.
func onWeb(text string) string {
	names := []string{"cs-uri-query", "cs-uri-stem", "cs-user-agent", "cs-referer", "cs-method", "cs-username", "cs-host"}
	var out []string
	section := ""
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\r\n")
		if l != "" && l[0] != ' ' && l[0] != '#' {
			section, _, _ = strings.Cut(l, ":")
		}
		if section == "logsource" {
			if strings.HasPrefix(l, "logsource") {
				out = append(out, "logsource:", "    category: webserver")
			}
			continue
		}
		if m := fieldKey.FindStringSubmatch(l); m != nil && section == "detection" {
			h := fnv.New32a()
			h.Write([]byte(m[2]))
			l = m[1] + names[h.Sum32()%uint32(len(names))] + m[3]
		}
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}

// mapped measures how speed falls with the number of rules when no log source keeps any of them away.
func (x *table) mapped(t *testing.T, lines []string) {
	docs := documents(t, shared+"/sigma", onWeb, func(sigma.LogSource) bool { return true })
	var all []*sigma.Rule
	for _, d := range docs {
		all = append(all, d.Rule)
	}
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	unwatched := sigma.Compile(all, nil).Unwatched()
	bare := slices.DeleteFunc(slices.Clone(all), func(u *sigma.Rule) bool { return slices.Contains(unwatched, u) })
	t.Logf("%d rules on web fields, %d of them without any literal", len(all), len(unwatched))
	lines = lines[:300_000]
	var first, last float64
	for _, n := range []int{10, 100, 1000, 3000} {
		goal := 0.0
		if n == 3000 {
			goal = 700_000
		}
		last = x.matching(t, lines, bare[:n], fmt.Sprintf("parse, %d SigmaHQ rules put on web fields", n), goal)
		first = cmp.Or(first, last)
	}
	x.add("growth from 10 to 3,000 rules", "<= 4x", first/last > 4, "%.1fx", first/last)
	x.matching(t, lines[:50_000], append(slices.Clone(bare[:3000]), unwatched...), fmt.Sprintf("the same and %d rules without any literal", len(unwatched)), 0)
	begin := time.Now()
	sigma.Compile(bare[:3000], nil)
	compiled := time.Since(begin)
	x.add("compiling 3,000 rules", "<= 1s", compiled > time.Second, "%v", compiled.Round(time.Millisecond))
}

// hostile measures lines that are made to cost.
func (x *table) hostile(t *testing.T, rules []*sigma.Rule) {
	var words strings.Builder
	for words.Len() < 8000 {
		for _, u := range rules {
			for _, s := range u.Tags {
				words.WriteString(s)
			}
		}
		words.WriteString("union select ../../etc/passwd <script>alert( ;id|ls `whoami` ${jndi:ldap c99.php cmd= wp-login.php %2527 ")
	}
	nested := strings.Repeat("%25", 2600) + "3C"
	set := sigma.Compile(rules, nil)
	m, p := set.NewMatcher(nil), newParser(t)
	for name, url := range map[string]string{"one letter": strings.Repeat("a", 8000), "stuffed with rule words": strings.ReplaceAll(words.String()[:8000], " ", "+"), "nested encodings": nested} {
		line := `198.51.100.7 - - [10/Nov/2026:10:00:01 +0000] "GET /?q=` + url + ` HTTP/1.1" 200 512 "-" "x"`
		var r record.Record
		took := oneCore(func() {
			for range 20 {
				p.ParseInto(&r, record.Line{File: "access.log", Raw: line}, time.Time{})
				m.Match(&r)
			}
		}) / 20
		x.add("a hostile line of 8 KB, "+name, "<= 1ms", took > time.Millisecond, "%v", took.Round(time.Microsecond))
	}
}
