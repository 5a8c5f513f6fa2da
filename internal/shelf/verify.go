package shelf

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"tocsin/internal/disk"
)

// Checked says what Verify read.
type Checked struct {
	Volumes int
	Rows    int64
	Bytes   int64
	Damaged []*DamageError
}

// Verify reads every byte of every volume that there is now, and everything in them: the hashes, the checksums, that the columns
// name the lines and that the numbers of both agree. It changes nothing. Seen is told how far it is; it may be nil. Errors: of ctx,
// or of a disk that cannot be read.
func (s *Shelf) Verify(ctx context.Context, seen func(volumes, of int)) (Checked, error) {
	return s.VerifyOther(ctx, map[string]bool{}, seen)
}

// VerifyOther is Verify without the volumes that known names; it adds what it read. So a folder on which a server works can be looked at
// again.
func (s *Shelf) VerifyOther(ctx context.Context, known map[string]bool, seen func(volumes, of int)) (Checked, error) {
	view := s.View()
	defer view.Close()
	var c Checked
	for n, v := range view.Volumes {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		if known[v.Name] {
			continue
		}
		known[v.Name] = true
		if seen != nil {
			seen(n, len(view.Volumes))
		}
		err := s.check(v)
		if d, ok := err.(*DamageError); ok {
			c.Damaged = append(c.Damaged, d)
		} else if err != nil {
			return c, err
		}
		c.Volumes++
		c.Rows += int64(v.Rows)
		c.Bytes += v.Bytes()
	}
	return c, nil
}

func (s *Shelf) check(v *Volume) error {
	for end, want := range map[string]File{linesEnd: v.Lines, columnsEnd: v.Columns} {
		if err := s.checkSum(v, end, want); err != nil {
			return err
		}
	}
	return s.checkRows(v)
}

func (s *Shelf) checkSum(v *Volume, end string, want File) error {
	f, size, err := s.openFile(v, end)
	if err != nil {
		return s.damaged(v, end, err)
	}
	defer f.Close()
	if size != want.Size {
		return s.damaged(v, end, fmt.Errorf("it has %d bytes instead of %d", size, want.Size))
	}
	sum, err := sumOf(f, size)
	if err != nil {
		return s.damaged(v, end, err)
	}
	if sum != want.SHA256 {
		return s.damaged(v, end, fmt.Errorf("its SHA-256 is %s instead of %s", sum, want.SHA256))
	}
	return nil
}

func sumOf(f disk.File, size int64) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(f, 0, size))
	return hex.EncodeToString(h.Sum(nil)), err
}

// lines are the numbers of the lines of all rows.
func (c *Chunk) lines() ([]int64, error) {
	n, err := c.Numbers(LineColumn)
	if err != nil {
		return nil, err
	}
	return n.All()
}

// checkRows reads the lines and the numbers in the columns.
func (s *Shelf) checkRows(v *Volume) error {
	l, err := s.OpenLines(v)
	if err != nil {
		return err
	}
	defer l.Close()
	seqs := make(map[int64]bool, v.Kept)
	for n := range l.Frames() {
		lines, err := l.Read(n)
		if err != nil {
			return err
		}
		for i := range lines {
			seqs[lines[i].Seq] = true
		}
	}
	c, err := s.OpenColumns(v)
	if err != nil {
		return err
	}
	defer c.Close()
	rows := 0
	for _, chunk := range c.Chunks {
		numbers, err := chunk.lines()
		if err != nil {
			return s.damaged(v, columnsEnd, err)
		}
		for _, n := range numbers {
			if !seqs[n] {
				return s.damaged(v, columnsEnd, fmt.Errorf("it names line %d, which is not among the lines", n))
			}
		}
		rows += chunk.Rows
	}
	if rows != v.Rows || len(seqs) != v.Kept {
		return s.damaged(v, columnsEnd, fmt.Errorf("it has %d rows and %d lines instead of %d and %d", rows, len(seqs), v.Rows, v.Kept))
	}
	return nil
}
