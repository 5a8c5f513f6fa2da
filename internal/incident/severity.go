package incident

import (
	"fmt"
	"strconv"
	"strings"

	"tocsin/internal/entry"
)

// Reasons of a proposed severity, as kept in entries. Words says them.
const (
	WhyLevel    = "level:"      // + the rule's level
	WhyLoss     = "loss"        // the rule means that money or data is going
	WhyTaken    = "compromise"  // the rule means that something obeys them
	WhyWorked   = "succeeded"   // a try worked
	WhyAdmin    = "admin"       // with an account that may do everything
	WhyBytes    = "bytes:"      // + how many were moved
	WhyOwnOnly  = "own-network" // every suspect address is ours
	WhyReported = "reported"
)

// bulk is from how many bytes on, taken by a suspect with a taken account, a breach is assumed: a shop's customer
// table with a few thousand rows is about that large.
const bulk = 10 << 20

// Propose classifies an alert by the written criteria, with the reasons.
func Propose(a entry.Alert) (severity string, why []string) {
	severity = propose(&a, &why)
	return severity, why
}

// propose is Propose for a start, which asks it of every alert: nil asks for no reasons.
func propose(a *entry.Alert, why *[]string) string {
	rank := max(Rank(a.Level), 0)
	say := func(code ...string) {
		if why != nil {
			*why = append(*why, strings.Join(code, ""))
		}
	}
	say(WhyLevel, a.Level)
	raise := func(to string, code ...string) {
		say(code...)
		rank = max(rank, Rank(to))
	}
	if rank == 0 {
		return Low
	}
	switch a.Impact {
	case "loss":
		raise(Critical, WhyLoss)
	case "compromise":
		raise(High, WhyTaken)
	}
	if a.Succeeded && a.Impact == "attempt" {
		raise(High, WhyWorked)
	}
	if (a.Succeeded || a.Impact == "compromise") && a.Bytes >= bulk {
		raise(Critical, WhyBytes, strconv.FormatInt(a.Bytes, 10))
	}
	if (a.Succeeded || a.Impact == "compromise") && adminTaken(a) && rank >= Rank(High) {
		raise(Critical, WhyAdmin)
	}
	if ownOnly(a) && rank > Rank(Medium) && a.Impact == "attempt" {
		rank--
		say(WhyOwnOnly)
	}
	return Severities()[rank]
}

func adminTaken(a *entry.Alert) bool {
	for _, p := range a.Accounts {
		if p.Realm == "admin" {
			return true
		}
	}
	return false
}

func ownOnly(a *entry.Alert) bool {
	n := 0
	for _, p := range a.Sources {
		if p.Role == "suspect" {
			if !p.Own {
				return false
			}
			n++
		}
	}
	return n > 0
}

// Words says a reason to a person.
func Words(code string) string {
	switch {
	case strings.HasPrefix(code, WhyLevel):
		return "the rule's level is " + code[len(WhyLevel):]
	case strings.HasPrefix(code, WhyBytes):
		return "a lot of data was moved (" + size(code[len(WhyBytes):]) + ")"
	case strings.HasPrefix(code, WhyMerged):
		return "incident " + code[len(WhyMerged):] + ", which is as bad, was merged into it"
	}
	switch code {
	case WhyLoss:
		return "financial loss or a data breach is imminent"
	case WhyTaken:
		return "something of the shop now obeys the attacker"
	case WhyWorked:
		return "one of the attempts worked"
	case WhyAdmin:
		return "it is about an administrator's account"
	case WhyReported:
		return "a person reported it"
	case WhyOwnOnly:
		return "every address behind it is in your own network"
	}
	return code
}

// size words a number of bytes.
func size(digits string) string {
	var n float64
	if _, err := fmt.Sscan(digits, &n); err != nil {
		return digits + " bytes"
	}
	for _, unit := range []string{"bytes", "kB", "MB", "GB"} {
		if n < 1000 {
			return fmt.Sprintf("%.3g %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.3g TB", n)
}
