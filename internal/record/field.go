package record

// A Field is one of the fields that every part of the program knows. Their names are ECS's where ECS has one.
type Field uint8

// The words of event.action that rules read, whatever the log calls it:
//
//	accounts  login, logout, password-reset, password-change, address-change, email-change, account-created, account-deleted,
//	          role-change, register, connect, session-opened, session-closed, login-refused (barred before a try), user-enumeration
//	money     payment, refund, price-mismatch, order, giftcard-check, coupon-check
//	the site  plugin-install, theme-install, settings-change, file-edit (a theme's or plug-in's code, in the browser)
//	files     upload, download, delete, export
//	hosts     query, command, request, xmlrpc, pingback, user-created and the like (accounts of the host itself)
//
// The order is free to change: nothing stores these numbers.
const (
	SourceIP         Field = iota // client address, behind trusted proxies the real one
	SourcePort                    //
	SourceNetwork                 // the /24 (IPv4) or /64 (IPv6) of source.ip
	SourceCountry                 // ISO 3166-1 alpha-2, or what the table says; set only with --geo
	SourceContinent               // AF AN AS EU NA OC SA, of source.geo.country_iso_code
	SourceCity                    // in English; set only with --geo
	SourceLat                     // degrees, north positive
	SourceLon                     // degrees, east positive
	SourceASNumber                // of the autonomous system that announces source.ip
	SourceASName                  // of the organization that has it
	ForwardedIP                   // what X-Forwarded-For said, as it stood
	DestinationIP                 //
	DestinationPort               //
	UserName                      // the account that the line is about
	UserRealm                     // where that account lives: customer, admin, ssh, ftp, system, database
	UserEffective                 // the account acted as (sudo)
	HostName                      // the host that the line names
	ProcessName                   //
	ProcessPID                    //
	EventAction                   // what was tried, one of the words below
	EventOutcome                  // success, failure
	EventReason                   // why it failed, in the log's words
	EventCode                     // the application's own name of it (app.jsonl "event")
	EventDuration                 // nanoseconds
	HTTPMethod                    // upper case
	HTTPVersion                   //
	HTTPStatus                    //
	HTTPBodyBytes                 // bytes of the response's body
	HTTPBytes                     // bytes of the response with its header
	HTTPReferrer                  //
	UserAgent                     //
	URLOriginal                   // path and query as sent
	URLPath                       // as sent, without the query
	URLQuery                      // as sent, without "?"; missing when there is no "?"
	URLDecoded                    // url.original, percent-decoded once, "+" as space in the query
	URLDecodedTwice               // and once more
	URLDomain                     // virtual host
	URLExtension                  // of the path's last part, lower case, without the dot
	UpstreamStatus                //
	UpstreamDuration              // nanoseconds
	SessionID                     //
	FilePath                      // of a transfer or upload
	FileName                      // last part of file.path
	FileExtension                 // lower case, without the dot
	FileSize                      // bytes
	FileType                      // MIME type
	TransferBytes                 // bytes moved by a download, upload or export
	PaymentAmount                 // in the shop's currency
	PaymentBIN                    // first six or eight digits of the card (never more)
	PaymentLast4                  //
	OrderID                       //
	CodeText                      // gift card or coupon code as the log has it
	CodeValid                     // bool
	Statement                     // SQL text
	CommandLine                   // sudo COMMAND=
	Message                       // the text of the line after its header
	Cookie                        // of the request, as sent
	WatchLevel                    // of the watch list that something of the record is on: low, medium, high; set by the desk
	WatchKind                     // what that is: address, network, account, hash, domain, url

	// Views of other fields, for rules that look for what somebody wrote in a roundabout way. Each is worked out when a
	// rule asks for it: decoded is percent-decoded once, with "+" as a blank in a query, decoded_twice once more; what
	// normal, marked and shell are, package intake says.
	URLNormal
	URLMarked
	URLShell
	QueryDecoded
	QueryDecodedTwice
	QueryNormal
	ReferrerDecoded
	ReferrerDecodedTwice
	ReferrerNormal
	AgentDecoded
	AgentDecodedTwice
	AgentNormal
	CookieDecoded
	CookieDecodedTwice
	CookieNormal

	// What is normal for the account of a sign-in or transfer, as detection has learnt it (package detect, habit.go). Each is new, rare,
	// usual or unknown unless something else is said. Only detection sets them, and only on sign-ins and transfers that worked.
	HabitCountry      // of source.geo.country_iso_code
	HabitNetwork      // of source.network and source.as.number
	HabitDevice       // of user_agent.original
	HabitHour         // of the hour of the day in the shop's zone
	HabitTravel       // from the last sign-in: impossible, fast, possible, usual, relayed, unknown
	HabitSpeed        // km/h of that travel
	HabitRealmCountry // of the country, among all accounts of user.realm (admin, ssh, ftp, database, system)
	HabitVolume       // of the day so far: far above, above, usual, unknown
	HabitSession      // of the session so far, likewise
	HabitDays         // days since the account was seen first
	numFields
)

// View reports whether f is a view of another field: it holds nothing that the other does not.
func (f Field) View() bool { return f >= URLNormal && f <= CookieNormal }

