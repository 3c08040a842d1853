package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"
)

// Layout is a repository in a directory: an OCI image layout. It is an oras target
// that lists tags.
type Layout struct {
	*oci.Store
	readOnly bool
	release  func() error
}

// OpenLayout opens the layout in dir and makes it where there is none. Until Close it
// belongs to this process: the index of a layout is one file, and two writers would
// undo each other's tags. Opened read-only, nothing is written to dir, not even a lock,
// and a layout that is not there is an empty one.
func OpenLayout(ctx context.Context, dir string, readOnly bool) (*Layout, error) {
	l, err := openLayout(ctx, dir, readOnly)
	if err != nil {
		return nil, fmt.Errorf("opening oci-layout:%s: %w", dir, err)
	}
	return l, nil
}

func openLayout(ctx context.Context, dir string, readOnly bool) (*Layout, error) {
	whole, err := inspect(dir)
	if err != nil {
		return nil, err
	}
	if readOnly && !whole {
		empty, err := os.MkdirTemp("", "oci-promote-empty-*")
		if err != nil {
			return nil, err
		}
		return newLayout(ctx, empty, readOnly, func() error { return os.RemoveAll(empty) })
	}
	if !readOnly {
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a layout is as public as a registry
			return nil, err
		}
	}
	release, err := lock(ctx, dir, readOnly)
	if err != nil {
		return nil, err
	}
	return newLayout(ctx, dir, readOnly, release)
}

func newLayout(ctx context.Context, dir string, readOnly bool, release func() error) (*Layout, error) {
	store, err := oci.NewWithContext(ctx, dir)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	store.AutoGC = false // which deletes referrers too, and untagged manifests: docs/facts.md 38
	return &Layout{store, readOnly, release}, nil
}

// inspect reports whether dir is a whole layout already, and refuses a directory that
// holds something else.
func inspect(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	found := map[string]bool{}
	for _, e := range entries {
		found[e.Name()] = true
	}
	if found[ocispec.ImageLayoutFile] {
		return found[ocispec.ImageIndexFile] && found[ocispec.ImageBlobsDir], nil
	}
	delete(found, lockFile)
	if len(found) > 0 {
		return false, fmt.Errorf("the directory is not empty and has no file %q; expected an OCI image layout, or a directory to make one in", ocispec.ImageLayoutFile)
	}
	return false, nil
}

const lockFile = ".oci-promote.lock"

// lock keeps others out: all, or, to read, those that write. A layout that no writer of
// ours ever locked is read without.
func lock(ctx context.Context, dir string, readOnly bool) (func() error, error) {
	const patience, poll = time.Minute, 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	name := filepath.Join(dir, lockFile)
	l := flock.New(name)
	try := l.TryLockContext
	if readOnly {
		if _, err := os.Stat(name); err != nil {
			return func() error { return nil }, nil
		}
		l = flock.New(name, flock.SetFlag(os.O_RDONLY))
		try = l.TryRLockContext
	}
	_, err := try(ctx, poll)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("another process has been using it for %s; run again when that has ended", patience)
	case err != nil:
		return nil, fmt.Errorf("locking it: %w", err)
	}
	return l.Unlock, nil
}

// Push stores a blob or manifest.
func (l *Layout) Push(ctx context.Context, expected ocispec.Descriptor, content io.Reader) error {
	if l.readOnly {
		return errReadOnly
	}
	return l.Store.Push(ctx, expected, content)
}

// Upload stores a blob, unless the layout has it. content is asked for only then; it is closed. Where it refuses, its
// error is returned as it is.
func (l *Layout) Upload(ctx context.Context, desc ocispec.Descriptor, content func() (io.ReadSeekCloser, error)) error {
	if l.readOnly {
		return errReadOnly
	}
	if ok, err := l.Exists(ctx, desc); err != nil || ok {
		return err
	}
	blob, err := await(ctx, content)
	if err != nil {
		return err
	}
	defer func() { _ = blob.Close() }() // it was only read
	if err := l.Store.Push(ctx, desc, blob); !errors.Is(err, errdef.ErrAlreadyExists) {
		return err
	}
	return nil // from somebody beside us, while content waited
}

// Tag names a manifest that the layout has.
func (l *Layout) Tag(ctx context.Context, desc ocispec.Descriptor, reference string) error {
	if l.readOnly {
		return errReadOnly
	}
	return l.Store.Tag(ctx, desc, reference)
}

// Close lets the next process have the layout.
func (l *Layout) Close() error { return l.release() }
