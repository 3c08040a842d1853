package pipeline

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
)

// TestTwinTakesTheNumberLate has another run of the same commit overwrite our number while
// we write integration-. The look after that adopts its artifact; every tag of the commit
// and the report then name that one.
func TestTwinTakesTheNumberLate(t *testing.T) {
	s := newStore(t)
	half := buildOf(t, s, 1)
	half.Meta.Revision.Ref = "v1"
	dry := half
	dry.Repo, dry.DryRun = newStore(t), true
	twin := mustBuild(t, dry).Digest.String()
	stage := 0
	ours := &hooked{Store: s.Store, before: func(tag string) error {
		switch {
		case strings.HasPrefix(tag, shaPrefix) && stage == 0:
			stage = 1
			dieAt(t, s, half, isCandidate) // the twin has looked at the number and is about to write it
		case strings.HasPrefix(tag, integrationPrefix) && stage == 2:
			stage = 3
			name(t, s, twin, "0.0.1-rc.1")
		}
		return nil
	}, after: func(tag string) {
		if isCandidate(tag) && stage == 1 {
			stage = 2
			mustBuild(t, buildOf(t, s, 2)) // a neighbour, so that we look once more when done
		}
	}}
	r := mustBuild(t, buildOf(t, ours, 1))
	tags := tagsOf(t, s)
	for _, tag := range r.Tags {
		if tags[tag] != r.Digest.String() {
			t.Errorf("the report says %s of %q, which names %s", r.Digest, tag, tags[tag])
		}
	}
	if r.Digest.String() != twin || r.Outcome != Unchanged || len(r.Tags) != 3 {
		t.Errorf("%s %s with tags %q, want unchanged on the twin %s\n%v", r.Outcome, r.Digest, r.Tags, twin, tags)
	}
}

// TestTwinOfABuildUnderWay has a build run again while the first run of it is still taking its number, which a neighbour
// is about to overwrite. The second must not call that number done: nobody would wait any more, and it would be lost.
func TestTwinOfABuildUnderWay(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	twin := make(chan Report, 1)
	late := &hooked{Store: s.Store}
	var once sync.Once
	late.before = func(tag string) error {
		if !isCandidate(tag) {
			return nil
		}
		once.Do(func() { // the neighbour found the number free, and is slow to write it
			first := buildOf(t, s, 2)
			first.Meta.Created = time.Now()
			dieAt(t, s, first, isIntegration)
			second := buildOf(t, s, 2)
			second.Meta.Created = first.Meta.Created
			go func() {
				r, err := second.Run(t.Context())
				if err != nil {
					t.Error(err)
				}
				twin <- r
			}()
			time.Sleep(time.Second) // one that does not look around is done by then
		})
		return nil
	}
	b := buildOf(t, late, 1)
	b.Meta.Created = time.Now().Add(-time.Second)
	ours := mustBuild(t, b)
	tags := tagsOf(t, s)
	for _, r := range []Report{ours, <-twin} {
		if tags[r.Candidate] != r.Digest.String() {
			t.Errorf("a build reports %s on %s, tags %v", r.Candidate, r.Digest, tags)
		}
	}
}

// TestUnfinishedFarBelow completes a build that died before integration-, beside a neighbour, when many numbers have been
// given since. It holds its number all the same.
func TestUnfinishedFarBelow(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dieAt(t, s, buildOf(t, s, 1), isIntegration)
	const since = 20
	for n := range since {
		mustBuild(t, buildOf(t, s, 2+n))
	}
	neighbour := buildOf(t, s, 2+since)
	neighbour.Meta.Created = time.Now()
	dieAt(t, s, neighbour, isCandidate)
	r := mustBuild(t, buildOf(t, s, 1))
	if tags := tagsOf(t, s); r.Candidate != "0.0.1-rc.1" || tags[integrationPrefix+commitNumber(1)[:7]] != r.Digest.String() {
		t.Errorf("reported %s on %s, tags %v", r.Candidate, r.Digest, tags)
	}
}

