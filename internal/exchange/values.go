package exchange

import (
	"net/netip"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// right reports whether a value is of its kind, and brings it into its one form.
func (v *Value) right() bool {
	if v.Text == "" || len(v.Text) > maxValue || !utf8.ValidString(v.Text) || strings.ContainsFunc(v.Text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return false
	}
	switch v.Kind {
	case "address":
		a, err := netip.ParseAddr(v.Text)
		if err != nil || a.IsUnspecified() {
			return false
		}
		v.Text = a.Unmap().WithZone("").String()
	case "hash":
		v.Text = strings.ToLower(v.Text)
		return v.hash() != "" && strings.Trim(v.Text, "0123456789abcdef") == ""
	case "path":
		if v.Text = path.Clean(v.Text); !strings.HasPrefix(v.Text, "/") || v.Text == "/" {
			return false
		}
	case "domain":
		v.Text = strings.ToLower(strings.TrimSuffix(v.Text, "."))
		return strings.Contains(v.Text, ".") && !strings.ContainsAny(v.Text, " /:@'\"")
	case "url":
		scheme, rest, ok := strings.Cut(v.Text, "://")
		return ok && scheme != "" && rest != "" && !strings.ContainsAny(v.Text, " \"<>")
	case "request":
		return strings.HasPrefix(v.Text, "/") && v.Text != "/"
	case "account", "agent":
	default:
		return false
	}
	return true
}

// hash names the algorithm of a hash, as STIX does.
func (v *Value) hash() string {
	return map[int]string{32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}[len(v.Text)]
}

// pattern is the STIX pattern by which one recognises it (STIX 2.1, section 9).
func (v *Value) pattern() string {
	quoted := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v.Text) + "'"
	switch v.Kind {
	case "address":
		if strings.Contains(v.Text, ":") {
			return "[ipv6-addr:value = " + quoted + "]"
		}
		return "[ipv4-addr:value = " + quoted + "]"
	case "hash":
		name := v.hash()
		if strings.Contains(name, "-") {
			name = "'" + name + "'"
		}
		return "[file:hashes." + name + " = " + quoted + "]"
	case "path":
		dir, file := path.Split(v.Text)
		quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
		return "[file:name = '" + quote.Replace(file) + "' AND file:parent_directory_ref.path = '" + quote.Replace(path.Clean(dir)) + "']"
	case "request":
		return "[network-traffic:extensions.'http-request-ext'.request_value = " + quoted + "]"
	case "agent":
		return "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = " + quoted + "]"
	case "domain":
		return "[domain-name:value = " + quoted + "]"
	case "url":
		return "[url:value = " + quoted + "]"
	}
	return "[user-account:account_login = " + quoted + "]"
}
