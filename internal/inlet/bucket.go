package inlet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"tocsin/internal/record"
)

// # How a bucket is read
//
// A Bucket lists its prefixes every Options.Poll, and reads what is new, the oldest first: each object once and whole, packed by gzip or
// zstd or not. A file that CloudTrail delivered ({"Records":[...]}) gives a line for each of its events, any other object its lines.
//
// How far it is lies in the archive, in positions that are kept in one batch with the lines that they are about. So after a crash at any
// instruction the object under way goes on at its exact line. There is one position for each of
//
//	s3:NAME          Offset is the floor: objects last modified before it (nanoseconds since 1970) are not looked at
//	s3:NAME#now      the object under way: Print is its id, a blank and its key, Offset its bytes that are kept, unpacked
//	s3:NAME#done-N   five minutes: Offset is their number since 1970, Print the ids, 16 digits each, of the objects done that were last modified then
//
// An id is the beginning of SHA-256 over key and ETag: an object that was replaced is another one, and is read whole. The floor stays a
// window behind the newest object that was read, because objects appear late under an older time: what S3 puts together of parts
// has the time at which that began. What appears later than the window allows is not read. An object of which a part is kept holds up the others until
// its rest can be read; one that cannot be read at all holds up none, and is tried again for as long as it is in the window. The N of the positions goes round, so their
// number is bounded by the window.

// BucketOptions say what is read and from where. All but those that name what 0 or "" means are needed.
type BucketOptions struct {
	Append func(record.Batch) (record.Receipt, error) // must be durable when it returns
	Agent  string                                     // for Batch.Agent; "" is this program
	Start  map[string]record.Position                 // of that agent, as archived

	Name     string   // of the door and of Line.File: "s3:NAME"
	Host     string   // for Line.Host; "" is none
	Bucket   string   //
	Prefixes []string // of keys; {yyyy}, {mm} and {dd} stand for each day of the window (UTC), so that old days need no listing. None is every key
	Only     []string // patterns (path.Match) of the last part of a key; none is every key

	KeyFile   string // an AWS credentials file: aws_access_key_id = ..., aws_secret_access_key = ...; read again when it changes
	Region    string // "eu-central-1"
	Endpoint  string // "https://s3.example.com"; "" is AWS's of the region
	PathStyle bool   // the bucket stands in the path, not in the host's name: most servers that are not AWS's need it

	Window time.Duration // how long after its time an object may appear; 0 is 24 h. Between 10 minutes and 30 days
	Since  time.Time     // of the oldest object that is read at the first start; zero is a window before that start
	Poll   time.Duration // how often is listed; 0 is a minute
}

const (
	maxObject = 4 << 30     // bytes of an object, unpacked; what is beyond is not read
	maxListed = 10_000      // objects that are taken from one listing, the oldest
	readStall = time.Minute // without a byte of an object
	longest   = 30 * 24 * time.Hour
)

// A Bucket reads one S3 bucket.
type Bucket struct {
	o     BucketOptions
	file  string // "s3:NAME"
	store minio.Core
	send  *sender
	tally *tally
	done  *done
}

// NewBucket makes a reader. It asks the server nothing yet. Errors say which setting is wrong and how to mend it.
func NewBucket(log *slog.Logger, o BucketOptions) (*Bucket, error) {
	o.Window = cmp.Or(o.Window, 24*time.Hour)
	o.Poll = cmp.Or(max(o.Poll, 0), time.Minute)
	if len(o.Prefixes) == 0 {
		o.Prefixes = []string{""}
	}
	host, secure, err := endpointOf(o.Endpoint, o.Region)
	switch {
	case o.Append == nil:
		err = errors.New("there is nowhere to put lines")
	case !plainName(o.Name):
		err = fmt.Errorf("%q is no name: use letters, digits, dots, - and _", o.Name)
	case o.Bucket == "":
		err = errors.New("the bucket has no name")
	case o.Region == "":
		err = errors.New("the region is missing: write that of the bucket, such as eu-central-1; servers that are not AWS's mostly take us-east-1")
	case o.Window < 10*time.Minute || o.Window > longest:
		err = fmt.Errorf("the window is %s and must be between 10 minutes and 30 days", o.Window)
	}
	for _, p := range o.Only {
		if _, bad := path.Match(p, ""); bad != nil {
			err = fmt.Errorf("%q is no pattern of names: write * for any part, such as *.gz", p)
		}
	}
	keys := &keyFile{name: o.KeyFile}
	if err == nil {
		_, err = keys.Retrieve()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the bucket %s: %w", cmp.Or(o.Name, o.Bucket), err)
	}
	lookup := minio.BucketLookupDNS
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	store, err := minio.NewCore(host, &minio.Options{Creds: credentials.New(keys), Secure: secure, Region: o.Region, BucketLookup: lookup, MaxRetries: 3})
	if err != nil {
		return nil, fmt.Errorf("reading the bucket %s at %s: %w", o.Name, host, err)
	}
	b := &Bucket{o: o, file: "s3:" + o.Name, store: *store, send: newSender(o.Append, o.Agent)}
	b.tally = newTally(log, b.file)
	b.done = newDone(b.file, o.Window, o.Start)
	return b, nil
}

