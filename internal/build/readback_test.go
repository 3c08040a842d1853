package build_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// closedShelf is a store that lists tags, knows which are missing, and lets nobody read what the others name.
type closedShelf struct {
	*pipelinetest.Store
	refuses bool // in a way that is about one manifest
	sees    bool
}

type unreadable struct{ refused bool }

func (unreadable) Error() string   { return "no manifest is shown" }
func (e unreadable) Refused() bool { return e.refused }

func (s *closedShelf) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	desc, err := s.Store.Resolve(ctx, tag)
	if err == nil && !s.sees {
		err = unreadable{s.refuses}
	}
	return desc, err
}

func (s *closedShelf) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	if !s.sees && kind(desc) == "manifest" {
		return nil, unreadable{s.refuses}
	}
	return s.Store.Fetch(ctx, desc)
}

// TestNothingIsTaggedBlindly: where there is anything to read, no tag is written before it could be read; in a repository
// without a tag the candidate is, and the next run that can read it completes the build.
func TestNothingIsTaggedBlindly(t *testing.T) {
	for name, c := range map[string]struct {
		shelf   string
		refuses bool
		added   string // tags that the failing build wrote
	}{
		"a candidate":                {"0.0.1-rc.1=a", false, ""},
		"a refused candidate":        {"0.0.1-rc.1=a", true, ""},
		"a candidate and its tags":   {"0.0.1-rc.1=a @a", true, ""},
		"a commit's tags only":       {"@a", true, ""},
		"a stable":                   {"0.0.1-rc.1=a @a 0.0.1=a", true, ""},
		"somebody's tag":             {"latest=0", false, ""},
		"somebody's, that is secret": {"latest=0", true, "0.0.1-rc.2"},
		"nothing":                    {"", true, "0.0.1-rc.2"},
	} {
		t.Run(name, func(t *testing.T) {
			shelf := pipelinetest.NewShelf(t, c.shelf)
			before := pipelinetest.Tags(t, shelf)
			s := &closedShelf{Store: shelf.Store, refuses: c.refuses}
			var unread unreadable
			if _, err := of(s, "b").Run(t.Context()); !errors.As(err, &unread) || !strings.HasPrefix(err.Error(), "reading ") {
				t.Fatalf("the build ends with %v", err)
			}
			for tag := range pipelinetest.Tags(t, shelf) {
				if before[tag] == "" && (c.added == "" || tag != c.added && tag != pipelinetest.Tag("sha-", "b") && tag != pipelinetest.Tag("integration-", "b")) {
					t.Errorf("it wrote %s", tag)
				}
			}
			s.sees = true
			r := run(t, of(s, "b"))
			if c.added != "" && (r.Outcome != pipeline.Unchanged || r.Candidate != c.added) || c.added == "" && r.Outcome != pipeline.Created {
				t.Errorf("the next run: %s %s", r.Outcome, r.Candidate)
			}
			checkTruth(t, s, r)
		})
	}
}
