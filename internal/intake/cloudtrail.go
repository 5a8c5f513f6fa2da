package intake

import (
	"strings"

	"tocsin/internal/record"
)

var (
	cloudCategory = []string{"authentication"}
	cloudRealm    = record.Text("cloud")
)

// cloudTrail reads an event of AWS's CloudTrail (AWS CloudTrail User Guide, record contents). All its members stay in Extra under their own names with
// dots, which SigmaHQ's rules use, and so do the whole texts of requestParameters and responseElements. Members of the event itself
// come first, then who did it, because a long request must not push them out.
func (p *Parser) cloudTrail(r *record.Record, s string) bool {
	r.Grow(14)
	r.Class = record.Parsed
	r.Source = record.LogSource{Product: "aws", Service: "cloudtrail"}
	for _, rank := range []func(string) bool{
		func(key string) bool { return !strings.Contains(key, ".") },
		func(key string) bool { return strings.HasPrefix(key, "userIdentity.") },
		func(key string) bool { return strings.HasPrefix(key, "additionalEventData.") },
		func(key string) bool { return strings.HasPrefix(key, "requestParameters.") },
		func(key string) bool { return strings.HasPrefix(key, "responseElements.") },
		otherMember,
	} {
		for _, m := range p.pairs {
			if m.kind != jsonNull && rank(m.key) {
				extra(r, m.key, m.typed())
			}
		}
	}
	r.Extra = r.Extra[:min(len(r.Extra), maxExtra-2)]
	for _, name := range []string{"requestParameters", "responseElements"} {
		textExtra(r, name, memberText(s, name))
	}
	r.Time, _ = textTime(p.text("eventTime"), p.zone)
	r.SetText(record.EventCode, p.text("eventName"))
	r.SetText(record.UserAgent, orMissing(p.text("userAgent")))
	if why := p.text("errorMessage"); why != "" {
		r.Set(record.EventReason, record.Text(why))
	} else if why := p.text("errorCode"); why != "" {
		r.Set(record.EventReason, record.Text(why))
	}
	p.client(r, p.text("sourceIPAddress"), "")
	p.cloudAccount(r)
	p.cloudAction(r)
	return true
}

// otherMember knows the members of the other objects in an event.
func otherMember(key string) bool {
	of, _, nested := strings.Cut(key, ".")
	switch of {
	case "userIdentity", "additionalEventData", "requestParameters", "responseElements":
		return false
	}
	return nested
}

func orMissing(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// cloudAccount names who did it: the user, else the role's session, else what the identity is.
func (p *Parser) cloudAccount(r *record.Record) {
	r.Set(record.UserRealm, cloudRealm)
	name := p.text("userIdentity.userName")
	if name == "" {
		if arn := p.text("userIdentity.arn"); arn != "" {
			name = arn[strings.LastIndexByte(arn, '/')+1:]
			name = name[strings.LastIndexByte(name, ':')+1:]
		}
	}
	if name == "" {
		name = strings.ToLower(p.text("userIdentity.type"))
	}
	if name != "" {
		r.SetText(record.UserName, name)
	}
}

// cloudAction says in the words of all logs what was done; the event's own name is event.code.
func (p *Parser) cloudAction(r *record.Record) {
	outcome := "success"
	if p.text("errorCode") != "" || p.text("errorMessage") != "" {
		outcome = "failure"
	}
	switch p.text("eventName") {
	case "ConsoleLogin":
		if p.text("responseElements.ConsoleLogin") == "Failure" {
			outcome = "failure"
		}
		signIn(r, "login", outcome, cloudRealm)
		r.Source.Categories = cloudCategory
		return
	case "CreateUser":
		act(r, "user-created")
	case "DeleteUser":
		act(r, "user-deleted")
	case "AttachUserPolicy", "PutUserPolicy", "AttachRolePolicy", "PutRolePolicy", "AddUserToGroup", "AttachGroupPolicy", "PutGroupPolicy":
		act(r, "role-changed")
	case "UpdateLoginProfile", "CreateLoginProfile", "ChangePassword":
		act(r, "password-change")
	default:
		act(r, "cloud-call")
	}
	r.Set(record.EventOutcome, record.Text(outcome))
}

// memberText returns the text of an object that is a member of the whole, as it stands, "" when there is none. It skips what stands in texts and in
// other objects.
func memberText(s, name string) string {
	depth, from := 0, -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			end := stringEnd(s, i)
			if depth == 1 && from < 0 && end-i-1 == len(name) && s[i+1:end] == name {
				rest := blanks(s[min(end+1, len(s)):])
				if rest = blanks(strings.TrimPrefix(rest, ":")); strings.HasPrefix(rest, "{") {
					from = len(s) - len(rest)
				}
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 1 && from >= 0 {
				return s[from : i+1]
			}
		}
	}
	return ""
}

// stringEnd returns where the string ends whose quote is at i, len(s) when it does not.
func stringEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(s)
}
