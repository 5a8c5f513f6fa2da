package record

import "strings"

// CopyTo makes o a copy of r that shares no text with it, so that keeping o keeps nothing of what r was read from; the
// memory that o had is used again. The copy has the line, the fields that are named, and Extra: who asks it for another field
// is told that it is missing. Every text of it lies in one string.
func (r *Record) CopyTo(o *Record, fields []Field) {
	values, extra := o.values[:0], o.Extra[:0]
	*o = Record{Line: r.Line, Time: r.Time, Class: r.Class, Format: r.Format, Source: r.Source, Cut: r.Cut}
	var room [512]byte
	var places [48]int32
	t := texts{raw: r.Line.Raw, more: room[:0], at: places[:0]}
	for _, f := range fields {
		if r.index[f] == 0 || o.index[f] != 0 {
			continue
		}
		if v, ok := r.Get(f); ok {
			t.place(v.Text)
			values = append(values, v)
			o.index[f] = uint8(len(values))
		}
	}
	for _, p := range r.Extra {
		t.place(p.Name)
		t.place(p.Value.Text)
		extra = append(extra, p)
	}
	t.all = t.raw + string(t.more)
	o.Line.Raw = t.all[:len(t.raw)]
	for i := range values {
		values[i].Text = t.take(values[i].Text)
	}
	for i := range extra {
		extra[i].Name, extra[i].Value.Text = t.take(extra[i].Name), t.take(extra[i].Value.Text)
	}
	o.values, o.Extra = values, extra
}

// texts finds a place for each text of a record in one string: in the line if it stands there, else behind it. What place is told
// in some order, take gives back in the same.
type texts struct {
	raw  string
	more []byte
	all  string
	next int
	at   []int32 // places, in order
}

func (t *texts) place(s string) {
	i := strings.Index(t.raw, s)
	if i < 0 {
		i = len(t.raw) + len(t.more)
		t.more = append(t.more, s...)
	}
	t.at = append(t.at, int32(i))
}

func (t *texts) take(s string) string {
	i := int(t.at[t.next])
	t.next++
	return t.all[i : i+len(s)]
}
