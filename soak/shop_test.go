package soak

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// A shop is what writes the logs: harmless requests at a fixed rate, and now and then an attack from an address that
// nobody used before, each in a /24 of its own, so that each is an incident that rings.
type shop struct {
	dir     string
	rate    int           // lines per second
	attack  time.Duration // between two attacks
	rotate  time.Duration // between two rotations of one file
	past    time.Duration // between two lines of a day long ago, each of another day; 0 is never
	first   int           // number of the attack before its first
	rng     *rand.Rand
	logs    []*growing
	tails   []string // of harmless lines, after the stamp
	lines   int64    // written
	flushed atomic.Int64
	attacks int
	days    int    // that lines of days long ago were of
	stamp   string // of the second
	second  int64
	failed  error
}

// A growing log is one file, and what it was rotated to.
type growing struct {
	name      string
	f         *os.File
	w         *bufio.Writer
	way       string // how it is rotated: "" is by numbers, "packed" is so too and the older ones are packed, "dates" is by dates
	rotations int
	next      time.Time // rotation
}

func newShop(dir string, rate int, attack, rotate time.Duration, seed uint64) (*shop, error) {
	s := &shop{dir: dir, rate: rate, attack: attack, rotate: rotate, rng: rand.New(rand.NewPCG(seed, 1))}
	for k := range 500 {
		s.tails = append(s.tails, fmt.Sprintf(`"GET /static/%03d.css?v=%d HTTP/1.1" 200 %d "https://shop.example/category/%d" "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.%d"`,
			k, s.rng.IntN(1000), s.rng.IntN(90000), s.rng.IntN(50), k%7))
	}
	for k, name := range []string{"shop/access.log", "blog/access.log", "auth.log"} {
		l := &growing{name: filepath.Join(dir, name), next: time.Now().Add(rotate + time.Duration(k)*rotate/3)}
		if err := os.MkdirAll(filepath.Dir(l.name), 0o700); err != nil {
			return nil, err
		}
		if err := l.open(); err != nil {
			return nil, err
		}
		s.logs = append(s.logs, l)
	}
	return s, nil
}

