package pipeline

import (
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

// TestLargerBumpOfASlowOlderCommit has a newer commit come and go before an older one takes a higher base, and perhaps
// more happen to the newer one meanwhile. Integration stays with the newer one, but for a rollback from it, which holds.
// So it does where the build of the older one is killed before each of its writes, and run again.
func TestLargerBumpOfASlowOlderCommit(t *testing.T) {
	for title, c := range map[string]struct {
		stables []string // given meanwhile: to the newer commit's candidate, then to the first commit's
		want    string   // the number that the newer one has in the end
	}{
		"in flight":   {nil, "0.1.0-rc.2"},
		"promoted":    {[]string{"0.0.2"}, "0.1.0-rc.2"},
		"rolled back": {[]string{"0.0.2", "0.0.3"}, "0.0.2-rc.1"},
	} {
		for _, dies := range []string{"", "0.1.0-rc.2", integrationPrefix + commitNumber(1)[:7]} {
			t.Run(title+", dies at "+dies, func(t *testing.T) {
				s := newStore(t)
				name(t, s, mustBuild(t, buildOf(t, s, 0)).Candidate, "0.0.1")
				var newer Report
				meanwhile := func(tag string) {
					if !strings.HasPrefix(tag, shaPrefix) {
						return
					}
					newer = mustBuild(t, buildOf(t, s, 2))
					for i, stable := range c.stables {
						name(t, s, []string{newer.Candidate, "0.0.1"}[i], stable)
					}
				}
				killed := errors.New("killed")
				b := buildOf(t, &hooked{Store: s.Store, after: meanwhile, before: func(tag string) error {
					if tag == dies {
						return killed
					}
					return nil
				}}, 1)
				b.Bump, b.History = version.Minor, line{}
				r, err := b.Run(t.Context())
				if errors.Is(err, killed) {
					b.Repo = s
					r, err = b.Run(t.Context())
				}
				if err != nil {
					t.Fatal(err)
				}
				tags := tagsOf(t, s)
				if tags[c.want] != newer.Digest.String() || r.Candidate != "0.1.0-rc.1" || tags[r.Candidate] != r.Digest.String() || r.Selected.Integration != topOf(tags) {
					t.Errorf("the older commit reports %s on %s, the newer one's artifact is %s, and integration selects %s: %v",
						r.Candidate, r.Digest, newer.Digest, r.Selected.Integration, tags)
				}
				if top := topOf(tags); c.want != top && top != r.Candidate {
					t.Errorf("the highest is %s, want %s or %s", top, c.want, r.Candidate)
				}
			})
		}
	}
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
	if top := topOf(tagsOf(t, s)); top != "0.1.0-rc.1" || r.Candidate != top || strings.Count(strings.Join(r.Warnings, "\n"), "keep the numbers") != 1 {
		t.Errorf("%s of %s, warnings %q", r.Candidate, top, r.Warnings)
	}
}
