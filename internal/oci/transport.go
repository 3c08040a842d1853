package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// silence is how long a connection may say nothing before it counts as dead.
const silence = 30 * time.Second

// NewTransport is the base of all HTTP of a run: Go's own, but no stalled server can
// hold it for ever.
func NewTransport() *http.Transport { return newTransport(silence) }

func newTransport(silence time.Duration) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return watched{c, silence}, nil
	}
	t.MaxIdleConnsPerHost = 16
	return t
}

// watched fails when neither side has made progress for a while. A write extends the
// read's deadline too, because net/http waits for an early answer during an upload.
type watched struct {
	net.Conn
	silence time.Duration
}

func (c watched) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c watched) Write(b []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// normalizer makes every answer one that oras-go cannot misread: an error keeps
// its text even when it is not JSON; a tag list without "tags" is an error, where oras-go
// reads it as empty, and so is one that it would cut off, or a web page.
type normalizer struct{ next http.RoundTripper }

func (t normalizer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || req.Method == http.MethodHead {
		return resp, err
	}
	switch {
	case resp.StatusCode >= 400:
		keepText(resp)
	case resp.StatusCode != http.StatusOK:
	case strings.HasSuffix(req.URL.Path, "/tags/list"):
		if problem := notTagList(peek(resp)); problem != "" {
			answer(resp, http.StatusBadGateway, notAnAnswer, problem)
		} else if page, _ := beginning(resp, maxPageBytes+1); len(page) > maxPageBytes {
			answer(resp, http.StatusBadGateway, notAnAnswer, fmt.Sprintf("a page of the tag list has more than %d MiB", maxPageBytes>>20))
		}
	case strings.Contains(req.URL.Path, "/manifests/") && isHTML(resp, peek(resp)):
		answer(resp, http.StatusBadGateway, notAnAnswer, webPage)
	}
	return resp, nil
}

// What the answers that are rewritten say.
const (
	notAnAnswer = "NOT_A_REGISTRY"
	webPage     = "the answer is a web page, not a registry's"
)

// keepText rewrites an error that is not in the distribution spec's form.
func keepText(resp *http.Response) {
	text := peek(resp)
	var spec struct {
		Errors []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(text, &spec) == nil && len(spec.Errors) > 0 {
		return
	}
	var token struct {
		Details string `json:"details"`
		Message string `json:"message"`
	}
	message := string(text)
	switch {
	case len(text) == 0:
		return // the status says it all
	case json.Unmarshal(text, &token) == nil && token.Details+token.Message != "":
		message = token.Details + token.Message
	case isHTML(resp, text):
		message = webPage
	}
	answer(resp, resp.StatusCode, "", message)
}

// notTagList says what a tag list lacks. The body may be cut off by peek, so that
// only its beginning is looked at.
func notTagList(start []byte) string {
	dec := json.NewDecoder(bytes.NewReader(start))
	if bytes.HasPrefix(bytes.TrimSpace(start), []byte("<")) {
		return webPage
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return "the answer is no JSON object"
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "the answer is no complete JSON object"
		}
		if key == "tags" {
			return ""
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return "the answer has no tags near its start"
		}
	}
	return `the answer has no "tags"`
}

func isHTML(resp *http.Response, text []byte) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(text), []byte("<"))
}

func answer(resp *http.Response, status int, code, message string) {
	const limit = 400
	if len(message) > limit {
		message = message[:limit] + "…"
	}
	message = strings.ToValidUTF8(strings.TrimSpace(message), string(utf8.RuneError))
	blob, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}}) //nolint:errchkjson // strings only
	resp.StatusCode, resp.ContentLength = status, int64(len(blob))
	resp.Header.Del("Content-Length")
	resp.Header.Set("Content-Type", "application/json")
	resp.Body = body{bytes.NewReader(blob), resp.Body}
}

// peek reads the beginning of a response body and leaves it in place.
func peek(resp *http.Response) []byte {
	start, _ := beginning(resp, 8<<10) // whoever reads on meets the error
	return start
}

// beginning reads limit bytes of the body, or what there is, and leaves the body as it was: after those bytes comes the
// rest, or the error that was met.
func beginning(resp *http.Response, limit int64) ([]byte, error) {
	start, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failing{err}
	}
	resp.Body = body{io.MultiReader(bytes.NewReader(start), rest), resp.Body}
	return start, err
}

type body struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
