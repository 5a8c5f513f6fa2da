package tuning

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/entry"
)

// The watch for the return of an incident. When it is closed, what its attacker left (addresses, hashes, paths, accounts) is watched for during
// fourteen days. When one of them comes back the incident is opened again. Our own networks, addresses that many customers share,
// victims, and what every shop has (the account root, the hash of an empty file) are never watched: they would open it at once.
//
//	incident closed -> Recurrence(incident, trails, at) -> vault -> recurrence.begun -> Recurrences.Apply -> Listers -> NewSet, as for watch lists
//	record -> look(set, record) -> Hit.List -> Recurrences.Sign -> recurrence.hit, and incident.reopened when it is closed

// Path is the kind of a value that only a watch for a return has: a file on a host, or what a request asked for, without its query.
const Path Kind = "path"

const (
	ReturnSpan    = 14 * 24 * time.Hour  // of a watch that nobody extended
	LongestReturn = 180 * 24 * time.Hour // from its begin
	MaxReturn     = 10_000               // values of one watch
	maxReturns    = 100_000              // values of all that stand
	maxSigns      = 200                  // of one watch that are written down; further ones are the same news
)

// A Trail is something that an incident left, as the case knows it.
type Trail struct {
	Kind   Kind // address, hash, path, account
	Text   string
	Victim bool // it suffered: an account that was taken, a file that was changed and belongs to the shop
	Own    bool // of our own networks, staff or software
	Shared bool // many customers have it: the address of a mobile network, a page of the shop
	Seen   int  // how often; what was seen most is kept when there is too much
}

// Reasons why a trail is not watched.
const (
	LeftVictim   = "victim"
	LeftOwn      = "own"
	LeftShared   = "shared"
	LeftWrong    = "wrong"    // it is no value of its kind
	LeftEveryday = "everyday" // every shop has it
	LeftMany     = "many"     // over MaxReturn
)

// A Watch is what is watched for after an incident.
type Watch struct {
	Incident    int64
	From, Until time.Time
	Values      []Listed       // each with From and Until
	Left        map[string]int // by reason, how many are not watched
}

// Recurrence makes the watch for the return of an incident that was closed at a time.
func Recurrence(incident int64, trails []Trail, at time.Time) Watch {
	w := Watch{Incident: incident, From: at, Until: at.Add(ReturnSpan), Left: map[string]int{}}
	type found struct {
		Listed
		seen int
		left string // the reason by which another trail of the same value leaves it out
	}
	var all []found
	place := map[string]int{}
	for _, t := range trails {
		v, why := t.value()
		if why == LeftWrong {
			w.Left[why]++
			continue
		}
		i, ok := place[v.Key()]
		if !ok {
			i = len(all)
			place[v.Key()] = i
			v.From, v.Until, v.Note = w.From, w.Until, fmt.Sprintf("incident %d", incident)
			all = append(all, found{Listed: v})
		}
		all[i].seen += t.Seen
		if why != "" {
			all[i].left = why
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		if a.seen != b.seen {
			return b.seen - a.seen
		}
		return strings.Compare(a.Key(), b.Key())
	})
	for _, f := range all {
		switch {
		case f.left != "":
			w.Left[f.left]++
		case len(w.Values) == MaxReturn:
			w.Left[LeftMany]++
		default:
			w.Values = append(w.Values, f.Listed)
		}
	}
	return w
}

// value is the trail in its one form, and why it is not watched, "" if it is.
func (t Trail) value() (Listed, string) {
	var v Listed
	var err error
	switch t.Kind {
	case Address, Hash, Account:
		v, err = NewValue(t.Kind, t.Text)
	case Path:
		v, err = pathValue(t.Text)
	default:
		err = errors.New("not of a kind that is watched")
	}
	switch {
	case err != nil:
		return v, LeftWrong
	case t.Victim:
		return v, LeftVictim
	case t.Own || v.Kind == Address && inside(v.Text):
		return v, LeftOwn
	case t.Shared:
		return v, LeftShared
	case everyday(v):
		return v, LeftEveryday
	}
	return v, ""
}