// endpointOf splits an endpoint. Without TLS, the lines could be read on the way, so that is for this machine alone.
func endpointOf(endpoint, region string) (host string, secure bool, err error) {
	if endpoint == "" {
		return "s3." + region + ".amazonaws.com", true, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false, fmt.Errorf("%q is no endpoint: write https:// and the server's name, such as https://s3.example.com", endpoint)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && !(ip != nil && ip.IsLoopback() || u.Hostname() == "localhost") {
		return "", false, fmt.Errorf("the endpoint %s is not encrypted, so anybody on the way could read and change the logs: use https", endpoint)
	}
	return u.Host, u.Scheme == "https", nil
}

// Counts returns what came out of the bucket. It may be called at any time.
func (b *Bucket) Counts() []Count { return []Count{b.tally.read()} }

// Run reads until ctx ends, and returns nil then. What was read and is not kept is read again at the next start.
func (b *Bucket) Run(ctx context.Context) error {
	for {
		if err := b.round(ctx); err != nil && ctx.Err() == nil {
			b.tally.refuse(Unreadable, 1, "", b.words(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(b.o.Poll):
		}
	}
}

// round lists once and reads what is new.
func (b *Bucket) round(ctx context.Context) error {
	now := time.Now()
	if b.done.floor.IsZero() {
		if err := b.begin(ctx, now); err != nil {
			return err
		}
	}
	for {
		objects, more, err := b.list(ctx, now)
		if err != nil {
			return err
		}
		// The object under way comes first, and no other while it cannot be read on: there is one position for where it is.
		if i := slices.IndexFunc(objects, func(o minio.ObjectInfo) bool { return idOf(o) == b.done.now }); i > 0 {
			first := objects[i]
			objects = slices.Insert(slices.Delete(objects, i, i+1), 0, first)
		}
		failed := false
		for _, o := range objects {
			err := b.read(ctx, o)
			switch {
			case err == nil:
				continue
			case ctx.Err() != nil:
				return nil
			}
			failed = true
			if b.tally.refuse(b.reason(err), 1, o.Key, b.words(err)); b.done.now == idOf(o) {
				return nil
			}
		}
		if !more || failed {
			return nil
		}
	}
}

// begin marks the start of watching: what is older is history.
func (b *Bucket) begin(ctx context.Context, now time.Time) error {
	floor := b.o.Since
	if floor.IsZero() {
		floor = now.Add(-b.o.Window)
	}
	err := b.send.send(ctx, b.tally, record.Batch{Received: now, Start: true, Positions: []record.Position{{File: b.file, Offset: floor.UnixNano()}}}, 0)
	if err == nil {
		b.done.floor = floor
	}
	return err
}

// list returns the oldest objects that are not done, the oldest first, and whether there are more.
func (b *Bucket) list(ctx context.Context, now time.Time) (objects []minio.ObjectInfo, more bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends a listing that is left
	var found oldest
	for _, prefix := range b.prefixes(now) {
		for o := range b.store.Client.ListObjects(ctx, b.o.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if o.Err != nil {
				return nil, false, o.Err
			}
			if o.Size == 0 || o.LastModified.Before(b.done.floor) || o.LastModified.After(now.Add(ahead)) || b.done.has(idOf(o)) || !b.wants(o.Key) {
				continue
			}
			found.add(o)
		}
	}
	return found.sorted(), found.left, nil
}

// wants reports whether a key is to be read.
func (b *Bucket) wants(key string) bool {
	if strings.HasSuffix(key, "/") {
		return false
	}
	for _, p := range b.o.Only {
		if ok, _ := path.Match(p, path.Base(key)); ok {
			return true
		}
	}
	return len(b.o.Only) == 0
}

// prefixes returns what is listed: of a prefix with a day, one for each day from the floor to tomorrow.
func (b *Bucket) prefixes(now time.Time) (all []string) {
	for _, p := range b.o.Prefixes {
		if !strings.Contains(p, "{") {
			all = append(all, p)
			continue
		}
		last := ""
		for day := b.done.floor.UTC().Truncate(24 * time.Hour); !day.After(now.Add(24 * time.Hour)); day = day.AddDate(0, 0, 1) {
			of := strings.NewReplacer("{yyyy}", day.Format("2006"), "{mm}", day.Format("01"), "{dd}", day.Format("02")).Replace(p)
			if of != last {
				all = append(all, of)
			}
			last = of
		}
	}
	return all
}
