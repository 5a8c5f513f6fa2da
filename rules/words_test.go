package rules

import (
	"bufio"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testData is where the logs lie that the pack is tried on. Nothing may be fitted to them.
const testData = "../../shared/data"

// A vocabulary says of a word where in the test data it stands: which kind of word it is, and in which file.
type vocabulary map[string]string

var (
	address   = regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}\b`)
	host      = regexp.MustCompile(`\b(?:[a-z0-9-]+\.)+(?:example|test|local|com|net|org|de|at|ch|io|shop)\b`)
	request   = regexp.MustCompile(`"(?:[A-Z]{3,10}) ([^" ]+)(?: HTTP/[\d.]+)?" \d{3} \S+ "([^"]*)" "([^"]*)"`)
	account   = regexp.MustCompile(`(?i)(?:invalid user |for user |password for |failure for |session opened for |user[ =']{1,2}|login[:=]|USER |"(?:account|user|customer|email)":")([^\s"'@,;:()\[\]]{3,})`)
	agentWord = regexp.MustCompile(`[a-z][a-z0-9_.-]{3,}`)
	lineHost  = regexp.MustCompile(`^[A-Z][a-z]{2} +\d+ [\d:]{8} (\S+) `)
	ftpName   = regexp.MustCompile(`\[pid \d+\] \[([^\]]+)\]|"/([^"]+)", \d+ bytes|^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4} \d+ \S+ \d+ /(\S+) `)
	plainWord = regexp.MustCompile(`[a-z0-9][a-z0-9._@-]*[a-z0-9]`)
)

func (v vocabulary) add(kind, file, word string) {
	word = strings.Trim(strings.ToLower(word), "./-_")
	if _, err := strconv.ParseFloat(word, 64); len(word) < 4 || err == nil {
		return
	}
	if _, had := v[word]; !had {
		v[word] = kind + " in " + file
	}
}

// url adds the parts of a path and the names of parameters.
func (v vocabulary) url(file, url string) {
	path, query, _ := strings.Cut(strings.ToLower(url), "?")
	for _, part := range strings.Split(path, "/") {
		v.add("path", file, part)
	}
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plainWord.FindString(name) == name {
			v.add("parameter", file, name)
		}
	}
}

// hosts adds the names of hosts, and their parts.
func (v vocabulary) hosts(file, text string) {
	for _, h := range host.FindAllString(text, -1) {
		v.add("host", file, h)
		for _, label := range strings.Split(h, ".") {
			v.add("host", file, label)
		}
	}
}

// line adds every host, address, path, parameter, account and word of a user agent that a line names.
func (v vocabulary) line(file, line string) {
	small := strings.ToLower(line)
	for _, a := range address.FindAllString(small, -1) {
		v.add("address", file, a)
	}
	if m := request.FindStringSubmatch(line); m != nil {
		v.url(file, m[1])
		v.hosts(file, strings.ToLower(m[2]))
		for _, w := range agentWord.FindAllString(strings.ToLower(m[3]), -1) {
			v.add("user agent", file, w)
		}
		return
	}
	v.hosts(file, small)
	if m := lineHost.FindStringSubmatch(line); m != nil {
		v.add("host", file, m[1])
	}
	for _, m := range account.FindAllStringSubmatch(line, -1) {
		v.add("account", file, m[1])
	}
	for _, m := range ftpName.FindAllStringSubmatch(line, -1) {
		v.add("account", file, m[1])
		v.add("path", file, m[2])
		v.add("path", file, m[3])
	}
	if strings.HasPrefix(line, "{") {
		v.object(file, line)
	}
}

// object adds what an application's line names.
func (v vocabulary) object(file, line string) {
	var o map[string]any
	if json.Unmarshal([]byte(line), &o) != nil {
		return
	}
	text := func(name string) string { s, _ := o[name].(string); return s }
	for _, name := range []string{"account", "user"} {
		local, _, _ := strings.Cut(text(name), "@")
		v.add("account", file, local)
	}
	for _, name := range []string{"uri", "path"} {
		v.url(file, text(name))
	}
	for _, w := range agentWord.FindAllString(strings.ToLower(text("ua")), -1) {
		v.add("user agent", file, w)
	}
}

// tested gathers the words of the range and of the hub's logs.
func tested(t *testing.T) vocabulary {
	t.Helper()
	v := vocabulary{}
	for _, folder := range []string{"/range-a/logs", "/hub"} {
		err := filepath.WalkDir(testData+folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || folder == "/hub" && !strings.HasSuffix(path, ".log") {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			s := bufio.NewScanner(f)
			for s.Buffer(nil, 1<<20); s.Scan(); {
				v.line(filepath.Base(path), s.Text())
			}
			return s.Err()
		})
		if err != nil {
			t.Skip("the test data is not here: ", err)
		}
	}
	return v
}

// field gathers the words of the field: what stands in SigmaHQ's rules is known to everybody.
func field(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	err := filepath.WalkDir(testData+"/sigma", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".yml") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, w := range plainWord.FindAllString(strings.ToLower(string(data)), -1) {
			known[w] = true
			for _, part := range strings.FieldsFunc(w, func(c rune) bool { return strings.ContainsRune("._@-", c) }) {
				known[part] = true
			}
		}
		return err
	})
	if err != nil {
		t.Skip("SigmaHQ's rules are not here: ", err)
	}
	return known
}

