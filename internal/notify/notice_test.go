package notify

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func notices() map[string]Notice {
	berlin := time.FixedZone("CEST", 2*60*60)
	one := Signin{At: begun, Account: "deploy", Realm: "ssh", Address: "203.0.113.9", Country: "BR", City: "Recife", Network: "AS64500 Example Net", How: "publickey", Host: "shop1", Log: "auth.log",
		New: []string{"the address", "the country"}}
	plain := Notice{Signins: []Signin{one}, Zone: berlin, Manage: "https://tocsin.shop.example/notices"}
	out := map[string]Notice{"plain": plain}
	n := plain
	n.Signins = []Signin{one, {Account: "anna", Realm: "admin", Agent: "Mozilla/5.0", Log: "app.jsonl"}, {At: begun, Realm: "odd"}}
	n.More, n.Of, n.Twice, n.Zone = 231, 14, true, nil
	out["overflow-twice-utc"] = n
	n = Notice{Digest: true, Zone: berlin, Manage: plain.Manage, Rest: 1, More: 2,
		Accounts: []Account{{"deploy", "ssh", 54, begun, []string{"203.0.113.9 (BR)", "192.0.2.4"}, true}, {"", "ftp", 1, begun, nil, false}}}
	out["digest"] = n
	out["test"] = Notice{Test: true, Manage: plain.Manage}
	n = plain
	n.Sample = true
	nasty := "www.evil.example https://evil.example\r\nBcc: eve@evil.example\n\u202e\x1b[2J=?utf-8?q?x?=" + strings.Repeat("W", 500)
	n.Signins = []Signin{{At: begun, Account: nasty, Realm: nasty, Address: nasty, Country: nasty, City: nasty, Network: nasty, How: nasty, Agent: nasty, Host: nasty, Log: nasty, New: []string{nasty}}}
	out["hostile"] = n
	return out
}

func TestNoticeWords(t *testing.T) {
	for name, n := range notices() {
		t.Run(name, func(t *testing.T) {
			m := n.Message("anna@shop.example", "notice-1-1@tocsin")
			got := m.Subject + "\n----\n" + m.Body
			file := filepath.Join("testdata", "notice-"+name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// linked is what mail programs make a link of without "://"; "www." at the end of a sentence is none.
var linked = regexp.MustCompile(`(?i)www\.\S`)

// Whatever a log says, a notice has one subject line, no link but ours, and nothing that turns or hides text.
func FuzzNotice(f *testing.F) {
	f.Add("deploy", "ssh", "203.0.113.9")
	f.Add("www.evil.example", "http://x", "\u202e\r\nBcc: a@b")
	f.Add("=?utf-8?q?x?=", "\x00", "\xff")
	f.Fuzz(func(t *testing.T, account, realm, text string) {
		n := Notice{Manage: "https://tocsin.example/notices", More: 3, Of: 2,
			Signins:  []Signin{{Account: account, Realm: realm, Address: text, Country: text, City: text, Network: text, How: text, Agent: text, Host: text, Log: text, New: []string{text}}},
			Accounts: []Account{{Account: account, Realm: realm, From: []string{text}}}, Digest: len(text)%2 == 1}
		m := n.Message("a@b.example", "x@y")
		if strings.ContainsAny(m.Subject, "\r\n") || len(m.Subject) > maxSubject || strings.Contains(m.Subject, "=?") || !utf8.ValidString(m.Subject+m.Body) {
			t.Errorf("subject %q", m.Subject)
		}
		if all := m.Subject + "\n" + m.Body; strings.Count(all, "://") != 1 || linked.MatchString(all) {
			t.Errorf("a link that is not ours: %q", all)
		}
		for _, r := range m.Subject + m.Body {
			if unicode.Is(unicode.C, r) && r != '\n' {
				t.Errorf("%U in %q", r, m.Body)
			}
		}
	})
}
