package intake

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tocsin/internal/record"
)

// A pair is one scalar of a JSON object. Members of objects in it are named with dots ("request.uri"), elements of
// arrays by the array's name.
type pair struct {
	key  string
	text string
	kind jsonKind
}

type jsonKind uint8

const (
	jsonText jsonKind = iota
	jsonNumber
	jsonBool
	jsonNull
)

const (
	maxPairs = 256 // of one line; more are read over
	maxList  = 32  // elements of one array; more are read over
	maxDepth = 16  // of objects and arrays; a deeper line is not read
	maxKey   = 120 // bytes of a name; a longer one is read over
)

// object reads the JSON object at the start of s into p.pairs and returns what follows it. Where a name comes twice
// both are kept, and the first one counts: a value that broke out of its quotes stands behind the logger's own fields.
// Raw control characters and nginx's \xHH, which JSON forbids, are read.
func (p *Parser) object(s string) (rest string, ok bool) {
	p.pairs = p.pairs[:0]
	return p.members(s, "", 0)
}

func (p *Parser) members(s, prefix string, depth int) (string, bool) {
	if depth > maxDepth || s == "" || s[0] != '{' {
		return "", false
	}
	s = blanks(s[1:])
	if strings.HasPrefix(s, "}") {
		return s[1:], true
	}
	for {
		if s == "" || s[0] != '"' {
			return "", false
		}
		key, rest, ok := jsonString(s)
		if !ok {
			return "", false
		}
		s = blanks(rest)
		if s == "" || s[0] != ':' {
			return "", false
		}
		if depth > 0 {
			key = below(prefix, key)
		}
		if s, ok = p.value(blanks(s[1:]), key, depth); !ok {
			return "", false
		}
		s = blanks(s)
		if s == "" {
			return "", false
		}
		switch s[0] {
		case ',':
			s = blanks(s[1:])
		case '}':
			return s[1:], true
		default:
			return "", false
		}
	}
}

// below names a member of an object in the object. A member of one with a name that is too long, or empty, must not pass
// for a member of the whole.
func below(prefix, key string) string {
	if len(prefix) > maxKey {
		return prefix
	}
	if len(key) > maxKey {
		return key
	}
	return prefix + "." + key
}

func (p *Parser) value(s, key string, depth int) (rest string, ok bool) {
	if s == "" {
		return "", false
	}
	switch c := s[0]; {
	case c == '"':
		text, rest, ok := jsonString(s)
		p.keep(pair{key, text, jsonText})
		return rest, ok
	case c == '{':
		return p.members(s, key, depth+1)
	case c == '[':
		return p.elements(s, key, depth+1)
	case c == '-' || c-'0' <= 9:
		i := 1
		for i < len(s) && (s[i]-'0' <= 9 || s[i] == '.' || s[i] == 'e' || s[i] == 'E' || s[i] == '+' || s[i] == '-') {
			i++
		}
		p.keep(pair{key, s[:i], jsonNumber})
		return s[i:], true
	case strings.HasPrefix(s, "true"):
		p.keep(pair{key, "true", jsonBool})
		return s[4:], true
	case strings.HasPrefix(s, "false"):
		p.keep(pair{key, "false", jsonBool})
		return s[5:], true
	case strings.HasPrefix(s, "null"):
		p.keep(pair{key, "", jsonNull})
		return s[4:], true
	}
	return "", false
}

func (p *Parser) elements(s, key string, depth int) (rest string, ok bool) {
	if depth > maxDepth {
		return "", false
	}
	s = blanks(s[1:])
	if strings.HasPrefix(s, "]") {
		return s[1:], true
	}
	for n := 1; ; n++ {
		kept := len(p.pairs)
		if s, ok = p.value(s, key, depth); !ok {
			return "", false
		}
		if n > maxList {
			p.pairs = p.pairs[:kept]
		}
		s = blanks(s)
		if s == "" {
			return "", false
		}
		switch s[0] {
		case ',':
			s = blanks(s[1:])
		case ']':
			return s[1:], true
		default:
			return "", false
		}
	}
}

func (p *Parser) keep(q pair) {
	if len(p.pairs) < maxPairs && len(q.key) <= maxKey {
		p.pairs = append(p.pairs, q)
	}
}

func blanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// jsonString reads the string at the start of s, which begins with its quote, and undoes its escapes.
func jsonString(s string) (text, rest string, ok bool) {
	text, rest, ok = quoted(s)
	if !ok {
		return "", "", false
	}
	i := strings.IndexByte(text, '\\')
	if i < 0 {
		return text, rest, true
	}
	out := make([]byte, i, len(text))
	copy(out, text)
	for i < len(text) {
		c := text[i]
		if c != '\\' || i+1 == len(text) {
			out = append(out, c)
			i++
			continue
		}
		var used int
		out, used = jsonEscape(out, text[i:])
		i += used
	}
	return string(out), rest, true
}

// jsonEscape undoes the escape at the start of s, at least two bytes, and returns how many it took.
func jsonEscape(out []byte, s string) ([]byte, int) {
	switch c := s[1]; c {
	case '/':
		return append(out, c), 2
	case 'f':
		return append(out, '\f'), 2
	case 'u':
		r, ok := hexRune(s)
		if !ok {
			break
		}
		if low, ok := hexRune(s[6:]); ok && utf16.IsSurrogate(r) {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return utf8.AppendRune(out, both), 12
			}
		}
		return utf8.AppendRune(out, r), 6
	case 'x':
		if len(s) >= 4 {
			if b, ok := hexByte(s[2], s[3]); ok {
				return append(out, b), 4
			}
		}
	default:
		if b, ok := plainEscape(c); ok && c != 'v' {
			return append(out, b), 2
		}
	}
	return append(out, '\\'), 1
}

func hexRune(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	hi, ok1 := hexByte(s[2], s[3])
	lo, ok2 := hexByte(s[4], s[5])
	return rune(hi)<<8 | rune(lo), ok1 && ok2
}

// typed is the pair's value as a record holds it.
func (q pair) typed() record.Value {
	switch q.kind {
	case jsonNumber:
		if v, ok := number(q.text); ok {
			return v
		}
	case jsonBool:
		return record.Bool(q.text == "true")
	}
	return record.Text(q.text)
}

// A slot is a meaning that the names of JSON logs have.
type slot uint8

const (
	slotNone slot = iota
	slotTime
	slotExactTime // seconds with a fraction, beside slotTime
	slotClient    // address as the application takes it
	slotPeer      // address of the connection
	slotForwarded
	slotPort
	slotUser
	slotRealm
	slotSession
	slotAgent
	slotReferrer
	slotMethod
	slotURL
	slotPath
	slotQuery
	slotRequest
	slotProtocol
	slotHost
	slotStatus
	slotOutcome
	slotSuccess
	slotBodyBytes
	slotBytes
	slotSize
	slotSeconds
	slotMillis
	slotNanos
	slotUpstreamStatus
	slotUpstreamSeconds
	slotCode
	slotAction
	slotType
	slotText
	slotReason
	slotAmount
	slotBIN
	slotLast4
	slotCard
	slotOrder
	slotVoucher
	slotValid
	slotFile
	slotVia
	slotLevel
	slotASN
	numSlots
)

