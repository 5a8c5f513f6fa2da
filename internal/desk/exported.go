package desk

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"tocsin/internal/entry"
)

// The form of an export; doc/formats/export.md. It is for ever.
const (
	exportFormat    = 1
	exportManifest  = "manifest.json"
	exportSignature = "manifest.sig"
	maxManifest     = 256 << 20
	maxSignature    = 4096
	tarBlock        = 512
)

// An ExportManifest says what an export is.
type ExportManifest struct {
	Format  int            `json:"format"`
	Query   string         `json:"query"` // as it was meant: its times are absolute
	Zone    string         `json:"zone"`  // of who asked
	By      string         `json:"by"`    // as entries name actors
	At      time.Time      `json:"at"`    // in whole seconds, UTC
	Program string         `json:"program"`
	Origin  string         `json:"origin"` // of the ledger whose key signed
	Head    string         `json:"head"`   // the ledger's, signed, before the export was written in it
	Files   []ExportFile   `json:"files"`
	Volumes []ExportVolume `json:"volumes"`           // that the lines came from
	Damaged []ExportDamage `json:"damaged,omitempty"` // volumes that could not be read: matching lines of theirs are missing
	Lines   []ExportLine   `json:"lines"`             // in the order of files, and in each as they came
}

// An ExportFile is the matching lines of one log.
type ExportFile struct {
	Name   string `json:"name"` // in the export
	Host   string `json:"host"` // that the log lies on; "" is the server's own
	File   string `json:"file"` // the log's path there
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// An ExportVolume is a volume, with the SHA-256 of both its files, as the ledger has them.
type ExportVolume struct {
	Name    string `json:"name"`
	Lines   string `json:"lines"`
	Columns string `json:"columns"`
}

// ExportDamage is a volume that could not be read.
type ExportDamage struct {
	Volume string `json:"volume"`
	Why    string `json:"why"`
}

// An ExportLine is a line: its bytes stand in its file behind those of the line before, with a line feed behind them.
type ExportLine struct {
	Number   int64     `json:"n"`      // in the archive
	File     int       `json:"file"`   // place in files, from 1
	Bytes    int       `json:"bytes"`  // without the line feed
	Offset   int64     `json:"offset"` // in its log
	Received time.Time `json:"received"`
	Agent    string    `json:"agent,omitempty"`
	Volume   int       `json:"volume,omitempty"` // place in volumes, from 1; 0: it was in the write-ahead log
	SHA256   string    `json:"sha256"`
}

// An exportWriter writes files as a tar archive, in the one way that they are written.
type exportWriter struct {
	tar *tar.Writer
	at  time.Time
	err error
}

func newExportWriter(w io.Writer, at time.Time) *exportWriter {
	return &exportWriter{tar: tar.NewWriter(w), at: at}
}

func (x *exportWriter) put(name string, size int64, r io.Reader) {
	if x.err == nil {
		x.err = x.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: size, ModTime: x.at, Format: tar.FormatUSTAR})
	}
	if x.err == nil {
		_, x.err = io.CopyN(x.tar, r, size)
	}
}

func (x *exportWriter) close() error { return errors.Join(x.err, x.tar.Close()) }

// tarSize is what a file of n bytes takes in a tar archive.
func tarSize(n int) int64 { return tarBlock + (int64(n)+tarBlock-1)/tarBlock*tarBlock }

// VerifyExport checks an export: its signature, every file, every line, and that nothing else is in it. The error names the first thing that
// is wrong. Nothing but the file and the key is needed.
func VerifyExport(r io.ReaderAt, size int64, key ExportKey) (ExportManifest, error) {
	m, err := verifyContent(r, size, key)
	if err != nil {
		return m, err
	}
	// What is signed is good. What is around it can be written in one way only.
	in := tar.NewReader(io.NewSectionReader(r, 0, size))
	same := &sameWriter{r: io.NewSectionReader(r, 0, size)}
	out := newExportWriter(same, m.At)
	for out.err == nil {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return m, changed("the archive around its files", err)
		}
		if out.put(h.Name, h.Size, in); out.err != nil {
			return m, changed("what the tar archive says of "+h.Name, out.err)
		}
	}
	if err := out.close(); err != nil {
		return m, changed("the end of the tar archive", err)
	}
	if same.at != size {
		return m, changed("the end of the tar archive", fmt.Errorf("%d bytes stand behind it", size-same.at))
	}
	return m, nil
}

func changed(what string, err error) error {
	return fmt.Errorf("this export is not whole or was changed: %s: %w", what, err)
}

