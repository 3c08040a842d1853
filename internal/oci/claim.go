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
// delay that a throttled registry asks for, would overwrite a tag that somebody took
// meanwhile.
func (r *Registry) Claim(ctx context.Context, expected ocispec.Descriptor, manifest []byte, tag string, free bool) (digest.Digest, error) {
	for attempt := 0; ; attempt++ {
		if !free || attempt > 0 {
			named, err := r.Resolve(ctx, tag)
			if !errors.Is(err, errdef.ErrNotFound) {
				return named.Digest, err
			}
		}
		once := &single{attempt: attempt, wait: -1}
		err := r.PushReference(context.WithValue(ctx, singleKey{}, once), expected, bytes.NewReader(manifest), tag)
		if err == nil || once.wait < 0 {
			return expected.Digest, err
		}
		select {
		case <-ctx.Done():
			return "", r.explain(writing, ctx.Err())
		case <-time.After(once.wait):
		}
	}
}

// single asks the transport to send a request once, and to say after what wait it would
// have been sent again; negative for not at all.
type single struct {
	attempt int
	wait    time.Duration
}

type singleKey struct{}

// roundTrip sends req once, as once asks.
func (r *Retrier) roundTrip(base http.RoundTripper, req *http.Request, once *single) (*http.Response, error) {
	p := policy{retrier: r}
	if once.attempt > 0 {
		p.since = time.Now()
	}
	resp, err := base.RoundTrip(req)
	wait, _ := p.Retry(once.attempt, resp, err) // ours has no error
	once.wait = wait
	return resp, err
}
