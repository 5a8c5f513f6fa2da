package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestRootJoins: given a data folder of another user, when root joins, then that user can read all that was written there, and a link that the
// user laid leads root nowhere; and root does not run the agent there.
func TestRootJoins(t *testing.T) {
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("it builds, and it needs root")
	}
	const user = 54321
	s := newStage(t)
	dir, secret := s.path("owned"), s.path("secret")
	err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, user, user), os.WriteFile(secret, []byte("root's own"), 0o600),
		os.Chmod(s.dir, 0o711), os.Chmod(filepath.Dir(s.dir), 0o711)) // the folders above /var/lib can be passed too
	if err != nil {
		t.Fatal(err)
	}
	join := func() (string, error) {
		var token []byte
		for end := time.Now().Add(20 * time.Second); len(token) == 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			token, _ = os.ReadFile(s.path("server/token2"))
		}
		out, err := exec.Command(s.program, "join", "https://"+s.address, string(token), "--config", s.path("agent.yaml"), "--data", dir).CombinedOutput()
		return string(out), err
	}
	link := filepath.Join(dir, "identity.json")
	if err := os.Symlink(secret, link); err != nil {
		t.Fatal(err)
	}
	if out, err := join(); err == nil {
		t.Errorf("it joined through a link: %s", out)
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if out, err := join(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(s.program, "run", "--config", s.path("agent.yaml"), "--data", dir).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("belongs to user 54321")) {
		t.Errorf("root runs it: %v: %s", err, out)
	}
	found := 0
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := e.Info()
		if err != nil {
			return err
		}
		if st, ok := i.Sys().(*syscall.Stat_t); !ok || st.Uid != user || st.Gid != user {
			t.Errorf("%s is not its user's: %+v", name, st)
		}
		found++
		return nil
	})
	if err != nil || found < 2 {
		t.Errorf("%d files, %v", found, err)
	}
	i, err := os.Stat(secret)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(secret); err != nil || !bytes.Equal(b, []byte("root's own")) || i.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("root's file was changed: %q, %v", b, err)
	}
}
