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

	frozen int64 // number of the last freeze that met it,
	place  int   // and its place in that one; the freezing goroutine's alone
}

const (
	maxText  = 256 // bytes of an account, host, file name, session or group value that are kept
	markRaws = 5   // marks of a window that keep their raw line: the newest
)

func newSight(r *record.Record) *sight {
	return &sight{
		Seq:     r.Line.Seq,
		IP:      keep(r.Text(record.SourceIP), maxText),
		Country: keep(r.Text(record.SourceCountry), maxText),
		Account: keep(r.Text(record.UserName), maxText),
		Realm:   keep(r.Text(record.UserRealm), maxText),
		Session: keep(r.Text(record.SessionID), maxText),
		Log:     keep(path.Base(strings.ReplaceAll(r.Line.File, `\`, "/")), maxText),
		Host:    keep(hostOf(r), maxText),
		Success: r.Text(record.EventOutcome) == "success",
		Failure: r.Text(record.EventOutcome) == "failure",
	}
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

// keep copies the first bytes of a text, cut between two characters.
func keep(s string, most int) string {
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most]
	}
	return strings.Clone(s)
}

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
