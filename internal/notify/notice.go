package notify

import (
	"fmt"
	"strings"
	"time"
)

// A Notice is what the words about some sign-ins are made from. It calls nobody: nothing in it is to be answered. What stands in it comes
// from logs: it is made safe here as a Call is.
type Notice struct {
	Signins  []Signin       // told one by one, oldest first
	More     int64          // further ones, which are counted only
	Of       int            // accounts of these
	AtLeast  bool           // there are more accounts than were counted
	Accounts []Account      // of a digest: all of them, told account by account
	Digest   bool           // it is the daily one
	Rest     int            // further accounts of a digest
	Zone     *time.Location // of the reader; nil shows UTC alone
	Manage   string         // link to where notices are changed
	Twice    bool           // the same notice may have been sent before
	Sample   bool           // the logs are the bundled ones
	Test     bool           // somebody pressed "send me one now"
}

// A Signin is one sign-in that worked.
type Signin struct {
	At      time.Time
	Account string
	Realm   string   // ssh, ftp, admin, ...
	Address string   // "" is not known
	Country string   // ISO 3166 code; "" is not known
	City    string   //
	Network string   // of the address's owner: "AS64500 Example Net"
	How     string   // password, publickey, ...
	Agent   string   // of a browser or program
	Host    string   // where to
	Log     string   // name of the file that says so
	New     []string // what the account did not do before: "the country", in words
}

// An Account is what a digest says of one.
type Account struct {
	Account, Realm string
	Count          int64
	Last           time.Time
	From           []string // "203.0.113.9 (BR)"
	More           bool     // and from further addresses
}

// RealmWords says how somebody signs in to a realm: "by SSH".
func RealmWords(realm string) string {
	switch realm {
	case "ssh":
		return "by SSH"
	case "ftp":
		return "by FTP"
	case "admin":
		return "to the administration"
	case "customer":
		return "as a customer"
	case "database":
		return "to the database"
	case "system":
		return "to the system"
	case "":
		return "to a service"
	}
	return "to " + harmless(realm, 40)
}

const maxPart = 160 // bytes of an account, agent or network in a notice

// all counts the sign-ins.
func (n Notice) all() (count int64) {
	for _, a := range n.Accounts {
		count += a.Count
	}
	return count + n.More + int64(len(n.Signins))
}

// Subject returns one line.
func (n Notice) Subject() string {
	var b strings.Builder
	switch {
	case n.Test:
		b.WriteString("[Tocsin test] ")
	case n.Sample:
		b.WriteString("[Tocsin sample] ")
	default:
		b.WriteString("[Tocsin] ")
	}
	switch all := n.all(); {
	case n.Test:
		b.WriteString("Sign-in notice")
	case n.Digest:
		fmt.Fprintf(&b, "Digest: %s of %s", many(all, "sign-in", "sign-ins"), many(int64(len(n.Accounts)+n.Rest), "account", "accounts"))
	case all == 1:
		b.WriteString("Sign-in: " + n.Signins[0].short())
	default:
		fmt.Fprintf(&b, "%s", many(all, "sign-in", "sign-ins"))
		if len(n.Signins) > 0 {
			b.WriteString(", first " + n.Signins[0].short())
		}
	}
	if n.Twice {
		b.WriteString(" (possibly twice)")
	}
	return oneLine(b.String(), maxSubject)
}

// short is "anna by SSH from 203.0.113.9 (BR)".
func (s Signin) short() string {
	t := s.who() + " " + RealmWords(s.Realm)
	if s.Address != "" {
		t += " from " + harmless(s.Address, maxPart)
		if s.Country != "" {
			t += " (" + harmless(s.Country, 10) + ")"
		}
	}
	return t
}

func (s Signin) who() string {
	if who := harmless(s.Account, maxPart); who != "" {
		return who
	}
	return "somebody whom the log does not name"
}

