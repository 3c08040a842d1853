package oci

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
)

// Claim names a manifest with a tag if that is free, and gives the digest that the tag
// names in the end: another one when somebody was faster.
//
// It looks again before each attempt to write; before the first one only if the caller has
// not just seen that the tag is free. Sending the write alone again, after the
// delay that a throttled registry asks for, or with a new token, would overwrite a tag that
// somebody took meanwhile.
func (r *Registry) Claim(ctx context.Context, expected ocispec.Descriptor, manifest []byte, tag string, free bool) (digest.Digest, error) {
	renewed := false
	for attempt := 0; ; attempt++ {
		if !free || attempt > 0 {
			named, err := r.Resolve(ctx, tag)
			if !errors.Is(err, errdef.ErrNotFound) {
				return named.Digest, err
			}
		}
		once := &single{attempt: attempt, wait: -1, last: renewed}
		err := r.PushReference(context.WithValue(ctx, singleKey{}, once), expected, bytes.NewReader(manifest), tag)
		if err == nil || once.wait < 0 {
			return expected.Digest, err
		}
		renewed = once.again
		select {
		case <-ctx.Done():
			return "", r.explain(writing, ctx.Err())
		case <-time.After(once.wait):
		}
	}
}

// single asks the transport to send a write once, and to say after what wait it would
// have been sent again; negative for not at all.
type single struct {
	attempt int
	wait    time.Duration
	sent    bool
	again   bool // it came a second time: the first had a token that ran out
	last    bool // it may, because the attempt before had the same, and no token will do
}

type singleKey struct{}

var errLookAgain = errors.New("the token ran out; looking at the tag again before it is written with a new one")

// roundTrip sends req once, as once asks.
func (r *Retrier) roundTrip(base http.RoundTripper, req *http.Request, once *single) (*http.Response, error) {
	if req.Method == http.MethodPut { // not the one for a token
		if once.sent && !once.last {
			once.again, once.wait = true, 0
			return nil, errLookAgain
		}
		once.sent = true
		req = req.Clone(req.Context())
		req.GetBody = nil // with it net/http would send it again by itself over HTTP/2
	}
	p := policy{retrier: r}
	if once.attempt > 0 {
		p.since = time.Now()
	}
	resp, err := base.RoundTrip(req)
	wait, _ := p.Retry(once.attempt, resp, err) // ours has no error
	once.wait = wait
	return resp, err
}
