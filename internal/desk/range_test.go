package desk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/intake"
)

const (
	rangeDir   = "../../../shared/data/range-a"
	rangeScore = "../../../shared/check/range-score.py"
)

// rangeFiles are the logs that the program reads, in the folder logs.
var rangeFiles = []string{"access.log", "app.jsonl", "auth.log", "mariadb-general.log", "vsftpd.log", "wp-auth.log", "xferlog"}

// The recorded range must be solved as it is, and as well when every address (shared networks kept), account and host
// has another name and all days are shifted: nothing may be fitted to it.
func TestRange(t *testing.T) {
	if _, err := os.Stat(rangeScore); err != nil {
		t.Skip("the recorded range is not here")
	}
	if testing.Short() || raced {
		t.Skip("long; make test runs it without the race detector")
	}
	t.Run("as recorded", func(t *testing.T) { scoreRange(t, rangeDir) })
	for seed := uint64(1); seed <= rangeSeeds(); seed++ {
		t.Run(fmt.Sprintf("permuted, seed %d", seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			permuteRange(t, dir, seed)
			scoreRange(t, dir)
		})
	}
}

// rangeSeeds is how many permutations are tried: ten in make soak, which sets TOCSIN_SOAK, three otherwise.
func rangeSeeds() uint64 {
	if os.Getenv("TOCSIN_SOAK") != "" {
		return 10
	}
	return 3
}