// slotNames is never changed after it is made. Names are in lower case, without "_" and "-". It covers what nginx's,
// Caddy's and Traefik's documentation show, ECS, and what applications usually write.
var slotNames = map[string]slot{
	"ts": slotTime, "time": slotTime, "@timestamp": slotTime, "timestamp": slotTime, "timelocal": slotTime, "timeiso8601": slotTime,
	"datetime": slotTime, "date": slotTime, "startutc": slotTime, "createdat": slotTime, "t": slotTime, "eventtime": slotTime, "asctime": slotTime,
	"msec": slotExactTime,

	"ip": slotClient, "clientip": slotClient, "sourceip": slotClient, "srcip": slotClient, "source.ip": slotClient, "client.ip": slotClient,
	"ipaddress": slotClient, "clientaddr": slotClient, "clientaddress": slotClient, "request.clientip": slotClient, "userip": slotClient,
	"context.ip": slotClient, "extra.ip": slotClient, "req.ip": slotClient, "client": slotClient, "context.clientip": slotClient,
	"clientipaddress": slotClient, "addr": slotClient, "sourceaddress": slotClient, "src": slotClient, "source": slotVia, "requestip": slotClient, "req.clientip": slotClient,
	"http.clientip": slotClient, "network.client.ip": slotClient, "request.ip": slotClient, "user.ip": slotClient, "cip": slotClient, "visitorip": slotClient,
	"asn": slotASN, "clientasn": slotASN, "source.as.number": slotASN, "asnumber": slotASN, "client.asn": slotASN,
	"remoteaddr": slotPeer, "remoteip": slotPeer, "clienthost": slotPeer, "request.remoteip": slotPeer, "remoteaddress": slotPeer,
	"req.remoteaddress": slotPeer, "remotehost": slotPeer, "host.ip": slotNone,
	"xff": slotForwarded, "xforwardedfor": slotForwarded, "httpxforwardedfor": slotForwarded, "forwardedfor": slotForwarded,
	"xforwardedforip": slotForwarded, "request.headers.xforwardedfor": slotForwarded, "req.headers.xforwardedfor": slotForwarded,
	"requestxforwardedfor": slotForwarded, "network.forwardedip": slotForwarded,
	"remoteport": slotPort, "clientport": slotPort, "request.remoteport": slotPort, "source.port": slotPort, "req.remoteport": slotPort,

	"user": slotUser, "account": slotUser, "email": slotUser, "username": slotUser, "login": slotUser, "customer": slotUser,
	"customeremail": slotUser, "useremail": slotUser, "user.name": slotUser, "user.email": slotUser, "user.id": slotUser, "userid": slotUser,
	"remoteuser": slotUser, "clientusername": slotUser, "context.user": slotUser, "context.username": slotUser, "context.email": slotUser,
	"identifier": slotUser, "actor": slotUser, "actor.name": slotUser, "actor.email": slotUser, "actor.username": slotUser, "emailaddress": slotUser,
	"mail": slotUser, "userlogin": slotUser, "loginname": slotUser, "adminname": slotUser, "operator": slotUser, "performedby": slotUser, "principal": slotUser,
	"customer.email": slotUser, "customer.id": slotUser, "customerid": slotUser, "context.userid": slotUser, "user.username": slotUser, "user.login": slotUser, "usr": slotUser,
	"member": slotUser, "adminuser": slotUser, "request.user": slotUser, "accountid": slotUser,
	"realm": slotRealm, "guard": slotRealm, "area": slotRealm, "portal": slotRealm, "accounttype": slotRealm, "actor.role": slotRealm, "actor.type": slotRealm, "usertype": slotRealm, "userrole": slotRealm, "role": slotRealm, "apitype": slotRealm, "user.role": slotRealm, "user.type": slotRealm,
	"sid": slotSession, "sessid": slotSession, "sessiontoken": slotSession, "session": slotSession, "sessionid": slotSession, "session.id": slotSession, "phpsessid": slotSession,

	"ua": slotAgent, "useragent": slotAgent, "httpuseragent": slotAgent, "agent": slotAgent, "useragent.original": slotAgent,
	"requestuseragent": slotAgent, "request.headers.useragent": slotAgent, "req.headers.useragent": slotAgent,
	"ref": slotReferrer, "referer": slotReferrer, "referrer": slotReferrer, "httpreferer": slotReferrer, "httpreferrer": slotReferrer,
	"requestreferer": slotReferrer, "request.headers.referer": slotReferrer, "req.headers.referer": slotReferrer, "http.request.referrer": slotReferrer,
	"m": slotMethod, "method": slotMethod, "requestmethod": slotMethod, "request.method": slotMethod, "http.request.method": slotMethod,
	"verb": slotMethod, "httpmethod": slotMethod, "req.method": slotMethod,
	"uri": slotURL, "requesturi": slotURL, "url": slotURL, "request.uri": slotURL, "url.original": slotURL, "requestpath": slotURL,
	"req.url": slotURL, "request.url": slotURL,
	"path": slotPath, "url.path": slotPath, "documenturi": slotPath,
	"args": slotQuery, "querystring": slotQuery, "url.query": slotQuery, "query": slotQuery,
	"request": slotRequest, "requestline": slotRequest,
	"protocol": slotProtocol, "serverprotocol": slotProtocol, "requestprotocol": slotProtocol, "request.proto": slotProtocol, "http.version": slotProtocol,
	"host": slotHost, "httphost": slotHost, "servername": slotHost, "vhost": slotHost, "requesthost": slotHost, "request.host": slotHost,
	"url.domain": slotHost, "req.headers.host": slotHost,
	"st": slotStatus, "status": slotStatus, "statuscode": slotStatus, "downstreamstatus": slotStatus, "http.response.statuscode": slotStatus,
	"responsestatus": slotStatus, "res.statuscode": slotStatus, "httpstatus": slotStatus, "code.status": slotStatus,
	"outcome": slotOutcome, "result": slotOutcome, "state": slotOutcome, "decision": slotOutcome, "paymentstatus": slotOutcome, "event.outcome": slotOutcome,
	"success": slotSuccess, "successful": slotSuccess, "issuccess": slotSuccess, "ok": slotSuccess, "succeeded": slotSuccess,
	"bodybytessent": slotBodyBytes, "http.response.body.bytes": slotBodyBytes, "downstreamcontentsize": slotBodyBytes, "responsesize": slotBodyBytes,
	"bytessent": slotBytes, "http.response.bytes": slotBytes, "bytes": slotBytes, "bytesout": slotBytes, "exportbytes": slotBytes, "transfer.bytes": slotBytes, "contentlength": slotBytes, "rowsbytes": slotBytes,
	"size": slotSize, "filesize": slotSize, "file.size": slotSize, "length": slotSize,
	"rt": slotSeconds, "requesttime": slotSeconds, "durationsec": slotSeconds,
	"durationms": slotMillis, "responsetime": slotMillis, "elapsedms": slotMillis, "latencyms": slotMillis, "tookms": slotMillis,
	"event.duration": slotNanos, "durationns": slotNanos, "duration": slotSeconds,
	"us": slotUpstreamStatus, "upstreamstatus": slotUpstreamStatus, "originstatus": slotUpstreamStatus,
	"ut": slotUpstreamSeconds, "upstreamresponsetime": slotUpstreamSeconds, "urt": slotUpstreamSeconds,

	"event": slotCode, "eventname": slotCode, "event.code": slotCode, "eventtype": slotCode, "event.name": slotCode,
	"action": slotAction, "event.action": slotAction, "activity": slotAction, "operation": slotAction,
	"type": slotType, "filetype": slotType, "mimetype": slotType, "file.mimetype": slotType, "contenttype": slotType, "kind": slotType,
	"msg": slotText, "message": slotText,
	"reason": slotReason, "failure": slotReason, "errormessage": slotReason, "reasoncode": slotReason, "failurereason": slotReason, "declinereason": slotReason, "error": slotReason, "errorcode": slotReason,
	"event.reason": slotReason, "declinecode": slotReason, "error.message": slotReason,

	"amount": slotAmount, "orderamount": slotAmount, "refundamount": slotAmount, "amount.value": slotAmount, "total": slotAmount, "grandtotal": slotAmount, "payment.amount": slotAmount,
	"bin": slotBIN, "card.iin": slotBIN, "first6": slotBIN, "cardfirst6": slotBIN, "card.first6": slotBIN, "cardbin": slotBIN, "iin": slotBIN, "payment.bin": slotBIN, "card.bin": slotBIN,
	"last4": slotLast4, "card.lastfour": slotLast4, "cardlastfour": slotLast4, "paymentmethod.last4": slotLast4, "lastdigits": slotLast4, "cardlast4": slotLast4, "lastfour": slotLast4, "payment.last4": slotLast4, "card.last4": slotLast4,
	"cardnumber": slotCard, "pan": slotCard, "maskedcard": slotCard, "maskedpan": slotCard,
	"order": slotOrder, "orderid": slotOrder, "ordernumber": slotOrder, "order.id": slotOrder, "incrementid": slotOrder,
	"code": slotVoucher, "giftcard.code": slotVoucher, "coupon.code": slotVoucher, "voucher.code": slotVoucher, "cardcode": slotVoucher, "coupon": slotVoucher, "couponcode": slotVoucher, "giftcard": slotVoucher, "giftcardcode": slotVoucher,
	"voucher": slotVoucher, "vouchercode": slotVoucher, "code.text": slotVoucher, "promocode": slotVoucher,
	"valid": slotValid, "found": slotValid, "exists": slotValid, "codevalid": slotValid, "isvalid": slotValid, "code.valid": slotValid,
	"file": slotFile, "originalname": slotFile, "targetpath": slotFile, "attachment": slotFile, "filename": slotFile, "filepath": slotFile, "file.path": slotFile, "file.name": slotFile, "upload": slotFile,
	"via": slotVia, "channel": slotVia, "endpoint": slotVia,
	"level": slotLevel, "severity": slotLevel, "loglevel": slotLevel, "levelname": slotLevel, "log.level": slotLevel,
}

