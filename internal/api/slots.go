package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
)

// lookAgain is how often it is looked again whether who has an answer that goes on may still have it.
const lookAgain = 5 * time.Second

// errEnded is why such an answer ends before who asked wants it to.
var errEnded = errors.New("it ended here")

// searches says whether somebody may search the kept lines.
func searches(x auth.Actor) error { return auth.May(x, auth.SearchLines) }

// lasting returns a with a context that ends when who asks may not do it any more, because may says so or the token is gone, and when the program ends. Its cause is
// then an errEnded. The func ends the looking, and returns when it has ended.
func (a ask) lasting(may func(auth.Actor) error) (ask, func()) {
	ctx, end := context.WithCancelCause(a.ctx)
	a.ctx = ctx
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(lookAgain)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-a.table.quit:
				end(fmt.Errorf("%w: Tocsin stops", errEnded))
				return
			case now := <-tick.C:
				actor, err := a.again(now)
				if err == nil {
					err = may(actor)
				}
				if err != nil {
					end(fmt.Errorf("%w: %w", errEnded, err))
					return
				}
			}
		}
	})
	return a, func() { end(nil); looking.Wait() }
}

// slot waits for one of the slots, at most as long as a search may take; many is the error when there was none.
func (a ask) slot(ctx context.Context, of *desk.Slots, many error) (giveBack func(), err error) {
	giveBack, ok := of.Try(a.actor.Name) // however short the limit is
	if !ok {
		short, stop := context.WithTimeout(ctx, desk.SearchLimit)
		defer stop()
		giveBack, ok = of.Take(short, a.actor.Name)
	}
	switch {
	case ok:
		return giveBack, nil
	case errors.Is(context.Cause(a.ctx), errEnded):
		return nil, context.Cause(a.ctx)
	case a.ctx.Err() != nil:
		return nil, a.ctx.Err()
	}
	return nil, many
}

// seek does something with the kept lines in one of the slots for that, which the console has, too, within a limit.
func seek[O any](a ask, limit time.Duration, do func(context.Context) (O, error)) (out O, err error) {
	ctx, stop := context.WithTimeout(a.ctx, limit)
	defer stop()
	giveBack, err := a.slot(ctx, a.desk.Seeking(), errManySearches)
	if err != nil {
		return out, err
	}
	defer giveBack()
	return do(ctx)
}
