package voice

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// suite is the one cipher that is offered and accepted: AES-128 in counter mode with an 80 bit tag (RFC 4568, section 6.2).
// AES_CM_128_HMAC_SHA1_32 is refused: every telephone that knows it knows this one too, and four bytes of tag can be guessed.
const suite = "AES_CM_128_HMAC_SHA1_80"

// maxSDP is how long a description of a session may be, in bytes.
const maxSDP = 8 << 10

// A masterKey is the 16 bytes of key and 14 of salt of SRTP that SDES carries.
type masterKey [30]byte

// A description is what the two sides of a call tell each other about its sound (SDP, RFC 8866; SDES, RFC 4568).
type description struct {
	Session   uint64 // stays the same for the whole call
	Version   uint64 // grows by one with every change
	Media     netip.AddrPort
	Tag       int // of the a=crypto line; an answer repeats the offer's
	Key       masterKey
	Audio     []uint8 // static payload types in the order of preference: 0 mu-law, 8 A-law
	Digits    uint8   // payload type of telephone-event, 0 for none
	Direction string  // sendrecv, sendonly, recvonly or inactive
}

// text writes the description. An address of zeroes is never written: hold is a direction here.
func (d description) text() []byte {
	family := "IP4"
	if d.Media.Addr().Is6() {
		family = "IP6"
	}
	var b bytes.Buffer
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\r\n", a...) }
	line("v=0")
	line("o=- %d %d IN %s %s", d.Session, d.Version, family, d.Media.Addr())
	line("s=-")
	line("c=IN %s %s", family, d.Media.Addr())
	line("t=0 0")
	var types strings.Builder
	for _, a := range d.Audio {
		fmt.Fprintf(&types, " %d", a)
	}
	if d.Digits != 0 {
		fmt.Fprintf(&types, " %d", d.Digits)
	}
	line("m=audio %d RTP/SAVP%s", d.Media.Port(), types.String())
	line("a=crypto:%d %s inline:%s", d.Tag, suite, base64.StdEncoding.EncodeToString(d.Key[:]))
	for _, a := range d.Audio {
		line("a=rtpmap:%d %s/8000", a, map[uint8]string{0: "PCMU", 8: "PCMA"}[a])
	}
	if d.Digits != 0 {
		line("a=rtpmap:%d telephone-event/8000", d.Digits)
		line("a=fmtp:%d 0-15", d.Digits)
	}
	line("a=ptime:20")
	line("a=%s", d.Direction)
	return b.Bytes()
}

// errPlain is the refusal of sound that would not be encrypted.
var errPlain = errors.New("the far side wants to send the sound without encryption (no RTP/SAVP with a=crypto " + suite + "): the call is refused; switch on SRTP (SDES) as mandatory in its settings")

