package promote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestPromotionStories tells many stories of two to four promotions, of candidates of one
// base or of several, that run at once, with single writes of up to two seconds. In each: no
// run fails or takes 30 s; each reports a version that its digest has; the newest validated
// artifact ends highest; whoever has no stable is older; nothing is left that is due; and a
// stable moves only where two runs wrote it within the time that one write takes. On a
// registry that keeps its stables, none ever moves.
func TestPromotionStories(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 20
	}
	for name, word := range map[string]error{"any registry": nil, "immutable": keptError{}, "denied": deniedError{}} {
		t.Run(name, func(t *testing.T) {
			moved := 0
			for seed := range rounds {
				synctest.Test(t, func(t *testing.T) { moved += tellPromotions(t, uint64(seed), word) })
			}
			if moved > 0 && word != nil {
				t.Error("a stable moved")
			}
			t.Logf("of %d stories, a stable moved in %d", rounds, moved)
		})
	}
}

// written is one write of a stable.
type written struct {
	began, took time.Time
	digest      string
}

// watched is a slow store, perhaps an immutable one, that notes how its stables were written.
type watched struct {
	immutable
	writes map[string][]written
}

func (w *watched) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	began := time.Now()
	if w.word == nil {
		w.Dice.Nap(w.Write)
	}
	var err error
	if w.word != nil {
		err = w.immutable.Tag(ctx, desc, tag)
	} else {
		err = w.Store.Tag(ctx, desc, tag)
	}
	if err == nil && pipeline.IsStable(tag) {
		w.mu.Lock()
		w.writes[tag] = append(w.writes[tag], written{began, time.Now(), desc.Digest.String()})
		w.mu.Unlock()
	}
	w.Dice.Nap(60 * time.Millisecond)
	return err
}

func tellPromotions(t *testing.T, seed uint64, word error) (moved int) {
	dice := pipelinetest.NewDice(seed)
	bases := []string{"0.0.2", "0.0.2", "0.0.2"} // of b, c and d
	if i := dice.IntN(3); i > 0 {
		bases[2] = []string{"", "0.0.3", "0.1.0"}[i]
	}
	s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=a +a")
	for i, letter := range []string{"b", "c", "d"} {
		s.Put(t, letter, fmt.Sprintf("%s-rc.%d", bases[i], i+2))
	}
	write := []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}[dice.IntN(3)]
	w := &watched{immutable{Slow: &pipelinetest.Slow{Store: s.Store, Dice: dice, Write: write}, keeps: pipeline.IsStable, word: word}, map[string][]written{}}
	reports, newest := make([]pipeline.Report, 2+dice.IntN(3)), "a"
	var wg sync.WaitGroup
	for i := range reports {
		letter := string("bcd"[dice.IntN(3)])
		newest = max(newest, letter)
		run := promotion(w, subject(s, letter), nil)
		spread := dice.Below(2*write + 300*time.Millisecond)
		wg.Go(func() {
			time.Sleep(spread)
			began := time.Now()
			var err error
			if reports[i], err = run.Run(t.Context()); err != nil || time.Since(began) > 30*time.Second {
				t.Errorf("promotion of %s after %s: %v", letter, time.Since(began), err)
			}
		})
	}
	wg.Wait()
	for tag, all := range w.writes {
		for i, second := range all[1:] {
			if first := all[i]; first.digest != second.digest {
				moved = 1
				if late := second.began.Sub(first.took); late > write+4*60*time.Millisecond {
					t.Errorf("%s moved by a write that began %s after it stood", tag, late)
				}
			}
		}
	}
	checkPromotions(t, s, reports, newest, moved > 0)
	if t.Failed() { // which ends the stories
		t.Logf("seed %d: %s", seed, s.Added(t, nil))
	}
	return moved
}