// slotOf finds the meaning of a name, whatever its spelling: client_ip, clientIp, Client-IP.
func slotOf(key string) slot {
	var plain [maxKey]byte
	n := 0
	for i := 0; i < len(key) && n < len(plain); i++ {
		switch c := key[i]; {
		case c == '_' || c == '-' || c == '$':
		case 'A' <= c && c <= 'Z':
			plain[n] = c | 0x20
			n++
		default:
			plain[n] = c
			n++
		}
	}
	return slotNames[string(plain[:n])]
}

// A fields is a JSON object sorted by meaning: where in pairs each slot stands, from 1.
type fields struct {
	pairs []pair
	at    [numSlots]int16
}

// sortedPairs finds the meanings of p.pairs. The first pair of a meaning counts.
func (p *Parser) sortedPairs() fields {
	f := fields{pairs: p.pairs}
	for i, q := range p.pairs {
		if q.kind == jsonNull {
			continue
		}
		if s := slotOf(q.key); s != slotNone && f.at[s] == 0 {
			f.at[s] = int16(i + 1)
		}
	}
	return f
}

// take returns the pair of a slot.
func (f *fields) take(s slot) (pair, bool) {
	if i := f.at[s]; i != 0 {
		return f.pairs[i-1], true
	}
	return pair{}, false
}

