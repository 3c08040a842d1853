package build_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

var seeds = flag.Int("seeds", 15, "how many stories of each kind are told")

// TestStories tells stories of two to six builds of one history that run at once, with single
// writes of up to two seconds; some have a larger bump, and a promotion may come in the middle. In each: no
// build fails, or waits for another; a report names tags that name its digest; no candidate ever names two digests; and where GitHub
// tells the order, the newest commit that may go live ends highest. Time is virtual, and one seed tells one story.
func TestStories(t *testing.T) {
	for name, c := range map[string]struct {
		history build.History
		bumps   bool
		promote bool
	}{
		"a line":                  {pipelinetest.Line{}, false, false},
		"bumps":                   {pipelinetest.Line{}, true, false},
		"a promotion":             {pipelinetest.Line{}, false, true},
		"bumps and a promotion":   {pipelinetest.Line{}, true, true},
		"without GitHub":          {nil, false, true},
		"without GitHub, bumping": {nil, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range *seeds {
				s := pipelinetest.NewShelf(t, "")
				synctest.Test(t, func(t *testing.T) {
					st := &story{Shelf: s, dice: pipelinetest.NewDice(uint64(seed)), history: c.history, ever: map[string]string{}}
					st.tell(t, c.bumps, c.promote)
				})
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

type story struct {
	*pipelinetest.Shelf
	dice    *pipelinetest.Dice
	history build.History
	write   time.Duration

	mu   sync.Mutex
	ever map[string]string // what each candidate named first
	bad  []string
}

func (s *story) tell(t *testing.T, bumps, promote bool) {
	s.write = []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}[s.dice.IntN(3)]
	builds := 2 + s.dice.IntN(5)
	if s.dice.IntN(3) > 0 { // else all of them are the first builds of the repository
		run(t, of(s.Shelf, "a"))
		if s.dice.IntN(2) == 0 {
			s.Name(t, "0.0.1-rc.1", "0.0.1")
		}
	}
	s.After = s.look(t)
	span := 2*s.write + 500*time.Millisecond
	reports := make([]pipeline.Report, builds)
	var wg sync.WaitGroup
	for n := range builds {
		b := of(&pipelinetest.Slow{Store: s.Store, Dice: s.dice, Write: s.write}, string(rune('b'+n)))
		b.History = s.history
		if bumps && s.dice.IntN(3) == 0 {
			b.Bump = version.Bump(1 + s.dice.IntN(2))
		}
		wg.Go(func() {
			s.dice.Nap(span)
			began := time.Now()
			r, err := b.Run(t.Context())
			took := time.Since(began)
			// Its own writes are the candidate, with the manifest, and the two tags at once.
			if most := 2*s.write + 3*time.Second + time.Duration(len(r.Rescued))*(s.write+time.Second); err != nil || took > most {
				t.Errorf("commit %d took %s, at most %s: %v", n+2, took, most, err)
			}
			if err == nil {
				checkTruth(t, s.Shelf, r)
			}
			reports[n] = r
		})
	}
	if promote {
		wg.Go(func() {
			s.dice.Nap(span)
			s.promote(t)
		})
	}
	wg.Wait()
	s.judge(t, reports, promote)
}

// look sees that no candidate ever names two digests.
func (s *story) look(t *testing.T) func(tag string) {
	return func(tag string) {
		desc, err := s.Resolve(t.Context(), tag)
		if err != nil || !pipeline.IsCandidate(tag) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if first := s.ever[tag]; first != "" && first != desc.Digest.String() {
			s.bad = append(s.bad, fmt.Sprintf("%s named %.14s and then %.14s", tag, first, desc.Digest))
		}
		s.ever[tag] = desc.Digest.String()
	}
}

// promote gives what integration selects its stable, and writes what is due then, as mode tag does.
func (s *story) promote(t *testing.T) {
	store := &pipeline.Store{Repo: &pipelinetest.Slow{Store: s.Store, Dice: s.dice, Write: s.write}, Name: pipelinetest.Name, Warn: t.Logf}
	if s.history != nil {
		store.History = s.history
	}
	now, err := store.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, open := now.Ladder.Top()
	if !open {
		return
	}
	s.Name(t, c.String(), c.Base.String())
	if now, err = store.List(t.Context()); err == nil {
		_, _, err = store.WriteDue(t.Context(), now, false)
	}
	if err != nil {
		t.Error(err)
	}
}

func (s *story) judge(t *testing.T, reports []pipeline.Report, promoted bool) {
	for _, bad := range s.bad {
		t.Error(bad)
	}
	tags := pipelinetest.Tags(t, s)
	newest, live := "", ""
	for i, r := range reports {
		switch {
		case r.Outcome == pipeline.Superseded:
			if i == len(reports)-1 {
				t.Error("the newest commit is superseded")
			}
			continue
		case r.Outcome != pipeline.Created || !strings.HasSuffix(r.Candidate, fmt.Sprint("-rc.", i+2)):
			t.Errorf("commit %d: %s %s", i+2, r.Outcome, r.Candidate)
		}
		newest = r.Digest.String()
		checkOneOf(t, tags, string(rune('b'+i)), newest)
	}
	l := version.Read(keys(tags))
	if stable, ok := l.Stable(); ok {
		live = tags[stable.String()]
	}
	if _, open := l.Top(); s.history != nil && (open || newest != live) && tags[top(tags)] != newest {
		t.Errorf("%s is not the newest commit's", top(tags))
	}
	if t.Failed() {
		for _, tag := range keys(tags) {
			t.Logf("%s %.14s", tag, tags[tag])
		}
	}
}

// checkOneOf wants a commit to have its tags and a candidate on a digest.
func checkOneOf(t *testing.T, tags map[string]string, letter, digest string) {
	t.Helper()
	has := false
	for _, d := range candidates(tags) {
		has = has || d == digest
	}
	if !has || tags[pipelinetest.Tag(pipeline.SHAPrefix, letter)] != digest || tags[pipelinetest.Tag(pipeline.IntegrationPrefix, letter)] != digest {
		t.Errorf("commit %s has not all of its tags on %.14s", letter, digest)
	}
}
