package voice

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// agent is how we name ourselves to SIP servers: no version, a stranger need not know it.
const agent = "Tocsin"

// allowed are the methods that a far side may use within a call.
const allowed = "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, OPTIONS"

// A signer answers the challenges of one kind of request on one link.
type signer struct {
	signing
	user, password string
	last           challenge
	name           string // of the header
	count          int
}

// challenged takes a 401 or 407. Errors: no account here, a challenge that cannot be answered, or tried often enough.
func (s *signer) challenged(r *sip.Response) error {
	ask := "WWW-Authenticate"
	s.name = "Authorization"
	if r.StatusCode == 407 {
		ask, s.name = "Proxy-Authenticate", "Proxy-Authorization"
	}
	if s.user == "" {
		return errors.New("the far side asks for a user name and password, and calls to a person's own address have none; call through the trunk instead")
	}
	c, err := strongest(headers(r, ask))
	if err != nil {
		return err
	}
	if !s.again(c) {
		return errors.New("the provider refuses the user name or the password of the trunk; correct them in the settings")
	}
	s.last, s.count = c, 0
	return nil
}

// sign adds the answer to the last challenge, when there was one.
func (s *signer) sign(m *message, method, uri string) {
	if s.last.Nonce == "" {
		return
	}
	s.count++
	m.add(s.name, s.last.answer(s.user, s.password, method, uri, s.count, token(8)))
}

// A dialog is the addressing of one call on one link (RFC 3261, section 12).
type dialog struct {
	link    *link
	uri     string // the request's address: at first whom we call, then the far side's Contact
	from    string // with our tag
	to      string // with the far side's tag once it answered
	id      string
	contact string
	routes  []string
	cseq    int
	branch  string // of the last request but ACK
	signer  signer
}

// request begins a request within the dialog. ACK and CANCEL repeat a number, others take the next.
func (d *dialog) request(method string) *message {
	if method != "ACK" && method != "CANCEL" {
		d.cseq++
		d.branch = "z9hG4bK" + token(12)
	}
	return d.numbered(method, d.uri, d.to, d.branch, d.cseq)
}

func (d *dialog) numbered(method, uri, to, branch string, cseq int) *message {
	m := &message{first: method + " " + uri + " SIP/2.0"}
	own := d.link.local()
	m.add("Via", fmt.Sprintf("SIP/2.0/TLS %s;branch=%s;rport;alias", own, branch))
	for _, r := range d.routes {
		m.add("Route", r)
	}
	m.add("Max-Forwards", "70")
	m.add("From", d.from)
	m.add("To", to)
	m.add("Call-ID", d.id)
	m.add("CSeq", strconv.Itoa(cseq)+" "+method)
	if method != "CANCEL" && method != "ACK" && method != "BYE" {
		m.add("Contact", d.contact)
		m.add("Allow", allowed)
		m.add("User-Agent", agent)
	}
	return m
}

// answers says whether a response is for a request of ours with that number and method.
func (d *dialog) answers(r *sip.Response, method string, cseq int) bool {
	return header(r, "Call-ID") == d.id && strings.Join(strings.Fields(header(r, "CSeq")), " ") == strconv.Itoa(cseq)+" "+method
}

// established takes a 2xx to the invitation: from now on requests go to the far side's Contact by its Record-Route.
func (d *dialog) established(r *sip.Response) {
	d.to = header(r, "To")
	if u := inAngles(header(r, "Contact")); u != "" {
		d.uri = u
	}
	d.routes = nil
	for _, v := range headers(r, "Record-Route") {
		for _, one := range splitList(v) {
			d.routes = append([]string{one}, d.routes...)
		}
	}
	if len(d.routes) > 20 {
		d.routes = d.routes[:20]
	}
}

// ours says whether a request of the far side belongs to the dialog.
func (d *dialog) ours(r *sip.Request) bool {
	return header(r, "Call-ID") == d.id && tagOf(header(r, "To")) == tagOf(d.from) && tagOf(header(r, "From")) == tagOf(d.to)
}

// tagOf returns the tag parameter of a From or To.
func tagOf(value string) string {
	if i := strings.LastIndexByte(value, '>'); i >= 0 {
		value = value[i:]
	}
	for p := range strings.SplitSeq(value, ";") {
		if name, v, ok := strings.Cut(strings.TrimSpace(p), "="); ok && strings.EqualFold(name, "tag") {
			return v
		}
	}
	return ""
}

// inAngles returns the address of a Contact, with or without <>. Another scheme than sip and sips gives "".
func inAngles(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		value, _, _ = strings.Cut(rest, ">")
	} else {
		value, _, _ = strings.Cut(value, ";")
	}
	value = strings.TrimSpace(value)
	if low := strings.ToLower(value); !strings.HasPrefix(low, "sip:") && !strings.HasPrefix(low, "sips:") || strings.ContainsAny(value, " \r\n") || len(value) > 500 {
		return ""
	}
	return value
}

// splitList cuts a header at the commas outside of <> and quotes.
func splitList(value string) (out []string) {
	angle, quote, begin := false, false, 0
	for i := range len(value) {
		switch c := value[i]; {
		case c == '"':
			quote = !quote
		case quote:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			out = append(out, strings.TrimSpace(value[begin:i]))
			begin = i + 1
		}
	}
	return append(out, strings.TrimSpace(value[begin:]))
}

// exchange sends a request and waits for its final response, answering a challenge on the way; make writes the request anew for each try.
// Requests of the far side meanwhile get refused. Errors: the connection ended, no answer within the limit, a challenge that cannot be met.
func (d *dialog) exchange(ctx context.Context, method string, limit time.Duration, finish func(*message)) (*sip.Response, error) {
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	send := func() error {
		m := d.request(method)
		finish(m)
		d.signer.sign(m, method, d.uri)
		return d.link.write(m.bytes())
	}
	if err := send(); err != nil {
		return nil, fmt.Errorf("sending the %s: %w", method, err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the server did not answer the %s within %s", method, limit)
		case m, ok := <-d.link.in:
			if !ok {
				return nil, errors.New("the server ended the connection")
			}
			r, ok := m.(*sip.Response)
			if !ok {
				d.link.strange(m.(*sip.Request))
				continue
			}
			if r.StatusCode < 200 || !d.answers(r, method, d.cseq) {
				continue
			}
			if r.StatusCode != 401 && r.StatusCode != 407 {
				return r, nil
			}
			if err := d.signer.challenged(r); err != nil {
				return r, err
			}
			if err := send(); err != nil {
				return nil, fmt.Errorf("sending the %s: %w", method, err)
			}
		}
	}
}

// strange answers a request outside of any call: OPTIONS says that we are here, calls to us are declined.
func (k *link) strange(r *sip.Request) {
	var m *message
	switch r.Method {
	case sip.ACK:
		return
	case sip.OPTIONS:
		m = reply(r, 200, "OK", [2]string{"Allow", allowed})
	case sip.INVITE:
		m = reply(r, 603, "Decline")
	case sip.BYE, sip.CANCEL, sip.UPDATE, sip.INFO:
		m = reply(r, 481, "Call Does Not Exist")
	default:
		m = reply(r, 405, "Method Not Allowed", [2]string{"Allow", allowed})
	}
	_ = k.write(m.bytes())
}
