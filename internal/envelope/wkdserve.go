package envelope

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strconv"
	"strings"
)

func tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// ServeWKD answers for a Web Key Directory with our own keys, in its advanced and its direct form, and with its policy file. It is to be
// mounted at /.well-known/openpgpkey/ of openpgpkey.DOMAIN or of DOMAIN. present returns the key of the moment, and after it those that
// were revoked, whose revocation is to be known; none is right, too. Nothing else can be asked for, so nobody can try out who has a key here.
func ServeWKD(present func() []*Key) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET.", http.StatusMethodNotAllowed)
			return
		}
		body, kind := wkdFile(present(), r.URL.Path)
		if kind == "" {
			http.Error(w, "There is no key here.", http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Length", strconv.Itoa(len(body)))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Access-Control-Allow-Origin", "*") // for mail programs that run in a browser
		h.Set("Cache-Control", "max-age=3600")
		if r.Method == http.MethodGet {
			w.Write(body)
		}
	})
}

// wkdFile returns the file at path and its type; "" when there is none.
func wkdFile(keys []*Key, path string) (body []byte, kind string) {
	rest, ok := strings.CutPrefix(path, "/.well-known/openpgpkey/")
	if !ok {
		return nil, ""
	}
	for _, k := range keys {
		switch k.file(lower(rest)) {
		case "policy":
			return nil, "text/plain; charset=utf-8" // empty: no deviations
		case "key":
			body, kind = append(body, k.packets...), "application/octet-stream"
		}
	}
	return body, kind
}

// file says what of a key stands at a path below the directory, in either form: "key", "policy" or "" for nothing.
func (k *Key) file(path string) string {
	for _, a := range k.addresses {
		local, domain, fail := parted(a)
		if fail != nil {
			continue
		}
		switch strings.TrimPrefix(path, domain+"/") {
		case "policy":
			return "policy"
		case "hu/" + WKDHash(local):
			return "key"
		}
	}
	return ""
}