// A sameWriter compares what is written with what there is.
type sameWriter struct {
	r  io.Reader
	at int64
}

func (w *sameWriter) Write(b []byte) (int, error) {
	is := make([]byte, len(b))
	if _, err := io.ReadFull(w.r, is); err != nil {
		return 0, errors.New("it ends too early")
	}
	if !bytes.Equal(is, b) {
		return 0, fmt.Errorf("it is not written as Tocsin does, near byte %d", w.at)
	}
	w.at += int64(len(b))
	return len(b), nil
}

// verifyContent checks what is in the files.
func verifyContent(r io.ReaderAt, size int64, key ExportKey) (m ExportManifest, err error) {
	in := tar.NewReader(io.NewSectionReader(r, 0, size))
	text, err := small(in, exportManifest, maxManifest)
	if err != nil {
		return m, err
	}
	signed, err := small(in, exportSignature, maxSignature)
	if err != nil {
		return m, err
	}
	seal, err := entry.OpenExport(signed, key)
	if err != nil {
		return m, changed(exportSignature, err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != seal.Manifest {
		return m, changed(exportManifest, errors.New("it is not the one that was signed"))
	}
	var form struct{ Format int }
	if err := json.Unmarshal(text, &form); err != nil {
		return m, changed(exportManifest, err)
	}
	if form.Format != exportFormat {
		return m, fmt.Errorf("this export is of format %d, which this program does not know: take a newer one", form.Format)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, changed(exportManifest, err)
	}
	if _, err := entry.OpenHead([]byte(m.Head), key); err != nil {
		return m, changed("the head of the ledger in "+exportManifest, err)
	}
	next := 0
	for n, f := range m.Files {
		h, err := in.Next()
		if err != nil || h.Name != f.Name || h.Size != f.Bytes {
			return m, changed(f.Name, errors.New("it is not there, or not as long as the manifest says"))
		}
		if next, err = verifyFile(in, m.Lines, next, n+1, f); err != nil {
			return m, err
		}
	}
	if next != len(m.Lines) {
		return m, changed(exportManifest, errors.New("it names lines of files that are not there"))
	}
	if h, err := in.Next(); err == nil {
		return m, changed(h.Name, errors.New("the manifest does not name it"))
	} else if err != io.EOF {
		return m, changed("the end of the tar archive", err)
	}
	return m, nil
}

// small reads a file that must come next.
func small(in *tar.Reader, name string, most int64) ([]byte, error) {
	h, err := in.Next()
	if err != nil || h.Name != name {
		return nil, changed(name, errors.New("it is not there where it must be; is this an export of tocsin archive export?"))
	}
	if h.Size > most {
		return nil, changed(name, fmt.Errorf("it has more than %d bytes", most))
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, changed(name, err)
	}
	return b, nil
}

// verifyFile checks the lines of a file, beginning with the one at next, and returns where those of the following file begin.
func verifyFile(in io.Reader, lines []ExportLine, next, file int, f ExportFile) (int, error) {
	whole := sha256.New()
	r := io.TeeReader(in, whole)
	read := int64(0)
	for ; next < len(lines) && lines[next].File == file; next++ {
		l := lines[next]
		if l.Bytes < 0 || int64(l.Bytes) >= f.Bytes-read {
			return next, changed(f.Name, fmt.Errorf("line %d does not fit into it", l.Number))
		}
		if err := verifyLine(r, sha256.New(), l); err != nil {
			return next, changed(f.Name, err)
		}
		read += int64(l.Bytes) + 1
	}
	if read != f.Bytes {
		return next, changed(f.Name, errors.New("it has more than the lines that the manifest names"))
	}
	if hex.EncodeToString(whole.Sum(nil)) != f.SHA256 {
		return next, changed(f.Name, errors.New("its SHA-256 is not that of the manifest"))
	}
	return next, nil
}

func verifyLine(r io.Reader, h hash.Hash, l ExportLine) error {
	if _, err := io.CopyN(h, r, int64(l.Bytes)); err != nil {
		return fmt.Errorf("line %d: %w", l.Number, err)
	}
	var end [1]byte
	if _, err := io.ReadFull(r, end[:]); err != nil {
		return fmt.Errorf("line %d: %w", l.Number, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != l.SHA256 {
		return fmt.Errorf("line %d was changed: its SHA-256 is not that of the manifest", l.Number)
	}
	if end[0] != '\n' {
		return fmt.Errorf("line %d has no line feed behind it", l.Number)
	}
	return nil
}