// scoreRange replays a range and has the script score the output.
func scoreRange(t *testing.T, dir string) {
	t.Helper()
	set, err := LoadRules(os.DirFS("../../rules"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "geo.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	geo, err := intake.ReadGeo(f)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	out, err := RunReplay(t.Context(), ReplayOptions{Folders: []fs.FS{os.DirFS(filepath.Join(dir, "logs"))}, Rules: set.Rules, Geo: geo})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, a := range out.Alerts {
		if err := e.Encode(a); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range out.Incidents {
		if err := e.Encode(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Encode(map[string]any{"kind": "summary", "lines": out.Lines, "unparsed": out.Unparsed, "skipped": out.Skipped, "seconds": time.Since(begun).Seconds()}); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "out.jsonl")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("python3", rangeScore, "--min-found", "16", "--max-incidents", "22", "--max-false", "0", "--severity", "1", filepath.Join(dir, "truth.json"), name).CombinedOutput()
	t.Logf("%s", said)
	if err != nil {
		t.Errorf("the score is not reached: %v", err)
	}
}

// A permutation renames what a range is made of.
type permutation struct {
	chance   *rand.Rand
	days     int
	octets   map[string][]byte // by the octets before: a permutation, so that shared networks stay shared
	accounts map[string]string
	hosts    map[string]string
}

var (
	rangeIPv4  = regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
	rangeDate  = regexp.MustCompile(`\b\d{4}-\d\d-\d\d(T)`)
	rangeNames = []*regexp.Regexp{
		regexp.MustCompile(`"account":\s*"([^"]+)"`), regexp.MustCompile(`\d\] \[([^\]]+)\] (?:OK|FAIL)`), regexp.MustCompile(`(?:password|failure) for (\S+) from`),
		regexp.MustCompile(`Accepted publickey for (\S+) from`), regexp.MustCompile(`r (\S+) ftp 0 `),
	}
)

// reserved first octets mean something to software; no address is moved out of or into them.
var reserved = []byte{0, 10, 127, 169, 172, 192, 198, 203}

func (p *permutation) address(s string) string {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return s
	}
	b := a.As4()
	if b[0] == 10 || b[0] == 127 || b[0] >= 224 {
		return s
	}
	out := b
	for i := range b {
		if i == 0 && slices.Contains(reserved, b[0]) {
			continue
		}
		prefix := string(b[:i])
		table := p.octets[prefix]
		if table == nil {
			table = p.table(i)
			p.octets[prefix] = table
		}
		out[i] = table[b[i]]
	}
	return netip.AddrFrom4(out).String()
}

func (p *permutation) table(place int) []byte {
	var movable []byte
	table := make([]byte, 256)
	for o := range 256 {
		table[o] = byte(o)
		fixed := place == 0 && (slices.Contains(reserved, byte(o)) || o >= 224) || place == 3 && (o == 0 || o == 255)
		if !fixed {
			movable = append(movable, byte(o))
		}
	}
	moved := slices.Clone(movable)
	p.chance.Shuffle(len(moved), func(i, j int) { moved[i], moved[j] = moved[j], moved[i] })
	for k, o := range movable {
		table[o] = moved[k]
	}
	return table
}

// names permutes the accounts: customers among themselves, and everybody else among themselves.
func (p *permutation) names(all []byte) {
	var customers, staff []string
	for _, re := range rangeNames {
		for _, m := range re.FindAllSubmatch(all, -1) {
			n := string(m[1])
			switch {
			case n == "invalid" || n == "guest" || n == "root" || len(n) < 3 || p.accounts[n] != "":
				continue
			case strings.Contains(n, "@"):
				customers = append(customers, n)
			default:
				staff = append(staff, n)
			}
			p.accounts[n] = n
		}
	}
	for _, list := range [][]string{customers, staff} {
		moved := slices.Clone(list)
		p.chance.Shuffle(len(moved), func(i, j int) { moved[i], moved[j] = moved[j], moved[i] })
		for k, n := range list {
			p.accounts[n] = moved[k]
		}
	}
}

// renamer replaces every account, in one pass.
func (p *permutation) renamer() func(string) string {
	var names []string
	for n := range p.accounts {
		names = append(names, regexp.QuoteMeta(n))
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	re := regexp.MustCompile(`(^|[^\w.@/-])(` + strings.Join(names, "|") + `)($|[^\w.@-])`)
	return func(s string) string {
		return re.ReplaceAllStringFunc(s, func(m string) string {
			x := re.FindStringSubmatch(m)
			return x[1] + p.accounts[x[2]] + x[3]
		})
	}
}

func (p *permutation) other(s string) string {
	for from, to := range p.hosts {
		s = strings.ReplaceAll(s, from, to)
	}
	return rangeIPv4.ReplaceAllStringFunc(s, p.address)
}

// permuteRange writes the range with other names and days into dir.
func permuteRange(t *testing.T, dir string, seed uint64) {
	t.Helper()
	p := &permutation{chance: rand.New(rand.NewPCG(seed, 7)), octets: map[string][]byte{}, accounts: map[string]string{},
		hosts: map[string]string{"shop1": fmt.Sprintf("laden%d", seed), "shop.kontor-nord.example": fmt.Sprintf("www.ahoj-%d.example", seed)}}
	p.days = 7 + int(p.chance.Int32N(300))
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(rangeDir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var all []byte
	for _, f := range rangeFiles {
		all = append(all, read("logs/"+f)...)
	}
	p.names(all)
	rename := p.renamer()
	for _, f := range rangeFiles {
		var out bytes.Buffer
		in := bufio.NewScanner(bytes.NewReader(read("logs/" + f)))
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			line := p.other(Shift(in.Text(), p.days, 2026))
			if f != "access.log" {
				line = rename(line)
			}
			out.WriteString(line + "\n")
		}
		write("logs/"+f, out.Bytes())
	}
	write("geo.tsv", []byte(p.other(string(read("geo.tsv")))))
	truth := rangeDate.ReplaceAllStringFunc(string(read("truth.json")), func(s string) string {
		d, err := time.Parse("2006-01-02T", s)
		if err != nil {
			t.Fatal(err)
		}
		return d.AddDate(0, 0, p.days).Format("2006-01-02T")
	})
	write("truth.json", []byte(rename(p.other(truth))))
	write("manifest.json", read("manifest.json"))
	t.Logf("seed %d: shifted by %d days", seed, p.days)
}
