package desk

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/ledger"
	"tocsin/internal/scratch"
	"tocsin/internal/signin"
	"tocsin/internal/vault"
)

// Where the stores lie in the data folder, and the signing key in the key folder.
const (
	ledgerDir  = "ledger"
	vaultDir   = "vault"
	archiveDir = "archive"
	derivedDir = "derived"
	scratchDir = "scratch"
	ballast    = "ballast"
	keyFile    = "ledger.key"
)

// logBytes is how long a segment of the write-ahead log gets: a search reads what is not on the shelf line by line.
const logBytes = 4 << 20

// ballastSize is set aside so that a full disk can be given some room for the last entries.
const ballastSize int64 = 16 << 20

// lastRoom is how little free space the ballast is given up for. The archive has stopped long before.
const lastRoom = 4 << 20

// openStores opens everything that is kept, and says what was cut.
func (d *Desk) openStores() (ledger.Opened, error) {
	var none ledger.Opened
	if err := d.o.Data.MkdirAll(derivedDir, 0o700); err != nil {
		return none, fmt.Errorf("making %s in the data folder: %w", derivedDir, err)
	}
	if err := d.o.Data.MkdirAll(habitsDir, 0o700); err != nil {
		return none, fmt.Errorf("making %s in the data folder: %w", habitsDir, err)
	}
	var err error
	if d.key, err = openKey(d.o.Keys, d.o.Data); err != nil {
		return none, err
	}
	var vsaid vault.Opened
	if d.vault, vsaid, err = vault.Open(d.o.Data, vaultDir, d.o.Keys, vault.Options{Passphrase: d.o.Passphrase}); err != nil {
		return none, err
	}
	d.log.Debug("vault", "found", vsaid.String())
	var lsaid ledger.Opened
	if d.ledger, lsaid, err = ledger.Open(d.o.Data, ledgerDir, d.key, d.state.apply, ledger.Options{Decode: new(entry.Decoder).Decode}); err != nil {
		return none, err
	}
	d.log.Info(lsaid.String())
	if err := d.unmixed(); err != nil {
		return none, err
	}
	var asaid archive.Opened
	if d.archive, asaid, err = archive.Open(d.o.Data, archiveDir, archive.Options{Reserve: d.o.Reserve, SegmentBytes: cmp.Or(d.o.LogBytes, logBytes)}); err != nil {
		return none, err
	}
	d.log.Info(asaid.String())
	if err := d.openShelf(); err != nil {
		return none, err
	}
	var ssaid scratch.Opened
	if d.scratch, ssaid, err = scratch.Open(d.o.Data, scratchDir); err != nil {
		return none, err
	}
	d.log.Debug(ssaid.String())
	d.setBallast()
	d.watcher, err = d.newWatcher()
	return lsaid, err
}

// unmixed refuses to play the sample into a real ledger, and to go on with a played one for real.
func (d *Desk) unmixed() error {
	switch {
	case d.offline || d.state.Entries == 0 || d.state.Sample == d.Sample():
		return nil
	case d.Sample():
		return errors.New("the data folder holds real incidents, and the sample would mix with them: choose another folder with --data")
	}
	return errors.New("the data folder holds the sample that was played, and real incidents must not mix with it: choose another folder with --data, " +
		"or remove this one and its keys")
}

// setBallast reserves room for the last entries, once everything is open: to mend a torn end takes room, too.
func (d *Desk) setBallast() {
	free, err := d.o.Data.Free()
	size := cmp.Or(d.o.Ballast, ballastSize)
	if _, serr := d.o.Data.Stat(ballast); err == nil && serr != nil && free < d.o.Reserve+2*uint64(size) {
		err = fmt.Errorf("%s are free", Size(int64(free)))
	}
	if err == nil {
		err = disk.Ballast(d.o.Data, ballast, size)
	}
	if err != nil {
		d.log.Warn("the disk has no room for the ballast that keeps the bell alive when it is full: free some, then restart", "bytes", size, "error", err)
	}
}