// inside reports whether an address can only be ours, or nobody's (RFC 1918, RFC 4193, RFC 6598, loopback, link-local, multicast).
func inside(text string) bool {
	a, err := netip.ParseAddr(text)
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)
	return err != nil || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || shared.Contains(a)
}

// everyday reports whether every shop has it: it says nothing of an attacker.
func everyday(v Listed) bool {
	switch v.Kind {
	case Account:
		return slices.Contains([]string{"root", "admin", "administrator", "www-data", "apache", "nginx", "nobody", "guest", "anonymous", "mysql", "postgres", "test", "-"}, v.Text)
	case Hash: // of nothing
		return slices.Contains([]string{"d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"}, v.Text)
	case Path:
		return v.Text == "/" || slices.Contains([]string{"index.php", "index.html", "robots.txt", "favicon.ico", "wp-login.php", "xmlrpc.php", "admin-ajax.php", "admin-post.php", "admin.php", "wp-cron.php", "wp-comments-post.php",
			"app.php", "get.php", "static.php", "cron.php", "health_check.php"}, path.Base(v.Text)) // every visitor of a shop asks for these, in whatever folder it lies
	}
	return false
}

// pathValue is a path in its one form: absolute, without query, in small letters as all texts of a Set.
func pathValue(s string) (Listed, error) {
	s, _, _ = strings.Cut(s, "?")
	if len(s) > longestValue || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || !strings.HasPrefix(s, "/") {
		return Listed{Kind: Path, Text: s}, errors.New("a path begins with /, and has no control characters")
	}
	return Listed{Kind: Path, Text: strings.ToLower(path.Clean(s))}, nil
}

// PathKey is the form in which a Set knows a path that a record has; "" is none.
func PathKey(s string) string {
	v, err := pathValue(s)
	if err != nil {
		return ""
	}
	return v.Text
}

// A Return is a watch that was begun.
type Return struct {
	entry.Recurrence
	By    string
	Begun time.Time
	Ended time.Time // early; zero: it ends at Until
	Moves []entry.RecurrenceEnd
	Signs []entry.RecurrenceSign

	seen map[string]bool // keyed hashes of values that came back since the incident was closed last
}

// Stands reports whether it is watched at a time.
func (r *Return) Stands(now time.Time) bool { return r.Ended.IsZero() && now.Before(r.Until) }

// Recurrences holds every watch for a return ever, by id from 1. The zero value is empty.
type Recurrences struct {
	All    []*Return
	closed map[int64]bool
	paths  map[string]bool // "incident hash" of paths that came back once
}

func pathCame(incident int64, value string) string { return fmt.Sprintf("%d %s", incident, value) }

// Get returns a watch that stands.
func (b *Recurrences) Get(id int64, now time.Time) (*Return, error) {
	if id < 1 || id > int64(len(b.All)) || !b.All[id-1].Stands(now) {
		return nil, fmt.Errorf("no watch %d for the return of an incident is in force", id)
	}
	return b.All[id-1], nil
}

// Of returns the watch of an incident that stands, nil if none does.
func (b *Recurrences) Of(incident int64, now time.Time) *Return {
	for _, r := range slices.Backward(b.All) {
		if r.Incident == incident && r.Stands(now) {
			return r
		}
	}
	return nil
}

// Without returns the watches as they look to somebody from whom some incidents are hidden. It is to be read only, by All and Of.
func (b *Recurrences) Without(hidden func(incident int64) bool) Recurrences {
	return Recurrences{All: slices.DeleteFunc(slices.Clone(b.All), func(r *Return) bool { return hidden(r.Incident) }), closed: b.closed}
}

