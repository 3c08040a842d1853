package oci

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// Discreet tells learn each secret that a request shows, before it is sent, and takes the secrets out of what a server
// says of an error, with hide: many show the request again in it. What is longer than a page is cut.
func Discreet(base http.RoundTripper, learn func(secret string), hide func(text string) string) http.RoundTripper {
	return discreet{base, learn, hide}
}

type discreet struct {
	next  http.RoundTripper
	learn func(string)
	hide  func(string) string
}

func (t discreet) RoundTrip(req *http.Request) (*http.Response, error) {
	scheme, secret, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	t.learn(secret)
	if login, err := base64.StdEncoding.DecodeString(secret); err == nil && strings.EqualFold(scheme, "Basic") {
		_, password, _ := strings.Cut(string(login), ":")
		t.learn(password)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode < 400 {
		return resp, err
	}
	resp.Status = t.hide(resp.Status)
	if req.Method == http.MethodHead {
		return resp, nil
	}
	const page = 64 << 10
	text, err := io.ReadAll(io.LimitReader(resp.Body, page))
	if err != nil {
		resp.Body = body{io.MultiReader(strings.NewReader(t.hide(string(text))), failing{err}), resp.Body}
		return resp, nil //nolint:nilerr // whoever reads on meets it
	}
	said := t.hide(string(text))
	resp.ContentLength = int64(len(said))
	resp.Header.Del("Content-Length")
	resp.Body = body{strings.NewReader(said), resp.Body}
	return resp, nil
}
