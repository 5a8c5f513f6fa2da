package cli

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/desk"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Given a line behind an alert of each kind of attack, when rules explain is asked about it, then it says why in words that somebody
// under stress can read: what in the line decided, and what it takes for the alarm.
func TestExplainReadsAsAPersonWouldSayIt(t *testing.T) {
	set, err := desk.LoadRules(os.DirFS("../../rules"))
	if err != nil {
		t.Fatal(err)
	}
	title := titlesOf(set)
	var b strings.Builder
	for _, c := range []struct{ rule, line string }{
		{"ssh_bruteforce", `Nov 10 02:20:07 shop1 sshd[14214]: Failed password for invalid user root from 36.101.53.159 port 52719 ssh2`},
		{"sqli_many", `198.51.100.77 - - [09/Nov/2026:15:40:01 +0000] "GET /shop/product-view.php?pid=7%20AND%20EXP%28~%28SELECT%20%2A%20FROM%20%28SELECT%20CONCAT%280x71766b7871%2C%28SELECT%20%28ELT%286910%3D6910%2C1%29%29%29%2C0x716b6a7871%2C0x78%29%29x%29%29 HTTP/1.1" 500 2273 "http://127.0.0.1:18080/shop/product-view.php" "sqlmap/1.7.2#stable (https://sqlmap.org)"`},
		{"stuffing_wave", `{"ts":"2026-11-10T18:02:17.375Z","event":"customer_login_failed","ip":"79.205.240.63","ua":"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0","account":"julia.richter462@example.net","reason":"bad_password"}`},
		{"card_testing", `{"ts":"2026-11-11T22:10:04.586Z","event":"payment_declined","ip":"203.0.113.8","ua":"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0","account":"guest","amount":0.5,"bin":"400000","last4":"9838","sid":"ekv2791i2k5l5i0hanr7urqa7i","reason":"invalid_cvc"}`},
		{"gift_card_found", `{"ts":"2026-11-12T01:17:58.091Z","event":"giftcard_check","ip":"198.51.100.201","ua":"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1","code":"GS-6****31","valid":false}`},
		{"web_shell_command", `95.26.74.34 - - [12/Nov/2026:03:49:24 +0000] "GET /wp-content/uploads/returns/retoure_foto.php?cmd=uname+-a HTTP/1.1" 200 51 "-" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15"`},
		{"script_uploaded", `{"ts":"2026-11-12T03:42:08.000Z","event":"return_photo_uploaded","ip":"95.26.74.34","ua":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15","file":"/wp-content/uploads/returns/retoure_foto.php","type":"image/jpeg","size":42}`},
		{"ftp_guessed", `Thu Nov 12 13:20:23 2026 [pid 14686] [lager] FAIL LOGIN: Client "14.171.11.152"`},
		{"admin_impossible_travel", `{"ts":"2026-11-13T08:41:06.000Z","event":"admin_login_ok","ip":"36.73.124.117","ua":"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36","account":"maria.keller"}`},
		{"export_many_bytes", `{"ts":"2026-11-13T08:55:36.000Z","event":"data_export","ip":"36.73.124.117","ua":"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36","account":"maria.keller","type":"newsletter","bytes":56320000}`},
		{"admin_api_bruteforce", `78.170.29.11 - - [11/Nov/2026:16:20:20 +0000] "POST /vendure/admin-api HTTP/1.1" 200 60 "-" "axios/1.6.2"`},
	} {
		for _, d := range set.Rules.Documents() {
			if d.Meta().Name != c.rule {
				continue
			}
			b.WriteString("# " + d.Meta().Title + "\n")
			if d.Correlation != nil { // what a rule looks for its description says, and changes with it
				b.WriteString(strings.Join(append(d.ExplainWith(title), below(set, d, title, nil)...), "\n") + "\n")
			}
			b.WriteString(why(set, d, c.line) + "\n")
		}
	}
	const name = "testdata/explain.golden"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Error(d)
	}
}
