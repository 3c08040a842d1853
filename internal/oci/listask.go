package oci

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"oras.land/oras-go/v2/registry/remote/errcode"
)

// firstPage is the page after a tag; "" for the first of all. A registry that does not give so many tags at once is asked
// for as many as it says, or else for as many as it likes, for the rest of the run.
func (r *Registry) firstPage(ctx context.Context, l *tagList, last string) (page, error) {
	n := r.page.Load()
	p, err := r.readPage(ctx, l, pageAfter(last, n))
	for n > 0 && notTaken(err) {
		n = fewer(err, n)
		if p, err = r.readPage(ctx, l, pageAfter(last, n)); err == nil {
			r.page.Store(n)
		}
	}
	return p, err
}

// pageAfter is the query for n tags after one; 0 for any number.
func pageAfter(last string, n int64) string {
	q := url.Values{}
	if n > 0 {
		q.Set("n", strconv.FormatInt(n, 10))
	}
	if last != "" {
		q.Set("last", last)
	}
	return q.Encode()
}

// readPage asks for a page and reads it.
func (r *Registry) readPage(ctx context.Context, l *tagList, query string) (p page, err error) {
	asked := r.address("/tags/list")
	asked.RawQuery = query
	resp, err := r.get(ctx, asked)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if p.tags, err = readTags(resp.Body, &l.left); err != nil {
		return page{}, err
	}
	p.asked, _ = strconv.Atoi(asked.Query().Get("n")) // 0 for none
	return p, p.follow(asked, resp)
}

// address is that of something in the repository, by its path below that.
func (r *Registry) address(path string) *url.URL {
	scheme := "https"
	if r.PlainHTTP {
		scheme = "http"
	}
	return &url.URL{Scheme: scheme, Host: r.Reference.Host(), Path: "/v2/" + r.Reference.Repository + path}
}

// get is the answer to a GET, or what the registry says in place of one.
func (r *Registry) get(ctx context.Context, u *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	return r.ask(req, http.StatusOK)
}

// ask is the answer to a request, if it has one of these codes, or what the registry says in place of one.
func (r *Registry) ask(req *http.Request, codes ...int) (*http.Response, error) {
	resp, err := r.Client.Do(req)
	if err != nil || slices.Contains(codes, resp.StatusCode) {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	const longest = 64 << 10
	var said struct {
		Errors errcode.Errors `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, longest)).Decode(&said) != nil {
		said.Errors = nil // the status must do
	}
	return nil, &errcode.ErrorResponse{Method: req.Method, URL: resp.Request.URL, StatusCode: resp.StatusCode, Errors: said.Errors}
}

// notTaken reports whether a registry does not take a query: n is too large for it, or last is not a cursor of its own.
// The specification has 400, ECR answers 405, quay.io 413 (docs/facts.md 28). Codes and words differ, and to ask in another
// way does no harm.
func notTaken(err error) bool {
	var refused *errcode.ErrorResponse
	if !errors.As(err, &refused) || errors.As(err, new(tokenError)) {
		return false
	}
	switch refused.StatusCode {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

var number = regexp.MustCompile(`\d+`)

// fewer is how many tags a registry says that it gives at once, where that is less than n and worth a request; else 0. It
// is believed once: the words may speak of another number.
func fewer(err error, n int64) (most int64) {
	const least = 10
	var refused *errcode.ErrorResponse
	if n != tagPage || !errors.As(err, &refused) {
		return 0
	}
	for _, e := range refused.Errors {
		detail, _ := json.Marshal(e.Detail) //nolint:errchkjson // it was JSON before
		for _, digits := range number.FindAllString(e.Message+" "+string(detail), -1) {
			if said, err := strconv.ParseInt(digits, 10, 64); err == nil && said < n && said >= least {
				most = max(most, said)
			}
		}
	}
	return most
}