// TestUnfinishedLosesItsNumber completes a build that died before integration-, and loses its number meanwhile to a newer
// commit. It is superseded then, and reports no number.
func TestUnfinishedLosesItsNumber(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dieAt(t, s, buildOf(t, s, 1), isIntegration)
	dieAt(t, s, buildOf(t, s, 2), isCandidate)
	ours := &thief{hooked: &hooked{Store: s.Store}, tag: "0.0.1-rc.1", reads: 1}
	ours.steal = func() {
		for _, tag := range []string{"0.0.1-rc.1", "0.0.1-rc.2"} {
			name(t, s, shaPrefix+commitNumber(2)[:7], tag)
		}
	}
	b := buildOf(t, ours, 1)
	b.History = line{}
	if r := mustBuild(t, b); r.Outcome != Superseded || r.Candidate != "" || r.Version != "" || len(r.Tags) != 2 {
		t.Errorf("%s %s %s with tags %q, want superseded with sha- and integration-", r.Outcome, r.Candidate, r.Version, r.Tags)
	}
}

// TestUnfinishedIsLate completes a build that died before integration-, when a newer commit's build has ended, and loses its
// number meanwhile to another neighbour. It is superseded.
func TestUnfinishedIsLate(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dieAt(t, s, buildOf(t, s, 1), isIntegration)
	newer := mustBuild(t, buildOf(t, s, 2))
	neighbour := buildOf(t, s, 3)
	neighbour.Meta.Created = time.Now()
	dieAt(t, s, neighbour, isCandidate)
	ours := &thief{hooked: &hooked{Store: s.Store}, tag: "0.0.1-rc.1", reads: 2}
	ours.steal = func() { name(t, s, shaPrefix+commitNumber(3)[:7], "0.0.1-rc.1") }
	b := buildOf(t, ours, 1)
	b.History = line{}
	r := mustBuild(t, b)
	if tags := tagsOf(t, s); r.Outcome != Superseded || r.Candidate != "" || tags[topOf(tags)] != newer.Digest.String() {
		t.Errorf("%s %s, want superseded below the newer commit's: %v", r.Outcome, r.Candidate, tags)
	}
}

// TestUnfinishedLosesItsBase completes a build that died before integration-, whose base a promotion takes meanwhile. The
// next number is by the bump of its commits.
func TestUnfinishedLosesItsBase(t *testing.T) {
	s := newStore(t)
	first := mustBuild(t, buildOf(t, s, 0))
	name(t, s, first.Candidate, "0.0.1")
	b := buildOf(t, nil, 1)
	b.AutoBump, b.History = true, line{messages: []string{"feat: more"}}
	dieAt(t, s, b, isIntegration)
	ours := &thief{hooked: &hooked{Store: s.Store}, tag: "0.1.0-rc.1", reads: 1}
	ours.steal = func() { name(t, s, first.Candidate, "0.1.0") }
	b.Repo = ours
	if r := mustBuild(t, b); r.Candidate != "0.2.0-rc.1" {
		t.Errorf("candidate %s, want 0.2.0-rc.1: %v", r.Candidate, tagsOf(t, s))
	}
}

// TestUnfinishedOverwriteLosesItsNumber is that of a build with other content for the commit, which was asked for: it gets
// the next number, and does not take the first content for a twin's.
func TestUnfinishedOverwriteLosesItsNumber(t *testing.T) {
	for title, history := range map[string]History{"without GitHub": nil, "with GitHub": diverged{}} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			mustBuild(t, buildOf(t, s, 1))
			b := buildOf(t, nil, 1)
			b.Source, b.Overwrite, b.History = tree("other"), true, history
			dieAt(t, s, b, isIntegration)
			neighbour := buildOf(t, s, 2)
			neighbour.Meta.Created = time.Now()
			dieAt(t, s, neighbour, isCandidate)
			ours := &thief{hooked: &hooked{Store: s.Store}, tag: "0.0.1-rc.2", reads: 2}
			ours.steal = func() { name(t, s, shaPrefix+commitNumber(2)[:7], "0.0.1-rc.2") }
			b.Repo = ours
			if r := mustBuild(t, b); r.Candidate != "0.0.1-rc.3" {
				t.Errorf("%s %s, want 0.0.1-rc.3", r.Outcome, r.Candidate)
			}
			checkAll(t, s, 1)
		})
	}
}

