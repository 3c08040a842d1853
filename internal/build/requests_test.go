package build_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// counting is a store that notes what it is asked, in order of the words where they come at once.
type counting struct {
	*pipelinetest.Store
	mu    sync.Mutex
	asked []string
}

func (s *counting) note(what, about string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, what+" "+about)
}

func (s *counting) Tags(ctx context.Context, last string, fn func([]string) error) error {
	s.note("list", "")
	return s.Store.Tags(ctx, last, fn)
}

func (s *counting) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	s.note("look", tag)
	return s.Store.Resolve(ctx, tag)
}

func (s *counting) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	s.note("read", kind(desc))
	return s.Store.Fetch(ctx, desc)
}

func (s *counting) Exists(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	s.note("exists", kind(desc))
	return s.Store.Exists(ctx, desc)
}

func (s *counting) Push(ctx context.Context, desc ocispec.Descriptor, content io.Reader) error {
	s.note("push", kind(desc))
	return s.Store.Push(ctx, desc, content)
}

func (s *counting) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.note("tag", tag)
	return s.Store.Tag(ctx, desc, tag)
}

func kind(desc ocispec.Descriptor) string {
	switch desc.MediaType {
	case bundle.LayerType:
		return "layer"
	case bundle.ConfigType:
		return "config"
	}
	return "manifest"
}

// count is what was asked, sorted: "look 0.0.1 ×2".
func (s *counting) count() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.asked)
	var words []string
	for len(s.asked) > 0 {
		word, n := strings.TrimSpace(s.asked[0]), 1
		for n < len(s.asked) && s.asked[n] == s.asked[0] {
			n++
		}
		if s.asked = s.asked[n:]; n > 1 {
			word += fmt.Sprint(" x", n)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// counter is a history that counts what it is asked.
type counter struct {
	pipelinetest.Line
	compared *int
}

func (c counter) Compare(ctx context.Context, commit, base string) (string, error) {
	*c.compared++
	return c.Line.Compare(ctx, commit, base)
}

// TestRequests: what a build asks of a repository, all of it; SHA and INT are the commit's
// tags. On a registry the read of a manifest is part of its look, and the push of one part of its tag.
func TestRequests(t *testing.T) {
	again := func(b *build.Build) { b.Again = true }
	const written = ", push layer, push manifest x3"
	for title, c := range map[string]struct {
		shelf, letter string
		change        func(b *build.Build)
		compared      int
		want          string
	}{
		"the first build of all":        {"", "b", nil, 0, "exists config, list x2, look 0.0.1-rc.2 x2, push config" + written + ", tag 0.0.1-rc.2, tag INT, tag SHA"},
		"a fresh build":                 {"0.0.1-rc.1=a @a 0.0.1=a", "b", nil, 0, "list x2, look 0.0.1, look 0.0.2-rc.2 x2" + written + ", read manifest, tag 0.0.2-rc.2, tag INT, tag SHA"},
		"a fresh build above others":    {"0.0.1-rc.1=a @a 0.0.1=a 0.0.2-rc.2=b @b 0.0.2-rc.3=c", "d", nil, 0, "list x2, look 0.0.1, look 0.0.2-rc.4 x2" + written + ", read manifest, tag 0.0.2-rc.4, tag INT, tag SHA"},
		"a fresh build on another base": {"0.0.1=a 0.1.0-rc.3=c", "d", nil, 0, "list x2, look 0.0.1, look 0.1.0-rc.4 x2" + written + ", read manifest, tag 0.1.0-rc.4, tag INT, tag SHA"},
		"a repeat":                      {"0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b @b", "b", again, 0, "list, look 0.0.2-rc.2, look INT, look SHA, read manifest x3"},
		"a repeat under others":         {"0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b @b 0.0.2-rc.3=c 0.0.2-rc.4=d", "b", again, 0, "list, look 0.0.2-rc.2, look INT, look SHA, read manifest x3"},
		"late":                          {"0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.3=c 0.0.2-rc.4=d", "b", again, 1, "list, look 0.0.2-rc.4, read manifest"},
		"a dry run":                     {"0.0.1-rc.1=a 0.0.1=a", "b", func(b *build.Build) { b.DryRun = true }, 0, "list"},
	} {
		t.Run(title, func(t *testing.T) {
			shelf := pipelinetest.NewShelf(t, c.shelf)
			synctest.Test(t, func(t *testing.T) {
				s, compared := &counting{Store: shelf.Store}, 0
				b := of(s, c.letter)
				b.History = counter{compared: &compared}
				if c.change != nil {
					c.change(&b)
				}
				began := time.Now()
				run(t, b)
				tags := strings.NewReplacer("SHA", pipelinetest.Tag("sha-", c.letter), "INT", pipelinetest.Tag("integration-", c.letter))
				if got, want := s.count(), tags.Replace(c.want); got != want {
					t.Errorf("asked\n%s, want\n%s", got, want)
				}
				if compared != c.compared || time.Since(began) > 0 {
					t.Errorf("compared %d times, want %d; slept %s", compared, c.compared, time.Since(began))
				}
			})
		})
	}
}

// TestRequestsOfManyTags: 10,000 tags, or a row of lifted, branched and legacy ones, cost
// little more.
func TestRequestsOfManyTags(t *testing.T) {
	shelf := pipelinetest.NewShelf(t, "@a 0.0.1=a")
	for n := range 3000 {
		shelf.Put(t, "a*", fmt.Sprintf("0.0.2-rc.%d", 100+n), fmt.Sprintf("0.0.1-rc.%d", n), fmt.Sprintf("0.%d.1-rc.2", n%100))
	}
	for n := range 200 {
		shelf.Put(t, "a*", fmt.Sprintf("0.0.0-x%d", n), fmt.Sprintf("0.0.%d", 100+n))
	}
	s, compared := &counting{Store: shelf.Store}, 0
	b := of(s, "b")
	b.History = counter{compared: &compared}
	run(t, b)
	s.asked = slices.DeleteFunc(s.asked, func(word string) bool { // on a registry, part of a look, or of a tag
		return strings.HasPrefix(word, "read ") || word == "push manifest"
	})
	if n := len(s.asked) + compared; n > 32 {
		t.Errorf("%d requests: %.1000s", n, s.count())
	}
}
