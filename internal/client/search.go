package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Search is what to ask of the kept lines.
type Search struct {
	Query   string        `json:"query"`
	Zone    string        `json:"zone,omitempty"`       // IANA name; "" is UTC
	Timeout time.Duration `json:"timeout_ns,omitempty"` // after it the search ends with what was found; 0 is the server's
	Follow  bool          `json:"follow,omitempty"`     // go on with lines that come
	Person  string        `json:"-"`
}

// A Found is one line of the answer to a search, as NDJSON: progress now and then, then rows or bars, then one summary; behind that, rows
// that followed. What is of another kind is empty.
type Found struct {
	Kind string `json:"kind"` // progress, row, bar, summary, error
	*Row
	*Bar
	*Summary
	*Progress
	Error string `json:"error,omitempty"` // of error: why following ended
}

// A Row is a line, or what was made of lines.
type Row struct {
	Fields Fields `json:"fields"`
}

// Fields are the values of a row, under the names of its columns and in their order: texts, numbers, times as RFC 3339, null.
type Fields []Field

// A Field is one of them.
type Field struct {
	Name  string
	Value any // string, json.Number, or nil where there is none
}

// MarshalJSON writes an object.
func (f Fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(x.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads one, in its order.
func (f *Fields) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var x Field
		x.Name, _ = name.(string)
		if err := d.Decode(&x.Value); err != nil {
			return err
		}
		*f = append(*f, x)
	}
	return nil
}

// A Bar is one bar of a timeline.
type Bar struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"` // the first moment after it
	Count int64     `json:"count"`
}

// A Summary says how a search went.
type Summary struct {
	Query     string    `json:"query"`   // as it was meant: its times are absolute
	Matched   int64     `json:"matched"` // lines
	Without   int64     `json:"without"` // of these, lines that are in no row
	Scanned   Scanned   `json:"scanned"`
	Cut       string    `json:"cut"`       // a sentence that says why not all was searched; "" when it was
	Truncated string    `json:"truncated"` // a sentence that says what of the result is left out
	About     string    `json:"about"`     // a sentence that says which figures are estimates
	Damaged   []Damaged `json:"damaged"`   // volumes that could not be searched
	Took      float64   `json:"took"`      // seconds
}

// Scanned says how much a search looked at.
type Scanned struct {
	Volumes int   `json:"volumes"` // that may have what is meant
	Of      int   `json:"of"`      // all of them
	Rows    int64 `json:"rows"`    // records in what was looked into
	Lines   int64 `json:"lines"`   // whose text was read
	Tail    int64 `json:"tail"`    // records that were not on the shelf yet
}

// Damaged is a volume that could not be searched.
type Damaged struct {
	Volume string `json:"volume"`
	File   string `json:"file"`
	Why    string `json:"why"`
}

// Progress is how far a search is.
type Progress struct {
	Done float64 `json:"done"` // of 1
	Seen int64   `json:"seen"` // records looked at
}

// Search asks, and hands over the answer line by line. It ends with the answer, when ctx does, or with the error of found. Errors:
// ErrNotRunning, or the server's words.
func (c *Client) Search(ctx context.Context, x Search, found func(Found) error) error {
	body, err := c.stream(ctx, as("/v1/search", x.Person), x)
	if err != nil {
		return err
	}
	defer body.Close()
	d := json.NewDecoder(bufio.NewReaderSize(body, 64<<10))
	for {
		var f Found
		err := d.Decode(&f)
		if err == io.EOF || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading what the running Tocsin found: %w", err)
		}
		if f.Kind == "error" {
			return errors.New(f.Error)
		}
		if err := found(f); err != nil {
			return err
		}
	}
}

// Attached says how many lines became part of an incident that were not yet.
type Attached struct {
	Lines int `json:"lines"`
}

// Attach makes the lines that a query finds part of an incident.
func (c *Client) Attach(ctx context.Context, x Search, incident int64) (out Attached, err error) {
	return out, c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/incidents/%d/lines", incident), x.Person), x, &out)
}

// Export asks for lines as evidence, and writes them to w. Errors: ErrNotRunning, the server's words, or of w.
func (c *Client) Export(ctx context.Context, x Search, w io.Writer) error {
	body, err := c.stream(ctx, as("/v1/export", x.Person), x)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.Copy(w, body); err != nil {
		return fmt.Errorf("taking the export from the running Tocsin: %w", err)
	}
	return nil
}
