package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/ProtonMail/gopenpgp/v3/armor"
)

// The packets that a public key is made of (RFC 9580 section 5).
const (
	tagSignature  = 2
	tagSecretKey  = 5
	tagPublicKey  = 6
	tagSecretSub  = 7
	tagMarker     = 10
	tagTrust      = 12
	tagUserID     = 13
	tagPublicSub  = 14
	tagAttribute  = 17
	tagPadding    = 21
	maxPacketBody = 64 << 10 // bytes; a photograph is the largest that is met
	maxKeyBody    = 8 << 10  // bytes of the numbers of one key
)

// dearmour returns the packets of an upload, which is in armour or not. What stands before the armour is ignored, as in a mail.
func dearmour(upload []byte) ([]byte, *Refusal) {
	if len(upload) > maxUpload {
		return nil, refuse(TooLarge, "This key has %d bytes; at most %d are taken. Export it without photographs and foreign signatures (gpg --export-options export-minimal).", len(upload), maxUpload)
	}
	if len(bytes.TrimSpace(upload)) == 0 {
		return nil, refuse(Unreadable, "There is nothing in the upload. Choose the file of the public key.")
	}
	if upload[0]&0x80 != 0 {
		return upload, nil
	}
	text := string(upload)
	const begin = "-----BEGIN PGP "
	switch strings.Count(text, begin) {
	case 0:
		return nil, refuse(Unreadable, "This is no OpenPGP key: it holds no line that begins with %q. Export it with gpg --armor --export ADDRESS.", begin)
	case 1:
	default:
		return nil, refuse(Several, "There is more than one key in the upload. Give one.")
	}
	_, text, _ = strings.Cut(text, begin)
	switch {
	case strings.HasPrefix(text, "PRIVATE KEY BLOCK"):
		return nil, secretKey()
	case !strings.HasPrefix(text, "PUBLIC KEY BLOCK"):
		return nil, refuse(Unreadable, "This is something of OpenPGP, but no public key. Export the key with gpg --armor --export ADDRESS.")
	}
	b, err := armor.Unarmor(begin + text)
	if err != nil {
		return nil, refuse(Unreadable, "The key's armour is damaged (%s). Export it again.", oneLine(err.Error(), maxSubject))
	}
	if len(b) > maxUpload {
		return nil, refuse(TooLarge, "This key is too large. Export it without photographs and foreign signatures (gpg --export-options export-minimal).")
	}
	return b, nil
}

func secretKey() *Refusal {
	return refuse(Secret, "This is a secret key. Nobody else may have it: it was not kept here, but it went over the network. Upload the public key (gpg --armor --export ADDRESS).")
}

// split cuts a keyring into its keys. It walks over packets before any library reads them, so that only what a public key is made
// of comes through, and not too much of it.
func split(b []byte) ([][]byte, *Refusal) {
	var keys [][]byte
	begin, count := 0, 0
	for at := 0; at < len(b); {
		tag, head, body, err := readPacket(b[at:])
		if err != nil {
			return nil, refuse(Unreadable, "This is no OpenPGP key, or it is damaged (at byte %d: %v). Export it again.", at, err)
		}
		if count++; count > maxPackets {
			return nil, refuse(TooLarge, "This key has more than %d parts. Export it without foreign signatures (gpg --export-options export-minimal).", maxPackets)
		}
		if body > maxKeyBody && (tag == tagPublicKey || tag == tagPublicSub) {
			return nil, refuse(TooLarge, "This key, or a subkey of it, is of an odd size. Make a new one.")
		}
		switch tag {
		case tagSecretKey, tagSecretSub:
			return nil, secretKey()
		case tagPublicKey:
			if at > begin {
				keys = append(keys, b[begin:at])
			}
			begin = at
		case tagSignature, tagUserID, tagPublicSub, tagAttribute, tagTrust, tagMarker, tagPadding:
			if at == begin {
				return nil, refuse(Unreadable, "This is something of OpenPGP, but does not begin with a public key. Export it with gpg --armor --export ADDRESS.")
			}
		default:
			return nil, refuse(Unreadable, "This is something of OpenPGP, but no public key (it has a packet of type %d). Export the key with gpg --armor --export ADDRESS.", tag)
		}
		at += head + body
	}
	return append(keys, b[begin:]), nil
}

// readPacket reads a packet's header (RFC 9580 section 4.2). Lengths in parts and without an end do not occur in keys.
func readPacket(b []byte) (tag, head, body int, err error) {
	if len(b) < 2 || b[0]&0x80 == 0 {
		return 0, 0, 0, errors.New("no packet begins here")
	}
	if b[0]&0x40 != 0 {
		tag = int(b[0] & 0x3f)
		switch n := int(b[1]); {
		case n < 192:
			head, body = 2, n
		case n < 224 && len(b) > 2:
			head, body = 3, (n-192)<<8+int(b[2])+192
		case n == 255 && len(b) > 5:
			head, body = 6, number(b[2:6])
		default:
			return 0, 0, 0, errors.New("a length that keys do not have")
		}
	} else {
		tag = int(b[0]>>2) & 0xf
		size := 1 << (b[0] & 3) // 1, 2, 4; 8 stands for "to the end"
		if size == 8 || len(b) < 1+size {
			return 0, 0, 0, errors.New("a length that keys do not have")
		}
		head, body = 1+size, number(b[1:1+size])
	}
	if body < 0 || body > maxPacketBody {
		return 0, 0, 0, fmt.Errorf("a packet of more than %d bytes", maxPacketBody)
	}
	if head+body > len(b) {
		return 0, 0, 0, errors.New("it ends in the middle of a packet")
	}
	return tag, head, body, nil
}

// number reads up to four bytes, the most significant first.
func number(b []byte) (n int) {
	for _, x := range b {
		n = n<<8 | int(x)
	}
	return n
}
