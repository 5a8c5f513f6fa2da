package voice

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLaws: every byte of both laws survives decoding and encoding, and the error of a sample stays within the law's step.
func TestLaws(t *testing.T) {
	for b := range 256 {
		if got := mulaw(unmulaw(byte(b))); got != byte(b) && unmulaw(got) != unmulaw(byte(b)) {
			t.Errorf("mu-law %#x came back as %#x", b, got)
		}
		if got := alaw(unalaw(byte(b))); got != byte(b) {
			t.Errorf("A-law %#x came back as %#x", b, got)
		}
	}
	for s := -32768; s < 32768; s += 7 {
		for name, back := range map[string]int16{"mu-law": unmulaw(mulaw(int16(s))), "A-law": unalaw(alaw(int16(s)))} {
			if d := math.Abs(float64(s) - float64(back)); d > 16+math.Abs(float64(s))/16 {
				t.Errorf("%s: %d became %d", name, s, back)
			}
		}
	}
}

func offer() description {
	return description{Session: 1, Version: 1, Media: netip.MustParseAddrPort("192.0.2.1:4000"), Tag: 1, Key: masterKey{1, 2, 3}, Audio: []uint8{0, 8}, Digits: 101, Direction: "sendrecv"}
}

func TestDescription(t *testing.T) {
	whole := string(offer().text())
	back, err := readDescription([]byte(whole))
	if err != nil || back.Key != offer().Key || back.Media != offer().Media || back.Digits != 101 || !slices.Equal(back.Audio, []uint8{0, 8}) {
		t.Fatalf("%+v, %v", back, err)
	}
	key := strings.TrimSpace(whole[strings.Index(whole, "inline:"):strings.Index(whole, "\r\na=rtpmap")])
	for _, given := range []struct {
		name, from, to string
		plain, fine    bool
	}{
		{name: "lifetime and MKI are dropped", from: key, to: key + "|2^20|1:4", fine: true},
		{name: "plain RTP", from: "RTP/SAVP", to: "RTP/AVP", plain: true},
		{name: "no key", from: "a=crypto", to: "a=other", plain: true},
		{name: "a shorter tag", from: suite, to: "AES_CM_128_HMAC_SHA1_32", plain: true},
		{name: "a session parameter that switches encryption off", from: key, to: key + " UNENCRYPTED_SRTP", plain: true},
		{name: "a short key", from: key, to: "inline:AAAA", plain: true},
		{name: "no codec of ours", from: "SAVP 0 8", to: "SAVP 9"},
		{name: "a name for an address", from: "c=IN IP4 192.0.2.1", to: "c=IN IP4 host.example"},
		{name: "everybody for an address", from: "c=IN IP4 192.0.2.1", to: "c=IN IP4 255.255.255.255"},
		{name: "a group for an address", from: "c=IN IP4 192.0.2.1", to: "c=IN IP4 224.0.0.1"},
		{name: "two streams", from: "a=sendrecv", to: "m=audio 5 RTP/AVP 0"},
		{name: "too long", from: "s=-", to: "s=" + strings.Repeat("x", maxSDP)},
	} {
		_, err := readDescription([]byte(strings.Replace(whole, given.from, given.to, 1)))
		if (err == nil) != given.fine || errors.Is(err, errPlain) != given.plain {
			t.Errorf("%s: %v", given.name, err)
		}
	}
}

func FuzzDescription(f *testing.F) {
	f.Add(offer().text())
	f.Add([]byte("v=0\r\nc=IN IP6 ::1\r\nm=audio 9 RTP/SAVP 8 96\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := readDescription(b)
		if err != nil {
			return
		}
		again, err := readDescription(d.text())
		if err != nil && !d.Media.Addr().IsUnspecified() || err == nil && again.Key != d.Key {
			t.Errorf("%+v does not come back: %v", d, err)
		}
	})
}

