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
	user, group, err := otherOwner(dir)
	if err != nil || user == 0 {
		return err
	}
	err = syscall.Setgroups(nil)
	if err == nil {
		err = syscall.Setgid(group)
	}
	if err == nil {
		err = syscall.Setuid(user)
	}
	if err != nil {
		return fmt.Errorf("going on as the owner of %s, user %d: %w; run this as that user", dir, user, err)
	}
	return nil
}

// CheckOwner refuses root a folder of another user: the agent that runs as that user could not read any more what root had written there.
func CheckOwner(dir string) error {
	user, _, err := otherOwner(dir)
	if err == nil && user != 0 {
		err = fmt.Errorf("the folder %s belongs to user %d, and its agent could not read what root writes there: start the service, or run this as that user (runuser -u NAME -- tocsin-agent run); to run it as root for good, give the folder to root (chown -R root)", dir, user)
	}
	return err
}

// otherOwner is to whom a folder belongs that is not root's own; 0 when it is, when there is none, or when this process is not root's.
func otherOwner(dir string) (user, group int, err error) {
	if os.Geteuid() != 0 {
		return 0, 0, nil
	}
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return 0, 0, nil
	}
	return int(owner.Uid), int(owner.Gid), nil
}
