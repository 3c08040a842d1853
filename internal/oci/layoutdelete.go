package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
)

// Delete deletes the manifest d with all its tags, and those of its blobs that nothing else in the layout names. No other manifest
// is deleted, neither its referrers nor its subject or children. What is gone already is errdef.ErrNotFound.
//
// The index is written before anything is removed: where a run is killed, a file may be left that nothing names.
func (l *Layout) Delete(ctx context.Context, d digest.Digest) error {
	if l.readOnly {
		return errReadOnly
	}
	desc, err := l.manifest(ctx, d)
	if err != nil {
		return err
	}
	named, err := content.Successors(ctx, l, desc)
	if err != nil {
		return fmt.Errorf("reading %s: %w", d, err)
	}
	blobs := slices.DeleteFunc(slices.Clone(named), isManifest)
	named = slices.DeleteFunc(named, func(n ocispec.Descriptor) bool { return !isManifest(n) })
	for _, other := range named {
		if err := l.enlist(ctx, other); err != nil {
			return err
		}
	}
	if err := l.untag(ctx, desc); err != nil {
		return err
	}
	if err := l.Store.Delete(ctx, desc); err != nil {
		return err
	}
	return l.sweep(ctx, blobs)
}

// manifest is the descriptor of d. The index need not have it: another manifest may name it, or a run have been killed that
// was about to remove it.
func (l *Layout) manifest(ctx context.Context, d digest.Digest) (ocispec.Descriptor, error) {
	desc, err := l.Resolve(ctx, d.String())
	if err != nil || isManifest(desc) {
		return desc, err
	}
	var says struct {
		MediaType string `json:"mediaType"`
	}
	if desc.Size > maxManifest {
		return desc, fmt.Errorf("%s is no manifest: %w", d, errdef.ErrNotFound)
	}
	blob, err := content.FetchAll(ctx, l, desc)
	if err != nil {
		return desc, fmt.Errorf("reading %s: %w", d, err)
	}
	if json.Unmarshal(blob, &says) != nil || !isManifest(ocispec.Descriptor{MediaType: says.MediaType}) {
		return desc, fmt.Errorf("%s is no manifest: %w", d, errdef.ErrNotFound)
	}
	desc.MediaType = says.MediaType
	return desc, nil
}

// isManifest reports whether a descriptor is one of a manifest, of any kind that may name others.
func isManifest(desc ocispec.Descriptor) bool {
	switch desc.MediaType {
	case ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex,
		"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
		"application/vnd.oci.artifact.manifest.v1+json":
		return true
	}
	return false
}

// enlist puts a manifest into the index that may be found by way of another one alone, so that it stays when that goes.
func (l *Layout) enlist(ctx context.Context, desc ocispec.Descriptor) error {
	known, err := l.Resolve(ctx, desc.Digest.String())
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return nil // it went before
	case err != nil || isManifest(known):
		return err
	}
	return l.Store.Tag(ctx, ocispec.Descriptor{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size}, desc.Digest.String())
}

// untag removes the tags of a manifest that the index has with another type or size: the store forgets those alone that are alike.
func (l *Layout) untag(ctx context.Context, desc ocispec.Descriptor) error {
	var tags []string
	if err := l.Tags(ctx, "", func(page []string) error { tags = append(tags, page...); return nil }); err != nil {
		return err
	}
	for _, tag := range tags {
		named, err := l.Resolve(ctx, tag)
		if err == nil && named.Digest == desc.Digest && !content.Equal(named, desc) {
			err = l.Untag(ctx, tag)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep removes those of some blobs that no manifest names.
func (l *Layout) sweep(ctx context.Context, blobs []ocispec.Descriptor) error {
	for _, blob := range blobs {
		users, err := l.Predecessors(ctx, blob)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			continue
		}
		if err := l.Store.Delete(ctx, blob); err != nil && !errors.Is(err, errdef.ErrNotFound) {
			return err
		}
	}
	return nil
}

// Referrers are the manifests that name d as their subject. Of what is not there, none is known. A layout always knows.
func (l *Layout) Referrers(ctx context.Context, d digest.Digest) (all []ocispec.Descriptor, ok bool, err error) {
	desc, err := l.manifest(ctx, d)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, true, nil
	}
	if err == nil {
		all, err = registry.Referrers(ctx, l.Store, desc, "")
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading referrers of %s: %w", d, err)
	}
	return all, true, nil
}
