package verify

import (
	"context"
	"sync/atomic"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// shelf is one that counts what it is asked, and lets others act after the list.
type shelf struct {
	*pipelinetest.Shelf
	asked  atomic.Int64 // manifests and tags
	listed func(*testing.T)
	t      *testing.T
}

func newShelf(t *testing.T, words string) *shelf {
	t.Helper()
	return &shelf{Shelf: pipelinetest.NewShelf(t, words), t: t}
}

// Resolve counts.
func (s *shelf) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	s.asked.Add(1)
	return s.Shelf.Resolve(ctx, tag)
}

// Tags lets others act after the list.
func (s *shelf) Tags(ctx context.Context, last string, fn func([]string) error) error {
	err := s.Shelf.Tags(ctx, last, fn)
	if s.listed != nil {
		s.listed(s.t)
	}
	return err
}

var epoch = pipelinetest.Epoch

func must[T any](v T, err error) T { return pipelinetest.Must(v, err) }
