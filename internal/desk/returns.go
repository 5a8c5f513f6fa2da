package desk

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/tuning"
	"tocsin/internal/vault"
)

// The watch for a return: what an incident's attacker left is looked for in each line during fourteen days after it was closed as a true alarm (package tuning says what is never
// watched). To begin one is a debt of the bell, so a crash between the closing and the watch loses neither. When a sign comes back, that stands in the
// ledger in the same batch as the reopening.

// returns holds the watches as they are looked up.
type returns struct {
	building sync.Mutex
	set      atomic.Pointer[tuning.Set]

	mu     sync.Mutex // of what follows; nothing is asked while it is held
	faults map[int64]returnFault
	unread []int64   // watches of which the values could not be read when the set was built
	relist time.Time // when the set is built anew because of these
}

// A returnFault is why an incident is not watched for its return, or not for all of it.
type returnFault struct {
	closed time.Time // when it was closed
	tries  int
	next   time.Time // when it is tried again; zero: it is watched for, but for what could not be read
	why    string
}

// returnAfter is how long after it failed a watch is begun again, for the first time, the second, and so on; then each hour.
func returnAfter(tries int) time.Duration {
	after := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}
	if tries <= len(after) {
		return after[tries-1]
	}
	return time.Hour
}

// readTries is how often it is tried to read all that an incident left, before the rest is watched for without it.
const readTries = 3

// ReturnFault says in a sentence what is wrong with the watch for the return of an incident; watch is the one that stands, 0 of none. "" is nothing.
func (d *Desk) ReturnFault(id, watch int64) string {
	r := &d.returns
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.faults[id]
	switch {
	case watch != 0 && slices.Contains(r.unread, watch):
		return "What is to be watched for cannot be read from the vault, so it is not found if it comes back; it is tried again each minute. Run tocsin doctor on the server."
	case f.why == "":
		return ""
	case f.next.IsZero():
		return "Not all that it left is watched for: " + f.why + "."
	}
	return "Its return is not watched for yet: " + f.why + ". It is tried again at " + f.next.UTC().Format("15:04 MST") + "."
}

// unwatched notes which incidents were closed as true alarms and are not watched for yet.
func (s *State) unwatched(e entry.Entry) error {
	switch e.Kind {
	case entry.IncidentClosed:
		x, err := entry.Body[entry.Closed](e)
		if e.Time.Sub(s.forgot) > 24*time.Hour { // what left nothing to watch for stands here until its time is over
			s.forgot = e.Time
			maps.DeleteFunc(s.Unwatched, func(_ int64, at time.Time) bool { return e.Time.Sub(at) >= tuning.ReturnSpan })
		}
		if x.Verdict == "true" {
			s.Unwatched[x.ID] = e.Time
		}
		return err
	case entry.IncidentReopened:
		x, err := entry.Body[entry.Reopened](e)
		delete(s.Unwatched, x.ID)
		return err
	case entry.RecurrenceBegun:
		x, err := entry.Body[entry.Recurrence](e)
		delete(s.Unwatched, x.Incident)
		return err
	}
	return nil
}

// settleReturns begins the watches that are owed.
func (d *Desk) settleReturns(now time.Time) {
	type owed struct {
		id     int64
		at     time.Time
		alerts []string // vault objects
		hashes []string
		places []string // vault objects: where foreign code is from
	}
	var all []owed
	d.rereadReturns(now)
	d.Read(func(s *State) {
		d.returns.forget(s, now)
		maps.DeleteFunc(d.nothingLeft, func(id int64, at time.Time) bool { return !s.Unwatched[id].Equal(at) })
		for id, at := range s.Unwatched {
			i, err := s.Incidents.Get(id)
			if err != nil || i.Sample || now.Sub(at) >= tuning.ReturnSpan || d.nothingLeft[id].Equal(at) || now.Before(d.returns.fault(id, at).next) {
				continue
			}
			x := owed{id: id, at: at}
			for _, m := range s.Incidents.Family(id) {
				j, err := s.Incidents.Get(m)
				if err != nil {
					continue
				}
				for _, a := range j.Alerts[max(0, len(j.Alerts)-alertsAsked):] {
					if a := s.Incidents.Alerts[a]; a != nil && a.Vault != "" && incident.Rank(a.Level) > 0 {
						x.alerts = append(x.alerts, a.Vault)
					}
				}
				for _, f := range j.Command().Files {
					if f.Kind == "code" {
						x.hashes, x.places = append(x.hashes, f.SHA256), append(x.places, f.From)
					}
				}
			}
			all = append(all, x)
		}
	})
	slices.SortFunc(all, func(a, b owed) int { return int(a.id - b.id) })
	for _, x := range all {
		f := d.returns.fault(x.id, x.at)
		trails, lost, err := d.trails(x.alerts, x.hashes)
		if err == nil && lost > 0 && f.tries < readTries {
			err = unreadAlerts(lost)
		}
		w := tuning.Recurrence(x.id, append(trails, d.placeTrails(x.places)...), x.at)
		if err == nil {
			err = d.beginWatch(w)
		}
		if errors.Is(err, ErrBroken) {
			return
		}
		f.tries, f.next, f.why = f.tries+1, time.Time{}, ""
		switch {
		case err != nil:
			f.next, f.why = now.Add(returnAfter(f.tries)), err.Error()
			d.log.Error("an incident is not watched for its return; it is tried again", "incident", x.id, "again", f.next, "error", err)
		case lost > 0:
			f.why = unreadAlerts(lost).Error()
			d.log.Error("an incident is watched for its return, but not for all that it left", "incident", x.id, "because", f.why)
		}
		d.returns.note(x.id, f)
		if err == nil && len(w.Values) == 0 {
			d.nothingLeft[x.id] = x.at
		}
	}
}

