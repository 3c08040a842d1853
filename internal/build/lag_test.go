package build_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// ghost is a store that lists a tag which cannot be read.
type ghost struct {
	*pipelinetest.Store
	tag string
}

// Resolve does not find it.
func (s *ghost) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	if tag == s.tag {
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return s.Store.Resolve(ctx, tag)
}

// laggard is a store that lists each tag only some time after it was written, and where reads
// lag too shows it no sooner (docs/facts.md 16).
type laggard struct {
	*pipelinetest.Store
	mu    sync.Mutex
	seen  map[string]time.Time
	lag   time.Duration
	reads bool
}

func newLaggard(s *pipelinetest.Store, lag time.Duration, reads bool) *laggard {
	return &laggard{Store: s, seen: map[string]time.Time{}, lag: lag, reads: reads}
}

func (s *laggard) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.mu.Lock()
	if _, err := s.Store.Resolve(ctx, tag); err != nil {
		s.seen[tag] = time.Now().Add(s.lag)
	}
	s.mu.Unlock()
	return s.Store.Tag(ctx, desc, tag)
}

func (s *laggard) hides(tag string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.seen[tag])
}

func (s *laggard) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return (&hidden{s.Store, s.hides}).Tags(ctx, last, fn)
}

func (s *laggard) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	if s.reads && s.hides(tag) {
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return s.Store.Resolve(ctx, tag)
}

// inTime tells a story in virtual time, on a store.
func inTime(t *testing.T, story func(t *testing.T, s *pipelinetest.Store)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { story(t, pipelinetest.OpenStore(t, dir)) })
}

// TestReadsLagBehind: a build believes its own write only when a reading shows it, and does
// not wait for the list.
func TestReadsLagBehind(t *testing.T) {
	for lag, want := range map[time.Duration]bool{0: true, 600 * time.Millisecond: true, 5 * time.Second: true, time.Minute: false} {
		inTime(t, func(t *testing.T, s *pipelinetest.Store) {
			began := time.Now()
			r, err := of(newLaggard(s, lag, true), "a").Run(t.Context())
			var refusal *pipeline.Refusal
			switch {
			case want && (err != nil || r.Candidate != "0.0.1-rc.1" || r.Selected.Integration != r.Candidate || time.Since(began) > 2*lag):
				t.Errorf("a lag of %s: %s, selected %v, after %s: %v", lag, r.Candidate, r.Selected, time.Since(began), err)
			case !want && (!errors.As(err, &refusal) || !strings.Contains(pipeline.WithHint(err), "run again in a minute")):
				t.Errorf("a lag of %s: %v", lag, err)
			}
		})
	}
}

// TestListLagsBehind: a build that the list does not show yet waits for that, and no longer. What an earlier run wrote is found
// by reading.
func TestListLagsBehind(t *testing.T) {
	const lag = 5 * time.Second
	inTime(t, func(t *testing.T, s *pipelinetest.Store) {
		lagging := newLaggard(s, lag, false)
		for _, letter := range []string{"a", "b", "c"} {
			began := time.Now()
			r := run(t, of(lagging, letter))
			if want := fmt.Sprint("0.0.1-rc.", pipelinetest.Number(letter)); r.Outcome != pipeline.Created || r.Candidate != want || r.Selected.Integration != want {
				t.Errorf("%s %s, selected %v, want created %s", r.Outcome, r.Candidate, r.Selected, want)
			}
			if d := time.Since(began); d > 2*lag {
				t.Errorf("it took %s", d)
			}
			checkTruth(t, s, r)
			lagging.hideAll(t)
			again := run(t, of(lagging, letter))
			if again.Outcome != pipeline.Unchanged || again.Candidate != r.Candidate || again.Digest != r.Digest {
				t.Errorf("again: %s %s because %s, want unchanged %s", again.Outcome, again.Candidate, again.Reason, r.Candidate)
			}
			lagging.hideAll(t)
			other := of(lagging, letter)
			other.Source = pipelinetest.Tree("other")
			if text := refused(t, other); !strings.Contains(text, "names other content") {
				t.Error(text)
			}
			checkTruth(t, s, r)
			lagging.hideAll(t)
		}
	})
}

