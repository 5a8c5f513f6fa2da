package inlet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// A store is a server of S3 that runs on this machine for a test, with one bucket, logs.
type store struct {
	endpoint string
	client   *minio.Client
	age      func(key string, at time.Time) // says when the object that is put next, or was put last, was modified
}

const bucketKey, bucketSecret = "AKIATOCSIN", "a-secret-of-forty-characters-or-so"

func (s *store) put(t *testing.T, key, body string, at time.Time) {
	t.Helper()
	s.age(key, at)
	_, err := s.client.PutObject(t.Context(), "logs", key, strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatalf("putting %s: %v", key, err)
	}
	s.age(key, at)
}

func (s *store) begin(t *testing.T) {
	t.Helper()
	c, err := minio.New(strings.TrimPrefix(s.endpoint, "http://"), &minio.Options{Creds: credentials.NewStaticV4(bucketKey, bucketSecret, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath})
	if err != nil {
		t.Fatal(err)
	}
	s.client = c
	until(t, "the store makes a bucket", func() bool { return c.MakeBucket(t.Context(), "logs", minio.MakeBucketOptions{}) == nil })
}

// clock is what the server takes as the time.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// light is a server in this process. around may wrap its handler.
func light(t *testing.T, around func(http.Handler) http.Handler) *store {
	t.Helper()
	c := &clock{t: time.Now()}
	h := gofakes3.New(s3mem.New(s3mem.WithTimeSource(c)), gofakes3.WithTimeSkewLimit(0)).Server()
	if around != nil {
		h = around(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s := &store{endpoint: server.URL, age: func(_ string, at time.Time) { c.set(at) }}
	s.begin(t)
	return s
}

// versity is a server of its own, which checks signatures. It is built once for the test, so only with TOCSIN_SOAK=1.
func versity(t *testing.T) *store {
	t.Helper()
	if os.Getenv("TOCSIN_SOAK") == "" {
		t.Skip("TOCSIN_SOAK=1 builds and runs it")
	}
	dir := t.TempDir()
	build := exec.Command("go", "install", "github.com/versity/versitygw/cmd/versitygw@v1.0.14")
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("the server cannot be built here: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	root := filepath.Join(dir, "root")
	side := filepath.Join(dir, "side")
	for _, d := range []string{root, side} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(filepath.Join(dir, "versitygw"), "--port", addr, "--access", bucketKey, "--secret", bucketSecret, "--quiet", "posix", "--sidecar", side, root)
	var out logged
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", out.String())
		}
	})
	s := &store{endpoint: "http://" + addr, age: func(key string, at time.Time) { _ = os.Chtimes(filepath.Join(root, "logs", key), at, at) }}
	s.begin(t)
	return s
}

// options are those of a bucket on a store.
func (s *store) options(t *testing.T, k *kept) BucketOptions {
	t.Helper()
	keys := filepath.Join(t.TempDir(), "key")
	write(t, keys, "[default]\naws_access_key_id = "+bucketKey+"\naws_secret_access_key="+bucketSecret+"\n")
	return BucketOptions{Append: k.Append, Start: k.start(), Name: "alb", Bucket: "logs", KeyFile: keys, Region: "us-east-1", Endpoint: s.endpoint, PathStyle: true, Poll: 10 * time.Millisecond, Window: time.Hour}
}

// read runs a bucket until ready says so, then stops it.
func read(t *testing.T, o BucketOptions, ready func(*Bucket) bool) *Bucket {
	t.Helper()
	b, err := NewBucket(quietLog(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	defer func() {
		if t.Failed() {
			t.Logf("counted: %+v", b.Counts())
		}
	}()
	until(t, "the bucket is read", func() bool { return ready(b) })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return b
}

// lines reports when so many lines are kept.
func lines(k *kept, n int) func(*Bucket) bool {
	return func(*Bucket) bool { return len(k.raws()) >= n }
}

// Given a bucket with logs of all kinds, when it is read, again and again and after restarts, then each object's lines are kept once, those
// of late and of replaced objects too, and those from before the window not at all.
func testBucket(t *testing.T, s *store) {
	now := time.Now()
	k := newKept()
	s.put(t, "AWSLogs/1/elasticloadbalancing/eu/a.log.gz", gzipped("a1\na2\n"), now.Add(-30*time.Minute))
	s.put(t, "AWSLogs/1/elasticloadbalancing/eu/b.log", "b1\nb2", now.Add(-20*time.Minute))
	s.put(t, "AWSLogs/1/CloudTrail/eu/c.json.gz", gzipped(`{"Records": [{"eventName":"A","x":"]}"},`+"\n"+`{"eventName":"B"}]}`), now.Add(-10*time.Minute))
	s.put(t, "AWSLogs/1/old.log", "too old\n", now.Add(-2*time.Hour))
	s.put(t, "AWSLogs/1/z.zst", zstded("z1\n"), now.Add(-5*time.Minute))
	s.put(t, "other/x.log", "not ours\n", now.Add(-4*time.Minute))
	o := s.options(t, k)
	o.Prefixes = []string{"AWSLogs/", "AWSLogs/1/z"}
	o.Host = "aws"
	b := read(t, o, lines(k, 7))
	want := []string{"a1", "a2", "b1", "b2", `{"eventName":"A","x":"]}"}`, `{"eventName":"B"}`, "z1"}
	if d := cmp.Diff(want, k.raws()); d != "" {
		t.Fatal(d)
	}
	if !k.batches[0].Start || len(k.batches[0].Lines) > 0 {
		t.Errorf("watching does not begin with the first batch: %+v", k.batches[0])
	}
	if l := k.all()[1]; l != (record.Line{Host: "aws", File: "s3:alb", Offset: 3, Raw: "a2"}) {
		t.Errorf("%+v", l)
	}
	if c := b.Counts()[0]; c.Lines != 7 || len(c.Refused) != 0 || c.Door != "s3:alb" {
		t.Errorf("%+v", c)
	}
	// A restart reads nothing twice; what comes late under an older name and time is read, and what was replaced.
	s.put(t, "AWSLogs/0/late.log", "late\n", now.Add(-40*time.Minute))
	s.put(t, "AWSLogs/1/elasticloadbalancing/eu/b.log", "b1\nb2\nb3\n", now.Add(-1*time.Minute))
	o.Start = k.start()
	read(t, o, lines(k, 11))
	if d := cmp.Diff(append(want, "late", "b1", "b2", "b3"), k.raws()); d != "" {
		t.Fatal(d)
	}
	o.Start = k.start()
	s.put(t, "AWSLogs/1/last.log", "last\n", now)
	read(t, o, lines(k, 12))
	if got := k.raws(); len(got) != 12 || got[11] != "last" {
		t.Errorf("%q", got)
	}
}

func TestBucket(t *testing.T) { testBucket(t, light(t, nil)) }

// Given a server that checks signatures, when the same is done there, then the same comes out; and a wrong key is told of in words.
func TestBucketOfVersity(t *testing.T) {
	s := versity(t)
	testBucket(t, s)
	k := newKept()
	for text, says := range map[string]string{
		"aws_access_key_id = " + bucketKey + "\naws_secret_access_key = wrong\n": "copy it again",
		"aws_access_key_id = AKIAX\naws_secret_access_key = wrong\n":             "does not know the access key",
	} {
		o := s.options(t, k)
		write(t, o.KeyFile, text)
		read(t, o, func(b *Bucket) bool { return strings.Contains(b.Counts()[0].Why, says) })
	}
	o := s.options(t, k)
	o.Bucket = "no-such-bucket"
	read(t, o, func(b *Bucket) bool { return strings.Contains(b.Counts()[0].Why, "There is no bucket") })
	testBucketCrash(t, s, 3)
}

// Given objects of several batches, when the program dies before or after any batch is kept, then the next start goes on at the exact line.
func testBucketCrash(t *testing.T, s *store, step int) {
	now := time.Now()
	var want []string
	for _, name := range []string{"one", "two", "three"} {
		var text strings.Builder
		for i := range 2*batchLines + 10 {
			want = append(want, fmt.Sprintf("%s %d", name, i))
			fmt.Fprintln(&text, want[len(want)-1])
		}
		body := text.String()
		if name == "two" {
			body = gzipped(body)
		}
		s.put(t, "crash/"+name, body, now.Add(time.Duration(len(want))*time.Millisecond-time.Minute))
	}
	for dies := 0; dies < 11; dies += step {
		for _, after := range []bool{false, true} {
			k := newKept()
			o := s.options(t, k)
			o.Prefixes = []string{"crash/"}
			dead, batches := make(chan bool), 0
			inner := o.Append
			o.Append = func(b record.Batch) (record.Receipt, error) {
				if batches++; batches == dies+1 {
					if after {
						_, _ = inner(b)
					}
					close(dead)
				}
				if batches > dies {
					return record.Receipt{}, errors.New("dead")
				}
				return inner(b)
			}
			read(t, o, func(*Bucket) bool {
				select {
				case <-dead:
					return true
				default:
					return len(k.raws()) == len(want)
				}
			})
			o.Append, o.Start = inner, k.start()
			read(t, o, lines(k, len(want)))
			if d := cmp.Diff(want, k.raws()); d != "" {
				t.Fatalf("dead at batch %d, after it was kept %v: %d lines, want %d: %.500s", dies+1, after, len(k.raws()), len(want), d)
			}
			o.Start = k.start()
			b, err := NewBucket(quietLog(), o)
			if err != nil || b.done.now != "" || len(b.done.ids) != 3 {
				t.Fatalf("in the end %d objects are done, and %q is under way: %v", len(b.done.ids), b.done.now, err)
			}
		}
	}
}

func TestBucketCrash(t *testing.T) { testBucketCrash(t, light(t, nil), 1) }

// Given a connection that is cut at any byte of an object, when it is asked for again, then the same lines come out, each once.
func TestBucketCutAtEveryByte(t *testing.T) {
	var text, want = "", []string{}
	for i := range 40 {
		want = append(want, fmt.Sprintf("line %d", i))
		text += want[i] + "\n"
	}
	for _, body := range []string{text, gzipped(text)} {
		var mu sync.Mutex
		cut := 0
		s := light(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/cut") {
					h.ServeHTTP(w, r)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				defer func() { cut++ }()
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				for name, values := range rec.Header() {
					w.Header()[name] = values
				}
				w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()))
				w.WriteHeader(rec.Code)
				whole := rec.Body.Bytes()
				if at := cut * 3; at < len(whole) {
					_, _ = w.Write(whole[:at])
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
				_, _ = w.Write(whole)
			})
		})
		s.put(t, "cut", body, time.Now())
		k := newKept()
		b := read(t, s.options(t, k), lines(k, len(want)))
		if d := cmp.Diff(want, k.raws()); d != "" {
			t.Error(d)
		}
		if c := b.Counts()[0]; c.Refused[Unreadable] == 0 || c.Refused[Damaged] != 0 {
			t.Errorf("%+v", c)
		}
	}
}

