package intake

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"tocsin/internal/record"
)

// cloudFrontEscape is what CloudFront does to a value (Developer Guide, standard log file format).
func cloudFrontEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"#%{}|\\^~[]`'", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// haproxyEscape is what HAProxy does to a request line (src/log.c: url_encode_map).
func haproxyEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '#' {
			fmt.Fprintf(&b, "#%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// The law, for logs that encode what would break their line: what they print is read back as it was, and names the client.
func FuzzEdge(f *testing.F) {
	f.Add("/a?b=%27#x", "agent \"x\"\n", "http://x/ y")
	f.Add("/9.9.9.9:1 [14/Jan/2015:12:48:57.127] a b/c", `\" 1 "r" "9.9.9.9" 2ms`, "\u2028\xff")
	f.Fuzz(func(t *testing.T, path, agent, ref string) {
		url := "/" + strings.TrimLeft(path, "/")
		if strings.ContainsAny(agent+ref, "\x00") || agent == "-" || ref == "-" || agent == "" || ref == "" {
			t.Skip()
		}
		stem, query, asked := strings.Cut(url, "?")
		escaped := "-"
		if asked && query != "" && query != "-" {
			escaped = cloudFrontEscape(query)
		} else if asked {
			t.Skip() // an empty query is none there
		}
		js := func(v any) string {
			b, err := json.Marshal(v)
			if err != nil || !json.Valid(b) {
				t.Skip()
			}
			return string(b)
		}
		plain := utf8.ValidString(url) && utf8.ValidString(agent) && utf8.ValidString(ref)
		for _, c := range []struct {
			line        string
			url, agents bool
			needsText   bool
			format      string
		}{
			{"2024-03-12\t15:22:28\tC\t703\t203.0.113.7\tGET\td\t" + cloudFrontEscape(stem) + "\t400\t" + cloudFrontEscape(ref) + "\t" + cloudFrontEscape(agent) + "\t" + escaped +
				"\t-\tError\tx\th\thttps\t62\t0.113\t-\tT\tA\tError\tHTTP/2.0\t-\t-\t5\t0.1\tError\tt\t20\t-\t-", true, true, false, "cloudfront"},
			{`203.0.113.7:1 [14/Jan/2015:12:48:57.127] a b/c 0/0/0/0/0 200 739 - - ---- 0/0/0/0/0 0/0 "GET ` + haproxyEscape(url) + ` HTTP/1.1"`, true, false, false, "haproxy"},
			{"203.0.113.7 - - [02/Oct/2017:20:22:07 +0000] \"GET / HTTP/1.1\" 200 0 " + strconv.Quote(ref) + " " + strconv.Quote(agent) + ` 1 "r" "s" 2ms`, false, true, false, "traefik"},
			{js(map[string]any{"ClientIP": realIP, "ClientRequestMethod": "GET", "ClientRequestURI": url, "RayID": "1", "ClientRequestUserAgent": agent, "ClientRequestReferer": ref}), true, true, true, "cloudflare"},
			{js(map[string]any{"ClientAddr": realIP + ":5", "RequestMethod": "GET", "RequestPath": url, "StartUTC": "2021-12-08T14:02:43Z", "request_User-Agent": agent, "request_Referer": ref}), true, true, true, "traefik-json"},
			{js(map[string]any{"ts": 1.7e9, "logger": "http.log.access", "request": map[string]any{"remote_ip": realIP, "method": "GET", "uri": url,
				"headers": map[string]any{"User-Agent": []string{agent}, "Referer": []string{ref}}}}), true, true, true, "caddy"},
			{js(map[string]any{"date": "2024-11-14", "time": "22:34:06", "c-ip": realIP, "cs-method": "GET", "cs-uri-stem": cloudFrontEscape(stem), "cs-uri-query": escaped, "sc-status": "200",
				"cs(User-Agent)": cloudFrontEscape(agent), "cs(Referer)": cloudFrontEscape(ref)}), true, true, false, "cloudfront"},
		} {
			if c.needsText && !plain {
				continue
			}
			r := parse(t, Options{}, c.line)
			if r.Format != c.format || r.Text(record.SourceIP) != realIP {
				t.Fatalf("%s\nis %s of %q", c.line, r.Format, r.Text(record.SourceIP))
			}
			if got := r.Text(record.URLOriginal); c.url && got != url {
				t.Fatalf("%s\nurl is %q, want %q", c.line, got, url)
			}
			if got := r.Text(record.UserAgent); c.agents && got != agent {
				t.Fatalf("%s\nagent is %q, want %q", c.line, got, agent)
			}
			if got := r.Text(record.HTTPReferrer); c.agents && got != ref {
				t.Fatalf("%s\nreferrer is %q, want %q", c.line, got, ref)
			}
		}
	})
}
