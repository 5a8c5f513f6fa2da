package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readMonolog reads PHP's Monolog as Magento, Shopware, PrestaShop, Laravel and Symfony write it (its LineFormatter):
// "[2022-02-11 14:44:40] channel.LEVEL: message {context} {extra}", where an object without members is "[]".
//
// The message may be a client's own text, and look like a context. So the objects are looked for at the right end: what PHP encodes has
// no blank before a brace, but for the one that divides context and extra.
func readMonolog(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] != '[' {
		return false
	}
	t, rest, ok := isoTime(s[1:], p.zone)
	if !ok || !strings.HasPrefix(rest, "] ") {
		return false
	}
	name, text, ok := strings.Cut(rest[2:], ": ")
	dot := strings.LastIndexByte(name, '.')
	if !ok || dot < 1 {
		return false
	}
	channel, level := name[:dot], name[dot+1:]
	if level == "" || strings.ContainsAny(name, " \t") || strings.ToUpper(level) != level {
		return false
	}
	text = strings.TrimLeft(text, " ")
	r.Grow(20)
	said := p.monologContext(text)
	if len(p.pairs) > 0 {
		f := p.sortedPairs()
		if !f.has(slotCode) && said != "" {
			p.keep(pair{"message", said, jsonText})
			f = p.sortedPairs()
		}
		p.appObject(r, &f, false) // what it does not understand is still a line of this format
	}
	r.Time = t
	p.monologVerdict(r, said, channel)
	r.Source.Product = "shop"
	r.Class = record.Parsed
	r.Set(record.Message, record.Text(text))
	extra(r, "log.channel", record.Text(channel))
	extra(r, "log.level", record.Text(level))
	textExtra(r, "error.type", thrown(r, said))
	return true
}

// monologContext reads context and extra into p.pairs, and returns the message before them.
func (p *Parser) monologContext(text string) (message string) {
	p.pairs = p.pairs[:0]
	head, object, alone := lastObject(text)
	if object == "" {
		return withoutEmpty(withoutEmpty(text))
	}
	objects := []string{object}
	if !alone {
		// The last one is the extra, when a context stands before it.
		if before, context, bare := lastObject(head); context != "" && !bare {
			head, objects = before, []string{context, object}
		} else {
			head = withoutEmpty(head)
		}
	}
	for _, o := range objects {
		kept := len(p.pairs)
		if rest, ok := p.members(o, "", 0); !ok || rest != "" {
			p.pairs = p.pairs[:kept]
		}
	}
	return strings.TrimRight(head, " ")
}

func withoutEmpty(s string) string {
	return strings.TrimRight(strings.TrimSuffix(strings.TrimRight(s, " "), " []"), " ")
}

// lastObject cuts the object off at the end of s. alone says that an empty extra stood behind it, as "[]" or as nothing after a blank.
func lastObject(s string) (head, object string, alone bool) {
	trimmed := strings.TrimRight(s, " ")
	alone = len(trimmed)+1 == len(s)
	if cut, ok := strings.CutSuffix(trimmed, " []"); ok {
		trimmed, alone = cut, true
	}
	i := strings.LastIndex(trimmed, ` {"`)
	if i < 0 && !strings.HasPrefix(trimmed, `{"`) || !strings.HasSuffix(trimmed, "}") {
		return s, "", false
	}
	return trimmed[:max(i, 0)], trimmed[i+1:], alone
}

// monologVerdict says what a message without a name of its own tells.
func (p *Parser) monologVerdict(r *record.Record, said, channel string) {
	if from, ok := strings.CutPrefix(said, "Back office connection from "); ok { // PrestaShop
		address, _ := word(from)
		p.client(r, address, "")
	}
	if r.Has(record.EventAction) && r.Text(record.EventOutcome) != "" {
		return
	}
	v := shopVerdict(said)
	// Shopware 6 tells by name of what has happened: "checkout.customer.login".
	if strings.HasPrefix(channel, "business_event") && v.outcome == "" && v.action != "" {
		v.outcome = "success"
	}
	if had := r.Text(record.EventAction); had != "" && v.action == "" {
		return
	}
	if v.action != "" || r.Class != record.Parsed {
		if v.realm == "" {
			v.realm = r.Text(record.UserRealm)
		}
		v.set(r)
	}
}

// thrown finds the class of the exception that a line tells of, and sets the file that it names. The context has it as "[object] (Class(code: 0): message at /srv/a.php:3)",
// the message of Symfony's as `Uncaught PHP Exception Class: "message" at /srv/a.php line 3`.
func thrown(r *record.Record, said string) string {
	v, _ := r.Named("exception")
	text, ok := strings.CutPrefix(v.Text, "[object] (")
	end := "("
	if !ok {
		if text, ok = strings.CutPrefix(said, "Uncaught PHP Exception "); !ok {
			return ""
		}
		end = ":"
	}
	class, _, ok := strings.Cut(text[:min(len(text), 256)], end)
	if !ok || strings.ContainsAny(class, ` "`) {
		return ""
	}
	if i := strings.LastIndex(text, " at /"); i >= 0 && !r.Has(record.FilePath) {
		path := strings.TrimSuffix(text[i+4:], ")")
		path, _, _ = strings.Cut(path, " line ")
		if j := strings.LastIndexByte(path, ':'); j > 0 {
			path = path[:j]
		}
		setFile(r, path)
	}
	return class
}