func (l *growing) open() (err error) {
	l.f, err = os.OpenFile(l.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	l.w = bufio.NewWriterSize(l.f, 64<<10)
	return err
}

// turn rotates as logrotate does: .1 becomes .2 and so on, the file becomes .1, a new one begins; or the file gets a name with a date.
func (l *growing) turn() error {
	if err := l.w.Flush(); err != nil {
		return err
	}
	if l.way != "dates" {
		for k := l.rotations; k >= 1; k-- {
			from, to := l.aside(k), fmt.Sprintf("%s.%d", l.name, k+1)
			if strings.HasSuffix(from, ".gz") {
				to += ".gz"
			}
			if err := os.Rename(from, to); err != nil {
				return err
			}
		}
		if l.way == "packed" && l.rotations > 0 {
			if err := pack(l.name + ".2"); err != nil {
				return err
			}
		}
	}
	l.rotations++
	if err := os.Rename(l.name, l.aside(1)); err != nil {
		return err
	}
	if err := l.f.Close(); err != nil {
		return err
	}
	return l.open()
}

// aside is the name of what was rotated away k rotations ago, 1 is the newest.
func (l *growing) aside(k int) string {
	switch {
	case l.way == "dates":
		return fmt.Sprintf("%s-20261101-%04d", l.name, l.rotations-k+1)
	case l.way == "packed" && k > 1:
		return fmt.Sprintf("%s.%d.gz", l.name, k)
	}
	return fmt.Sprintf("%s.%d", l.name, k)
}

// parts are the files that hold what was written to l, oldest first.
func (l *growing) parts() (names []string) {
	for k := l.rotations; k >= 1; k-- {
		names = append(names, l.aside(k))
	}
	return append(names, l.name)
}

// pack packs a file as logrotate does: the packed one has its time, and the plain one goes when that is whole.
func pack(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.Create(name + ".gz")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	_, err = z.Write(b)
	if err = errors.Join(err, z.Close(), f.Close()); err == nil {
		err = os.Chtimes(name+".gz", st.ModTime(), st.ModTime())
	}
	if err != nil {
		return err
	}
	return os.Remove(name)
}

// run writes until stop is closed.
func (s *shop) run(stop <-chan struct{}) {
	const beat = 10 * time.Millisecond
	tick := time.NewTicker(beat)
	defer tick.Stop()
	begun, attacked, passed := time.Now(), time.Now(), time.Now()
	before := s.lines
	for s.failed == nil {
		select {
		case <-stop:
			s.failed = s.flush()
			return
		case <-tick.C:
		}
		now := time.Now()
		due := before + int64(float64(s.rate)*now.Sub(begun).Seconds())
		for s.lines < due {
			s.harmless(now)
		}
		for now.Sub(attacked) >= s.attack {
			attacked = attacked.Add(s.attack)
			s.strike(now)
		}
		if s.past > 0 && now.Sub(passed) >= s.past {
			passed = now
			s.remember(now)
		}
		if s.failed = s.flush(); s.failed == nil {
			s.failed = s.turnDue(now)
		}
	}
}

func (s *shop) flush() error {
	for _, l := range s.logs {
		if err := l.w.Flush(); err != nil {
			return err
		}
	}
	s.flushed.Store(s.lines)
	return nil
}

func (s *shop) turnDue(now time.Time) error {
	for _, l := range s.logs {
		if now.After(l.next) {
			l.next = now.Add(s.rotate)
			if err := l.turn(); err != nil {
				return err
			}
		}
	}
	return nil
}

// line writes one line. Errors stay in the writer until Flush.
func (s *shop) line(l *growing, parts ...string) {
	for _, p := range parts {
		_, _ = l.w.WriteString(p)
	}
	_ = l.w.WriteByte('\n')
	s.lines++
}

func (s *shop) clock(now time.Time) string {
	if now.Unix() != s.second {
		s.second, s.stamp = now.Unix(), now.UTC().Format("02/Jan/2006:15:04:05 -0700")
	}
	return s.stamp
}

func (s *shop) harmless(now time.Time) {
	n := s.rng.IntN(1 << 18)
	if n%50 == 0 {
		s.line(s.logs[2], now.UTC().Format(time.RFC3339), fmt.Sprintf(" shop1 systemd[1]: Started Session %d of User backup.", s.lines))
		return
	}
	address := fmt.Sprintf("198.18.%d.%d", n>>8&255, n&255)
	if n>>16&1 == 1 {
		address = fmt.Sprintf("198.19.%d.%d", n>>8&255, n&255)
	}
	s.line(s.logs[n%2], address, " - - [", s.clock(now), "] ", s.tails[n%len(s.tails)])
}

// remember writes a harmless line of a day long ago, as a program does that copies old logs.
func (s *shop) remember(now time.Time) {
	s.days++
	at := now.UTC().AddDate(0, 0, -20-s.days%500)
	s.line(s.logs[0], "198.18.7.7 - - [", at.Format("02/Jan/2006:15:04:05 -0700"), "] ", s.tails[s.days%len(s.tails)])
}

// strike writes an attack that succeeded; each third one is worse than high.
func (s *shop) strike(now time.Time) {
	s.attacks++
	address := attacker(s.first + s.attacks)
	what := `"GET /wp-content/uploads/2026/11/photo.php HTTP/1.1" 200 512 "-" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"`
	if s.attacks%3 == 0 {
		what = `"GET /shop/x.php?cmd=id HTTP/1.1" 200 512 "-" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"`
	}
	s.line(s.logs[s.attacks%2], address, " - - [", s.clock(now), "] ", what)
}

// attacker returns the address of attack n, each in another /24.
func attacker(n int) string {
	return fmt.Sprintf("%d.%d.%d.7", 20+n>>16, n>>8&255, n&255)
}
