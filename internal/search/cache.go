package search

import (
	"container/list"
	"sync"
)

// A cache keeps what was read last of columns, because the next search mostly asks for the same ones: where their parts stand, and of columns without
// an index all of them. It never changes an answer: volumes do not change, and a name is never used twice.
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
	key   cacheKey
	value any // *shelf.Stored, *shelf.Numbers
	size  int64
}

func newCache(most int64) *cache {
	return &cache{most: most, by: map[cacheKey]*list.Element{}, order: list.New()}
}

func (c *cache) get(k cacheKey) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.by[k]
	if e == nil {
		return nil
	}
	c.order.MoveToBack(e)
	return e.Value.(*cached).value
}

// put keeps what was read, and lets go of what was used longest ago. What is large against all that is kept is not kept: it would drive
// out everything else.
func (c *cache) put(k cacheKey, value any, size int64) {
	if size > c.most/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[k] != nil {
		return
	}
	c.by[k] = c.order.PushBack(&cached{k, value, size})
	for c.size += size; c.size > c.most; {
		e := c.order.Front()
		old := c.order.Remove(e).(*cached)
		delete(c.by, old.key)
		c.size -= old.size
	}
}

// drop lets go of what is kept under a key.
func (c *cache) drop(k cacheKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.by[k]; e != nil {
		c.size -= c.order.Remove(e).(*cached).size
		delete(c.by, k)
	}
}
