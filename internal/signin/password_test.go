package signin

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestPasswords(t *testing.T) {
	p := NewPasswords()
	phc, err := p.Hash(t.Context(), "unrelated words four")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash is %s", phc)
	}
	// The key of a published example: argon2 of the Debian package, "password" with the salt "somesalt", -id -t 2 -k 65536 -p 1 -l 24.
	const known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, c := range []struct {
		name, phc, password string
		ok, rehash, damaged bool
	}{
		{"right", phc, "unrelated words four", true, false, false},
		{"wrong", phc, "unrelated words five", false, false, false},
		{"empty", phc, "", false, false, false},
		{"no account", "", "", false, false, false},
		{"no account, the dummy's own salt", "", "unrelated words four", false, false, false},
		{"other cost", known, "password", true, true, false},
		{"other cost, wrong", known, "Password", false, false, false},
		{"cut", phc[:len(phc)-2], "unrelated words four", false, false, true},
		{"too much memory", strings.Replace(phc, "m=19456", "m=99999999", 1), "unrelated words four", false, false, true},
		{"another algorithm", strings.Replace(phc, "argon2id", "argon2i", 1), "unrelated words four", false, false, true},
		{"spelt otherwise", strings.Replace(phc, "t=2", "t=02", 1), "unrelated words four", false, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, rehash, err := p.Check(t.Context(), c.phc, c.password)
			if ok != c.ok || rehash != c.rehash || (err != nil) != c.damaged {
				t.Errorf("got %v, %v, %v", ok, rehash, err)
			}
		})
	}
	long := strings.Repeat("ab1!x", 51) // all 256 characters count
	if phc, err := p.Hash(t.Context(), long+"y"); err != nil {
		t.Error(err)
	} else if ok, _, err := p.Check(t.Context(), phc, long+"z"); ok || err != nil {
		t.Errorf("another last character: %v, %v", ok, err)
	}
	if salt := strings.Split(phc, "$")[4]; len(salt) < 22 { // 128 bits in base64
		t.Errorf("the salt is %q", salt)
	}
	if again, _ := p.Hash(t.Context(), "unrelated words four"); again == phc {
		t.Error("two hashes have one salt")
	}
}

func TestPasswordsAreBounded(t *testing.T) {
	// Given that both places are taken, when many more come, then some wait, the rest are told to come again, and a
	// context that ends frees its place in the queue.
	p := NewPasswords()
	for range maxAtOnce {
		p.slots <- struct{}{}
		p.waiting.Add(1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	results := make(chan error, 100)
	for range 100 {
		wg.Go(func() {
			_, err := p.Hash(ctx, "x")
			results <- err
		})
	}
	for range 100 - maxWaiting {
		if err := <-results; !errors.Is(err, ErrBusy) {
			t.Fatalf("got %v", err)
		}
	}
	cancel()
	wg.Wait()
	for range maxWaiting {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	if n := p.waiting.Load(); n != maxAtOnce {
		t.Errorf("%d still counted as waiting", n)
	}
}

func FuzzHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=+8,t=2,p=1$c29tZXNhbHR$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := parseHash(s); err == nil && h.String() != s {
			t.Fatalf("%q reads as %q", s, h)
		}
	})
}

func TestRefuse(t *testing.T) {
	for _, c := range []struct{ account, password, words string }{
		{"anna", "unrelated words four", ""},
		{"anna", "päßwörter sind schön", ""},
		{"anna", "7f3k-qp2m-zz81", ""},
		{"anna", "elf zeichens", ""},                       // twelve
		{"anna", "🐎 eats 🥒 née Ω", ""},                     // whatever can be printed
		{"anna", strings.Repeat("plum jam ", 7) + "x", ""}, // 64 characters
		{"anna", strings.Repeat("ab1!x", 51) + "y", ""},    // 256
		{"anna", strings.Repeat("ab1!x", 51) + "yz", "more than 256"},
		{"anna", "elf zeichen", "at least 12"},
		{"anna", strings.Repeat("ab1!x", 52), "more than 256"},
		{"anna", "with\x00a zero byte", "cannot be typed"},
		{"anna", "not utf-8 \xff at all", "cannot be typed"},
		{"anna", "Anna-Anna-2026!", "account's name"},
		{"anna.b", "annab annab 12", "account's name"},
		{"", "berta-berta-1", ""},
		{"anna", "password1234", `"password"`},
		{"anna", "P@ssw0rd-2026", `"password"`},
		{"anna", "passwordPASSWORD", `"password"`},
		{"anna", "Summer2026!!", `"summer"`},
		{"anna", "correct horse battery staple", "correcthorse"},
		{"anna", "changeme-please", "changemeplease"},
		{"anna", "aaaaaaaaaaaaaaa", "repeats"},
		{"anna", "123456789012", "runs along"},
		{"anna", "abcdefghijklm", "runs along"},
		{"anna", "cba987654321", "runs along"},
	} {
		got := Refuse(c.account, c.password)
		if (got == "") != (c.words == "") || !strings.Contains(got, c.words) {
			t.Errorf("%q for %q: got %q, want %q", c.password, c.account, got, c.words)
		}
	}
}

func BenchmarkPasswordCheck(b *testing.B) {
	p := NewPasswords()
	for b.Loop() {
		if ok, _, err := p.Check(b.Context(), "", "unrelated words four"); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