func unreadAlerts(n int) error {
	return fmt.Errorf("the details of %d of its alerts cannot be read from the vault", n)
}

// fault is what is known of the watch for an incident that was closed at a time.
func (r *returns) fault(id int64, closed time.Time) returnFault {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.faults[id]; ok && f.closed.Equal(closed) {
		return f
	}
	return returnFault{closed: closed}
}

func (r *returns) note(id int64, f returnFault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.why == "" {
		delete(r.faults, id)
		return
	}
	if r.faults == nil {
		r.faults = map[int64]returnFault{}
	}
	r.faults[id] = f
}

// forget drops what is over: the incident is open again, or its watch has ended.
func (r *returns) forget(s *State, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.faults, func(id int64, f returnFault) bool {
		return !s.Unwatched[id].Equal(f.closed) && s.Returns.Of(id, now) == nil || now.Sub(f.closed) >= tuning.ReturnSpan
	})
}

// rereadReturns builds the set anew while something that is watched for could not be read.
func (d *Desk) rereadReturns(now time.Time) {
	r := &d.returns
	r.mu.Lock()
	due := len(r.unread) > 0 && !now.Before(r.relist)
	r.mu.Unlock()
	if due {
		d.relistReturns()
	}
}

func (d *Desk) beginWatch(w tuning.Watch) error {
	if len(w.Values) == 0 {
		return nil
	}
	ref, err := d.toVault(listBatch{Values: w.Values})
	if err != nil {
		return err
	}
	err = d.write(func(s *State, now time.Time) ([]entry.Draft, error) { return one(s.Returns.Begin("desk", w, ref, now)) })
	if err == nil {
		d.relistReturns()
	}
	return err
}

// trails are what alerts and attachments of an incident name; lost is of how many alerts that cannot be read. Of one whose details were erased nothing is to be known.
func (d *Desk) trails(alerts, hashes []string) (out []tuning.Trail, lost int, err error) {
	for _, h := range hashes {
		out = append(out, tuning.Trail{Kind: tuning.Hash, Text: h, Seen: 1})
	}
	parser, err := intake.New(intake.Options{Geo: d.o.Geo, Trusted: d.o.Trusted, Zone: d.o.Zone, Maps: d.o.Maps})
	if err != nil {
		return out, 0, fmt.Errorf("making a parser for its lines: %w", err)
	}
	for _, ref := range alerts {
		a, err := d.Details(ref)
		if err != nil {
			if !errors.Is(err, vault.ErrErased) {
				lost++
			}
			continue
		}
		for _, p := range a.Sources {
			out = append(out, tuning.Trail{Kind: tuning.Address, Text: p.Name, Victim: p.Role != detect.Suspect, Own: p.Own, Shared: p.Shared, Seen: int(p.Count)})
		}
		for _, p := range a.Accounts {
			out = append(out, tuning.Trail{Kind: tuning.Account, Text: p.Name, Victim: p.Role != detect.Suspect, Seen: int(p.Count)})
		}
		if a.Impact == detect.Attempt {
			continue // what was only tried for is asked for by every scanner
		}
		for _, line := range a.Samples {
			file := ""
			if len(a.Logs) > 0 {
				file = a.Logs[0]
			}
			r := parser.Parse(record.Line{File: file, Raw: line}, a.Last)
			for _, text := range []string{r.Text(record.FilePath), r.Text(record.URLPath)} {
				if runs(text) {
					out = append(out, tuning.Trail{Kind: tuning.Path, Text: text, Seen: 1})
				}
			}
		}
	}
	return out, lost, nil
}

// runs reports whether a path names a program: what a page of the shop is called says nothing of an attacker.
func runs(text string) bool {
	return slices.Contains([]string{".php", ".phtml", ".phar", ".php5", ".php7", ".jsp", ".jspx", ".asp", ".aspx", ".cgi", ".pl", ".sh", ".py", ".exe", ".so"}, path.Ext(text))
}

