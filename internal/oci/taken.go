package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// late is how long a registry that has accepted a write may take until it shows it. The waits add up to about 6 s.
var late = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond,
	800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond, 0,
}

// taken is the error of a write that was answered with err. A success in another code than the 201 of the specification, which
// oras-go refuses (docs/facts.md 30), is one as soon as the registry shows what was written. Shows gives in words
// what it has instead; nothing where it has that.
func (r *Registry) taken(ctx context.Context, err error, shows func(context.Context) (instead string, err error)) error {
	status, ok := otherSuccess(err)
	if !ok {
		return err
	}
	ctx = context.WithValue(ctx, singleKey{}, nil) // which is for the write
	var instead string
	for _, wait := range late {
		if instead, err = shows(ctx); err != nil || instead == "" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	return &Error{
		Status: status,
		text:   fmt.Sprintf("%d %s, but %s", status, http.StatusText(status), instead),
		hint:   "the registry did not do what it accepted, or shows it late; run again in a minute, nothing has to be undone",
	}
}

// otherSuccess is the status of a PUT that the registry took.
func otherSuccess(err error) (status int, ok bool) {
	var resp *errcode.ErrorResponse
	if !errors.As(err, &resp) || resp.Method != http.MethodPut {
		return 0, false
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return resp.StatusCode, true
	}
	return 0, false
}

// names asks what reference names, for a write of d.
func (r *Registry) names(reference string, d digest.Digest) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		named, err := r.Resolve(ctx, reference)
		switch {
		case errors.Is(err, errdef.ErrNotFound):
			return reference + " names nothing", nil
		case err == nil && named.Digest != d:
			return fmt.Sprintf("%s names %s, and not %s", reference, named.Digest, d), nil
		}
		return "", err
	}
}

// has asks whether content is there that was written by its digest.
func (r *Registry) has(target ocispec.Descriptor) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		there, err := r.Exists(ctx, target)
		if err == nil && !there {
			return target.Digest.String() + " is not there", nil
		}
		return "", err
	}
}
