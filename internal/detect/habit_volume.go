package detect

import (
	"slices"

	"tocsin/internal/record"
)

const (
	volumeKept = 28 // days or sessions of a series
	volumeDays = 7  // before which nothing is said
	farTimes   = 5.0
	farMAD     = 6.0
	aboveTimes = 2.0
	aboveMAD   = 3.0
	floorBytes = 30 << 20 // what a person fetches now and then: a film, a backup of pictures
	floorFiles = 100
	maxSeries  = 4
)

// A series is how much an account moved, by day or by session, the newest at the end. The last is not of the past: it is still going on.
type series struct {
	What string // download, upload, export; session: downloads and exports of one session
	Past []amountOf
}

// An amountOf is what was moved on one day or in one session.
type amountOf struct {
	Key   int64 // number of the day, or of the session
	Last  int64 // time of the last transfer
	Bytes int64
	Files int64
}

// ofWhat finds a series, nil when there is none.
func (x *habit) ofWhat(what string) *series {
	if x == nil {
		return nil
	}
	for i := range x.Series {
		if x.Series[i].What == what {
			return &x.Series[i]
		}
	}
	return nil
}

// A robust summary of the past: a few odd days hardly move it.
type robust struct {
	n           int
	median, mad float64 // MAD: the median of the distances from the median
	p95         float64 // nearest rank
	far, above  float64 // from where on something is that
}

// summarize sorts values in place.
func summarize(values []float64, floor float64) (s robust) {
	if s.n = len(values); s.n == 0 {
		return s
	}
	middle := func(v []float64) float64 {
		slices.Sort(v)
		n := len(v)
		return (v[(n-1)/2] + v[n/2]) / 2
	}
	s.median = middle(values)
	s.p95 = values[(95*s.n+99)/100-1]
	for i, v := range values {
		values[i] = max(v-s.median, s.median-v)
	}
	s.mad = middle(values)
	s.far = max(farTimes*s.p95, s.median+farMAD*s.mad, floor)
	s.above = max(aboveTimes*s.p95, s.median+aboveMAD*s.mad, floor/2)
	return s
}

// past summarizes the days or sessions but that of key.
func (s *series) past(key int64) (bytes, files robust) {
	var room, more [volumeKept]float64
	b, f := room[:0], more[:0]
	for _, a := range s.Past {
		if a.Key != key {
			b, f = append(b, float64(a.Bytes)), append(f, float64(a.Files))
		}
	}
	return summarize(b, floorBytes), summarize(f, floorFiles)
}

// so far on the day or in the session of key.
func (s *series) soFar(key int64) amountOf {
	for _, a := range s.Past {
		if a.Key == key {
			return a
		}
	}
	return amountOf{Key: key}
}

// A volume is a verdict on one series.
type volume struct {
	standing     string
	what         string
	now          amountOf
	bytes, files robust
}

// judgeVolume says how what was moved so far, this record included, stands against the past.
func judgeVolume(s *series, what string, key, bytes int64) volume {
	v := volume{standing: "unknown", what: what, now: amountOf{Key: key, Bytes: bytes, Files: 1}}
	if s == nil {
		return v
	}
	so := s.soFar(key)
	v.now.Bytes, v.now.Files = so.Bytes+bytes, so.Files+1
	v.bytes, v.files = s.past(key)
	if v.bytes.n < volumeDays {
		return v
	}
	b, f := float64(v.now.Bytes), float64(v.now.Files)
	switch {
	case b > v.bytes.far || f > v.files.far:
		v.standing = "far above"
	case b > v.bytes.above || f > v.files.above:
		v.standing = "above"
	default:
		v.standing = "usual"
	}
	return v
}

// add takes a transfer into a series. When a new day or session begins, the one before enters the past, at no more than what would
// have been far above: one theft must not make the next one usual, and a shop that grows is learnt step by step.
func (x *habit) add(what string, key, at, bytes int64) {
	s := x.ofWhat(what)
	if s == nil {
		if len(x.Series) >= maxSeries {
			return
		}
		x.Series = append(x.Series, series{What: what})
		s = &x.Series[len(x.Series)-1]
	}
	i := slices.IndexFunc(s.Past, func(a amountOf) bool { return a.Key == key })
	if i < 0 {
		s.clip()
		if len(s.Past) >= volumeKept+1 {
			s.Past = slices.Delete(s.Past, 0, 1)
		}
		s.Past = append(s.Past, amountOf{Key: key})
		i = len(s.Past) - 1
	}
	a := &s.Past[i]
	a.Bytes += max(bytes, 0)
	a.Files++
	a.Last = max(a.Last, at)
}

// clip lowers the newest day or session to what would have been far above.
func (s *series) clip() {
	if len(s.Past) == 0 {
		return
	}
	a := &s.Past[len(s.Past)-1]
	bytes, files := s.past(a.Key)
	if bytes.n < volumeDays {
		return
	}
	a.Bytes, a.Files = min(a.Bytes, int64(bytes.far)), min(a.Files, int64(files.far))
}

// transferBytes is how many bytes a transfer moved; what the line says of a file counts where it does not.
func transferBytes(r *record.Record) int64 {
	if v, ok := r.Get(record.TransferBytes); ok {
		return max(v.Int, 0)
	}
	v, _ := r.Get(record.FileSize)
	return max(v.Int, 0)
}
