package cacao

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// made writes a file of steps, given as kind and the rest of each.
func made(steps ...string) []byte {
	return []byte(`{"type":"playbook","spec_version":"cacao-2.0","id":"playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562","name":"n","workflow_start":"s0","workflow":{` + strings.Join(steps, ",") + `,"e":{"type":"end"}}}`)
}

// TestHostileIsCheap: files that are made to cost much are read or refused in bounded time.
func TestHostileIsCheap(t *testing.T) {
	action := func(i int, next string) string {
		return fmt.Sprintf(`"s%d":{"type":"action","commands":[{"type":"manual","command":"c"}],"on_completion":"%s"}`, i, next)
	}
	files := map[string][]byte{}
	var deep, wide, ladder, loops, knot []string
	for i := range 1400 {
		deep = append(deep, action(i, fmt.Sprintf("s%d", i+1)))
	}
	files["a chain"] = made(append(deep, action(1400, "e"))...)
	for i := range 9 {
		wide = append(wide, fmt.Sprintf(`"s%d":{"type":"if-condition","condition":"?","on_true":"s%d","on_false":"e"}`, i, i+1))
	}
	for i := 9; i < 400; i++ {
		wide = append(wide, action(i, fmt.Sprintf("s%d", i+1)))
	}
	files["many steps in nine conditions"] = made(append(wide, action(400, "e"))...)
	for i := range 200 {
		ladder = append(ladder, fmt.Sprintf(`"s%d":{"type":"if-condition","condition":"?","on_true":"s%d","on_false":"s%d"}`, i, i+1, min(i+2, 200)))
	}
	files["a ladder"] = made(append(ladder, action(200, "e"))...)
	for i := range 400 {
		loops = append(loops, fmt.Sprintf(`"s%d":{"type":"while-condition","condition":"?","on_true":"s%d","on_completion":"e"}`, i, i+1))
	}
	files["loops in loops"] = made(append(loops, action(400, "e"))...)
	for i := range 300 {
		knot = append(knot, fmt.Sprintf(`"s%d":{"type":"parallel","next_steps":["s%d","s%d","s%d"],"on_completion":"s%d"}`, i, i+1, min(i+2, 300), min(i+3, 300), min(i+4, 300)))
	}
	files["a knot"] = made(append(knot, action(300, "e"))...)
	files["a long condition"] = made(fmt.Sprintf(`"s0":{"type":"if-condition","condition":%q,"on_true":"s1"}`, strings.Repeat("NOT (", 700)+"__a__ = 'b'"), action(1, "e"))
	var lattice []string
	for i := range 240 { // each pair of branches crosses into the next
		a, b := min(2*i+2, 480), min(2*i+3, 480)
		lattice = append(lattice, fmt.Sprintf(`"s%d":{"type":"if-condition","condition":"?","on_true":"s%d","on_false":"s%d"}`, 2*i, a, b),
			fmt.Sprintf(`"s%d":{"type":"if-condition","condition":"?","on_true":"s%d","on_false":"s%d"}`, 2*i+1, b, a))
	}
	files["a lattice"] = made(append(lattice, action(480, "e"))...)
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			x, findings := Read(data)
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %v", took)
			} else {
				t.Logf("%v, taken: %v", took, x != nil)
			}
			if x == nil && len(findings) == 0 {
				t.Error("refused without a word")
			}
			for _, f := range findings {
				if !f.Warning {
					t.Log(f)
				}
			}
		})
	}
}
