package notify

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SMSOptions describe a gateway that sends text messages by HTTP. {{to}}, {{text}} and {{id}} in URL and Body are replaced: the number, the text, and an
// id that is the same for the same message. They are escaped for where they stand, so that no text can end its field: in the URL as a part of path or query; in the
// body as its ContentType says.
type SMSOptions struct {
	Name        string            // how it is called in errors; "" is "sms"
	URL         string            // https:// but on this machine
	Method      string            // "" is POST; also GET and PUT
	Header      map[string]string // such as Authorization. Values are secrets
	ContentType string            // application/json, application/x-www-form-urlencoded (also ""), application/xml, text/xml, or text/plain; JSON and XML placeholders stand within quotes or an element
	Body        string            // "" with GET
	Plus        string            // what stands before the digits of a number: "" is +, "none" nothing, "00" those
	Status      []int             // what status means that it was taken; nil is any 2xx
	Path        string            // where in a JSON answer a value says the same, such as messages.0.status; "" is nowhere
	Value       []string          // what stands there when it was taken; compared without regard to case
	IDPath      string            // where in a JSON answer the gateway's id of the message stands; "" is not read. When it is set, an answer without it is one in doubt
	MaxParts    int               // how many parts a text may have, as each is paid for: 0 is 2, at most 10
	CAFile      string            // PEM file of the authority that signed the gateway's certificate; "" trusts what the machine trusts
}

// A Gateway sends text messages. It may be used by many goroutines.
type Gateway struct {
	*poster
	o    SMSOptions
	kind string
}

var (
	e164        = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // ITU-T E.164: at most 15 digits
	placeholder = regexp.MustCompile(`\{\{[^{}]*\}\}`)
)

// NewSMS checks the options, and tries the template with texts that try to break out of it. It does not connect.
func NewSMS(o SMSOptions) (*Gateway, error) {
	if o.Name == "" {
		o.Name = "sms"
	}
	if o.Method == "" {
		o.Method = http.MethodPost
	}
	if o.ContentType == "" {
		o.ContentType = "application/x-www-form-urlencoded"
	}
	if o.MaxParts == 0 {
		o.MaxParts = 2
	}
	kind, _, err := mime.ParseMediaType(o.ContentType)
	fail := func(format string, args ...any) (*Gateway, error) {
		return nil, fmt.Errorf("%s: "+format, append([]any{o.Name}, args...)...)
	}
	switch {
	case err != nil || !slices.Contains([]string{"application/json", "application/x-www-form-urlencoded", "application/xml", "text/xml", "text/plain"}, kind):
		return fail("the content type is %q, for which it is not known how to write a text safely: it can be application/json, application/x-www-form-urlencoded, application/xml, text/xml or text/plain", oneLine(o.ContentType, 60))
	case o.Method != http.MethodPost && o.Method != http.MethodGet && o.Method != http.MethodPut:
		return fail("the method is %q, but can be POST, GET or PUT", oneLine(o.Method, 20))
	case o.Method == http.MethodGet && o.Body != "":
		return fail("a GET has no body: put the placeholders into the URL")
	case o.Plus != "" && o.Plus != "none" && o.Plus != "00":
		return fail("what stands before a number can be \"\" (a plus sign), none or 00")
	case o.MaxParts < 1 || o.MaxParts > 10:
		return fail("a text can have 1 to 10 parts, not %d", o.MaxParts)
	case (o.Path == "") != (len(o.Value) == 0):
		return fail("path and value go together: where the answer says that the message was taken, and what stands there then")
	}
	for _, m := range placeholder.FindAllString(o.URL+o.Body, -1) {
		if m != "{{to}}" && m != "{{text}}" && m != "{{id}}" {
			return fail("the placeholder %s is not known: they are {{to}}, {{text}} and {{id}}", oneLine(m, 40))
		}
	}
	for _, m := range []string{"{{to}}", "{{text}}"} {
		if !strings.Contains(o.URL+o.Body, m) {
			return fail("the placeholder %s stands neither in the URL nor in the body", m)
		}
	}
	var secrets []string
	for k, v := range o.Header {
		if !headerName.MatchString(k) || strings.ContainsAny(v, "\r\n\x00") {
			return fail("the header %q cannot be sent", oneLine(k, 40))
		}
		secrets = append(secrets, v)
		if _, token, two := strings.Cut(v, " "); two {
			secrets = append(secrets, token)
		}
	}
	p, err := newPoster(o.Name, o.CAFile, secrets...)
	if err != nil {
		return nil, err
	}
	g := &Gateway{p, o, kind}
	if err := g.try(); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return g, nil
}