func checkPromotions(t *testing.T, s *pipelinetest.Shelf, reports []pipeline.Report, newest string, moved bool) {
	t.Helper()
	tags := pipelinetest.Tags(t, s)
	list := pipelinetest.Must((&pipeline.Store{Repo: s}).List(t.Context()))
	top, _ := list.Ladder.Stable()
	// A stable that moved can leave one artifact with two, which is how a rollback looks; it
	// holds until the next build.
	twice := moved && slices.ContainsFunc(reports, func(r pipeline.Report) bool { return strings.Contains(r.Reason, "a rollback passed") })
	if tags[top.String()] != s.Digests[newest].String() && !twice {
		t.Errorf("the highest stable %s is on %s, not on %s, the newest that was validated", top, s.Letter(tags[top.String()]), newest)
	}
	for i, r := range reports {
		switch r.Outcome {
		case pipeline.Promoted, pipeline.Unchanged:
			// What a run only found was true when it looked.
			if tags[r.Version] != r.Digest.String() && (!moved || r.Outcome != pipeline.Unchanged) {
				t.Errorf("run %d reports %s %s on %s, which names %s", i, r.Outcome, r.Version, s.Letter(r.Digest.String()), s.Letter(tags[r.Version]))
			}
		case pipeline.Superseded:
			if r.Digest == s.Digests[newest] && !twice {
				t.Errorf("run %d: the newest is superseded: %s", i, r.Reason)
			}
		default:
			t.Errorf("run %d: %s", i, r.Outcome)
		}
	}
	if left := due(t, s, pipelinetest.Line{}); left != "" {
		t.Errorf("due is %s", left)
	}
}

// TestKilledAnywhere kills a promotion at each of its writes, after it took effect or before.
// The next run of any kind completes it: the same event, a catch-up, and another one's event.
func TestKilledAnywhere(t *testing.T) {
	const tags = "@b @c " + promoted + " 0.0.2-rc.2=b 0.0.2-rc.3=c"
	const want = "0.0.2=b 0.0.3-rc.3=c"
	for name, next := range map[string]func(*pipelinetest.Shelf) Promotion{
		"the event again": func(s *pipelinetest.Shelf) Promotion { return promotion(s, subject(s, "b"), nil) },
		"by commit":       func(s *pipelinetest.Shelf) Promotion { return promotion(s, subject(s, "commit b"), nil) },
		"a catch-up": func(s *pipelinetest.Shelf) Promotion {
			asked, run := "", promotion(s, nil, nil)
			run.Health = words(s, map[string]string{"b": "ok"}, &asked)
			return run
		},
		"by hand": func(s *pipelinetest.Shelf) Promotion { return promotion(s, subject(s, "b"), manual("0.0.2")) },
	} {
		for write := 1; write <= 3; write++ {
			for _, effect := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, write %d, took effect: %v", name, write, effect), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := pipelinetest.NewShelf(t, tags)
						before := pipelinetest.Tags(t, s)
						m := &mortal{Store: s.Store, left: write, effect: effect}
						if _, err := promotion(m, subject(s, "b"), nil).Run(t.Context()); !errors.Is(err, errKilled) {
							t.Fatalf("not killed: %v", err)
						}
						run := next(s)
						r, err := run.Run(t.Context())
						if writes := s.Added(t, before); err != nil || writes != want+" "+v("b") {
							t.Errorf("%s (%s), %v, in the end %q", r.Outcome, r.Reason, err, writes)
						}
						checkTold(t, s, r)
						before = pipelinetest.Tags(t, s)
						if _, err := run.Run(t.Context()); err != nil || s.Added(t, before) != "" {
							t.Errorf("once more: %v, %s", err, s.Added(t, before))
						}
					})
				})
			}
		}
	}
}

