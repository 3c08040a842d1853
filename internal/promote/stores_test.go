package promote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// keptError is a registry's word on a tag that it does not move (docs/facts.md 17).
type keptError struct{}

func (keptError) Error() string      { return "400 tag is immutable" }
func (keptError) TagImmutable() bool { return true }
func (keptError) Refused() bool      { return true }

// deniedError is the word of one that does not tell why.
type deniedError struct{ keptError }

func (deniedError) Error() string      { return "403 denied" }
func (deniedError) TagImmutable() bool { return false }

// immutable is a store that keeps tags where they are, those of whose kind it is said.
type immutable struct {
	*pipelinetest.Slow
	keeps func(tag string) bool
	word  error
	mu    sync.Mutex
}

func (s *immutable) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.Dice.Nap(s.Write)
	s.mu.Lock()
	defer s.mu.Unlock()
	if named, err := s.Store.Resolve(ctx, tag); err == nil && named.Digest != desc.Digest && s.keeps(tag) {
		return s.word
	}
	return s.Store.Tag(ctx, desc, tag)
}

// at once is a store without any delay, for what wraps a slow one.
func atOnce(s *pipelinetest.Shelf) *pipelinetest.Slow {
	return &pipelinetest.Slow{Store: s.Store, Dice: pipelinetest.NewDice(1)}
}

// laggard shows each tag only some time after it was written (docs/facts.md 16).
type laggard struct {
	*pipelinetest.Store
	lag      time.Duration
	listOnly bool // a tag that the list does not show yet can be read

	mu   sync.Mutex
	seen map[string]time.Time
}

func (l *laggard) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	l.mu.Lock()
	if l.seen == nil {
		l.seen = map[string]time.Time{}
	}
	if _, before := l.seen[tag]; !before {
		l.seen[tag] = time.Now().Add(l.lag)
	}
	l.mu.Unlock()
	return l.Store.Tag(ctx, desc, tag)
}

func (l *laggard) hidden(tag string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.seen[tag])
}

func (l *laggard) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	if !l.listOnly && l.hidden(tag) {
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return l.Store.Resolve(ctx, tag)
}

func (l *laggard) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return l.Store.Tags(ctx, last, func(tags []string) error {
		return fn(slices.DeleteFunc(slices.Clone(tags), l.hidden))
	})
}

// counted is a store of which each operation is one request, as of a registry: reading a
// manifest by tag is one, and so is writing one with a tag.
type counted struct {
	*pipelinetest.Store
	mu    sync.Mutex
	asked []string
}

func (c *counted) count(what, of string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, strings.TrimSpace(what+" "+of))
}

func (c *counted) Tags(ctx context.Context, last string, fn func([]string) error) error {
	c.count("list", "")
	return c.Store.Tags(ctx, last, fn)
}

func (c *counted) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	c.count("resolve", tag)
	return c.Store.Resolve(ctx, tag)
}

func (c *counted) FetchReference(ctx context.Context, tag string) (ocispec.Descriptor, io.ReadCloser, error) {
	c.count("read", tag)
	desc, err := c.Store.Resolve(ctx, tag)
	if err != nil {
		return desc, nil, err
	}
	body, err := c.Store.Fetch(ctx, desc)
	return desc, body, err
}

func (c *counted) PushReference(ctx context.Context, desc ocispec.Descriptor, body io.Reader, tag string) error {
	c.count("write", tag)
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	return c.Tag(ctx, desc, tag)
}

func (c *counted) Exists(context.Context, ocispec.Descriptor) (bool, error) {
	return false, errors.New("a promotion asks for no blob")
}

func (c *counted) Push(context.Context, ocispec.Descriptor, io.Reader) error {
	return errors.New("a promotion uploads nothing")
}

func (c *counted) Fetch(context.Context, ocispec.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(nil)), errors.New("a promotion reads manifests by their names")
}

// mortal is a store whose n-th write is the last thing that its run does, after it took
// effect or before.
type mortal struct {
	*pipelinetest.Store
	left   int
	effect bool
	mu     sync.Mutex
}

var errKilled = errors.New("killed")

func (m *mortal) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.left--; {
	case m.left > 0:
		return m.Store.Tag(ctx, desc, tag)
	case m.left == 0 && m.effect:
		if err := m.Store.Tag(ctx, desc, tag); err != nil {
			return err
		}
	}
	return errKilled
}

var _ pipeline.Repository = (*mortal)(nil)

// sorted are the requests of one run, in no order: some go side by side.
func sorted(asked string) string {
	all := strings.Split(asked, "; ")
	slices.Sort(all)
	return strings.Join(all, "; ")
}
