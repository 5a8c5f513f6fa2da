package report

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of one report. The page says the same to its script, which refuses before it sends; here they are held against what comes.
const (
	MostText  = 20000    // characters of one answer of the form
	MostFiles = 5        // attachments
	MostFile  = 10 << 20 // bytes of one
	MostAll   = 20 << 20 // bytes of all together
	MostHead  = 512 << 10
)

// parcelMark begins a parcel; the digit is its version.
const parcelMark = "tocsin-parcel 1\n"

// A Parcel is what is inside of the sealed thing: a report, or one message of a thread. All of it is in the words of a stranger.
type Parcel struct {
	From    string `json:"from,omitempty"`
	What    string `json:"what"`
	When    string `json:"when,omitempty"`
	Where   string `json:"where,omitempty"`
	Contact string `json:"contact,omitempty"` // how they want to be reached; "" wants not to be
	Lang    string `json:"lang,omitempty"`
	Files   []File `json:"files,omitempty"`
}

// A File is an attachment. Data is never looked into by us, nor unpacked.
type File struct {
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Clean bool   `json:"clean,omitempty"` // the browser drew the image anew, so that nothing but its picture is left
	Data  []byte `json:"-"`
}

// WriteParcel writes a parcel, and fills it up with zeros, so that its ciphertext has the size of a class:
//
//	"tocsin-parcel 1\n", length of the head (4 bytes, big-endian), head (JSON), the files one after the other, zeros
//
// over is how many bytes the encryption adds.
func WriteParcel(p Parcel, over func(size int64) int64) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	head, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing a report: %w", err)
	}
	b := append([]byte(parcelMark), binary.BigEndian.AppendUint32(nil, uint32(len(head)))...)
	b = append(b, head...)
	for _, f := range p.Files {
		b = append(b, f.Data...)
	}
	for _, class := range Classes() {
		if fill := class - over(0) - int64(len(b)); fill >= 0 {
			for fill > 0 && int64(len(b))+fill+over(int64(len(b))+fill)-over(0) > class-over(0) {
				fill-- // a longer text may cost the encryption more
			}
			if whole := int64(len(b)) + fill; whole+over(whole) <= class {
				return append(b, make([]byte, fill)...), nil
			}
		}
	}
	return nil, fmt.Errorf("the report has %d bytes, more than we take", len(b))
}

var errParcel = errors.New("this is no report of our form")

// ReadParcel reads what WriteParcel, or the page's script, wrote. What the head says is held against the limits and against what is
// there; names of files lose their folders and whatever does not show.
func ReadParcel(b []byte) (Parcel, error) {
	rest, ok := strings.CutPrefix(string(b[:min(len(b), len(parcelMark))]), parcelMark)
	if !ok || rest != "" || len(b) < len(parcelMark)+4 {
		return Parcel{}, errParcel
	}
	b = b[len(parcelMark):]
	long := int64(binary.BigEndian.Uint32(b))
	b = b[4:]
	if long > MostHead || long > int64(len(b)) {
		return Parcel{}, fmt.Errorf("%w: its head would have %d bytes", errParcel, long)
	}
	var p Parcel
	if err := json.Unmarshal(b[:long], &p); err != nil {
		return Parcel{}, fmt.Errorf("%w: %w", errParcel, err)
	}
	b = b[long:]
	if len(p.Files) > MostFiles {
		return Parcel{}, fmt.Errorf("%w: it has %d files, at most %d are taken", errParcel, len(p.Files), MostFiles)
	}
	for i := range p.Files {
		f := &p.Files[i]
		if f.Size < 0 || f.Size > int64(len(b)) {
			return Parcel{}, fmt.Errorf("%w: file %d would have %d bytes, and %d are there", errParcel, i+1, f.Size, len(b))
		}
		f.Data, b = b[:f.Size:f.Size], b[f.Size:]
		f.Name = SafeName(f.Name)
	}
	p.tidy()
	return p, p.check()
}

// tidy brings the texts into their one form.
func (p *Parcel) tidy() {
	for _, s := range []*string{&p.What, &p.When, &p.Where, &p.Contact} {
		*s = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(*s, "\r\n", "\n"), "\uFFFD"))
	}
	known := false
	for _, s := range Senders() {
		known = known || p.From == s
	}
	if !known {
		p.From = Unknown
	}
	if len(p.Lang) > 8 {
		p.Lang = ""
	}
}

