package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// What is known of a registry's referrers API.
const (
	referrersUnknown = iota
	referrersTold
	referrersAbsent
)

// The bounds of one manifest's referrers.
const (
	maxReferrerPages = 100
	maxReferrers     = 10_000
)

// errNoReferrers is an answer of a registry that has no such API.
var errNoReferrers = errors.New("the registry has no referrers API")

// Referrers are the manifests that name d as their subject, by the registry's referrers API; each once. ok is false where it has
// no such API: it answers 404, 405 or 501, or with what is no index. That is believed of its first answer, for the rest of the
// run. ghcr.io has none and answers in its own way, so that it is not asked (docs/facts.md 31).
func (r *Registry) Referrers(ctx context.Context, d digest.Digest) (all []ocispec.Descriptor, ok bool, err error) {
	if err := d.Validate(); err != nil {
		return nil, false, fmt.Errorf("asking for referrers of %q: %w", d, err)
	}
	if r.ref.Host == GHCR || r.referrers.Load() == referrersAbsent {
		return nil, false, nil
	}
	all, err = r.listReferrers(ctx, d)
	if errors.Is(err, errNoReferrers) {
		r.referrers.CompareAndSwap(referrersUnknown, referrersAbsent)
	}
	switch {
	case err == nil:
		return all, true, nil
	case errors.Is(err, errNoReferrers) && r.referrers.Load() == referrersAbsent: // or it told of others before
		return nil, false, nil
	}
	return nil, false, r.explain(reading, err)
}

// listReferrers reads all pages.
func (r *Registry) listReferrers(ctx context.Context, d digest.Digest) (all []ocispec.Descriptor, err error) {
	seen := map[digest.Digest]bool{}
	asked := r.address("/referrers/" + d.String())
	for range maxReferrerPages {
		found, next, err := r.readReferrers(ctx, asked)
		if err != nil {
			return nil, err
		}
		r.referrers.Store(referrersTold)
		for _, desc := range found {
			if !seen[desc.Digest] {
				seen[desc.Digest] = true
				all = append(all, desc)
			}
		}
		if len(all) > maxReferrers {
			return nil, fmt.Errorf("more than %d referrers: %w", maxReferrers, errdef.ErrSizeExceedsLimit)
		}
		if !next.linked {
			return all, nil
		}
		asked.RawQuery = next.next
	}
	return nil, fmt.Errorf("more than %d pages of referrers: %w", maxReferrerPages, errdef.ErrTooManyPages)
}

// readReferrers asks for one page, and reads what it has and where it leads.
func (r *Registry) readReferrers(ctx context.Context, asked *url.URL) (found []ocispec.Descriptor, next page, err error) {
	resp, err := r.get(ctx, asked)
	if err != nil {
		return nil, page{}, r.withoutReferrers(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPageBytes+1))
	if err != nil {
		return nil, page{}, fmt.Errorf("reading referrers: %w", err)
	}
	if len(text) > maxPageBytes {
		return nil, page{}, fmt.Errorf("a page of referrers of more than %d MiB: %w", maxPageBytes>>20, errdef.ErrSizeExceedsLimit)
	}
	if found, err = parseReferrers(resp.Header.Get("Content-Type"), text); err != nil {
		return nil, page{}, err
	}
	return found, next, next.follow(asked, resp)
}

// withoutReferrers is errNoReferrers where err is how a registry answers that has no such API, and has not shown one before.
func (r *Registry) withoutReferrers(err error) error {
	var refused *errcode.ErrorResponse
	if r.referrers.Load() == referrersTold || !errors.As(err, &refused) || errors.As(err, new(tokenError)) {
		return err
	}
	switch refused.StatusCode {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return errNoReferrers
	}
	return err
}

// parseReferrers reads an index. What says that it is something else is errNoReferrers; what says that it is one and cannot
// be read, or has what is no descriptor, is an error.
func parseReferrers(contentType string, text []byte) ([]ocispec.Descriptor, error) {
	var index struct {
		MediaType string          `json:"mediaType"`
		Manifests json.RawMessage `json:"manifests"` // null for none, of registries in Go
	}
	var found []ocispec.Descriptor
	err := json.Unmarshal(text, &index)
	given, _, _ := mime.ParseMediaType(contentType)
	switch {
	case given != ocispec.MediaTypeImageIndex && index.MediaType != ocispec.MediaTypeImageIndex:
		return nil, errNoReferrers
	case err != nil || json.Unmarshal(index.Manifests, &found) != nil:
		return nil, &Error{Status: http.StatusOK, text: "200, but the answer is no index of referrers", hint: notARegistry}
	}
	for _, desc := range found {
		if desc.Digest.Validate() != nil || desc.Size < 0 || desc.MediaType == "" {
			return nil, &Error{Status: http.StatusOK, text: fmt.Sprintf("200, but a referrer of it is %q, of %d bytes and type %q", clip(desc.Digest.String()), desc.Size, clip(desc.MediaType)), hint: notARegistry}
		}
	}
	return found, nil
}