// text returns the text of a slot, "" when it is missing.
func (f *fields) text(s slot) string {
	q, _ := f.take(s)
	return q.text
}

func (f *fields) has(s slot) bool { return f.at[s] != 0 }

// truth reads a slot that says yes or no: as JSON does, as 1 and 0, or in a word.
func (f *fields) truth(s slot) (yes, ok bool) {
	switch f.text(s) {
	case "true", "1", "yes", "True", "Y":
		return true, true
	case "false", "0", "no", "False", "N":
		return false, true
	}
	return false, false
}

// set sets a text field; "-" is missing.
func (f *fields) set(r *record.Record, field record.Field, s slot) {
	if q, ok := f.take(s); ok {
		r.SetText(field, q.text)
	}
}

// drop says that a slot's pair is not what its name says, so that it is kept as an extra field.
func (f *fields) drop(s slot) { f.at[s] = 0 }

// keepRest puts what went into no field into Extra: all pairs but those of the slots that were read.
func (f *fields) keepRest(r *record.Record, read []slot) {
	var used [maxPairs]bool
	for _, s := range read {
		if i := f.at[s]; i != 0 {
			used[i-1] = true
		}
	}
	for i, q := range f.pairs {
		// A card's number is not kept, whatever else is.
		if !used[i] && q.kind != jsonNull && slotOf(q.key) != slotCard {
			extra(r, q.key, q.typed())
		}
	}
}

// when reads the time of a JSON line. A second field with a fraction sharpens one that has none.
func (p *Parser) when(f *fields, r *record.Record) bool {
	q, ok := f.take(slotTime)
	if ok {
		if r.Time, ok = textTime(q.text, p.zone); !ok {
			f.drop(slotTime)
		}
	}
	exact, has := f.take(slotExactTime)
	if !has {
		return ok
	}
	v, isNumber := number(exact.text)
	if !isNumber {
		return ok
	}
	t, good := epochTime(v.Float, v.Int, v.Kind == record.KindInt)
	if good && (!ok || r.Time.Nanosecond() == 0 && t.Unix() == r.Time.Unix()) {
		r.Time, ok = t, true
	}
	return ok
}

// sum adds up the decimal numbers of "0.010, 0.002 : 0.1", nginx's way to tell of several upstreams.
func sum(s string) (total float64, ok bool) {
	for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == ',' || c == ' ' || c == ':' }) {
		if part == "-" {
			continue
		}
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || x < 0 || x > 1e9 {
			return 0, false
		}
		total, ok = total+x, true
	}
	return total, ok
}