// Begin decides to watch. vault is where w.Values lie. A watch of the same incident that stands ends with it.
func (b *Recurrences) Begin(actor string, w Watch, vault string, now time.Time) (entry.Draft, error) {
	standing := len(w.Values)
	for _, r := range b.All {
		if r.Stands(now) && r.Incident != w.Incident {
			standing += r.Count
		}
	}
	switch {
	case !b.closed[w.Incident]:
		return entry.Draft{}, fmt.Errorf("incident %d is open: its return is watched for when it is closed", w.Incident)
	case len(w.Values) == 0:
		return entry.Draft{}, fmt.Errorf("incident %d left nothing that can be watched for", w.Incident)
	case len(w.Values) > MaxReturn || vault == "":
		return entry.Draft{}, fmt.Errorf("a watch has 1 to %d values, in the vault", MaxReturn)
	case standing > maxReturns:
		return entry.Draft{}, fmt.Errorf("%d values would be watched for, and at most %d are: end a watch that is not needed any more", standing, maxReturns)
	case !w.Until.After(w.From) || !w.Until.After(now) || w.Until.Sub(w.From) > LongestReturn:
		return entry.Draft{}, UntilError("a watch ends in the future, 180 days after its begin at the latest")
	}
	left := 0
	for _, n := range w.Left {
		left += n
	}
	x := entry.Recurrence{ID: int64(len(b.All)) + 1, Incident: w.Incident, Vault: vault, Count: len(w.Values), Left: left, From: w.From.UTC().Round(0), Until: w.Until.UTC().Round(0)}
	return returnDraft(actor, entry.RecurrenceBegun, w.Incident, x), nil
}

// Extend decides that a watch goes on until a later time; text is the vault object with the reason.
func (b *Recurrences) Extend(actor string, id int64, until time.Time, text string, now time.Time) (entry.Draft, error) {
	r, err := b.Get(id, now)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case text == "":
		return entry.Draft{}, errors.New("extending a watch needs a reason")
	case !until.After(r.Until) || until.Sub(r.From) > LongestReturn:
		return entry.Draft{}, UntilError("a watch is extended to a later time, 180 days after its begin at the latest")
	}
	return returnDraft(actor, entry.RecurrenceExtended, r.Incident, entry.RecurrenceEnd{ID: id, Until: until.UTC().Round(0), Text: text}), nil
}

// End decides that a watch ends now; text is the vault object with the reason.
func (b *Recurrences) End(actor string, id int64, text string, now time.Time) (entry.Draft, error) {
	r, err := b.Get(id, now)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case text == "":
		return entry.Draft{}, errors.New("ending a watch before its time needs a reason")
	}
	return returnDraft(actor, entry.RecurrenceEnded, r.Incident, entry.RecurrenceEnd{ID: id, Text: text}), nil
}

// Sign decides what a hit means: of x it needs ID (Hit.List), Kind, Value, Vault, At and Alert. Ok is false when it is no news: the watch is over, the line is older than the watch, or
// the same value came back before. Anybody can ask for a path, so one that came back is news once: who closes the incident again after it knows of it. reopen is the incident that is to be opened again, 0 is none, and why is a sentence for its reason.
func (b *Recurrences) Sign(x entry.RecurrenceSign, now time.Time) (d entry.Draft, reopen int64, why string, ok bool) {
	r, err := b.Get(x.ID, now)
	if err != nil || x.Value == "" || x.At.Before(r.From) || !x.At.Before(r.Until) || r.seen[x.Value] || x.Kind == string(Path) && b.paths[pathCame(r.Incident, x.Value)] || len(r.Signs) >= maxSigns {
		return entry.Draft{}, 0, "", false
	}
	if b.closed[r.Incident] {
		reopen = r.Incident
		why = fmt.Sprintf("A sign of incident %d came back, %s after it was closed: the same %s was seen again.", r.Incident, spanWords(x.At.Sub(r.From)), x.Kind)
	}
	x.At = x.At.UTC().Round(0)
	return returnDraft("detect", entry.RecurrenceHit, r.Incident, x), reopen, why, true
}