// TestUnfinishedIsPassed completes a build that died before integration-, whose number a promotion has passed since. The
// rescue which that owes it, if any, was overwritten by another build: it takes another number. Else it keeps what it has,
// since it must not undo a rollback, nor end above a newer commit.
func TestUnfinishedIsPassed(t *testing.T) {
	const passed, again = "0.0.2-rc.3", "0.0.3-rc.1"
	type world struct {
		build func(n int)
		give  func(n int, tag string)
	}
	for title, c := range map[string]struct {
		happens func(world)
		same    bool // skip-unchanged, and commit 1 has the same content
		want    string
	}{
		"left behind":              {func(w world) { w.give(1, "0.0.2") }, false, again},
		"under an older commit":    {func(w world) { w.give(1, "0.0.2"); w.give(2, "0.0.3-rc.0") }, false, again},
		"under a newer commit":     {func(w world) { w.give(1, "0.0.2"); w.build(4) }, false, passed},
		"a newer commit is live":   {func(w world) { w.build(4); w.give(4, "0.0.2") }, false, passed},
		"a branch is live":         {func(w world) { w.build(0x100); w.give(0x100, "0.0.2") }, false, passed},
		"live":                     {func(w world) { w.give(3, "0.0.2") }, false, passed},
		"was live":                 {func(w world) { w.give(3, "0.0.2"); w.give(1, "0.0.3") }, false, passed},
		"a rollback":               {func(w world) { w.give(0, "0.0.2") }, false, passed},
		"a stable by hand":         {func(w world) { w.build(0x200); w.give(0x200, "0.0.2") }, false, passed},
		"selected has its content": {func(w world) { w.give(1, "0.0.2") }, true, passed},
	} {
		for on, history := range map[string]History{"with GitHub": branches{}, "without GitHub": nil} {
			t.Run(title+", "+on, func(t *testing.T) {
				s := newStore(t)
				give := func(n int, tag string) { name(t, s, shaPrefix+commitNumber(n)[:7], tag) }
				mustBuild(t, buildOf(t, s, 0))
				give(0, "0.0.1")
				mustBuild(t, buildOf(t, s, 1))
				mustBuild(t, buildOf(t, s, 2))
				b := buildOf(t, nil, 3)
				if c.same {
					b.Source = tree("replicas: 1")
				}
				dieAt(t, s, b, isIntegration)
				c.happens(world{func(n int) {
					if n == 0x200 {
						dieAt(t, s, buildOf(t, s, n), isCandidate)
						return
					}
					mustBuild(t, buildOf(t, s, n))
				}, give})
				b.Repo, b.History, b.SkipUnchanged = s, history, c.same
				r := mustBuild(t, b)
				tags := tagsOf(t, s)
				if r.Outcome != Unchanged || r.Candidate != c.want || len(r.Tags) != 3 || tags[again] == r.Digest.String() && c.want != again {
					t.Errorf("%s %s with tags %q, want unchanged %s with three: %v", r.Outcome, r.Candidate, r.Tags, c.want, tags)
				}
				for _, tag := range r.Tags {
					if tags[tag] != r.Digest.String() {
						t.Errorf("the report says %s of %q, which names %s", r.Digest, tag, tags[tag])
					}
				}
			})
		}
	}
}

// TestUnfinishedReportsNoLostNumber completes a build that died before integration-, and whose number a promotion has passed.
// Another build, which chose that number before, writes it meanwhile. The report does not name it.
func TestUnfinishedReportsNoLostNumber(t *testing.T) {
	s := newStore(t)
	dieAt(t, s, buildOf(t, s, 1), isIntegration)
	newer := mustBuild(t, buildOf(t, s, 2))
	name(t, s, newer.Candidate, "0.0.1")
	r := mustBuild(t, buildOf(t, &hooked{Store: s.Store, after: func(tag string) {
		if isIntegration(tag) {
			name(t, s, newer.Candidate, "0.0.1-rc.1")
		}
	}}, 1))
	if r.Outcome != Unchanged || r.Candidate != "" || r.Version != "" || len(r.Tags) != 2 {
		t.Errorf("%s %s %s with tags %q, want unchanged without a number", r.Outcome, r.Candidate, r.Version, r.Tags)
	}
}