// dropBallast gives the reserve to the ledger when little else is left.
func (d *Desk) dropBallast() {
	free, err := d.o.Data.Free()
	if err != nil || free >= lastRoom {
		return
	}
	if _, err := d.o.Data.Stat(ballast); err != nil {
		return
	}
	d.log.Error("the disk is full: the ballast was given to the ledger, and when that is used up Tocsin takes no more commands. Free space now", "free", free)
	if err := disk.DropBallast(d.o.Data, ballast); err != nil {
		d.log.Error("giving back the ballast", "error", err)
	}
}

// openKey reads the ledger's signing key, or makes one for a new ledger.
func openKey(keys, data disk.Layer) (ledger.Key, error) {
	b, err := disk.ReadFile(keys, keyFile)
	if err == nil {
		return ledger.ParseKey(string(b))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return ledger.Key{}, fmt.Errorf("reading the signing key: %w", err)
	}
	if _, err := data.Stat(ledgerDir + "/entries.jsonl"); err == nil {
		return ledger.Key{}, fmt.Errorf("there is a ledger, but its signing key %s is gone from the key folder: bring the folder back from its backup. "+
			"Without the key the ledger can still be read: tocsin ledger verify, export", keyFile)
	}
	key, err := ledger.NewKey("tocsin-" + strings.ToLower(rand.Text()[:10]))
	if err != nil {
		return ledger.Key{}, err
	}
	for _, f := range []struct {
		layer disk.Layer
		name  string
		text  string
	}{{keys, keyFile, key.Secret()}, {keys, publicFile, key.Public().String() + "\n"}, {data, publicFile, key.Public().String() + "\n"}} {
		if err := disk.Replace(f.layer, f.name, []byte(f.text)); err != nil {
			return ledger.Key{}, fmt.Errorf("keeping the key of the ledger: %w", err)
		}
	}
	return key, nil
}

// housekeep does what comes round: rings without the ledger when it cannot be written, removes old lines, keeps
// what may be lost.
func (d *Desk) housekeep(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var expired time.Time
	for {
		now := time.Now()
		d.dropBallast()
		if title, says := d.alarm.due(now); says != "" {
			d.changed.say()
			d.alarm.ringOut(ctx, now, title, says)
		}
		if d.o.Retention > 0 && now.Sub(expired) > time.Hour {
			expired = now
			if _, err := d.archive.Expire(now, d.o.Retention); err != nil {
				d.log.Error("removing lines that are older than the retention", "error", err)
			}
		}
		if err := d.sweepOnce(now); err != nil {
			d.log.Debug("dropping old idempotency keys", "error", err)
		}
		if err := d.scratch.Flush(now); err != nil {
			d.log.Debug("keeping sessions", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// CannotWrite returns why the ledger or the archive cannot be written, "" if they can.
func (d *Desk) CannotWrite() string { return d.alarm.Why() }

// A tally counts by key and forgets the oldest keys: what an attacker can cause at will must stay small.
type tally struct {
	mu   sync.Mutex
	by   map[string]int64
	keys []string
}

const tallyKeys = 10_000

func (t *tally) add(key string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]int64{}
	}
	if _, ok := t.by[key]; !ok {
		t.keys = append(t.keys, key)
		if len(t.keys) > tallyKeys {
			delete(t.by, t.keys[0])
			t.keys = t.keys[1:]
		}
	}
	t.by[key]++
	return t.by[key]
}

// Sessions is the part of scratch in which the console keeps who is signed in.
func (d *Desk) Sessions() signin.Store {
	return signin.Store{
		Put: func(kind, key string, value []byte, until time.Time) error {
			return d.scratch.Put(kind, key, json.RawMessage(value), until)
		},
		Get: func(kind, key string, now time.Time) ([]byte, bool) {
			var raw json.RawMessage
			ok := d.scratch.Get(kind, key, now, &raw)
			return raw, ok
		},
		Delete: func(kind string, keys ...string) error {
			for _, key := range keys {
				d.scratch.Delete(kind, key)
			}
			return d.scratch.Flush(time.Now())
		},
		Each: func(kind string, now time.Time, yield func(string, []byte) bool) {
			for key, value := range d.scratch.Each(kind, now) {
				if !yield(key, value) {
					return
				}
			}
		},
	}
}
