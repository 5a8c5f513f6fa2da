package contact

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/entry"
)

// Limits of a card, in bytes and numbers.
const (
	maxShort = 200
	maxLong  = 2000
	maxWays  = 12
	maxLangs = 8
	maxDays  = 3 * 365
)

// A Problem is one thing wrong with one field of a contact, in a sentence. Field is as in the CSV's header; of the second way it is "way.2".
type Problem struct{ Field, Says string }

func (p Problem) Error() string { return p.Says }

// sentence makes an error that is shown beside a field as it stands.
func sentence(format string, args ...any) error { return Problem{Says: fmt.Sprintf(format, args...)} }

// Check brings a card into its one form and says all that is wrong with it. zone says whether a name is a time zone.
func Check(c *Card, zone func(name string) bool) (wrong []Problem) {
	add := func(field, says string, args ...any) {
		wrong = append(wrong, Problem{field, fmt.Sprintf(says, args...)})
	}
	c.Version = CardVersion
	for _, f := range []struct {
		name string
		text *string
		most int
	}{{"name", &c.Name, maxShort}, {"organisation", &c.Organisation, maxShort}, {"role", &c.Role, maxShort}, {"hours", &c.Hours, maxShort},
		{"zone", &c.Zone, maxShort}, {"callback", &c.CallBack, maxShort}, {"phrase", &c.Phrase, maxShort}, {"number", &c.Number, maxShort},
		{"duties", &c.Duties, maxLong}, {"note", &c.Note, maxLong}} {
		*f.text = tidy(*f.text, f.most == maxLong)
		if says := plain(*f.text, f.most); says != "" {
			add(f.name, "The %s %s.", f.name, says)
		}
	}
	if c.Name == "" {
		add("name", "A contact needs a name: of a person, or of a desk such as \"Night desk\".")
	}
	if hours, err := ParseHours(c.Hours); err != nil {
		add("hours", "%s", err)
	} else {
		c.Hours = hours.String()
	}
	if c.Zone != "" && !zone(c.Zone) {
		add("zone", "Unknown time zone %q; an example is Europe/Berlin.", c.Zone)
	}
	c.Languages = tags(c.Languages)
	if len(c.Languages) > maxLangs {
		add("languages", "A contact has at most %d languages.", maxLangs)
	}
	for _, l := range c.Languages {
		if !langForm.MatchString(l) {
			add("languages", "%q is no language tag (BCP 47); write de, en, pt-BR or zh-Hant.", l)
		}
	}
	if c.CallBack != "" {
		n, err := number(c.CallBack)
		if err != nil {
			add("callback", "The call-back number %s", err)
		}
		c.CallBack = n
	}
	return append(wrong, checkWays(c)...)
}

func checkWays(c *Card) (wrong []Problem) {
	if len(c.Ways) == 0 {
		wrong = append(wrong, Problem{"way.1", "A contact needs at least one way to be reached."})
	}
	if len(c.Ways) > maxWays {
		wrong = append(wrong, Problem{"way.1", fmt.Sprintf("A contact has at most %d ways.", maxWays)})
		return wrong
	}
	c.Ways = slices.Clone(c.Ways)
	for i := range c.Ways {
		w := &c.Ways[i]
		if err := checkWay(w); err != nil {
			wrong = append(wrong, Problem{fmt.Sprintf("way.%d", i+1), err.Error()})
			continue
		}
		for _, o := range c.Ways[:i] {
			if o.Kind == w.Kind && o.Value == w.Value {
				wrong = append(wrong, Problem{fmt.Sprintf("way.%d", i+1), fmt.Sprintf("%s %s is there twice.", w.Kind, w.Value)})
			}
		}
	}
	return wrong
}

// checkWay brings one way into its one form.
func checkWay(w *Way) error {
	w.Kind, w.Value, w.Note = strings.ToLower(strings.TrimSpace(w.Kind)), tidy(w.Value, false), tidy(w.Note, false)
	if says := plain(w.Value, maxShort); says != "" {
		return sentence("The %s %s.", w.Kind, says)
	}
	if says := plain(w.Note, maxShort); says != "" {
		return sentence("The note %s.", says)
	}
	if strings.Contains(w.Value, "|") || strings.Contains(w.Note, "|") {
		return sentence("A way has no character |, which parts it from its note in tables.")
	}
	var err error
	switch w.Kind {
	case Phone:
		w.Value, err = number(w.Value)
		if err != nil {
			err = sentence("The phone number %s", err)
		}
	case Mail:
		err = mailbox(w.Value)
	case SIP:
		err = sipAddress(w.Value)
	case Form:
		if !secureURL(w.Value) {
			err = sentence("%q is no address of a form; write it from https:// on.", w.Value)
		}
	case Chat:
		if w.Value == "" {
			err = sentence("A chat needs a name or an address, such as #shop-security or https://chat.example/shop.")
		}
		if strings.Contains(w.Value, "://") && !secureURL(w.Value) {
			err = sentence("%q is no address of a chat; write it from https:// on.", w.Value)
		}
	default:
		err = sentence("Unknown way %q; known: %s.", w.Kind, strings.Join(Kinds(), ", "))
	}
	return err
}