// TestLateEventAfterAKill: what another promotion was killed for is done by the next one of any
// artifact. The newer one was announced, and never got its stable.
func TestLateEventAfterAKill(t *testing.T) {
	for name, row := range map[string]struct{ tags, subject, want string }{
		"killed after validated-, then the older":     {two + " +b", "a", "0.0.1=a 0.0.2-rc.2=b " + v("a")},
		"killed after validated-, then the newer":     {two + " +a", "b", "0.0.1=b " + v("b")},
		"killed before the rescue, then a late event": {promoted + " 0.0.2-rc.3=c", "a", ""},
		"killed before the rescue, with none open":    {promoted, "a", "0.0.2-rc.2=b"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				before := pipelinetest.Tags(t, s)
				began := time.Now()
				r, err := promotion(s, subject(s, row.subject), nil).Run(t.Context())
				if writes := s.Added(t, before); err != nil || writes != row.want {
					t.Errorf("%s (%s), %v, wrote %q, want %q", r.Outcome, r.Reason, err, writes, row.want)
				}
				if took := time.Since(began); took > 2*patience+time.Second {
					t.Errorf("took %s", took)
				}
				if left := due(t, s, pipelinetest.Line{}); left != "" {
					t.Errorf("due is %s", left)
				}
			})
		})
	}
}

// TestValidatedIsKept: where a registry keeps validated- on the commit's other artifact, the
// stable alone must do, with a warning.
func TestValidatedIsKept(t *testing.T) {
	for name, word := range map[string]error{"immutable": keptError{}, "denied": deniedError{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, pipelinetest.Tag(pipeline.ValidatedPrefix, "a")+"=a' 0.0.1-rc.1=a")
				repo := &immutable{Slow: atOnce(s), keeps: func(string) bool { return true }, word: word}
				run := promotion(repo, subject(s, "a"), nil)
				r := mustRun(t, run, pipeline.Promoted, "0.0.1")
				if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "keeps tag") {
					t.Errorf("warnings %q", r.Warnings)
				}
				if tags := pipelinetest.Tags(t, s); tags["0.0.1"] != s.Digests["a"].String() {
					t.Errorf("tags %v", tags)
				}
				mustRun(t, run, pipeline.Unchanged, "0.0.1")
			})
		})
	}
}

// TestLostOnAnImmutableRegistry: the refusal to move a stable that was written meanwhile is a
// lost race, and the next plan takes the next version.
func TestLostOnAnImmutableRegistry(t *testing.T) {
	for name, word := range map[string]error{"immutable": keptError{}, "denied": deniedError{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, two)
				repo := &between{immutable: &immutable{Slow: atOnce(s), keeps: pipeline.IsStable, word: word}, tag: "0.0.1",
					happens: func() { s.Put(t, "a", "0.0.1", pipelinetest.Tag(pipeline.ValidatedPrefix, "a")) }}
				r := mustRun(t, promotion(repo, subject(s, "b"), nil), pipeline.Promoted, "0.0.2")
				tags := pipelinetest.Tags(t, s)
				if tags["0.0.1"] != s.Digests["a"].String() || tags["0.0.2"] != s.Digests["b"].String() {
					t.Errorf("%s: %v", r.Reason, tags)
				}
			})
		})
	}
}

// between is a store in which something happens just before one tag is written first.
type between struct {
	*immutable
	tag     string
	once    sync.Once
	happens func()
}

func (b *between) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	if tag == b.tag {
		b.once.Do(b.happens)
	}
	return b.immutable.Tag(ctx, desc, tag)
}

// TestRefusalOfAFreeTag: a registry that refuses to write what is not there says why, and that is
// the run's error.
func TestRefusalOfAFreeTag(t *testing.T) {
	s := pipelinetest.NewShelf(t, two)
	s.Before = func(tag string) error {
		if pipeline.IsStable(tag) {
			return deniedError{}
		}
		return nil
	}
	if _, err := promotion(s, subject(s, "b"), nil).Run(t.Context()); err == nil || !strings.Contains(err.Error(), `writing tag "0.0.1" of `+pipelinetest.Name+": failed to tag 0.0.1: 403 denied") {
		t.Errorf("error %v", err)
	}
}
