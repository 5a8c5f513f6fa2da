package client

import (
	"io"
	"net/http"
)

// Of returns a client of a handler in this process: what a command does while no server runs goes the same way.
func Of(h http.Handler) *Client {
	return &Client{http: &http.Client{Transport: inside{h}}, base: "http://tocsin"}
}

// inside answers requests by a handler, bit by bit as it writes.
type inside struct{ handler http.Handler }

// RoundTrip lets the handler answer. Its goroutine ends before the body is closed.
func (t inside) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	read, write := io.Pipe()
	w := &written{header: http.Header{}, begun: make(chan int, 1), body: write}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		_ = write.Close()
	}()
	code := <-w.begun
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Header: w.sent, Body: answer{read, ended}, Request: r}, nil
}

// written takes an answer.
type written struct {
	header, sent http.Header
	begun        chan int // the status, once
	body         *io.PipeWriter
}

func (w *written) Header() http.Header { return w.header }

func (w *written) WriteHeader(code int) {
	if w.sent == nil {
		w.sent = w.header.Clone()
		w.begun <- code
	}
}

func (w *written) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush has nothing to do: what is written is read.
func (w *written) Flush() {}

// answer is a body whose handler ends before it is closed.
type answer struct {
	*io.PipeReader
	ended chan struct{}
}

func (a answer) Close() error {
	err := a.PipeReader.Close()
	<-a.ended
	return err
}
