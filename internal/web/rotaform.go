package web

import (
	"fmt"
	"strconv"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/rota"
	"tocsin/ui"
)

// layersTyped is how many layers a form is read for; as many as a schedule can have.
const layersTyped = 16

// listOf reads names apart by commas, blanks or lines.
func listOf(t string) []string {
	return strings.FieldsFunc(t, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\t' })
}

// typedSchedule reads the form of a schedule. A layer without a name is left out.
func typedSchedule(v *visit, id string) (x entry.Schedule, words desk.ScheduleText, err error) {
	x = entry.Schedule{ID: id, Zone: text(v.r, "zone")}
	words = desk.ScheduleText{Name: text(v.r, "name"), For: text(v.r, "for"), Why: text(v.r, "why")}
	for n := 1; n <= layersTyped; n++ {
		get := func(field string) string { return text(v.r, fmt.Sprintf("%s.%d", field, n)) }
		wrong := func(field, says string) error {
			return desk.FieldError{Field: fmt.Sprintf("layer-%s-%d", field, n), Says: fmt.Sprintf("Layer %d: %s", n, says)}
		}
		if get("layer") == "" {
			if get("people") != "" {
				return x, words, wrong("id", "give it a name, such as nights.")
			}
			continue
		}
		l := entry.ScheduleLayer{ID: get("layer"), People: listOf(get("people")), Rotation: get("rotation"), At: get("at"), Start: get("start"), Absent: get("absent"), Spare: get("spare") != ""}
		if l.Rotation == rota.Weekly {
			l.Weekday = get("weekday")
		}
		if l.Rotation == rota.Days {
			if l.Days, err = strconv.Atoi(get("days")); err != nil {
				return x, words, wrong("days", "say how many days a turn has, as a number.")
			}
		}
		if l.Hours, err = parseWeekHours(get("hours")); err != nil {
			return x, words, wrong("hours", err.Error())
		}
		x.Layers = append(x.Layers, l)
	}
	x.Holidays, err = parseHolidays(text(v.r, "holidays"))
	return x, words, err
}

// parseWeekHours reads parts of the week, one a line: "mon tue wed 18:00-08:00".
func parseWeekHours(t string) (out []entry.ScheduleHours, err error) {
	for line := range strings.FieldsFuncSeq(t, func(r rune) bool { return r == '\n' || r == ';' }) {
		words := listOf(strings.ToLower(line))
		if len(words) == 0 {
			continue
		}
		from, until, ok := strings.Cut(words[len(words)-1], "-")
		if !ok || len(words) < 2 {
			return nil, fmt.Errorf("%.60q is no part of the week; write the days and a time, as mon tue wed 18:00-08:00", line)
		}
		out = append(out, entry.ScheduleHours{Days: words[:len(words)-1], From: from, Until: until})
	}
	return out, nil
}

func hoursText(list []entry.ScheduleHours) string {
	var lines []string
	for _, h := range list {
		lines = append(lines, strings.Join(h.Days, " ")+" "+h.From+"-"+h.Until)
	}
	return strings.Join(lines, "\n")
}

// parseHolidays reads holidays, one a line: "christmas 2026-12-24 2026-12-26 yearly at 09:00 layer:nights".
func parseHolidays(t string) (out []entry.ScheduleHoliday, err error) {
	n := 0
	for line := range strings.SplitSeq(t, "\n") {
		n++
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		h := entry.ScheduleHoliday{ID: words[0]}
		for k := 1; k < len(words); k++ {
			w := words[k]
			switch {
			case w == "yearly":
				h.Yearly = true
			case w == "at" && k+1 < len(words):
				k++
				h.At = words[k]
			case strings.HasPrefix(w, "layer:"):
				h.Layer = w[len("layer:"):]
			case strings.HasPrefix(w, "person:"):
				h.Person = w[len("person:"):]
			case h.From == "":
				h.From = w
			case h.Until == "":
				h.Until = w
			default:
				return nil, desk.FieldError{Field: "holidays", Says: fmt.Sprintf("Line %d of the holidays: %.40q is not understood.", n, w)}
			}
		}
		if h.Until == "" {
			h.Until = h.From
		}
		out = append(out, h)
	}
	return out, nil
}

func holidaysText(list []entry.ScheduleHoliday) string {
	var lines []string
	for _, h := range list {
		t := h.ID + " " + h.From + " " + h.Until
		if h.Yearly {
			t += " yearly"
		}
		if h.At != "" {
			t += " at " + h.At
		}
		if h.Layer != "" {
			t += " layer:" + h.Layer
		}
		if h.Person != "" {
			t += " person:" + h.Person
		}
		lines = append(lines, t)
	}
	return strings.Join(lines, "\n")
}

// rotaForm is the form of a schedule as it stands; nil is a new one.
func (s *Server) rotaForm(st *desk.State, k *rota.Schedule, words desk.ScheduleText) ui.RotaForm {
	f := ui.RotaForm{Action: "/oncall", Fresh: true, People: s.teamWords(st)}
	var layers []entry.ScheduleLayer
	if k != nil {
		f.Action, f.Fresh, f.ID, f.Name, f.For, f.Zone, f.Holidays = "/oncall/"+k.ID, false, k.ID, words.Name, words.For, k.Schedule.Zone, holidaysText(k.Holidays)
		layers = k.Layers
	}
	for _, l := range layers {
		x := layerForm(len(f.Layers)+1, l.Rotation, l.Weekday, l.Absent)
		x.ID, x.People, x.At, x.Start, x.Hours, x.Spare = l.ID, strings.Join(l.People, ", "), l.At, l.Start, hoursText(l.Hours), l.Spare
		if l.Days > 0 {
			x.Days = strconv.Itoa(l.Days)
		}
		f.Layers = append(f.Layers, x)
	}
	return s.oneMore(f)
}

// oneMore adds an empty layer, as long as there may be one.
func (s *Server) oneMore(f ui.RotaForm) ui.RotaForm {
	if n := len(f.Layers); n < layersTyped {
		x := layerForm(n+1, rota.Weekly, "mon", "")
		x.At = "09:00"
		f.Layers = append(f.Layers, x)
	}
	for i := range f.Layers {
		switch {
		case i == 0:
			f.Layers[i].Word = "The lowest layer"
		case i == len(f.Layers)-1 && f.Layers[i].ID == "":
			f.Layers[i].Word = "One more layer, above"
		default:
			f.Layers[i].Word = fmt.Sprintf("Layer %d, above", i+1)
		}
	}
	return f
}

func layerForm(n int, rotation, weekday, absent string) ui.LayerForm {
	return ui.LayerForm{N: n, Rotations: options(rotation, rota.Weekly, "by the week", rota.Daily, "by the day", rota.Days, "by days"),
		Weekdays: options(weekday, "mon", "Monday", "tue", "Tuesday", "wed", "Wednesday", "thu", "Thursday", "fri", "Friday", "sat", "Saturday", "sun", "Sunday"),
		Absent:   options(absent, "", "the next in order stands in", rota.LeaveGap, "leave a gap, so that somebody decides")}
}

// typedRota is the form with what was typed.
func (s *Server) typedRota(v *visit, st *desk.State, id string, fresh bool) ui.RotaForm {
	f := ui.RotaForm{Action: "/oncall", Fresh: fresh, Open: true, ID: id, Name: text(v.r, "name"), For: text(v.r, "for"), Why: text(v.r, "why"), Zone: text(v.r, "zone"), Holidays: text(v.r, "holidays"), People: s.teamWords(st)}
	if !fresh {
		f.Action = "/oncall/" + id
	}
	for n := 1; n <= layersTyped; n++ {
		get := func(field string) string { return text(v.r, fmt.Sprintf("%s.%d", field, n)) }
		if get("layer") == "" && get("people") == "" {
			continue
		}
		x := layerForm(len(f.Layers)+1, get("rotation"), get("weekday"), get("absent"))
		x.ID, x.People, x.Days, x.At, x.Start, x.Hours, x.Spare = get("layer"), get("people"), get("days"), get("at"), get("start"), get("hours"), get("spare") != ""
		f.Layers = append(f.Layers, x)
	}
	return s.oneMore(f)
}

// teamWords names everybody who can be in a schedule.
func (s *Server) teamWords(st *desk.State) string {
	var names []string
	for _, id := range staff(st) {
		names = append(names, fmt.Sprintf("%s (%s)", id, s.name(st, id)))
	}
	return strings.Join(names, ", ")
}
