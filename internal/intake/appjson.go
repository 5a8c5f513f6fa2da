package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// appSlots are the meanings that go into fields. What only hints at the outcome or the realm stays visible in Extra.
var appSlots = []slot{slotTime, slotExactTime, slotClient, slotPeer, slotForwarded, slotPort, slotUser, slotSession, slotAgent,
	slotMethod, slotURL, slotPath, slotQuery, slotSeconds, slotMillis, slotNanos, slotUpstreamStatus, slotUpstreamSeconds,
	slotCode, slotText, slotType, slotReason, slotAmount, slotBIN, slotLast4, slotCard, slotOrder, slotVoucher, slotValid, slotFile, slotSize, slotBytes, slotASN}

// readAppJSON reads a JSON line of an application: an object with a time and something that happened.
func readAppJSON(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if !p.onlyJSON(s) || !p.generic() {
		return false
	}
	f := p.sortedPairs()
	return p.appObject(r, &f, true)
}

// appObject sets the fields of an application's object. needTime refuses one without a time: it is then no log line,
// unless something else around it is one.
func (p *Parser) appObject(r *record.Record, f *fields, needTime bool) bool {
	hasTime := p.when(f, r)
	if needTime && !hasTime {
		return false
	}
	code, told := appCode(f)
	if !told {
		return false
	}
	r.Grow(20)
	r.Class = record.Parsed
	if code.text != "" {
		r.SetText(record.EventCode, code.text)
	}
	f.set(r, record.Message, slotText)
	f.set(r, record.UserName, slotUser)
	f.set(r, record.SessionID, slotSession)
	f.set(r, record.UserAgent, slotAgent)
	f.set(r, record.EventReason, slotReason)
	f.set(r, record.OrderID, slotOrder)
	if method := f.text(slotMethod); method != "" && isMethod(method) {
		setMethod(r, method)
	}
	if url := webURL(f); url != "" {
		setURL(r, url)
	}
	webTimings(r, f)
	p.objectClient(r, f)
	v := verdictOf(code.text)
	v.refine(f, code)
	appMoney(r, f, v)
	appFile(r, f, v.action)
	v.set(r)
	p.wordedMember(r)
	if status, ok := whole(f.text(slotStatus)); ok && status >= 100 && status < 1000 {
		r.Set(record.HTTPStatus, record.Int(status, f.text(slotStatus)))
	}
	f.keepRest(r, appSlots)
	return true
}

// appCode finds what the application calls the thing that happened. A message counts when nothing else does.
func appCode(f *fields) (pair, bool) {
	for _, s := range []slot{slotCode, slotAction, slotType, slotText} {
		q, ok := f.take(s)
		if !ok || q.kind != jsonText || q.text == "" {
			continue
		}
		if s == slotType && f.has(slotText) && !strings.ContainsAny(q.text, "_.-:") {
			continue // "type":"app" beside a message
		}
		if s == slotText && len(q.text) > maxCode {
			return pair{}, true
		}
		return q, true
	}
	return pair{}, false
}

// maxCode is how long a message may be and still be taken as the name of what happened.
const maxCode = 64

// appMoney sets what tells of payments and of codes that stand for money. Where nothing says whether a code exists, the outcome does.
func appMoney(r *record.Record, f *fields, v verdict) {
	if v, ok := number(f.text(slotAmount)); ok {
		r.Set(record.PaymentAmount, v)
	}
	if q, ok := f.take(slotBIN); ok {
		r.SetText(record.PaymentBIN, q.text[:min(len(q.text), 8)])
	}
	f.set(r, record.PaymentLast4, slotLast4)
	// A whole card number has no place in a record: the ends do.
	if card := f.text(slotCard); len(card) >= 10 {
		if !f.has(slotBIN) {
			r.Set(record.PaymentBIN, record.Text(card[:6]))
		}
		if !f.has(slotLast4) {
			r.Set(record.PaymentLast4, record.Text(card[len(card)-4:]))
		}
	}
	f.set(r, record.CodeText, slotVoucher)
	if valid, ok := f.truth(slotValid); ok {
		r.Set(record.CodeValid, record.Bool(valid))
	} else if (v.action == "giftcard-check" || v.action == "coupon-check") && v.outcome != "" {
		r.Set(record.CodeValid, record.Bool(v.outcome == "success"))
	}
}

// appFile sets what tells of a file, and the bytes that a transfer moved.
func appFile(r *record.Record, f *fields, action string) {
	if path := f.text(slotFile); path != "" {
		setFile(r, path)
	}
	setInt(r, record.FileSize, f.text(slotSize))
	if q, ok := f.take(slotType); ok {
		if strings.Contains(q.text, "/") {
			r.SetText(record.FileType, q.text)
		} else if q.text != r.Text(record.EventCode) {
			f.drop(slotType)
		}
	}
	moved := f.text(slotBytes)
	if moved == "" {
		moved = f.text(slotSize)
	}
	switch action {
	case "download", "upload", "export":
		setInt(r, record.TransferBytes, moved)
	default:
		f.drop(slotBytes)
	}
}
