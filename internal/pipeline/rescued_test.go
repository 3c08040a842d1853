package pipeline

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRescuedWhileNumbering has a promotion take the base of two builds under way, and rescue one of them just when that
// has chosen a number for itself, which it is slow to write. The other must not take it for numbered, and so for done with
// writing: it would lose its own number without seeing it.
func TestRescuedWhileNumbering(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	promoted := mustBuild(t, buildOf(t, s, 1))
	taken, rescued, numbered := make(chan struct{}), make(chan struct{}), make(chan struct{})
	reports := make(chan Report, 1)

	var once sync.Once
	quick := &hooked{Store: s.Store}
	quick.after = func(tag string) {
		switch {
		case tag == "0.0.1-rc.3":
			name(t, s, promoted.Candidate, "0.0.1")
			close(taken)
			<-rescued
		case strings.HasPrefix(tag, "0.0.2-rc."):
			once.Do(func() { close(numbered) })
		}
	}
	fast := buildOf(t, quick, 3)
	fast.Meta.Created = time.Now()

	slow := &hooked{Store: s.Store}
	slow.after = func(tag string) {
		if tag == "0.0.1-rc.2" {
			go func() {
				r, err := fast.Run(t.Context())
				if err != nil {
					t.Error(err)
				}
				reports <- r
			}()
			<-taken
		}
	}
	slow.before = func(tag string) error {
		if tag == "0.0.2-rc.1" {
			name(t, s, "0.0.1-rc.2", "0.0.2-rc.0")
			close(rescued)
			<-numbered
			time.Sleep(time.Second) // a build that waits for nobody is done by then
		}
		return nil
	}
	first := buildOf(t, slow, 2)
	first.Meta.Created = time.Now().Add(-time.Second) // old ones that are not done count as crashed
	r := mustBuild(t, first)
	tags := tagsOf(t, s)
	for _, r := range []Report{r, <-reports} {
		if tags[r.Candidate] != r.Digest.String() || !strings.HasPrefix(r.Candidate, "0.0.2-rc.") {
			t.Errorf("a build reports %s on %s, which names %s", r.Candidate, r.Digest, tags[r.Candidate])
		}
	}
	if t.Failed() {
		t.Log(tags)
	}
}

// TestBaseTakenWhenDone has a promotion take the base of a build that just said that it is done. Nobody waits for that
// any more, so that it must not take another number; the promotion's rescue gives it one where that is due.
func TestBaseTakenWhenDone(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	promoted := mustBuild(t, buildOf(t, s, 1))
	killed := errors.New("killed")
	ours := &hooked{Store: s.Store}
	ours.after = func(tag string) {
		switch {
		case strings.HasPrefix(tag, shaPrefix): // a neighbour announces itself and goes no further
			half := &hooked{Store: s.Store, before: func(tag string) error {
				if isCandidate(tag) {
					return killed
				}
				return nil
			}}
			if _, err := buildOf(t, half, 3).Run(t.Context()); !errors.Is(err, killed) {
				t.Error(err)
			}
		case strings.HasPrefix(tag, integrationPrefix):
			name(t, s, promoted.Candidate, "0.0.1")
		}
	}
	r := mustBuild(t, buildOf(t, ours, 2))
	tags := tagsOf(t, s)
	if r.Candidate != "0.0.1-rc.2" || tags[r.Candidate] != r.Digest.String() || tags["0.0.2-rc.1"] != "" {
		t.Errorf("reports %s on %s, tags %v", r.Candidate, r.Digest, tags)
	}
}