// Given objects that cannot be read, when the bucket is read, then what can be read of them is kept, the others are not held up, and each
// is counted.
func TestBucketDamaged(t *testing.T) {
	s := light(t, nil)
	now := time.Now().Add(-time.Minute)
	s.put(t, "1.gz", gzipped(strings.Repeat("a\n", 50_000))[:120], now)
	s.put(t, "2.json", `{"Records":[{"a":1},{"b":2},[`, now)
	s.put(t, "3.log", "c\n"+strings.Repeat("x", record.MaxLine+9)+"\nd\n", now)
	s.put(t, "4.log", "e\n", now)
	k := newKept()
	b := read(t, s.options(t, k), func(*Bucket) bool { all := k.raws(); return len(all) > 0 && all[len(all)-1] == "e" })
	c := b.Counts()[0]
	if c.Refused[Damaged] != 2 || c.Cut != 1 {
		t.Errorf("%+v", c)
	}
	rest := k.raws()
	for len(rest) > 0 && rest[0] == "a" || len(rest) > 0 && rest[0] == "" {
		rest = rest[1:]
	}
	if d := cmp.Diff([]string{`{"a":1}`, `{"b":2}`, "c", strings.Repeat("x", record.MaxLine), "d", "e"}, rest); d != "" {
		t.Errorf("%.2000s", d)
	}
}

