package pipeline

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// counted counts what a store is asked.
type counted struct {
	*hooked
	asked atomic.Int64
}

func (c *counted) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	c.asked.Add(1)
	return c.hooked.Resolve(ctx, tag)
}

// TestRank finds the candidate of an old commit in a few questions, and in any case.
func TestRank(t *testing.T) {
	const builds = 100
	s := newStore(t)
	for n := range builds {
		mustBuild(t, buildOf(t, s, n))
	}
	for n := range builds {
		c := &counted{hooked: s}
		r := mustBuild(t, buildOf(t, c, n))
		if want := fmt.Sprintf("0.0.1-rc.%d", n+1); r.Outcome != Unchanged || r.Candidate != want {
			t.Fatalf("commit %d: %s %s, want unchanged %s", n, r.Outcome, r.Candidate, want)
		}
		if asked := c.asked.Load(); asked > 12 {
			t.Errorf("commit %d took %d questions", n, asked)
		}
	}
}

func TestRankIsTheHighestCandidate(t *testing.T) {
	s := newStore(t)
	for n := range 5 {
		mustBuild(t, buildOf(t, s, n))
	}
	name(t, s, "0.0.1-rc.3", "0.0.1")
	name(t, s, "0.0.1-rc.5", "0.0.2-rc.0") // a rescue
	if r := mustBuild(t, buildOf(t, s, 4)); r.Candidate != "0.0.2-rc.0" {
		t.Errorf("candidate %s, want the rescue's", r.Candidate)
	}
	name(t, s, "0.0.1-rc.1", "0.0.2-rc.1") // numbered against the order of commits
	if r := mustBuild(t, buildOf(t, s, 4)); r.Candidate != "0.0.2-rc.0" {
		t.Errorf("candidate %s, want the rescue's", r.Candidate)
	}
	if r := mustBuild(t, buildOf(t, s, 1)); r.Candidate != "0.0.1-rc.2" {
		t.Errorf("candidate %s, want 0.0.1-rc.2", r.Candidate)
	}
}
