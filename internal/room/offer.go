package room

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pion/sdp/v3"
)

// Limits of an offer. A browser's has some 6 KB, and some 40 attributes in each section.
const (
	largestOffer     = 48 << 10
	mostAttributes   = 200 // of a section
	mostSections     = Speakers + 1
	longestAttribute = 2000
)

// unfit is a refusal of an offer.
func unfit(format string, args ...any) error {
	return Refusal{Status: http.StatusUnprocessableEntity, Says: "The room cannot take this connection: " + fmt.Sprintf(format, args...) + ". Reload the page; if it stays so, use another browser."}
}

// checkOffer reads an offer (RFC 8866, RFC 9429) before anything else does: sound only, one stream in and at most Speakers out, all in one
// bundle, encrypted by DTLS with a SHA-256 or stronger fingerprint. Lines that end in LF alone are a browser's mistake that is forgiven.
func checkOffer(offer string) error {
	if len(offer) > largestOffer {
		return unfit("its offer has more than %d bytes", largestOffer)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(offer); err != nil {
		return unfit("its offer is no session description")
	}
	if len(d.MediaDescriptions) == 0 || len(d.MediaDescriptions) > mostSections {
		return unfit("it has %d streams, and 1 to %d fit", len(d.MediaDescriptions), mostSections)
	}
	if len(d.Attributes) > mostAttributes {
		return unfit("its offer has too many lines")
	}
	in := 0
	mids := map[string]bool{}
	for _, m := range d.MediaDescriptions {
		if err := checkSection(&d, m); err != nil {
			return err
		}
		mid, ok := m.Attribute(sdp.AttrKeyMID)
		if !ok || mid == "" || len(mid) > 16 || mids[mid] || strings.ContainsAny(mid, " \t") {
			return unfit("its streams have no names of their own")
		}
		mids[mid] = true
		if direction(m) == "sendonly" {
			in++
		}
	}
	if in != 1 {
		return unfit("it sends %d streams, and a room takes 1", in)
	}
	group, _ := d.Attribute(sdp.AttrKeyGroup)
	bundled := strings.Fields(group)
	shared := len(bundled) == len(mids)+1 && bundled[0] == "BUNDLE"
	for _, b := range bundled[min(1, len(bundled)):] {
		shared = shared && mids[b]
	}
	if !shared {
		return unfit("its streams do not share one connection (BUNDLE)")
	}
	return nil
}

// direction returns the direction of a section; without one it goes both ways.
func direction(m *sdp.MediaDescription) string {
	for _, a := range m.Attributes {
		switch a.Key {
		case "sendonly", "recvonly", "inactive", "sendrecv":
			return a.Key
		}
	}
	return "sendrecv"
}

// checkSection checks one stream of an offer.
func checkSection(d *sdp.SessionDescription, m *sdp.MediaDescription) error {
	if m.MediaName.Media != "audio" {
		return unfit("a room carries sound only, and the offer has other streams")
	}
	if len(m.Attributes) > mostAttributes || len(m.MediaName.Formats) > 64 {
		return unfit("a stream is described in too many lines")
	}
	if p := strings.Join(m.MediaName.Protos, "/"); p != "UDP/TLS/RTP/SAVPF" {
		return unfit("a stream is not encrypted by DTLS")
	}
	sound := false
	for _, a := range m.Attributes {
		if len(a.Value) > longestAttribute {
			return unfit("a line of its offer is too long")
		}
		if a.Key == "rid" || a.Key == "simulcast" || a.Key == "crypto" {
			return unfit("it asks for what a room does not do (%s)", a.Key)
		}
		sound = sound || a.Key == "rtpmap" && strings.HasSuffix(strings.ToLower(a.Value), " opus/48000/2")
	}
	if !sound {
		return unfit("it cannot send Opus")
	}
	switch direction(m) {
	case "sendonly", "recvonly":
	default:
		return unfit("a stream goes both ways or none")
	}
	for _, key := range []string{"fingerprint", "ice-ufrag", "ice-pwd"} {
		v, ok := m.Attribute(key)
		if !ok {
			v, ok = d.Attribute(key)
		}
		if !ok || v == "" || len(v) > 256 {
			return unfit("its offer has no %s", key)
		}
		if hash, _, _ := strings.Cut(strings.ToLower(v), " "); key == "fingerprint" && hash != "sha-256" && hash != "sha-384" && hash != "sha-512" {
			return unfit("its certificate is not named by SHA-256")
		}
	}
	return nil
}
