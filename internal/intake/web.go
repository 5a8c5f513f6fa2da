package intake

import (
	"strings"

	"tocsin/internal/record"
)

// webFields is how many fields a line of a web server's log usually sets; more cost one allocation.
const webFields = 22

var (
	webCategory = []string{"webserver"}
	httpAction  = record.Text("request")
	adminRealm  = record.Text("admin")
)

// webSource is the log source of an access log. Sigma's web rules name the category only.
func webSource(product string) record.LogSource {
	return record.LogSource{Categories: webCategory, Product: product, Service: "access"}
}

// setRequest reads a request line: method, URL, version. A request that is none (a scanner's binary, "HELP") becomes
// the message; "-" and "" are missing.
func setRequest(r *record.Record, line string) {
	method, rest := word(line)
	version := ""
	url := rest
	// The URL may hold blanks: the version is looked for at the right.
	if i := strings.LastIndexByte(rest, ' '); i >= 0 && strings.HasPrefix(rest[i+1:], "HTTP/") {
		url, version = rest[:i], rest[i+len(" HTTP/"):]
	}
	if !isMethod(method) || url == "" || version == "" && url[0] != '/' {
		if line != "" {
			r.SetText(record.Message, line)
		}
		return
	}
	setMethod(r, method)
	if version != "" {
		r.Set(record.HTTPVersion, record.Text(version))
	}
	setURL(r, url)
}

func isMethod(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return true
}

func setMethod(r *record.Record, method string) {
	for i := range len(method) {
		if 'a' <= method[i] && method[i] <= 'z' {
			method = strings.ToUpper(method)
			break
		}
	}
	r.Set(record.HTTPMethod, record.Text(method))
}

// setURL sets url.original and all that follows from it.
func setURL(r *record.Record, url string) {
	r.Set(record.URLOriginal, record.Text(url))
	local := 0
	if url != "" && url[0] != '/' {
		local = afterHost(r, url)
	}
	query := len(url)
	path := url[local:]
	if i := strings.IndexByte(path, '?'); i >= 0 {
		query = local + i + 1
		r.Set(record.URLQuery, record.Text(path[i+1:]))
		path = path[:i]
	}
	r.Set(record.URLPath, record.Text(path))
	once, decoded := percentDecode(url, query)
	twice, _ := percentDecode(once, decoded)
	r.Set(record.URLDecoded, record.Text(once))
	r.Set(record.URLDecodedTwice, record.Text(twice))
	setPlace(r, path)
}

// setPlace sets what a path says of where it leads.
func setPlace(r *record.Record, path string) {
	plain := path
	if strings.IndexByte(path, '%') >= 0 {
		plain, _ = percentDecode(path, len(path))
	}
	if ext, ok := extension(plain); ok {
		r.Set(record.URLExtension, record.Text(ext))
	}
	if adminPath(path) {
		r.Set(record.UserRealm, adminRealm)
	}
}

// afterHost returns where the path starts in a URL with scheme and host ("http://host/path", CONNECT's "host:443"),
// and sets the host.
func afterHost(r *record.Record, url string) int {
	i := strings.Index(url, "://")
	if i < 0 || i > 10 {
		return 0
	}
	host := url[i+3:]
	end := strings.IndexAny(host, "/?")
	if end < 0 {
		end = len(host)
	}
	if name, _ := splitPort(host[:end]); name != "" {
		r.Set(record.URLDomain, record.Text(name))
	}
	return i + 3 + end
}

// extension is what follows the last dot of the path's last part, in lower case.
func extension(path string) (string, bool) {
	last := path[strings.LastIndexByte(path, '/')+1:]
	i := strings.LastIndexByte(last, '.')
	if i < 0 || i+1 == len(last) || len(last)-i-1 > maxExtension {
		return "", false
	}
	return lower(last[i+1:]), true
}

// maxExtension is how long a file's extension can be: what is longer is no extension.
const maxExtension = 16

// adminPath knows where WordPress, Vendure and shops of their kind sign in their staff.
func adminPath(path string) bool {
	if len(path) < 6 {
		return false
	}
	return path == "/wp-login.php" || strings.HasPrefix(path, "/wp-admin/") ||
		path == "/admin" || strings.HasPrefix(path, "/admin/") || strings.HasPrefix(path, "/administrator/") ||
		strings.HasSuffix(path, "/wp-login.php") || strings.HasSuffix(path, "/admin-api")
}

// setFile sets the path of a transferred or uploaded file, and what follows from it.
func setFile(r *record.Record, path string) {
	r.SetText(record.FilePath, path)
	name := path[strings.LastIndexByte(path, '/')+1:]
	if name == "" || path == "-" {
		return
	}
	r.Set(record.FileName, record.Text(name))
	if ext, ok := extension(name); ok {
		r.Set(record.FileExtension, record.Text(ext))
	}
}