// TestDigest holds the answer against the example of RFC 2617, section 3.5, and that of RFC 7616, section 3.9.1.
func TestDigest(t *testing.T) {
	c, err := readChallenge(`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.answer("Mufasa", "Circle Of Life", "GET", "/dir/index.html", 1, "0a4f113b"); !strings.Contains(got, `response="6629fae49393a05397450978507c4ef1"`) {
		t.Error(got)
	}
	c, err = readChallenge(`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"`)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"); !strings.Contains(got, `response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`) {
		t.Error(got)
	}
	var s signing
	tries := 0
	for s.again(challenge{}) {
		tries++
	}
	if tries != 2 || !(&signing{}).again(challenge{Stale: true}) {
		t.Errorf("a wrong password is sent %d times", tries)
	}
	for _, bad := range []string{"Basic realm=x", `Digest realm="x"`, `Digest nonce="x", qop="auth-int"`, `Digest nonce="x", algorithm=MD5-sess`, `Digest nonce="x`} {
		if _, err := readChallenge(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Digest realm="a", nonce="b", qop="auth", stale=true`)
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := readChallenge(s); err == nil && strings.ContainsAny(c.answer("u", "p", "REGISTER", "sips:h", 1, "x"), "\r\n") {
			t.Errorf("%q breaks the header", s)
		}
	})
}

func TestPress(t *testing.T) {
	var p press
	var got []byte
	for _, packet := range []struct {
		stamp uint32
		body  []byte
	}{
		{4294967000, eventPayload(1, false, 160)}, {4294967000, eventPayload(1, false, 320)}, {4294967000, eventPayload(1, true, 480)}, {4294967000, eventPayload(1, true, 480)},
		{200, eventPayload(1, true, 480)}, // the same key again, its first packets lost, over the end of the clock
		{4294967000, eventPayload(1, true, 480)},
		{900, eventPayload(11, false, 160)}, {2000, eventPayload(16, false, 160)}, {3000, []byte{1, 2}},
	} {
		if key, fresh := p.packet(packet.stamp, packet.body); fresh {
			got = append(got, key)
		}
	}
	if string(got) != "11#" {
		t.Errorf("heard %q", got)
	}
}

func FuzzPress(f *testing.F) {
	f.Add(uint32(0), []byte{1, 0x8a, 0, 160})
	f.Fuzz(func(t *testing.T, stamp uint32, b []byte) {
		var p press
		key, fresh := p.packet(stamp, b)
		if _, again := p.packet(stamp, b); again || fresh && strings.IndexByte(keys, key) < 0 {
			t.Errorf("%d %x counted twice, or %q is no key", stamp, b, key)
		}
	})
}

func TestInfoDigit(t *testing.T) {
	for _, given := range []struct{ kind, body, want string }{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"}, {"application/dtmf-relay; x=y", "signal= *\n", "*"},
		{"application/dtmf", "#", "#"}, {"application/dtmf", "11", "#"}, {"application/dtmf-relay", "Signal=12x", ""}, {"text/plain", "1", ""}, {"application/dtmf", strings.Repeat("1", 300), ""},
	} {
		if got, err := infoDigit(given.kind, []byte(given.body)); err == nil && string(got) != given.want || err != nil && given.want != "" {
			t.Errorf("%s %q: %q, %v", given.kind, given.body, got, err)
		}
	}
}

func FuzzInfo(f *testing.F) {
	f.Add("application/dtmf-relay", []byte("Signal=5\r\nDuration=160"))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		if key, err := infoDigit(kind, b); err == nil && strings.IndexByte(keys, key) < 0 {
			t.Errorf("%q is no key", key)
		}
	})
}

// TestTones: every key is heard once from its two tones, and our own speech holds none.
func TestTones(t *testing.T) {
	for i, key := range []byte(keypad) {
		pcm := make([]int16, 1600)
		for n := range 1000 {
			pcm[n] = int16(6000*math.Sin(2*math.Pi*rows[i/4]*float64(n)/8000) + 6000*math.Sin(2*math.Pi*columns[i%4]*float64(n)/8000))
		}
		var h tones
		if got := h.hear(pcm); string(got) != string(key) {
			t.Errorf("%q was heard as %q", key, got)
		}
	}
	for _, code := range Languages() {
		words, err := clips(code)
		if err != nil {
			t.Fatal(err)
		}
		for name, clip := range words {
			var h tones
			if got := h.hear(decode(0, clip)); len(got) > 0 {
				t.Errorf("%s: %s sounds like %q", code, name, got)
			}
		}
	}
}

// TestTalk: whatever is pressed, nothing confidential is said and nothing answered before the PIN was right.
func TestTalk(t *testing.T) {
	for _, given := range []struct {
		name, keys string
		pin        bool
		want       Result
	}{
		{"1", "1", false, Acknowledged}, {"2", "2", false, PassedOn}, {"again, then 1", "331", false, Acknowledged}, {"stray keys", "4567", false, NoAnswer},
		{"PIN", "42#1", true, Acknowledged}, {"one wrong PIN", "43#42#2", true, PassedOn}, {"three wrong PINs", "1#1#1#", true, NoAnswer}, {"a PIN too long", "4200000000000000000#", true, NoAnswer}, {"nothing", "", true, ""},
	} {
		k := talk{pinAsked: given.pin, detail: true, tries: 3, stray: 3, repeats: 1, number: "12", severity: "high"}
		steps, right, last := []step{k.begin()}, !given.pin, Result("")
		for i := 0; i < len(given.keys) && last == ""; i++ {
			steps = append(steps, k.digit(given.keys[i]))
			for s := steps[len(steps)-1]; s.Check != "" || s.Record != ""; s = steps[len(steps)-1] {
				if s.Check != "" {
					right = right || s.Check == "42"
					steps = append(steps, k.checked(s.Check == "42"))
				} else {
					steps = append(steps, k.recorded(nil))
				}
			}
			for _, s := range steps {
				if slices.Contains(s.Say, "detail") && (!right || !given.pin) {
					t.Errorf("%s: the details were said without the PIN", given.name)
				}
				if s.Hangup {
					last = s.Result
				}
			}
		}
		if last != given.want {
			t.Errorf("%s: %q, want %q", given.name, last, given.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	for status, want := range map[int]Outcome{
		486: {Result: Busy}, 600: {Result: Busy}, 603: {Result: Refused}, 487: {Result: NoAnswer}, 302: {Result: Failed}, 404: {Result: Failed}, 488: {Result: Failed},
		408: {Result: Failed, Temporary: true, After: 2 * time.Minute}, 480: {Result: Failed, Temporary: true, After: 2 * time.Minute}, 503: {Result: Failed, Temporary: true, After: 2 * time.Minute}, 599: {Result: Failed, Temporary: true, After: 2 * time.Minute},
	} {
		got := verdict(status, "120 (later);duration=9")
		if got.Result != want.Result || got.Temporary != want.Temporary || want.Temporary && got.After != want.After || got.Reason == "" {
			t.Errorf("%d: %+v", status, got)
		}
	}
	if d := retryAfter("99999999999"); d != time.Hour {
		t.Errorf("a long Retry-After is %s", d)
	}
	if got := readTimer(" 90;refresher=uas", "uac"); got.Ours || got.Every != 90*time.Second || got.next() != 60*time.Second {
		t.Errorf("%+v", got)
	}
}

func TestAddress(t *testing.T) {
	for s, want := range map[string]string{"sips:anna@example.org": "sips:anna@example.org;transport=tls", "SIPS:a@[::1]:5070": "sips:a@[::1]:5070;transport=tls", "sip:a@b": "", "sips:a@b\r\nVia: x": "", "sips:": "", "sips:a@b;maddr=c": "", "sips:a@b:99x": ""} {
		a, err := readAddress(s)
		if (err != nil) != (want == "") || err == nil && a.uri() != want {
			t.Errorf("%q: %v, %v", s, a, err)
		}
	}
}

// TestMedia: flipped, repeated, foreign and plain packets are dropped and counted; sound goes to where authenticated packets come from.
func TestMedia(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	a, errA := openMedia(here, 0, 0)
	b, errB := openMedia(here, 0, 0)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	defer a.close()
	d := offer()
	d.Key, d.Media = b.key, netip.MustParseAddrPort("127.0.0.1:9")
	if err := a.use(d); err != nil {
		t.Fatal(err)
	}
	d.Key, d.Media = a.key, netip.AddrPortFrom(here, a.port())
	if err := b.use(d); err != nil {
		t.Fatal(err)
	}
	heard := make(chan int, 64)
	a.heard = func(pcm []int16) { heard <- len(pcm) }
	defer b.close()
	go a.receive()
	words, err := clips("en")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.send(words["hello"][:frame]); err != nil {
		t.Fatal(err)
	}
	<-heard
	// b's packets as they go over the wire, caught by sending them back to itself
	b.remote = netip.AddrPortFrom(here, b.port())
	if err := b.send(words["hello"][:frame]); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 400)
	n, _, err := b.sock.ReadFromUDPAddrPort(packet)
	if err != nil || n != 12+frame+10 || bytes.Contains(packet, words["hello"][40:60]) {
		t.Fatalf("a packet of %d bytes, %v", n, err)
	}
	flipped := slices.Clone(packet[:n])
	flipped[50] ^= 1
	to := netip.AddrPortFrom(here, a.port())
	for _, p := range [][]byte{flipped, packet[:n], packet[:n], {0x80, 0, 1}, append([]byte{0x80, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1}, words["hello"][:frame]...)} {
		if _, err := b.sock.WriteToUDPAddrPort(p, to); err != nil {
			t.Fatal(err)
		}
	}
	b.remote = to
	if err := b.send(words["hello"][:frame]); err != nil {
		t.Fatal(err)
	}
	<-heard
	<-heard
	if _, received, forged := a.counts(); received != 3 || forged != 4 {
		t.Errorf("%d received, %d dropped", received, forged)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.remote != netip.AddrPortFrom(here, b.port()) {
		t.Errorf("sound goes to %s", a.remote)
	}
}
