package query_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// visits are lines of a small shop, two minutes apart from 2026-11-20T09:00Z on.
func visits() []*record.Record {
	var out []*record.Record
	for i, s := range []string{
		"203.0.113.7 anna 200 100", "203.0.113.7 anna 404 200", "10.0.0.1 bob 200 300", "203.0.113.7 - 500 50", "10.0.0.2 bob 200 1000",
		"10.0.0.1 anna 200 7", "- carl 200 -", "2001:db8::1 bob 404 20", "203.0.113.7 anna 200 100", "10.0.0.1 - 503 0",
	} {
		f := strings.Fields(s)
		pairs := []string{"@raw=" + s, "@host=web", "@file=access.log", "@time=" + time.Date(2026, 11, 20, 9, 2*i, 0, 0, time.UTC).Format(time.RFC3339)}
		for j, name := range []string{"source.ip", "user.name", "http.response.status_code", "http.response.body.bytes"} {
			if f[j] != "-" {
				pairs = append(pairs, name+"="+f[j])
			}
		}
		r := make1(pairs...)
		r.Line.Seq = int64(i + 1)
		out = append(out, r)
	}
	return out
}

// shown writes a result as a table.
func shown(r query.Result) string {
	var b strings.Builder
	b.WriteString(strings.Join(r.Columns, " ") + "\n")
	for _, row := range r.Rows {
		for i, c := range row {
			if i > 0 {
				b.WriteByte(' ')
			}
			switch c.Kind {
			case query.CellMissing:
				b.WriteByte('-')
			case query.CellTime:
				b.WriteString(c.Time.In(berlin).Format("02T15:04"))
			default:
				b.WriteString(c.Text)
			}
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d matched, %d without %s%s", r.Matched, r.Without, r.Truncated, r.About)
	return strings.TrimSpace(b.String())
}

func fold(q *query.Query, records []*record.Record) *query.Fold {
	f := query.NewFold(q)
	for _, r := range records {
		if q.Match(r) {
			f.Add(r)
		}
	}
	return f
}

// Given ten lines, when a query folds them, then these are the rows.
func TestFold(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"| top ip", "ip count\n203.0.113.7 4\n10.0.0.1 3\n10.0.0.2 1\n2001:db8::1 1\n10 matched, 1 without"},
		{"| top 2 ip", "ip count\n203.0.113.7 4\n10.0.0.1 3\n10 matched, 1 without"},
		{"| top user 2 | sort user desc", "user count\nbob 3\nanna 4\n10 matched, 2 without"},
		{"| rare ip 2", "ip count\n10.0.0.2 1\n2001:db8::1 1\n10 matched, 1 without"},
		{"| count", "count\n10\n10 matched, 0 without"},
		{"user=nobody | count", "count\n0\n0 matched, 0 without"},
		{"user=nobody | sum(bytes)", "sum(bytes)\n0\n0 matched, 0 without"},
		{"user=nobody | avg(bytes)", "avg(bytes)\n0 matched, 0 without"},
		{"| count by user", "user count\nanna 4\nbob 3\n- 2\ncarl 1\n10 matched, 0 without"},
		{"| count by user, status", "user status count\nanna 200 3\nbob 200 2\nanna 404 1\nbob 404 1\ncarl 200 1\n- 500 1\n- 503 1\n10 matched, 0 without"},
		{"| count by 5m", "time count\n20T10:00 3\n20T10:05 2\n20T10:10 3\n20T10:15 2\n10 matched, 0 without"},
		{"| count by status, 10m", "time status count\n20T10:00 200 3\n20T10:00 404 1\n20T10:00 500 1\n20T10:10 200 3\n20T10:10 404 1\n20T10:10 503 1\n10 matched, 0 without"},
		{"| sum(bytes)", "sum(bytes)\n1777\n10 matched, 1 without"},
		{"| sum(bytes) by user", "user sum(bytes)\nbob 1320\nanna 407\n- 50\n10 matched, 1 without"},
		{"| avg(bytes) by user", "user avg(bytes)\nbob 440\nanna 101.75\n- 25\n10 matched, 1 without"},
		{"| min(bytes) by user", "user min(bytes)\nbob 20\nanna 7\n- 0\n10 matched, 1 without"},
		{"| max(bytes) by ip, 10m | sort max(bytes) | head 2", "time ip max(bytes)\n20T10:10 10.0.0.1 7\n20T10:10 2001:db8::1 20\n10 matched, 1 without"},
		{"| p95(bytes)", "p95(bytes)\n1000\n10 matched, 1 without"},
		{"| distinct(ip)", "distinct(ip)\n4\n10 matched, 1 without"},
		{"| distinct(ip) by user", "user distinct(ip)\nbob 3\nanna 2\n- 2\n10 matched, 1 without"},
		{"| distinct(status) every 1d", "time distinct(status)\n20T00:00 4\n10 matched, 0 without"},
		{"| timeline 10m", "time count\n20T10:00 5\n20T10:10 5\n10 matched, 0 without"},
		{"status>=500 since 10:00 until 10:20 | timeline 5m", "time count\n20T10:00 0\n20T10:05 1\n20T10:10 0\n20T10:15 1\n2 matched, 0 without"},
		{"| fields ip, user | head 2", "ip user\n203.0.113.7 anna\n203.0.113.7 anna\n10 matched, 0 without"},
		{"| fields time, ip | tail 2", "time ip\n20T10:16 203.0.113.7\n20T10:18 10.0.0.1\n10 matched, 0 without"},
		{"| fields user, bytes | sort bytes desc | head 3", "user bytes\nbob 1000\nbob 300\nanna 200\n10 matched, 0 without"},
		{"| fields user, bytes | sort -bytes | tail 2", "user bytes\n- 0\ncarl -\n10 matched, 0 without"},
		{"| fields user | sort user | head 5 | tail 1", "user\nbob\n10 matched, 0 without"},
		{"| fields bytes | head 3 | sort bytes desc", "bytes\n300\n200\n100\n10 matched, 0 without"},
		{"| fields bytes | head 5 | tail 3 | head 1", "bytes\n300\n10 matched, 0 without"},
		{"| session 10.0.0.1 | fields time, status", "time status\n20T10:04 200\n20T10:10 200\n20T10:18 503\n3 matched, 0 without"},
		{"| session 10.0.0.1 | count by status", "status count\n200 2\n503 1\n3 matched, 0 without"},
		{"ip=10.0.0.2", "time host file raw\n20T10:08 web access.log 10.0.0.2 bob 200 1000\n1 matched, 0 without"},
	} {
		q := parse(t, c.text)
		if diff := cmp.Diff(c.want, shown(fold(q, visits()).Result())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, diff)
		}
	}
}

