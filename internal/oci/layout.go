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
// undo each other's tags. Opened read-only, nothing is written to dir, not even a lock.
func OpenLayout(ctx context.Context, dir string, readOnly bool) (*Layout, error) {
	isLayout, err := inspect(dir)
	if err != nil {
		return nil, fmt.Errorf("opening oci-layout:%s: %w", dir, err)
	}
	release := func() error { return nil }
	switch {
	case readOnly && !isLayout:
		empty, err := os.MkdirTemp("", "oci-promote-empty-*")
		if err != nil {
			return nil, err
		}
		dir, release = empty, func() error { return os.RemoveAll(empty) }
	case !readOnly:
		if release, err = lock(ctx, dir); err != nil {
			return nil, fmt.Errorf("opening oci-layout:%s: %w", dir, err)
		}
	}
	store, err := oci.NewWithContext(ctx, dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening oci-layout:%s: %w", dir, err), release())
	}
	return &Layout{store, readOnly, release}, nil
}

// inspect reports whether dir is a layout already, and refuses a directory that holds
// something else.
func inspect(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	others := 0
	for _, e := range entries {
		switch e.Name() {
		case ocispec.ImageLayoutFile:
			return true, nil
		case lockFile:
		default:
			others++
		}
	}
	if others > 0 {
		return false, fmt.Errorf("the directory is not empty and has no file %q; expected an OCI image layout, or a directory to make one in", ocispec.ImageLayoutFile)
	}
	return false, nil
}

const lockFile = ".oci-promote.lock"

func lock(ctx context.Context, dir string) (func() error, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a layout is as public as a registry
		return nil, err
	}
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l := flock.New(filepath.Join(dir, lockFile))
	if _, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting %s for another process that uses it: %w", patience, err)
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

// Tag names a manifest that the layout has.
func (l *Layout) Tag(ctx context.Context, desc ocispec.Descriptor, reference string) error {
	if l.readOnly {
		return errReadOnly
	}
	return l.Store.Tag(ctx, desc, reference)
}

// Close lets the next process have the layout.
func (l *Layout) Close() error { return l.release() }
