package search

import (
	"container/list"
	"sync"

	"tocsin/internal/shelf"
)

// A cache keeps columns that were read last, because the next search mostly asks for the same ones. It never changes an answer:
// volumes do not change, and a name is never used twice.
type cache struct {
	mu    sync.Mutex
	most  int64 // bytes
	size  int64
	by    map[cacheKey]*list.Element // of *cached
	order *list.List                 // the newest use last
}

type cacheKey struct {
	volume string
	chunk  int
	column string
}

type cached struct {
	key     cacheKey
	column  *shelf.Column // or
	numbers []int64
	size    int64
}

func newCache(most int64) *cache {
	return &cache{most: most, by: map[cacheKey]*list.Element{}, order: list.New()}
}

func (c *cache) get(k cacheKey) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.by[k]
	if e == nil {
		return nil
	}
	c.order.MoveToBack(e)
	return e.Value.(*cached)
}

// put keeps what was read, and lets go of what was used longest ago. What is large against all that is kept is not kept: it would drive
// out everything else.
func (c *cache) put(x *cached) {
	if x.size > c.most/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[x.key] != nil {
		return
	}
	c.by[x.key] = c.order.PushBack(x)
	for c.size += x.size; c.size > c.most; {
		e := c.order.Front()
		old := c.order.Remove(e).(*cached)
		delete(c.by, old.key)
		c.size -= old.size
	}
}

// sizeOf is about what a column takes in memory.
func sizeOf(x *shelf.Column) int64 {
	n := int64(len(x.Rows))*4 + int64(len(x.Values))*16 + int64(len(x.Numbers))*8 + 64
	for _, v := range x.Values {
		n += int64(len(v))
	}
	return n
}
