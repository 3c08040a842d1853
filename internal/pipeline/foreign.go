package pipeline

import (
	"fmt"
	"strings"

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