// spanWords words a time in days or hours.
func spanWords(d time.Duration) string {
	if days := int(d.Hours() / 24); days > 1 {
		return fmt.Sprintf("%d days", days)
	}
	if hours := int(d.Hours()); hours != 1 {
		return fmt.Sprintf("%d hours", hours)
	}
	return "1 hour"
}

func returnDraft(actor string, k entry.Kind, incident int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf("incident:%d", incident), Body: body}
}

// Listers is what stands now, for NewSet: a Hit's List is the id of the watch, and of two watches of one value the newer one is hit. values reads a vault
// object; what it cannot read is in lost. The Set is to be built anew when a watch begins, is extended or ended; one that runs out by time needs nothing.
func (b *Recurrences) Listers(now time.Time, values func(vault string) ([]Listed, error)) (out []Lister, lost []int64) {
	for _, r := range b.All {
		if !r.Stands(now) {
			continue
		}
		list, err := values(r.Vault)
		if err != nil || len(list) > MaxReturn {
			lost = append(lost, r.ID)
			continue
		}
		list = slices.Clone(list)
		for i := range list {
			list[i].From, list[i].Until = r.From, r.Until
		}
		out = append(out, Lister{List: r.ID, Level: "high", Values: list})
	}
	return out, lost
}

// Apply folds an entry and reports whether it was of a watch for a return.
func (b *Recurrences) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.IncidentClosed:
		x, err := entry.Body[entry.Closed](e)
		b.close(x.ID, true)
		return false, err
	case entry.IncidentReopened:
		x, err := entry.Body[entry.Reopened](e)
		b.close(x.ID, false)
		return false, err
	case entry.RecurrenceBegun:
		x, err := entry.Body[entry.Recurrence](e)
		if err == nil && x.ID != int64(len(b.All))+1 {
			err = fmt.Errorf("entry %d: watch %d does not follow %d", e.N, x.ID, len(b.All))
		}
		if err != nil {
			return true, err
		}
		if r := b.Of(x.Incident, e.Time); r != nil {
			r.Ended = e.Time
		}
		b.All = append(b.All, &Return{Recurrence: x, By: e.Actor, Begun: e.Time})
		return true, nil
	case entry.RecurrenceExtended, entry.RecurrenceEnded:
		x, err := entry.Body[entry.RecurrenceEnd](e)
		r, err := b.of(e, x.ID, err)
		if err != nil {
			return true, err
		}
		if r.Moves = append(r.Moves, x); e.Kind == entry.RecurrenceEnded {
			r.Ended = e.Time
		} else {
			r.Until = x.Until
		}
		return true, nil
	case entry.RecurrenceHit:
		x, err := entry.Body[entry.RecurrenceSign](e)
		r, err := b.of(e, x.ID, err)
		if err != nil {
			return true, err
		}
		if r.seen == nil {
			r.seen = map[string]bool{}
		}
		r.seen[x.Value], r.Signs = true, append(r.Signs, x)
		if x.Kind == string(Path) {
			if b.paths == nil {
				b.paths = map[string]bool{}
			}
			b.paths[pathCame(r.Incident, x.Value)] = true
		}
		return true, nil
	}
	return false, nil
}

func (b *Recurrences) of(e entry.Entry, id int64, err error) (*Return, error) {
	if err == nil && (id < 1 || id > int64(len(b.All))) {
		err = fmt.Errorf("entry %d: there is no watch %d for a return", e.N, id)
	}
	if err != nil {
		return nil, err
	}
	return b.All[id-1], nil
}

// close notes whether an incident is closed. What came back before the next close is news again after it.
func (b *Recurrences) close(incident int64, closed bool) {
	if b.closed == nil {
		b.closed = map[int64]bool{}
	}
	b.closed[incident] = closed
	for _, r := range b.All {
		if r.Incident == incident && closed {
			r.seen = nil
		}
	}
}
