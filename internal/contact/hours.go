package contact

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Hours are when somebody can be reached, in their own time zone. The zero Hours are not known.
type Hours struct {
	Always bool
	Spans  []Span
}

// A Span is a time of some days of the week, in minutes from midnight. Until at or before From is on the next day.
type Span struct {
	Days        [7]bool // from Sunday, as time.Weekday
	From, Until int
}

var (
	weekdays  = [7]string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}
	hoursForm = regexp.MustCompile(`^(?:([A-Za-z,\- ]+?)\s+)?([0-2]?[0-9])[:.]([0-5][0-9])\s*[-\x{2013}]\s*([0-2]?[0-9])[:.]([0-5][0-9])$`)
)

// maxSpans is how many times one contact may name.
const maxSpans = 14

// ParseHours reads "24/7", or times of days parted by semicolons: "Mo-Fr 08:00-18:00; Sa,Su 10:00-14:00". Without days it is every day;
// 24:00 is the end of a day; a time that ends before it begins ends on the next day. The words of days are those of OpenStreetMap, German
// ones (Mo Di Mi Do Fr Sa So) are read, too. Errors are sentences for people.
func ParseHours(s string) (Hours, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return Hours{}, nil
	case s == "24/7":
		return Hours{Always: true}, nil
	}
	var h Hours
	for part := range strings.SplitSeq(s, ";") {
		m := hoursForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return Hours{}, sentence("The hours %q cannot be read; write 24/7, or days and times as Mo-Fr 08:00-18:00; Sa 10:00-14:00.", strings.TrimSpace(part))
		}
		days, err := parseDays(m[1])
		if err != nil {
			return Hours{}, err
		}
		x := Span{Days: days, From: minutesOf(m[2], m[3]), Until: minutesOf(m[4], m[5])}
		if x.From >= 24*60 || x.Until > 24*60 {
			return Hours{}, sentence("The hours %q name a time that no day has.", strings.TrimSpace(part))
		}
		if x.From == x.Until {
			return Hours{}, sentence("The hours %q begin and end at once; write 00:00-24:00 for a whole day.", strings.TrimSpace(part))
		}
		h.Spans = append(h.Spans, x)
	}
	if len(h.Spans) > maxSpans {
		return Hours{}, sentence("The hours have more than %d times.", maxSpans)
	}
	return h, nil
}

func minutesOf(hour, minute string) int {
	n := 0
	for _, r := range hour {
		n = n*10 + int(r-'0')
	}
	return n*60 + int(minute[0]-'0')*10 + int(minute[1]-'0')
}

func dayOf(word string) int {
	word = strings.ToLower(word)
	for i, names := range [7][]string{{"su", "so", "sun"}, {"mo", "mon"}, {"tu", "di", "tue"}, {"we", "mi", "wed"}, {"th", "do", "thu"}, {"fr", "fri"}, {"sa", "sat"}} {
		if slices.Contains(names, word) {
			return i
		}
	}
	return -1
}

func parseDays(s string) (days [7]bool, err error) {
	if strings.TrimSpace(s) == "" {
		return [7]bool{true, true, true, true, true, true, true}, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, span := strings.Cut(part, "-")
		from := dayOf(strings.TrimSpace(first))
		until := from
		if span {
			until = dayOf(strings.TrimSpace(last))
		}
		if from < 0 || until < 0 {
			return days, sentence("The hours name the day %q; known: Mo, Tu, We, Th, Fr, Sa, Su.", strings.TrimSpace(part))
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == until {
				break
			}
		}
	}
	return days, nil
}

// String writes hours as ParseHours reads them.
func (h Hours) String() string {
	if h.Always {
		return "24/7"
	}
	var parts []string
	for _, x := range h.Spans {
		t := fmt.Sprintf("%02d:%02d-%02d:%02d", x.From/60, x.From%60, x.Until/60, x.Until%60)
		if d := daysText(x.Days); d != "" {
			t = d + " " + t
		}
		parts = append(parts, t)
	}
	return strings.Join(parts, "; ")
}

// daysText is "" for every day; runs of three and more days have a dash.
func daysText(days [7]bool) string {
	week := []int{1, 2, 3, 4, 5, 6, 0}
	var parts []string
	all := true
	for i := 0; i < 7; {
		if !days[week[i]] {
			all = false
			i++
			continue
		}
		j := i
		for j+1 < 7 && days[week[j+1]] {
			j++
		}
		switch j - i {
		case 0:
			parts = append(parts, weekdays[week[i]])
		case 1:
			parts = append(parts, weekdays[week[i]], weekdays[week[j]])
		default:
			parts = append(parts, weekdays[week[i]]+"-"+weekdays[week[j]])
		}
		i = j + 1
	}
	if all {
		return ""
	}
	return strings.Join(parts, ",")
}

// Open reports whether somebody can be reached at a time; known is false when the hours are not known. zone is theirs.
func (h Hours) Open(now time.Time, zone *time.Location) (open, known bool) {
	if h.Always {
		return true, true
	}
	local := now.In(zone)
	today, minute := int(local.Weekday()), local.Hour()*60+local.Minute()
	for _, x := range h.Spans {
		until := x.Until
		if until <= x.From {
			until += 24 * 60
		}
		if x.Days[today] && minute >= x.From && minute < until || x.Days[(today+6)%7] && minute+24*60 < until {
			return true, true
		}
	}
	return false, len(h.Spans) > 0
}
