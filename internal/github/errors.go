package github

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v60/github"
)

// Error is what GitHub answered, with what to do about it.
type Error struct {
	text, hint string
	err        error
}

func (e *Error) Error() string { return e.text }

// Hint is what to do about it; may be empty.
func (e *Error) Hint() string { return e.hint }

// Unwrap gives the error of go-github.
func (e *Error) Unwrap() error { return e.err }

func explain(err error) error {
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
		e := &Error{text: fmt.Sprintf("%d %s", resp.Response.StatusCode, resp.Message), err: err}
		switch resp.Response.StatusCode {
		case http.StatusUnauthorized:
			e.hint = "the token is not valid; leave the input token at its default, or give one that has not expired"
		case http.StatusTooManyRequests:
			e.hint = "GitHub asks for a pause; run the job again in a few minutes"
		case http.StatusForbidden, http.StatusNotFound:
			e.hint = "the token may not read this repository; the job needs `permissions: contents: read`"
		}
		return e
	case errors.As(err, &u):
		return &Error{text: u.Err.Error(), err: err}
	}
	return err
}
