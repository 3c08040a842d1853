package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/bundle"
)

// Foreign refuses to take a tag for one of ours that names something else than an artifact in Flux's format
// (docs/facts.md 7): an image, an index, a signature. What `flux push artifact` made is ours; nil for that.
func (s *Store) Foreign(tag string, a *Artifact) error {
	why, _ := bundle.ReadParts(a.Manifest).Foreign()
	if why == "" {
		return nil
	}
	return Refuse(s.Elsewhere(), "tag %q of %s is no artifact of ours (it is not in Flux's format: %s)", tag, s.Name, why)
}

// Unpackable refuses an artifact that Flux cannot unpack (docs/facts.md 33), by the first bytes of its layer. What mode build
// packed has its content annotated, and is not looked at.
func (s *Store) Unpackable(ctx context.Context, a *Artifact) error {
	layers := bundle.ReadParts(a.Manifest).Layers
	if a.Content != "" || len(layers) == 0 {
		return nil
	}
	const hint = "push its content with mode build or `flux push artifact`, and promote that"
	switch gzip, err := s.IsGzip(ctx, layers[0]); {
	case errors.Is(err, errdef.ErrNotFound):
		return Refuse(hint, "Flux cannot unpack %s: %s does not have its layer %s", a.Desc.Digest, s.Name, layers[0].Digest)
	case err != nil:
		return err
	case !gzip:
		return Refuse(hint, "Flux cannot unpack %s: its layer, %q, is no gzip-compressed tar", a.Desc.Digest, layers[0].MediaType)
	}
	return nil
}

// Elsewhere is what to do about a repository that others tag in.
func (s *Store) Elsewhere() string {
	return fmt.Sprintf("something else tags here, as docker/metadata-action tags images sha-…: give the manifests a repository of their own,"+
		" the same in every mode, such as repository: %s", besides(s.Name))
}

// besides is a name for a repository near another one. Docker Hub's have two parts, and a layout is one directory.
func besides(name string) string {
	if strings.HasPrefix(name, "docker.io/") || strings.HasPrefix(name, "oci-layout:") {
		return name + "-manifests"
	}
	return name + "/manifests"
}