// hideAll takes the tags that are there off the list once more, as another replica of the registry may have it.
func (s *laggard) hideAll(t *testing.T) {
	t.Helper()
	for tag := range pipelinetest.Tags(t, s.Store) {
		s.seen[tag] = time.Now().Add(s.lag)
	}
}

// TestListEndsEarly: a list that never shows what this run wrote lacks more, such as the versions that its number should be
// above. The build stops before it decides by that list on what is due.
func TestListEndsEarly(t *testing.T) {
	for title, c := range map[string]struct {
		history build.History
		shows   string // from the second list on
	}{
		"all is cut off":                   {nil, ""},
		"what would be due is not cut off": {pipelinetest.Line{}, "0.0.1-rc.3"},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, "0.0.1-rc.3=c @c 9.0.0=a")
			s.Put(t, "b")
			before := pipelinetest.Tags(t, s)
			synctest.Test(t, func(t *testing.T) {
				b := of(&ending{Store: s.Store, shows: c.shows}, "b")
				b.History, b.Initial = c.history, version.Stable{Minor: 1}
				began := time.Now()
				text := refused(t, b)
				if !strings.Contains(text, `took tag "0.1.0-rc.2" and does not list it`) || !strings.Contains(text, "run again in a minute") || !strings.Contains(text, "does not list all its tags") {
					t.Error(text)
				}
				if wrote := s.Added(t, before); wrote != "0.1.0-rc.2=b integration-a000200=b sha-a000200=b" {
					t.Errorf("wrote %q", wrote)
				}
				if d := time.Since(began); d < 6*time.Second || d > 7*time.Second {
					t.Errorf("it waited %s", d)
				}
			})
		})
	}
}

// ending is a store whose list is empty, and from the second time on has one tag.
type ending struct {
	*pipelinetest.Store
	shows string
	lists int
}

func (s *ending) Tags(ctx context.Context, last string, fn func([]string) error) error {
	s.lists++
	return (&hidden{s.Store, func(tag string) bool { return s.lists == 1 || tag != s.shows }}).Tags(ctx, last, fn)
}

// TestListsLagOnBoth: commit b has a larger bump and c, built meanwhile, does not see it, nor the promotion
// of a. When the lists have caught up, the next run of any commit settles it.
func TestListsLagOnBoth(t *testing.T) {
	for _, next := range []string{"a", "b", "c", "d"} {
		for _, first := range []string{"b", "c"} {
			inTime(t, func(t *testing.T, s *pipelinetest.Store) {
				lagging := newLaggard(s, 5*time.Second, false)
				build := func(letter string) build.Build {
					b := of(lagging, letter)
					b.History = pipelinetest.Line{}
					if letter == "b" {
						b.Bump, b.Initial = version.Minor, version.Stable{Minor: 1}
					}
					return b
				}
				a := run(t, build("a"))
				time.Sleep(10 * time.Second)
				lagging.seen["0.0.1"] = time.Now().Add(5 * time.Second)
				s.Name(t, a.Candidate, "0.0.1")
				var wg sync.WaitGroup
				for i, letter := range []string{first, map[string]string{"b": "c", "c": "b"}[first]} {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * 100 * time.Millisecond)
						r, err := build(letter).Run(t.Context())
						if err != nil {
							t.Error(err)
						}
						checkTruth(t, s, r)
					})
				}
				wg.Wait()
				time.Sleep(10 * time.Second)
				r := run(t, build(next))
				checkTruth(t, s, r)
				tags := pipelinetest.Tags(t, s)
				newest := "c"
				if next == "d" {
					newest = "d"
				}
				if tags[top(tags)] != tags[pipelinetest.Tag("sha-", newest)] {
					t.Errorf("%s first, then %s (%s): integration has %s, which is not %s's: %v", first, next, r.Outcome, top(tags), newest, tags)
				}
			})
		}
	}
}

