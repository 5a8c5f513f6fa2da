package detect

import (
	"container/list"
	"strings"
	"time"

	"tocsin/internal/record"
)

// # Habits: what is normal for an account
//
// Of each account (a name in a realm) detection learns from the sign-ins that worked: countries, networks (the /24 or /64, and the
// autonomous system where the geo files name it), devices (family and system of the user agent, in words, without
// versions), hours of the day in the shop's zone, and where the last one came from. From downloads, uploads and exports it
// learns bytes and files per day and per session. Of each realm of staff it learns, over all its accounts, the countries.
//
// What a record says of these is put on it as the fields habit.* before rules see it, so that everything else (levels, samples,
// correlations, mutes) is the same for these rules as for others. Only sign-ins and transfers that worked and name an
// account have them. "new" is never seen, or not for forgetDays; "rare" a country with at most rareSignins of many, a network
// or device seen at most rareSignins times; "unknown" that too little is known to say.
//
// Learning. Nothing is new before the account has signed in firstSignins times on firstDays different days; an hour not before
// hourSignins on hourDays days, volume not before volumeDays days on which something was moved. These count for each
// account by itself, so a fresh installation is quiet, and so is a new account, except for the country among all accounts of
// its realm, which counts once the realm was watched for realmSpan with realmSignins sign-ins.
//
// Two sign-ins of one account from one network within toldTwice are one, of which two logs tell.
//
// Forgetting. What was not seen for forgetDays is forgotten; hours halve in hourHalf days. Lists are of fixed length, the one not seen
// for longest goes first. An account that fills the list of networks roams: its networks say nothing any more. Of all
// accounts at most Options.MaxAccounts are kept; customers go before staff, who was not seen for longest before others; the
// number is in Stats.Strangers.
//
// An attacker must not teach. A sign-in is not learnt when its address is under suspicion: it failed at least doubtFailures times, each
// within doubtFailing of the one before, or an alert of level medium or above names it as suspect, within doubtSpan. The
// rules that read habits do not count for this, or who moves abroad would be a stranger for ever. A sign-in that is odd
// (another country than those that are known, even of an account that is still learning; a new network with a new device or at an
// unusual hour; travel that nobody can make) is not learnt
// either, until its network comes again doubtSpan later, without suspicion in between. Days and sessions enter the past
// at no more than what would have been far above, so that one theft does not make the next one usual. Who was taken in all
// the same can be forgotten by hand (ForgetHabit).
//
// Travel is judged from the last learnt sign-in. Distance is that of the coordinates; where there are only countries, that of the nearest
// of their places (habit_countries.go) less countrySlack. It is impossible above travelSpeed and travelFar. Between two networks that
// the account uses anyway it is usual; a network of a relay (VPN, hosting company, phone network, by the name of its
// autonomous system) does not say where somebody is, and neither do two addresses of one autonomous system.
//
// Volume. The day so far is far above when it exceeds farTimes the 95th percentile of the past days, their median by more than farMAD
// median absolute deviations, and a floor (floorBytes, floorFiles) below which it is nobody's business; above with aboveTimes and
// aboveMAD. Likewise for the session, against past sessions. Days without a transfer do not count.
//
// Lines that were taken in before (a restart, rules that changed and fill their windows again) are judged and not learnt twice:
// upTo is the archive number of the last line that was.

const (
	firstSignins = 5
	firstDays    = 3
	hourSignins  = 12
	hourDays     = 5
	realmSignins = 20
	realmSpan    = 7 * 24 * time.Hour
	rareSignins  = 2
	forgetDays   = 90
	recentDays   = 30 // of which countries are counted day by day
	hourHalf     = 30 // days

	maxCountries = 8
	maxNetworks  = 16
	maxDevices   = 8
	maxWaiting   = 4
	maxHabitName = 128 // bytes of an account's name
	maxHabitKey  = 64  // bytes of a country, network or device
	toldTwice    = 5 * time.Second

	doubtSpan = 24 * time.Hour
)

// A habit is what is normal for one account, or, when Name is "", for a realm of staff. The form is that of the state file.
type habit struct {
	Name, Realm string
	First, Last int64 // of the sign-ins or transfers that were learnt
	SignedIn    int64 // the last sign-in that was learnt
	Signins     int64
	Days        int32 // on which somebody signed in
	LastDay     int32
	Countries   []seen // those seen last at the end, likewise Networks and Devices
	Networks    []seen
	Devices     []seen
	Hours       [24]float32
	HoursDay    int32 // to which Hours have decayed
	Place       stay
	Waiting     []waiting
	Series      []series
}

// A seen is a country, network or device of an account.
type seen struct {
	Key         string
	N           int64
	First, Last int32  // days
	Recent      []byte // of a country: sign-ins by day modulo recentDays, at most 255
}

// A stay is where a sign-in came from.
type stay struct {
	At      int64 // 0: none yet
	Country string
	Network string
	AS      int64
	Point   bool
	Where   point
}

// A waiting network is one from which an odd sign-in came: it is learnt when it comes again doubtSpan after Since.
type waiting struct {
	Network string
	Since   int64
}

