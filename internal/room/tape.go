package room

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"
)

const (
	perSecond  = 48_000         // samples of Opus, whatever it was made of, and of its RTP timestamps (RFC 7587)
	gapAtLeast = perSecond / 10 // by which timestamps jump before silence is written: less was lost on the way
)

// silence is 20 ms of it, as Opus (RFC 6716, CELT, one frame).
var silence = [3]byte{0xf8, 0xff, 0xfe}

// A tape is the file of one voice.
type tape struct {
	voice   Voice
	file    *os.File
	out     *oggwriter.Writer
	track   *oggwriter.Track
	from    time.Time // of its first packet
	samples int64     // written
	next    uint32    // the timestamp that follows what was written
}

// counted counts the bytes that go into a file. It has no Close: the Ogg writer would close the file before it is synced.
type counted struct {
	file *os.File
	size *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.file.Write(b)
	c.size.Add(int64(n))
	return n, err
}

func (c counted) Seek(offset int64, whence int) (int64, error) { return c.file.Seek(offset, whence) }

func (c counted) WriteAt(b []byte, at int64) (int, error) { return c.file.WriteAt(b, at) }

// newTape makes the file of a seat that is heard for the first time.
func newTape(root *os.Root, s sound, from time.Time, size *atomic.Int64) (*tape, error) {
	k := &tape{from: s.at, voice: Voice{File: fmt.Sprintf("seat-%02d.ogg", s.seat.number), Seat: s.seat.number, Person: s.seat.ticket.Person, Name: shownName(s.seat.ticket), Starts: max(0, s.at.Sub(from).Milliseconds())}}
	var err error
	if k.file, err = root.OpenFile(k.voice.File, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, err
	}
	c := counted{k.file, size}
	k.out, err = oggwriter.NewWriter(c, oggwriter.WithSeekableOutput(c), oggwriter.WithVendor("tocsin"))
	if err == nil {
		k.track, err = k.out.NewTrack(0, oggwriter.WithChannelCount(2))
	}
	if err != nil {
		return nil, errors.Join(err, k.file.Close())
	}
	return k, nil
}

// write writes a packet. Where the sender's timestamps jump (it was muted, silent, or came back by a new connection), silence is
// written first, up to where the server's clock is; packets that are only late follow each other. A packet that is no Opus is counted.
func (k *tape) write(s sound) error {
	n := samplesOf(s.payload)
	if n == 0 {
		k.voice.Unread++
		return nil
	}
	if jump := int32(s.stamp - k.next); k.samples > 0 && (jump > gapAtLeast || jump < -gapAtLeast) {
		due := int64(s.at.Sub(k.from).Seconds() * perSecond)
		for ; k.samples+perSecond/50 <= due; k.samples += perSecond / 50 {
			if err := k.track.WriteRTP(&rtp.Packet{Payload: silence[:]}); err != nil {
				return err
			}
		}
	}
	k.samples += int64(n)
	k.next = s.stamp + uint32(n)
	return k.track.WriteRTP(&rtp.Packet{Payload: s.payload})
}

// finish marks the end, syncs, and reads the file for its hash.
func (k *tape) finish(root *os.Root) (Voice, error) {
	err := errors.Join(k.out.Close(), k.file.Sync(), k.file.Close())
	k.voice.Long = k.samples * 1000 / perSecond
	sum, size, hashing := hashOf(root, k.voice.File)
	k.voice.SHA256, k.voice.Bytes = sum, size
	return k.voice, errors.Join(err, hashing)
}

// samplesOf returns how long an Opus packet is (RFC 6716, section 3.1), 0 if it is none: it lasts 120 ms at most, and holds what its first bytes say.
func samplesOf(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	frame := 0
	switch mode := p[0] >> 3; {
	case mode < 12: // SILK
		frame = [...]int{480, 960, 1920, 2880}[mode&3]
	case mode < 16: // both
		frame = [...]int{480, 960}[mode&1]
	default: // CELT
		frame = [...]int{120, 240, 480, 960}[mode&3]
	}
	frames := 1
	switch p[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(p) < 2 {
			return 0
		}
		frames = int(p[1] & 0x3f)
	}
	if n := frame * frames; n <= perSecond*120/1000 {
		return n
	}
	return 0
}
