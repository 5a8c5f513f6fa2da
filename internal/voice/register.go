package voice

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A Registration is where the trunk stands: told whenever it changes.
type Registration struct {
	Registered bool
	Until      time.Time // when the provider forgets us unless we register again
	Temporary  bool      // not registered: whether a later try may help
	Reason     string    // not registered: why, for people
}

// errSettings marks a failure that only other settings mend.
var errSettings = errors.New("the trunk's settings need a correction")

// Register keeps the line registered at its trunk until ctx ends, and tells every change. It comes back early, with an error that says what to
// mend, when the provider refuses the account for good: a wrong password is sent twice and not again. Calls need no registration;
// some providers do.
func (l *Line) Register(ctx context.Context, changed func(Registration)) error {
	if l.options.Trunk == nil {
		return errors.New("there is no trunk to register at")
	}
	wait := 5 * time.Second
	for {
		begun := time.Now()
		err := l.registered(ctx, changed)
		if ctx.Err() != nil {
			return nil
		}
		lasting := errors.Is(err, errSettings)
		changed(Registration{Temporary: !lasting, Reason: err.Error()})
		if lasting {
			return err
		}
		if time.Since(begun) > 5*time.Minute { // it stood for a while, so begin with short pauses again
			wait = 5 * time.Second
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait*3/4 + rand.N(wait/2)): // not all lines of a provider at once
		}
		wait = min(2*wait, 5*time.Minute)
	}
}

// Check tries, without calling anybody, what a call would need: the server's certificate, and through the trunk its user and password.
// to is as in Order. It returns what was found for the screen.
func (l *Line) Check(ctx context.Context, to string, through bool) (string, error) {
	c := &call{line: l, order: Order{To: to, Through: through}, now: time.Now}
	if through && to == "" {
		c.order.To = "00"
	}
	server, err := c.address()
	if err != nil {
		return "", err
	}
	d, err := l.begin(ctx, server, through)
	if err != nil {
		return "", err
	}
	defer d.link.close()
	if through {
		granted, err := l.registerOnce(ctx, d, 60)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("The trunk %s accepts the account (for %s at a time; %s).", server.Host, granted, d.link.cipher()), nil
	}
	d.uri, d.to = c.uri, "<"+c.uri+">"
	r, err := d.exchange(ctx, "OPTIONS", 10*time.Second, func(m *message) { m.add("Accept", "application/sdp") })
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("The server %s answers (%d; %s).", server.Host, r.StatusCode, d.link.cipher()), nil
}

// begin connects and prepares a dialog outside of any call.
func (l *Line) begin(ctx context.Context, server address, through bool) (*dialog, error) {
	k, err := l.dial(ctx, server)
	if err != nil {
		var d *dialError
		if errors.As(err, &d) && !d.Temporary {
			return nil, fmt.Errorf("%w: %w", errSettings, err)
		}
		return nil, err
	}
	show := k.local()
	if p := l.options.Advertise; p.IsValid() {
		show = netip.AddrPortFrom(p, show.Port())
	}
	d := &dialog{link: k, id: token(16), contact: fmt.Sprintf("<sips:tocsin@%s;transport=tls>", show)}
	d.from = fmt.Sprintf("<sips:tocsin@%s>;tag=%s", bracket(show.Addr().String()), token(8))
	if t := l.options.Trunk; through {
		domain := bracket(t.domain(server))
		d.uri = address{Host: t.domain(server), Port: "5061"}.uri()
		d.from = fmt.Sprintf("<sips:%s@%s>;tag=%s", t.User, domain, token(8))
		d.to = fmt.Sprintf("<sips:%s@%s>", t.User, domain)
		d.signer.user, d.signer.password = t.User, t.Password
	}
	return d, nil
}

// registerOnce registers for so many seconds (0 takes it back) and returns for how long the provider granted it. A 423 is met with the
// interval that it asks for.
func (l *Line) registerOnce(ctx context.Context, d *dialog, seconds int) (time.Duration, error) {
	d.signer.tried, d.signer.stale = 0, 0
	for range 3 {
		r, err := d.exchange(ctx, "REGISTER", 15*time.Second, func(m *message) { m.add("Expires", strconv.Itoa(seconds)) })
		if err != nil {
			if r != nil {
				return 0, fmt.Errorf("%w: %w", errSettings, err)
			}
			return 0, err
		}
		switch status := r.StatusCode; {
		case status < 300:
			return granted(r, seconds), nil
		case status == 423:
			n, err := strconv.Atoi(strings.TrimSpace(header(r, "Min-Expires")))
			if err != nil || n <= seconds || n > 24*3600 {
				return 0, fmt.Errorf("%w: the provider wants a longer registration than %d s, and does not say a usable one", errSettings, seconds)
			}
			seconds = n
		case status >= 500 || status == 408 || status == 480:
			return 0, fmt.Errorf("the provider cannot register us now (%d)", status)
		default:
			return 0, fmt.Errorf("%w: the provider refuses to register the account (%d); check the user, the domain and whether the account is active", errSettings, status)
		}
	}
	return 0, errors.New("the provider asks for longer registrations without end")
}

// granted reads for how long a registration stands: the expires of our Contact, else the Expires header, else what was asked; at least 30 s.
func granted(r *sip.Response, asked int) time.Duration {
	seconds := asked
	if n, err := strconv.Atoi(strings.TrimSpace(header(r, "Expires"))); err == nil {
		seconds = n
	}
	for _, v := range headers(r, "Contact") {
		if _, rest, ok := strings.Cut(v, "expires="); ok && strings.Contains(v, "tocsin@") {
			digits, _, _ := strings.Cut(rest, ";")
			if n, err := strconv.Atoi(strings.TrimSpace(digits)); err == nil {
				seconds = n
			}
		}
	}
	return time.Duration(max(min(seconds, 24*3600), 30)) * time.Second
}

// registered holds one connection with its registration until either ends.
func (l *Line) registered(ctx context.Context, changed func(Registration)) error {
	server, err := readAddress(l.options.Trunk.Server)
	if err != nil {
		return fmt.Errorf("%w: %w", errSettings, err)
	}
	d, err := l.begin(ctx, server, true)
	if err != nil {
		return err
	}
	defer d.link.close()
	alive := time.NewTicker(25 * time.Second)
	defer alive.Stop()
	for {
		stands, err := l.registerOnce(ctx, d, 600)
		if err != nil {
			return err
		}
		changed(Registration{Registered: true, Until: time.Now().Add(stands)})
		again := time.NewTimer(stands * 3 / 4)
	wait:
		for {
			select {
			case <-ctx.Done():
				again.Stop()
				_, _ = d.exchange(context.WithoutCancel(ctx), "REGISTER", 2*time.Second, func(m *message) { m.add("Expires", "0") })
				return nil
			case <-again.C:
				break wait
			case <-alive.C:
				if err := d.link.write([]byte("\r\n\r\n")); err != nil {
					return fmt.Errorf("the connection to the trunk broke: %w", err)
				}
			case m, ok := <-d.link.in:
				if !ok {
					again.Stop()
					return errors.New("the trunk ended the connection")
				}
				if r, isRequest := m.(*sip.Request); isRequest {
					d.link.strange(r)
				}
			}
		}
	}
}
