package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// BecomeOwner lets a process of root go on as the user to whom the folder dir belongs, for good and without further groups. What it then writes
// there is that user's, who runs the agent; and root follows no link that this user laid. It does nothing for a folder of root's own, one that is not
// there yet, or a process of another user.
func BecomeOwner(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	err = syscall.Setgroups(nil)
	if err == nil {
		err = syscall.Setgid(int(owner.Gid))
	}
	if err == nil {
		err = syscall.Setuid(int(owner.Uid))
	}
	if err != nil {
		return fmt.Errorf("going on as the owner of %s, user %d: %w; run this as that user", dir, owner.Uid, err)
	}
	return nil
}
