package record

import "strings"

// CopyTo makes o a copy of r that shares no text with it, so that keeping o keeps nothing of what r was read from; the
// memory that o had is used again. Views are left out, and what only they are made of, but for those in also: who asks the copy for
// another one is told that it is missing. Every text of the copy lies in one string.
func (r *Record) CopyTo(o *Record, also []Field) {
	values, extra := o.values[:0], o.Extra[:0]
	*o = Record{Line: r.Line, Time: r.Time, Class: r.Class, Format: r.Format, Source: r.Source, Cut: r.Cut}
	var room [512]byte
	t := texts{raw: r.Line.Raw, more: room[:0]}
	for f := range numFields {
		if !f.View() && f != URLDecoded && f != URLDecodedTwice {
			values = r.copyField(o, f, values, &t)
		}
	}
	for _, f := range also {
		if o.index[f] == 0 {
			values = r.copyField(o, f, values, &t)
		}
	}
	for _, p := range r.Extra {
		p.Name, p.Value.Text = t.place(p.Name), t.place(p.Value.Text)
		extra = append(extra, p)
	}
	all := t.raw + string(t.more)
	t.all, t.next = all, 0
	o.Line.Raw = all[:len(t.raw)]
	for i := range values {
		values[i].Text = t.take(values[i].Text)
	}
	for i := range extra {
		extra[i].Name, extra[i].Value.Text = t.take(extra[i].Name), t.take(extra[i].Value.Text)
	}
	o.values, o.Extra = values, extra
}

func (r *Record) copyField(o *Record, f Field, values []Value, t *texts) []Value {
	v, ok := r.Get(f)
	if !ok {
		return values
	}
	v.Text = t.place(v.Text)
	values = append(values, v)
	o.index[f] = uint8(len(values))
	return values
}

// texts finds a place for each text of a record in one string: in the line if it stands there, else behind it. What place is told
// in some order, take gives back in the same.
type texts struct {
	raw  string
	more []byte
	all  string
	next int
	at   []int32 // places, in order; the array lives as long as the copying
	room [32]int32
}

func (t *texts) place(s string) string {
	if t.at == nil {
		t.at = t.room[:0]
	}
	i := strings.Index(t.raw, s)
	if i < 0 {
		i = len(t.raw) + len(t.more)
		t.more = append(t.more, s...)
	}
	t.at = append(t.at, int32(i))
	return s
}

func (t *texts) take(s string) string {
	i := int(t.at[t.next])
	t.next++
	return t.all[i : i+len(s)]
}
