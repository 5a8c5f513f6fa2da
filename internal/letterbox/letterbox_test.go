package letterbox

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tocsin/internal/report"
)

func key(t *testing.T) Key {
	t.Helper()
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSeal(t *testing.T) {
	team, own, other := key(t), key(t), key(t)
	for _, size := range []int{1, 3000, 70000, 200000} {
		p := report.Parcel{What: strings.Repeat("x", min(size, report.MostText)), Files: []report.File{{Name: "f", Size: int64(size), Data: make([]byte, size)}}}
		sealed, err := Post(p, team.Recipient(), own.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckSealed(sealed); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		for _, k := range []Key{team, own} {
			if back, err := Read(sealed, other, k); err != nil || back.What != p.What || len(back.Files) != 1 {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
		if _, err := Read(sealed, other); !errors.Is(err, ErrSealed) {
			t.Errorf("another key: %v", err)
		}
		for _, at := range []int{30, len(sealed) / 2, len(sealed) - 1} {
			bad := bytes.Clone(sealed)
			bad[at] ^= 1
			if _, err := Read(bad, team); !errors.Is(err, ErrSealed) {
				t.Errorf("byte %d changed: %v", at, err)
			}
		}
		if _, err := Read(sealed[:len(sealed)-1], team); !errors.Is(err, ErrSealed) {
			t.Errorf("cut: %v", err)
		}
	}
	if _, err := Seal([]byte("x")); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("to nobody: %v", err)
	}
	if _, err := Seal([]byte("x"), "age1nonsense"); err == nil || strings.Contains(err.Error(), "nonsense") {
		t.Errorf("to nonsense: %v", err)
	}
	if _, err := Open([]byte("x")); err == nil {
		t.Error("opened by nobody")
	}
}

// TestOverhead: what sealing adds is what is reckoned, else sizes would tell more than their class.
func TestOverhead(t *testing.T) {
	a, b := key(t), key(t)
	for _, size := range []int{0, 1, chunkLong - 1, chunkLong, chunkLong + 1, 3 * chunkLong} {
		for n, to := range [][]string{{a.Recipient()}, {a.Recipient(), b.Recipient()}} {
			sealed, err := Seal(make([]byte, size), to...)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := int64(len(sealed)-size), Overhead(n+1)(int64(size)); got != want {
				t.Errorf("%d bytes to %d: %d more, reckoned %d", size, n+1, got, want)
			}
		}
	}
}

func TestCheckSealed(t *testing.T) {
	team := key(t)
	pad := func(s string) []byte { return append([]byte(s), make([]byte, 4096-len(s))...) }
	one, err := Seal(make([]byte, 4096-int(Overhead(1)(1))), team.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	three, err := Seal(make([]byte, 4096-int(Overhead(3)(1))), team.Recipient(), team.Recipient(), team.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"plain": {pad("what happened: all of it, readable"), "not sealed"}, "no class": {[]byte(mark), "size of no report"}, "empty": {nil, "size of no report"}, "to one": {one, "to the team and to a receipt"}, "to three": {three, "more than"},
		"a passphrase": {pad(mark + "-> scrypt abc 22\n"), "to the team and to a receipt"}, "a head of nothing": {pad(mark), "to the team"},
	} {
		if err := CheckSealed(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	k := key(t)
	if _, err := k.Wrap("short"); err == nil {
		t.Error("a short passphrase is taken")
	}
	wrapped, err := k.Wrap("a long enough phrase")
	if err != nil {
		t.Fatal(err)
	}
	back, err := Unwrap(wrapped, "a long enough phrase")
	if err != nil || back.Recipient() != k.Recipient() {
		t.Errorf("%v", err)
	}
	for _, pass := range []string{"", "another long phrase"} {
		if _, err := Unwrap(wrapped, pass); err == nil {
			t.Errorf("%q opens it", pass)
		}
	}
	costly := bytes.Replace(wrapped, []byte(" 16\n"), []byte(" 30\n"), 1)
	if _, err := Unwrap(costly, "a long enough phrase"); err == nil {
		t.Error("work without end is done for a wrapped key")
	}
	if s := fmt.Sprintf("%v %+v %s", k, k, k); strings.Contains(s, "SECRET") {
		t.Error("a key prints its secret")
	}
	if _, err := ParseKey([]byte("AGE-SECRET-KEY-1NONSENSE")); err == nil || strings.Contains(err.Error(), "NONSENSE") {
		t.Errorf("%v", err)
	}
}

// TestDerive holds the derivation against fixed values: receipts that were printed must open for ever.
func TestDerive(t *testing.T) {
	got, err := Derive("ZYXW0123456789ABCDEF")
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%x %s", got.Token, got.Key.Recipient()); s != derived {
		t.Errorf("derived %s", s)
	}
	other, err := Derive("ZYXW0123456789ABCDEG")
	if err != nil || other.Token == got.Token || other.Key.Recipient() == got.Key.Recipient() {
		t.Errorf("another receipt derives the same (%v)", err)
	}
}

const derived = "b16aeb3844221e81ea117bb62e96866688e1521cf241390ed86121e8c2e29fdd age14jumrtxzg9jkwa6qdftt6e4dj8ae8usczwzs5wwelleh9hxft3as2n2kj8"

func form(t *testing.T, fields map[string]string, files map[string][]byte) (Posted, error) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		p, err := w.CreateFormFile("files", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/report", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return ReadForm(httptest.NewRecorder(), r)
}

func TestReadForm(t *testing.T) {
	p, err := form(t, map[string]string{"what": "x", "from": "customer"}, map[string][]byte{"../../a\u202e.txt": []byte("hello")})
	if err != nil || p.Values["what"] != "x" || len(p.Files) != 1 || p.Files[0].Name != "a.txt" || string(p.Files[0].Data) != "hello" || p.Files[0].Clean {
		t.Errorf("%+v, %v", p, err)
	}
	many := map[string]string{}
	for i := range mostValues + 1 {
		many[fmt.Sprint(i)] = "x"
	}
	six := map[string][]byte{}
	for i := range report.MostFiles + 1 {
		six[fmt.Sprint(i)] = []byte("x")
	}
	for _, c := range []struct {
		fields map[string]string
		files  map[string][]byte
		want   string
	}{
		{map[string]string{"what": strings.Repeat("x", mostValue+1)}, nil, "more than"}, {many, nil, "more than 30 fields"}, {nil, six, "more than 5 files"}, {nil, map[string][]byte{"a": make([]byte, report.MostFile+1)}, "a file has more"},
	} {
		if _, err := form(t, c.fields, c.files); !errors.Is(err, ErrForm) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/report", strings.NewReader("a=b"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, err := ReadForm(httptest.NewRecorder(), r); !errors.Is(err, ErrForm) {
		t.Errorf("another form: %v", err)
	}
	r = httptest.NewRequest(http.MethodPost, "/report", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhal"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	if _, err := ReadForm(httptest.NewRecorder(), r); !errors.Is(err, ErrForm) {
		t.Errorf("a form that breaks off: %v", err)
	}
}

func pictures(t testing.TB) (jpg, pic []byte) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 20, 10))
	var a, b bytes.Buffer
	if err := errors.Join(jpeg.Encode(&a, m, nil), png.Encode(&b, m)); err != nil {
		t.Fatal(err)
	}
	return a.Bytes(), b.Bytes()
}

const beside = "Exif\x00\x00 52.5200 13.4050 owner"

// spoiled puts a segment beside the picture of a JPEG, and a chunk beside that of a PNG, and something behind both.
func spoiled(jpg, pic []byte) (j, p []byte) {
	j = append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(beside) + 2)}, beside...)
	j = append(append(j, 0xff, 0xfe, 0, 7), "owner"...)
	j = append(append(j, jpg[2:]...), "owner behind it"...)
	p = append(bytes.Clone(pic[:33]), 0, 0, 0, byte(len(beside)))
	p = append(append(p, "eXIf"...), beside...)
	p = append(append(p, 1, 2, 3, 4), pic[33:]...)
	return j, append(p, "owner behind it"...)
}

