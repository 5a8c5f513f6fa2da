package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readMonolog reads PHP's Monolog as Magento, Shopware, Laravel and Symfony write it:
// "[2022-02-11 14:44:40] channel.LEVEL: text {"ip":"1.2.3.4"} []".
func readMonolog(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] != '[' {
		return false
	}
	t, rest, ok := isoTime(s[1:], p.zone)
	if !ok || !strings.HasPrefix(rest, "] ") {
		return false
	}
	name, text, ok := strings.Cut(rest[2:], ": ")
	channel, level, dot := strings.Cut(name, ".")
	if !ok || !dot || channel == "" || strings.ContainsAny(name, " \t") || strings.ToUpper(level) != level {
		return false
	}
	text = strings.TrimLeft(text, " ")
	r.Grow(20)
	if i := strings.IndexByte(text, '{'); i >= 0 {
		if _, ok := p.object(text[i:]); ok {
			f := p.sortedPairs()
			said := strings.TrimRight(text[:i], " ")
			if !f.has(slotCode) && said != "" {
				p.keep(pair{"message", said, jsonText})
				f = p.sortedPairs()
			}
			p.appObject(r, &f, false) // what it does not understand is still a line of this format
		}
	}
	r.Time = t
	if _, has := r.Get(record.EventAction); !has && r.Class != record.Parsed {
		v := verdictOf(text[:min(len(text), maxCode)])
		v.set(r)
	}
	r.Source.Product = "shop"
	r.Class = record.Parsed
	r.Set(record.Message, record.Text(text))
	extra(r, "log.channel", record.Text(channel))
	extra(r, "log.level", record.Text(level))
	return true
}
