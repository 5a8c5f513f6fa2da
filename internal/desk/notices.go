package desk

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"tocsin/internal/plan"
	"tocsin/internal/record"
)

// Notices of sign-ins, the part of the reader: it sees the sign-ins that worked and gathers, for each wish (plan.Notice), what waits to
// be told. That is derived: the ledger says up to which line each wish was told, and what comes behind it can be read again.
// notices_send.go turns what waits into debts.

// A Login is a sign-in that worked.
type Login struct {
	At      time.Time `json:"at"`
	Got     time.Time `json:"got"` // when its line came
	Seq     int64     `json:"seq"`
	Account string    `json:"account,omitempty"`
	Realm   string    `json:"realm,omitempty"`
	Address string    `json:"address,omitempty"`
	Country string    `json:"country,omitempty"`
	City    string    `json:"city,omitempty"`
	Network string    `json:"network,omitempty"`
	How     string    `json:"how,omitempty"`
	Agent   string    `json:"agent,omitempty"`
	Host    string    `json:"host,omitempty"`
	Log     string    `json:"log,omitempty"`
	New     []string  `json:"new,omitempty"` // what the account did not do before, in words
}

const (
	loginsTold    = plan.Burst // of one message, one by one; further ones are counted
	loginAccounts = 500        // accounts that a bundle counts
	loginFrom     = 5          // addresses of each that a digest names
	loginText     = 200        // bytes of each of its texts
	loginTwins    = 64         // the last sign-ins, to know again what a second log says of them
	twinWithin    = time.Minute
)

// A bundle is sign-ins that are told in one message.
type bundle struct {
	First     time.Time          `json:"first"`               // when the first one's line came
	Through   int64              `json:"through"`             // the last one's line
	Count     int64              `json:"count"`               // all
	Logins    []Login            `json:"logins,omitempty"`    // the first ones
	More      int64              `json:"more,omitempty"`      // those that are only counted
	Accounts  map[string]*logins `json:"accounts,omitempty"`  // of those, by realm and name
	Uncounted bool               `json:"uncounted,omitempty"` // there are accounts beyond loginAccounts
}

// logins are what is counted of one account.
type logins struct {
	Account string    `json:"account"`
	Realm   string    `json:"realm"`
	Count   int64     `json:"count"`
	Last    time.Time `json:"last"`
	From    []string  `json:"from,omitempty"`
	More    bool      `json:"more,omitempty"` // and from further addresses
}

// add takes a sign-in into the bundle; told is how many are told one by one.
func (b *bundle) add(l Login, told int) {
	if b.Count == 0 {
		b.First = l.Got
	}
	b.Count++
	b.Through = max(b.Through, l.Seq)
	if len(b.Logins) < told {
		b.Logins = append(b.Logins, l)
		return
	}
	b.More++
	if b.Accounts == nil {
		b.Accounts = map[string]*logins{}
	}
	key := l.Realm + "/" + l.Account
	x := b.Accounts[key]
	if x == nil {
		if len(b.Accounts) >= loginAccounts {
			b.Uncounted = true
			return
		}
		x = &logins{Account: l.Account, Realm: l.Realm}
		b.Accounts[key] = x
	}
	x.Count++
	if l.At.After(x.Last) {
		x.Last = l.At
	}
	from := l.Address
	if l.Country != "" {
		from += " (" + l.Country + ")"
	}
	switch {
	case from == "" || slices.Contains(x.From, from):
	case len(x.From) < loginFrom:
		x.From = append(x.From, from)
	default:
		x.More = true
	}
}

// list returns the counted accounts, those with most sign-ins first.
func (b *bundle) list() (out []logins) {
	for _, x := range b.Accounts {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b logins) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Realm, b.Realm), strings.Compare(a.Account, b.Account))
	})
	return out
}

// accounts counts the accounts of the bundle, at least.
func (b *bundle) accounts() int {
	all := map[string]bool{}
	for _, l := range b.Logins {
		all[l.Realm+"/"+l.Account] = true
	}
	for key := range b.Accounts {
		all[key] = true
	}
	return len(all)
}

// waiting is what one wish is still to be told: Taken is on its way into the ledger, Fresh came since.
type waiting struct {
	Fresh bundle  `json:"fresh"`
	Taken *bundle `json:"taken,omitempty"`
}

// A twin is a sign-in that another log may tell of, too.
type twin struct {
	Key  string `json:"key"`
	File string `json:"file"`
	At   int64  `json:"at"` // Unix seconds
}

// gathered is the state of notices that the snapshot keeps.
type gathered struct {
	Waiting map[int64]*waiting `json:"waiting,omitempty"` // by wish
	Firsts  firsts             `json:"firsts"`
	Twins   []twin             `json:"twins,omitempty"`

	form []byte // as JSON, nil when it changed since
}

// bytes returns the state for the snapshot. Most snapshots have nothing new of it.
func (g *gathered) bytes() ([]byte, error) {
	if g.form != nil {
		return g.form, nil
	}
	b, err := json.Marshal(g)
	if err == nil {
		g.form = b
	}
	return b, err
}

