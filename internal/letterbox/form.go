package letterbox

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"tocsin/internal/report"
)

// A Posted is a form as it came.
type Posted struct {
	Values map[string]string
	Files  []report.File
}

// Limits of a form. A sealed report counts as a file, and may have the size of the largest class.
const (
	mostValues = 30
	mostValue  = 4*report.MostText + 1024 // bytes
	mostSlack  = 1 << 20
)

// ErrForm is a form that is larger than we take, or none.
var ErrForm = errors.New("this form cannot be taken")

// ReadForm reads a multipart form wholly into memory. (ParseMultipartForm of net/http writes large files to the disk, readable; this
// must never.) The caller bounds how many read at once, and sets the time in which a form must come.
//
// Errors: ErrForm, with what is wrong; of the connection.
func ReadForm(w http.ResponseWriter, r *http.Request) (Posted, error) {
	classes := report.Classes()
	largest := classes[len(classes)-1]
	r.Body = http.MaxBytesReader(w, r.Body, largest+mostSlack)
	parts, err := r.MultipartReader()
	if err != nil {
		return Posted{}, fmt.Errorf("%w: it is no multipart form", ErrForm)
	}
	p := Posted{Values: map[string]string{}}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return Posted{}, fmt.Errorf("%w: %w", ErrForm, err)
		}
		if err := p.take(part, largest); err != nil {
			return Posted{}, err
		}
	}
}

func (p *Posted) take(part *multipart.Part, largest int64) error {
	name := part.FormName()
	if part.FileName() == "" {
		b, err := io.ReadAll(io.LimitReader(part, mostValue+1))
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrForm, err)
		case len(b) > mostValue:
			return fmt.Errorf("%w: the field %q has more than %d bytes", ErrForm, clip(name), mostValue)
		case len(p.Values) >= mostValues:
			return fmt.Errorf("%w: it has more than %d fields", ErrForm, mostValues)
		}
		if _, twice := p.Values[name]; len(b) > 0 && !twice { // an empty choice of files comes as an empty field
			p.Values[name] = string(b)
		}
		return nil
	}
	most := int64(report.MostFile)
	if name == "sealed" {
		most = largest
	}
	b, err := io.ReadAll(io.LimitReader(part, most+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrForm, err)
	case int64(len(b)) > most:
		return fmt.Errorf("%w: a file has more than %d bytes", ErrForm, most)
	case len(p.Files) >= report.MostFiles:
		return fmt.Errorf("%w: it has more than %d files", ErrForm, report.MostFiles)
	}
	b, clean := Bare(b)
	p.Files = append(p.Files, report.File{Name: report.SafeName(part.FileName()), Size: int64(len(b)), Clean: clean, Data: b})
	return nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
