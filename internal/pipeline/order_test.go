package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// TestLargerBumpOfAnOlderCommit has an older commit take a higher base meanwhile.
func TestLargerBumpOfAnOlderCommit(t *testing.T) {
	s := newStore(t)
	name(t, s, mustBuild(t, buildOf(t, s, 0)).Candidate, "0.0.1")
	var once sync.Once
	ours := &hooked{Store: s.Store, after: func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) {
			once.Do(func() {
				older := buildOf(t, s, 1)
				older.Bump, older.History = version.Minor, diverged{}
				mustBuild(t, older)
			})
		}
	}}
	b := buildOf(t, ours, 2)
	b.History = line{}
	if r := mustBuild(t, b); r.Candidate != "0.1.0-rc.2" {
		t.Errorf("candidate %s, want 0.1.0-rc.2, above the older commit's 0.1.0-rc.1: %v", r.Candidate, fmt.Sprint(tagsOf(t, s)))
	}
}

// TestLargerBumpOfASlowOlderCommit has newer commits come and go before commit 1 takes a higher base. Integration stays
// with the newest of them that no rollback holds back. So it does where the build of commit 1 is killed before each of its
// writes, and run again.
func TestLargerBumpOfASlowOlderCommit(t *testing.T) {
	type meanwhile struct {
		build func(n int)           // of a commit
		give  func(n int, v string) // a stable, to the artifact of a commit
	}
	for title, c := range map[string]struct {
		happens func(meanwhile)
		top     int // the commit that has the highest number in the end
	}{
		"in flight": {func(m meanwhile) { m.build(2) }, 2},
		"promoted":  {func(m meanwhile) { m.build(2); m.give(2, "0.0.2") }, 2},
		"rollback from it": {func(m meanwhile) {
			m.build(2)
			m.give(2, "0.0.2")
			m.give(0, "0.0.3")
		}, 1},
		"rollback onto it, from a newer one": {func(m meanwhile) {
			m.build(2)
			m.give(2, "0.0.2")
			m.build(3)
			m.give(3, "0.0.3")
			m.give(2, "0.0.4")
		}, 2},
		"rollback from it, and forward again": {func(m meanwhile) {
			m.build(2)
			m.give(2, "0.0.2")
			m.give(0, "0.0.3")
			m.give(2, "0.0.4")
		}, 2},
		"never live, under a rollback": {func(m meanwhile) {
			m.build(2)
			m.build(3)
			m.give(2, "0.0.2")
			m.give(0, "0.0.3")
		}, 1},
		"a branch promoted above it": {func(m meanwhile) {
			m.build(2)
			m.give(2, "0.0.2")
			m.build(0x100)
			m.give(0x100, "0.0.3")
		}, 2},
		"a branch of before commit 1 above it": {func(m meanwhile) { m.build(2); m.build(0x200) }, 2},
		"far below, under branches": {func(m meanwhile) {
			m.build(2)
			for n := range 12 {
				m.build(0x100 + n)
			}
		}, 2},
	} {
		for _, dies := range []string{"", "0.1.0-rc.2", integrationPrefix + commitNumber(1)[:7]} {
			t.Run(title+", dies at "+dies, func(t *testing.T) {
				s := newStore(t)
				of := func(repo Repository, n int) Build {
					b := buildOf(t, repo, n)
					b.History = branches{}
					if n == 0x200 {
						b.Meta.Created = epoch
					}
					return b
				}
				name(t, s, mustBuild(t, of(s, 0)).Candidate, "0.0.1")
				killed := errors.New("killed")
				b := of(&hooked{Store: s.Store, after: func(tag string) {
					if strings.HasPrefix(tag, shaPrefix) {
						c.happens(meanwhile{
							func(n int) { mustBuild(t, of(s, n)) },
							func(n int, v string) { name(t, s, shaPrefix+commitNumber(n)[:7], v) },
						})
					}
				}, before: func(tag string) error {
					if tag == dies {
						return killed
					}
					return nil
				}}, 1)
				b.Bump = version.Minor
				r, err := b.Run(t.Context())
				if errors.Is(err, killed) {
					b.Repo = s
					r, err = b.Run(t.Context())
				}
				if err != nil {
					t.Fatal(err)
				}
				tags := tagsOf(t, s)
				top := topOf(tags)
				if tags[top] != tags[shaPrefix+commitNumber(c.top)[:7]] || r.Candidate != "0.1.0-rc.1" || tags[r.Candidate] != r.Digest.String() || r.Selected.Integration != top {
					t.Errorf("commit 1 reports %s on %s, integration selects %s, want commit %d's: %v", r.Candidate, r.Digest, r.Selected.Integration, c.top, tags)
				}
			})
		}
	}
}