func (p *Parcel) check() error {
	if strings.TrimSpace(p.What) == "" {
		return errors.New("the report is empty: say what happened")
	}
	for _, s := range []string{p.What, p.When, p.Where, p.Contact} {
		if n := utf8.RuneCountInString(s); n > MostText {
			return fmt.Errorf("a text has %d characters, at most %d are taken", n, MostText)
		}
	}
	if len(p.Files) > MostFiles {
		return fmt.Errorf("there are %d files, at most %d are taken", len(p.Files), MostFiles)
	}
	all := int64(0)
	for i, f := range p.Files {
		if f.Size != int64(len(f.Data)) {
			return fmt.Errorf("file %d says that it has %d bytes, and has %d", i+1, f.Size, len(f.Data))
		}
		if f.Size > MostFile {
			return fmt.Errorf("file %d has %d bytes, at most %d are taken", i+1, f.Size, MostFile)
		}
		all += f.Size
	}
	if all > MostAll {
		return fmt.Errorf("the files have %d bytes together, at most %d are taken", all, MostAll)
	}
	return nil
}

// SafeName makes a file name of a stranger's, under which a file is handed over: without folders, without signs that do not show or turn the reading order,
// without a dot at its beginning, at most 100 bytes, never empty. Names that Windows keeps for devices get an underscore.
func SafeName(name string) string {
	name = strings.Trim(cleanName(name, -1), ". ")
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch strings.TrimRight(stem, "0123456789 ") {
	case "CON", "PRN", "AUX", "NUL", "COM", "LPT":
		name = "_" + name
	}
	if name = strings.Trim(shorter(name, 100), ". "); name == "" {
		return "file"
	}
	return name
}

// KeptName is a file name as words, such as evidence has: as it was but for its folders, with an underscore for each sign that does not show or turns the reading
// order, at most most bytes. It may be empty, and begins with a dot where it did.
func KeptName(name string, most int) string { return shorter(cleanName(name, '_'), most) }

// cleanName takes folders from a name, and puts hidden for each sign that does not show; -1 drops them.
func cleanName(name string, hidden rune) string {
	broken := ""
	if hidden >= 0 {
		broken = string(hidden)
	}
	name = strings.TrimRight(strings.ReplaceAll(strings.ToValidUTF8(name, broken), `\`, "/"), "/")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`<>:"/\|?*`, r):
			return '_'
		case r == ' ':
			return r
		case !unicode.IsGraphic(r), unicode.Is(unicode.Zs, r), unicode.Is(unicode.Variation_Selector, r):
			return hidden
		}
		return r
	}, name[strings.LastIndexByte(name, '/')+1:]))
}

// shorter cuts a name to most bytes before its extension, when that is no longer than 12.
func shorter(name string, most int) string {
	for len(name) > most {
		ext := path.Ext(name)
		if len(ext) > 12 {
			ext = ""
		}
		front := name[:len(name)-len(ext)]
		_, n := utf8.DecodeLastRuneInString(front)
		name = front[:len(front)-n] + ext
	}
	return name
}

// An Attachment is how a file is handed to a person of the team: always as a download of bytes, whatever it claims to be.
type Attachment struct {
	Type        string // Content-Type
	Disposition string // Content-Disposition (RFC 6266), with the name in ASCII and in UTF-8
	Warning     string // what to know before opening it, in a word of the page: "image", "script", "archive", "office", "pdf", "other"
}

// Handed says how to hand over a file.
func Handed(f File) Attachment {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, f.Name)
	var b strings.Builder
	for _, c := range []byte(f.Name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return Attachment{"application/octet-stream", `attachment; filename="` + ascii + `"; filename*=UTF-8''` + b.String(), kindOf(f)}
}

// kindOf says what a file is by its bytes, and only for a claim that its bytes do not bear out by its name.
func kindOf(f File) string {
	begins := func(s string) bool { return strings.HasPrefix(string(f.Data[:min(len(f.Data), 16)]), s) }
	switch ext := strings.ToLower(path.Ext(f.Name)); {
	case begins("\xff\xd8\xff"), begins("\x89PNG\r\n\x1a\n"), begins("GIF8"), begins("RIFF") && len(f.Data) > 12 && string(f.Data[8:12]) == "WEBP":
		return "image"
	case begins("%PDF-"):
		return "pdf"
	case begins("PK\x03\x04") && (strings.HasPrefix(ext, ".doc") || strings.HasPrefix(ext, ".xls") || strings.HasPrefix(ext, ".ppt") || strings.HasPrefix(ext, ".od")), begins("\xd0\xcf\x11\xe0"):
		return "office"
	case begins("PK"), begins("\x1f\x8b"), begins("7z\xbc\xaf"), begins("Rar!"), begins("BZh"), begins("\xfd7zXZ"), begins("\x28\xb5\x2f\xfd"):
		return "archive"
	case begins("MZ"), begins("\x7fELF"), begins("#!"), strings.Contains(" .exe .scr .bat .cmd .js .vbs .ps1 .hta .html .htm .svg .lnk .jar .sh .msi .xhtml ", " "+ext+" "):
		return "script"
	case ext == ".jpg" || ext == ".jpeg" || ext == ".png" || ext == ".gif" || ext == ".webp":
		return "false" // it claims to be an image, and is none
	}
	return "other"
}
