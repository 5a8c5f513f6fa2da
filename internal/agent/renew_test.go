package agent

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// TestRenewCrash: given an agent that was killed between the server's answer and its own writing of the new certificate, when both start again, then it
// goes on with the new one.
func TestRenewCrash(t *testing.T) {
	h := newHouse(t)
	dir := h.join("shop1")
	l, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	id := mustIdentity(t, dir)
	if id.Next, err = newKey(); err == nil {
		err = id.write(l)
	}
	if err != nil {
		t.Fatal(err)
	}
	request, err := requestFor(id.Next)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClient(id, "")
	if err != nil {
		t.Fatal(err)
	}
	var a record.Admission
	if err := c.post(t.Context(), "renew", record.JoinRequest{Request: request}, &a); err == nil {
		t.Error("it renews right after it joined")
	}
	// Less than a day after it joined the server gives no other certificate, and the agent works on with the one that it has.
	r, stop := runRemote(t, remoteOptions(dir, "/nonexistent"), nil)
	until(t, "it is connected", func() bool { return stateOf(r) == connected })
	stop()
	h.stop()
	s := *h.saved.Load()
	s.Agents[0].Expires = s.Agents[0].Expires.Add(-40 * 24 * time.Hour) // as if it had joined long ago
	h.saved.Store(&s)
	h.begin()
	if err := c.post(t.Context(), "renew", record.JoinRequest{Request: request}, &a); err != nil {
		t.Fatal(err)
	}
	c.close()
	h.stop()
	h.begin()
	r, stop = runRemote(t, remoteOptions(dir, "/nonexistent"), nil)
	until(t, "it is connected again", func() bool { return stateOf(r) == connected })
	stop()
	if now := mustIdentity(t, dir); string(now.Key) != string(id.Next) || len(now.Next) > 0 || now.Agent != id.Agent {
		t.Errorf("it did not take the new key")
	}
}

// TestJoinLost: given a join whose answer is lost, when it is tried again with the same token, then the host is in, and nothing of the try is left.
func TestJoinLost(t *testing.T) {
	h := newHouse(t)
	token, err := h.hub.NewToken("shop1", "somebody", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // passes on what is asked, and loses the answer once the agent is in
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	go func() {
		in, err := deaf.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", h.address)
		if err != nil {
			in.Close()
			return
		}
		go func() { _, _ = io.Copy(out, in) }()
		buf := make([]byte, 32<<10)
		for {
			n, err := out.Read(buf)
			if err != nil || len(h.hub.Agents()) > 0 {
				in.Close()
				out.Close()
				return
			}
			_, _ = in.Write(buf[:n])
		}
	}()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := Join(ctx, dir, "https://"+deaf.Addr().String(), token, "", ""); err == nil || len(h.hub.Agents()) != 1 {
		t.Fatalf("%v, %d agents", err, len(h.hub.Agents()))
	}
	id, err := Join(t.Context(), dir, "https://"+h.address, token, "", "")
	if err != nil || len(h.hub.Agents()) != 1 || id.Agent != h.hub.Agents()[0].ID {
		t.Fatalf("%v, %d agents", err, len(h.hub.Agents()))
	}
	if _, err := os.Stat(filepath.Join(dir, joiningFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	runRemote(t, remoteOptions(dir, "/nonexistent"), nil)
	until(t, "it is heard", func() bool { return h.hub.Agents()[0].HostAt.After(time.Time{}) })
}

// TestLostOnce: given batches that the server lost, when the agent finds that at every new connection, then the loss is told once, with times.
func TestLostOnce(t *testing.T) {
	s := openSpool(t, disk.NewLossy(), 1<<20)
	s.roll = 200
	x := &sender{log: quiet(), spool: s}
	for n := 1; n <= 6; n++ {
		if _, err := s.Append(numbered(n, "")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Acked(6); err != nil {
		t.Fatal(err)
	}
	x.last = time.Now()
	newest := record.SentReceipt{Boot: s.boots[0].name, Number: 1}
	for range 5 {
		x.lost(newest)
	}
	if len(x.gaps) != 1 || x.gaps[0].From != 2 || x.gaps[0].To <= 2 || !x.gaps[0].Since.Equal(x.last) || x.gaps[0].Until.Before(x.last) {
		t.Fatalf("%+v", x.gaps)
	}
	was := x.gaps[0]
	was.To += 3
	if !x.gap(was) || len(x.gaps) != 1 || x.gaps[0].To != was.To || x.gap(was) {
		t.Errorf("a loss that grew: %+v", x.gaps)
	}
}