// TestHeldBackIsAskedOnce counts what completing a build asks for where a rollback holds back many newer commits.
func TestHeldBackIsAskedOnce(t *testing.T) {
	s := newStore(t)
	const newer = 30
	give := func(n int, stable string) { name(t, s, shaPrefix+commitNumber(n)[:7], stable) }
	mustBuild(t, buildOf(t, s, 0))
	give(0, "0.0.1")
	b := buildOf(t, &hooked{Store: s.Store, after: func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) {
			for n := range newer {
				mustBuild(t, buildOf(t, s, 2+n))
			}
			for n := range newer {
				give(2+n, fmt.Sprintf("0.0.%d", 2+n))
			}
			give(0, "0.0.99")
		}
	}}, 1)
	b.Bump, b.History = version.Minor, line{}
	dieAt(t, s, b, isIntegration)
	asked := &counted{hooked: s}
	b.Repo = asked
	if r := mustBuild(t, b); r.Candidate != "0.1.0-rc.1" || asked.asked.Load() > 3*newer {
		t.Errorf("%s after %d questions", r.Candidate, asked.asked.Load())
	}
}

// onLine is the build of a commit that GitHub knows; commit 1's has a larger bump.
func onLine(t *testing.T, repo Repository, n int) Build {
	t.Helper()
	b := buildOf(t, repo, n)
	b.History = line{}
	if n == 1 {
		b.Bump = version.Minor
	}
	return b
}

// TestBetweenOlderAndNewer has commit 1, with a larger bump, end up above commit 3, and commit 2 be built beside them, as the
// one that could hide commit 3 from commit 1. Commit 3 is lifted above both.
func TestBetweenOlderAndNewer(t *testing.T) {
	type world struct {
		s *hooked
		// older is commit 1's build, beside which commit 3 is built; after it has its number, claimed is called.
		older func(claimed func()) Build
	}
	for title, happens := range map[string]func(t *testing.T, w world){
		"all live": func(t *testing.T, w world) {
			mustBuild(t, w.older(func() { mustBuild(t, onLine(t, w.s, 2)) }))
		},
		"the older one is killed, and commit 2 completed": func(t *testing.T, w world) {
			dieAt(t, w.s, onLine(t, w.s, 2), isCandidate)
			dieAt(t, w.s, w.older(func() {}), func(tag string) bool { return tag == "0.1.0-rc.2" })
			mustBuild(t, onLine(t, w.s, 2))
		},
		"the older one is killed": func(t *testing.T, w world) {
			dieAt(t, w.s, w.older(func() {}), func(tag string) bool { return tag == "0.1.0-rc.2" })
			mustBuild(t, onLine(t, w.s, 2))
		},
		"the older one is killed, and completed after one that cannot ask GitHub": func(t *testing.T, w world) {
			dieAt(t, w.s, w.older(func() {}), func(tag string) bool { return tag == "0.1.0-rc.2" })
			mustBuild(t, buildOf(t, w.s, 2))
			mustBuild(t, onLine(t, w.s, 1))
		},
		"the older one ends when commit 2 has its number, which is killed": func(t *testing.T, w world) {
			mustBuild(t, w.older(func() {
				dieAt(t, w.s, onLine(t, w.s, 2), func(tag string) bool { return isIntegration(tag) || tag == "0.1.0-rc.3" })
			}))
			mustBuild(t, onLine(t, w.s, 2))
		},
		"the older one ends between commit 2's number and its look": func(t *testing.T, w world) {
			endsBetween(t, w.s, w.older, onLine(t, w.s, 2))
		},
		"the older one ends between the number of commit 2, completed, and its look": func(t *testing.T, w world) {
			dieAt(t, w.s, onLine(t, w.s, 2), isCandidate)
			endsBetween(t, w.s, w.older, onLine(t, w.s, 2))
		},
		"the older one is killed, and promoted before it is completed": func(t *testing.T, w world) {
			dieAt(t, w.s, w.older(func() {}), func(tag string) bool { return tag == "0.1.0-rc.2" })
			name(t, w.s, "0.1.0-rc.1", "0.1.0")
			if r := mustBuild(t, onLine(t, w.s, 1)); r.Candidate != "0.1.0-rc.1" || r.Selected.Integration != "0.1.1-rc.1" {
				t.Errorf("commit 1 reports %s, and that integration selects %s", r.Candidate, r.Selected.Integration)
			}
		},
		"the older one is promoted while commit 2 is numbered, which leaves that to it": func(t *testing.T, w world) {
			dieAt(t, w.s, w.older(func() {}), func(tag string) bool { return tag == "0.1.0-rc.2" })
			mustBuild(t, onLine(t, &hooked{Store: w.s.Store, after: func(tag string) {
				if tag == "0.1.0-rc.2" {
					name(t, w.s, "0.1.0-rc.1", "0.1.0")
				}
			}}, 2))
		},
		"the older one is promoted, and completed when commit 2 is rescued": func(t *testing.T, w world) {
			dieAt(t, w.s, w.older(func() {}), func(tag string) bool { return tag == "0.1.0-rc.2" })
			mustBuild(t, buildOf(t, w.s, 2))
			name(t, w.s, "0.1.0-rc.1", "0.1.0")
			name(t, w.s, "0.1.0-rc.2", "0.1.1-rc.0")
			mustBuild(t, onLine(t, w.s, 1))
		},
		"the older one is promoted before it has lifted": func(t *testing.T, w world) {
			if r := mustBuild(t, w.older(func() { name(t, w.s, "0.1.0-rc.1", "0.1.0") })); r.Candidate != "0.1.0-rc.1" || r.Selected.Integration != "0.1.1-rc.1" {
				t.Errorf("commit 1 reports %s, and that integration selects %s", r.Candidate, r.Selected.Integration)
			}
		},
	} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			name(t, s, mustBuild(t, buildOf(t, s, 0)).Candidate, "0.0.1")
			happens(t, world{s, func(claimed func()) Build {
				return onLine(t, &hooked{Store: s.Store, after: func(tag string) {
					switch {
					case strings.HasPrefix(tag, shaPrefix):
						mustBuild(t, onLine(t, s, 3))
					case tag == "0.1.0-rc.1":
						claimed()
					}
				}}, 1)
			}})
			tags := tagsOf(t, s)
			if top := topOf(tags); tags[top] != tags[shaPrefix+commitNumber(3)[:7]] {
				t.Errorf("%s is not commit 3's: %v", top, tags)
			}
		})
	}
}

