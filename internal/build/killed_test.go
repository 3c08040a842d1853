package build_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestKilledAnywhere stops a build at each of its writes, before that took effect or after,
// in some states of the repository. The next run of the commit reaches what an undisturbed one does,
// and so does one of it after any run of another commit.
func TestKilledAnywhere(t *testing.T) {
	for _, shelf := range []string{"", "0.0.1-rc.1=a @a 0.0.1=a", "0.0.1-rc.2=x", "@b*", "0.0.1-rc.7=a* 0.0.1=a* 0.0.1-rc.8=b*"} {
		for _, bump := range []string{"patch", "minor"} {
			if bump == "minor" && !strings.Contains(shelf, "@a 0.0.1=a") {
				continue
			}
			build := func(repo pipeline.Repository, letter string) build.Build {
				b := of(repo, letter)
				b.History = pipelinetest.Line{}
				if bump == "minor" && letter == "b" {
					b.Bump++
				}
				return b
			}
			undisturbed := pipelinetest.NewShelf(t, shelf)
			run(t, build(undisturbed, "b"))
			want := pipelinetest.Tags(t, undisturbed)
			for n := range 4 {
				for _, effect := range []bool{false, true} {
					for _, between := range []string{"", "a", "c"} {
						title := fmt.Sprintf("%s, %s, write %d %t, then %s", shelf, bump, n, effect, between)
						s := pipelinetest.NewShelf(t, shelf)
						if !killedAt(t, s.Store, build(s, "b"), n, effect) {
							continue
						}
						var other pipeline.Report
						if between != "" {
							other = run(t, build(s, between))
						}
						r := run(t, build(s, "b"))
						tags := pipelinetest.Tags(t, s)
						checkTruth(t, s, r)
						switch {
						case between == "" && !maps.Equal(tags, want):
							t.Errorf("%s: %v, want %v", title, tags, want)
						case r.Outcome == pipeline.Superseded && between == "c":
							continue
						case r.Outcome != pipeline.Created && r.Outcome != pipeline.Unchanged:
							t.Errorf("%s: %s because %s", title, r.Outcome, r.Reason)
						}
						checkComplete(t, s.Store, "b", r.Digest.String())
						if between == "c" && tags[top(tags)] != other.Digest.String() {
							t.Errorf("%s: integration has %s, which is not c's: %v", title, top(tags), tags)
						}
						if t.Failed() {
							return
						}
					}
				}
			}
		}
	}
}

// TestKilledWhileLifting stops the build whose larger bump put it above a newer commit at each
// of its writes. Whatever is run after that, of whichever commit, has integration go on with the newer one.
func TestKilledWhileLifting(t *testing.T) {
	for n := range 4 {
		for _, effect := range []bool{false, true} {
			for _, next := range []string{"a", "b", "c"} {
				s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a @a 0.0.1=a")
				b := of(s, "b")
				b.Bump++
				b.History = pipelinetest.Line{}
				newer := of(s, "c")
				newer.History = b.History
				m := &mortal{Store: s.Store, at: n, effect: effect}
				inTheMiddleOf(&b, m, func() { run(t, newer) })
				if _, err := b.Run(t.Context()); err == nil {
					t.Fatalf("it has no write %d", n)
				}
				again := of(s, next)
				again.History = b.History
				if next == "b" {
					again.Bump++
				}
				r := run(t, again)
				tags := pipelinetest.Tags(t, s)
				if t1 := top(tags); tags[t1] != tags[pipelinetest.Tag("sha-", "c")] {
					t.Errorf("killed at write %d (%t), then %s (%s): %s is not c's: %v", n, effect, next, r.Outcome, t1, tags)
				}
				checkTruth(t, s, r)
			}
		}
	}
}
