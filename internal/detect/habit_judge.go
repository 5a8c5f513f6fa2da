package detect

import (
	"strconv"
	"time"

	"tocsin/internal/record"
)

// A deed is what a record tells of an account.
type deed uint8

const (
	nothing  deed = iota
	signedIn      // a sign-in that worked
	failed        // one that did not
	shifted       // a transfer that worked
)

// A verdict is what a record says of what is normal. It is worked out before rules see the record, and learnt from after.
type verdict struct {
	deed    deed
	who     account
	at      int64
	day     int32
	hour    int
	again   bool // the line was taken in before
	doubted bool // its address is under suspicion

	ip                               string
	stay                             stay
	as                               string // "AS64500"
	asName                           string
	relay                            bool
	agent                            string // device
	country, network, device, hourly string
	travelled, realmCountry          string
	km, speed                        float64
	took                             time.Duration

	action  string
	bytes   int64
	session string
	volumes [2]volume // of the day, of the session
}

// farAhead is how far ahead of all others, or of the last one of its kind, a record may be: logs have gaps, and in those of a small shop nobody signs in for weeks.
const farAhead = 60 * farAway

// judge works out what a record says of what is normal, and puts it on the record. Of records that are no sign-in and no transfer
// it only looks at event.action.
func (d *Detector) judge(r *record.Record, at int64) {
	v := &d.habits.now
	v.deed = deedOf(r)
	if v.deed == nothing {
		return
	}
	near := func(newest int64) bool { return at >= newest-farAway && at <= newest+farAhead }
	if !near(d.newest) && !near(d.habits.newest) { // a wrong clock teaches nothing
		v.deed = nothing
		return
	}
	d.habits.judge(r, at)
}

func deedOf(r *record.Record) deed {
	what := nothing
	switch r.Text(record.EventAction) {
	case "login":
		what = signedIn
	case "download", "upload", "export":
		what = shifted
	default:
		return nothing
	}
	outcome := r.Text(record.EventOutcome)
	switch {
	case outcome == "failure" && what == signedIn && r.Text(record.SourceIP) != "":
		return failed
	case r.Text(record.UserName) == "", outcome == "failure", outcome != "success" && what == signedIn:
		return nothing // a log of exports need not say that they worked
	}
	return what
}

func (h *habits) judge(r *record.Record, at int64) {
	v := &h.now
	*v = verdict{deed: v.deed, at: at, ip: r.Text(record.SourceIP), again: r.Line.Seq > 0 && r.Line.Seq <= h.upTo}
	if v.deed == failed {
		return
	}
	v.who, v.day, v.hour = whose(r), h.dayOf(at), h.hourOf(at)
	v.doubted = h.doubts.doubtful(v.ip, at)
	x := h.find(v.who)
	if x != nil {
		r.Set(record.HabitDays, days(max(v.day-h.dayOf(x.First), 0)))
	}
	if v.deed == shifted {
		h.judgeTransfer(r, x)
		return
	}
	v.whence(r)
	v.judgeSignin(x)
	v.realmCountry = "unknown"
	if staffRealm(v.who.realm) {
		v.judgeRealm(h.find(account{"", v.who.realm}))
	}
	for _, f := range [...]struct {
		field record.Field
		text  string
	}{
		{record.HabitCountry, v.country}, {record.HabitNetwork, v.network}, {record.HabitDevice, v.device},
		{record.HabitHour, v.hourly}, {record.HabitTravel, v.travelled}, {record.HabitRealmCountry, v.realmCountry},
	} {
		r.Set(f.field, record.Text(f.text))
	}
	if v.km > 0 {
		kmh := int64(v.speed)
		r.Set(record.HabitSpeed, record.Int(kmh, strconv.FormatInt(kmh, 10)))
	}
}

func days(n int32) record.Value { return record.Int(int64(n), strconv.Itoa(int(n))) }

