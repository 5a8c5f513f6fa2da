package intake

import (
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/record"
)

// Given the logs of the range, when they are read, then no line is left over.
func TestRangeHasNothingUnparsed(t *testing.T) {
	logLines(t, "range-a/logs/auth.log") // skips without the data
	for _, pattern := range []string{"range-a/logs/*", "range-a/same/*"} {
		files, err := filepath.Glob(filepath.Join(shared, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			rel, err := filepath.Rel(shared, path)
			if err != nil {
				t.Fatal(err)
			}
			shownOnes := 0
			for i, r := range records(t, filepath.ToSlash(rel)) {
				bad := r.Class == record.Unparsed || r.Class == record.Empty
				bad = bad || r.Class == record.Parsed && (r.Time.IsZero() || r.Text(record.EventAction) == "")
				if bad && shownOnes < 5 {
					shownOnes++
					t.Errorf("%s line %d is %s at %s: %.200s", rel, i+1, r.Class, r.Time, r.Line.Raw)
				}
			}
		}
	}
}

// Given the same requests in two formats, when both are read, then every field that both carry is equal.
func TestSameLinesGiveSameRecords(t *testing.T) {
	for _, pair := range [][2]string{
		{"range-a/logs/access.log", "range-a/same/access.json"},
		{"range-a/logs/auth.log", "range-a/same/auth.iso.log"},
	} {
		a, b := records(t, pair[0]), records(t, pair[1])
		if len(a) != len(b) {
			t.Fatalf("%s has %d lines, %s %d", pair[0], len(a), pair[1], len(b))
		}
		both := map[string]int{}
		faults := 0
		for i := range a {
			if a[i].Time.Unix() != b[i].Time.Unix() {
				t.Errorf("line %d: %s and %s", i+1, a[i].Time, b[i].Time)
				faults++
			}
			other := values(b[i])
			for name, v := range values(a[i]) {
				w, has := other[name]
				if !has {
					continue
				}
				both[name]++
				if v != w {
					t.Errorf("line %d: %s is %q and %q", i+1, name, v, w)
					faults++
				}
			}
			if faults > 10 {
				t.Fatal("and more")
			}
		}
		t.Logf("%d lines of %s, fields compared: %v", len(a), filepath.Base(pair[0]), sortedKeys(both))
		if both["source.ip"] == 0 || both["event.action"] != len(a) {
			t.Errorf("too little was compared: %v", both)
		}
	}
}

// Given the failed attempts of the range, when sign-ins are counted, then each log has each attempt once.
func TestAttemptsCountOnce(t *testing.T) {
	for _, c := range []struct {
		path, realm string
		want        int
		line        string // what the log writes once per attempt
	}{
		{"range-a/logs/auth.log", "ssh", 0, "Failed password for "},
		{"range-a/logs/auth.log", "ftp", 0, "pam_unix(vsftpd:auth): authentication failure"},
		{"range-a/logs/vsftpd.log", "ftp", 0, "FAIL LOGIN"},
		{"range-a/logs/wp-auth.log", "admin", 0, "Authentication failure for "},
	} {
		for _, l := range logLines(t, c.path) {
			if strings.Contains(l, c.line) {
				c.want++
			}
		}
		got := 0
		for _, r := range records(t, c.path) {
			if r.Text(record.EventAction) == "login" && r.Text(record.EventOutcome) == "failure" && r.Text(record.UserRealm) == c.realm {
				got++
			}
		}
		if got != c.want || got == 0 {
			t.Errorf("%s, %s: %d failed sign-ins, the log has %d", c.path, c.realm, got, c.want)
		}
	}
}

// Given log samples with known expectations, when they are read, then nothing is left over and the expected
// addresses and accounts are there.
func TestSamplesOfOthers(t *testing.T) {
	for _, c := range []struct {
		path string
		want map[string]int // "source.ip=..." and how many records have it
	}{
		{"hub/apache-cve-2021-41773/apache-cve-2021-41773.log", map[string]int{"source.ip=88.168.206.87": 1, "source.ip=172.17.0.1": 1, "source.ip=172.17.0.2": 1}},
		{"hub/apache2-malformed/apache2-logs.log", map[string]int{"source.ip=1.2.3.4": 11, "http.response.status_code=400": 11}},
		{"hub/http-bf-wordpress-bf/http-bf-wordpress-bf.log", map[string]int{"source.ip=81.150.104.130": 9, "url.path=/wp-login.php": 9, "host.name=ip-172-31-43-28.us-east-2.compute.internal": 9}},
		{"hub/magento-ccs/magento-ccs.log", map[string]int{"source.ip=1.2.3.4": 4, "event.action=payment": 4, "event.outcome=failure": 4}},
		{"hub/mariadb-bf/mariadb-bf.log", map[string]int{"source.ip=172.17.0.1": 9, "user.name=example-user": 9}},
		{"hub/mysql-bf/mysql-bf.log", map[string]int{"source.ip=27.155.87.54": 7, "user.name=root": 7}},
		{"hub/nginx-mail-logs/nginx-mail-logs.log", map[string]int{"source.ip=5.34.207.182": 2, "user.name=servers@example.com": 1, "source.ip=201.170.64.255": 1}},
		{"hub/pgsql-user-enum/pgsql-user-enum.log", map[string]int{"source.ip=65.2.129.7": 6, "user.name=zysk": 1}},
		{"hub/proftpd-logs/proftpd-logs.log", map[string]int{"source.ip=192.168.1.142": 2, "source.ip=1.1.1.1": 2, "source.ip=2a02:8070:e186:16e1:1111:222:3333:b173": 1, "user.name=unruffled-feynman": 1}},
		{"hub/pureftpd-bf/pureftpd-bf.log", map[string]int{"source.ip=172.21.10.2": 16, "event.outcome=success": 1}},
		{"hub/ssh-bf/ssh-bf.log", map[string]int{"source.ip=35.188.49.176": 6, "event.action=invalid-user": 6}},
		{"hub/ssh-timeout/ssh-timeout.log", map[string]int{"source.ip=192.168.9.212": 4, "source.ip=192.168.9.213": 4}},
		{"hub/vsftpd-bf/vsftpd-bf.log", map[string]int{"source.ip=93.24.101.89": 6, "user.name=user": 6}},
		{"hub/nginx-http-malformed/nginx_http-logs.log", map[string]int{"source.ip=1.2.3.4": 12, "http.response.status_code=400": 12}},
		{"logs/elastic/apache_access_10k.log", map[string]int{"event.action=request": 10000}},
		{"logs/elastic/auth.log", map[string]int{"user.name=elastic_user_7": 106}},
	} {
		t.Run(c.path, func(t *testing.T) {
			got := map[string]int{}
			for i, r := range records(t, c.path) {
				if r.Class == record.Unparsed {
					t.Errorf("line %d is unparsed: %.200s", i+1, r.Line.Raw)
				}
				for name, v := range r.Fields {
					got[name+"="+v.Text]++
				}
			}
			for what, n := range c.want {
				if got[what] != n {
					t.Errorf("%s: %d records, want %d", what, got[what], n)
				}
			}
		})
	}
}