func TestBare(t *testing.T) {
	jpg, pic := pictures(t)
	j, p := spoiled(jpg, pic)
	for name, c := range map[string]struct{ in, want []byte }{"JPEG": {j, jpg}, "PNG": {p, pic}} {
		got, ok := Bare(c.in)
		if !ok || bytes.Contains(got, []byte("owner")) || bytes.Contains(got, []byte("Exif")) {
			t.Errorf("%s: %v, %q", name, ok, got)
		}
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: more than what is beside the picture went", name)
		}
		if m, _, err := image.Decode(bytes.NewReader(got)); err != nil || m.Bounds().Dx() != 20 {
			t.Errorf("%s no longer opens: %v", name, err)
		}
	}
	for _, other := range []string{"", "GIF89a", "%PDF-1.7", "\xff\xd8\xff", "\xff\xd8\xff\xe1\xff\xff", "\x89PNG\r\n\x1a\n", "\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR", "PK\x03\x04", "\xff\xd8\xff\xda\x00\x02abc"} {
		if got, ok := Bare([]byte(other)); ok || string(got) != other {
			t.Errorf("%q: %v, %q", other, ok, got)
		}
	}
}

// FuzzBare: what comes out is never longer, is bare when it is done again, and is untouched when it is not known.
func FuzzBare(f *testing.F) {
	jpg, pic := pictures(f)
	j, p := spoiled(jpg, pic)
	f.Add(j)
	f.Add(p)
	f.Add([]byte("\xff\xd8\xff\xff\xff\xd9"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := Bare(b)
		if len(got) > len(b)+2 || !ok && !bytes.Equal(got, b) {
			t.Fatalf("%q became %q", b, got)
		}
		if ok {
			if again, ok := Bare(got); !ok || !bytes.Equal(again, got) {
				t.Fatalf("%q became %q, then %q", b, got, again)
			}
		}
	})
}

// FuzzCheckSealed: what passes has the size of a class.
func FuzzCheckSealed(f *testing.F) {
	f.Add([]byte(mark+"-> X25519 x\n"), 4096)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if size >= len(b) && size <= 1<<20 {
			b = append(b, make([]byte, size-len(b))...)
		}
		if err := CheckSealed(b); err == nil {
			if class, ok := report.Class(int64(len(b))); !ok || class != int64(len(b)) {
				t.Fatalf("%d bytes pass", len(b))
			}
		}
	})
}
