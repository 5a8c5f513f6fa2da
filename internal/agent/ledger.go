package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"golang.org/x/mod/sumdb/note"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/record"
)

// A rolledBack server has another past than it had.
type rolledBack struct{ why error }

func (e *rolledBack) Error() string {
	return fmt.Sprintf("the server's ledger is not what it was: %v. Nothing is sent to it. If the ledger was restored from a backup on purpose, remove the file %q from the agent's data folder and start the agent again", e.why, headFile)
}

func (e *rolledBack) Unwrap() error { return e.why }

// checkHead asks for the newest head of the server's ledger, and keeps it if it extends the one that is kept. So every agent is a
// witness: who cuts the ledger or writes it anew would have to come to all of them.
func (s *sender) checkHead(ctx context.Context) error {
	kept, err := disk.ReadFile(s.layer, headFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the ledger's head: %w", err)
	}
	id := s.client.identity()
	if id.Ledger == "" {
		return nil
	}
	key, err := note.NewVerifier(id.Ledger)
	if err != nil {
		return fmt.Errorf("the public key of the server's ledger cannot be read: %w; join again", err)
	}
	var then entry.Head
	if len(kept) > 0 {
		if then, err = entry.OpenHead(kept, key); err != nil {
			return &rolledBack{fmt.Errorf("the head that is kept here cannot be checked: %w", err)}
		}
	}
	var a record.SignedHead
	if err := s.client.get(ctx, "head?from="+strconv.FormatInt(then.Size, 10), &a); err != nil {
		return fmt.Errorf("asking for the ledger's head: %w", err)
	}
	now, err := entry.OpenHead([]byte(a.Head), key)
	if err != nil {
		return &rolledBack{err}
	}
	var proof entry.Proof
	for _, p := range a.Proof {
		if len(p) != 32 {
			return &rolledBack{errors.New("its proof cannot be read")}
		}
		proof = append(proof, [32]byte(p))
	}
	if len(kept) > 0 {
		if err := now.Extends(then, proof); err != nil {
			return &rolledBack{err}
		}
	}
	if string(kept) != a.Head {
		if err := disk.Replace(s.layer, headFile, []byte(a.Head)); err != nil {
			return fmt.Errorf("keeping the ledger's head: %w", err)
		}
	}
	s.mu.Lock()
	s.headAt = now.Size
	s.mu.Unlock()
	return nil
}
