package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"oras.land/oras-go/v2/registry/remote/errcode"
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
// its text even when it is not JSON, and a web page is no manifest.
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
	case strings.Contains(req.URL.Path, "/manifests/") && isHTML(resp, peek(resp)):
		answer(resp, http.StatusBadGateway, notAnAnswer, webPage)
	}
	return resp, nil
}

// What the answers that are rewritten say.
const (
	notAnAnswer = "NOT_A_REGISTRY"
	webPage     = "the answer is a web page, not a registry's"
	tooMany     = "TOOMANYREQUESTS" // of the distribution spec
)

// keepText rewrites an error that is not in the distribution spec's form, and gives a 403 that is a limit its code.
func keepText(resp *http.Response) {
	text := peek(resp)
	var spec struct {
		Errors errcode.Errors `json:"errors"`
	}
	var token struct {
		Details string `json:"details"`
		Message string `json:"message"`
	}
	said := json.Unmarshal(text, &spec) == nil && len(spec.Errors) > 0
	code, message := "", string(text)
	if resp.StatusCode == http.StatusForbidden && limited(resp) {
		code = tooMany
	}
	switch {
	case code == "" && len(text) == 0, said && (code == "" || code == spec.Errors[0].Code):
		return // the status says it all, or it is in that form
	case said:
		message = inWords(spec.Errors)
	case json.Unmarshal(text, &token) == nil && token.Details+token.Message != "":
		message = token.Details + token.Message
	case isHTML(resp, text):
		message = webPage
	}
	answer(resp, resp.StatusCode, code, message)
}

func isHTML(resp *http.Response, text []byte) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(text), []byte("<"))
}

func answer(resp *http.Response, status int, code, message string) {
	blob, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"code": code, "message": clip(message)}}}) //nolint:errchkjson // strings only
	resp.StatusCode, resp.ContentLength = status, int64(len(blob))
	resp.Header.Del("Content-Length")
	resp.Header.Set("Content-Type", "application/json")
	resp.Body = body{bytes.NewReader(blob), resp.Body}
}

// clip is the beginning of what somebody said.
func clip(text string) string {
	const limit = 400
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return strings.ToValidUTF8(strings.TrimSpace(text), string(utf8.RuneError))
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
