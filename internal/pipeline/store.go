package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

// store asks the questions of the pipeline and words the errors.
type store struct {
	repo Repository
	name string // what messages call it
}

// snapshot is one reading of the tag list.
type snapshot struct {
	tags   []string
	has    map[string]bool
	ladder version.Ladder
	fresh  bool // it shows what this run wrote just before: nothing older than that is missing
}

// artifact is a manifest with what it says: one that the repository has, or this run made.
type artifact struct {
	bundle.Info
	desc     ocispec.Descriptor
	manifest []byte
	readBy   string // the tag or digest by which the repository was asked; empty for what this run made
}

func (s store) list(ctx context.Context) (snapshot, error) {
	var tags []string
	err := s.repo.Tags(ctx, "", func(page []string) error {
		tags = append(tags, page...)
		return nil
	})
	if err != nil {
		return snapshot{}, fmt.Errorf("reading tags of %s: %w", s.name, err)
	}
	return newSnapshot(tags), nil
}

func newSnapshot(tags []string) snapshot {
	snap := snapshot{tags: tags, has: make(map[string]bool, len(tags)), ladder: version.Read(tags)}
	for _, tag := range tags {
		snap.has[tag] = true
	}
	return snap
}

// below is the number of candidates that are not above the stable: the lowest ones.
func (snap snapshot) below() int {
	n := slices.IndexFunc(snap.ladder.Candidates, snap.ladder.Above)
	if n < 0 {
		return len(snap.ladder.Candidates)
	}
	return n
}

// newestAbove is the highest candidate, if that is above the stable: the one that integration
// should have. Empty where there is none.
func (snap snapshot) newestAbove() string {
	newest, ok := snap.ladder.Newest()
	if !ok || !snap.ladder.Above(newest) {
		return ""
	}
	return newest.String()
}

// shaTag is the sha- tag of a commit of which some first digits are known. More than the
// tag has are compared with the artifact's own later.
func (snap snapshot) shaTag(commit string, length int) (string, error) {
	if len(commit) >= length {
		return shaPrefix + commit[:length], nil
	}
	tags := slices.DeleteFunc(slices.Clone(snap.tags), func(tag string) bool {
		return !isSHATag(tag) || !strings.HasPrefix(tag, shaPrefix+commit)
	})
	slices.Sort(tags)
	switch tags = slices.Compact(tags); len(tags) {
	case 0:
		return shaPrefix + commit, nil // which is not there
	case 1:
		return tags[0], nil
	}
	return "", &refusal{fmt.Sprintf("commit %s is more than one: %s", commit, strings.Join(tags, ", ")), "give more digits of the commit"}
}

// finished reports whether the build of a has said that it is done, by a tag of any sha-length.
func (snap snapshot) finished(a *artifact) bool {
	for digits := range len(a.Revision.Commit) + 1 {
		if snap.has[integrationPrefix+a.Revision.Commit[:digits]] {
			return true
		}
	}
	return false
}

// lag is how long a reading may trail a write of this run before it is believed: GHCR's
// can be seconds behind (facts 16). The waits add up to about 6 s.
var lag = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond,
	800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond, 0,
}

// waitOut looks until it is shown, as long as lag allows.
func waitOut(ctx context.Context, look func() (shown bool, err error)) error {
	for _, wait := range lag {
		if shown, err := look(); err != nil || shown {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// listWith lists until tag, which this run has just written, is in the list: that is then
// fresh. If it never is, the snapshot has the tag all the same, since it does exist.
func (s store) listWith(ctx context.Context, tag string) (snap snapshot, err error) {
	err = waitOut(ctx, func() (bool, error) {
		var err error
		snap, err = s.list(ctx)
		snap.fresh = err == nil && snap.has[tag]
		return snap.fresh, err
	})
	if err != nil || snap.fresh {
		return snap, err
	}
	return newSnapshot(append(snap.tags, tag)), nil
}

// resolve gives the digest that tag names, or "" when there is no such tag.
func (s store) resolve(ctx context.Context, tag string) (digest.Digest, error) {
	desc, err := s.repo.Resolve(ctx, tag)
	if errors.Is(err, errdef.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading tag %q of %s: %w", tag, s.name, err)
	}
	return desc.Digest, nil
}

// resolveWritten is resolve for a tag that this run has written.
func (s store) resolveWritten(ctx context.Context, tag string) (d digest.Digest, err error) {
	err = waitOut(ctx, func() (bool, error) {
		var err error
		d, err = s.resolve(ctx, tag)
		return d != "", err
	})
	return d, err
}

// readBack lists, and looks at once what tag names, which this run has just written. The order
// of the two does not matter: whoever writes the tag after us looked at it before we did, and
// had announced that before, so that the list shows it (numbering, write). Where one of the
// readings lags, both are taken again, the list first.
func (s store) readBack(ctx context.Context, tag string) (now snapshot, named digest.Digest, err error) {
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		now, err = s.list(both)
		return err
	})
	g.Go(func() (err error) {
		named, err = s.resolve(both, tag)
		return err
	})
	if err = g.Wait(); err != nil || now.has[tag] && named != "" {
		now.fresh = err == nil
		return now, named, err
	}
	if now, err = s.listWith(ctx, tag); err == nil {
		named, err = s.resolveWritten(ctx, tag)
	}
	return now, named, err
}

// read fetches the manifest that a tag or digest names; nil when there is no such thing.
func (s store) read(ctx context.Context, tag string) (*artifact, error) {
	desc, blob, err := oras.FetchBytes(ctx, s.repo, tag, oras.DefaultFetchBytesOptions)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, nil //nolint:nilnil // absence is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q of %s: %w", tag, s.name, err)
	}
	info, err := bundle.Parse(blob)
	if err != nil {
		return nil, fmt.Errorf("reading %q of %s: %w", tag, s.name, err)
	}
	return &artifact{info, desc, blob, tag}, nil
}