// Base returns the field that f is a view of, decoded forms of a URL among them; false when it is none.
func (f Field) Base() (Field, bool) {
	switch {
	case f == URLDecoded, f == URLDecodedTwice, f >= URLNormal && f <= URLShell:
		return URLOriginal, true
	case f >= QueryDecoded && f <= QueryNormal:
		return URLQuery, true
	case f >= ReferrerDecoded && f <= ReferrerNormal:
		return HTTPReferrer, true
	case f >= AgentDecoded && f <= AgentNormal:
		return UserAgent, true
	case f >= CookieDecoded && f <= CookieNormal:
		return Cookie, true
	}
	return 0, false
}

// Added reports whether f holds what is not in the log's words: what the parser concluded or looked up, habits, and views. Keywords are not
// searched there.
func (f Field) Added() bool {
	switch f {
	case SourceNetwork, SourceCountry, SourceContinent, EventAction, EventOutcome, UserRealm, URLExtension, FileExtension, WatchLevel, WatchKind:
		return true
	}
	return f.View() || f.Habit()
}

// Habit reports whether f says what is normal for an account.
func (f Field) Habit() bool { return f >= HabitCountry && f <= HabitDays }

var fieldNames = [numFields]string{
	SourceIP:         "source.ip",
	SourcePort:       "source.port",
	SourceNetwork:    "source.network",
	SourceCountry:    "source.geo.country_iso_code",
	SourceContinent:  "source.geo.continent_code",
	SourceCity:       "source.geo.city_name",
	SourceLat:        "source.geo.location.lat",
	SourceLon:        "source.geo.location.lon",
	SourceASNumber:   "source.as.number",
	SourceASName:     "source.as.organization.name",
	ForwardedIP:      "network.forwarded_ip",
	DestinationIP:    "destination.ip",
	DestinationPort:  "destination.port",
	UserName:         "user.name",
	UserRealm:        "user.realm",
	UserEffective:    "user.effective.name",
	HostName:         "host.name",
	ProcessName:      "process.name",
	ProcessPID:       "process.pid",
	EventAction:      "event.action",
	EventOutcome:     "event.outcome",
	EventReason:      "event.reason",
	EventCode:        "event.code",
	EventDuration:    "event.duration",
	HTTPMethod:       "http.request.method",
	HTTPVersion:      "http.version",
	HTTPStatus:       "http.response.status_code",
	HTTPBodyBytes:    "http.response.body.bytes",
	HTTPBytes:        "http.response.bytes",
	HTTPReferrer:     "http.request.referrer",
	UserAgent:        "user_agent.original",
	URLOriginal:      "url.original",
	URLPath:          "url.path",
	URLQuery:         "url.query",
	URLDecoded:       "url.decoded",
	URLDecodedTwice:  "url.decoded_twice",
	URLDomain:        "url.domain",
	URLExtension:     "url.extension",
	UpstreamStatus:   "upstream.status_code",
	UpstreamDuration: "upstream.duration",
	SessionID:        "session.id",
	FilePath:         "file.path",
	FileName:         "file.name",
	FileExtension:    "file.extension",
	FileSize:         "file.size",
	FileType:         "file.mime_type",
	TransferBytes:    "transfer.bytes",
	PaymentAmount:    "payment.amount",
	PaymentBIN:       "payment.bin",
	PaymentLast4:     "payment.last4",
	OrderID:          "order.id",
	CodeText:         "code.text",
	CodeValid:        "code.valid",
	Statement:        "db.statement",
	CommandLine:      "process.command_line",
	Message:          "message",
	Cookie:           "http.request.cookie",
	WatchLevel:       "watch.level",
	WatchKind:        "watch.kind",

	URLNormal:            "url.normal",
	URLMarked:            "url.marked",
	URLShell:             "url.shell",
	QueryDecoded:         "url.query.decoded",
	QueryDecodedTwice:    "url.query.decoded_twice",
	QueryNormal:          "url.query.normal",
	ReferrerDecoded:      "http.request.referrer.decoded",
	ReferrerDecodedTwice: "http.request.referrer.decoded_twice",
	ReferrerNormal:       "http.request.referrer.normal",
	AgentDecoded:         "user_agent.original.decoded",
	AgentDecodedTwice:    "user_agent.original.decoded_twice",
	AgentNormal:          "user_agent.original.normal",
	CookieDecoded:        "http.request.cookie.decoded",
	CookieDecodedTwice:   "http.request.cookie.decoded_twice",
	CookieNormal:         "http.request.cookie.normal",

	HabitCountry:      "habit.country",
	HabitNetwork:      "habit.network",
	HabitDevice:       "habit.device",
	HabitHour:         "habit.hour",
	HabitTravel:       "habit.travel",
	HabitSpeed:        "habit.speed_kmh",
	HabitRealmCountry: "habit.realm_country",
	HabitVolume:       "habit.volume",
	HabitSession:      "habit.session_volume",
	HabitDays:         "habit.seen_days",
}

// String returns the field's name.
func (f Field) String() string { return fieldNames[f] }

// NumFields is how many fields there are.
const NumFields = int(numFields)

// FieldNamed returns the field of a name.
func FieldNamed(name string) (Field, bool) {
	f, ok := byName[name]
	return f, ok
}

// byName is never changed after it is made.
var byName = func() map[string]Field {
	m := make(map[string]Field, numFields)
	for f := range numFields {
		m[f.String()] = f
	}
	return m
}()
