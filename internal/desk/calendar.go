package desk

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/rota"
)

// Calendar programs ask again and again, for years, and cannot sign in. So a link to a calendar carries its own proof: it is one person's, for one
// schedule or for their own duties, and works until they renew their links or leave the team. Its token, as base64url (RFC 4648 section 5)
// without padding:
//
//	version 1 | Calendars of the person, 8 bytes big endian | person | 0 | schedule, or nothing | HMAC-SHA256 of all before, 32
const (
	calendarVersion = 1
	maxCalendar     = 400 // bytes of a token
	calendarRefresh = time.Hour
	calendarBack    = 31 * 24 * time.Hour // told of the past
	calendarAhead   = 92 * 24 * time.Hour // and of what comes
)

// ErrCalendar is all that is said of a link that opens nothing.
var ErrCalendar = errors.New("this link opens no calendar: copy it again from the page On call")

// calendarMAC proves a token. Its key signs nothing else.
func (d *Desk) calendarMAC(content []byte) []byte {
	m := hmac.New(sha256.New, []byte(d.vault.Hash("calendar links", "key 1")))
	m.Write([]byte("tocsin calendar link\x00"))
	m.Write(content)
	return m.Sum(nil)
}

// CalendarLink returns the link to a calendar for a person: of a schedule, or ("") of their own duties.
func (d *Desk) CalendarLink(actor auth.Actor, schedule string) (link string, err error) {
	if err := auth.May(actor, auth.Ring); err != nil {
		return "", err
	}
	if actor.ID == "" {
		return "", errors.New("a calendar link is of a person: sign in to the console")
	}
	d.Read(func(s *State) {
		if schedule != "" {
			_, err = s.Rota.Get(schedule)
		}
		link = d.calendarLink(actor.ID, schedule, s.Calendars[actor.ID])
	})
	return link, err
}

func (d *Desk) calendarLink(person, schedule string, renewed int64) string {
	b := append(binary.BigEndian.AppendUint64([]byte{calendarVersion}, uint64(renewed)), person+"\x00"+schedule...)
	return d.o.URL + "/calendar/" + base64.RawURLEncoding.EncodeToString(append(b, d.calendarMAC(b)...)) + ".ics"
}

// RenewCalendars makes every calendar link worthless that a person has so far.
func (d *Desk) RenewCalendars(actor auth.Actor, person string) error {
	if err := mayCover(actor, person); err != nil {
		return err
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		if _, ok := s.Plan.People[person]; !ok {
			return nil, fmt.Errorf("nobody on the team has the id %.40q", person)
		}
		return []entry.Draft{{Actor: actor.Name, Kind: entry.CalendarRenewed, Subject: "person:" + person, Body: entry.Calendar{Person: person}}}, nil
	})
}

// OpenCalendar returns the calendar that a token opens, without a sign-in. Errors: ErrCalendar for whatever is wrong with it; MACs are compared
// in constant time, and before anything else is looked at.
func (d *Desk) OpenCalendar(token string, now time.Time) ([]byte, error) {
	const head = 1 + 8
	if token = strings.TrimSuffix(token, ".ics"); len(token) > maxCalendar {
		return nil, ErrCalendar
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < head+1+sha256.Size || strings.ContainsAny(token, "\r\n") {
		return nil, ErrCalendar
	}
	content, mac := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if !hmac.Equal(mac, d.calendarMAC(content)) || content[0] != calendarVersion {
		return nil, ErrCalendar
	}
	person, schedule, whole := strings.Cut(string(content[head:]), "\x00")
	honoured := false
	d.Read(func(s *State) {
		p, ok := s.Plan.People[person]
		honoured = ok && !p.Gone && auth.May(Actor(p), auth.Ring) == nil && binary.BigEndian.Uint64(content[1:head]) == uint64(s.Calendars[person])
	})
	if !whole || !honoured {
		return nil, ErrCalendar
	}
	out, err := d.calendar(person, schedule, now)
	if errors.Is(err, rota.ErrUnknown) {
		return nil, ErrCalendar
	}
	return out, err
}

// Calendar returns the calendar of a schedule, for who is signed in; of "" their own duties.
func (d *Desk) Calendar(actor auth.Actor, schedule string, now time.Time) ([]byte, error) {
	if err := auth.May(actor, auth.See); err != nil {
		return nil, err
	}
	if schedule == "" && actor.ID == "" {
		return nil, errors.New("say of which schedule, or whose duties")
	}
	return d.calendar(actor.ID, schedule, now)
}

// calendar writes a schedule's shifts and gaps, or a person's own duties, in which nobody else is named.
func (d *Desk) calendar(person, schedule string, now time.Time) ([]byte, error) {
	from, until := now.Add(-calendarBack), now.Add(calendarAhead)
	f := rota.Feed{Origin: d.origin(), Refresh: calendarRefresh}
	var shifts []rota.Shift
	vaults, people := map[string]string{}, map[string]string{}
	var err error
	d.Read(func(s *State) {
		f.Sequence, f.Stamp = s.Rota.Changed()
		if schedule != "" {
			shifts, err = s.Rota.Whole(schedule, from, until)
		} else {
			shifts, err = s.Rota.Duties(person, from, until)
		}
		for _, x := range shifts {
			if k, missing := s.Rota.Get(x.Schedule); missing == nil {
				vaults[x.Schedule] = k.Vault
			}
			people[x.Person] = s.Plan.People[x.Person].Vault
		}
		if k, missing := s.Rota.Get(schedule); missing == nil {
			vaults[schedule] = k.Vault
		}
	})
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for id, vault := range vaults {
		names[id] = d.ScheduleText(id, vault).Name
	}
	f.Name = "On call: " + cmp.Or(names[schedule], "my duties")
	f.Words = func(x rota.Shift) (string, string) {
		switch {
		case schedule == "":
			return "On call: " + names[x.Schedule], "Until " + x.Until.UTC().Format("Mon 2 Jan 15:04") + " UTC."
		case x.Person == "":
			return "NOBODY is on call: " + names[x.Schedule], "Calls go on to whom the policy names next. Ask somebody for an override."
		}
		return cmp.Or(d.People.Get(people[x.Person]).Name, x.Person) + ": " + names[x.Schedule], Reason(&x)
	}
	return f.Calendar(shifts), nil
}

// Reason says in a few words why somebody is on call; it names nobody else.
func Reason(x *rota.Shift) string {
	switch {
	case x.By == rota.ByOverride && x.Instead != "":
		return "An override, number " + x.ID + ", instead of somebody."
	case x.By == rota.ByOverride:
		return "An override, number " + x.ID + "."
	case x.By == rota.ByHoliday:
		return "The holiday " + x.ID + "."
	case x.By == rota.ByLayer && x.Holiday != "":
		return "Their turn in " + x.ID + ", on the holiday " + x.Holiday + "."
	case x.By == rota.ByLayer && len(x.Passed) > 0:
		return "Their turn in " + x.ID + ", because somebody is away."
	case x.By == rota.ByLayer:
		return "Their turn in " + x.ID + "."
	}
	return "Nobody."
}
