package oci

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"oras.land/oras-go/v2/registry/remote/errcode"
)

// response is an answer with a body, as it arrives.
func response(t *testing.T, status int, contentType, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://registry.test/v2/acme/fleet/tags/list", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := canned{status, contentType, body}.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// Whatever delay a server asks for, no run waits longer than its budget, and the answer is left as it was.
func FuzzDelay(f *testing.F) {
	for _, header := range []string{"", "0", "1", "120", "2147483647", "2147483648", "-1", "1.5", " 3", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "soon"} {
		f.Add(429, header, "", "", "")
	}
	for _, body := range []string{
		`{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 1.16ms, allowed: 44000/minute"}]}`, // docs/facts.md 12
		"retry-after: 9223372036.854775807s", "Retry-After:   2562047h", "retry-after: 1..5ms", "retry-after: 1µs", "retry-after: -1s", strings.Repeat("x", 9000), "You have exceeded a secondary rate limit",
	} {
		f.Add(429, "", "", "", body)
		f.Add(403, "", "", "", body)
	}
	for _, reset := range []string{"0", "-1", "1795680000", "9223372036854775807", "-9223372036854775808", "x"} {
		f.Add(403, "1", "0", reset, "")
		f.Add(503, "", "0", reset, "")
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter, remaining, reset, body string) {
		if status < 200 || status > 599 {
			return
		}
		resp := response(t, status, "", body)
		defer func() { _ = resp.Body.Close() }()
		for name, value := range map[string]string{"Retry-After": retryAfter, "X-Ratelimit-Remaining": remaining, "X-Ratelimit-Reset": reset} {
			resp.Header.Set(name, value)
		}
		if d, ok := askedDelay(resp); d < 0 || d > 0 && !ok {
			t.Errorf("the delay is %s, %t", d, ok)
		}
		const budget = 2 * time.Minute
		r := &Retrier{Budget: budget, used: time.Millisecond}
		p := &policy{retrier: r}
		var waited time.Duration
		for attempt := range 5 {
			wait, err := p.Retry(attempt, resp, nil)
			if err != nil || wait < 0 {
				break
			}
			if p.since = time.Now(); wait > budget {
				t.Fatalf("attempt %d waits %s", attempt, wait)
			}
			waited += wait
		}
		if waited > budget || r.used < waited || r.used > budget {
			t.Errorf("waited %s, and %s of %s are used", waited, r.used, budget)
		}
		if left, err := io.ReadAll(resp.Body); err != nil || string(left) != body {
			t.Errorf("of the body %q is left, %v", left, err)
		}
	})
}

// An error of a registry becomes one that oras-go reads, with the registry's words, or stays as it was; doing it
// twice changes nothing. What a person gets is bounded.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		"", "{", "[]", "null", "<html>nginx</html>", "  <!doctype html>", "upstream connect error", `{"errors":[]}`, `{"errors":null,"message":"x"}`,
		`{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}`, `{"errors":["x"]}`, `{"errors":[{"code":1}]}`, `{"ERRORS":[{"Code":"denied","MESSAGE":"x"}]}`,
		`{"details":"incorrect username or password"}`, `{"message":"rate limited","documentation_url":"https://docs.github.com"}`,
		"\xff\xfe", strings.Repeat("é", 300), `{"errors":[{"code":"A","message":"` + strings.Repeat("x", 9000) + `"}]}`, `{"errors":[{"detail":[[[1]]]},{"code":"B"}]}`,
	} {
		f.Add(403, "application/json", body)
		f.Add(502, "text/html; charset=utf-8", body)
	}
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 400 || status > 599 {
			return
		}
		resp := response(t, status, contentType, body)
		defer func() { _ = resp.Body.Close() }()
		keepText(resp)
		first, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status {
			t.Fatalf("status %d, %v", resp.StatusCode, err)
		}
		var said struct {
			Errors []json.RawMessage `json:"errors"`
		}
		changed := string(first) != body
		switch err := json.Unmarshal(first, &said); {
		case changed && (err != nil || len(said.Errors) != 1 || len(first) > 6*450 || !utf8.Valid(first) || resp.ContentLength != int64(len(first))):
			t.Errorf("%q becomes %q: %v", body, first, err)
		case !changed && body != "" && (err != nil || len(said.Errors) == 0):
			t.Errorf("%q is left as it was, and oras-go would lose its words: %v", body, err)
		}
		again := response(t, status, resp.Header.Get("Content-Type"), string(first))
		defer func() { _ = again.Body.Close() }()
		keepText(again)
		if second, err := io.ReadAll(again.Body); err != nil || !bytes.Equal(second, first) {
			t.Errorf("%q becomes %q the second time: %v", first, second, err)
		}
		e := &errcode.ErrorResponse{Method: http.MethodGet, URL: resp.Request.URL, StatusCode: status}
		_ = json.Unmarshal(first, e)
		if text := responseText(e); len(text) > 8192+100 {
			t.Errorf("an error of %d bytes", len(text))
		}
	})
}
