package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
)

// Write names a with tag. Always by its manifest's bytes, never from tag to tag, so
// that the digest is the one that was looked at.
func (s *Store) Write(ctx context.Context, a *Artifact, tag string) error {
	_, err := oras.TagBytes(ctx, s.Repo, a.Desc.MediaType, a.Manifest, tag)
	if err != nil {
		err = s.notWritten(ctx, a, tag, err)
	}
	if err == nil {
		s.stands(tag)
	}
	return err
}

// stands keeps in mind that a tag names what it should.
func (s *Store) stands(tag string) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if !slices.Contains(s.inPlace, tag) {
		s.inPlace = append(s.inPlace, tag)
	}
}

// Unfinished is the report of a run that failed: where, and what was done by then.
func (s *Store) Unfinished(r Report) Report {
	s.writing.Lock()
	defer s.writing.Unlock()
	return Report{Mode: r.Mode, Repository: r.Repository, Tags: []string{}, InPlace: slices.Clone(s.inPlace)}
}

// notWritten is the error of a write. It looks at a tag that the registry refused to write: if
// that names a, somebody was faster with the same; if it names another artifact the registry
// keeps it there, in whatever words; not all say "immutable" (zot: 403).
func (s *Store) notWritten(ctx context.Context, a *Artifact, tag string, err error) error {
	err = fmt.Errorf("writing tag %q of %s: %w", tag, s.Name, err)
	var refused interface{ Refused() bool }
	if !errors.As(err, &refused) || !refused.Refused() {
		return err
	}
	switch named, look := s.Resolve(ctx, tag); {
	case look != nil || named == "":
		return err
	case named == a.Desc.Digest:
		return nil
	}
	return kept{err}
}

// claimer is a repository that looks at a tag again whenever a write has to wait.
type claimer interface {
	Claim(ctx context.Context, desc ocispec.Descriptor, manifest []byte, tag string, free bool) (digest.Digest, error)
}

// Claim names a with tag if that is free, and gives the digest that it names in the end:
// another one where somebody was faster. Free is whether the caller has just seen that it is,
// so that it need not be looked at first.
func (s *Store) Claim(ctx context.Context, a *Artifact, tag string, free bool) (digest.Digest, error) {
	named, err := s.claim(ctx, a, tag, free)
	if TagImmutable(err) { // somebody was faster
		return s.ResolveWritten(ctx, tag)
	}
	return named, err
}

func (s *Store) claim(ctx context.Context, a *Artifact, tag string, free bool) (digest.Digest, error) {
	if c, ok := s.Repo.(claimer); ok {
		named, err := c.Claim(ctx, a.Desc, a.Manifest, tag, free)
		if err != nil {
			named, err = a.Desc.Digest, s.notWritten(ctx, a, tag, err)
		}
		if err == nil && named == a.Desc.Digest {
			s.stands(tag)
		}
		return named, err
	}
	if !free {
		if named, err := s.Resolve(ctx, tag); err != nil || named != "" {
			return named, err
		}
	}
	return a.Desc.Digest, s.Write(ctx, a, tag)
}