// CheckPlace says what is wrong with where a contact stands, and who keeps it right.
func CheckPlace(x entry.Contact) (wrong []Problem) {
	if !slices.Contains(Groups(), x.Group) {
		wrong = append(wrong, Problem{"group", fmt.Sprintf("Unknown group %q; known: %s.", x.Group, strings.Join(Groups(), ", "))})
	}
	if x.Days < 0 || x.Days > maxDays {
		wrong = append(wrong, Problem{"days", fmt.Sprintf("A contact is checked every 1 to %d days; 0 is every %d.", maxDays, DefaultDays)})
	}
	if x.Person != "" && x.Group != Team {
		wrong = append(wrong, Problem{"person", "Only a contact of the group team is linked to a member of the team."})
	}
	return wrong
}

var (
	numberForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)                                                 // E.164: a plus and at most 15 digits
	langForm   = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)                 // RFC 5646: language, script, region
	labelForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)                        // RFC 1123
	localForm  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{}~-]+)*$") // RFC 5321 dot-string
)

// number brings a phone number into the form of E.164: +493012345. What people write between the digits goes.
func number(s string) (string, error) {
	n := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-./()\u2010\u2011\u2012\u2013", r) {
			return -1
		}
		return r
	}, s)
	switch {
	case strings.Contains(s, "(0)"):
		return s, sentence("%q has a zero in brackets, which some dial and some do not: write +49 30 12345.", s)
	case strings.HasPrefix(n, "0"):
		return s, sentence("%q begins with a zero, so it depends on where one dials: write it with the country, as +49 30 12345 (E.164).", s)
	case !numberForm.MatchString(n):
		return s, sentence("%q is not of the form of E.164: a plus, the country, and 7 to 15 digits in all, as +49 30 12345.", s)
	}
	return n, nil
}

// mailbox checks the address of a mailbox (RFC 5321, without quoted names, literal addresses and letters beyond ASCII: not every server takes them).
func mailbox(s string) error {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > 254 || len(local) > 64 || !localForm.MatchString(local) || !domainName(domain) || !strings.Contains(domain, ".") {
		return sentence("%q is not a mail address; write the address alone, as desk@provider.example.", s)
	}
	return nil
}

func domainName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for l := range strings.SplitSeq(s, ".") {
		if !labelForm.MatchString(l) {
			return false
		}
	}
	return s != ""
}

// sipAddress checks a SIPS URI (RFC 3261 19.1), without password, parameters and headers.
func sipAddress(s string) error {
	rest, ok := strings.CutPrefix(s, "sips:")
	if !ok {
		return sentence("%q is no encrypted SIP address; write sips:name@provider.example.", s)
	}
	user, host, ok := strings.Cut(rest, "@")
	name, port, has := strings.Cut(host, ":")
	if !ok || !localForm.MatchString(user) || !domainName(name) || has && !portForm.MatchString(port) {
		return sentence("%q is no SIP address; write sips:name@provider.example or sips:name@provider.example:5061.", s)
	}
	return nil
}

var portForm = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)

func secureURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && !strings.ContainsAny(s, " \t\"<>")
}

// tags brings language tags into their usual form: de, pt-BR, zh-Hant. Each is there once.
func tags(list []string) (out []string) {
	for _, l := range list {
		parts := strings.Split(strings.ReplaceAll(strings.TrimSpace(l), "_", "-"), "-")
		for i, p := range parts {
			switch {
			case i > 0 && len(p) == 4:
				parts[i] = strings.ToUpper(p[:1]) + strings.ToLower(p[1:])
			case i > 0 && len(p) == 2:
				parts[i] = strings.ToUpper(p)
			default:
				parts[i] = strings.ToLower(p)
			}
		}
		if t := strings.Join(parts, "-"); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// tidy drops spaces around a text, and line ends of Windows; one that is not long has a single line.
func tidy(s string, long bool) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	if !long {
		s = strings.Join(strings.Fields(s), " ")
	}
	return strings.TrimSpace(s)
}

// plain says why a text cannot be kept, "" if it can.
func plain(s string, most int) string {
	switch {
	case len(s) > most:
		return fmt.Sprintf("is longer than %d bytes", most)
	case !utf8.ValidString(s):
		return "is not UTF-8 text"
	}
	for _, r := range s {
		if r != '\n' && unicode.Is(unicode.C, r) {
			return fmt.Sprintf("has the character U+%04X, which cannot be seen", r)
		}
	}
	return ""
}
