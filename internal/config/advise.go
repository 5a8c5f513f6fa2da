package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// advise says which known key was probably meant by one that is not.
func advise(name, within string, names []string) string {
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if key, ok := otherWords()[strings.ToLower(name)]; ok && slices.Contains(names, key) {
		return fmt.Sprintf("did you mean %q?", key)
	}
	if within == "" {
		if key, ok := otherWords()[strings.ToLower(name)]; ok {
			name = key
		}
	}
	var places []string
	for _, key := range allKeys(reflect.TypeFor[Config](), "") {
		if key == name || strings.HasSuffix(key, "."+name) {
			places = append(places, fmt.Sprintf("%q", key))
		}
	}
	if len(places) > 0 {
		return "there is " + strings.Join(places, " and ") + ": it may stand at the wrong place or be indented wrongly"
	}
	return "known here are " + strings.Join(names, ", ")
}

// otherWords are keys of other programs, for what is meant here.
func otherWords() map[string]string {
	return map[string]string{
		"smtp": "mail", "email": "mail", "password": "password_file", "webhook": "webhook_file", "slack": "webhook_file",
		"address": "listen", "bind": "listen", "port": "listen", "host": "listen", "logs": "watch", "files": "watch", "timezone": "zone", "tz": "zone",
		"users": "people", "team": "people", "contacts": "people", "policy": "escalation", "proxies": "trusted_proxies", "base_url": "public_url", "certificate": "tls", "calls": "escalation", "silent_sources": "silent",
	}
}

// allKeys returns every key, lists as "people[].id", tables without their keys.
func allKeys(t reflect.Type, within string) []string {
	var all []string
	for i, name := range keysOf(t) {
		key := join(within, name)
		all = append(all, key)
		ft, under := t.Field(i).Type, key
		if ft.Kind() == reflect.Slice {
			ft, under = ft.Elem(), key+"[]"
		}
		if ft.Kind() == reflect.Struct && ft != reflect.TypeFor[Network]() && ft != reflect.TypeFor[Zone]() {
			all = append(all, allKeys(ft, under)...)
		}
	}
	return all
}

// nearest returns the name that is most like s, "" when none is like it: at most one change in three letters.
func nearest(s string, names []string) string {
	best, least := "", max(1, len(s)/3)+1
	s = strings.ToLower(strings.ReplaceAll(s, "-", "_"))
	for _, n := range names {
		if d := distance(s, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their neighbour to make b of a (optimal string
// alignment).
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// oneOf words a choice, with what was probably meant.
func oneOf(got string, choices []string) string {
	if near := nearest(got, choices); near != "" && !slices.Contains(choices, got) {
		return fmt.Sprintf("%q is unknown; did you mean %q?", got, near)
	}
	return fmt.Sprintf("%q is unknown; it can be %s", got, strings.Join(choices, ", "))
}
