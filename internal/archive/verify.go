package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/disk"
)

// Checked says what Verify read.
type Checked struct {
	Segments, Blocks int
	First, Last      int64 // numbers of the lines; Last < First when there is none
	Bytes            int64
	Torn             int64 // bytes at the end that are no whole block: a write under way, or one that was never acknowledged
}

// Verify reads every byte of the archive in dir, changes nothing, and returns the first bad block as a *DamageError.
// Beside a running server it passes over segments that expire meanwhile, and does not look at what is written meanwhile.
func Verify(l disk.Layer, dir string) (Checked, error) {
	c := Checked{First: 1}
	names, _, err := list(l, dir)
	if err != nil {
		return c, fmt.Errorf("reading the archive's folder: %w", err)
	}
	unpacker, err := newUnpacker()
	if err != nil {
		return c, fmt.Errorf("verifying the archive: %w", err)
	}
	for i, name := range names {
		newest := i == len(names)-1
		s, end, blocks, err := check(l, unpacker, name)
		if damage, ok := errors.AsType[*DamageError](err); ok && newest && damage.Offset > 0 {
			s, end, blocks, err = check(l, unpacker, name) // a server may have been writing there
		}
		if errors.Is(err, fs.ErrNotExist) && c.Segments == 0 {
			continue
		}
		if err != nil {
			return c, err
		}
		if c.Segments == 0 {
			c.First = s.first
		} else if s.first != c.Last+1 {
			return c, &DamageError{name, 0, fmt.Sprintf("line %d should follow, but it starts with line %d: a segment is missing or out of place", c.Last+1, s.first)}
		}
		if !newest && !s.sealed {
			return c, &DamageError{name, end, "the segment has no end, though another follows"}
		}
		c.Segments++
		c.Blocks += blocks
		c.Last = s.next - 1
		c.Bytes += s.size
		c.Torn = s.size - end
	}
	return c, nil
}

// check reads one segment, and everything in its blocks.
func check(l disk.Layer, z *zstd.Decoder, name string) (s *segment, end int64, blocks int, err error) {
	f, err := l.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("opening archive segment %s: %w", name, err)
	}
	defer f.Close()
	if s, err = newSegment(name, f); err != nil {
		return nil, 0, 0, err
	}
	end, err = scan(s, f, func(h header, offset int64, stored []byte) error {
		s.seen(h, offset)
		blocks++
		_, err := content(z, h, stored)
		return err
	})
	return s, end, blocks, err
}

// content decodes the payload of a block: a *state, a Block or nil.
func content(z *zstd.Decoder, h header, stored []byte) (any, error) {
	plain, err := unpack(z, h, stored, nil)
	switch {
	case err != nil:
		return nil, err
	case h.kind == kindHead:
		return decodeState(plain)
	case h.kind == kindLines:
		return decodeBatch(h, plain)
	case len(plain) > 0:
		return nil, errors.New("a block has bytes where none belong")
	}
	return nil, nil
}
