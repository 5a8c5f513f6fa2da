package agent

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names by which programs set a log aside. In each, group 1 is the log's own name, or its beginning, and the group
// "num", "date" or "word" says which turn it was; "ext" is the end of the log's own name.
var asideForms = []*regexp.Regexp{
	regexp.MustCompile(`^(.+)\.(?P<num>\d{1,4})$`),                               // access.log.1
	regexp.MustCompile(`^(.+)[._-](?P<date>` + dateForm + `)$`),                  // access.log-20261123, access.log.2026-11-23
	regexp.MustCompile(`^(.+)\.(?P<word>old|prev|bak)$`),                         // access.log.old
	regexp.MustCompile(`^(.+)\.(?P<num>\d{1,4})(?P<ext>\.[a-z]+)$`),              // access.1.log
	regexp.MustCompile(`^(.+)[._-](?P<date>` + dateForm + `)(?P<ext>\.[a-z]+)$`), // access-20261123.log
}

// dateForm is a day, with or without a time of day behind it, or seconds since 1970.
const dateForm = `\d{4}-?\d\d-?\d\d(?:[T_.-]?\d[\d:-]*)?|\d{10}`

// An aside is what the name of a rotated file says.
type aside struct {
	base   string // the log that it was, without folder
	number int    // of "access.log.1"; -1 is none
	date   string // its digits
}

// asideOf reads the name of a file that may have been rotated away. A name can be read in no way or in one.
func asideOf(name string) (aside, bool) {
	name = strings.TrimSuffix(name, ".gz")
	for _, form := range asideForms {
		m := form.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		a := aside{base: m[1], number: -1}
		for i, group := range form.SubexpNames() {
			switch group {
			case "num":
				a.number, _ = strconv.Atoi(m[i])
			case "date":
				a.date = strings.Map(digit, m[i])
			case "ext":
				a.base += m[i]
			}
		}
		return a, true
	}
	return aside{}, false
}

func digit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

// isLog reports whether a file found in a watched folder is taken for a log by its name: ".log", ".jsonl", ".ndjson",
// ".json", ".txt", ".out", ".err", "log" anywhere in it, or no extension at all (syslog, messages, secure). Never hidden
// files, packed ones, editors' copies, and the binary tables of who is signed in.
func isLog(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
		return false
	}
	switch lower {
	case "wtmp", "btmp", "utmp", "lastlog", "faillog", "tallylog", "readme":
		return false
	}
	ext := filepath.Ext(lower)
	switch ext {
	case ".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip", ".tar", ".tgz", ".swp", ".tmp", ".part", ".pid", ".lock", ".sock", ".db", ".journal", ".offset":
		return false
	case "", ".log", ".jsonl", ".ndjson", ".json", ".txt", ".out", ".err":
		return true
	}
	if a, ok := asideOf(lower); ok {
		return isLog(a.base)
	}
	return strings.Contains(lower, "log")
}

// packedName reports whether a file is never watched by a glob or folder because its content is packed.
func packedName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip":
		return true
	}
	return false
}

// A member is one file of a family: a log and what was rotated away from it.
type member struct {
	name string
	st   fs.FileInfo
	aside
	own bool // the log itself
}

// A family is a log and what was rotated away from it, oldest first, the log itself last if it is there.
type family []member

// findFamily looks for the family of path. Files for which taken is true are other logs that are watched. The folder is
// read until two readings agree, because a rotation renames one file after another; ok is false when they do not.
func findFamily(path string, taken func(string) bool) (f family, ok bool) {
	last := readFamily(path, taken)
	for range 5 {
		f = readFamily(path, taken)
		if slices.EqualFunc(f, last, func(a, b member) bool { return a.name == b.name && os.SameFile(a.st, b.st) }) {
			return f.sorted(), true
		}
		last = f
	}
	return nil, false
}

// places returns where a log and its family may lie: at path and, for a symbolic link, where it leads.
func places(path string) []string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil { // perhaps its target was just rotated away
		to, err := os.Readlink(path)
		if err != nil {
			return []string{path}
		}
		real = to
		if !filepath.IsAbs(to) {
			real = filepath.Join(filepath.Dir(path), to)
		}
	}
	if real == path {
		return []string{path}
	}
	return []string{path, real}
}