// Given a hundred thousand lines over some time, when a timeline chooses its interval, then there are 30 to 120 bars, all lines are in one, and each begins
// where the one before ended.
func TestTimelineChoosesItsInterval(t *testing.T) {
	for _, span := range []time.Duration{40 * time.Second, 3 * time.Minute, time.Hour, 5 * time.Hour, 26 * time.Hour, 8 * 24 * time.Hour, 90 * 24 * time.Hour, 1000 * 24 * time.Hour} {
		f := query.NewFold(parse(t, "| timeline"))
		const n = 100_000
		for i := range n {
			f.AddCounts(nil, now.Add(-span*time.Duration(i)/n), 1)
		}
		r := f.Result()
		var sum int64
		for i, b := range r.Bars {
			sum += b.Count
			if i > 0 && !b.Start.Equal(r.Bars[i-1].End) {
				t.Errorf("%s: bar %d begins at %s, the one before ends at %s", span, i, b.Start, r.Bars[i-1].End)
			}
		}
		if len(r.Bars) < 30 || len(r.Bars) > 122 || sum != n || r.Truncated != "" {
			t.Errorf("%s: %d bars, %d lines, %q", span, len(r.Bars), sum, r.Truncated)
		}
	}
}

// Given lines in any order, split up in any way, when the parts are folded and merged in any order, then the result is that of one fold.
func TestMergeIsOneFold(t *testing.T) {
	texts := []string{
		"| top ip 3", "| rare ip 3", "| count", "| count by user, status", "| count by user, 5m", "| sum(bytes) by user", "| avg(amount) by user", "| avg(amount)", "| sum(amount)", "| min(amount) by 1h", "| max(amount) by user",
		"| p95(bytes)", "| p95(amount) by user", "| distinct(ip) by user", "| distinct(bytes)", "| timeline", "| timeline 1m", "| fields time, ip | sort bytes desc | head 7", "| tail 3", "| head 4 | sort ip", "", "user=a | session 10.0.0.1",
	}
	rapid.Check(t, func(t *rapid.T) {
		q, err := query.Parse(rapid.SampledFrom(texts).Draw(t, "query"), now, berlin)
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.SampledFrom([]int{0, 1, 5, 40, 1500}).Draw(t, "lines")
		chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		spread := time.Duration(rapid.SampledFrom([]int64{1e9, 60e9, 3600e9, 86400e9, 7e15}).Draw(t, "spread"))
		records := make([]*record.Record, n)
		for i := range records {
			pairs := []string{"@raw=x", "@time=" + now.Add(time.Duration(chance.Int64N(int64(spread)))).Format(time.RFC3339Nano), fmt.Sprintf("source.ip=10.0.0.%d", chance.IntN(9))}
			if chance.IntN(5) > 0 {
				pairs = append(pairs, "user.name="+string(rune('a'+chance.IntN(4))))
			}
			if chance.IntN(5) > 0 {
				pairs = append(pairs, fmt.Sprintf("http.response.body.bytes=%d", chance.IntN(2000)), fmt.Sprintf("payment.amount=%.2f", chance.NormFloat64()*1e6), fmt.Sprintf("http.response.status_code=%d", 200+chance.IntN(3)))
			}
			records[i] = make1(pairs...)
			records[i].Line.Seq = int64(i)
		}
		want := fold(q, records).Result()

		chance.Shuffle(n, func(i, j int) { records[i], records[j] = records[j], records[i] })
		parts := make([]*query.Fold, rapid.IntRange(1, 6).Draw(t, "parts"))
		split := make([][]*record.Record, len(parts))
		for _, r := range records {
			i := chance.IntN(len(parts))
			split[i] = append(split[i], r)
		}
		for i := range parts {
			parts[i] = fold(q, split[i])
		}
		for len(parts) > 1 {
			i := chance.IntN(len(parts) - 1)
			parts[i].Merge(parts[i+1])
			parts = append(parts[:i+1], parts[i+2:]...)
		}
		if diff := cmp.Diff(want, parts[0].Result()); diff != "" {
			t.Fatalf("%s (-one fold +merged):\n%s", q, diff)
		}
	})
}

