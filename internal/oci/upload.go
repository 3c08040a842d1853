package oci

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// Upload begins the upload of a blob at once, unless the registry has it. content is asked for when the registry is
// ready for it, once at most, and may wait for what its caller has yet to decide; it is closed. Where it refuses, nothing
// is sent, and its error is returned as it is.
//
// The first request asks the registry to mount the blob from this same repository: that asks whether the blob is there,
// and begins its upload where it is not. A registry that does not want to hear of mounts is asked as by Push.
func (r *Registry) Upload(ctx context.Context, desc ocispec.Descriptor, content func() (io.ReadSeekCloser, error)) error {
	if r.o.ReadOnly {
		return errReadOnly
	}
	c := &awaited{ask: content}
	defer c.close()
	begun := new(session)
	err := r.Mount(context.WithValue(ctx, sessionKey{}, begun), desc, r.ref.Repository, func() (io.ReadCloser, error) {
		return c.body(ctx)
	})
	if c.refused == nil && refusesMounts(err) {
		err = r.pushAwaited(ctx, desc, c)
	}
	switch {
	case c.refused != nil:
		r.abandon(ctx, begun)
		if ctx.Err() != nil && errors.Is(c.refused, ctx.Err()) {
			return r.explain(writing, c.refused)
		}
		return c.refused
	case c.again == nil: // the registry had the blob, or an answer that ended it all
		return r.explain(writing, err)
	}
	return r.mend(ctx, desc, c.again, err)
}

func (r *Registry) pushAwaited(ctx context.Context, desc ocispec.Descriptor, c *awaited) error {
	body, err := c.body(ctx)
	if err != nil {
		return err
	}
	return r.Repository.Push(ctx, desc, body)
}

// refusesMounts reports whether the registry understood the beginning of an upload that may also be a mount, and does
// not want it. The specification has it begin the upload instead.
func refusesMounts(err error) bool {
	var resp *errcode.ErrorResponse
	if !errors.As(err, &resp) || resp.Method != http.MethodPost || !strings.HasSuffix(resp.URL.Path, "/blobs/uploads/") {
		return false
	}
	return resp.StatusCode == http.StatusNotImplemented || (&Error{Status: resp.StatusCode}).Refused()
}

// awaited is content that its owner gives when it is ready to.
type awaited struct {
	ask     func() (io.ReadSeekCloser, error)
	content io.Closer
	again   *replay
	refused error // why there is no content
}

// body asks for the content, until ctx ends. One that comes later is closed.
func (c *awaited) body(ctx context.Context) (io.ReadCloser, error) {
	content, err := await(ctx, c.ask)
	if err != nil {
		c.refused = err
		return nil, err
	}
	c.content, c.again = content, &replay{content: content}
	return c.again.body()
}

func (c *awaited) close() {
	if c.again != nil {
		c.again.end()
		_ = c.content.Close() // it was only read
	}
}

// await is what ask gives, or why ctx ended before that.
func await(ctx context.Context, ask func() (io.ReadSeekCloser, error)) (io.ReadSeekCloser, error) {
	type answer struct {
		content io.ReadSeekCloser
		err     error
	}
	answers := make(chan answer)
	go func() {
		content, err := ask()
		select {
		case answers <- answer{content, err}:
		case <-ctx.Done():
			if err == nil {
				_ = content.Close() // nobody has read it
			}
		}
	}()
	select {
	case a := <-answers:
		return a.content, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
