package shelf

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tocsin/internal/disk"
)

// volumeFiles are the files of volumes that there are, but those aside.
func volumeFiles(t *testing.T, s *Shelf) (names []string) {
	t.Helper()
	err := s.each("shelf", func(name string) error {
		if !strings.HasSuffix(name, manifestName) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Given somebody who read lines in their order, to the end or not, when volumes expire, then their files go.
func TestFilesGoThoughSomebodyReadLines(t *testing.T) {
	for name, most := range map[string]int{"to the end": 300, "not to the end": 40} {
		s := open(t, disk.NewLossy())
		if err := seal(s, mixed(1, 300)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(1, most); err != nil || len(got) != most {
			t.Fatal(len(got), err)
		}
		if _, err := expire(s, time.Now(), []Keep{{Bytes: 1}}, func(*Volume) bool { return false }); err != nil {
			t.Fatal(err)
		}
		if left := volumeFiles(t, s); len(left) > 0 {
			t.Errorf("%s: %d files are there", name, len(left))
		}
		if got, err := s.Read(int64(most)+1, 10); err != nil || len(got) > 0 {
			t.Errorf("%s: %d lines, %v", name, len(got), err)
		}
	}
}

// Given a volume that was set aside, and a crash before its files were moved, when the shelf is opened, then they are moved, and not removed.
func TestFilesAreSetAsideAfterACrash(t *testing.T) {
	l := disk.NewLossy()
	s := open(t, l)
	if err := seal(s, mixed(1, 100)); err != nil {
		t.Fatal(err)
	}
	bad := s.View().Volumes[0]
	if err := s.do(deed{Deed: aside, Gone: []string{bad.Name}, Why: "a test"}); err != nil {
		t.Fatal(err)
	}
	s, said, err := Open(l.Crash(), "shelf", Options{Parser: parserOf(t)})
	if err != nil || len(said.Removed) > 0 {
		t.Fatalf("%+v, %v", said, err)
	}
	for _, end := range []string{linesEnd, columnsEnd} {
		_, err := s.layer.Stat("shelf/aside/" + strings.ReplaceAll(bad.Name, "/", "_") + end)
		_, old := s.layer.Stat("shelf/" + bad.Name + end)
		if err != nil || old == nil {
			t.Error(errors.Join(err, errors.New("it is not where it belongs")))
		}
	}
	if s.Aside()[bad.Name] != "a test" {
		t.Errorf("%v", s.Aside())
	}
}
