package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

// Store asks the questions of the pipeline, of a repository and of the order of commits, and
// words the errors. What a digest names is read once.
type Store struct {
	Repo    Repository
	Name    string  // of the repository, for messages and the reference
	History History // nil where nobody can be asked
	Warn    func(format string, args ...any)

	known sync.Map  // digest → *Artifact
	once  sync.Once // History's first failure was told

	writing sync.Mutex
	inPlace []string // the tags that name what this run wanted them to
}

// Artifact is a manifest with what it says: one that the repository has, or this run made.
type Artifact struct {
	bundle.Info
	Desc     ocispec.Descriptor
	Manifest []byte
	ReadBy   string // the tag or digest by which the repository was asked; empty for what this run made
}

// Known is what the rules ask of a.
func (a *Artifact) Known() version.Artifact {
	return version.Artifact{Digest: a.Desc.Digest, Height: a.Height, Commit: a.Revision.Commit, Created: a.Created}
}

// Tag is the tag of a's commit with a prefix; empty where a does not tell its commit.
func (a *Artifact) Tag(prefix string, length int) string {
	if a.Revision.Commit == "" {
		return ""
	}
	return prefix + a.Revision.Commit[:length]
}

// NoTags says what a repository without any tag is: mostly another one than was meant.
func NoTags(name string) string {
	return name + " has no tags: is the name right? If it is, nothing was ever pushed there"
}

// List reads all tags.
func (s *Store) List(ctx context.Context) (Snapshot, error) {
	var tags []string
	err := s.Repo.Tags(ctx, "", func(page []string) error {
		tags = append(tags, page...)
		return nil
	})
	if err != nil {
		return Snapshot{}, fmt.Errorf("reading tags of %s: %w", s.Name, err)
	}
	return NewSnapshot(tags), nil
}

// ListAgain reads all tags, and keeps what was learnt of the earlier list. Tags that this run
// has written are there, whatever a list shows that lags.
func (s *Store) ListAgain(ctx context.Context, before Snapshot, written ...string) (Snapshot, error) {
	now, err := s.List(ctx)
	if err != nil {
		return now, err
	}
	now.Ladder.Keep(before.Ladder)
	return now.With(written...), nil
}

// Resolve gives the digest that tag names, or "" when there is no such tag.
func (s *Store) Resolve(ctx context.Context, tag string) (digest.Digest, error) {
	desc, err := s.Repo.Resolve(ctx, tag)
	if errors.Is(err, errdef.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading tag %q of %s: %w", tag, s.Name, err)
	}
	return desc.Digest, nil
}

// ResolveWritten is Resolve for a tag that this run has written.
func (s *Store) ResolveWritten(ctx context.Context, tag string) (d digest.Digest, err error) {
	err = waitOut(ctx, func() (bool, error) {
		var err error
		d, err = s.Resolve(ctx, tag)
		return d != "", err
	})
	if err == nil && d == "" {
		err = Refuse("its readings lag too far behind its writes; run again in a minute, nothing has to be undone",
			"%s took tag %q and does not show it", s.Name, tag)
	}
	return d, err
}

// Read fetches the manifest that a tag or digest names; nil when there is no such thing.
func (s *Store) Read(ctx context.Context, tag string) (*Artifact, error) {
	desc, blob, err := oras.FetchBytes(ctx, s.Repo, tag, oras.DefaultFetchBytesOptions)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, nil //nolint:nilnil // absence is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q of %s: %w", tag, s.Name, err)
	}
	info, err := bundle.Parse(blob)
	if err != nil {
		return nil, fmt.Errorf("reading %q of %s: %w", tag, s.Name, err)
	}
	a := &Artifact{info, desc, blob, tag}
	s.known.Store(desc.Digest, a)
	return a, nil
}

// ReadDigest is Read by digest, for what may have been read already.
func (s *Store) ReadDigest(ctx context.Context, d digest.Digest) (*Artifact, error) {
	if a, ok := s.known.Load(d); ok {
		return a.(*Artifact), nil //nolint:forcetypeassert // Read and Made store nothing else
	}
	return s.Read(ctx, d.String())
}

// Made tells of an artifact that this run made.
func (s *Store) Made(a *Artifact) { s.known.Store(a.Desc.Digest, a) }

// ReadListed is Read for a tag that is listed, which may be shown a little before it can be
// read; nil where it never can.
func (s *Store) ReadListed(ctx context.Context, tag string) (a *Artifact, err error) {
	err = waitOut(ctx, func() (bool, error) {
		var err error
		a, err = s.Read(ctx, tag)
		return a != nil, err
	})
	return a, err
}

// ReadStable reads the highest stable of a list that has one. Being unable to read it is an
// error: what it holds back must not go on because of that.
func (s *Store) ReadStable(ctx context.Context, now Snapshot) (*Artifact, error) {
	stable, _ := now.Ladder.Stable()
	a, err := s.ReadListed(ctx, stable.String())
	if err == nil && a == nil {
		err = Refuse("its readings lag behind its writes; run again in a minute", "%s lists the stable %s, which cannot be read", s.Name, stable)
	}
	return a, err
}

// Exists reports whether a blob is there.
func (s *Store) Exists(ctx context.Context, blob ocispec.Descriptor) (bool, error) {
	ok, err := s.Repo.Exists(ctx, blob)
	if err != nil {
		return false, fmt.Errorf("reading blob %s of %s: %w", blob.Digest, s.Name, err)
	}
	return ok, nil
}

// IsGzip reports whether a layer is compressed by gzip, by its first bytes. No more of it is read: what a registry sends
// beyond them is given up. The error is errdef.ErrNotFound where the layer is not there.
func (s *Store) IsGzip(ctx context.Context, layer ocispec.Descriptor) (bool, error) {
	rc, err := s.Repo.Fetch(ctx, layer)
	if err != nil {
		return false, fmt.Errorf("reading blob %s of %s: %w", layer.Digest, s.Name, err)
	}
	defer func() { _ = rc.Close() }() // it was only read
	start := make([]byte, bundle.GzipStart)
	n, err := io.ReadFull(rc, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || int64(n) < min(layer.Size, bundle.GzipStart) {
		return false, fmt.Errorf("reading blob %s of %s: %w", layer.Digest, s.Name, err)
	}
	return bundle.IsGzip(start[:n]), nil
}
