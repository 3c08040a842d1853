package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// errNoDelete guards all but the run that may delete against our own mistakes.
var errNoDelete = errors.New("refusing to delete in a run that does not")

// Delete deletes the manifest d with all its tags. It is asked for by digest alone: by tag, some registries delete the tag and
// others the digest (docs/facts.md 29). What is gone already, as after an answer that was lost, is errdef.ErrNotFound.
//
// A few registries accept it and go on listing the tags, or serving them: only a list taken afterwards tells.
func (r *Registry) Delete(ctx context.Context, d digest.Digest) error {
	switch {
	case r.o.ReadOnly:
		return errReadOnly
	case !r.o.Delete:
		return errNoDelete
	}
	if err := d.Validate(); err != nil {
		return fmt.Errorf("deleting %q: %w", d, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, r.address("/manifests/"+d.String()).String(), nil)
	if err != nil {
		return err
	}
	resp, err := r.ask(req, http.StatusOK, http.StatusAccepted, http.StatusNoContent)
	if err != nil {
		return r.kept(ctx, d, err)
	}
	_ = resp.Body.Close() // its code says it all
	if resp.Request.Method != http.MethodDelete {
		return &Error{
			Status: resp.StatusCode,
			text:   "the registry sends a deletion on to " + resp.Request.URL.Host + " in a way that makes it a reading",
			hint:   "give the repository by the address that the registry knows itself by, with its scheme; check what stands in between",
		}
	}
	return nil
}

// kept is the error of a deletion that was answered with err. A 404 that does not say of what may be that of a server which
// knows no deletions, as Amazon ECR's once was (docs/facts.md 36): then the manifest is looked for.
func (r *Registry) kept(ctx context.Context, d digest.Digest, err error) error {
	var resp *errcode.ErrorResponse
	if !errors.As(err, &resp) || resp.StatusCode != http.StatusNotFound || errors.As(err, new(tokenError)) {
		return r.explain(deleting, err)
	}
	gone := fmt.Errorf("%s: %w", d, errdef.ErrNotFound)
	if hasCode(resp, errcode.ErrorCodeManifestUnknown, errcode.ErrorCodeNameUnknown, nameUnknownHarbor) {
		return gone
	}
	_, look := r.Resolve(ctx, d.String())
	switch {
	case errors.Is(look, errdef.ErrNotFound):
		return gone
	case look != nil:
		return look
	}
	return r.explain(deleting, err)
}