// TestTwinsWhoseReadsLag: two runs of one commit, one after the other, where nothing that the
// first wrote can be read by the second. The next run of the commit settles it.
func TestTwinsWhoseReadsLag(t *testing.T) {
	inTime(t, func(t *testing.T, s *pipelinetest.Store) {
		lagging := newLaggard(s, 3*time.Second, true)
		var wg sync.WaitGroup
		for i, b := range []build.Build{of(lagging, "a"), twin(of(lagging, "a"))} {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				if _, err := b.Run(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		time.Sleep(10 * time.Second)
		r := run(t, of(lagging, "a"))
		checkTruth(t, s, r)
		checkComplete(t, s, "a", r.Digest.String())
	})
}

// TestListedBeforeItCanBeRead: a registry may list a tag while it still takes it. A commit's
// own candidate and the stable are not taken for absent.
func TestListedBeforeItCanBeRead(t *testing.T) {
	for title, c := range map[string]struct {
		shelf, tag, letter string
		outcome            pipeline.Outcome
		candidate          string
	}{
		"our candidate":      {"0.0.1-rc.2=b @b", "0.0.1-rc.2", "b", pipeline.Unchanged, "0.0.1-rc.2"},
		"our only candidate": {"0.0.1-rc.2=b", "0.0.1-rc.2", "b", pipeline.Unchanged, "0.0.1-rc.2"},
		"the stable":         {"0.0.1=a", "0.0.1", "b", pipeline.Created, "0.0.2-rc.2"},
		"a newer stable":     {"0.0.1=c", "0.0.1", "b", pipeline.Superseded, ""},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			synctest.Test(t, func(t *testing.T) {
				lagging := newLaggard(s.Store, 0, true)
				lagging.seen[c.tag] = time.Now().Add(time.Second)
				b := of(&listing{lagging}, c.letter)
				b.History = pipelinetest.Line{}
				r := run(t, b)
				if r.Outcome != c.outcome || r.Candidate != c.candidate {
					t.Errorf("%s %s because %s, want %s %s", r.Outcome, r.Candidate, r.Reason, c.outcome, c.candidate)
				}
			})
		})
	}
}

// TestNewerListedBeforeItCanBeRead: that it is newer shows later, and the next run makes good.
func TestNewerListedBeforeItCanBeRead(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.3=c")
	b := of(&ghost{s.Store, "0.0.1-rc.3"}, "b")
	b.History = pipelinetest.Line{}
	if r := run(t, b); r.Outcome != pipeline.Created || r.Candidate != "0.0.2-rc.2" {
		t.Errorf("%s %s", r.Outcome, r.Candidate)
	}
	b.Repo = s
	if r := run(t, b); r.Outcome != pipeline.Unchanged || len(r.Rescued) != 1 || r.Rescued[0].Candidate != "0.0.2-rc.3" {
		t.Errorf("%s %s, rescued %v", r.Outcome, r.Candidate, r.Rescued)
	}
}

// TestStableThatIsGone: its manifest was deleted, and the registry lists its tag for good.
// That stops no build, and costs some seconds; nothing of which it may hold back goes on.
func TestStableThatIsGone(t *testing.T) {
	for _, auto := range []bool{false, true} {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.2=b @b 0.0.1=a")
		synctest.Test(t, func(t *testing.T) {
			b := of(&ghost{s.Store, "0.0.1"}, "c")
			b.AutoBump, b.History = auto, pipelinetest.Line{}
			r, began := run(t, b), time.Now()
			if r.Outcome != pipeline.Created || r.Candidate != "0.0.2-rc.3" || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "version: next and its digest; do not delete the tag") || len(r.Rescued) != 0 {
				t.Errorf("%s %s, warnings %q, rescued %v", r.Outcome, r.Candidate, r.Warnings, r.Rescued)
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
}

// listing is a store of which only reads lag.
type listing struct{ *laggard }

func (s *listing) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return s.Store.Tags(ctx, last, fn)
}
