package tuning

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Hit says that a record has a value of a watch list.
type Hit struct {
	List  int64
	Level string
	Kind  Kind
}

// A Set is the watch lists in the form in which records are looked up. It is not changed once it is built, so that it may
// be swapped while it is used. The nil Set holds nothing.
type Set struct {
	addresses map[netip.Addr]int32 // place in marks
	networks  map[netip.Prefix]int32
	bits4     []int // lengths of prefixes, the longest first
	bits6     []int
	texts     map[Kind]map[string]int32
	marks     []mark
}

// A mark says on which list a value stands and when it counts. Marks of one value are a chain.
type mark struct {
	from, until int64 // seconds since 1970; 0 is no bound
	list        int64
	level       string
	next        int32 // place in marks, -1: no more
}

// A Lister is one watch list with its values, to build a Set of.
type Lister struct {
	List   int64
	Level  string
	Values []Listed
}

// NewSet builds a Set, nil when there is no value.
func NewSet(lists []Lister) *Set {
	s := &Set{addresses: map[netip.Addr]int32{}, networks: map[netip.Prefix]int32{}, texts: map[Kind]map[string]int32{}}
	for _, l := range lists {
		for _, v := range l.Values {
			s.add(l, v)
		}
	}
	if len(s.marks) == 0 {
		return nil
	}
	longest := func(a, b int) int { return b - a }
	slices.SortFunc(s.bits4, longest)
	slices.SortFunc(s.bits6, longest)
	return s
}

func (s *Set) add(l Lister, v Listed) {
	m := mark{list: l.List, level: l.Level, next: -1}
	if !v.From.IsZero() {
		m.from = v.From.Unix()
	}
	if !v.Until.IsZero() {
		m.until = v.Until.Unix()
	}
	place := int32(len(s.marks))
	switch v.Kind {
	case Address:
		a, err := netip.ParseAddr(v.Text)
		if err != nil {
			return // NewValue has seen it
		}
		chain(s.addresses, plain(a), place, &m)
	case Network:
		p, err := netip.ParsePrefix(v.Text)
		if err != nil {
			return
		}
		chain(s.networks, p, place, &m)
		bits := &s.bits4
		if p.Addr().Is6() {
			bits = &s.bits6
		}
		if !slices.Contains(*bits, p.Bits()) {
			*bits = append(*bits, p.Bits())
		}
	default:
		if s.texts[v.Kind] == nil {
			s.texts[v.Kind] = map[string]int32{}
		}
		chain(s.texts[v.Kind], v.Text, place, &m)
	}
	s.marks = append(s.marks, m)
}

func chain[K comparable](in map[K]int32, key K, place int32, m *mark) {
	if first, ok := in[key]; ok {
		m.next = first
	}
	in[key] = place
}

// Has reports whether some list has values of a kind.
func (s *Set) Has(k Kind) bool { return s != nil && len(s.texts[k]) > 0 }

// Address looks an address up, as the log wrote it, in addresses and networks. Of several hits it is the gravest.
func (s *Set) Address(text string, at time.Time) (best Hit, ok bool) {
	if s == nil || len(s.addresses)+len(s.networks) == 0 || text == "" {
		return best, false
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return best, false
	}
	a = plain(a)
	if place, found := s.addresses[a]; found {
		best, ok = s.gravest(best, ok, place, Address, at)
	}
	bits := s.bits4
	if a.Is6() {
		bits = s.bits6
	}
	for _, n := range bits {
		p, err := a.Prefix(n)
		if err != nil {
			continue
		}
		if place, found := s.networks[p]; found {
			best, ok = s.gravest(best, ok, place, Network, at)
		}
	}
	return best, ok
}

// Text looks a value of a kind other than address and network up. A domain stands for those below it, too.
func (s *Set) Text(k Kind, text string, at time.Time) (best Hit, ok bool) {
	if !s.Has(k) || text == "" {
		return best, false
	}
	text = strings.ToLower(text)
	for {
		if place, found := s.texts[k][text]; found {
			return s.gravest(best, ok, place, k, at)
		}
		_, rest, more := strings.Cut(text, ".")
		if k != Domain || !more {
			return best, ok
		}
		text = rest
	}
}

// gravest returns the gravest hit of best and a chain of marks, as far as they count at a time.
func (s *Set) gravest(best Hit, ok bool, place int32, k Kind, at time.Time) (Hit, bool) {
	sec := at.Unix()
	for ; place >= 0; place = s.marks[place].next {
		m := &s.marks[place]
		if m.from != 0 && sec < m.from || m.until != 0 && sec >= m.until {
			continue
		}
		if !ok || Graver(m.level, best.Level) {
			best, ok = Hit{List: m.list, Level: m.level, Kind: k}, true
		}
	}
	return best, ok
}

// Levels of watch lists, the least first: what an alert of a list is worth.
func Levels() []string { return []string{"low", "medium", "high"} }

// Graver reports whether level a is worse than b.
func Graver(a, b string) bool { return slices.Index(Levels(), a) > slices.Index(Levels(), b) }
