package web

import (
	"fmt"
	"net/url"
	"strconv"

	"tocsin/ui"
)

// pageOf reads which page of a list is asked for, from 0.
func pageOf(v *visit) int {
	n, err := strconv.Atoi(v.r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		return 0
	}
	return min(n-1, pagesMost)
}

// pagesMost is more pages than any list has: what a page begins with stays a number.
const pagesMost = 1 << 24

// with returns the page's own address with one parameter changed; "" takes it out.
func with(v *visit, key, value string) string {
	q := url.Values{}
	for k, vs := range v.r.URL.Query() {
		if k != "done" {
			q[k] = vs
		}
	}
	q.Del(key)
	if value != "" {
		q.Set(key, value)
	}
	if len(q) == 0 {
		return v.r.URL.Path
	}
	return v.r.URL.Path + "?" + q.Encode()
}

// pager leads through a list of total, each pages of size.
func pager(v *visit, page, size, total int) ui.Pager {
	if total == 0 {
		return ui.Pager{}
	}
	first, last := page*size+1, min(total, (page+1)*size)
	p := ui.Pager{Says: fmt.Sprintf("%s to %s of %s", ui.Number(int64(min(first, total))), ui.Number(int64(last)), ui.Number(int64(total)))}
	if page > 0 {
		p.Prev = with(v, "page", strconv.Itoa(page))
	}
	if last < total {
		p.Next = with(v, "page", strconv.Itoa(page+2))
	}
	return p
}

// options marks the chosen one of a list of value and word.
func options(chosen string, pairs ...string) (out []ui.Option) {
	for k := 0; k+1 < len(pairs); k += 2 {
		out = append(out, ui.Option{Value: pairs[k], Word: pairs[k+1], Chosen: pairs[k] == chosen})
	}
	return out
}
