package pipeline

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
)

// laggard shows each tag only some time after it was written (facts 16).
type laggard struct {
	*hooked
	mu   sync.Mutex
	seen map[string]time.Time
	lag  time.Duration

	listOnly bool // a tag that the list does not show yet can be read
}

func (l *laggard) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	l.mu.Lock()
	l.seen[tag] = time.Now().Add(l.lag)
	l.mu.Unlock()
	return l.hooked.Tag(ctx, desc, tag)
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
	return l.hooked.Resolve(ctx, tag)
}

func (l *laggard) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return l.hooked.Tags(ctx, last, func(tags []string) error {
		var shown []string
		for _, tag := range tags {
			if !l.hidden(tag) {
				shown = append(shown, tag)
			}
		}
		return fn(shown)
	})
}

// TestReadsLagBehind believes a build's own write only when a reading shows it.
func TestReadsLagBehind(t *testing.T) {
	t.Parallel()
	l := &laggard{hooked: newStore(t), seen: map[string]time.Time{}, lag: 600 * time.Millisecond}
	r := mustBuild(t, buildOf(t, l, 1))
	if r.Candidate != "0.0.1-rc.1" {
		t.Errorf("candidate %s", r.Candidate)
	}
	checkAll(t, l.hooked, 1)
}

// TestListNeverShowsOurs goes on with a warning: the tag itself can be read.
func TestListNeverShowsOurs(t *testing.T) {
	old := lag
	lag = []time.Duration{time.Millisecond, 0}
	defer func() { lag = old }()
	s := blind{newStore(t)}
	r := mustBuild(t, buildOf(t, s, 1))
	if r.Candidate != "0.0.1-rc.1" || r.Selected.Integration != r.Candidate || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "lags") {
		t.Errorf("report %+v, want 0.0.1-rc.1 with one warning", r)
	}
	checkAll(t, s.hooked, 1)
}

// TestListLagsBehindALostClaim has another build take the number that the list still shows as free. One look tells that it
// is taken; the build remembers that, and neither tries that number again nor waits for the list.
func TestListLagsBehindALostClaim(t *testing.T) {
	t.Parallel()
	for _, behind := range []time.Duration{time.Second, time.Minute} {
		for _, others := range []int{1, 10} {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				l := &laggard{hooked: openStore(t, dir), seen: map[string]time.Time{}, listOnly: true}
				for n := range others {
					l.seen[mustBuild(t, buildOf(t, l.hooked, n)).Candidate] = time.Now().Add(behind)
				}
				began := time.Now()
				r := mustBuild(t, buildOf(t, l, others))
				if want := fmt.Sprintf("0.0.1-rc.%d", others+1); r.Candidate != want || time.Since(began) > time.Second {
					t.Errorf("%d numbers %s behind: %s after %s, want %s", others, behind, r.Candidate, time.Since(began), want)
				}
				checkAll(t, l.hooked, others)
			})
		}
	}
}

// TestListLagsBehindARepair has a build give a neighbour a number that the list does not show for long. It does not give
// it again and again.
func TestListLagsBehindARepair(t *testing.T) {
	t.Parallel()
	for _, behind := range []time.Duration{time.Second, time.Minute} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			l := &laggard{hooked: openStore(t, dir), seen: map[string]time.Time{}, listOnly: true}
			l.after = func(tag string) {
				switch tag {
				case "0.0.1-rc.1": // there is a neighbour, whose number was overwritten
					dieAt(t, l.hooked, buildOf(t, l.hooked, 2), isCandidate)
					name(t, l.hooked, shaPrefix+commitNumber(2)[:7], integrationPrefix+commitNumber(2)[:7])
					l.lag = behind
				case "0.0.1-rc.2":
					l.lag = 0
				case "0.0.1-rc.3":
					t.Error("wrote 0.0.1-rc.3")
				}
			}
			if r := mustBuild(t, buildOf(t, l, 1)); r.Candidate != "0.0.1-rc.1" {
				t.Errorf("a lag of %s: candidate %s", behind, r.Candidate)
			}
			checkAll(t, l.hooked, 1, 2)
		})
	}
}

// blind is a store whose tag list is as it was before everything.
type blind struct{ *hooked }

func (blind) Tags(context.Context, string, func([]string) error) error { return nil }

// TestStableListedBeforeItCanBeRead: a registry may list a tag while it still takes it. The promotion beside that looks
// again, instead of giving up.
func TestStableListedBeforeItCanBeRead(t *testing.T) {
	t.Parallel()
	s := newShelf(t, promoted)
	tag := tagFor(t, s, s.subject(t, "b"), nil)
	half := &halfWritten{Repository: tag.Repo, tag: "0.0.1", times: 3}
	tag.Repo = half
	r, err := tag.Run(t.Context())
	if err != nil || r.Outcome != Promoted || r.Version != "0.0.2" || half.times > 0 {
		t.Errorf("%s %s, %v, %d looks left", r.Outcome, r.Version, err, half.times)
	}
}

// halfWritten is a repository that lists a tag and does not show it the first times.
type halfWritten struct {
	Repository
	mu    sync.Mutex
	tag   string
	times int
}

func (h *halfWritten) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if tag == h.tag && h.times > 0 {
		h.times--
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return h.Repository.Resolve(ctx, tag)
}
