package desk

import (
	"fmt"
	"strings"
	"time"

	"tocsin/internal/plan"
)

// What accounts did before, as far as notices of what is new ask: the addresses, countries and hours of sign-ins that worked, within the
// last firstsKept. It is learnt from every sign-in, history included, and is part of the derived snapshot. look is its only
// door, so that another memory can take its place.

const (
	firstsKept     = 30 * 24 * time.Hour // what was not seen for so long is new again
	firstsLearning = 7 * 24 * time.Hour  // so long an account must be known before an hour of it is new
	firstsAccounts = 5000                // who was not seen for longest goes first
	firstsPlaces   = 32                  // addresses, and countries, of one account; likewise
)

// A first is what one account did. Times are Unix seconds of the newest sign-in.
type first struct {
	Since     int64            `json:"since"`
	Last      int64            `json:"last"`
	Addresses map[string]int64 `json:"addresses,omitempty"`
	Countries map[string]int64 `json:"countries,omitempty"`
	Hours     [24]int64        `json:"hours"` // in the shop's zone
}

// firsts are all accounts, by realm and name.
type firsts struct {
	By     map[string]*first `json:"by,omitempty"`
	Forgot int64             `json:"forgot,omitempty"` // accounts that went because there were too many
}

// look takes a sign-in in, and says what of it the account did not do before: as codes of package plan, and in words.
func (f *firsts) look(l Login, zone *time.Location) (news, words []string) {
	if f.By == nil {
		f.By = map[string]*first{}
	}
	at, key := l.At.Unix(), l.Realm+"/"+l.Account
	x := f.By[key]
	if x == nil {
		f.makeRoom()
		x = &first{Since: at, Addresses: map[string]int64{}, Countries: map[string]int64{}}
		f.By[key] = x
		news, words = []string{plan.NewAddress, plan.NewCountry, plan.NewHour}, []string{"the account itself: this is its first sign-in here"}
		news = news[:1]
		if l.Country != "" {
			news = append(news, plan.NewCountry)
		}
		news = append(news, plan.NewHour)
	} else {
		news, words = x.fresh(l, zone)
	}
	x.learn(l, zone)
	return news, words
}

// fresh compares a sign-in with what the account did.
func (x *first) fresh(l Login, zone *time.Location) (news, words []string) {
	at := l.At.Unix()
	old := func(seen int64) bool { return seen < at-int64(firstsKept/time.Second) }
	if seen, known := x.Addresses[l.Address]; l.Address != "" && (!known || old(seen)) {
		news, words = append(news, plan.NewAddress), append(words, "the address")
	}
	if seen, known := x.Countries[l.Country]; l.Country != "" && (!known || old(seen)) {
		news, words = append(news, plan.NewCountry), append(words, "the country")
	}
	hour := l.At.In(zone).Hour()
	usual := at-x.Since < int64(firstsLearning/time.Second)
	for _, h := range []int{(hour + 23) % 24, hour, (hour + 1) % 24} { // half an hour later than usual is not new
		usual = usual || x.Hours[h] != 0 && !old(x.Hours[h])
	}
	if !usual {
		news, words = append(news, plan.NewHour), append(words, fmt.Sprintf("the hour (between %02d:00 and %02d:00)", hour, (hour+1)%24))
	}
	return news, words
}

func (x *first) learn(l Login, zone *time.Location) {
	at := l.At.Unix()
	x.Last = max(x.Last, at)
	note := func(m map[string]int64, key string) {
		if key == "" {
			return
		}
		if _, known := m[key]; !known && len(m) >= firstsPlaces {
			delete(m, oldest(m))
		}
		m[strings.Clone(key)] = max(m[key], at)
	}
	note(x.Addresses, l.Address)
	note(x.Countries, l.Country)
	h := l.At.In(zone).Hour()
	x.Hours[h] = max(x.Hours[h], at)
}

// oldest returns the key with the least time.
func oldest(m map[string]int64) (key string) {
	least, found := int64(0), false
	for k, at := range m {
		if !found || at < least || at == least && k < key {
			key, least, found = k, at, true
		}
	}
	return key
}

// makeRoom forgets the account that was not seen for longest when there are too many.
func (f *firsts) makeRoom() {
	if len(f.By) < firstsAccounts {
		return
	}
	gone, least := "", int64(0)
	for k, x := range f.By {
		if gone == "" || x.Last < least || x.Last == least && k < gone {
			gone, least = k, x.Last
		}
	}
	delete(f.By, gone)
	f.Forgot++
}

// fit makes what a file said safe to go on with.
func (f *firsts) fit() {
	for k, x := range f.By {
		if x == nil {
			delete(f.By, k)
			continue
		}
		if x.Addresses == nil {
			x.Addresses = map[string]int64{}
		}
		if x.Countries == nil {
			x.Countries = map[string]int64{}
		}
	}
}
