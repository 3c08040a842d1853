package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// The bounds of a tag list.
const (
	tagPage      = 1000 // tags to ask for at once; GHCR gives 100 unless asked for more (docs/facts.md 11)
	maxTagPages  = 2000
	maxTags      = 1_000_000
	maxTagBytes  = 16 << 20 // of all names together
	maxListBytes = 1 << 30  // of all pages together, with what stands beside the tags
	maxRepeats   = 10       // pages in a row that bring nothing new
)

// page is one page of a tag list.
type page struct {
	tags    []string
	next    string // the query of the page that its Link leads to, which may be empty
	linked  bool   // there is such a Link
	unclear bool   // there is one that does not say where it leads
	asked   int    // how many tags it was asked for; 0 for any number
}

// list gives the tags to fn page by page, each tag once. It follows the Links, which are optional: a page without one that
// may be cut costs a request for what comes after its last tag, and an answer that has nothing new is the end.
func (r *Registry) list(ctx context.Context, l *tagList, last string, fn func(tags []string) error) error {
	query, guessed := r.query(last), false
	for {
		p, err := r.readPage(ctx, l, query)
		if err != nil {
			return err
		}
		fresh, err := l.add(p)
		if err != nil {
			return err
		}
		if guessed && len(fresh) == 0 {
			return nil
		}
		if err := fn(fresh); err != nil {
			return err
		}
		switch {
		case p.linked:
			query, guessed = p.next, false
		case l.mayBeCut(p):
			query, guessed = r.query(p.tags[len(p.tags)-1]), true
		default:
			return nil
		}
		if l.longest = max(l.longest, len(p.tags)); l.pages >= maxTagPages {
			return fmt.Errorf("more than %d pages: %w", maxTagPages, errdef.ErrTooManyPages)
		}
	}
}

// query asks for the page after a tag; "" for the first.
func (r *Registry) query(last string) string {
	q := url.Values{}
	if n := r.page.Load(); n > 0 {
		q.Set("n", strconv.FormatInt(n, 10))
	}
	if last != "" {
		q.Set("last", last)
	}
	return q.Encode()
}

// readPage asks for a page and reads it.
func (r *Registry) readPage(ctx context.Context, l *tagList, query string) (p page, err error) {
	resp, asked, err := r.ask(ctx, query)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if p.tags, err = readTags(resp.Body, &l.left); err != nil {
		return page{}, err
	}
	if q, err := url.ParseQuery(asked.RawQuery); err == nil {
		p.asked, _ = strconv.Atoi(q.Get("n"))
	}
	return p, p.follow(asked, resp)
}

// ask sends for a page. A registry that does not give so many tags at once is asked for as many as it says, or else for as
// many as it likes, for the rest of the run.
func (r *Registry) ask(ctx context.Context, query string) (*http.Response, *url.URL, error) {
	asked := r.listURL(query)
	resp, err := r.get(ctx, asked)
	for n := r.page.Load(); n > 0 && tooMany(err); {
		q := asked.Query()
		if q.Get("n") != strconv.FormatInt(n, 10) {
			break // it was not our wish
		}
		if n = fewer(err, n); n > 0 {
			q.Set("n", strconv.FormatInt(n, 10))
		} else {
			q.Del("n")
		}
		asked = r.listURL(q.Encode())
		if resp, err = r.get(ctx, asked); err == nil {
			r.page.Store(n)
		}
	}
	return resp, asked, err
}

func (r *Registry) listURL(query string) *url.URL {
	scheme := "https"
	if r.PlainHTTP {
		scheme = "http"
	}
	return &url.URL{Scheme: scheme, Host: r.Reference.Host(), Path: "/v2/" + r.Reference.Repository + "/tags/list", RawQuery: query}
}

// get is the answer to a GET, or what the registry says in place of one.
func (r *Registry) get(ctx context.Context, u *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.Client.Do(req)
	if err != nil || resp.StatusCode == http.StatusOK {
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

// tooMany reports whether a registry may have refused a page for its size: 400 by the specification, 413 by quay.io
// (docs/facts.md 28). Codes and words differ, and to ask once more does no harm.
func tooMany(err error) bool {
	var refused *errcode.ErrorResponse
	if !errors.As(err, &refused) || errors.As(err, new(tokenError)) {
		return false
	}
	return refused.StatusCode == http.StatusBadRequest || refused.StatusCode == http.StatusRequestEntityTooLarge
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

// tagList watches over the pages of a list: its Links may lead on for ever.
type tagList struct {
	seen    map[string]bool // tags
	had     map[uint64]bool // pages
	seed    maphash.Seed
	bytes   int   // of all names
	left    int64 // bytes that may still be read
	pages   int
	longest int // page that another one came after
	repeats int // pages in a row that were there before
}

func newTagList() *tagList {
	return &tagList{seen: map[string]bool{}, had: map[uint64]bool{}, seed: maphash.MakeSeed(), left: maxListBytes}
}

// add gives those tags of a page that are new, or says why the list is not worth reading on.
func (l *tagList) add(p page) (fresh []string, err error) {
	var h maphash.Hash
	h.SetSeed(l.seed)
	for _, tag := range p.tags {
		_, _ = h.WriteString(tag + " ") // never fails; no tag has a space
		if !l.seen[tag] {
			l.seen[tag] = true
			l.bytes += len(tag)
			fresh = append(fresh, tag)
		}
	}
	l.pages++
	l.repeats++
	if page := h.Sum64(); len(p.tags) > 0 && !l.had[page] {
		l.had[page], l.repeats = true, 0
	}
	if l.repeats >= maxRepeats {
		return nil, fmt.Errorf("%d pages in a row brought nothing new: %w", l.repeats, errdef.ErrTooManyPages)
	}
	return fresh, tooLong(len(l.seen), l.bytes)
}

// tooLong says why so many tags are too many.
func tooLong(tags, bytes int) error {
	switch {
	case tags > maxTags:
		return fmt.Errorf("more than %d tags: %w", maxTags, errdef.ErrSizeExceedsLimit)
	case bytes > maxTagBytes:
		return fmt.Errorf("tags of more than %d MiB: %w", maxTagBytes>>20, errdef.ErrSizeExceedsLimit)
	}
	return nil
}

// mayBeCut reports whether more may come after a page without a Link: it has as many tags as were asked for, or as an
// earlier page that was not the last, or a round number that may be the registry's own limit.
func (l *tagList) mayBeCut(p page) bool {
	n := len(p.tags)
	return n > 0 && (n == p.asked || n == l.longest || round(n) || p.unclear)
}

// round reports whether n is a limit as people set them: 50, 100, 200, 250, 500, 1,000 and so on.
func round(n int) bool {
	if n < 50 {
		return false
	}
	for n%10 == 0 {
		n /= 10
	}
	return n == 1 || n == 2 || n == 25 || n == 5
}
