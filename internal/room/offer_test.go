package room

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// offerOf returns an offer as a browser makes it: one stream out and n in.
func offerOf(n int) string {
	var b strings.Builder
	b.WriteString("v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE")
	for i := range n + 1 {
		fmt.Fprintf(&b, " %d", i)
	}
	b.WriteString("\r\n")
	for i := range n + 1 {
		way := "recvonly"
		if i == 0 {
			way = "sendonly"
		}
		fmt.Fprintf(&b, "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlvv\r\na=fingerprint:sha-256 "+
			"49:66:12:17:0D:1C:91:AE:57:4C:C6:36:DD:D5:97:D2:7D:62:C9:9A:7F:B9:A3:F4:70:03:E7:43:91:73:23:5E\r\na=setup:actpass\r\na=mid:%d\r\na=%s\r\n"+
			"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:0 PCMU/8000\r\n", i, way)
	}
	return b.String()
}

func TestOffers(t *testing.T) {
	good := offerOf(Speakers)
	for name, c := range map[string]struct{ offer, says string }{
		"as a browser makes it":   {good, ""},
		"one that only speaks":    {offerOf(0), ""},
		"with lines of LF":        {strings.ReplaceAll(good, "\r\n", "\n"), ""},
		"nothing":                 {"", "0 streams"},
		"nonsense":                {"v=0\r\nGET / HTTP/1.1", "no session description"},
		"too long":                {good + strings.Repeat("a=x\r\n", 20000), "more than"},
		"too many lanes":          {offerOf(Speakers + 1), "10 streams"},
		"pictures":                {strings.Replace(good, "m=audio", "m=video", 1), "sound only"},
		"data":                    {strings.Replace(good, "m=audio 9 UDP/TLS/RTP/SAVPF", "m=application 9 UDP/DTLS/SCTP", 1), "sound only"},
		"not encrypted":           {strings.Replace(good, "UDP/TLS/RTP/SAVPF", "RTP/AVP", 1), "not encrypted"},
		"keys in the clear":       {strings.Replace(good, "a=mid:0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=mid:0", 1), "crypto"},
		"layers":                  {strings.Replace(good, "a=mid:0", "a=rid:h send\r\na=mid:0", 1), "rid"},
		"a weak fingerprint":      {strings.ReplaceAll(good, "sha-256", "md5"), "SHA-256"},
		"no fingerprint":          {strings.ReplaceAll(good, "a=fingerprint", "a=x"), "no fingerprint"},
		"no password":             {strings.ReplaceAll(good, "a=ice-pwd", "a=x"), "no ice-pwd"},
		"no Opus":                 {strings.ReplaceAll(good, "opus", "g729"), "Opus"},
		"two that speak":          {strings.Replace(good, "recvonly", "sendonly", 1), "sends 2"},
		"both ways":               {strings.Replace(good, "sendonly", "sendrecv", 1), "both ways"},
		"two of one name":         {strings.Replace(good, "a=mid:1\r", "a=mid:0\r", 1), "names"},
		"a name with a space":     {strings.Replace(good, "a=mid:1\r", "a=mid:1 2\r", 1), "names"},
		"no bundle":               {strings.Replace(good, "BUNDLE", "LS", 1), "BUNDLE"},
		"half a bundle":           {strings.Replace(good, "BUNDLE 0", "BUNDLE", 1), "BUNDLE"},
		"a line that is too long": {strings.Replace(good, "a=mid:0", "a=x:"+strings.Repeat("y", 3000)+"\r\na=mid:0", 1), "too long"},
		"too many lines":          {strings.Replace(good, "a=mid:0", strings.Repeat("a=candidate:1\r\n", 300)+"a=mid:0", 1), "too many lines"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkOffer(c.offer)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("want %q: %v", c.says, err)
			}
		})
	}
}

// Offers that the room takes, and WebRTC does not, are refused with a sentence, and the seat stays as it is.
func TestHostileOffers(t *testing.T) {
	h := newHouse(t, nil)
	c := h.enter(h.seal(Ticket{Name: "x"}))
	for name, offer := range map[string]string{
		"as a browser makes it": offerOf(Speakers),
		"a bad port":            strings.ReplaceAll(offerOf(1), "audio 9", "audio 99999999"),
		"no such payload":       strings.ReplaceAll(offerOf(1), "a=rtpmap:111", "a=rtpmap:112"),
		"a broken fingerprint":  strings.ReplaceAll(offerOf(1), "49:66:12", "zz:66:12"),
		"a candidate of ours":   strings.ReplaceAll(offerOf(1), "a=mid:0", "a=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\na=candidate:2 1 udp 1 printer.local 80 typ host\r\na=mid:0"),
		"a broken candidate":    strings.ReplaceAll(offerOf(1), "a=mid:0", "a=candidate:x\r\na=mid:0"),
		"a broken extension":    strings.ReplaceAll(offerOf(1), "a=extmap:1", "a=extmap:999"),
	} {
		status, says := h.ask("/offer", c.secret, map[string]any{"sdp": offer, "anew": true}, nil)
		if status != http.StatusOK && (status != http.StatusUnprocessableEntity || says == "") {
			t.Errorf("%s: %d %s", name, status, says)
		}
		t.Log(name, status, says)
	}
	c.dial()
}

// FuzzOffer holds a law: an offer that is taken has one stream that speaks and at most Speakers that listen, all sound, and WebRTC reads it without harm.
func FuzzOffer(f *testing.F) {
	f.Add(offerOf(0))
	f.Add(offerOf(2))
	f.Add(strings.ReplaceAll(offerOf(1), "a=mid:0", "a=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 80 typ host"))
	f.Add("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		if checkOffer(s) != nil {
			return
		}
		d := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: s}
		parsed, err := d.Unmarshal()
		if err != nil {
			t.Fatalf("taken, and not read: %v", err)
		}
		ways := map[string]int{}
		for _, m := range parsed.MediaDescriptions {
			if m.MediaName.Media != "audio" {
				t.Errorf("a stream of %s", m.MediaName.Media)
			}
			ways[direction(m)]++
		}
		if ways[sdp.AttrKeySendOnly] != 1 || ways[sdp.AttrKeyRecvOnly] > Speakers || len(ways) > 2 {
			t.Errorf("%v", ways)
		}
	})
}