// TestUnfinishedPassedByAnOlderCommit completes the build of commit 3, which died with a number that was passed already: while
// it uploaded, 0.0.2 was promoted and commit 2 built, which is live since. Its number is below commit 2's, and yet it is owed
// another one, as GitHub tells that it is newer.
func TestUnfinishedPassedByAnOlderCommit(t *testing.T) {
	for title, c := range map[string]struct {
		history line
		want    string
	}{
		"GitHub tells":    {line{}, "0.0.4-rc.1"},
		"GitHub does not": {line{err: errors.New("503")}, "0.0.2-rc.2"},
	} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			name(t, s, mustBuild(t, buildOf(t, s, 0)).Candidate, "0.0.1")
			one := mustBuild(t, buildOf(t, s, 1))
			b := buildOf(t, s, 3)
			var once sync.Once
			b.Upload = func(int64, int64) {
				once.Do(func() {
					name(t, s, one.Candidate, "0.0.2")
					mustBuild(t, buildOf(t, s, 2))
				})
			}
			dieAt(t, s, b, func(tag string) bool { return tag == "0.0.3-rc.2" })
			name(t, s, "0.0.3-rc.1", "0.0.3")
			b.Upload, b.History = nil, c.history
			if r := mustBuild(t, b); r.Outcome != Unchanged || r.Candidate != c.want || len(r.Tags) != 3 {
				t.Errorf("%s %s, want unchanged %s: %v", r.Outcome, r.Candidate, c.want, tagsOf(t, s))
			}
		})
	}
}

// TestUnfinishedHasTwoNumbers completes a build that died with a number which a promotion passed and one above the stable,
// which the artifact of a later time stands between. It holds the one above.
func TestUnfinishedHasTwoNumbers(t *testing.T) {
	for title, history := range map[string]History{"with GitHub": branches{}, "without GitHub": nil} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			of := func(repo Repository, n int) Build {
				b := buildOf(t, repo, n)
				b.History = history
				return b
			}
			first := mustBuild(t, buildOf(t, s, 0))
			var once sync.Once
			b := of(&hooked{Store: s.Store, after: func(tag string) {
				if tag == "0.0.1-rc.2" {
					once.Do(func() {
						mustBuild(t, of(s, 0x100))
						name(t, s, first.Candidate, "0.0.1")
					})
				}
			}}, 2)
			dieAt(t, s, b, isIntegration)
			mustBuild(t, of(s, 0x101))
			b.Repo = s
			before := len(tagsOf(t, s))
			r := mustBuild(t, b)
			if tags := tagsOf(t, s); r.Candidate != "0.0.2-rc.1" || len(tags) != before+1 {
				t.Errorf("%s %s, want 0.0.2-rc.1 and one more tag: %v", r.Outcome, r.Candidate, tags)
			}
		})
	}
}

// unread is a repository that lists a tag and answers the first reads of it as if it were not there.
type unread struct {
	*hooked
	tag   string
	times int
}

func (u *unread) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	if tag == u.tag && u.times > 0 {
		u.times--
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return u.hooked.Resolve(ctx, tag)
}

