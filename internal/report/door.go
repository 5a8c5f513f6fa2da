package report

import (
	"fmt"
	"time"
)

// Limits of the door. They are held in memory only, and forgotten with the program: no address is written anywhere.
type Limits struct {
	Hour  int   // reports in an hour, from everybody
	Bytes int64 // bytes of the large ones among them: those up to Small go on when they are full
	Net   int   // reports in an hour from one network (/24, /48)
	Plain int   // reports in an hour from everybody without script, so without work
	Own   int   // how many reports of an hour stand alone; those beyond are bundled
	Tries int   // wrong receipts in an hour from one network
	Wrong int   // wrong receipts in an hour from everybody, from which on each look-up costs work
	Nets  int   // how many networks are told apart; beyond, all others are one
}

// Small is how many bytes a report may have that no flood of large ones keeps out: one without attachments.
const Small = 64 << 10

// Usual are limits for a shop: 10,000 reports in an hour are taken, and 2 GiB of large ones.
func Usual() Limits {
	return Limits{Hour: 10000, Bytes: 2 << 30, Net: 20, Plain: 60, Own: 50, Tries: 10, Wrong: 200, Nets: 20000}
}

// A Refusal says why something is not taken now, and when to come back. The text stays with its writer.
type Refusal struct {
	Why  string // "everybody", "network", "plain", "bytes", "size", "tries"
	Wait time.Duration
}

func (r Refusal) Error() string {
	return fmt.Sprintf("too many at this moment (%s); come back in %d min", r.Why, minutes(r.Wait))
}

func minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// A Door counts what comes in. The zero one with Limits is ready. One goroutine at a time.
type Door struct {
	Limits Limits
	since  time.Time // beginning of the hour that is counted
	all    int
	plain  int
	before int // reports of the hour before, for the difficulty
	bytes  int64
	wrong  int
	nets   map[string]*came
	rest   came // of networks beyond the number that are told apart
}

type came struct{ reports, tries int }

// turn begins a new hour when one is over.
func (d *Door) turn(now time.Time) {
	if past := now.Sub(d.since); past >= 0 && past < time.Hour && !d.since.IsZero() {
		return
	} else if past >= 2*time.Hour || d.since.IsZero() {
		d.before = 0
	} else {
		d.before = d.all
	}
	d.since, d.all, d.plain, d.bytes, d.wrong, d.nets, d.rest = now, 0, 0, 0, 0, map[string]*came{}, came{}
}

func (d *Door) of(net string) *came {
	if n, ok := d.nets[net]; ok {
		return n
	}
	if len(d.nets) >= d.Limits.Nets {
		return &d.rest
	}
	n := &came{}
	d.nets[net] = n
	return n
}

func (d *Door) wait(now time.Time) time.Duration { return d.since.Add(time.Hour).Sub(now) }

// Admit lets a report or message in, or says why not. net names the network in a way of the caller's that dies with the program, such as
// a hash under a key made at its start. plain is one without script. Nothing is counted when it is refused.
func (d *Door) Admit(now time.Time, net string, plain bool, size int64) error {
	d.turn(now)
	n, most := d.of(net), d.Limits.Net
	if n == &d.rest {
		most = d.Limits.Hour / 10
	}
	switch {
	case size > Classes()[len(Classes())-1]:
		return Refusal{"size", 0}
	case d.all >= d.Limits.Hour:
		return Refusal{"everybody", d.wait(now)}
	case size > Small && d.bytes+size > d.Limits.Bytes:
		return Refusal{"bytes", d.wait(now)}
	case plain && d.plain >= d.Limits.Plain:
		return Refusal{"plain", d.wait(now)}
	case n.reports >= most:
		return Refusal{"network", d.wait(now)}
	}
	d.all++
	if size > Small {
		d.bytes += size
	}
	n.reports++
	if plain {
		d.plain++
	}
	return nil
}

// Difficulty is how much work the next report costs.
func (d *Door) Difficulty(now time.Time) int {
	d.turn(now)
	return Difficulty(max(d.all, d.before))
}

// Try asks whether a network may try a receipt, and counts nothing.
func (d *Door) Try(now time.Time, net string) error {
	d.turn(now)
	if d.of(net).tries >= d.Limits.Tries {
		return Refusal{"tries", d.wait(now)}
	}
	return nil
}

// Wrong counts a wrong receipt. It returns how many there were in this hour from everybody, and whether that is to be written
// (the first, and each tenfold from ten on), and how long to hold the answer back: one second for each that the network has
// already tried, at most five. Against a hundred bits no guess helps; this keeps them from costing us anything.
func (d *Door) Wrong(now time.Time, net string) (count int, write bool, hold time.Duration) {
	d.turn(now)
	n := d.of(net)
	n.tries++
	d.wrong++
	return d.wrong, d.wrong == 1 || tenfold(d.wrong), time.Duration(min(n.tries-1, 5)) * time.Second
}

// Costs reports whether a look-up of a receipt costs work now, because many are wrong.
func (d *Door) Costs(now time.Time) bool {
	d.turn(now)
	return d.wrong >= d.Limits.Wrong
}

// Since is when the hour that is counted began.
func (d *Door) Since() time.Time { return d.since }

// tenfold reports whether n is 10, 100, 1000, ...
func tenfold(n int) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
		if n == 1 {
			return true
		}
	}
	return false
}
