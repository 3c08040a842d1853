package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// TestPromotionStories tells many stories of two to four promotions, of candidates of one
// base or of several, that run at once, with single writes of up to two seconds. In each: no
// run fails or takes 30 s; each reports a version that its digest has; the newest validated
// artifact ends highest; whoever has no stable is older; nothing is left stranded; and a
// stable moves only where two runs wrote it within the time that one write takes.
func TestPromotionStories(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 40
	}
	moved := 0
	for seed := range rounds {
		s := newShelf(t, "0.0.1-rc.1=a 0.0.1=a +a")
		for _, letter := range []string{"b", "c", "d"} {
			s.put(t, letter)
		}
		synctest.Test(t, func(t *testing.T) { moved += tellPromotions(t, s, uint64(seed)) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("of %d stories, a stable moved in %d", rounds, moved)
}

func tellPromotions(t *testing.T, s *shelf, seed uint64) (moved int) {
	dice := &random{r: rand.New(rand.NewPCG(seed, 9))}
	bases := []string{"0.0.2", "0.0.2", "0.0.2"} // of b, c and d
	if i := dice.r.IntN(3); i > 0 {
		bases[2] = []string{"", "0.0.3", "0.1.0"}[i]
	}
	for i, letter := range []string{"b", "c", "d"} {
		s.put(t, letter, fmt.Sprintf("%s-rc.%d", bases[i], i+1))
	}
	write := []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}[dice.r.IntN(3)]
	var mu sync.Mutex
	names := map[string]string{} // stable tags, as they were first written
	s.after = func(tag string) {
		if _, err := version.ParseStable(tag); err != nil {
			return
		}
		desc := must(s.Resolve(t.Context(), tag))
		mu.Lock()
		defer mu.Unlock()
		if old, ok := names[tag]; ok && old != desc.Digest.String() {
			moved = 1
		}
		names[tag] = desc.Digest.String()
	}
	reports, newest := make([]Report, 2+dice.r.IntN(3)), "a"
	var wg sync.WaitGroup
	for i := range reports {
		letter := string("bcd"[dice.r.IntN(3)])
		newest = max(newest, letter)
		tag := tagFor(t, &slow{s.hooked, dice, write}, s.subject(t, letter), nil)
		spread := dice.below(2*write + 300*time.Millisecond)
		wg.Go(func() {
			time.Sleep(spread)
			started := time.Now()
			var err error
			if reports[i], err = tag.Run(t.Context()); err != nil || time.Since(started) > 30*time.Second {
				t.Errorf("promotion of %s after %s: %v", letter, time.Since(started), err)
			}
		})
	}
	wg.Wait()
	checkPromotions(t, s, reports, newest, moved > 0)
	return moved
}

func checkPromotions(t *testing.T, s *shelf, reports []Report, newest string, moved bool) {
	t.Helper()
	tags := tagsOf(t, s)
	ladder := must(store{s, "test"}.list(t.Context())).ladder
	top, _ := ladder.Stable()
	// A stable that moved can leave one artifact with two, which is how a rollback looks; it
	// holds until the next build.
	twice := moved && slices.ContainsFunc(reports, func(r Report) bool { return strings.Contains(r.Reason, "is a rollback") })
	if tags[top.String()] != s.digests[newest].String() && !twice {
		t.Errorf("the highest stable %s is not on %s, the newest that was validated", top, newest)
	}
	for i, r := range reports {
		switch r.Outcome {
		case Promoted, Unchanged:
			// What a run only found was true when it looked.
			if tags[r.Version] != r.Digest.String() && (!moved || r.Outcome != Unchanged) {
				t.Errorf("run %d reports %s %s on %s, which names %s", i, r.Outcome, r.Version, r.Digest, tags[r.Version])
			}
		case Superseded:
			if r.Digest == s.digests[newest] && !twice {
				t.Errorf("run %d: the newest is superseded: %s", i, r.Reason)
			}
		default:
			t.Errorf("run %d: %s", i, r.Outcome)
		}
	}
	r := &tagRun{Tag: tagFor(t, s, nil, nil), store: store{s, "test"}, candidates: map[string]*artifact{}}
	if due, err := r.stranded(t.Context(), must(r.list(t.Context())), stableFacts{}); err != nil || due != nil {
		t.Errorf("a rescue is due: %+v, %v", due, err)
	}
	if t.Failed() {
		var lines []string
		for tag, d := range tags {
			for letter, known := range s.digests {
				if known.String() == d {
					lines = append(lines, tag+"="+letter)
				}
			}
		}
		t.Log(strings.Join(lines, " "))
	}
}
