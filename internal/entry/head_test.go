package entry

import (
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// headSecret is a key for tests only.
const headSecret = "PRIVATE+KEY+shop.example/tocsin+30f087a4+AXRvY3NpbiB0ZXN0cyBvbmx5LCBub3QgYSBzZWNyZXQu"
const headPublic = "shop.example/tocsin+30f087a4+AVF3XgX2aYqHDv8+k12KTT425Dd2kNS6mmmLKglqA4dN"

// goldenHead may not be edited: heads like it are kept elsewhere for years.
const goldenHead = `shop.example/tocsin
3
3c3TFE1zPS9c/7uUymQdM8kJ5WTf42auL9NHfJieaJc=

— shop.example/tocsin MPCHpJ+A9xHX9I/GWk8WIT7n8ZHilDy+gmi25ltQP5CQ3SCdFI++5jUf5XdL28lO+RjbkYM3DKcwGNPtFxHfncgPVQ8=
`

func headKeys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	s, err := note.NewSigner(headSecret)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(headPublic)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func TestHeadGolden(t *testing.T) {
	s, v := headKeys(t)
	h := Head{Origin: "shop.example/tocsin", Size: 3, Root: tlog.RecordHash([]byte("the golden head"))}
	got, err := SignHead(h, s)
	if err != nil || string(got) != goldenHead {
		t.Fatalf("signed head (%v):\n%s", err, got)
	}
	back, err := OpenHead([]byte(goldenHead), v)
	if err != nil || back != h {
		t.Fatalf("opened: %v %v", back, err)
	}
	if back, err := PeekHead([]byte(goldenHead)); err != nil || back != h {
		t.Fatalf("peeked: %v %v", back, err)
	}
}

// Each bit of a signed head counts: base64 and notes alone would leave some free.
func TestHeadEveryBit(t *testing.T) {
	_, v := headKeys(t)
	for i := range len(goldenHead) * 8 {
		b := []byte(goldenHead)
		b[i/8] ^= 1 << (i % 8)
		if h, err := OpenHead(b, v); err == nil {
			t.Fatalf("bit %d changed, still opened as %v", i, h)
		}
	}
	for i := range goldenHead {
		if _, err := OpenHead([]byte(goldenHead[:i]), v); err == nil {
			t.Fatalf("cut to %d bytes, still opened", i)
		}
	}
	for _, more := range []string{"\n", " ", goldenHead[strings.Index(goldenHead, "—"):], "— other.example AAAAAAAA\n"} {
		if _, err := OpenHead([]byte(goldenHead+more), v); err == nil {
			t.Fatalf("%q behind it, still opened", more)
		}
	}
}

func TestHeadOfAnotherKey(t *testing.T) {
	secret, _, err := note.GenerateKey(nil, "other.example")
	if err != nil {
		t.Fatal(err)
	}
	other, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	_, v := headKeys(t)
	if _, err := SignHead(Head{Origin: "shop.example/tocsin"}, other); err == nil {
		t.Fatal("signed with another ledger's key")
	}
	signed, err := SignHead(Head{Origin: "other.example"}, other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenHead(signed, v); err == nil || !strings.Contains(err.Error(), `signed by "other.example"`) {
		t.Fatalf("error: %v", err)
	}
}

func TestParseHeadRefuses(t *testing.T) {
	root := tlog.RecordHash(nil).String()
	for _, text := range []string{
		"", "\n\n\n", "a\n1\n" + root, "a\n1\n" + root + "\n\n", "a\n1\n" + root + "\nmore\n",
		"a b\n1\n" + root + "\n", "a+b\n1\n" + root + "\n", "\x1b[2J\n1\n" + root + "\n", "a\u202eb\n1\n" + root + "\n",
		"a\n-1\n" + root + "\n", "a\n+1\n" + root + "\n", "a\n01\n" + root + "\n", "a\n\n" + root + "\n",
		"a\n9223372036854775807\n" + root + "\n", "a\n1\n" + root[:43] + "\n", "a\n1\nAAAA\n",
		"a\n1\n" + root[:42] + "B=\n", "a\n1\r\n" + root + "\n", strings.Repeat("a", 5000) + "\n1\n" + root + "\n",
	} {
		if h, err := ParseHead(text); err == nil {
			t.Errorf("%q read as %v", text, h)
		}
	}
}

func TestExtends(t *testing.T) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) (list []tlog.Hash, err error) {
		for _, i := range at {
			list = append(list, stored[i])
		}
		return list, nil
	})
	heads := []Head{}
	for n := range int64(20) {
		root, err := tlog.TreeHash(n, reader)
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, Head{Origin: "a", Size: n, Root: root})
		more, err := tlog.StoredHashes(n, []byte{byte(n)}, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	for _, now := range heads {
		for _, then := range heads {
			var p Proof
			if then.Size > 0 && then.Size < now.Size {
				var err error
				if p, err = tlog.ProveTree(now.Size, then.Size, reader); err != nil {
					t.Fatal(err)
				}
			}
			err := now.Extends(then, p)
			if want := now.Size >= then.Size; (err == nil) != want {
				t.Fatalf("%d extends %d: %v", now.Size, then.Size, err)
			}
			if err != nil {
				continue
			}
			other := then
			other.Root[0]++
			if now.Extends(other, p) == nil && then.Size > 0 {
				t.Fatalf("%d extends a forged %d", now.Size, then.Size)
			}
			other = now
			other.Root[0]++
			if other.Extends(then, p) == nil && then.Size > 0 {
				t.Fatalf("a forged %d extends %d", now.Size, then.Size)
			}
			if now.Extends(then, append(p, tlog.Hash{})) == nil {
				t.Fatalf("a longer proof of %d to %d was taken", then.Size, now.Size)
			}
		}
	}
	if err := heads[3].Extends(Head{Origin: "b", Size: 3, Root: heads[3].Root}, nil); err == nil {
		t.Fatal("a head of another ledger was taken")
	}
}

// The law: what ParseHead takes is what Text writes, and OpenHead takes only what SignHead writes.
func FuzzHead(f *testing.F) {
	s, v := headKeys(f)
	f.Add([]byte(goldenHead))
	f.Add([]byte(goldenHead[:strings.Index(goldenHead, "\n\n")+1]))
	f.Add([]byte("a\n1\nAAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := ParseHead(string(b)); err == nil && h.Text() != string(b) {
			t.Fatalf("%q was read as %v", b, h)
		}
		h, err := OpenHead(b, v)
		if err != nil {
			return
		}
		if again, err := SignHead(h, s); err != nil || string(again) != string(b) {
			t.Fatalf("%q was opened, but %q (%v) is how it is signed", b, again, err)
		}
		if peek, err := PeekHead(b); err != nil || peek != h {
			t.Fatalf("%q peeks as %v (%v)", b, peek, err)
		}
	})
}
