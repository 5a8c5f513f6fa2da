package notify

import (
	"context"
	"net/http"
	"time"
)

// A Hook posts JSON of the caller's to one program, signed as Sign says. It may be used by many goroutines.
type Hook struct {
	*poster
	o SignedOptions
}

// NewHook checks the options. It does not connect. Its errors do not show address and key.
func NewHook(name string, o SignedOptions) (*Hook, error) {
	p, err := o.poster("webhook " + name)
	return &Hook{p, o}, err
}

// Send posts body once, with the signature of this moment. nil means that the receiver answered 2xx. Every error is a *Failure.
func (h *Hook) Send(ctx context.Context, body []byte) error {
	r := request{address: h.o.URL, kind: "application/json", body: body, header: http.Header{}}
	Sign(r.header, body, h.o.KeyID, h.o.Key, time.Now())
	a, fail := h.do(ctx, r)
	if fail != nil {
		return fail
	}
	return plain(h.judge(a))
}