// TestListedNotReadableYet has the registry list a tag that it cannot be asked for yet: the stable that passed a build's
// number, and the newest candidate, which an older commit comes after. Neither is taken for absent.
func TestListedNotReadableYet(t *testing.T) {
	t.Run("stable", func(t *testing.T) {
		s := newStore(t)
		first := mustBuild(t, buildOf(t, s, 0))
		b := buildOf(t, s, 1)
		dieAt(t, s, b, isIntegration)
		name(t, s, first.Candidate, "0.0.1")
		b.Repo = &unread{s, "0.0.1", 1}
		if r := mustBuild(t, b); r.Candidate != "0.0.2-rc.1" {
			t.Errorf("%s %s, want 0.0.2-rc.1: %v", r.Outcome, r.Candidate, tagsOf(t, s))
		}
	})
	t.Run("candidate", func(t *testing.T) {
		s := newStore(t)
		newer := mustBuild(t, buildOf(t, s, 2))
		if r := mustBuild(t, buildOf(t, &unread{s, newer.Candidate, 1}, 1)); r.Outcome != Superseded {
			t.Errorf("%s %s, want superseded: %v", r.Outcome, r.Candidate, tagsOf(t, s))
		}
	})
	t.Run("candidate, for good", func(t *testing.T) {
		s := openStore(t, t.TempDir())
		synctest.Test(t, func(t *testing.T) {
			newer := mustBuild(t, buildOf(t, s, 2))
			r := mustBuild(t, buildOf(t, &unread{s, newer.Candidate, 1000}, 1))
			if r.Outcome != Created || !strings.Contains(strings.Join(r.Warnings, "\n"), "cannot be read") {
				t.Errorf("%s %s, want created with a warning: %q", r.Outcome, r.Candidate, r.Warnings)
			}
		})
	})
	t.Run("stable of bump auto", func(t *testing.T) {
		s := newStore(t)
		name(t, s, mustBuild(t, buildOf(t, s, 0)).Candidate, "0.0.1")
		b := buildOf(t, &unread{s, "0.0.1", 1}, 1)
		b.AutoBump, b.History = true, line{messages: []string{"feat: more"}}
		if r := mustBuild(t, b); r.Candidate != "0.1.0-rc.1" {
			t.Errorf("%s %s, want 0.1.0-rc.1: %q", r.Outcome, r.Candidate, r.Warnings)
		}
	})
	t.Run("stable, for long", func(t *testing.T) {
		s := openStore(t, t.TempDir())
		synctest.Test(t, func(t *testing.T) {
			first := mustBuild(t, buildOf(t, s, 0))
			b := buildOf(t, s, 1)
			dieAt(t, s, b, isIntegration)
			name(t, s, first.Candidate, "0.0.1")
			b.Repo = &unread{s, "0.0.1", 1000}
			var refused *refusal
			if _, err := b.Run(t.Context()); !errors.As(err, &refused) || len(tagsOf(t, s)) != 6 {
				t.Errorf("%v, want a refusal and nothing written: %v", err, tagsOf(t, s))
			}
		})
	})
}

// TestPromotedWhileNumbering has a build's own number be promoted before it is done, or before the run that completes it
// is. An artifact that is live keeps the number that it has.
func TestPromotedWhileNumbering(t *testing.T) {
	promote := func(s *hooked) { name(t, s, "0.0.1-rc.2", "0.0.1") }
	for title, dies := range map[string]bool{"once": false, "completed": true} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			mustBuild(t, buildOf(t, s, 0))
			b := buildOf(t, nil, 1)
			b.Repo = &hooked{Store: s.Store, after: func(tag string) {
				if isCandidate(tag) {
					promote(s)
				}
			}}
			if dies {
				dieAt(t, s, b, isIntegration)
				b.Repo = &thief{hooked: &hooked{Store: s.Store}, tag: "0.0.1-rc.2", reads: 1, steal: func() { promote(s) }}
			}
			if r := mustBuild(t, b); r.Candidate != "0.0.1-rc.2" || len(r.Tags) != 3 {
				t.Errorf("%s %s with tags %q: %v", r.Outcome, r.Candidate, r.Tags, tagsOf(t, s))
			}
		})
	}
}

// TestUnfinishedCostsLittle counts what completing a build asks for. Numbers follow commits, so that the one below the newest
// commit's tells enough; for a branch, which is older than all of main since, the looks are bounded.
func TestUnfinishedCostsLittle(t *testing.T) {
	for title, c := range map[string]struct {
		builds, n int
		created   time.Time
		most      int64
	}{
		"the newest commit": {30, 30, epoch.Add(30 * time.Minute), 8},
		"a branch":          {100, 0x100, epoch.Add(30 * time.Second), 50},
	} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			for n := range c.builds {
				mustBuild(t, buildOf(t, s, n))
			}
			b := buildOf(t, nil, c.n)
			b.Meta.Created, b.History = c.created, branches{}
			dieAt(t, s, b, isIntegration)
			asked := &counted{hooked: s}
			b.Repo = asked
			if r := mustBuild(t, b); r.Candidate != fmt.Sprintf("0.0.1-rc.%d", c.builds+1) || asked.asked.Load() > c.most {
				t.Errorf("%s after %d questions", r.Candidate, asked.asked.Load())
			}
		})
	}
}

