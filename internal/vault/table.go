package vault

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"

	"tocsin/internal/disk"
)

// A table is a file of a header and records of one size, added in batches. Each record says with which record its
// batch began; all before that one was synced when it was written. So a bad record is damage when a later batch came
// after it, and a torn tail, never acknowledged, when none did.
type table struct {
	name   string
	header int64
	size   int64 // of a record
}

// A verdict is what a record looks like.
type verdict int

const (
	good verdict = iota
	bad
	missing // it may be bad: it was zeroed on purpose
)

// read looks at every record, in order, and returns how many to keep. judge gives a record's verdict and, of a good
// one, the first record of its batch.
func (t table) read(f disk.File, judge func(i int64, b []byte) (verdict, int64)) (keep int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("reading vault file %s: %w", t.name, err)
	}
	n := (info.Size() - t.header) / t.size
	if n <= 0 {
		return 0, nil
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, t.header, n*t.size), 256<<10)
	b := make([]byte, t.size)
	firstBad, synced := n, int64(0)
	for i := range n {
		if _, err := io.ReadFull(r, b); err != nil {
			return 0, fmt.Errorf("reading vault file %s: %w", t.name, err)
		}
		v, batch := judge(i, b)
		switch {
		case v == bad:
			firstBad = min(firstBad, i)
		case v == good && batch <= i:
			synced = max(synced, batch)
		}
	}
	if firstBad < synced {
		return 0, &DamageError{File: t.name, Offset: t.header + firstBad*t.size, Why: "the checksum of a record is wrong"}
	}
	return firstBad, nil
}

// open opens the file, making it with the header given when it is not there, and compares the header. What is in it
// afterwards is durable: a program killed between write and sync leaves bytes that only the page cache holds.
func (t table) open(l disk.Layer, header []byte, readOnly bool) (f disk.File, made bool, err error) {
	flag := os.O_RDWR
	if readOnly {
		flag = os.O_RDONLY
	} else if _, err := l.Stat(t.name); errors.Is(err, os.ErrNotExist) {
		made = true
		if err := disk.Replace(l, t.name, header); err != nil {
			return nil, false, err
		}
	}
	f, err = l.OpenFile(t.name, flag, 0)
	if err != nil {
		return nil, false, fmt.Errorf("opening vault file %s: %w", t.name, err)
	}
	if !readOnly {
		if err = f.Sync(); err == nil {
			err = l.SyncDir(path.Dir(t.name))
		}
		if err != nil {
			return nil, false, errors.Join(fmt.Errorf("opening vault file %s: %w", t.name, err), f.Close())
		}
	}
	return f, made, nil
}

// cut removes what comes after the records to keep, durably, and returns how many bytes that were.
func (t table) cut(f disk.File, keep int64) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("reading vault file %s: %w", t.name, err)
	}
	end := t.header + keep*t.size
	if info.Size() <= end {
		return 0, nil
	}
	if err = f.Truncate(end); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return 0, fmt.Errorf("cutting the torn tail of vault file %s: %w", t.name, err)
	}
	return info.Size() - end, nil
}

// add writes records after the n that are there, and syncs. When the disk is full it takes back what came of the
// write: then, and only when that is durable, the error is ErrFull and the file is as before.
func (t table) add(f disk.File, n int64, records []byte) error {
	end := t.header + n*t.size
	_, err := f.WriteAt(records, end)
	if disk.Full(err) && f.Truncate(end) == nil && f.Sync() == nil {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing vault file %s: %w", t.name, err)
	}
	return nil
}

// sum is the CRC-32C of a record, tied to its vault and place.
func sum(vault id, i int64, b []byte) uint32 {
	t := crc32.MakeTable(crc32.Castagnoli)
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(i))
	return crc32.Update(crc32.Update(crc32.Checksum(vault[:], t), t, at[:]), t, b)
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
