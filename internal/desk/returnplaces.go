package desk

import (
	"net/url"
	"strings"

	"tocsin/internal/tuning"
)

// placeTrails are the paths at which foreign code lay that was brought as evidence: people write them where they say where it is from (web-1:/var/www/html/media/x.php). Of
// a path below the root of a web site its address is one, too, since that is what is asked for when it comes back.
func (d *Desk) placeTrails(places []string) (out []tuning.Trail) {
	for _, ref := range places {
		for _, p := range pathsIn(d.Text(ref)) {
			out = append(out, tuning.Trail{Kind: tuning.Path, Text: p, Seen: 1})
			if at := webPath(p); at != "" {
				out = append(out, tuning.Trail{Kind: tuning.Path, Text: at, Seen: 1})
			}
		}
	}
	return out
}

// placesAtMost is how many paths one text may name.
const placesAtMost = 20

// pathsIn finds paths of programs in what a person wrote: absolute ones, behind the name of a host, or in an address.
func pathsIn(text string) (out []string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;\"'`()<>[]{}|", r) }) {
		word = strings.TrimRight(word, ".:!?")
		if u, err := url.Parse(word); err == nil && u.Host != "" {
			word = u.Path
		} else if k := strings.Index(word, ":/"); k >= 0 {
			word = word[k+1:]
		}
		if strings.HasPrefix(word, "/") && runs(word) && len(out) < placesAtMost {
			out = append(out, word)
		}
	}
	return out
}

// webPath is how a file below the usual root of a web site is asked for, "" when it is below none. Of roots within each other (/var/www/shop/pub) the innermost counts.
func webPath(file string) string {
	best := ""
	for _, root := range []string{"/var/www/html/", "/srv/http/", "/usr/share/nginx/html/", "/public_html/", "/htdocs/", "/httpdocs/", "/pub/", "/public/", "/webroot/", "/wwwroot/"} {
		k := strings.LastIndex(file, root)
		if k < 0 || strings.HasPrefix(root, "/var/") && k != 0 {
			continue
		}
		if rest := file[k+len(root)-1:]; best == "" || len(rest) < len(best) {
			best = rest
		}
	}
	return best
}