// Given a prefix with a day in it, when it is listed, then the days of the window are, and no other.
func TestBucketDays(t *testing.T) {
	b := &Bucket{o: BucketOptions{Prefixes: []string{"logs/{yyyy}/{mm}/{dd}/", "E1.{yyyy}-{mm}", "plain"}}, done: &done{floor: time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC)}}
	got := b.prefixes(time.Date(2026, 11, 30, 22, 0, 0, 0, time.UTC))
	want := []string{"logs/2026/11/29/", "logs/2026/11/30/", "logs/2026/12/01/", "E1.2026-11", "E1.2026-12", "plain"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Given many objects over a long time, when they are done one after the other, then each is known for as long as it may be listed, and the
// positions are few.
func TestDoneIsBounded(t *testing.T) {
	const window = time.Hour
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	positions := map[string]record.Position{"s3:x": {File: "s3:x", Offset: at.Add(-window).UnixNano()}}
	d := newDone("s3:x", window, positions)
	var all []minio.ObjectInfo
	for i := range 5000 {
		o := minio.ObjectInfo{Key: fmt.Sprint("k", i), ETag: "e", LastModified: at.Add(time.Duration(i) * 17 * time.Second)}
		all = append(all, o)
		now := o.LastModified.Add(time.Duration(i%3-1) * 50 * time.Minute) // the server's clock is before ours, or behind
		kept, take := d.with(o, now)
		take()
		for _, p := range kept {
			positions[p.File] = p
		}
		if i%97 == 0 {
			d = newDone("s3:x", window, positions)
		}
		for _, o := range all[max(0, i-300):] {
			if !o.LastModified.Before(d.floor) && !d.has(idOf(o)) {
				t.Fatalf("object %s of %s is not known, with the floor at %s", o.Key, o.LastModified, d.floor)
			}
		}
	}
	if len(positions) > 32 || len(d.ids) > 700 {
		t.Errorf("%d positions, %d objects", len(positions), len(d.ids))
	}
}

// Given lines that AWS's services write, when they come out of a bucket, then intake reads them.
func TestBucketFormats(t *testing.T) {
	s := light(t, nil)
	now := time.Now().Add(-time.Minute)
	s.put(t, "a/alb.gz", gzipped(`https 2026-11-26T12:22:55.463821Z app/a/b 203.0.113.7:44740 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET https://a:443/x HTTP/1.1" "c" - - arn "Root=1" "a" "-" 0 2026-11-26T12:22:55.463821Z "waf" "-" "-"`+"\n"), now)
	s.put(t, "b/cloudfront.gz", gzipped("#Version: 1.0\n#Fields: date time x-edge-location c-ip cs-method cs-uri-stem sc-status cs-uri-query\n2026-11-26\t15:22:28\tC\t203.0.113.7\tGET\t/a\t200\tq\n"), now.Add(time.Second))
	s.put(t, "c/cloudtrail.json.gz", gzipped(`{"Records":[{"eventVersion":"1","eventTime":"2026-11-26T15:24:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"eu","sourceIPAddress":"203.0.113.7","responseElements":{"ConsoleLogin":"Failure"}}]}`), now.Add(2*time.Second))
	k := newKept()
	read(t, s.options(t, k), lines(k, 5))
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var formats []string
	for _, l := range k.all() {
		r := p.Parse(l, time.Now())
		formats = append(formats, r.Format+" "+r.Class.String()+" "+r.Text(record.SourceIP))
	}
	want := []string{"aws-alb parsed 203.0.113.7", "w3c header ", "cloudfront header ", "cloudfront parsed 203.0.113.7", "cloudtrail parsed 203.0.113.7"}
	if d := cmp.Diff(want, formats); d != "" {
		t.Error(d)
	}
}

// Given settings with a mistake, when a bucket is made, then the error says which and how to mend it.
func TestBucketSettings(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/good", "aws_access_key_id=a\naws_secret_access_key=b\n")
	write(t, dir+"/empty", "[default]\n")
	good := BucketOptions{Append: newKept().Append, Name: "a", Bucket: "b", Region: "r", KeyFile: dir + "/good"}
	for says, change := range map[string]func(*BucketOptions){
		"no name":              func(o *BucketOptions) { o.Name = "a b" },
		"region is missing":    func(o *BucketOptions) { o.Region = "" },
		"bucket has no name":   func(o *BucketOptions) { o.Bucket = "" },
		"no file with an acc":  func(o *BucketOptions) { o.KeyFile = "" },
		"holds no access key":  func(o *BucketOptions) { o.KeyFile = dir + "/empty" },
		"no such file":         func(o *BucketOptions) { o.KeyFile = dir + "/missing" },
		"use https":            func(o *BucketOptions) { o.Endpoint = "http://192.0.2.1" },
		"is no endpoint":       func(o *BucketOptions) { o.Endpoint = "s3.example.com" },
		"between 10 minutes":   func(o *BucketOptions) { o.Window = time.Second },
		"is no pattern of nam": func(o *BucketOptions) { o.Only = []string{"["} },
	} {
		o := good
		change(&o)
		if _, err := NewBucket(slog.New(slog.DiscardHandler), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error should say %q and is %v", says, err)
		}
	}
	if _, err := NewBucket(quietLog(), good); err != nil {
		t.Error(err)
	}
}
