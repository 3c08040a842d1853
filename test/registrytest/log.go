package registrytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Request is what a client asked for and what it got.
type Request struct {
	// N is the place in the log, from 0.
	N int
	// Method, Path (with its query) and Host are as the client sent them.
	Method, Path, Host string
	// Auth is the scheme of the Authorization header, "Basic" or "Bearer", and nothing of its secret.
	Auth string
	// Client is the address that the request came from: one process may have several.
	Client string
	// Status is 0 while there is no answer, and for ever if the connection was dropped.
	Status int
	Start  time.Time
	// Answered is when the last byte of the answer went out, at the latest: whatever a client asks because of an
	// answer, it asks after this. It is zero while there is no answer.
	Answered time.Time
	// Duration is 0 while the request is in flight. It includes the delays.
	Duration time.Duration
	// RequestBytes and ResponseBytes are those of the bodies, as far as they were read and written.
	RequestBytes, ResponseBytes int64
}

// Requests are all requests since the start or the last Reset, in the order of their arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := make([]Request, len(s.log))
	for i, r := range s.log {
		log[i] = *r
	}
	return log
}

// RequestLog is one line a request: its place, method, path and status.
func (s *Server) RequestLog() string {
	var b strings.Builder
	for _, r := range s.Requests() {
		fmt.Fprintf(&b, "%s\n", r)
	}
	return b.String()
}

// Timeline is the RequestLog with the seconds at which each request came and was answered, and its client's port: one
// can follow a process among many.
func (s *Server) Timeline() string {
	const clock = "05.000"
	var b strings.Builder
	for _, r := range s.Requests() {
		_, port, _ := strings.Cut(r.Client, ":")
		fmt.Fprintf(&b, "%s-%s :%s %s\n", r.Start.Format(clock), r.Answered.Format(clock), port, r)
	}
	return b.String()
}

func (r Request) String() string { return fmt.Sprintf("%d %s %s %d", r.N, r.Method, r.Path, r.Status) }

// Reset forgets the recorded requests and counts from 0 again. The interceptor stays.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

func (s *Server) begin(r *http.Request) (n int, record *Request, latency time.Duration, intercept Interceptor) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	record = &Request{
		N: len(s.log), Method: r.Method, Path: r.URL.RequestURI(), Host: r.Host, Client: r.RemoteAddr, Auth: scheme, Start: time.Now(),
	}
	s.log = append(s.log, record)
	return record.N, record, s.latency, s.intercept
}

// end completes a record. A handler that returned without a word has said 200; one that did not return, nothing.
func (s *Server) end(record *Request, returned bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if returned && record.Status == 0 {
		record.Status, record.Answered = http.StatusOK, time.Now()
	}
	record.Duration = time.Since(record.Start)
}

// recordedBody counts what is read of a request.
type recordedBody struct {
	io.ReadCloser
	server *Server
	record *Request
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	b.record.RequestBytes += int64(n)
	return n, err
}

// recordedAnswer records an answer before it is sent: a client that has it finds it in the log.
type recordedAnswer struct {
	http.ResponseWriter
	server *Server
	record *Request
}

func (a *recordedAnswer) WriteHeader(status int) {
	if status >= 200 {
		a.add(status, 0)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *recordedAnswer) Write(p []byte) (int, error) {
	a.add(http.StatusOK, len(p))
	return a.ResponseWriter.Write(p)
}

// add records the status, if it is the first, and n more bytes.
func (a *recordedAnswer) add(status, n int) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	if a.record.Status == 0 {
		a.record.Status = status
	}
	a.record.Answered = time.Now()
	a.record.ResponseBytes += int64(n)
}

// Unwrap lets http.ResponseController flush.
func (a *recordedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
