package shelf

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"tocsin/internal/disk"
)

// Given columns of which one bit was changed, when they are opened and read as a search does, then that works or the volume is named as
// damaged, wherever the bit is: nothing panics, and the disk is not blamed.
func TestChangedColumnsAreDamage(t *testing.T) {
	l := disk.NewLossy()
	s := open(t, l)
	if err := seal(s, mixed(1, 300)); err != nil {
		t.Fatal(err)
	}
	view := s.View()
	defer view.Close()
	r := rand.New(rand.NewPCG(3, 4))
	damaged := 0
	for range 400 {
		v := view.Volumes[r.IntN(len(view.Volumes))]
		at := r.Int64()
		flip(t, l, s.file(v, columnsEnd), at)
		err := readColumns(s, v)
		if _, ok := errors.AsType[*DamageError](err); ok {
			damaged++
		} else if err != nil {
			t.Fatalf("bit %d of %s: %v", at, v.Name, err)
		}
		flip(t, l, s.file(v, columnsEnd), at)
	}
	if damaged == 0 {
		t.Error("no changed bit was met")
	}
	if c, err := s.Verify(context.Background(), nil); err != nil || len(c.Damaged) > 0 {
		t.Errorf("after all were changed back: %+v, %v", c, err)
	}
}

func readColumns(s *Shelf, v *Volume) error {
	c, err := s.OpenColumns(v)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, chunk := range c.Chunks {
		for _, name := range chunk.Names() {
			if _, err := chunk.Open(name); err != nil {
				return s.damaged(v, columnsEnd, err)
			}
		}
	}
	return nil
}
