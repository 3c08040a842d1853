package pipeline

import (
	"context"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// slow is a real store whose every operation takes a random time, before it takes effect
// and after. Writing a tag may take long.
type slow struct {
	*hooked
	random *random
	write  time.Duration
}

// random is safe for many builds. One seed gives one story: time is virtual.
type random struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (r *random) below(limit time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(r.r.Int64N(int64(limit) + 1))
}

func (r *random) nap(limit time.Duration) { time.Sleep(r.below(limit)) }

const roundTrip = 60 * time.Millisecond

func (s *slow) Tags(ctx context.Context, last string, fn func([]string) error) error {
	s.random.nap(roundTrip)
	var all []string
	if err := s.hooked.Tags(ctx, last, func(tags []string) error { all = append(all, tags...); return nil }); err != nil {
		return err
	}
	s.random.nap(roundTrip)
	return fn(all)
}

func (s *slow) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	s.random.nap(roundTrip)
	desc, err := s.hooked.Resolve(ctx, tag)
	s.random.nap(roundTrip)
	return desc, err
}

func (s *slow) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.random.nap(s.write)
	err := s.hooked.Tag(ctx, desc, tag)
	s.random.nap(roundTrip)
	return err
}

func (s *slow) Push(ctx context.Context, desc ocispec.Descriptor, content io.Reader) error {
	s.random.nap(roundTrip)
	return s.hooked.Push(ctx, desc, content)
}

// TestStories tells many stories of two to five builds of one history that run at once,
// with single writes of up to two seconds, and of a promotion that takes the base in the
// middle. In each: no build fails or takes 30 s; none is lost; each reports a tag that it
// has; and where GitHub tells the order, the newest commit ends highest.
func TestStories(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 20
	}
	for name, c := range map[string]struct {
		history History
		promote bool
	}{"with GitHub": {line{}, false}, "with GitHub and a promotion": {line{}, true}, "without GitHub": {nil, false}} {
		t.Run(name, func(t *testing.T) {
			for seed := range rounds {
				dir := t.TempDir()
				synctest.Test(t, func(t *testing.T) { tellStory(t, dir, uint64(seed), c.history, c.promote) })
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

func tellStory(t *testing.T, dir string, seed uint64, history History, promotion bool) {
	plain := openStore(t, dir)
	dice := &random{r: rand.New(rand.NewPCG(seed, 7))} // a story must be told again alike
	write := []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}[dice.r.IntN(3)]
	builds, begin := 2+dice.r.IntN(4), time.Now()
	of := func(repo Repository, n int) Build {
		b := buildOf(t, repo, n)
		b.Meta.Created, b.History = begin.Add(time.Duration(n-20)*time.Second), history
		return b
	}
	first := mustBuild(t, of(plain, 0))
	reports := make([]Report, builds+1)
	var wg sync.WaitGroup
	for n := 1; n <= builds; n++ {
		wg.Go(func() {
			dice.nap(2*write + 500*time.Millisecond)
			started := time.Now()
			var err error
			if reports[n], err = of(&slow{plain, dice, write}, n).Run(t.Context()); err != nil || time.Since(started) > 30*time.Second {
				t.Errorf("build %d after %s: %v", n, time.Since(started), err)
			}
		})
	}
	if promotion {
		wg.Go(func() {
			dice.nap(2*write + 500*time.Millisecond)
			name(t, plain, first.Candidate, "0.0.1")
		})
	}
	wg.Wait()
	checkStory(t, tagsOf(t, plain), reports[1:], history != nil)
}

func checkStory(t *testing.T, tags map[string]string, reports []Report, ordered bool) {
	t.Helper()
	numbers := map[string]string{}
	for tag, d := range tags {
		if isCandidate(tag) {
			numbers[d] = tag
		}
	}
	newest := ""
	for i, r := range reports {
		if r.Outcome == Superseded {
			continue
		}
		newest = r.Digest.String()
		if numbers[newest] == "" || tags[r.Candidate] != newest {
			t.Errorf("build %d reports %s on %s, which names %q; it has %q", i+1, r.Candidate, newest, tags[r.Candidate], numbers[newest])
		}
	}
	if top := topOf(tags); ordered && newest != "" && tags[top] != newest {
		t.Errorf("the highest number %s is not on the newest commit, which has %s", top, numbers[newest])
	}
	if t.Failed() {
		t.Log(tags)
	}
}

// TestSlowerThanPatience has a neighbour sleep before its write for longer than anyone
// waits, while the build whose number it takes is slow to say that it is done.
func TestSlowerThanPatience(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, dir)
		atClaim, done := make(chan struct{}), make(chan struct{})
		var once sync.Once
		sleepy := &hooked{Store: s.Store, before: func(tag string) error {
			if isCandidate(tag) {
				once.Do(func() { close(atClaim); time.Sleep(patience + 1500*time.Millisecond) })
			}
			return nil
		}}
		recent := func(repo Repository, n int) Build {
			b := buildOf(t, repo, n)
			b.Meta.Created = time.Now()
			return b
		}
		go func() {
			defer close(done)
			if _, err := recent(sleepy, 2).Run(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		<-atClaim
		a := mustBuild(t, recent(&hooked{Store: s.Store, before: func(tag string) error {
			if strings.HasPrefix(tag, integrationPrefix) {
				<-done
			}
			return nil
		}}, 1))
		if tags := tagsOf(t, s); tags[a.Candidate] != a.Digest.String() {
			t.Errorf("reported %s on %s, which names %s", a.Candidate, a.Digest, tags[a.Candidate])
		}
		checkAll(t, s, 1, 2)
	})
}