// readDescription reads what the far side sent, as strictly as a secret deserves: exactly one live stream of audio, RTP/SAVP, one
// usable a=crypto, mu-law or A-law. Lifetime and MKI behind the key are dropped (the far side may not demand an MKI: packets with one
// would fail their authentication and be counted). Errors say what is missing; without encryption it is errPlain.
func readDescription(body []byte) (description, error) {
	d := description{Direction: "sendrecv"}
	if len(body) > maxSDP {
		return d, fmt.Errorf("the description of the sound has %d bytes, more than %d", len(body), maxSDP)
	}
	var whole, own netip.Addr // c= of the session and of the stream
	var direction string
	port, streams, live := 0, 0, false // live: the lines are of the stream that we take
	for raw := range strings.Lines(string(body)) {
		l := strings.TrimRight(raw, "\r\n")
		name, value, ok := strings.Cut(l, "=")
		if !ok || len(name) != 1 {
			if l == "" {
				continue
			}
			return d, errors.New("the description of the sound is not SDP")
		}
		var err error
		switch {
		case name == "m":
			f := strings.Fields(value)
			if len(f) < 4 {
				return d, errors.New("the description of the sound has an incomplete m= line")
			}
			n, err := strconv.ParseUint(f[1], 10, 16)
			if err != nil {
				return d, errors.New("the description of the sound names no port")
			}
			if live = f[0] == "audio" && n != 0; !live {
				continue
			}
			if streams++; streams > 1 {
				return d, errors.New("the far side describes more than one stream of sound")
			}
			if f[2] != "RTP/SAVP" {
				return d, errPlain
			}
			port = int(n)
			for _, t := range f[3:] {
				if t == "0" || t == "8" {
					d.Audio = append(d.Audio, t[0]-'0')
				}
			}
		case name == "c" && (live || streams == 0):
			var a netip.Addr
			if a, err = readConnection(value); err != nil {
				return d, err
			}
			if live {
				own = a
			} else {
				whole = a
			}
		case name == "a" && live && strings.HasPrefix(value, "crypto:"):
			if d.Tag == 0 {
				d.Tag, d.Key = readCrypto(value[len("crypto:"):])
			}
		case name == "a" && live && strings.HasPrefix(value, "rtpmap:"):
			t, format, _ := strings.Cut(value[len("rtpmap:"):], " ")
			n, err := strconv.ParseUint(t, 10, 7)
			if err == nil && n >= 96 && strings.EqualFold(strings.TrimSpace(format), "telephone-event/8000") {
				d.Digits = uint8(n)
			}
		case name == "a" && (live || streams == 0) && (value == "sendrecv" || value == "sendonly" || value == "recvonly" || value == "inactive"):
			direction = value
		}
	}
	switch {
	case streams == 0:
		return d, errors.New("the far side describes no stream of sound")
	case d.Tag == 0:
		return d, errPlain
	case len(d.Audio) == 0:
		return d, errors.New("the far side speaks neither G.711 mu-law nor A-law; switch on PCMU in its settings")
	}
	if direction != "" {
		d.Direction = direction
	}
	if !own.IsValid() {
		own = whole
	}
	if !own.IsValid() {
		return d, errors.New("the far side names no address for the sound")
	}
	if own.IsUnspecified() { // hold as RFC 2543 had it
		d.Direction = "inactive"
	}
	d.Media = netip.AddrPortFrom(own, uint16(port))
	return d, nil
}

// readConnection reads "IN IP4 192.0.2.1". Names are refused: a description is not a reason to ask the DNS.
func readConnection(value string) (netip.Addr, error) {
	f := strings.Fields(value)
	if len(f) == 3 && f[0] == "IN" {
		text, _, _ := strings.Cut(f[2], "/")
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			return a.Unmap(), nil
		}
	}
	return netip.Addr{}, errors.New("the far side gives an address for the sound that is none (a number of IPv4 or IPv6 is wanted)")
}

// readCrypto reads the value of one a=crypto line: "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4". It returns a tag of 0 for one that
// we do not use: another cipher, a session parameter that weakens (UNENCRYPTED_SRTP, UNAUTHENTICATED_SRTP), a key of another length.
func readCrypto(value string) (int, masterKey) {
	f := strings.Fields(value)
	if len(f) < 3 || f[1] != suite || !strings.HasPrefix(f[2], "inline:") {
		return 0, masterKey{}
	}
	for _, parameter := range f[3:] {
		if strings.HasPrefix(parameter, "UN") || strings.HasPrefix(parameter, "KDR") || strings.HasPrefix(parameter, "FEC") {
			return 0, masterKey{}
		}
	}
	tag, err := strconv.ParseUint(f[0], 10, 30)
	text, _, _ := strings.Cut(f[2][len("inline:"):], "|")
	key, bad := base64.StdEncoding.DecodeString(text)
	if err != nil || bad != nil || len(key) != len(masterKey{}) {
		return 0, masterKey{}
	}
	return int(tag), masterKey(key)
}

// mirror returns the direction of an answer to an offered one (RFC 3264, section 6.1).
func mirror(direction string) string {
	switch direction {
	case "sendonly":
		return "recvonly"
	case "recvonly":
		return "sendonly"
	}
	return direction
}
