package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"tocsin/internal/record"
)

const journalFile = "journal:"

// A journal follows the systemd journal by `journalctl -o json --follow`: an entry is a line, as journalctl prints it (Journal
// Export Formats, JSON). How far it was read is a position of the file "journal:", whose Print is the cursor, so no entry is
// lost or repeated. Without a cursor it begins with what comes from now on.
type journal struct {
	log     *slog.Logger
	program string
	units   []string
	feeds   *feed
}

func newJournal(log *slog.Logger, program string, units []string, was record.Position, append func(record.Batch) (record.Receipt, error)) *journal {
	if program == "" {
		program = "journalctl"
	}
	return &journal{log: log, program: program, units: units, feeds: newFeed(log, journalFile, was, was.Print != "", append)}
}

func (j *journal) feed() record.Feed { return j.feeds.now() }

// run follows until ctx ends. A child that ends is started again.
func (j *journal) run(ctx context.Context) {
	done := make(chan struct{})
	go func() { defer close(done); j.feeds.run(ctx) }()
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		begun := time.Now()
		err := j.follow(ctx)
		if ctx.Err() != nil {
			break
		}
		j.feeds.say(Unreadable, fmt.Sprintf("the journal cannot be followed: %v; the agent's user needs the group systemd-journal", err))
		if time.Since(begun) > time.Minute {
			wait = retryFirst
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	<-done
}

// follow runs the child from the cursor on.
func (j *journal) follow(ctx context.Context) error {
	args := []string{"-o", "json", "--all", "--follow", "--no-pager", "--quiet"}
	j.feeds.mu.Lock()
	cursor := j.feeds.cursor
	j.feeds.mu.Unlock()
	if cursor != "" {
		args = append(args, "--after-cursor="+cursor)
	} else {
		args = append(args, "--lines=0")
	}
	for _, u := range j.units {
		args = append(args, "--unit="+u)
	}
	c := exec.CommandContext(ctx, j.program, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var says tailBuffer
	c.Stderr = &says
	c.WaitDelay = 5 * time.Second
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return err
	}
	unhook := context.AfterFunc(ctx, func() { out.Close() }) // a child of the child may hold the other end
	rerr := j.read(ctx, out)
	unhook()
	if rerr != nil {
		_ = c.Process.Kill()
	}
	werr := c.Wait()
	if text := strings.TrimSpace(says.String()); text != "" && rerr == nil {
		return errors.New(clip(text, 300))
	}
	return errors.Join(rerr, werr, errors.New("journalctl ended"))
}

// read takes entries, one a line. One that is longer than a line may be is cut; one without a cursor keeps the one before.
func (j *journal) read(ctx context.Context, out io.Reader) error {
	in := bufio.NewReaderSize(out, 64<<10)
	var raw []byte
	long := false
	for {
		piece, err := in.ReadSlice('\n')
		if room := record.MaxLine - len(raw); len(piece) > room+1 {
			piece, long = append(piece[:room:room], '\n'), true
		}
		if !long || len(raw) < record.MaxLine {
			raw = append(raw, piece...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil // half an entry comes again after the cursor
		}
		raw = bytes.TrimSuffix(raw, []byte("\n"))
		if len(raw) > record.MaxLine {
			raw = raw[:record.MaxLine]
		}
		cursor, ok := cursorOf(raw)
		if !ok {
			j.feeds.mu.Lock()
			cursor = j.feeds.cursor
			j.feeds.mu.Unlock()
		}
		if len(raw) > 0 {
			if err := j.feeds.wait(ctx, string(raw), cursor); err != nil {
				return err
			}
		}
		raw, long = raw[:0], false
		if cap(raw) > 256<<10 {
			raw = nil
		}
	}
}

// cursorOf finds the cursor of an entry. Entries may be long, so it looks at the member's own bytes first.
func cursorOf(raw []byte) (string, bool) {
	var e struct {
		Cursor string `json:"__CURSOR"`
	}
	if json.Unmarshal(raw, &e) == nil {
		if e.Cursor == "" || len(e.Cursor) > 512 {
			return "", false
		}
		return e.Cursor, true
	}
	const member = `"__CURSOR":"`
	i := bytes.Index(raw, []byte(member))
	if i < 0 {
		return "", false
	}
	rest := raw[i+len(member):]
	end := bytes.IndexByte(rest, '"')
	if end <= 0 || end > 512 {
		return "", false
	}
	return string(rest[:end]), true
}

// A tailBuffer keeps the last bytes of what is written to it.
type tailBuffer struct{ b []byte }

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2048 {
		t.b = append([]byte(nil), t.b[len(t.b)-1024:]...)
	}
	return len(p), nil
}

func (t *tailBuffer) String() string { return string(t.b) }
