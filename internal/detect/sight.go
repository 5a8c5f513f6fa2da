package detect

import (
	"path"
	"strings"
	"unicode/utf8"

	"tocsin/internal/record"
)

// A sight is what an alert may have to tell about one record. All windows that hold the record share one; it is not
// changed, but for where a freeze put it. Its texts are copies, so that a record's line can be freed.
type sight struct {
	Seq     int64 // of the line in the archive
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
)

func (d *Detector) newSight(r *record.Record) *sight {
	s := &sight{
		Seq: r.Line.Seq, Log: d.logName(r.Line.File),
		IP: cut(r.Text(record.SourceIP), maxText), Country: cut(r.Text(record.SourceCountry), maxText),
		Account: cut(r.Text(record.UserName), maxText), Realm: cut(r.Text(record.UserRealm), maxText),
		Session: cut(r.Text(record.SessionID), maxText), Host: cut(hostOf(r), maxText),
	}
	switch r.Text(record.EventOutcome) {
	case "success":
		s.Success = true
	case "failure":
		s.Failure = true
	}
	// One copy holds all of the texts.
	d.texts = d.texts[:0]
	parts := [...]*string{&s.IP, &s.Country, &s.Account, &s.Realm, &s.Session, &s.Host}
	for _, p := range parts {
		d.texts = append(d.texts, *p...)
	}
	all := string(d.texts)
	for _, p := range parts {
		*p, all = all[:len(*p)], all[len(*p):]
	}
	return s
}

// logName is the base name of a file, the same text for all records of one.
func (d *Detector) logName(file string) string {
	if file != d.file || d.log == "" {
		d.file = strings.Clone(file)
		d.log = keep(path.Base(strings.ReplaceAll(file, `\`, "/")), maxText)
	}
	return d.log
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
	Sight *sight
	Raw   string // the line, in the newest marks only
	Bytes int64  // moved
	N     int64  // records that it stands for: more than 1 only where value_sum joined old ones
	X     float64
	Told  bool   // an alert has it
	More  []mark // of a correlation: the records that fulfilled it
}

// weight is how many records a mark holds.
func (m *mark) weight() int { return 1 + len(m.More) }

// before orders marks by time, then by order of arrival.
func (m *mark) before(o *mark) bool { return m.At < o.At || m.At == o.At && m.Ord < o.Ord }
