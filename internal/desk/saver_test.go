package desk

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSnapshotReadsBack(t *testing.T) {
	want := snapshot{Next: 12, Intake: []byte{1, '\n', 0}, Hours: map[int64]*Hour{5: {Records: 7}}, Detect: []byte("a\n\x00b\n")}
	b, err := want.bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseSnapshot(b)
	want.Size = len(want.Detect)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Fatalf("%v\n%s", err, d)
	}
	for n := range b {
		if _, err := parseSnapshot(b[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are taken for a snapshot", n, len(b))
		}
	}
}
