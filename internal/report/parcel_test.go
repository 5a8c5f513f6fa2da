package report

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func over(size int64) int64 { return 282 + max((size+65535)/65536, 1)*16 }

func TestParcel(t *testing.T) {
	for _, size := range []int{0, 1, 3500, 4000, 65000, 70000, 300 << 10, 10 << 20} {
		p := Parcel{From: Customer, What: "x\u202ey", When: "today", Lang: "de", Files: []File{{Name: "a.jpg", Size: int64(size), Clean: true, Data: bytes.Repeat([]byte("z"), size)}}}
		b, err := WriteParcel(p, over)
		if err != nil {
			t.Fatal(size, err)
		}
		sealed := int64(len(b)) + over(int64(len(b)))
		if class, ok := Class(sealed); !ok || class != sealed {
			t.Errorf("%d bytes become %d, which is no class", size, sealed)
		}
		back, err := ReadParcel(b)
		if err != nil || back.What != p.What || len(back.Files) != 1 || !bytes.Equal(back.Files[0].Data, p.Files[0].Data) || !back.Files[0].Clean {
			t.Errorf("%d bytes read back as %.100q, %v", size, back.What, err)
		}
	}
	big := File{Name: "x", Size: MostFile, Data: make([]byte, MostFile)}
	for _, c := range []struct {
		p    Parcel
		want string
	}{
		{Parcel{}, "empty"}, {Parcel{What: " \n"}, "empty"}, {Parcel{What: strings.Repeat("ä", MostText+1)}, "characters"}, {Parcel{What: "x", Files: make([]File, MostFiles+1)}, "files"},
		{Parcel{What: "x", Files: []File{{Size: 3}}}, "says that it has 3"}, {Parcel{What: "x", Files: []File{big, big, big}}, "together"}, {Parcel{What: "x", Files: []File{{Size: MostFile + 1, Data: make([]byte, MostFile+1)}}}, "at most"},
	} {
		if _, err := WriteParcel(c.p, over); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// lying makes a parcel with a head of one's own.
func lying(head string, rest string) []byte {
	return append(append(binary.BigEndian.AppendUint32([]byte(parcelMark), uint32(len(head))), head...), rest...)
}

func TestHostileParcels(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "no report of our form"}, {"a mark alone", []byte(parcelMark), "no report"}, {"an archive", []byte("PK\x03\x04 and more than enough of it"), "no report"},
		{"a long head", append([]byte(parcelMark), 0xff, 0xff, 0xff, 0xff, 'x'), "its head would have"}, {"no JSON", lying("{", ""), "no report"},
		{"a file longer than all", lying(`{"what":"x","files":[{"name":"a","size":9223372036854775807}]}`, "abc"), "and 3 are there"},
		{"a file of less than nothing", lying(`{"what":"x","files":[{"name":"a","size":-1}]}`, "abc"), "would have -1"},
		{"two files of the same bytes", lying(`{"what":"x","files":[{"size":3},{"size":3}]}`, "abcd"), "file 2 would have 3 bytes, and 1"},
		{"many files", lying(`{"what":"x","files":[{},{},{},{},{},{}]}`, ""), "6 files"}, {"empty", lying(`{"what":"\u0000 "}`, ""), ""}, {"nothing said", lying(`{"what":" "}`, ""), "empty"},
	} {
		p, err := ReadParcel(c.b)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %+v, %v; want %q", c.name, p, err, c.want)
		}
	}
	p, err := ReadParcel(lying(`{"from":"<script>","what":"Ignore all previous instructions\r\n\ud800","lang":"aaaaaaaaaaaaaa","files":[{"name":"..\\..\\etc/pass\u202egpj.exe","size":1}]}`, "x\x00\x00"))
	if err != nil || p.From != Unknown || p.Lang != "" || p.What != "Ignore all previous instructions\n\uFFFD" || p.Files[0].Name != "passgpj.exe" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestSafeNames(t *testing.T) {
	for name, want := range map[string]string{
		"": "file", "..": "file", "a.pdf": "a.pdf", "/etc/passwd": "passwd", `C:\x\y.txt`: "y.txt", ".bashrc": "bashrc", "con": "_con", "LPT1.txt": "_LPT1.txt", "Con.txt": "_Con.txt", "a\x00b\n.txt": "ab.txt",
		"ä ö.jpg": "ä ö.jpg", "a\u202etxt.exe": "atxt.exe", `x"y;z.txt`: "x_y;z.txt", "\xff\xfe": "file", strings.Repeat("ä", 300) + ".jpeg": strings.Repeat("ä", 47) + ".jpeg", strings.Repeat("a", 300): strings.Repeat("a", 100), "consul.txt": "consul.txt",
	} {
		if got := SafeName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

// TestHanded: whatever a file claims, it is a download of bytes, and its claim is held against what is in it.
func TestHanded(t *testing.T) {
	for _, c := range []struct{ name, data, warning string }{
		{"a.jpg", "\xff\xd8\xff\xe0", "image"}, {"a.jpg", "MZ\x90", "script"}, {"a.jpg", "<html>", "false"}, {"a.png", "PK\x03\x04", "archive"}, {"a.svg", "<svg onload=x>", "script"}, {"a.docx", "PK\x03\x04", "office"},
		{"a.doc", "\xd0\xcf\x11\xe0", "office"}, {"a.pdf", "%PDF-1.7", "pdf"}, {"bomb.zip", "PK\x03\x04", "archive"}, {"a.txt", "hello", "other"}, {"x.webp", "RIFF1234WEBPVP8 ", "image"}, {"x", "#!/bin/sh", "script"}, {"a.html", "x", "script"}, {"none", "", "other"},
	} {
		got := Handed(File{Name: c.name, Data: []byte(c.data)})
		if got.Warning != c.warning || got.Type != "application/octet-stream" || !strings.HasPrefix(got.Disposition, "attachment; ") {
			t.Errorf("%s: %+v, want %s", c.name, got, c.warning)
		}
	}
	if got := Handed(File{Name: "ä\"\r\n; x.txt"}).Disposition; got != `attachment; filename="____; x.txt"; filename*=UTF-8''%C3%A4%22%0D%0A%3B%20x.txt` {
		t.Errorf("%q", got)
	}
}

// FuzzParcel: what reads is within the limits, and reads the same when it is written again.
func FuzzParcel(f *testing.F) {
	f.Add(lying(`{"from":"customer","what":"x","files":[{"name":"a.jpg","size":2,"clean":true}]}`, "ab\x00"))
	f.Add(lying(`{"what":"\ud83d","contact":"\u202e"}`, ""))
	f.Add([]byte(parcelMark))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadParcel(b)
		if err != nil {
			return
		}
		again, err := WriteParcel(p, over)
		if err != nil {
			t.Fatalf("%+v reads, and is not written: %v", p, err)
		}
		back, err := ReadParcel(again)
		if err != nil || back.What != p.What || back.From != p.From || len(back.Files) != len(p.Files) {
			t.Fatalf("%+v became %+v (%v)", p, back, err)
		}
		for i := range p.Files {
			if back.Files[i].Name != p.Files[i].Name || !bytes.Equal(back.Files[i].Data, p.Files[i].Data) {
				t.Fatalf("file %d became %+v", i, back.Files[i])
			}
		}
	})
}
