package detect

import (
	"path"
	"strings"
	"unicode/utf8"

	"tocsin/internal/record"
)

// A sight is what an alert may have to tell about records of one visitor: who, from where, in which log. All windows share one,
// and so do further records of whom the same is to be told. It is not changed, but for where a freeze put it. Its texts
// are copies, so that a record's line can be freed.
type sight struct {
	IP      string
	Country string
	Account string
	Realm   string
	Session string
	Log     string // base name of the file
	Host    string
	Success bool
	Failure bool
	Why     string // what of it is not normal for its account, "" when nothing is

	frozen int64 // number of the last freeze that met it,
	place  int   // and its place in that one; the freezing goroutine's alone
}

const (
	maxText  = 256 // bytes of an account, host, file name, session or group value that are kept
	markRaws = 5   // marks of a window that keep their raw line: the newest

	sightsKept = 4096 // that a further record may share
)

// sightOf returns what is to be told of a record.
func (d *Detector) sightOf(r *record.Record) *sight {
	s := sight{
		Log: d.logName(r.Line.File),
		IP:  cut(r.Text(record.SourceIP), maxText), Country: d.short(r.Text(record.SourceCountry)),
		Account: cut(r.Text(record.UserName), maxText), Realm: d.short(r.Text(record.UserRealm)),
		Session: cut(r.Text(record.SessionID), maxText), Host: d.hostName(hostOf(r)),
	}
	switch r.Text(record.EventOutcome) {
	case "success":
		s.Success = true
	case "failure":
		s.Failure = true
	}
	s.Why = d.habits.words()
	last := &d.sights[hashText(hashText(hashStart, s.IP), s.Account)%sightsKept]
	if *last != nil && (*last).same(&s) {
		return *last
	}
	kept := s
	// One copy holds all of the texts that are not shared.
	d.texts = d.texts[:0]
	parts := [...]*string{&kept.IP, &kept.Account, &kept.Session}
	for _, p := range parts {
		d.texts = append(d.texts, *p...)
	}
	all := string(d.texts)
	for _, p := range parts {
		*p, all = all[:len(*p)], all[len(*p):]
	}
	*last = &kept
	return &kept
}

func (s *sight) same(o *sight) bool {
	return s.IP == o.IP && s.Account == o.Account && s.Session == o.Session && s.Country == o.Country && s.Realm == o.Realm &&
		s.Log == o.Log && s.Host == o.Host && s.Success == o.Success && s.Failure == o.Failure && s.Why == o.Why
}

// short returns one copy for all records of a text of which there are few: countries, realms.
func (d *Detector) short(s string) string {
	if s == "" {
		return ""
	}
	if kept, ok := d.shorts[s]; ok {
		return kept
	}
	kept := keep(s, maxText)
	if len(d.shorts) < maxShorts {
		d.shorts[kept] = kept
	}
	return kept
}

const maxShorts = 1024

// logName is the base name of a file, the same text for all records of one.
func (d *Detector) logName(file string) string {
	if file != d.file || d.log == "" {
		d.file = strings.Clone(file)
		d.log = keep(path.Base(strings.ReplaceAll(file, `\`, "/")), maxText)
	}
	return d.log
}

// hostName is the same text for all records of one host.
func (d *Detector) hostName(host string) string {
	if host = cut(host, maxText); host != d.host {
		d.host = strings.Clone(host)
	}
	return d.host
}

// hostOf is the host that the file lies on; for this host, the name that the line gives.
func hostOf(r *record.Record) string {
	if r.Line.Host != "" {
		return r.Line.Host
	}
	return r.Text(record.HostName)
}

// moved is how many bytes a transfer moved, 0 for any other record.
func moved(r *record.Record) int64 {
	v, _ := r.Get(record.TransferBytes)
	return max(v.Int, 0)
}

// cut takes the first bytes of a text, cut between two characters.
func cut(s string, most int) string {
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most]
	}
	return s
}

// keep copies the first bytes of a text.
func keep(s string, most int) string { return strings.Clone(cut(s, most)) }

// A mark is one match in a window: a record that a rule matched, or the fulfilment of a correlation.
type mark struct {
	At    int64 // record time, nanoseconds since 1970
	Ord   int64 // number of the record among all that were stepped through: its identity
	Seq   int64 // of its line in the archive
	Sight *sight
	rest  *rest // nil for most
	N     int32 // records that it stands for: more than 1 where old ones were joined
	Told  bool  // an alert has it
}

// A rest is what few marks have. Marks of several windows share it, so it is not changed.
type rest struct {
	Raw   string  // the line, in the newest marks only, and only where the group is near to an alert
	Bytes int64   // moved
	X     float64 // what value_sum and its kin reckon with
	More  []mark  // of a correlation: the records that fulfilled it
}

// of returns what m has beside.
func (m *mark) of() rest {
	if m.rest == nil {
		return rest{}
	}
	return *m.rest
}

// set gives m another rest.
func (m *mark) set(r rest) {
	m.rest = nil
	if r.Raw != "" || r.Bytes != 0 || r.X != 0 || len(r.More) > 0 {
		m.rest = &r
	}
}

// setRaw keeps the line in m, or "" to let go of it.
func (m *mark) setRaw(raw string) {
	if m.rest == nil && raw == "" {
		return
	}
	r := m.of()
	r.Raw = raw
	m.set(r)
}

// more returns the records that a correlation's fulfilment stands for.
func (m *mark) more() []mark {
	if m.rest == nil {
		return nil
	}
	return m.rest.More
}

// join adds an older mark to m.
func (m *mark) join(old *mark) {
	m.N += old.N
	if old.rest == nil {
		return
	}
	r := m.of()
	r.Bytes, r.X = r.Bytes+old.rest.Bytes, r.X+old.rest.X
	m.set(r)
}

// weight is how many records a mark holds.
func (m *mark) weight() int { return 1 + len(m.more()) }

// before orders marks by time, then by order of arrival.
func (m *mark) before(o *mark) bool { return m.At < o.At || m.At == o.At && m.Ord < o.Ord }
