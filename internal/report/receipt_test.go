package report

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReceipt(t *testing.T) {
	var chance [ReceiptBytes]byte
	for i := range chance {
		chance[i] = byte(i * 37)
	}
	r := NewReceipt(chance)
	s := r.String()
	if len(s) != 26 || strings.Count(s, "-") != 4 || len(r) != 20 {
		t.Fatalf("receipt %q of %q", s, string(r))
	}
	for _, typed := range []string{s, strings.ToLower(s), strings.ReplaceAll(s, "-", ""), " " + strings.ReplaceAll(s, "-", " \u2013 ") + "\r\n", strings.NewReplacer("0", "o", "1", "l").Replace(s)} {
		if got, err := ParseReceipt(typed); err != nil || got != r {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	for _, c := range []struct{ typed, want string }{
		{"", "22 signs, and this has 0"}, {s[:25], "and this has 21"}, {s + "0", "and this has 23"}, {"#" + s[1:], `'#'`}, {"U" + s[1:], `'U'`},
		{strings.Repeat("A", 300), "longer"}, {"ä" + s[1:], "in no receipt"}, {s[:1] + "\u202e" + s[2:], "in no receipt"}, {s[:24] + "zz", "compare"},
	} {
		if got, err := ParseReceipt(c.typed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %q, %v; want %q", c.typed, got, err, c.want)
		}
	}
	// Of all single mistypes, no more than one in a hundred passes (one in 1024 is expected).
	passed, tried := 0, 0
	for i := range 20 {
		for _, c := range signs {
			if wrong := string(r[:i]) + string(c) + string(r[i+1:]); wrong != string(r) {
				tried++
				if _, err := ParseReceipt(wrong + check(string(r))); err == nil {
					passed++
				}
			}
		}
	}
	if passed > tried/100 {
		t.Errorf("%d of %d mistyped receipts pass", passed, tried)
	}
	if Hash([]byte("a"), []byte("x")) == Hash([]byte("b"), []byte("x")) || len(Hash(nil, nil)) != 64 {
		t.Error("the hash does not depend on its key")
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add("K7QX9-MPA2R-00ZZT-V6B1C-3M")
	f.Add("o0Il1-")
	f.Fuzz(func(t *testing.T, typed string) {
		r, err := ParseReceipt(typed)
		if err != nil {
			return
		}
		if again, err := ParseReceipt(r.String()); err != nil || again != r {
			t.Fatalf("%q prints as %q, which reads as %q (%v)", r, r, again, err)
		}
	})
}

func TestWork(t *testing.T) {
	key, now := []byte("key"), time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	c := Challenge(key, 1, now, [16]byte{1}) // raised to the least
	n := Work(c, LeastBits)
	done, err := CheckWork(key, c, n, now.Add(29*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var s Spent
	if err := s.Use(done, now); err != nil {
		t.Fatal(err)
	}
	if err := s.Use(done, now); !errors.Is(err, ErrSpent) {
		t.Errorf("the same work twice: %v", err)
	}
	hard := Challenge(key, 99, now, [16]byte{1})
	swapped := "A" + string(hard[1]+1) + hard[2:]
	for _, x := range []struct {
		name, challenge, number string
		key                     string
		at                      time.Time
		want                    error
	}{
		{"too late", c, n, "key", now.Add(ChallengeLasts), ErrExpired},
		{"from the future", c, n, "key", now.Add(-2 * time.Minute), ErrExpired},
		{"another key", c, n, "other", now, ErrChallenge},
		{"less work", hard, n, "key", now, ErrWork},
		{"another difficulty", swapped, n, "key", now, ErrChallenge},
		{"no number", c, "x", "key", now, ErrWork},
		{"another form of the number", c, "0" + n, "key", now, ErrWork},
		{"a sign", c, "+" + n, "key", now, ErrWork},
		{"nothing", "", "", "key", now, ErrChallenge},
		{"long", strings.Repeat("A", 1000), n, "key", now, ErrChallenge},
		{"long number", c, strings.Repeat("1", 100), "key", now, ErrChallenge},
	} {
		if _, err := CheckWork([]byte(x.key), x.challenge, x.number, x.at); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
	}
	for n, want := range map[int]int{0: 14, 9: 14, 10: 16, 99: 16, 100: 18, 1000: 20, 10000: 20, 1 << 30: 20} {
		if got := Difficulty(n); got != want {
			t.Errorf("%d reports in an hour: %d bits, want %d", n, got, want)
		}
	}
}

// TestSpentIsBounded: what has expired makes room, and nothing else does.
func TestSpentIsBounded(t *testing.T) {
	var s Spent
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	use := func(i int, at time.Time) error {
		w := Solved{Expires: at.Add(ChallengeLasts)}
		w.ID[0], w.ID[1], w.ID[2] = byte(i), byte(i>>8), byte(i>>16)
		return s.Use(w, at)
	}
	for i := range mostSpent {
		if err := use(i, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := use(mostSpent, now.Add(time.Minute)); err == nil || errors.Is(err, ErrSpent) {
		t.Errorf("one more than fits: %v", err)
	}
	if err := use(mostSpent, now.Add(ChallengeLasts)); err != nil || len(s.used) != 1 {
		t.Errorf("after their time: %v, %d are kept", err, len(s.used))
	}
}

func FuzzWork(f *testing.F) {
	key, now := []byte("key"), time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	f.Add(Challenge(key, LeastBits, now, [16]byte{1}), "17")
	f.Add("AQ4", "18446744073709551616")
	f.Fuzz(func(t *testing.T, challenge, number string) {
		if done, err := CheckWork(key, challenge, number, now); err == nil && (zeros(challenge, number) < LeastBits || done.Expires.Before(now)) {
			t.Fatalf("%q with %q passes", challenge, number)
		}
	})
}

func TestDoor(t *testing.T) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	d := Door{Limits: Limits{Hour: 30, Bytes: 100_000, Net: 3, Plain: 2, Own: 5, Tries: 2, Wrong: 3, Nets: 4}}
	why := func(err error) string {
		var r Refusal
		if errors.As(err, &r) {
			return r.Why
		}
		return ""
	}
	for _, c := range []struct {
		name  string
		after time.Duration
		net   string
		plain bool
		size  int64
		want  string
	}{
		{"first", 0, "a", false, 10, ""}, {"second", 0, "a", true, 10, ""}, {"third", 0, "a", false, 10, ""}, {"fourth of a network", 0, "a", false, 10, "network"},
		{"plain", 0, "b", true, 10, ""}, {"third plain", 0, "c", true, 10, "plain"}, {"with script all the same", 0, "c", false, 10, ""},
		{"a large one", 0, "d", false, 70_000, ""}, {"more bytes than an hour has", 0, "d", false, 70_000, "bytes"}, {"a small one then", 0, "d", false, Small, ""}, {"larger than any", 0, "d", false, 1 << 40, "size"},
		{"the clock goes on", 30 * time.Minute, "a", false, 10, "network"}, {"an hour later", time.Hour, "a", true, 10, ""},
	} {
		if got := why(d.Admit(now.Add(c.after), c.net, c.plain, c.size)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := d.Difficulty(now.Add(time.Hour)); got != LeastBits {
		t.Errorf("5 in the hour before: %d bits", got)
	}
	// Receipts: two wrong ones of a network, then it waits; others may go on, and from three on everybody's look-up costs work.
	later := now.Add(3 * time.Hour)
	for i, want := range []time.Duration{0, time.Second} {
		if n, write, hold := d.Wrong(later, "x"); n != i+1 || write != (i == 0) || hold != want {
			t.Errorf("wrong receipt %d: %d, %v, %v", i+1, n, write, hold)
		}
	}
	if why(d.Try(later, "x")) != "tries" || d.Try(later, "y") != nil || d.Costs(later) {
		t.Error("the third try of a network is not refused, or another one's is")
	}
	d.Wrong(later, "y")
	if !d.Costs(later) {
		t.Error("after three wrong receipts a look-up costs nothing")
	}
	if d.Try(later.Add(time.Hour), "x") != nil {
		t.Error("an hour later it is still refused")
	}
	var wait Refusal
	if err := d.Try(later.Add(time.Hour), "x"); errors.As(err, &wait) {
		t.Errorf("%v", err)
	}
}

// TestDoorForgets: ten thousand networks take no more memory than the limit says, and no longer than an hour.
func TestDoorForgets(t *testing.T) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	d := Door{Limits: Usual()}
	d.Limits.Nets = 100
	refused := 0
	for i := range 10000 {
		if d.Admit(now, strings.Repeat("n", i%50)+string(rune(i)), false, 4096) != nil {
			refused++
		}
	}
	if len(d.nets) != 100 || refused != 10000-100-1000 {
		t.Errorf("%d networks are told apart, %d reports were refused", len(d.nets), refused)
	}
	d.Admit(now.Add(time.Hour), "x", false, 1)
	if len(d.nets) != 1 {
		t.Errorf("an hour later %d networks are known", len(d.nets))
	}
}