// Body returns the words.
func (n Notice) Body() string {
	var b strings.Builder
	if n.Test {
		b.WriteString("This is a test. Nobody has signed in. It shows that notices of sign-ins reach you this way.\n")
	}
	if n.Sample {
		b.WriteString("SAMPLE: this was found in the logs that come with Tocsin. Nothing has happened to your shop.\n\n")
	}
	for k, s := range n.Signins {
		if k > 0 {
			b.WriteString("\n")
		}
		b.WriteString(s.body(n.Zone))
	}
	if n.More > 0 && !n.Digest {
		of := many(int64(n.Of), "account", "accounts")
		if n.AtLeast {
			of = "at least " + of
		}
		fmt.Fprintf(&b, "\nand %s of %s.\n", many(n.More, "further sign-in", "further sign-ins"), of)
	}
	if n.Digest {
		b.WriteString(n.digest())
	}
	if n.Manage != "" {
		b.WriteString("\nYou asked to be told of this. To change or end it:\n" + n.Manage + "\n")
	}
	if n.Twice {
		b.WriteString("\nYou may have got this notice before: Tocsin was stopped while it was being sent.\n")
	}
	return lines(b.String(), maxBody)
}

func (s Signin) body(zone *time.Location) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s signed in %s.\n", s.who(), RealmWords(s.Realm))
	fact := func(name, value string, limit int) {
		if v := harmless(value, limit); v != "" {
			b.WriteString("  " + name + ": " + v + "\n")
		}
	}
	b.WriteString("  When: " + moment(s.At, zone) + "\n")
	from := harmless(s.Address, maxPart)
	if from == "" {
		from = "the log names no address"
	}
	if place := strings.Join(filled(harmless(s.City, 80), harmless(s.Country, 10)), ", "); place != "" {
		from += ", " + place
	}
	b.WriteString("  From: " + from + "\n")
	fact("Network", s.Network, maxPart)
	fact("How", s.How, 60)
	fact("With", s.Agent, maxPart)
	fact("Where", strings.Join(filled(s.Host, s.Log), ", log "), maxPart)
	fact("New for this account", strings.Join(s.New, ", "), maxPart)
	return b.String()
}

// digest lists the accounts.
func (n Notice) digest() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s since the last digest:\n", many(n.all(), "sign-in", "sign-ins"))
	for _, a := range n.Accounts {
		fmt.Fprintf(&b, "\n%s %s: %s, the last %s\n", Signin{Account: a.Account}.who(), RealmWords(a.Realm), many(a.Count, "sign-in", "sign-ins"), moment(a.Last, n.Zone))
		var from []string
		for _, f := range a.From {
			from = append(from, harmless(f, maxPart))
		}
		if a.More {
			from = append(from, "and further ones")
		}
		if len(from) > 0 {
			b.WriteString("  from " + strings.Join(from, ", ") + "\n")
		}
	}
	switch rest := many(int64(n.Rest), "further account", "further accounts"); {
	case n.AtLeast:
		b.WriteString("\nand at least " + rest + ".\n")
	case n.Rest > 0:
		b.WriteString("\nand " + rest + ".\n")
	}
	return b.String()
}

// Message returns the message with these words.
func (n Notice) Message(to, id string) Message {
	return Message{To: to, Subject: n.Subject(), Body: n.Body(), ID: id, Twice: n.Twice}
}

// moment is when, with seconds.
func moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "the log does not say"
	}
	utc := t.UTC()
	if zone == nil || zone == time.UTC {
		return utc.Format("Monday 2 January 2006, 15:04:05 UTC")
	}
	local := t.In(zone)
	beside := utc.Format("15:04:05 UTC")
	if utc.YearDay() != local.YearDay() {
		beside = utc.Format("2 January 15:04:05 UTC")
	}
	return local.Format("Monday 2 January 2006, 15:04:05 MST") + " (" + beside + ")"
}

func many(n int64, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

func filled(list ...string) (out []string) {
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