func readFamily(path string, taken func(string) bool) family {
	var f family
	for _, place := range places(path) {
		folder, base := filepath.Split(place)
		files, _ := os.ReadDir(folder)
		for _, e := range files {
			if !strings.HasPrefix(e.Name(), strings.TrimSuffix(base, filepath.Ext(base))) {
				continue
			}
			name := filepath.Join(folder, e.Name())
			a, rotated := asideOf(e.Name())
			if !rotated || a.base != base || taken(name) {
				continue
			}
			if plain, packed := strings.CutSuffix(name, ".gz"); packed {
				if _, err := os.Lstat(plain); err == nil {
					continue // it is being packed
				}
			}
			st, err := os.Stat(name)
			if err != nil || !st.Mode().IsRegular() || slices.ContainsFunc(f, func(m member) bool { return os.SameFile(m.st, st) }) {
				continue
			}
			f = append(f, member{name: name, st: st, aside: a})
		}
	}
	if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
		f = slices.DeleteFunc(f, func(m member) bool { return os.SameFile(m.st, st) })
		f = append(f, member{name: path, st: st, own: true})
	}
	return f
}

// sorted puts members named in the same way together, the oldest first, and the log itself last. Numbers count
// backwards (logrotate: 1 is the newest), unless all times of change say that they count forwards (Log4j).
func (f family) sorted() family {
	slices.SortStableFunc(f, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.way(), b.way()), cmp.Compare(b.number, a.number), cmp.Compare(a.date, b.date), a.st.ModTime().Compare(b.st.ModTime()))
	})
	first := slices.IndexFunc(f, func(m member) bool { return m.way() == byNumber })
	if first < 0 {
		return f
	}
	numbered := f[first:]
	if f[len(f)-1].own {
		numbered = f[first : len(f)-1]
	}
	for i := 1; i < len(numbered); i++ {
		if !numbered[i].st.ModTime().Before(numbered[i-1].st.ModTime()) {
			return f
		}
	}
	if len(numbered) > 2 {
		slices.Reverse(numbered)
	}
	return f
}

// Ways of naming a rotated file.
const (
	byWord = iota
	byDate
	byNumber
	asLog // not rotated
)

func (m member) way() int {
	switch {
	case m.own:
		return asLog
	case m.number >= 0:
		return byNumber
	case m.date != "":
		return byDate
	}
	return byWord
}

// newer returns the member that follows the open file t, and whether there is one: the next of those named as t is now.
// A file whose name is gone is known again in what it was packed into, or else placed by its time of change.
// What was last changed before t is never newer.
func (f family) newer(t *tail) (next member, ok bool) {
	wrote := t.wrote
	if st, err := t.file.Stat(); err == nil {
		wrote = st.ModTime()
	}
	at := slices.IndexFunc(f, func(m member) bool { return os.SameFile(m.st, t.id) || t.twin != nil && os.SameFile(m.st, t.twin) })
	if at < 0 {
		at = slices.IndexFunc(f, func(m member) bool {
			return strings.HasSuffix(m.name, ".gz") && !m.st.ModTime().Before(wrote.Add(-2*time.Second)) && t.packedAs(m)
		})
	}
	for _, m := range f[at+1:] {
		written := m.st.ModTime().Compare(wrote)
		switch {
		case m.own && !ok:
			return m, true
		case m.own:
		case at >= 0 && m.way() == f[at].way() && written >= 0:
			return m, true
		case at < 0 && written > 0 && (!ok || m.st.ModTime().Before(next.st.ModTime())):
			next, ok = m, true
		}
	}
	return next, ok
}

// packedAs reports whether the gzip file m holds what t has, and remembers it.
func (t *tail) packedAs(m member) bool {
	p, err := openTail(m.name)
	if err != nil {
		return false
	}
	defer p.close()
	if !os.SameFile(p.id, m.st) || t.lines.start == 0 { // the name went to another file
		return false
	}
	if fits, _ := p.seek(t.position("", t.lines.start)); !fits {
		return false
	}
	t.twin = m.st
	return true
}

const maxStrangers = 256 // files of a folder that are opened to look for a lost log

// strangers returns other files beside path, which may be that log under a name that says nothing; the newest first.
func strangers(path string, f family, taken func(string) bool) []member {
	var all []member
	for _, place := range places(path) {
		folder := filepath.Dir(place)
		files, _ := os.ReadDir(folder)
		for _, e := range files {
			name := filepath.Join(folder, e.Name())
			known := func(m member) bool { return m.name == name }
			if e.IsDir() || name == path || taken(name) || slices.ContainsFunc(f, known) || slices.ContainsFunc(all, known) {
				continue
			}
			if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
				all = append(all, member{name: name, st: st})
			}
		}
	}
	slices.SortFunc(all, func(a, b member) int { return b.st.ModTime().Compare(a.st.ModTime()) })
	return all[:min(len(all), maxStrangers)]
}
