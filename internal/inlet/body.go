package inlet

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/record"
)

// maxWindow is how many bytes back a zstd stream may refer; RFC 8878 recommends that decoders support 8 MiB.
const maxWindow = 8 << 20

// unpacked returns a reader of what a packed stream holds. An unknown packing gives nil.
func unpacked(packing string, in io.Reader) (io.Reader, func(), error) {
	switch packing {
	case "", "identity":
		return in, func() {}, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(in)
		return z, func() {}, err
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return nil, func() {}, nil
}

// unpack reads the body of a request, of at most limit bytes as sent and unpacked.
func unpack(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := refuse(http.StatusRequestEntityTooLarge, TooLarge, "The body has more than %d bytes, as sent or unpacked. Send smaller requests.", limit)
	packing := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	in, done, err := unpacked(packing, http.MaxBytesReader(w, r.Body, limit))
	if err == nil && in == nil {
		return nil, refuse(http.StatusUnsupportedMediaType, BadRequest, "The Content-Encoding %.40q is not known here: pack with gzip or zstd, or not at all.", packing)
	}
	var body bytes.Buffer
	if err == nil {
		defer done()
		if packing == "" && r.ContentLength > 0 && r.ContentLength <= limit {
			body.Grow(int(r.ContentLength) + bytes.MinRead)
		}
		_, err = body.ReadFrom(io.LimitReader(in, limit+1))
	}
	_, long := errors.AsType[*http.MaxBytesError](err)
	switch {
	case long || int64(body.Len()) > limit:
		return nil, tooLarge
	case slow(err):
		return nil, refuse(http.StatusRequestTimeout, Slow, "The body did not come in time.")
	case err != nil:
		return nil, refuse(http.StatusBadRequest, BadRequest, "The body cannot be read: %v.", err)
	}
	return body.Bytes(), nil
}

func tooManyLines(most int) error {
	return refuse(http.StatusRequestEntityTooLarge, TooLarge, "The request has more than %d lines, which is the most that is taken at once. Send smaller requests.", most)
}

// linesOf cuts a body of text. The last line may lack its end.
func linesOf(body []byte, most int) ([]piece, error) {
	n := bytes.Count(body, []byte("\n"))
	if !bytes.HasSuffix(body, []byte("\n")) {
		n++
	}
	if n > most {
		return nil, tooManyLines(most)
	}
	s := &textSplitter{held: held{max: record.MaxLine}}
	out, _ := s.add(body, make([]piece, 0, n))
	return s.rest(out)
}

// objectsOf cuts a body of JSON: a list of objects, or objects. An object longer than record.MaxLine is cut there, as a line is: who makes a
// program log much must not keep the lines around it out.
func objectsOf(body []byte, most int) ([]piece, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	s := newObjectSplitter("", "", record.MaxLine)
	if start := bytes.TrimLeft(body, " \r\n\t"); len(start) > 0 && start[0] == '[' {
		s = newObjectSplitter(listOpen, listClose, record.MaxLine)
	}
	s.most = most
	out, err := s.add(body, nil)
	if err == nil {
		out, err = s.rest(out)
	}
	if s.number > most {
		return nil, tooManyLines(most)
	}
	if e, ok := errors.AsType[*jsonError](err); ok {
		return nil, refuse(http.StatusBadRequest, BadRequest, "The body is no JSON of log lines, and nothing of it was kept: %v.", e)
	}
	return out, err
}

// A rejection is what of a request could not become lines.
type rejection struct {
	count int64
	says  string // of the first
}

// An answer writes what a request gets back.
type answer struct {
	kept    func(lines int, rejected rejection)
	refused func(*refusal)
}

// plainAnswer says in JSON how many lines are kept, and in text what was wrong.
func plainAnswer(w http.ResponseWriter) answer {
	return answer{
		kept: func(lines int, _ rejection) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]int{"kept": lines})
		},
		refused: func(r *refusal) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.WriteHeader(r.status)
			fmt.Fprintln(w, r.says)
		},
	}
}