var headerName = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]{1,80}$")

// hostile are texts that end a field wherever they are not escaped.
var hostile = []string{`x`, `","to":"+15550000000","x":"`, `&to=%2B15550000000&x=`, `</text><to>1</to><text>`, "\r\nTo: +1\r\n", `\`, `{{to}}{{id}}`, "/../?#x"}

// try fills the template in with hostile texts: the body must stay of its form, with no more and no fewer fields than with a harmless text.
func (g *Gateway) try() error {
	var want string
	for i, text := range hostile {
		r := g.fill("+15551234567", text, "id1@tocsin")
		if why := badAddress(r.address); why != "" {
			return errors.New(why)
		}
		u, _ := url.Parse(r.address)
		plain, _ := url.Parse(g.o.URL)
		if plain == nil || u.Host != plain.Host || u.Scheme != plain.Scheme {
			return errors.New("no placeholder may stand in the URL's host")
		}
		shape, err := g.shape(r.body)
		if err != nil {
			return fmt.Errorf("the body is not %s once it is filled in: placeholders must stand within quotes (JSON) or an element (XML): %w", g.kind, err)
		}
		if shape += fmt.Sprint(len(u.Query()), strings.Count(u.EscapedPath(), "/")); i == 0 {
			want = shape
		}
		if shape != want {
			return errors.New("a text could end the field that it stands in: put the placeholder where it is a field's whole value")
		}
	}
	return nil
}

// shape is what of a body does not depend on the text.
func (g *Gateway) shape(body []byte) (string, error) {
	switch g.kind {
	case "application/json":
		if len(body) == 0 {
			return "", nil
		}
		var v any
		err := json.Unmarshal(body, &v)
		return fmt.Sprint(skeleton(v)), err
	case "application/x-www-form-urlencoded":
		v, err := url.ParseQuery(string(body))
		n := 0
		for _, list := range v {
			n += len(list)
		}
		return fmt.Sprint(n), err
	case "application/xml", "text/xml":
		n, d := 0, xml.NewDecoder(bytes.NewReader(body))
		for {
			t, err := d.Token()
			if t == nil {
				if err != io.EOF {
					return "", err
				}
				return fmt.Sprint(n), nil
			}
			if e, ok := t.(xml.StartElement); ok {
				n += 1 + len(e.Attr)
			}
		}
	}
	return "", nil
}

// skeleton is a JSON value without its texts.
func skeleton(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = skeleton(x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, skeleton(x))
		}
		return out
	case string:
		return "text"
	}
	return v
}

// fill returns the request for one message.
func (g *Gateway) fill(to, text, id string) request {
	switch g.o.Plus {
	case "none":
		to = strings.TrimPrefix(to, "+")
	case "00":
		to = "00" + strings.TrimPrefix(to, "+")
	}
	put := func(template string, escape func(string) string) string {
		return strings.NewReplacer("{{to}}", escape(to), "{{text}}", escape(text), "{{id}}", escape(id)).Replace(template)
	}
	path, query, _ := strings.Cut(g.o.URL, "?")
	address := put(path, func(s string) string { return strings.ReplaceAll(url.PathEscape(s), ".", "%2E") })
	if query != "" {
		address += "?" + put(query, url.QueryEscape)
	}
	r := request{method: g.o.Method, address: address, header: http.Header{}, body: []byte(put(g.o.Body, g.escape))}
	for k, v := range g.o.Header {
		r.header.Set(k, v)
	}
	if g.o.Body != "" {
		r.kind = g.o.ContentType
	}
	return r
}

// escape writes a text as the body's kind needs it.
func (g *Gateway) escape(s string) string {
	switch g.kind {
	case "application/json":
		b, err := json.Marshal(s)
		if err != nil {
			panic("notify: a string has no JSON: " + err.Error())
		}
		return string(b[1 : len(b)-1])
	case "application/x-www-form-urlencoded":
		return url.QueryEscape(s)
	case "application/xml", "text/xml":
		var b bytes.Buffer
		xml.EscapeText(&b, []byte(s)) // writing to memory does not fail
		return b.String()
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}

// look returns what stands at a path of a JSON answer, as text.
func look(body []byte, path string) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "", false
	}
	for step := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return "", false
			}
			v = x[i]
		default:
			return "", false
		}
	}
	switch x := v.(type) {
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	case bool:
		return strconv.FormatBool(x), true
	}
	return "", false
}
