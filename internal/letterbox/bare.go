package letterbox

import (
	"bytes"
	"encoding/binary"
)

// Bare returns an image without what a camera or program wrote beside the picture: place, device, owner, comments. It cuts parts out of
// JPEG and PNG files and draws nothing anew, so it needs no more memory than the file, whatever the file claims to be. false is a file
// that it does not know, or whose parts do not fit: that one comes back as it was. What can still be in the picture itself is in it.
func Bare(b []byte) ([]byte, bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return bareJPEG(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return barePNG(b)
	}
	return b, false
}

// bareJPEG keeps the segments that decoding needs (ITU T.81, annex B): of the application's own, APP0 (JFIF) and APP14 (how colours are
// coded) only, and no comment. Behind the end of the image nothing is kept.
func bareJPEG(b []byte) ([]byte, bool) {
	out := append(make([]byte, 0, len(b)), b[:2]...)
	for at := 2; ; {
		if at+2 > len(b) || b[at] != 0xff {
			return b, false
		}
		kind := b[at+1]
		if kind == 0xff { // a fill byte
			at++
			continue
		}
		if kind == 0xd9 {
			return append(out, 0xff, 0xd9), true
		}
		if at+4 > len(b) {
			return b, false
		}
		next := at + 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		if next < at+4 || next > len(b) {
			return b, false
		}
		if kind != 0xfe && (kind < 0xe0 || kind > 0xef || kind == 0xe0 || kind == 0xee) {
			out = append(out, b[at:next]...)
		}
		if at = next; kind != 0xda {
			continue
		}
		end := at // of the scan: the next marker that is neither a stuffed byte nor a restart
		for end+1 < len(b) && (b[end] != 0xff || b[end+1] == 0 || b[end+1] >= 0xd0 && b[end+1] <= 0xd7) {
			end++
		}
		if end+1 >= len(b) {
			return b, false
		}
		out = append(out, b[at:end]...)
		if at = end; b[at+1] == 0xd9 {
			return append(out, 0xff, 0xd9), true
		}
	}
}

// barePNG keeps the chunks that say what is to be seen (PNG third edition, section 11). Behind IEND nothing is kept.
func barePNG(b []byte) ([]byte, bool) {
	out := append(make([]byte, 0, len(b)), b[:8]...)
	for at := 8; at+12 <= len(b); {
		long := int64(binary.BigEndian.Uint32(b[at:]))
		next := int64(at) + 12 + long
		if next > int64(len(b)) {
			return b, false
		}
		switch string(b[at+4 : at+8]) {
		case "IHDR", "PLTE", "IDAT", "tRNS", "cHRM", "gAMA", "sBIT", "sRGB", "cICP", "bKGD", "pHYs":
			out = append(out, b[at:next]...)
		case "IEND":
			return append(out, b[at:next]...), true
		}
		at = int(next)
	}
	return b, false
}
