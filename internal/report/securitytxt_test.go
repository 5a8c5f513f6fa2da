package report

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ours() SecurityTxt {
	return SecurityTxt{Contact: []string{"https://tocsin.shop.example/report", "mailto:security@shop.example", "tel:+4930123456"}, Expires: t0.Add(MostValid), Encryption: []string{"https://shop.example/key.asc"},
		Languages: []string{"en", "de", "pt-BR"}, Canonical: []string{"https://shop.example/.well-known/security.txt"}, Policy: []string{"https://shop.example/policy"}}
}

const signature = "-----BEGIN PGP SIGNATURE-----\r\n\r\niQ==\r\n-----END PGP SIGNATURE-----\r\n"

func cleared(text string) (string, error) {
	return "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA512\r\n\r\n" + text + signature, nil
}

func TestSecurityTxt(t *testing.T) {
	text, err := ours().Text()
	want := strings.ReplaceAll(`Contact: https://tocsin.shop.example/report
Contact: mailto:security@shop.example
Contact: tel:+4930123456
Expires: 2027-11-27T09:00:00Z
Encryption: https://shop.example/key.asc
Canonical: https://shop.example/.well-known/security.txt
Policy: https://shop.example/policy
Preferred-Languages: en, de, pt-BR
`, "\n", "\r\n")
	if d := cmp.Diff(want, text); d != "" || err != nil {
		t.Error(d, err)
	}
	signed, err := ours().Sign(cleared)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseSecurityTxt(signed)
	mine := ours()
	mine.Signed = true
	if d := cmp.Diff(mine, back); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := ours().Sign(func(string) (string, error) { return "", errors.New("no key") }); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Error(err)
	}
	if _, err := ours().Sign(func(s string) (string, error) { return cleared(strings.Replace(s, "shop", "shup", 1)) }); err == nil || !strings.Contains(err.Error(), "changed its text") {
		t.Error("a signer that changes the text:", err)
	}
	if _, err := ours().Sign(func(s string) (string, error) { return s, nil }); err == nil {
		t.Error("a signer that does not sign passes")
	}
}

func TestSecurityTxtOfOthers(t *testing.T) {
	x, err := ParseSecurityTxt("# we are here\n\nCONTACT:mailto:a@b.example\nexpires: 2027-01-01t00:00:00z\nX-Unknown: yes\nPreferred-Languages: en,  fr \n")
	if err != nil || len(x.Contact) != 1 || x.Expires.Year() != 2027 || len(x.Languages) != 2 || x.Languages[1] != "fr" || len(x.Problems(t0)) != 0 {
		t.Errorf("%+v, %v, %q", x, err, x.Problems(t0))
	}
	for _, c := range []struct{ text, want string }{
		{"Contact", "line 1"}, {": x", "line 1"}, {"a b: x", "line 1"}, {"Contact:", "line 1"}, {"Expires: tomorrow", "RFC 3339"}, {"Expires: 2027-01-01T00:00:00Z\nExpires: 2027-01-01T00:00:00Z", "twice"},
		{"Preferred-Languages: en\nPreferred-Languages: de", "twice"}, {strings.Repeat("Contact: https://a.example\n", 101), "more than 100"}, {strings.Repeat("#", 40000), "40000 bytes"},
		{clearBegin + "\nHash: x\n\nContact: https://a.example\n", "no signature"}, {clearBegin, "no signature"},
	} {
		if _, err := ParseSecurityTxt(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
	}
	for _, c := range []struct {
		change func(*SecurityTxt)
		want   string
	}{
		{func(x *SecurityTxt) { x.Contact = nil }, "no Contact"}, {func(x *SecurityTxt) { x.Expires = time.Time{} }, "no Expires"}, {func(x *SecurityTxt) { x.Expires = t0 }, "expired on 2026-11-28"},
		{func(x *SecurityTxt) { x.Contact[0] = "http://a.example" }, "must begin with https"}, {func(x *SecurityTxt) { x.Contact[0] = "security@shop.example" }, "needs a scheme"}, {func(x *SecurityTxt) { x.Policy = []string{"mailto:a@b.example"} }, "needs a scheme"},
		{func(x *SecurityTxt) { x.Contact[0] = "https://a.example/\r\nContact: https://evil.example" }, "is no URI"}, {func(x *SecurityTxt) { x.Languages = []string{"e\nn"} }, "no language tag"}, {func(x *SecurityTxt) { x.Canonical = []string{"javascript:alert(1)"} }, "needs a scheme"},
	} {
		x := ours()
		c.change(&x)
		if got := strings.Join(x.Problems(t0), "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
		if _, err := x.Text(); err == nil && c.want != "expired on 2026-11-28" {
			t.Errorf("it is written with %q", c.want)
		}
	}
	for days, want := range map[int]string{31: "", 30: "expires in 30 days", 2: "expires in 2 days", 1: "expires in 1 day.", 0: "expired on"} {
		x := SecurityTxt{Expires: t0.Add(time.Duration(days) * 24 * time.Hour)}
		if got := x.Warning(t0); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%d days before: %q, want %q", days, got, want)
		}
	}
	if got := (SecurityTxt{Expires: t0.Add(time.Hour)}).Warning(t0); got != "security.txt expires today. Make a new one." {
		t.Errorf("%q", got)
	}
}

// FuzzSecurityTxt: what reads and has no problem is written, and reads the same; signed, too.
func FuzzSecurityTxt(f *testing.F) {
	text, err := ours().Text()
	if err != nil {
		f.Fatal(err)
	}
	signed, err := cleared(text)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{text, signed, "Contact: tel:1\nExpires: 2027-01-01T00:00:00.5+02:00", clearBegin + "\n\n- -Contact: x\n" + clearEnd} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := ParseSecurityTxt(text)
		if err != nil {
			return
		}
		out, err := x.Text()
		if err != nil {
			return
		}
		back, err := ParseSecurityTxt(out)
		if err != nil {
			t.Fatalf("%q was written as %q, which does not read: %v", text, out, err)
		}
		again, err := back.Text()
		if err != nil || again != out {
			t.Fatalf("%q, then %q (%v)", out, again, err)
		}
	})
}