// Given grouped counts of somebody else, when they are folded, then the result is that of folding the lines.
func TestCountsAreLines(t *testing.T) {
	q := parse(t, "| sum(bytes) by user, 5m")
	one, other := query.NewFold(q), query.NewFold(q)
	for i := range 1000 {
		v := record.Float(float64(i%7)*0.1, "")
		at := now.Add(time.Duration(i%3) * 5 * time.Minute)
		one.AddValue([]string{fmt.Sprint(i % 2)}, at, v, 3)
		for range 3 {
			other.AddValue([]string{fmt.Sprint(i % 2)}, at.Add(time.Minute), v, 1)
		}
	}
	one.AddWithout(5)
	for range 5 {
		other.AddWithout(1)
	}
	if diff := cmp.Diff(one.Result(), other.Result()); diff != "" {
		t.Error(diff)
	}
}

// Given far more values than are held, when they are folded, then the frequent ones stay with counts that miss no more than is said, and of rare ones
// there is a sample, counted whole.
func TestTooManyGroups(t *testing.T) {
	const n = 600_000
	add := func(f *query.Fold) {
		for i := range n {
			f.AddCounts([]string{fmt.Sprint("v", i)}, now, 1)
			if i%100 == 0 {
				f.AddCounts([]string{"often"}, now, 1)
			}
		}
	}
	top := query.NewFold(parse(t, "| top path 1"))
	add(top)
	r := top.Result()
	if got := r.Rows[0][1].Number; r.Rows[0][0].Text != "often" || got > n/100 || got < n/100-20 || !strings.Contains(r.Truncated, "262144") {
		t.Errorf("%+v", r)
	}
	rare := query.NewFold(parse(t, "| rare path 3"))
	add(rare)
	if r := rare.Result(); len(r.Rows) != 3 || r.Rows[0][1].Number != 1 || !strings.Contains(r.Truncated, "one in 4") {
		t.Errorf("%+v", r)
	}
}

