package voice

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// FuzzStream: whatever a far side writes, in whatever pieces, is read or refused; what is read can be answered without a line more than its own headers.
func FuzzStream(f *testing.F) {
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\nFrom: <sips:a@b>;tag=1\r\nTo: <sips:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"), 7)
	f.Add([]byte("BYE sips:a@b SIP/2.0\r\nv: SIP/2.0/TLS a;branch=z9hG4bK1\r\nf: <sips:a@b>;tag=1\r\nt: \"x;tag=9\" <sips:c@d>;tag=2\r\ni: x\r\nCSeq: 4294967295 BYE\r\nl: 3\r\n\r\nabc"), 1)
	f.Add([]byte("INVITE sips:a@b SIP/2.0\r\nContact: <sips:a@[::1]>;expires=x, *\r\nRecord-Route: <sip:p;lr>, \"q,\\\"\" <sip:r>\r\nSession-Expires: 1;refresher=uas\r\nContent-Length: 99999999999999999999\r\n\r\n"), 3)
	f.Add([]byte("\r\n\r\nSIP/2.0 99999999999 \r\nCSeq:\r\nVia:\r\nTo:\r\nContent-Length: -1\r\n\r\n"), 2)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		if piece < 1 || len(data) > maxMessage {
			return
		}
		parser := sip.NewParser()
		parser.MaxMessageLength = maxMessage
		stream := parser.NewSIPStream()
		defer stream.Close()
		for len(data) > 0 {
			n := min(piece, len(data))
			err := stream.ParseSIPStream(data[:n], func(m sip.Message) {
				switch m := m.(type) {
				case *sip.Request:
					if text := string(reply(m, 481, "Call Does Not Exist").bytes()); !strings.HasSuffix(text, "\r\nContent-Length: 0\r\n\r\n") || strings.Count(text, "\r\n\r\n") != 1 {
						t.Errorf("an answer of more than its headers: %q", text)
					}
				case *sip.Response:
					d := dialog{uri: "sips:a@b"}
					d.established(m)
					if strings.ContainsAny(d.uri, "\r\n") || len(d.routes) > 20 {
						t.Errorf("requests would go to %q by %q", d.uri, d.routes)
					}
					_ = readTimer(header(m, "Session-Expires", "x"), "uac")
				}
			})
			if err != nil && err != sip.ErrParseSipPartial {
				return
			}
			data = data[n:]
		}
	})
}
