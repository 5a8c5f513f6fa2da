package ui

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Given any graph, when it is drawn, then boxes lie in the picture and not on one another, edges between two nodes are one line, labels lie in the
// picture, and what is not drawn is said.
func TestGraph(t *testing.T) {
	num := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	kinds := []string{"address", "account", "file", "session", "alert"}
	for _, n := range []int{0, 1, 2, 5, 12, 29, 60} {
		for _, columns := range []int{1, 2, 3, 5} {
			var nodes []GraphNode
			for i := range n {
				nodes = append(nodes, GraphNode{Kind: kinds[i%columns], Name: fmt.Sprintf("node %d \u202e%s", i, strings.Repeat("x", i))})
			}
			var edges []GraphEdge
			for i := range n {
				edges = append(edges, GraphEdge{i, (i + 1) % n, "does", i + 1, i%4 == 0}, GraphEdge{i, (i + 1) % n, "does more", i + 2, false}, GraphEdge{i, (i * 7) % n, "does", i + 1, false})
			}
			g := NewGraph(nodes, edges)
			var width, height float64
			if _, err := fmt.Sscanf(string(g.Box), "0 0 %f %f", &width, &height); err != nil {
				t.Fatalf("%q: %v", g.Box, err)
			}
			for i, b := range g.Nodes {
				x, y := num(b.Box.X), num(b.Box.Y)
				if x < 0 || y < 0 || x+num(b.Box.W) > width || y+num(b.Box.H) > height || len([]rune(b.Short.String())) > nameLetters || b.Kind == "alert" {
					t.Errorf("%d nodes in %d columns: box %+v of a picture %s", n, columns, b, g.Box)
				}
				for _, o := range g.Nodes[:i] {
					if dx, dy := x-num(o.Box.X), y-num(o.Box.Y); dx < boxWidth && -dx < boxWidth && dy < boxHeight && -dy < boxHeight {
						t.Errorf("%d nodes in %d columns: %q lies on %q", n, columns, b.Short, o.Short)
					}
				}
			}
			seen := map[string]bool{}
			for _, l := range g.Lines {
				x, y := num(l.Label.X), num(l.Label.Y)
				if x < 0 || y < -labelHeight || x+num(l.Label.W) > width+1 || y > height || strings.Contains(string(l.Path), "NaN") || strings.Contains(string(l.Path), "Inf") {
					t.Errorf("%d nodes in %d columns: line %+v of a picture %s", n, columns, l, g.Box)
				}
				key := l.From.String() + " " + l.To.String()
				if seen[key] {
					t.Errorf("two lines from %s", key)
				}
				seen[key] = true
			}
			if len(g.Nodes) > mostBoxes || len(g.Ties) > mostLines || n == 60 && g.More == "" && columns < 5 {
				t.Errorf("%d nodes: %d boxes, %d ties, %q", n, len(g.Nodes), len(g.Ties), g.More)
			}
		}
	}
}

// Given the drawing, when a reader has a keyboard only, then its lines are reached and lead to their statements, and on a telephone the list is there in its place.
func TestBrowserTraceByKeyboard(t *testing.T) {
	ctx := browser(t)
	server := serve(t)
	run(t, ctx, desk(), chromedp.Navigate(server.URL+"/trace"))
	tab := func(key string) step {
		return chromedp.Steps(send(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: key, WindowsVirtualKeyCode: map[string]int64{"Tab": 9, "Enter": 13}[key], Text: map[string]string{"Enter": "\r"}[key]}),
			send(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: key}))
	}
	on := ""
	for range 60 {
		run(t, ctx, tab("Tab"))
		if on = get(t, ctx, chromedp.Evaluate[string](`document.activeElement.getAttribute('class') ?? ''`)); strings.HasPrefix(on, "label") {
			break
		}
	}
	run(t, ctx, tab("Enter"))
	if hash := get(t, ctx, chromedp.Evaluate[string](`location.hash + (document.querySelector(':target') ? ' is there' : '')`)); !strings.HasPrefix(on, "label") || hash != "#told-1 is there" {
		t.Errorf("the keyboard is on %q, and Enter leads to %q", on, hash)
	}
	run(t, ctx, phone(), chromedp.Navigate(server.URL+"/trace"))
	if got := get(t, ctx, chromedp.Evaluate[string](`[...document.querySelectorAll('.graph, .graph-list')].filter(e => e.checkVisibility()).map(e => e.className).join()`)); got != "graph-list" {
		t.Errorf("a telephone shows %q", got)
	}
}