// readListed is read for a tag that a list shows. While a registry takes a tag it may list it already and not read it.
func (s store) readListed(ctx context.Context, tag string) (a *artifact, err error) {
	err = waitOut(ctx, func() (bool, error) {
		var err error
		a, err = s.read(ctx, tag)
		return a != nil, err
	})
	return a, err
}

// readStable reads the highest stable of a list that has one. Being unable to read it is an error: what it holds back must
// not go on because of that.
func (s store) readStable(ctx context.Context, now snapshot) (*artifact, error) {
	stable, _ := now.ladder.Stable()
	a, err := s.readListed(ctx, stable.String())
	if err == nil && a == nil {
		err = &refusal{fmt.Sprintf("%s lists the stable %s, which cannot be read", s.name, stable), "its readings lag behind its writes; run again in a minute"}
	}
	return a, err
}

// tag names a with tag. Always by its manifest's bytes, never from tag to tag, so
// that the digest is the one that was looked at.
func (s store) tag(ctx context.Context, a *artifact, tag string) error {
	if _, err := oras.TagBytes(ctx, s.repo, a.desc.MediaType, a.manifest, tag); err != nil {
		return s.notWritten(ctx, a, tag, err)
	}
	return nil
}

// kept is the error of a registry that keeps a tag where it is.
type kept struct{ error }

func (kept) TagImmutable() bool { return true }
func (k kept) Unwrap() error    { return k.error }

// notWritten is the error of a write. It looks at a tag that the registry refused: if that
// names another artifact the registry keeps it there, in whatever words; not all say
// "immutable" (zot: 403).
func (s store) notWritten(ctx context.Context, a *artifact, tag string, err error) error {
	err = fmt.Errorf("writing tag %q of %s: %w", tag, s.name, err)
	var refused interface{ Refused() bool }
	if tagImmutable(err) || !errors.As(err, &refused) || !refused.Refused() {
		return err
	}
	if named, look := s.resolve(ctx, tag); look == nil && named != "" && named != a.desc.Digest {
		return kept{err}
	}
	return err
}

// exists reports whether a blob is there.
func (s store) exists(ctx context.Context, blob ocispec.Descriptor) (bool, error) {
	ok, err := s.repo.Exists(ctx, blob)
	if err != nil {
		return false, fmt.Errorf("reading blob %s of %s: %w", blob.Digest, s.name, err)
	}
	return ok, nil
}

// claimer is a repository that looks at a tag again whenever a write has to wait.
type claimer interface {
	Claim(ctx context.Context, desc ocispec.Descriptor, manifest []byte, tag string, free bool) (digest.Digest, error)
}

// claim names a with tag if that is free, and gives the digest that it names in the end. Free
// is whether the caller has just seen that it is, so that it need not be looked at first.
func (s store) claim(ctx context.Context, a *artifact, tag string, free bool) (digest.Digest, error) {
	if c, ok := s.repo.(claimer); ok {
		named, err := c.Claim(ctx, a.desc, a.manifest, tag, free)
		if err != nil {
			return "", s.notWritten(ctx, a, tag, err)
		}
		return named, nil
	}
	if !free {
		if named, err := s.resolve(ctx, tag); err != nil || named != "" {
			return named, err
		}
	}
	return a.desc.Digest, s.tag(ctx, a, tag)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
