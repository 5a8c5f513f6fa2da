package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

// Bounds of what an agent says of its host.
const (
	maxState  = 1 << 20 // bytes of it as JSON
	maxList   = 2000    // of each list in it
	maxText   = 4096    // bytes of a name, path, version
	maxWhy    = 1000    // bytes of a reason
	maxOffset = 200 * 365 * 24 * time.Hour
	maxAhead  = 24 * time.Hour // that a time may be later than ours
)

// A list reads no more than maxList of what an array in JSON holds: one of 1 MiB of empty objects takes no more memory than that.
type list[T any] []T

// UnmarshalJSON reads an array of JSON, or null. Its text is valid JSON: the package json saw to that.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = (*l)[:0] // the same name may come again and again
	d := json.NewDecoder(bytes.NewReader(b))
	switch t, err := d.Token(); {
	case err != nil:
		return err
	case t == nil:
		return nil
	case t != json.Delim('['):
		return errors.New("a list is expected")
	}
	for d.More() && len(*l) < maxList {
		var x T
		if err := d.Decode(&x); err != nil {
			return err
		}
		*l = append(*l, x)
	}
	return nil
}

// told is a record.Host as it is read: its lists stand before those of the same name within.
type told struct {
	record.Host
	Updates struct {
		record.Updates
		Security list[string] `json:"security"`
	} `json:"updates"`
	Ports    list[record.Port]     `json:"ports"`
	Software list[record.Software] `json:"software"`
	Disks    list[record.Disk]     `json:"disks"`
	Sources  list[record.Feed]     `json:"sources"`
	Gaps     list[record.Gap]      `json:"gaps"`
}

// readHost reads what an agent says of its host, and brings all of it into bounds: nothing after this asks whether a time can be written, or how
// long a text is. Times are in UTC, from 1970 to a day after now; others are zero. Texts are valid UTF-8.
func readHost(b []byte, now time.Time) (record.Host, error) {
	var t told
	if err := json.Unmarshal(b, &t); err != nil {
		return record.Host{}, err
	}
	h := t.Host
	h.Updates = t.Updates.Updates
	h.Updates.Security = slices.Clone([]string(t.Updates.Security)) // the list's memory may be larger
	h.Ports, h.Software, h.Disks = slices.Clone([]record.Port(t.Ports)), slices.Clone([]record.Software(t.Software)), slices.Clone([]record.Disk(t.Disks))
	h.Sources, h.Gaps = slices.Clone([]record.Feed(t.Sources)), slices.Clone([]record.Gap(t.Gaps))
	bounds{now}.host(&h)
	return h, nil
}

// bounds brings values into what they may be.
type bounds struct{ now time.Time }

func (b bounds) host(h *record.Host) {
	b.times(&h.At, &h.Booted, &h.Spool.Full)
	texts(maxText, &h.Version, &h.System, &h.Kernel, &h.Arch)
	texts(maxWhy, &h.Updates.Why)
	h.Clock.Offset = min(max(h.Clock.Offset, -maxOffset), maxOffset)
	h.Clock.Within = min(max(h.Clock.Within, 0), maxOffset)
	h.Updates.All = max(h.Updates.All, 0)
	counts(&h.Spool.Bytes, &h.Spool.Limit, &h.Spool.Batches, &h.Head)
	for i := range h.Updates.Security {
		texts(maxText, &h.Updates.Security[i])
	}
	for i := range h.Ports {
		x := &h.Ports[i]
		texts(maxText, &x.Protocol, &x.Address, &x.Program)
		x.Port = min(max(x.Port, 0), 65535)
	}
	for i := range h.Software {
		x := &h.Software[i]
		texts(maxText, &x.Kind, &x.Name, &x.Version, &x.Path)
	}
	for i := range h.Disks {
		texts(maxText, &h.Disks[i].Path)
	}
	for i := range h.Sources {
		x := &h.Sources[i]
		texts(maxText, &x.Path, &x.Pattern, &x.State)
		texts(maxWhy, &x.Why)
		b.times(&x.Last)
		counts(&x.Lines, &x.Lag)
		x.Gaps = max(x.Gaps, 0)
	}
	for i := range h.Gaps {
		x := &h.Gaps[i]
		texts(maxText, &x.File, &x.Print)
		texts(maxWhy, &x.Why)
		b.times(&x.Since, &x.Until)
		counts(&x.From, &x.To)
	}
}

// times makes zero what is before 1970 or too far ahead. A year that JSON cannot write is among them.
func (b bounds) times(all ...*time.Time) {
	for _, t := range all {
		if t.Before(time.Unix(0, 0)) || t.After(b.now.Add(maxAhead)) {
			*t = time.Time{}
		}
		*t = t.UTC()
	}
}

// texts cuts texts, between two letters, and lets the rest of their memory go.
func texts(most int, all ...*string) {
	for _, s := range all {
		if len(*s) > most {
			*s = strings.Clone(strings.ToValidUTF8((*s)[:most], ""))
		}
		*s = strings.ToValidUTF8(*s, "\ufffd")
	}
}

func counts(all ...*int64) {
	for _, n := range all {
		*n = max(*n, 0)
	}
}