// Given a window, when times are rounded to the grain of the query, then a timeline and buckets are the same.
func TestGrainIsEnough(t *testing.T) {
	for _, text := range []string{"| timeline", "since 3d until now | timeline", "| timeline 1h", "| count by 6h", "| count"} {
		q := parse(t, text)
		fine, coarse := query.NewFold(q), query.NewFold(q)
		for i := range 5000 {
			at := now.Add(-time.Duration(i) * 50 * time.Second)
			fine.AddCounts(nil, at, 1)
			if g := q.Grain(); g > 0 {
				at = query.Bucket(at, g, berlin)
			}
			coarse.AddCounts(nil, at, 1)
		}
		if diff := cmp.Diff(fine.Result(), coarse.Result()); diff != "" {
			t.Errorf("%s (-lines +rounded):\n%s", text, diff)
		}
	}
}

// Given more seconds than are held, half of them in one fold and few in another, when they are merged either way, then there is one result, by minute.
func TestManySecondsMerge(t *testing.T) {
	q := parse(t, "| timeline 1s")
	part := func(from, to int) *query.Fold {
		f := query.NewFold(q)
		for i := from; i < to; i++ {
			f.AddCounts(nil, now.Add(time.Duration(i)*time.Second), 1)
		}
		return f
	}
	want := part(0, 30_000).Result()
	one, other := part(0, 25_000), part(25_000, 30_000)
	one.Merge(other)
	two, few := part(25_000, 30_000), part(0, 25_000)
	two.Merge(few)
	for _, f := range []*query.Fold{one, two} {
		if diff := cmp.Diff(want, f.Result()); diff != "" {
			t.Error(diff)
		}
	}
	if len(want.Bars) != 500 || !strings.Contains(want.Truncated, "1m") {
		t.Errorf("%d bars, %q", len(want.Bars), want.Truncated)
	}
}

// Given lines of one time, when they are listed, then they are in the order of the archive.
func TestListedAsArchived(t *testing.T) {
	f := query.NewFold(parse(t, "| fields raw"))
	for i := range 9 {
		r := make1("@raw="+string(rune('a'+i*5%9)), "@time=2026-11-20T09:00:00Z")
		r.Line.Seq = int64(100 - i)
		f.Add(r)
	}
	var got strings.Builder
	for _, row := range f.Result().Rows {
		got.WriteString(row[0].Text)
	}
	if got.String() != "eidhcgbfa" {
		t.Errorf("listed as %s", got.String())
	}
}

// Given many lines, when they are listed, then the newest are kept, and it is said.
func TestTooManyLines(t *testing.T) {
	f := query.NewFold(parse(t, "| fields time"))
	for i := range 30_001 {
		r := &record.Record{Time: now.Add(time.Duration(i*7919%30_001) * time.Second)}
		f.Add(r)
	}
	r := f.Result()
	if len(r.Rows) != 10_000 || !r.Rows[9_999][0].Time.Equal(now.Add(30_000*time.Second)) || !strings.Contains(r.Truncated, "newest 10000") {
		t.Errorf("%d rows, %q", len(r.Rows), r.Truncated)
	}
}

// Given many different values, when p95 and distinct estimate, then they are as near as they say.
func TestEstimates(t *testing.T) {
	const n = 200_000
	p95, distinct := query.NewFold(parse(t, "| p95(bytes)")), query.NewFold(parse(t, "| distinct(bytes)"))
	for i := range n {
		v := record.Int(int64(i), fmt.Sprint(i))
		p95.AddValue(nil, now, v, 1)
		distinct.AddValue(nil, now, v, 1)
	}
	for _, c := range []struct {
		f          *query.Fold
		want, near float64
	}{{p95, 0.95 * n, 0.011 * n}, {distinct, n, 0.04 * n}} {
		r := c.f.Result()
		if got := r.Rows[0][0].Number; got < c.want-c.near || got > c.want+c.near || r.About == "" {
			t.Errorf("%s is %v, want %v ± %v (%q)", r.Columns[0], got, c.want, c.near, r.About)
		}
	}
}
