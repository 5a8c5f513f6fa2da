package notify

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var testBounces = &Bounces{Domain: "shop.example", Secret: []byte("a secret of sixteen bytes")}

// written lays out a report.
func written(to, kind string, parts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "From: MAILER-DAEMON@mx.example\r\nTo: %s\r\nContent-Type: multipart/report; report-type=%s; boundary=\"x\"\r\n\r\n", to, kind)
	for _, p := range parts {
		b.WriteString("--x\r\n" + strings.ReplaceAll(p, "\n", "\r\n") + "\r\n")
	}
	return b.String() + "--x--\r\n"
}

const original = "Content-Type: text/rfc822-headers\n\nMessage-ID: <7@shop.example>\nSubject: x\n"

func TestReports(t *testing.T) {
	ours, err := testBounces.Address("call7.anna")
	if err != nil {
		t.Fatal(err)
	}
	theirs := strings.Replace(ours, "anna-", "eve-", 1)
	failed := "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\nOriginal-Envelope-Id: a+2Bb\n\n" +
		"Final-Recipient: rfc822; anna+20@shop.example\nOriginal-Recipient: rfc822;anna+2B20@shop.example\nAction: Failed\nStatus: 5.1.1 (no such)\nRemote-MTA: dns; mx2.example\nDiagnostic-Code: smtp; 550 5.1.1 no\n  such user\x1b[31m\n"
	outcome := Outcome{Recipient: "anna+20@shop.example", Original: "anna+20@shop.example", Action: "failed", Status: "5.1.1", Words: "smtp; 550 5.1.1 no such user[31m", Remote: "dns; mx2.example"}
	for _, c := range []struct {
		name, to, raw string
		want          Report
		err           error
	}{
		{"failed", "", written(ours, "delivery-status", "Content-Type: text/plain\n\nSorry.\n", failed, original),
			Report{Ref: "call7.anna", MessageID: "7@shop.example", Envelope: "a+b", By: "dns; mx.example", Outcomes: []Outcome{outcome}}, nil},
		{"case changed on the way, delivered by another header", "", "Delivered-To: " + strings.ToUpper(ours) + "\r\n" + written("x@shop.example", "delivery-status", failed),
			Report{Ref: "call7.anna", Envelope: "a+b", By: "dns; mx.example", Outcomes: []Outcome{outcome}}, nil},
		{"by where it was delivered", "<" + ours + ">", written("x@shop.example", "delivery-status", failed),
			Report{Ref: "call7.anna", Envelope: "a+b", By: "dns; mx.example", Outcomes: []Outcome{outcome}}, nil},
		{"late", "", written(ours, "delivery-status", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822;anna@x.example\nAction: delayed\nStatus: 4.4.1\n"),
			Report{Ref: "call7.anna", By: "dns; a", Outcomes: []Outcome{{Recipient: "anna@x.example", Action: "delayed", Status: "4.4.1"}}}, nil},
		{"global, in base 64", "", written(ours, "delivery-status", "Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n"+
			"UmVwb3J0aW5nLU1UQTogZG5zOyBhCgpGaW5hbC1SZWNpcGllbnQ6IHV0Zi04OyBiXHh7RTR9bkB4\nLmV4YW1wbGUKQWN0aW9uOiBmYWlsZWQKU3RhdHVzOiA1LjEuMQo=\n"),
			Report{Ref: "call7.anna", By: "dns; a", Outcomes: []Outcome{{Recipient: "bän@x.example", Action: "failed", Status: "5.1.1"}}}, nil},
		{"in a part of a part", "", written(ours, "delivery-status", "Content-Type: multipart/mixed; boundary=\"y\"\n\n--y\n"+failed+"--y--\n"),
			Report{Ref: "call7.anna", Envelope: "a+b", By: "dns; mx.example", Outcomes: []Outcome{outcome}}, nil},
		{"a complaint", "", written("abuse@shop.example", "feedback-report", "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Mail-From: <"+ours+">\n", strings.Replace(original, "text/rfc822-headers", "message/rfc822", 1)),
			Report{Ref: "call7.anna", Complaint: "abuse", MessageID: "7@shop.example"}, nil},
		{"a token of somebody else", "", written(theirs, "delivery-status", failed), Report{}, ErrForged},
		{"no token", "", written("bounce@shop.example", "delivery-status", failed), Report{}, ErrForged},
		{"our token at another domain", "", written(strings.Replace(ours, "@shop", "@evil", 1), "delivery-status", failed), Report{}, ErrForged},
		{"on leave", "", "To: " + ours + "\r\nAuto-Submitted: auto-replied\r\nContent-Type: text/plain\r\n\r\nFinal-Recipient: rfc822;x\r\n", Report{}, ErrNoReport},
		{"a report of nobody", "", written(ours, "delivery-status", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n"), Report{}, ErrNoReport},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadReport(strings.NewReader(c.raw), c.to, testBounces)
			if !errors.Is(err, c.err) || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v, %v\nwant %+v, %v", got, err, c.want, c.err)
			}
		})
	}
	many := written(ours, "delivery-status", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\n"+strings.Repeat("Final-Recipient: rfc822;x@x.example\nAction: failed\n\n", 5000))
	if got, err := ReadReport(strings.NewReader(many), "", testBounces); err != nil || len(got.Outcomes) != maxOutcome {
		t.Errorf("%d outcomes, %v", len(got.Outcomes), err)
	}
	if _, err := ReadReport(strings.NewReader(strings.Repeat("x", maxReport+1)), "", testBounces); err == nil {
		t.Error("a report without bounds was read")
	}
}

func TestBouncesAreReadBack(t *testing.T) {
	for _, ref := range []string{"a", "call3.2.anna", "call_1", strings.Repeat("x", 40)} {
		a, err := testBounces.Address(ref)
		if err != nil {
			t.Fatal(err)
		}
		if local, _, _ := strings.Cut(a, "@"); len(local) > 64 {
			t.Errorf("%s is longer than 64 (RFC 5321 4.5.3.1.1)", local)
		}
		if _, err := address(a); err != nil {
			t.Error(err)
		}
		for _, form := range []string{a, strings.ToUpper(a)} {
			if got, err := testBounces.Read(form); err != nil || got != ref {
				t.Errorf("%s: %q, %v", form, got, err)
			}
		}
		for i := range a {
			changed := a[:i] + string(a[i]^1) + a[i+1:]
			if got, err := testBounces.Read(changed); err == nil && !strings.EqualFold(changed, a) {
				t.Errorf("%s was taken for %s", changed, got)
			}
		}
	}
	for _, ref := range []string{"", "A", "a b", "a+b", "a-b", ".a", "a@b", strings.Repeat("x", 41), "a\r\nb"} {
		if _, err := testBounces.Address(ref); err == nil {
			t.Errorf("%q was taken", ref)
		}
	}
	for _, b := range []*Bounces{{Domain: "shop.example"}, {Domain: "shop.example", Secret: []byte("short")}, {Secret: make([]byte, 16)}, {Local: "very-long", Domain: "a.example", Secret: make([]byte, 16)}, {Domain: "a b", Secret: make([]byte, 16)}} {
		if _, err := NewMail(MailOptions{Host: "h", From: "a@b.example", Bounces: b}); err == nil {
			t.Errorf("%+v was taken", b)
		}
	}
}

// FuzzReport: whatever a report says, what is read of it is bounded, on one line, and believed only with a token of ours.
func FuzzReport(f *testing.F) {
	ours, err := testBounces.Address("r1")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(written(ours, "delivery-status", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822;x@x.example\nAction: failed\nStatus: 5.1.1\n", original), "")
	f.Add(written("x", "feedback-report", "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Mail-From: <"+ours+">\n"), ours)
	f.Add("To: "+ours+"\r\n\r\n", "a@b")
	f.Fuzz(func(t *testing.T, raw, to string) {
		r, err := ReadReport(strings.NewReader(raw), to, testBounces)
		if err != nil {
			if !reflect.DeepEqual(r, Report{}) {
				t.Fatalf("%v, and yet %+v", err, r)
			}
			return
		}
		token, err := testBounces.Address(r.Ref)
		if err != nil {
			t.Fatal(err)
		}
		// Folding and encodings may hide the token from a plain look.
		if plain := strings.ToLower(raw + to); !strings.Contains(plain, token) && !strings.Contains(plain, "base64") && !strings.Contains(plain, "quoted") && !strings.Contains(plain, "\n ") && !strings.Contains(plain, "\n\t") {
			t.Fatalf("believed without a token: %+v", r)
		}
		all := []string{r.Complaint, r.MessageID, r.Envelope, r.By}
		for _, o := range r.Outcomes {
			all = append(all, o.Recipient, o.Original, o.Action, o.Status, o.Words, o.Remote)
		}
		if len(r.Outcomes) > maxOutcome || len(r.Outcomes) == 0 && r.Complaint == "" {
			t.Fatalf("%d outcomes", len(r.Outcomes))
		}
		for _, s := range all {
			if len(s) > maxReply || strings.ContainsAny(s, "\r\n\x00\x1b\u202e") {
				t.Fatalf("not clean: %q", s)
			}
		}
	})
}
