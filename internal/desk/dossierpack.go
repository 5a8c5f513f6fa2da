package desk

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"time"

	"tocsin/internal/dossier"
)

const packedAtMost = 64 << 20 // bytes of a report in a ZIP file, unpacked

func packed(w io.Writer, at time.Time, files [][2]string) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		out, err := z.CreateHeader(&zip.FileHeader{Name: f[0], Method: zip.Deflate, Modified: at.UTC()})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, f[1]); err != nil {
			return err
		}
	}
	return z.Close()
}

// UnpackDossier reads what Packed writes: a report of at most 64 MiB, its name, and the manifest. Anything else is refused.
func UnpackDossier(b []byte) (name string, report, manifest []byte, err error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", nil, nil, fmt.Errorf("reading the packed report: %w", err)
	}
	if len(z.File) != 2 {
		return "", nil, nil, ErrNoManifest
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return "", nil, nil, fmt.Errorf("reading the packed report: %w", err)
		}
		text, err := io.ReadAll(io.LimitReader(r, packedAtMost+1))
		_ = r.Close()
		switch {
		case err != nil:
			return "", nil, nil, fmt.Errorf("reading the packed report: %w", err)
		case len(text) > packedAtMost:
			return "", nil, nil, fmt.Errorf("the packed report is larger than %s, which none is", Size(packedAtMost))
		case f.Name == dossier.ManifestName:
			manifest = text
		default:
			name, report = f.Name, text
		}
	}
	if manifest == nil || report == nil {
		return "", nil, nil, ErrNoManifest
	}
	return name, report, manifest, nil
}