// parseGathered reads what bytes wrote; what cannot be read begins anew, which the archive can fill again.
func parseGathered(b []byte) (g gathered, err error) {
	if len(b) == 0 {
		return g, nil
	}
	if err := json.Unmarshal(b, &g); err != nil {
		return gathered{}, err
	}
	g.fit()
	return g, nil
}

// fit makes what a file said safe to go on with.
func (g *gathered) fit() {
	for id, w := range g.Waiting {
		if w == nil {
			delete(g.Waiting, id)
		}
	}
	g.Firsts.fit()
}

// A wish is as much of a plan.Notice as the reader needs.
type wish struct {
	plan.Notice
	past int64 // the last line that was told of, or that was there when it was asked for
}

// wishes returns what is wished for now. It is asked before the reader locks itself.
func (d *Desk) wishes() (out []wish) {
	d.Read(func(s *State) {
		for n := range s.Notices.Standing(&s.Plan) {
			out = append(out, wish{plan.Notice{Notice: n.Notice}, max(n.Through, n.After)})
		}
	})
	return out
}

// signin takes a sign-in that worked into what waits; it reports whether somebody is to be told. What is older than start is history:
// then it is only learnt from.
func (r *reader) signin(rec *record.Record, received, start time.Time, wishes []wish) bool {
	if rec.Text(record.EventAction) != "login" || rec.Text(record.EventOutcome) != "success" {
		return false
	}
	g, l := &r.gathered, loginOf(rec, received)
	g.form = nil
	if g.twin(l, rec.Line.File) {
		return false
	}
	var news []string
	if l.Account != "" && (l.Realm != "customer" || slices.ContainsFunc(wishes, func(w wish) bool { return w.Mode == plan.New && w.Covers("customer", w.Account, w.New) })) {
		zone := r.d.detectOptions().Zone
		if zone == nil {
			zone = time.UTC
		}
		news, l.New = g.Firsts.look(l, zone)
	}
	if l.At.Before(start.Truncate(time.Second)) { // logs tell the second
		return false
	}
	told, hash := false, ""
	for _, w := range wishes {
		if w.Account != "" && hash == "" {
			hash = r.d.accountHash(l.Account)
		}
		if l.Seq <= w.past || !w.Covers(l.Realm, hash, news) {
			continue
		}
		x := g.Waiting[w.ID]
		if x == nil {
			if g.Waiting == nil {
				g.Waiting = map[int64]*waiting{}
			}
			x = &waiting{}
			g.Waiting[w.ID] = x
		}
		if x.Fresh.Through <= w.past { // it waited before a restart, and was told
			x.Fresh = bundle{}
		}
		one := loginsTold
		if w.Mode == plan.Digest {
			one = 0
		}
		x.Fresh.add(l, one)
		told = true
	}
	return told
}

// accountHash is the keyed hash by which the ledger knows the account of a wish. Some logs write names in capitals, some do not.
func (d *Desk) accountHash(name string) string {
	return d.vault.Hash("account name", strings.ToLower(name))
}

// loginOf copies what a notice may tell out of a record.
func loginOf(rec *record.Record, received time.Time) Login {
	text := func(f record.Field) string {
		t := rec.Text(f)
		return strings.ToValidUTF8(strings.Clone(t[:min(len(t), loginText)]), "\uFFFD")
	}
	l := Login{At: rec.Time, Got: received, Seq: rec.Line.Seq, Account: text(record.UserName), Realm: text(record.UserRealm), Address: text(record.SourceIP),
		Country: text(record.SourceCountry), City: text(record.SourceCity), How: text(record.EventCode), Agent: text(record.UserAgent), Host: text(record.HostName),
		Log: rec.Line.File[strings.LastIndexByte(rec.Line.File, '/')+1:]}
	if l.At.IsZero() {
		l.At = received
	}
	if rec.Line.Host != "" {
		l.Host = rec.Line.Host
	}
	if n := text(record.SourceASNumber); n != "" {
		l.Network = "AS" + n
	}
	l.Network = strings.TrimSpace(l.Network + " " + text(record.SourceASName))
	return l
}

// twin reports whether another log told of the same sign-in a moment ago, and notes this one.
func (g *gathered) twin(l Login, file string) bool {
	key, at := l.Realm+"/"+l.Account+"/"+l.Address, l.At.Unix()
	for k := range g.Twins {
		if t := &g.Twins[k]; t.Key == key && t.File != file && at-t.At <= int64(twinWithin/time.Second) && t.At-at <= int64(twinWithin/time.Second) {
			g.Twins = slices.Delete(g.Twins, k, k+1) // one stands for one
			return true
		}
	}
	g.Twins = append(g.Twins, twin{key, strings.Clone(file), at})
	g.Twins = g.Twins[max(0, len(g.Twins)-loginTwins):]
	return false
}
