package voice

// mulaw encodes one sample of 16 bit as G.711 mu-law (ITU-T G.711, table 2).
func mulaw(s int16) byte {
	x, sign := int(s), byte(0)
	if x < 0 {
		x, sign = -x, 0x80
	}
	x = min(x, 32635) + 132
	segment := 7
	for mask := 0x4000; segment > 0 && x&mask == 0; segment, mask = segment-1, mask>>1 {
	}
	return ^(sign | byte(segment<<4) | byte(x>>(segment+3)&0x0f))
}

// unmulaw decodes one byte of G.711 mu-law to 16 bit.
func unmulaw(b byte) int16 {
	b = ^b
	x := (int(b&0x0f)<<3+132)<<(b>>4&7) - 132
	if b&0x80 != 0 {
		x = -x
	}
	return int16(x)
}

// alaw encodes one sample of 16 bit as G.711 A-law (ITU-T G.711, table 1).
func alaw(s int16) byte {
	x, sign := int(s)>>3, byte(0x80) // 13 bit
	if x < 0 {
		x, sign = -x-1, 0
	}
	segment := 0
	for x>>(segment+5) > 0 && segment < 7 {
		segment++
	}
	b := byte(segment << 4)
	if segment < 2 {
		b |= byte(x>>1) & 0x0f
	} else {
		b |= byte(x>>segment) & 0x0f
	}
	return (b | sign) ^ 0x55
}

// unalaw decodes one byte of G.711 A-law to 16 bit.
func unalaw(b byte) int16 {
	b ^= 0x55
	x, segment := int(b&0x0f)<<4+8, int(b>>4&7)
	if segment > 0 {
		x = (x + 0x100) << (segment - 1)
	}
	if b&0x80 == 0 {
		x = -x
	}
	return int16(x)
}

// decode turns a payload into samples of 16 bit; kind is the static payload type, 0 for mu-law and 8 for A-law (RFC 3551).
func decode(kind uint8, payload []byte) []int16 {
	law := unmulaw
	if kind == 8 {
		law = unalaw
	}
	pcm := make([]int16, len(payload))
	for i, b := range payload {
		pcm[i] = law(b)
	}
	return pcm
}
