package main

import (
	"context"
	"errors"
	"time"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/prune"
)

// manifests deletes by the registry's own API, or from a layout. Neither tells when a manifest was written, nor lets a
// deletion hang on its tags.
type manifests struct{ storage }

// Written tells nothing.
func (manifests) Written(context.Context) (map[digest.Digest]time.Time, error) { return nil, nil }

// Delete deletes a manifest with all its tags.
func (m manifests) Delete(ctx context.Context, d digest.Digest, _ []string) (gone bool, err error) {
	err = m.storage.Delete(ctx, d)
	if errors.Is(err, errdef.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// stays is why a manifest is kept: a prune.ErrChanged with words of its own.
type stays string

func (s stays) Error() string        { return string(s) }
func (s stays) Is(target error) bool { return target == prune.ErrChanged }