// relistReturns builds what is looked up anew.
func (d *Desk) relistReturns() {
	d.returns.building.Lock()
	defer d.returns.building.Unlock()
	var book tuning.Recurrences
	d.Read(func(s *State) {
		for _, r := range s.Returns.All {
			x := *r
			book.All = append(book.All, &x)
		}
	})
	list, lost := book.Listers(time.Now(), func(ref string) ([]tuning.Listed, error) {
		var x listBatch
		err := d.fromVault(ref, &x)
		return x.Values, err
	})
	if len(lost) > 0 {
		d.log.Error("what is watched for after incidents cannot be read; it is tried again in a minute", "watches", lost)
	}
	d.returns.mu.Lock()
	d.returns.unread, d.returns.relist = lost, time.Now().Add(time.Minute)
	d.returns.mu.Unlock()
	d.returns.set.Store(tuning.NewSet(list))
}

// A comeback is a value of a closed incident that a line has.
type comeback struct {
	hit  tuning.Hit
	text string
	at   time.Time
	seq  int64
}

// comebacks looks a record up among what is watched for after incidents.
func comebacks(set *tuning.Set, rec *record.Record, seq int64) (out []comeback) {
	if set == nil || rec.Class != record.Parsed || rec.Time.IsZero() {
		return nil
	}
	take := func(text string, h tuning.Hit, found bool) {
		if found {
			out = append(out, comeback{h, text, rec.Time, seq})
		}
	}
	for _, f := range [...]record.Field{record.SourceIP, record.ForwardedIP, record.DestinationIP} {
		text := rec.Text(f)
		h, found := set.Address(text, rec.Time)
		take(text, h, found)
	}
	if set.Has(tuning.Account) {
		for _, f := range [...]record.Field{record.UserName, record.UserEffective} {
			text := rec.Text(f)
			h, found := set.Text(tuning.Account, text, rec.Time)
			take(text, h, found)
		}
	}
	if set.Has(tuning.Hash) {
		for _, p := range rec.Extra {
			if n := len(p.Value.Text); n == 32 || n == 40 || n == 64 || n == 128 {
				h, found := set.Text(tuning.Hash, p.Value.Text, rec.Time)
				take(p.Value.Text, h, found)
			}
		}
	}
	if set.Has(tuning.Path) {
		for _, f := range [...]record.Field{record.FilePath, record.URLPath} {
			text := tuning.PathKey(rec.Text(f))
			h, found := set.Text(tuning.Path, text, rec.Time)
			take(text, h, found)
		}
	}
	return out
}

// returned writes down what came back, and opens its incidents again in the same batch. What is known already decides nothing.
func (d *Desk) returned(all []comeback) error {
	for _, x := range all {
		sign := entry.RecurrenceSign{ID: x.hit.List, Kind: string(x.hit.Kind), Value: d.vault.Hash("returned", string(x.hit.Kind)+" "+x.text), At: x.at}
		news, why := false, ""
		d.Read(func(s *State) {
			_, _, w, ok := s.Returns.Sign(sign, time.Now())
			news, why = ok, w+" It is "+strconv.Quote(x.text)+"."
		})
		if !news {
			continue
		}
		texts, err := d.texts(x.text, why)
		if err != nil {
			return err
		}
		sign.Vault = texts[0]
		err = d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
			draft, again, _, ok := s.Returns.Sign(sign, now)
			if !ok {
				return nil, nil
			}
			out := []entry.Draft{draft}
			if again == 0 {
				return out, nil
			}
			reopen, err := s.Incidents.Reopen("detect", s.Incidents.Root(again), texts[1])
			if err == nil {
				out = append(out, reopen)
			}
			return out, nil // what it is part of may be open: the sign stands all the same
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ExtendWatch lets the watch for the return of an incident go on until a later time.
func (d *Desk) ExtendWatch(actor auth.Actor, id int64, until time.Time, why string) error {
	return d.onWatch(actor, id, why, func(s *State, watch int64, text string, now time.Time) (entry.Draft, error) {
		x, err := s.Returns.Extend(actor.Name, watch, until, text, now)
		if e, ok := errors.AsType[tuning.UntilError](err); ok {
			err = FieldError{"until", Title(e.Error()) + "."}
		}
		return x, err
	})
}

// EndWatch ends it before its time.
func (d *Desk) EndWatch(actor auth.Actor, id int64, why string) error {
	return d.onWatch(actor, id, why, func(s *State, watch int64, text string, now time.Time) (entry.Draft, error) {
		return s.Returns.End(actor.Name, watch, text, now)
	})
}

func (d *Desk) onWatch(actor auth.Actor, id int64, why string, decide func(s *State, watch int64, text string, now time.Time) (entry.Draft, error)) error {
	err := d.wrote(actor, auth.Handle, id, []string{why}, func(s *State, now time.Time, _ string, texts []string) ([]entry.Draft, error) {
		r := s.Returns.Of(id, now)
		if r == nil {
			return nil, fmt.Errorf("incident %d is not watched for its return", id)
		}
		return one(decide(s, r.ID, texts[0], now))
	})
	if err == nil {
		d.relistReturns()
	}
	return err
}
