package detect

import (
	"math"
	"slices"

	"tocsin/internal/record"
)

// teach takes in what was judged, after rules have seen the record.
func (d *Detector) teach(r *record.Record) {
	h := d.habits
	if h.now.deed != nothing && !h.now.again {
		h.newest = max(h.newest, h.now.at)
		h.learn()
	}
	h.upTo = max(h.upTo, r.Line.Seq)
}

func (h *habits) learn() {
	v := &h.now
	switch v.deed {
	case failed:
		h.doubts.failed(v.ip, v.at)
	case shifted:
		x := h.open(v.who, v.at)
		x.First, x.Last = min(x.First, v.at), max(x.Last, v.at)
		x.add(v.action, int64(v.day), v.at, v.bytes)
		if v.session != "" && v.action != "upload" {
			x.add("session", int64(textKey(v.session)), v.at, v.bytes)
		}
	case signedIn:
		x := h.open(v.who, v.at)
		if x.told(v) || !x.admits(v) {
			return
		}
		x.learn(v)
		if staffRealm(v.who.realm) {
			all := h.open(account{"", v.who.realm}, v.at)
			all.learn(&verdict{at: v.at, day: v.day, hour: v.hour, stay: stay{Country: v.stay.Country}})
		}
	}
}

// told reports whether another log told of the same sign-in: the shop and its plug-in, the FTP server and PAM.
func (x *habit) told(v *verdict) bool {
	if len(x.Networks) == 0 || away(v.at, x.SignedIn) > int64(toldTwice) {
		return false
	}
	s := among(x.Networks, v.stay.Network, v.day)
	return s != nil && s.Last == v.day
}

// odd reports whether a sign-in is to prove itself before it is learnt. A second country is odd from the first sign-in on: an account of
// which little is known must not learn its attacker's.
func (x *habit) odd(v *verdict) bool {
	elsewhere := v.stay.Country != "" && len(x.Countries) > 0 && among(x.Countries, v.stay.Country, v.day) == nil
	return elsewhere || v.realmCountry == "new" || v.travelled == "impossible" ||
		v.network == "new" && (v.device == "new" || v.hourly == "new")
}

// admits says whether a sign-in is learnt, and keeps waiting what is odd.
func (x *habit) admits(v *verdict) bool {
	i := slices.IndexFunc(x.Waiting, func(w waiting) bool { return w.Network == v.stay.Network })
	switch {
	case v.doubted:
		if i >= 0 {
			x.Waiting[i].Since = v.at
		}
		return false
	case !x.odd(v):
		return true
	case v.stay.Network == "":
		return false
	case i < 0:
		if len(x.Waiting) == maxWaiting {
			x.Waiting = slices.Delete(x.Waiting, 0, 1)
		}
		x.Waiting = append(x.Waiting, waiting{keep(v.stay.Network, maxHabitKey), v.at})
		return false
	case v.at-x.Waiting[i].Since < int64(doubtSpan):
		return false
	}
	x.Waiting = slices.Delete(x.Waiting, i, i+1)
	return true
}

func (x *habit) learn(v *verdict) {
	x.First, x.Last = min(x.First, v.at), max(x.Last, v.at)
	x.Signins++
	x.SignedIn = max(x.SignedIn, v.at)
	if v.day > x.LastDay {
		x.Days++
		x.LastDay = v.day
	}
	x.Countries = noteSeen(x.Countries, v.stay.Country, v.day, maxCountries, true)
	x.Networks = noteSeen(x.Networks, v.stay.Network, v.day, maxNetworks, false)
	x.Networks = noteSeen(x.Networks, v.as, v.day, maxNetworks, false)
	x.Devices = noteSeen(x.Devices, v.agent, v.day, maxDevices, false)
	x.fade(v.day)
	x.Hours[v.hour]++
	if v.at >= x.Place.At && !v.relay && (v.stay.Country != "" || v.stay.Point) {
		p := v.stay
		p.Country, p.Network = keep(p.Country, maxHabitKey), keep(p.Network, maxHabitKey)
		x.Place = p
	}
}

// fading is what is left of a count after so many days.
func fading(days int32) float32 {
	if days <= 0 {
		return 1
	}
	return float32(math.Exp2(-float64(days) / hourHalf))
}

// fade brings the histogram to a day.
func (x *habit) fade(day int32) {
	if day <= x.HoursDay {
		return
	}
	f := fading(day - x.HoursDay)
	for i := range x.Hours {
		x.Hours[i] *= f
	}
	x.HoursDay = day
}

// suspected notes that an alert names an address as suspect. The shop's own networks are never under suspicion, and levels below medium are of what every host on the internet sees.
func (d *Detector) suspected(n *node, m mark) {
	if m.Sight.IP == "" || n.habits || d.own(m.Sight.IP) || n.meta.Tocsin.Source != string(Suspect) {
		return
	}
	switch n.meta.Level {
	case "medium", "high", "critical":
		d.habits.doubts.named(m.Sight.IP, m.At)
	}
}

// ForgetHabit forgets what is normal for an account, so that it is learnt anew; false when nothing was known of it.
func (d *Detector) ForgetHabit(realm, name string) bool {
	e := d.habits.by[account{cut(name, maxHabitName), realm}]
	if e == nil || name == "" {
		return false
	}
	d.habits.drop(e)
	return true
}
