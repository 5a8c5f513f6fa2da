package trace

import (
	"fmt"
	"strings"

	"tocsin/internal/record"
)

// A move is one way in which files go.
type move struct {
	action, says, verb string
}

// moves are those that are told; never changed.
var moves = [...]move{{"upload", "uploads", "uploaded"}, {"download", "fetches", "fetched"}, {"export", "exports", "exported"}, {"delete", "deletes", "deleted"}}

// moved tells which files went, how many bytes, and under which account.
func (t *tracer) moved(name string, me int, mine Ask, m move) {
	f, ok := t.inOneLogHolding(mine.with(is(actionField, m.action)), maxHeld)
	if !ok {
		return
	}
	var bytes int64
	var files, users []string
	seenFile, seenUser := map[string]bool{}, map[string]bool{}
	realm := ""
	for _, r := range f.rows {
		bytes += max(transferred(r), 0)
		if p := r.Text(record.FilePath); p != "" && !seenFile[p] {
			seenFile[p] = true
			files = append(files, p)
		}
		if u := r.Text(record.UserName); u != "" && !seenUser[u] {
			seenUser[u], realm = true, r.Text(record.UserRealm)
			users = append(users, u)
		}
	}
	what := "data " + number(f.proof.all, "time", "times")
	if len(files) > 0 {
		what = number(int64(len(files)), "file", "files")
	}
	if f.proof.all > int64(len(f.rows)) {
		what = "more than " + what
		t.cut("Of %s that %s %s, the first %s were counted.", number(f.proof.all, "line", "lines"), name, m.verb, thousands(int64(len(f.rows))))
	}
	who := t.called(me, name)
	text := fmt.Sprintf("%s %s %s", who, m.says, what)
	if len(files) == 1 {
		text = fmt.Sprintf("%s %s %s", who, m.says, clip(files[0]))
		if kind := f.first().Text(record.FileType); kind != "" {
			text += ", said to be " + clip(kind)
		}
	}
	if bytes > 0 {
		text += ", " + number(bytes, "byte", "bytes")
	}
	about := []int{me}
	for _, u := range users[:min(len(users), fewUsers)] {
		about = append(about, t.node(Account, u, realm))
	}
	if len(users) > 0 {
		text += ", as " + some(users)
	}
	switch {
	case len(files) > 1:
		text += ": " + some(files)
	case len(files) == 1:
		about = append(about, t.node(File, files[0], ""))
	}
	n := t.say(f, Statement{Step: Moved, Text: text + ".", Bytes: bytes}, about...)
	t.drawMoved(me, about[1:1+min(len(users), fewUsers)], files, what, m, n)
	if m.action == "upload" {
		for _, r := range f.rows[:min(len(f.rows), fewNames)] {
			t.callers(r)
		}
	}
}

// drawMoved draws it: one file by its name, several as how many.
func (t *tracer) drawMoved(me int, accounts []int, files []string, what string, m move, n int) {
	if n < 0 {
		return
	}
	to := -1
	if len(files) == 1 {
		to = t.node(File, files[0], "")
	} else {
		to = t.nodeAs(fmt.Sprint("files ", n), Node{Kind: File, Name: what, Note: m.verb})
	}
	t.draw(me, to, m.verb, n)
	for _, a := range accounts {
		t.draw(a, to, "was used for", n)
	}
}

// transferred is how many bytes a line says were moved; -1 when it says nothing.
func transferred(r *record.Record) int64 {
	for _, f := range []record.Field{record.TransferBytes, record.FileSize} {
		if v, ok := r.Get(f); ok && v.Kind != record.KindText {
			return int64(v.Float)
		}
	}
	return -1
}

// callers tells who asked the site for a file after it was uploaded.
func (t *tracer) callers(upload *record.Record) {
	path := upload.Text(record.FilePath)
	if !askable(path) || !strings.HasPrefix(path, "/") {
		return
	}
	calls := t.window(is(pathField, path)).from(upload.Time)
	t.uploaded[path] = true
	askers := t.top(calls, addressField, maxAddresses)
	to := t.node(File, path, "")
	for n, a := range askers {
		f, ok := found{}, false
		if askable(a.Value) {
			f, ok = t.find(calls.with(is(addressField, a.Value)), 0)
		}
		if !ok {
			continue
		}
		if n == fewNames {
			t.cut("More than %d addresses asked for %s after it was uploaded.", fewNames, clip(path))
			break
		}
		from := t.node(Address, a.Value, f.first().Text(record.SourceCountry))
		text := fmt.Sprintf("%s asks for the uploaded file %s %s, first %s after the upload", t.called(from, a.Value), clip(path), number(f.proof.all, "time", "times"), span(f.first().Time.Sub(upload.Time)))
		if words := t.top(f.proof.ask, queryField, 20); len(words) > 0 {
			text += ", with " + listed(words, 5, 20)
		}
		t.draw(from, to, "asked for", t.say(f, Statement{Step: Called, Text: text + "."}, from, to))
		if len(askers) <= fewNames && !strings.EqualFold(a.Value, upload.Text(record.SourceIP)) {
			t.suspectSame(a.Value, from, upload, path)
		}
	}
}

// suspectSame guesses that somebody else who calls an uploaded file belongs to who uploaded it.
func (t *tracer) suspectSame(other string, from int, upload *record.Record, path string) {
	by := upload.Text(record.SourceIP)
	if !askable(by) || t.ours(other) {
		return
	}
	me := t.node(Address, by, "")
	f, ok := t.find(t.window(is(addressField, other), is(pathField, path)).from(upload.Time), 0)
	if !ok {
		return
	}
	n := t.say(f, Statement{Kind: Guess, Step: Same, Text: fmt.Sprintf("%s belongs to whoever uploaded %s from %s.", t.called(from, other), clip(path), by),
		Why: "Few know where an uploaded file lies; but a visitor who was sent there, or a search engine, may have asked for it too."}, from)
	t.guess(from, me, n)
	t.follow(other)
}

// ours reports whether an address is the shop's own, or is known to be many people's.
func (t *tracer) ours(address string) bool {
	if t.c.Ours != nil && t.c.Ours(address) {
		return true
	}
	for _, a := range t.c.Alerts {
		for _, p := range a.Addresses {
			if p.Name == address && (p.Own || p.Shared) {
				return true
			}
		}
	}
	return false
}