// whence reads where a sign-in comes from.
func (v *verdict) whence(r *record.Record) {
	v.stay = stay{At: v.at, Country: cut(r.Text(record.SourceCountry), maxHabitKey), Network: cut(r.Text(record.SourceNetwork), maxHabitKey)}
	if as, ok := r.Get(record.SourceASNumber); ok && as.Int > 0 {
		v.stay.AS, v.as = as.Int, "AS"+strconv.FormatInt(as.Int, 10)
		v.asName = r.Text(record.SourceASName)
		v.relay = relay(v.asName)
	}
	lat, north := r.Get(record.SourceLat)
	lon, east := r.Get(record.SourceLon)
	if north && east {
		v.stay.Point, v.stay.Where = true, point{lat.Float, lon.Float}
	}
	v.agent = cut(device(r.Text(record.UserAgent)), maxHabitKey)
}

func (v *verdict) judgeSignin(x *habit) {
	v.country, v.network, v.device, v.hourly, v.travelled = "unknown", "unknown", "unknown", "unknown", "unknown"
	if x == nil {
		return
	}
	if x.learnt() {
		v.country = x.rarity(x.Countries, v.stay.Country, v.day)
		v.network = x.rarity(x.Networks, v.stay.Network, v.day)
		if v.as != "" && v.network != "usual" && among(x.Networks, v.as, v.day) != nil {
			v.network = "usual"
		}
		if v.network == "new" && len(x.Networks) == maxNetworks {
			v.network = "unknown" // it roams
		}
		v.device = x.rarity(x.Devices, v.agent, v.day)
		v.hourly = x.hourly(v.hour, v.day)
	}
	home := among(x.Networks, v.stay.Network, v.day) != nil || v.as != "" && among(x.Networks, v.as, v.day) != nil
	v.travel(&x.Place, home && v.country != "new")
}

// rarity says how usual a key is. A list of which nothing is known says nothing: that is how a log without user agents looks.
func (x *habit) rarity(list []seen, key string, day int32) string {
	if key == "" || len(list) == 0 {
		return "unknown"
	}
	s := among(list, key, day)
	switch {
	case s == nil:
		return "new"
	case s.N <= rareSignins && x.Signins > 10*rareSignins:
		return "rare"
	}
	return "usual"
}

// hourly says how usual an hour is. Its neighbours count for half: nobody lives by the hour.
func (x *habit) hourly(hour int, day int32) string {
	if x.Signins < hourSignins || x.Days < hourDays {
		return "unknown"
	}
	fade := fading(day - x.HoursDay)
	near, all := x.near(hour)*fade, x.hours()*fade
	switch {
	case all < hourSignins/4: // faded away
		return "unknown"
	case near < 0.5 && near < 0.02*all:
		return "new"
	case near < 0.05*all:
		return "rare"
	}
	return "usual"
}

func (x *habit) near(hour int) float32 {
	return x.Hours[hour] + (x.Hours[(hour+23)%24]+x.Hours[(hour+1)%24])/2
}

func (x *habit) hours() (all float32) {
	for _, n := range x.Hours {
		all += n
	}
	return all
}

// judgeRealm says how usual a country is among all accounts of a realm.
func (v *verdict) judgeRealm(all *habit) {
	if all == nil || all.Signins < realmSignins || v.at-all.First < int64(realmSpan) {
		return
	}
	v.realmCountry = all.rarity(all.Countries, v.stay.Country, v.day)
}

func (h *habits) judgeTransfer(r *record.Record, x *habit) {
	v := &h.now
	v.action, v.bytes = r.Text(record.EventAction), transferBytes(r)
	v.session = cut(r.Text(record.SessionID), maxText)
	for i := range v.volumes {
		v.volumes[i] = volume{standing: "unknown"}
	}
	if !v.again {
		v.volumes[0] = judgeVolume(x.ofWhat(v.action), v.action, int64(v.day), v.bytes)
		if v.session != "" && v.action != "upload" {
			v.volumes[1] = judgeVolume(x.ofWhat("session"), "session", int64(textKey(v.session)), v.bytes)
		}
	}
	r.Set(record.HabitVolume, record.Text(v.volumes[0].standing))
	r.Set(record.HabitSession, record.Text(v.volumes[1].standing))
}