// said gathers the words that rules and code use, each with where: the values under detection, correlation and filter, and the string
// constants of the packages that decide what is an attack.
func said(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(where, text string) {
		for _, w := range plainWord.FindAllString(strings.ToLower(text), -1) {
			if _, had := out[w]; !had {
				out[w] = where
			}
		}
	}
	files, _ := filepath.Glob("*.yml")
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		inside := false
		for n, l := range strings.Split(string(data), "\n") {
			if l != "" && l[0] != ' ' && l[0] != '-' {
				inside = l == "detection:" || l == "correlation:" || l == "filter:"
			}
			if inside {
				add(f+":"+strconv.Itoa(n+1), l)
			}
		}
	}
	for _, dir := range []string{"intake", "detect", "incident", "sigma", "tuning", "trace"} {
		names, _ := filepath.Glob("../internal/" + dir + "/*.go")
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
					text, _ := strconv.Unquote(s.Value)
					add(set.Position(s.Pos()).String(), text)
				}
				return true
			})
		}
	}
	return out
}

// Given the words of the test data, when rules and code are searched for them, then each is one that the field knows: nothing is
// fitted to a host, path, parameter, account or user agent that stands in the test data alone.
func TestNothingIsFittedToTheTestData(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads all of the test data")
	}
	data, known, used := tested(t), field(t), said(t)
	if len(data) < 1000 || len(known) < 10_000 || len(used) < 1000 {
		t.Fatalf("only %d words of the test data, %d of the field, %d of ours: the search is broken", len(data), len(known), len(used))
	}
	for _, w := range slices.Sorted(maps.Keys(used)) {
		if from, in := data[w]; in && !known[w] && common[w] == "" {
			t.Errorf("%s: %q is a %s; say it in general, or add it to common with the reason why everybody knows it", used[w], w, from)
		}
	}
	for w := range common {
		if _, in := data[w]; !in || used[w] == "" {
			t.Errorf("common: %q is not needed", w)
		}
	}
}

// common are words that stand in the test data, in ours, and not in SigmaHQ's rules, and that everybody knows all the same.
var common = map[string]string{
	"admin-ajax.php": "every WordPress asks for it, signed in or not (developer.wordpress.org)", "admin-post.php": "the same, of forms",
	"actuator": "Spring Boot's interface", "boaform": "routers", "formlogin": "routers", "hnap1": "routers", "web-inf": "Java servers",
	"phpmyadmin": "the program", "phpunit": "the program", "eval-stdin.php": "CVE-2017-9841", "globals": "a word of PHP and Python", "analyse": "a word of SQL (procedure analyse)",
	"wp-admin": "WordPress", "wp-login.php": "WordPress", "xmlrpc.php": "WordPress", "xmlrpc": "the protocol", "upload.php": "a usual name", "favicon.ico": "every browser asks every site for it",
	"nobody": "an account of every Linux", "printenv": "a program of every Linux",
	"shop": "what this is for", "shopper": "a usual word of shops", "cart": "a usual word of shops", "checkout": "a usual word of shops", "coupon": "a usual word of shops",
	"giftcard": "a usual word of shops", "forgot": "a usual word of shops", "backoffice": "a usual word of shops",
	"kept": "a word of our own", "visitor": "a usual word of shops",
	"banner": "a word of sshd's log", "rank": "a word of postscreen's log", "buttons": "a word of logind's log", "texts": "a word of our own messages",
	"iphone": "a device that browsers name", "macintosh": "a system that browsers name", "constant": "a hosting company (AS 20473)", "orders": "a word of our own messages",
	"spain": "a country", "beans": "a package of Java", "composer": "PHP's package tool", "environ": "a word of Python and Linux", "jdbc": "a word of Java",
	"makefile": "a file of every build", "siteserver": "Microsoft Site Server's session cookie",
}

// Given lines of logs, when their words are gathered, then hosts, paths, parameters, accounts and agents are among them.
func TestWordsOfLines(t *testing.T) {
	v := vocabulary{}
	for _, l := range []string{
		`203.0.113.7 - - [10/Nov/2026:10:00:01 +0000] "GET /waren/lampe-7?sortierung=preis HTTP/1.1" 200 5 "https://laden.example/start" "LampenBot/2.0"`,
		"Nov 10 10:00:01 kasse7 sshd[1]: Failed password for invalid user gerda from 203.0.113.9 port 5 ssh2",
		`Mon Nov  9 01:38:58 2026 [pid 7] [lager] OK UPLOAD: Client "203.0.113.8", "/preise.csv", 5 bytes, 1.00Kbyte/sec`,
		`{"ts":"2026-11-09T00:21:34Z","event":"x","account":"ute.lang@example.net","ua":"KassenApp/1"}`,
	} {
		v.line("a.log", l)
	}
	for _, w := range []string{"203.0.113.7", "waren", "lampe-7", "sortierung", "laden", "laden.example", "lampenbot", "kasse7", "gerda", "lager", "preise.csv", "ute.lang", "kassenapp"} {
		if v[w] == "" {
			t.Errorf("%q is not found", w)
		}
	}
}
