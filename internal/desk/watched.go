package desk

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/record"
	"tocsin/internal/tuning"
)

// # How a record is marked
//
// A record of which something is on a watch list gets the fields watch.level and watch.kind, and its log source the category
// "watched" besides its own, so that the rules of rules/watch-lists.yml read it, and cost nothing for any other. What is looked
// up: source.ip, network.forwarded_ip and destination.ip; user.name and user.effective.name; of a log's own fields each that is a hash in hex;
// the host of a referrer, of a URL that stands in the request, and of destination.domain and dns.question.name.
//
// Lists are looked up as they are when a line is read, by the line's time: a value counts from and until the times that
// its list says. They are not part of detection's snapshot, so lines that are read again after a crash are looked up in the newest lists.

// Hits count records of which something was on a list.
type Hits struct {
	Records int64     `json:"records"`
	Last    time.Time `json:"last"` // record time of the newest
}

// hits returns how often each list hit.
func (d *Desk) hits() map[int64]Hits {
	out := map[int64]Hits{}
	if d.reader == nil { // before the reader began, and offline: what the last start has saved
		b, err := disk.ReadFile(d.o.Data, readerFile)
		if err != nil {
			return out
		}
		s, err := parseSnapshot(b)
		for id, h := range s.WatchHits {
			if err == nil && h != nil {
				out[id] = *h
			}
		}
		return out
	}
	d.reader.mu.Lock()
	defer d.reader.mu.Unlock()
	for id, h := range d.reader.watchHits {
		out[id] = *h
	}
	return out
}

// On names the lists on which somebody is whom an alert names, each once. What was on a list then and is not now is not named.
func (d *Desk) On(a detect.Alert) (names map[int64]string) {
	set := d.lists.set.Load()
	if set == nil {
		return nil
	}
	names = map[int64]string{}
	take := func(h tuning.Hit, ok bool) {
		if ok {
			names[h.List] = ""
		}
	}
	for _, p := range a.Sources {
		take(set.Address(p.Name, a.Last))
	}
	for _, p := range a.Accounts {
		take(set.Text(tuning.Account, p.Name, a.Last))
	}
	for _, l := range d.WatchLists() {
		if _, on := names[l.ID]; on {
			names[l.ID] = l.Name
		}
	}
	return names
}

// mark marks a record if something of it is on a list, and counts it.
func (r *reader) mark(set *tuning.Set, rec *record.Record, count bool) {
	hit, ok := MarkListed(set, rec)
	if !ok || !count {
		return
	}
	h := r.watchHits[hit.List]
	if h == nil {
		h = &Hits{}
		r.watchHits[hit.List] = h
	}
	h.Records++
	if rec.Time.After(h.Last) {
		h.Last = rec.Time
	}
}

// MarkListed marks a record if something of it is on a list. A record without a time counts as of now.
func MarkListed(set *tuning.Set, rec *record.Record) (hit tuning.Hit, ok bool) {
	if set == nil || rec.Class != record.Parsed {
		return hit, false
	}
	at := rec.Time
	if at.IsZero() {
		at = time.Now()
	}
	if hit, ok = look(set, rec, at); ok {
		mark(rec, hit)
	}
	return hit, ok
}

// mark puts what a list says into a record.
func mark(rec *record.Record, hit tuning.Hit) {
	rec.Set(record.WatchLevel, record.Text(hit.Level))
	rec.Set(record.WatchKind, record.Text(string(hit.Kind)))
	rec.Source.Categories = append(slices.Clone(rec.Source.Categories), record.Watched) // hits are rare
}

// look looks a record up. Of several hits it is the gravest.
func look(set *tuning.Set, rec *record.Record, at time.Time) (best tuning.Hit, ok bool) {
	take := func(h tuning.Hit, found bool) {
		if found && (!ok || tuning.Graver(h.Level, best.Level)) {
			best, ok = h, true
		}
	}
	for _, f := range [...]record.Field{record.SourceIP, record.ForwardedIP, record.DestinationIP} {
		take(set.Address(rec.Text(f), at))
	}
	if set.Has(tuning.Account) {
		take(set.Text(tuning.Account, rec.Text(record.UserName), at))
		take(set.Text(tuning.Account, rec.Text(record.UserEffective), at))
	}
	if set.Has(tuning.Hash) {
		for _, p := range rec.Extra {
			if n := len(p.Value.Text); n == 32 || n == 40 || n == 64 || n == 128 {
				take(set.Text(tuning.Hash, p.Value.Text, at))
			}
		}
	}
	if !set.Has(tuning.Domain) && !set.Has(tuning.URL) {
		return best, ok
	}
	for _, name := range [...]string{"destination.domain", "dns.question.name"} {
		if v, there := rec.Named(name); there {
			take(set.Text(tuning.Domain, v.Text, at))
		}
	}
	for _, f := range [...]record.Field{record.HTTPReferrer, record.URLDecoded} {
		for text := rec.Text(f); ; {
			url, rest := nextURL(text)
			if url == "" {
				break
			}
			text = rest
			if v, err := tuning.NewValue(tuning.URL, url); err == nil {
				take(set.Text(tuning.URL, v.Text, at))
				take(set.Text(tuning.Domain, hostIn(v.Text), at))
			}
		}
	}
	return best, ok
}

// nextURL finds the first URL in a text: a scheme, "://", and what follows up to what ends one in a shell, a quotation or a query.
func nextURL(s string) (url, rest string) {
	at := strings.Index(s, "://")
	if at < 0 {
		return "", ""
	}
	from := at
	for from > 0 && (s[from-1]|0x20 >= 'a' && s[from-1]|0x20 <= 'z') {
		from--
	}
	end := strings.IndexAny(s[at+3:], " \t\"'`;|<>(){}&")
	if end < 0 {
		return s[from:], ""
	}
	return s[from : at+3+end], s[at+3+end:]
}

// hostIn is the host of a URL, without user and port.
func hostIn(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if i := strings.IndexAny(host, ":?#"); i >= 0 {
		host = host[:i]
	}
	return strings.TrimSuffix(host, ".")
}

// sampleListed is what is on a watch list while sample lines of rules are tested, by level.
var sampleListed = map[string][]string{
	"low":    {"198.51.100.101", "watched.low", "low.example"},
	"medium": {"198.51.100.102", "watched.medium", "medium.example"},
	"high":   {"198.51.100.103", "watched.high", "high.example"},
}

// MarkSample marks a sample line's record as the watch lists of samples say: of each level, an address (198.51.100.101 to 103), an
// account (watched.low, watched.medium, watched.high) and a domain (low.example, medium.example, high.example).
func MarkSample(rec *record.Record) {
	var lists []tuning.Lister
	for n, level := range tuning.Levels() {
		l := tuning.Lister{List: int64(n + 1), Level: level}
		for k, kind := range []tuning.Kind{tuning.Address, tuning.Account, tuning.Domain} {
			l.Values = append(l.Values, tuning.Listed{Kind: kind, Text: sampleListed[level][k]})
		}
		lists = append(lists, l)
	}
	if hit, ok := look(tuning.NewSet(lists), rec, sampleHint); ok {
		mark(rec, hit)
	}
}