// TestBesideABranchCostsLittle counts what the first build of a branch asks for, where the build of main's newest commit has
// not ended: it is none that could have anything to lift.
func TestBesideABranchCostsLittle(t *testing.T) {
	s := newStore(t)
	const builds = 30
	for n := range builds {
		mustBuild(t, buildOf(t, s, n))
	}
	dieAt(t, s, buildOf(t, s, builds), isIntegration)
	asked := &counted{hooked: s}
	b := buildOf(t, asked, 0x100)
	b.History = branches{}
	if r := mustBuild(t, b); r.Outcome != Created || asked.asked.Load() > 30 {
		t.Errorf("%s %s after %d questions", r.Outcome, r.Candidate, asked.asked.Load())
	}
}

// TestSupersededReportsWhatItLifted has commit 2 lose its number while commit 3 is below commit 1, which was killed. What it
// says of integration is what is there after it has lifted commit 3.
func TestSupersededReportsWhatItLifted(t *testing.T) {
	s := newStore(t)
	name(t, s, mustBuild(t, onLine(t, s, 0)).Candidate, "0.0.1")
	dieAt(t, s, onLine(t, s, 2), isCandidate)
	dieAt(t, s, onLine(t, &hooked{Store: s.Store, after: func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) {
			mustBuild(t, onLine(t, s, 3))
		}
	}}, 1), func(tag string) bool { return tag == "0.1.0-rc.2" })
	ours := &thief{hooked: &hooked{Store: s.Store}, tag: "0.1.0-rc.2", reads: 2}
	ours.steal = func() { name(t, s, shaPrefix+commitNumber(1)[:7], "0.1.0-rc.2") }
	r := mustBuild(t, onLine(t, ours, 2))
	if tags := tagsOf(t, s); r.Outcome != Superseded || r.Selected.Integration != topOf(tags) || tags[topOf(tags)] != tags[shaPrefix+commitNumber(3)[:7]] {
		t.Errorf("%s, integration selects %s: %v", r.Outcome, r.Selected.Integration, tags)
	}
}

