package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// words says what is not normal about the record that is stepped through, in words for people; "" when nothing is. It is asked
// before the record is learnt.
func (h *habits) words() string {
	v := &h.now
	var out []string
	add := func(s string) {
		if s != "" {
			out = append(out, s)
		}
	}
	switch v.deed {
	case signedIn:
		x := h.find(v.who)
		if x == nil {
			x = &habit{}
		}
		add(v.countryWords(x))
		add(v.realmWords(h.find(account{"", v.who.realm})))
		add(v.networkWords(x))
		add(v.deviceWords(x))
		add(v.hourWords(x, h.zone))
		add(v.travelWords(x))
	case shifted:
		for i := range v.volumes {
			add(v.volumes[i].words(v.whoWords()))
		}
	}
	return strings.Join(out, "; ")
}

// whoWords is "anna (ssh)". The name is as the log wrote it: a screen escapes it.
func (v *verdict) whoWords() string {
	if v.who.realm == "" {
		return cut(v.who.name, 64)
	}
	return cut(v.who.name, 64) + " (" + v.who.realm + ")"
}

func times(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (v *verdict) countryWords(x *habit) string {
	switch v.country {
	case "new":
		return "first sign-in of " + v.whoWords() + " from " + CountryName(v.stay.Country) + "; " + countryCounts(x.Countries, v.day)
	case "rare":
		s := among(x.Countries, v.stay.Country, v.day)
		return fmt.Sprintf("%s was in %s only %s before, last %s ago; %s", v.whoWords(), CountryName(v.stay.Country), times(s.N, "time", "times"),
			times(int64(max(v.day-s.Last, 0)), "day", "days"), countryCounts(x.Countries, v.day))
	}
	return ""
}

// countryCounts is "41 from Germany and 2 from Austria in 30 days".
func countryCounts(all []seen, day int32) string {
	type counted struct {
		code string
		n    int
	}
	var list []counted
	old := 0
	for i := range all {
		s := &all[i]
		switch n := s.within(day); {
		case day-s.Last > forgetDays:
		case n == 0:
			old++
		default:
			list = append(list, counted{s.Key, n})
		}
	}
	slices.SortStableFunc(list, func(a, b counted) int { return b.n - a.n })
	var parts []string
	for _, c := range list[:min(len(list), 3)] {
		parts = append(parts, fmt.Sprintf("%d from %s", c.n, CountryName(c.code)))
	}
	if n := len(list) - 3; n > 0 {
		parts = append(parts, times(int64(n), "other country", "other countries"))
	}
	text := "none in 30 days"
	if len(parts) > 0 {
		text = joined(parts) + " in 30 days"
	}
	if old > 0 {
		text += ", " + times(int64(old), "country", "countries") + " before"
	}
	return text
}

// joined is "a, b and c".
func joined(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func (v *verdict) realmWords(all *habit) string {
	if v.realmCountry != "new" || all == nil {
		return ""
	}
	if v.country == "new" {
		return "nobody else signed in to " + v.who.realm + " from there either"
	}
	return "first sign-in of anybody to " + v.who.realm + " from " + CountryName(v.stay.Country) + ", by " + v.whoWords() + "; " + countryCounts(all.Countries, v.day)
}

func (v *verdict) networkWords(x *habit) string {
	if v.network != "new" || v.country == "new" && v.as == "" { // of a new country every network is new
		return ""
	}
	name := v.stay.Network
	if v.as != "" {
		name += " (" + strings.TrimSpace(v.as+" "+cut(v.asName, 64)) + ")"
	}
	others := int64(0)
	for i := range x.Networks {
		if s := &x.Networks[i]; v.day-s.Last <= forgetDays && !strings.HasPrefix(s.Key, "AS") {
			others++
		}
	}
	return "its network " + name + " is new, " + times(others, "other is", "others are") + " known"
}

func (v *verdict) deviceWords(x *habit) string {
	if v.device != "new" {
		return ""
	}
	usual := ""
	most := int64(0)
	for _, s := range x.Devices {
		if s.N > most {
			usual, most = s.Key, s.N
		}
	}
	return "never before with " + v.agent + ", mostly with " + usual
}

func (v *verdict) hourWords(x *habit, zone *time.Location) string {
	if v.hourly != "new" && v.hourly != "rare" {
		return ""
	}
	from, to := x.wakes()
	return fmt.Sprintf("at %s, while nine of ten sign-ins are between %02d:00 and %02d:00", fromNano(v.at).In(zone).Format("15:04"), from, to)
}

// wakes is the shortest span of hours in which nine of ten sign-ins lie; to is the hour after the last one.
func (x *habit) wakes() (from, to int) {
	all := float64(x.hours())
	best := 25
	for i := range x.Hours {
		sum := 0.0
		for n := 1; n <= 24; n++ {
			sum += float64(x.Hours[(i+n-1)%24])
			if sum >= 0.9*all {
				if n < best {
					from, best = i, n
				}
				break
			}
		}
	}
	return from, (from + min(best, 24)) % 24
}

func (v *verdict) travelWords(x *habit) string {
	if v.travelled != "impossible" && v.travelled != "fast" {
		return ""
	}
	place := CountryName(x.Place.Country)
	if place == "" {
		place = "elsewhere"
	}
	says := fmt.Sprintf("%s after a sign-in from %s, at least %s km away", spanWords(v.took), place, thousands(int64(math.Round(v.km))))
	if x.Place.Point && v.stay.Point {
		says = strings.Replace(says, "at least", "some", 1)
	}
	return says + ": " + thousands(int64(v.speed)) + " km/h"
}

func spanWords(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return times(int64(d.Round(time.Minute)/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return times(int64(d.Round(time.Hour)/time.Hour), "hour", "hours")
	}
	return times(int64(d/(24*time.Hour)), "day", "days")
}

// thousands is "12,400".
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func sizeWords(n float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1 << 40, "TB"}, {1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.3g %s", n/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.0f bytes", n)
}

func (v *volume) words(who string) string {
	if v.standing != "far above" && v.standing != "above" {
		return ""
	}
	what := map[string]string{"download": "fetched", "upload": "sent", "export": "exported", "session": "fetched"}[v.what]
	span, past := "on this day", "days"
	if v.what == "session" {
		span, past = "in this session", "sessions"
	}
	if float64(v.now.Bytes) > v.bytes.above {
		return fmt.Sprintf("%s %s %s %s so far; in %s before the median was %s, and one in twenty had more than %s",
			who, what, sizeWords(float64(v.now.Bytes)), span, times(int64(v.bytes.n), past, past), sizeWords(v.bytes.median), sizeWords(v.bytes.p95))
	}
	return fmt.Sprintf("%s %s %s files %s so far; in %s before the median was %.0f, and one in twenty had more than %.0f",
		who, what, thousands(v.now.Files), span, times(int64(v.files.n), past, past), v.files.median, v.files.p95)
}
