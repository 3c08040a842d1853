package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

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

// TestResumedBetweenOlderAndNewer completes a build of commit 2, which died before it had a number, when commit 3 has one and
// commit 1 died with a higher one. Commit 3 is lifted above both.
func TestResumedBetweenOlderAndNewer(t *testing.T) {
	s := newStore(t)
	name(t, s, mustBuild(t, buildOf(t, s, 0)).Candidate, "0.0.1")
	of := func(n int, bump version.Bump) Build {
		b := buildOf(t, s, n)
		b.Bump, b.History = bump, line{}
		return b
	}
	dieAt(t, s, of(2, version.Patch), isCandidate)
	older := of(1, version.Minor)
	older.Repo = &hooked{Store: s.Store, after: func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) {
			mustBuild(t, of(3, version.Patch))
		}
	}}
	dieAt(t, s, older, func(tag string) bool { return tag == "0.1.0-rc.2" })
	mustBuild(t, of(2, version.Patch))
	tags := tagsOf(t, s)
	if top := topOf(tags); tags[top] != tags[shaPrefix+commitNumber(3)[:7]] {
		t.Errorf("%s is not commit 3's: %v", top, tags)
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
