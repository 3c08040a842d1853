package github

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Error is what GitHub answered, or why it was not asked, with what to do about it.
type Error struct {
	text, hint string
	err        error
}

func (e *Error) Error() string { return e.text }

// Hint is what to do about it; may be empty.
func (e *Error) Hint() string { return e.hint }

// Unwrap gives the error of go-github; nil where GitHub was not asked.
func (e *Error) Unwrap() error { return e.err }

// Refused reports whether GitHub said that this token may not, or that there is no such thing
// for it. A rate limit, a proxy's page and an answer that did not come are neither.
func (e *Error) Refused() bool {
	var resp *github.ErrorResponse
	if !errors.As(e.err, &resp) || resp.Response == nil || resp.Message == "" || paused(resp) {
		return false
	}
	switch resp.Response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}

// What a call needs, in the words of a job's `permissions`.
const (
	readContents     = "contents: read"
	writeContents    = "contents: write"
	readStatuses     = "statuses: read"
	readActions      = "actions: read"
	writeIssues      = "issues: write"
	writeDeployments = "deployments: write"
	writePulls       = "pull-requests: write"
	writePackages    = "packages: write"
)

// explain says what GitHub answered to a call that needs the permission need.
func explain(err error, need string) *Error {
	var (
		resp  *github.ErrorResponse
		limit *github.RateLimitError
		abuse *github.AbuseRateLimitError
		u     *url.Error
	)
	switch {
	case errors.As(err, &limit):
		return &Error{"GitHub's rate limit is used up", "it is free again at " + limit.Rate.Reset.UTC().Format(time.RFC3339), err}
	case errors.As(err, &abuse):
		return &Error{"403 " + abuse.Message, "GitHub asks for a pause; run the job again in a few minutes", err}
	case errors.As(err, &resp) && resp.Response != nil:
		message := cmp.Or(resp.Message, http.StatusText(resp.Response.StatusCode)) // a proxy's page has none
		e := &Error{text: fmt.Sprintf("%d %s%s", resp.Response.StatusCode, message, details(resp)), err: err}
		switch status := resp.Response.StatusCode; {
		case status == http.StatusUnauthorized:
			e.hint = "the token is not valid; in a workflow leave the input token at its default, or give one that has not expired; by hand give one that has not expired"
		case status == http.StatusTooManyRequests || paused(resp):
			e.hint = "GitHub asks for a pause; run the job again in a few minutes"
		case status == http.StatusForbidden || status == http.StatusNotFound:
			what, verb, _ := strings.Cut(need, ": ")
			e.hint = "the token may not " + verb + " the " + strings.ReplaceAll(what, "-", " ") + " of this repository; the job needs `permissions: " + need + "`"
		case status >= http.StatusInternalServerError:
			e.hint = busy
		}
		return e
	case errors.As(err, &u):
		e := &Error{text: u.Err.Error(), err: err}
		if network := net.Error(nil); errors.As(u.Err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			e.hint = unreachable
		}
		return e
	}
	return &Error{err.Error(), notGitHub, err}
}

// What to do where the answer is nothing that a permission mends.
const (
	busy        = "GitHub is busy or broken, and retry-for leaves no time to try again; run the job again later"
	unreachable = "check that GitHub's API is up and reachable from here, and run the job again"
	notGitHub   = "this is not how GitHub answers; check what stands in between"
)

// paused reports whether a 403 is a rate limit that go-github does not know as one.
func paused(resp *github.ErrorResponse) bool {
	return resp.Response.StatusCode == http.StatusForbidden &&
		(resp.Response.Header.Get("Retry-After") != "" || strings.Contains(strings.ToLower(resp.Message), "rate limit"))
}

// limited reports whether GitHub wants to be left alone for a while.
func limited(err error) bool {
	var (
		limit *github.RateLimitError
		abuse *github.AbuseRateLimitError
		resp  *github.ErrorResponse
	)
	return errors.As(err, &limit) || errors.As(err, &abuse) ||
		errors.As(err, &resp) && resp.Response != nil && (resp.Response.StatusCode == http.StatusTooManyRequests || paused(resp))
}

// details are the reasons behind a "422 Validation Failed", which alone says nothing.
func details(resp *github.ErrorResponse) string {
	var all []string
	for _, e := range resp.Errors {
		text := e.Message
		if text == "" {
			text = e.Field + " " + e.Code
		}
		all = append(all, strings.Join(strings.Fields(text), " ")) // a ruleset's has blank lines
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, "; ")
}

// answered is the status with which GitHub refused, or 0 where err is anything else: a
// rate limit too, which says nothing about what was asked.
func answered(err error) int {
	var resp *github.ErrorResponse
	if errors.As(err, &resp) && resp.Response != nil {
		return resp.Response.StatusCode
	}
	return 0
}
