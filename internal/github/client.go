package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
)

// client sends requests to what lies below one path of GitHub's API.
type client struct {
	api  *github.Client
	base string // the path, escaped, without slashes around it

	pause   time.Duration // that writes are apart
	writing sync.Mutex    // held while one is sent, and while it waits for its turn
	wrote   time.Time     // when the last of them was answered
}

// newClient sends nothing yet.
func newClient(o Options, base string) (*client, error) {
	api := github.NewClient(&http.Client{Transport: o.Transport, CheckRedirect: stayHome})
	if o.APIURL != "" && o.APIURL != "https://api.github.com" {
		u, err := url.Parse(strings.TrimSuffix(o.APIURL, "/") + "/")
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("GITHUB_API_URL %q is not a URL", o.APIURL)
		}
		api.BaseURL = u
	}
	api.UserAgent = o.UserAgent
	if o.Token != "" { // GitHub refuses an empty one, and answers who has none
		api = api.WithAuthToken(o.Token)
	}
	return &client{api: api, base: base, pause: cmp.Or(o.Pause, time.Second)}, nil
}

// stayHome follows a redirect (a renamed repository gives 301) on the same host only: go-github adds the token to each
// request, wherever it goes. It follows none that net/http makes another request of: of a DELETE that is answered with a 301
// it makes a GET, and the answer to that would be taken for a deletion (docs/facts.md 41).
func stayHome(req *http.Request, via []*http.Request) error {
	switch first := via[0]; {
	case req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme || len(via) >= 5:
		return errors.New("refusing to follow a redirect to another host with the token")
	case req.Method != first.Method:
		return fmt.Errorf("refusing to follow a redirect that makes a %s of a %s", req.Method, first.Method)
	}
	return nil
}

// get asks for what lies below the base, where go-github's own method does not do.
func (c *client) get(ctx context.Context, what string, q url.Values, v any) (*github.Response, error) {
	if len(q) > 0 {
		what += "?" + q.Encode()
	}
	req, err := c.api.NewRequest(http.MethodGet, c.base+"/"+what, nil)
	if err != nil {
		return nil, err
	}
	return c.api.Do(ctx, req, v)
}

// listPage gives the page of a list that q asks for, and what asks for the next one; nil for no more. GitHub numbers pages
// or gives a cursor, or both (google/go-github#3565); the lists of our go-github cannot send a cursor.
func listPage[T any](ctx context.Context, c *client, what string, q url.Values) (found []T, next url.Values, err error) {
	resp, err := c.get(ctx, what, q, &found)
	switch {
	case err != nil:
		return nil, nil, err
	case found == nil: // go-github takes an empty answer for an empty list
		return nil, nil, errors.New("the answer is no list")
	case resp.NextPage == 0 && resp.After == "":
		return found, nil, nil
	}
	next = maps.Clone(q)
	next.Del("page")
	next.Del("after")
	if resp.NextPage != 0 {
		next.Set("page", strconv.Itoa(resp.NextPage))
	}
	if resp.After != "" {
		next.Set("after", resp.After)
	}
	return found, next, nil
}

// sendOnce sends what must not be done twice: no transport can send it again, for none gets its body twice. Where no answer
// is wanted, GitHub says 204 of what it did; all else says nothing of it, and is an error.
func (c *client) sendOnce(ctx context.Context, method, what string, body, answer any) error {
	req, err := c.api.NewRequest(method, c.base+"/"+what, body)
	if err != nil {
		return err
	}
	req.GetBody = nil
	resp, err := c.api.Do(ctx, req, answer)
	if err == nil && answer == nil && resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the answer is %s, where 204 No Content was expected", resp.Status)
	}
	return err
}

// write sends what changes something once, a second after the last: GitHub asks for that
// (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
func (c *client) write(ctx context.Context, method, what string, body, answer any) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := sleep(ctx, c.pause-time.Since(c.wrote)); err != nil {
		return err
	}
	defer func() { c.wrote = time.Now() }()
	return c.sendOnce(ctx, method, what, body, answer)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
