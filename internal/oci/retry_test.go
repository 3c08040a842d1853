package oci

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// reply is an answer with one header, "Name: value".
type reply struct {
	status       int
	header, body string
}

func (r reply) response() *http.Response {
	h := http.Header{}
	if name, value, ok := strings.Cut(r.header, ": "); ok {
		h.Set(name, value)
	}
	return &http.Response{StatusCode: r.status, Header: h, Body: io.NopCloser(strings.NewReader(r.body))}
}

func TestAskedDelay(t *testing.T) {
	soon := time.Now().Add(5 * time.Second).UTC().Format(http.TimeFormat)
	past := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct {
		reply     reply
		low, high time.Duration
		ok        bool
	}{
		"seconds":          {reply{429, "Retry-After: 7", ""}, 7 * time.Second, 7 * time.Second, true},
		"date":             {reply{503, "Retry-After: " + soon, ""}, 3 * time.Second, 5 * time.Second, true},
		"date in the past": {reply{503, "Retry-After: " + past, ""}, 0, 0, true},
		"GHCR's body": {reply{429, "", `{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 1.16ms, allowed: 44000/minute"}]}`},
			1160 * time.Microsecond, 1160 * time.Microsecond, true},
		"GHCR's body in seconds": {reply{429, "", "retry-after: 2s"}, 2 * time.Second, 2 * time.Second, true},
		"none":                   {reply{503, "", "busy"}, 0, 0, false},
		"nonsense":               {reply{429, "Retry-After: soon", "retry-after: x"}, 0, 0, false},
		"negative":               {reply{429, "Retry-After: -5", ""}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			resp := c.reply.response()
			defer resp.Body.Close()
			got, ok := askedDelay(resp)
			if ok != c.ok || got < c.low || got > c.high {
				t.Errorf("%v, %v, want %v to %v, %v", got, ok, c.low, c.high, c.ok)
			}
			if body, err := io.ReadAll(resp.Body); string(body) != c.reply.body || err != nil {
				t.Errorf("the body is %q afterwards, %v", body, err)
			}
		})
	}
	if _, ok := askedDelay(nil); ok {
		t.Error("a delay without an answer")
	}
}

// flaky answers the first requests with a fault and echoes the body of the next.
func flaky(t *testing.T, faults int32, fault http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) <= faults {
			fault(w, r)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	t.Cleanup(s.Close)
	return s, &n
}

func dropConnection(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

func status(code int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// TestRetries sends a body from a file, which net/http alone cannot send twice.
func TestRetries(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{
		"429 with a delay":   status(429, "Retry-After: 0", ""),
		"GHCR's 429":         status(429, "", "retry-after: 1.16ms, allowed: 44000/minute"),
		"500":                status(500, "", ""),
		"502":                status(502, "", "<html>"),
		"503":                status(503, "", ""),
		"504":                status(504, "", ""),
		"secondary limit":    status(403, "", "You have exceeded a secondary rate limit"),
		"dropped connection": dropConnection,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, n := flaky(t, 2, fault)
			var told atomic.Int32
			r := &Retrier{Budget: time.Minute, Notify: func(string) { told.Add(1) }}
			file := filepath.Join(t.TempDir(), "layer")
			if err := os.WriteFile(file, []byte("a layer"), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			content, err := (&replay{content: f}).body()
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL, content)
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = int64(len("a layer"))
			resp, err := (&http.Client{Transport: r.Transport(NewTransport())}).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); string(got) != "a layer" || err != nil {
				t.Errorf("status %d, body %q, %v", resp.StatusCode, got, err)
			}
			if n.Load() != 3 || told.Load() != 2 {
				t.Errorf("%d requests, told %d times, want 3 and 2", n.Load(), told.Load())
			}
		})
	}
}

// TestNoRetries leaves alone what does not pass, or what there is no time for.
func TestNoRetries(t *testing.T) {
	for name, c := range map[string]struct {
		budget time.Duration
		fault  http.HandlerFunc
	}{
		"403":                     {time.Minute, status(403, "", "denied")},
		"404":                     {time.Minute, status(404, "", "")},
		"501":                     {time.Minute, status(501, "", "")},
		"no budget":               {0, status(503, "", "")},
		"a delay beyond the rest": {time.Second, status(429, "Retry-After: 3600", "")},
	} {
		t.Run(name, func(t *testing.T) {
			s, n := flaky(t, 100, c.fault)
			get(t, &Retrier{Budget: c.budget}, s.URL)
			if n.Load() != 1 {
				t.Errorf("%d requests, want 1", n.Load())
			}
		})
	}
}

// A body that cannot be had again is sent once, whatever comes back: what must not be done twice is sent so. Nobody is told
// of a retry.
func TestBodyOfOneUse(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{
		"503": status(503, "Retry-After: 0", ""), "secondary limit": status(403, "", "You have exceeded a secondary rate limit"), "dropped connection": dropConnection,
	} {
		t.Run(name, func(t *testing.T) {
			s, n := flaky(t, 100, fault)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader("once"))
			if err != nil {
				t.Fatal(err)
			}
			req.GetBody = nil
			r := &Retrier{Budget: time.Minute, Notify: func(said string) { t.Errorf("it says %q", said) }}
			resp, err := (&http.Client{Transport: r.Transport(NewTransport())}).Do(req)
			if err == nil {
				defer resp.Body.Close()
			}
			if (err == nil) != (name != "dropped connection") || n.Load() != 1 || r.used != 0 {
				t.Errorf("%d requests, %v, and %v of the budget used", n.Load(), err, r.used)
			}
		})
	}
}

func TestBudgetIsShared(t *testing.T) {
	r := &Retrier{Budget: time.Second}
	if !r.charge(600*time.Millisecond) || r.charge(600*time.Millisecond) || !r.charge(400*time.Millisecond) {
		t.Error("the budget is not one second for all together")
	}
}

func TestPermanentErrors(t *testing.T) {
	for err, want := range map[error]bool{
		&net.DNSError{IsNotFound: true}:    true,
		&net.DNSError{IsTemporary: true}:   false,
		http.ErrSchemeMismatch:             true,
		io.ErrUnexpectedEOF:                false,
		errors.New("connection reset"):     false,
		os.ErrDeadlineExceeded:             false,
		&net.OpError{Err: io.EOF, Op: "x"}: false,
	} {
		if got := permanent(err); got != want {
			t.Errorf("permanent(%v) = %v", err, got)
		}
	}
}

// get sends one request through a Retrier and reads the answer.
func get(t *testing.T, r *Retrier, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: r.Transport(NewTransport())}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