// endsBetween has the older one's build end when b has written its number, before it looks around.
func endsBetween(t *testing.T, s *hooked, older func(claimed func()) Build, b Build) {
	t.Helper()
	claimed, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	slow := older(func() { close(claimed); <-goOn })
	go func() {
		defer close(ended)
		if _, err := slow.Run(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	<-claimed
	b.Repo = &hooked{Store: s.Store, after: func(tag string) {
		if tag == "0.1.0-rc.2" {
			close(goOn)
			<-ended
		}
	}}
	mustBuild(t, b)
}

// TestRollbackHoldsUnderALaterStable has commit 1, with a larger bump, be killed and promoted above a rollback. What that held
// back is not lifted by whoever is built then.
func TestRollbackHoldsUnderALaterStable(t *testing.T) {
	for title, builds := range map[string]int{"commit 1, completed": 1, "commit 2, for the first time": 2} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			give := func(n int, stable string) { name(t, s, shaPrefix+commitNumber(n)[:7], stable) }
			mustBuild(t, onLine(t, s, 0))
			give(0, "0.0.1")
			dieAt(t, s, onLine(t, &hooked{Store: s.Store, after: func(tag string) {
				if strings.HasPrefix(tag, shaPrefix) {
					mustBuild(t, onLine(t, s, 3))
					mustBuild(t, onLine(t, s, 4))
					give(3, "0.0.2")
					give(0, "0.0.3")
				}
			}}, 1), isIntegration)
			give(1, "0.1.0")
			r := mustBuild(t, onLine(t, s, builds))
			if tags := tagsOf(t, s); tags[topOf(tags)] != r.Digest.String() {
				t.Errorf("%s is what the rollback held back: %v", topOf(tags), tags)
			}
		})
	}
}

// TestHoldsBack gives stables by what they name, 0.0.1 the first; the candidate is 0.0.2-rc.1 of artifact b.
func TestHoldsBack(t *testing.T) {
	c, err := version.ParseCandidate("0.0.2-rc.1")
	if err != nil {
		t.Fatal(err)
	}
	for stables, want := range map[string]bool{
		"":     false,
		"a":    false, // it is above
		"ac":   false, // only passed
		"aa":   true,
		"aca":  true,
		"acad": true,  // for good
		"bab":  false, // the rollback is to it
		"abab": false, // rolled forward again
		"acab": false, // live after all
		"baba": true,
		"aba":  true,  // from it
		"a??":  false, // gone
	} {
		var tags []string
		named := map[string]digest.Digest{}
		for i, d := range stables {
			tags = append(tags, fmt.Sprintf("0.0.%d", i+1))
			named[tags[i]] = digest.Digest(strings.Trim(string(d), "?"))
		}
		if got := holdsBack(version.Read(tags), named, c, "b"); got != want {
			t.Errorf("%q: %t, want %t", stables, got, want)
		}
	}
	if holdsBack(version.Read([]string{"0.0.1", "0.0.1-rc.2", "0.0.2"}), map[string]digest.Digest{"0.0.1": "a", "0.0.2": "a"}, version.Candidate{Base: c.Base.Bump(version.Patch), N: 1}, "b") {
		t.Error("a rollback holds back what is above it")
	}
}

// TestRollbackNotReadableYet has the registry list a rollback that it cannot be asked for yet. What that holds back is not
// lifted because of that.
func TestRollbackNotReadableYet(t *testing.T) {
	s := newStore(t)
	give := func(n int, stable string) { name(t, s, shaPrefix+commitNumber(n)[:7], stable) }
	mustBuild(t, buildOf(t, s, 0))
	give(0, "0.0.1")
	b := onLine(t, &hooked{Store: s.Store, after: func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) {
			mustBuild(t, buildOf(t, s, 2))
			give(2, "0.0.2")
			give(0, "0.0.3")
		}
	}}, 1)
	dieAt(t, s, b, isIntegration)
	b.Repo = &unread{s, "0.0.3", 1}
	r := mustBuild(t, b)
	if tags := tagsOf(t, s); tags[topOf(tags)] != r.Digest.String() {
		t.Errorf("%s is what the rollback held back: %v", topOf(tags), tags)
	}
}

// branches is a line of which each commit from 0x100 on is a branch of its own.
type branches struct{ line }

func (h branches) Contains(ctx context.Context, newer, commit string) (bool, error) {
	if branch := commitNumber(0x100); newer >= branch || commit >= branch {
		return commit < branch && commit == commitNumber(0), nil
	}
	return h.line.Contains(ctx, newer, commit)
}

// TestOrderThatGitHubDoesNotTell leaves the numbers as they are, and says so once.
func TestOrderThatGitHubDoesNotTell(t *testing.T) {
	s := newStore(t)
	name(t, s, mustBuild(t, buildOf(t, s, 0)).Candidate, "0.0.1")
	b := buildOf(t, &hooked{Store: s.Store, after: func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) {
			mustBuild(t, buildOf(t, s, 2))
			mustBuild(t, buildOf(t, s, 3))
		}
	}}, 1)
	b.Bump, b.History = version.Minor, line{err: errors.New("503")}
	r := mustBuild(t, b)
	if top := topOf(tagsOf(t, s)); top != "0.1.0-rc.1" || r.Candidate != top || strings.Count(strings.Join(r.Warnings, "\n"), "end above a newer one") != 1 {
		t.Errorf("%s of %s, warnings %q", r.Candidate, top, r.Warnings)
	}
}