// TestNewestOfAnotherLengthCostsLittle counts what a build asks for after sha-length was changed: the newest candidate's
// build has ended, whatever the length of the tag by which it said so.
func TestNewestOfAnotherLengthCostsLittle(t *testing.T) {
	s := newStore(t)
	const builds = 30
	for n := range builds {
		mustBuild(t, buildOf(t, s, n))
	}
	asked := &counted{hooked: s}
	b := buildOf(t, asked, builds)
	b.SHALength, b.History = 12, line{}
	if r := mustBuild(t, b); r.Outcome != Created || asked.asked.Load() > 3 {
		t.Errorf("%s %s after %d questions", r.Outcome, r.Candidate, asked.asked.Load())
	}
}

// TestLateWithoutANumber has a build say that it is done, without a number since it came late, while another one of a
// branch is under way, which began when the newer commit had its number. The other one takes it for no build that lost
// its number.
func TestLateWithoutANumber(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dieAt(t, s, buildOf(t, s, 1), isCandidate)
	mustBuild(t, buildOf(t, s, 2))
	branch := buildOf(t, &hooked{Store: s.Store, after: func(tag string) {
		if isCandidate(tag) {
			name(t, s, shaPrefix+commitNumber(1)[:7], integrationPrefix+commitNumber(1)[:7])
		}
	}}, 3)
	branch.History = beside{branch: commitNumber(3)}
	r := mustBuild(t, branch)
	if tags := tagsOf(t, s); r.Candidate != "0.0.1-rc.2" || topOf(tags) != r.Candidate {
		t.Errorf("reported %s, tags %v", r.Candidate, tags)
	}
}

// TestLateNeighbourIsLookedForOnce has a build wait for a neighbour beside one that came late and is done. It looks
// through the whole history for a number of that once, not at each look.
func TestLateNeighbourIsLookedForOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const builds = 100
		s := openStore(t, dir)
		for n := range builds {
			mustBuild(t, buildOf(t, s, 2+n))
		}
		late, waiting := buildOf(t, s, 1), buildOf(t, s, 201)
		late.History, waiting.History, waiting.Meta.Created = diverged{}, diverged{}, time.Now()
		c := &counted{hooked: &hooked{Store: s.Store}}
		c.after = func(tag string) {
			switch {
			case strings.HasPrefix(tag, shaPrefix):
				dieAt(t, s, late, isCandidate)
				dieAt(t, s, waiting, isCandidate)
				name(t, s, shaPrefix+commitNumber(1)[:7], integrationPrefix+commitNumber(1)[:7])
			case isCandidate(tag):
				c.asked.Store(0)
			}
		}
		b := buildOf(t, c, 200)
		b.History = line{}
		r := mustBuild(t, b)
		if asked := c.asked.Load(); r.Candidate != "0.0.1-rc.101" || asked > 4*builds {
			t.Errorf("%s after %d questions, in a history of %d", r.Candidate, asked, builds)
		}
	})
}

func isIntegration(tag string) bool { return strings.HasPrefix(tag, integrationPrefix) }

// dieAt runs a build until it wants to write a tag at which it dies. What its repository does after a write goes on.
func dieAt(t *testing.T, s *hooked, b Build, deadly func(tag string) bool) {
	t.Helper()
	killed := errors.New("killed")
	dying := &hooked{Store: s.Store, before: func(tag string) error {
		if deadly(tag) {
			return killed
		}
		return nil
	}}
	if h, ok := b.Repo.(*hooked); ok {
		dying.after = h.after
	}
	b.Repo = dying
	if _, err := b.Run(t.Context()); !errors.Is(err, killed) {
		t.Error(err)
	}
}