// habits keeps the accounts, those seen last at the back.
type habits struct {
	zone      *time.Location
	most      int
	by        map[account]*list.Element // of *habit
	staff     *list.List
	customers *list.List
	doubts    doubts
	upTo      int64
	newest    int64 // record time of the newest sign-in or transfer
	forgotten int64
	now       verdict // of the record that is stepped through

	zoneDay habitDay // the day that was worked out last
}

func newHabits(o Options) *habits {
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	return &habits{zone: zone, most: o.MaxAccounts, by: map[account]*list.Element{}, staff: list.New(), customers: list.New(), doubts: newDoubts()}
}

// staffRealm reports whether the accounts of a realm are the shop's own.
func staffRealm(realm string) bool {
	switch realm {
	case "admin", "ssh", "ftp", "database", "system":
		return true
	}
	return false
}

func (h *habits) listOf(realm string) *list.List {
	if staffRealm(realm) {
		return h.staff
	}
	return h.customers
}

// find returns what is known of an account, nil when nothing is.
func (h *habits) find(who account) *habit {
	if e := h.by[who]; e != nil {
		return e.Value.(*habit)
	}
	return nil
}

// open returns the habit of an account, a new one if there is none, and makes room for it.
func (h *habits) open(who account, at int64) *habit {
	e := h.by[who]
	if e == nil {
		x := &habit{Name: keep(who.name, maxHabitName), Realm: strings.Clone(who.realm), First: at, LastDay: -1}
		e = h.listOf(x.Realm).PushBack(x)
		h.by[account{x.Name, x.Realm}] = e
	}
	x := e.Value.(*habit)
	h.listOf(x.Realm).MoveToBack(e)
	for len(h.by) > h.most {
		oldest := h.customers.Front()
		if oldest == nil {
			oldest = h.staff.Front()
		}
		h.drop(oldest)
		h.forgotten++
	}
	return x
}

func (h *habits) drop(e *list.Element) {
	x := e.Value.(*habit)
	delete(h.by, account{x.Name, x.Realm})
	h.listOf(x.Realm).Remove(e)
}

// whose is the account that a record's habit is about.
func whose(r *record.Record) account {
	return account{cut(r.Text(record.UserName), maxHabitName), r.Text(record.UserRealm)}
}

// A habitDay remembers where a day in the shop's zone begins and ends: most records are of the same.
type habitDay struct {
	from, to int64
	day      int32
}

// dayOf is the number of the day in the shop's zone, counted from 1970.
func (h *habits) dayOf(at int64) int32 {
	if z := &h.zoneDay; at < z.from || at >= z.to {
		y, m, d := fromNano(at).In(h.zone).Date()
		z.day = int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
		z.from = time.Date(y, m, d, 0, 0, 0, 0, h.zone).UnixNano()
		z.to = time.Date(y, m, d+1, 0, 0, 0, 0, h.zone).UnixNano()
		if at < z.from || at >= z.to { // a zone that jumps at midnight
			z.from, z.to = 0, 0
		}
	}
	return h.zoneDay.day
}

func (h *habits) hourOf(at int64) int { return fromNano(at).In(h.zone).Hour() }

// learnt reports whether enough is known of an account to call something new.
func (x *habit) learnt() bool {
	return x != nil && x.Signins >= firstSignins && x.Days >= firstDays
}

// among finds a key that was seen within forgetDays.
func among(list []seen, key string, day int32) *seen {
	for i := range list {
		if s := &list[i]; s.Key == key && day-s.Last <= forgetDays {
			return s
		}
	}
	return nil
}

// note counts a key of a list; the newest stand at the end, and what is too old or too much goes.
func noteSeen(all []seen, key string, day int32, most int, recent bool) []seen {
	if key == "" {
		return all
	}
	x := seen{First: day, Last: day}
	for i := range all {
		if all[i].Key == key {
			x = all[i]
			all = append(all[:i], all[i+1:]...)
			break
		}
	}
	if x.Key == "" || day-x.Last > forgetDays {
		x = seen{Key: keep(key, maxHabitKey), First: day, Last: day}
	}
	x.N++
	if recent {
		x.count(day)
	}
	x.Last = max(x.Last, day)
	for len(all) > 0 && (len(all) >= most || day-all[0].Last > forgetDays) {
		all = append(all[:0], all[1:]...)
	}
	return append(all, x)
}

// count adds to the days that are counted one by one; x.Last is still that of before.
func (x *seen) count(day int32) {
	if len(x.Recent) != recentDays {
		x.Recent = make([]byte, recentDays)
	}
	for d := max(x.Last+1, day-recentDays+1); d <= day; d++ {
		x.Recent[slot30(d)] = 0
	}
	if day > x.Last-recentDays && x.Recent[slot30(day)] < 255 {
		x.Recent[slot30(day)]++
	}
}

func slot30(day int32) int { return int((day%recentDays + recentDays) % recentDays) }

// within counts the sign-ins of the recentDays up to a day.
func (x *seen) within(day int32) (n int) {
	if len(x.Recent) != recentDays {
		return 0
	}
	for d := max(x.Last, day) - recentDays + 1; d <= min(x.Last, day); d++ {
		n += int(x.Recent[slot30(d)])
	}
	return n
}
