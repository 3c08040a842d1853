package version

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// story is a repository to which random things happen: commits on a main line and beside it, squashed,
// merged or rewritten; builds, slow ones, and those of another tool; promotions by the rules
// and by hand; clean-ups; runs that are killed before they write what is due.
type story struct {
	*world
	t   *testing.T
	rng *rand.Rand
	log []string

	parents  history // the truth, of which GitHub may know less
	height   map[string]uint64
	bump     map[string]Bump
	tip      string
	branches []string
	linear   bool // no branch and no rewriting yet
	legacy   bool // the builds are another tool's

	digests []string // built, the oldest first
	slow    []claim  // candidates that a slow build will write
	passed  map[digest.Digest]Stable
	cleaned bool
}

// claim is a candidate that a run wants to write for an artifact.
type claim struct {
	c Candidate
	a Artifact
}

func newStory(t *testing.T, seed uint64) *story {
	s := &story{
		world: &world{tags: map[string]digest.Digest{}, artifacts: map[digest.Digest]Artifact{}, history: history{}},
		t:     t, rng: rand.New(rand.NewPCG(seed, 0)),
		parents: history{}, height: map[string]uint64{}, bump: map[string]Bump{}, linear: true, passed: map[digest.Digest]Stable{},
	}
	if s.one(4) {
		s.history = nil
	}
	s.legacy = s.one(3)
	for range 1 + s.rng.IntN(3) {
		s.commit(s.tip)
	}
	return s
}

// one is true once in n times.
func (s *story) one(n int) bool { return s.rng.IntN(n) == 0 }

func pick[T any](s *story, all []T) T { return all[s.rng.IntN(len(all))] }

func (s *story) note(format string, args ...any) { s.log = append(s.log, fmt.Sprintf(format, args...)) }

func (s *story) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s\n%s\n%s", fmt.Sprintf(format, args...), strings.Join(s.log, "\n"), s.world)
}

// child makes a commit, and gives its name.
func (s *story) child(parents ...string) string {
	name := fmt.Sprintf("c%d", len(s.parents)+1)
	s.parents[name] = slices.DeleteFunc(parents, func(p string) bool { return p == "" })
	for other := range s.parents {
		if s.parents.leads(other, name) {
			s.height[name]++
		}
	}
	if s.one(4) {
		s.bump[name] = Bump(1 + s.rng.IntN(2))
	}
	if s.history != nil {
		s.history[name] = s.parents[name]
	}
	return name
}

// commit is the next one of the main line.
func (s *story) commit(parents ...string) {
	s.tip = s.child(parents...)
	s.note("commit %s of %v, height %d", s.tip, parents, s.height[s.tip])
}

// branch is a commit beside the main line.
func (s *story) branch() {
	from := s.tip
	if len(s.branches) > 0 && !s.one(3) {
		from = pick(s, s.branches)
	}
	name := s.child(from)
	s.branches = append(s.branches, name)
	s.linear = false
	s.note("branch %s of %s, height %d", name, from, s.height[name])
}

// rewrite begins the main line anew, or below its tip. GitHub may forget what was there.
func (s *story) rewrite() {
	s.linear = false
	old := s.tip
	for range s.rng.IntN(4) {
		if parents := s.parents[s.tip]; len(parents) > 0 {
			s.tip = parents[0]
		}
	}
	if s.one(2) {
		s.tip = ""
	}
	if s.one(2) && s.history != nil {
		for c := range s.history {
			if s.parents.leads(c, old) && (s.tip == "" || !s.parents.leads(c, s.tip)) {
				delete(s.history, c)
			}
		}
	}
	s.note("rewritten from %s to %q", old, s.tip)
	s.commit(s.tip)
}

// settle writes what is due, until nothing is.
func (s *story) settle() {
	for n := 0; ; n++ {
		it, ok := s.due()
		if !ok {
			break
		}
		if n == 8 {
			s.fail("%d candidates were due, and still %s=%s is", n, it.c, it.a.Digest)
		}
		if at, passed := s.passed[it.a.Digest]; passed {
			s.fail("%s=%s is due, which the rollback %s passed", it.c, it.a.Digest, at)
		}
		if d, taken := s.tags[it.c.String()]; taken {
			s.fail("%s=%s is due, which is taken by %s", it.c, it.a.Digest, d)
		}
		s.claim(it, "due")
	}
	s.settled()
}

// due is what the rule says, which the model must say too.
func (s *story) due() (it claim, ok bool) {
	l := s.ladder()
	s.ask(s.t, l, func(l *Ladder) (need Need) { it.c, it.a, _, ok, need = l.Due(); return need })
	want := newModel(s.world).due()
	if c, mayBe := want[it.a.Digest]; ok && (!mayBe || c != it.c) || !ok && len(want) > 0 {
		s.fail("due is %s=%s, %v; want %v", it.c, it.a.Digest, ok, want)
	}
	return it, ok
}

// settled holds a repository in which nothing is due to promise 9.
func (s *story) settled() {
	m := newModel(s.world)
	open := m.open()
	_, live, _ := m.stable()
	if !s.linear || s.history == nil || len(open) == 0 && len(m.stables) > 0 && live.Height == 0 {
		return
	}
	for _, a := range m.all() {
		rank, ranked := m.rank(a)
		if !ranked || !m.mayGoLive(a) || a.Height == 0 {
			continue
		}
		if len(open) == 0 {
			s.fail("%s may go live, and nothing is open", a.Digest)
		}
		top := s.artifacts[s.tags[open[len(open)-1].String()]]
		if top.Height > 0 && s.parents.leads(top.Commit, a.Commit) && top.Commit != a.Commit {
			s.fail("%s of %s may go live, and %s of the older %s is above it", rank, a.Digest, open[len(open)-1], top.Digest)
		}
	}
}

// happen is one event.
func (s *story) happen() {
	writes := false
	switch s.rng.IntN(21) {
	case 0, 1, 2:
		s.commit(s.tip)
	case 3:
		if s.one(2) {
			s.branch()
		}
	case 4:
		if len(s.branches) > 0 && s.one(2) {
			s.commit(s.tip) // a squash merge
		} else if len(s.branches) > 0 {
			s.commit(s.tip, pick(s, s.branches))
		}
	case 5:
		if s.one(6) {
			s.rewrite()
		}
	case 6, 7, 8, 9:
		writes = s.build(false)
	case 10:
		writes = s.build(true)
	case 11, 19:
		if len(s.slow) > 0 {
			i := s.rng.IntN(len(s.slow))
			writes = s.claim(s.slow[i], "slow build")
			delete(s.passed, s.slow[i].a.Digest) // built after the rollback
			s.slow = slices.Delete(s.slow, i, i+1)
		}
	case 12, 13, 14, 15:
		if len(s.digests) > 0 {
			writes = s.promote(s.built(s.digests[max(s.rng.IntN(len(s.digests)), s.rng.IntN(len(s.digests)))]))
		}
	case 16, 17:
		if len(s.digests) > 0 && s.one(2) {
			writes = s.byHand(s.built(pick(s, s.digests)))
		}
	case 18:
		if s.one(3) {
			s.cleanUp()
		}
	case 20:
		if s.one(3) {
			s.legacy = !s.legacy
		}
	}
	if writes && !s.one(6) { // else killed
		s.settle()
	}
}

// compare compares each rule with the model, for all artifacts and stables there are: asked by
// somebody who knows nothing, and by somebody who keeps what he learns.
func (s *story) compare() {
	m, l := newModel(s.world), s.ladder()
	for _, know := range []func() *Ladder{s.ladder, func() *Ladder { return l }} {
		for _, a := range m.all() {
			rank, ranked := s.rank(know(), a)
			if want, ok := m.rank(a); rank != want || ranked != ok {
				s.fail("the rank of %s is %s, %v; want %s, %v", a.Digest, rank, ranked, want, ok)
			}
			s.same(know(), m.held(a), a.Digest+" is held back", func(l *Ladder) (bool, Need) { return l.HeldBack(a) })
			s.heldBy(know(), m, a)
			if !m.promoted(a) {
				s.same(know(), m.superseded(a), a.Digest+" is superseded", func(l *Ladder) (bool, Need) { return l.Superseded(a) })
			}
			for _, b := range m.all() {
				s.same(know(), m.newer(a, b), a.Digest+" is newer than "+b.Digest, func(l *Ladder) (bool, Need) { return l.Newer(a, b) })
			}
		}
		for _, stable := range m.stables {
			s.same(know(), m.rollback(stable), digest.Digest(stable.String())+" is a rollback", func(l *Ladder) (bool, Need) { return l.Rollback(stable) })
			s.wentBack(know(), m, stable)
		}
	}
}

// wentBack wants a witness to show a rollback alone, with nothing else between or below.
func (s *story) wentBack(l *Ladder, m model, stable Stable) {
	s.t.Helper()
	var from Stable
	var back bool
	s.ask(s.t, l, func(l *Ladder) (need Need) { from, back, need = l.WentBack(stable); return need })
	if back && !m.shows(from, stable) {
		s.fail("live did not go back from %s with %s", from, stable)
	}
}

// heldBy wants the rollback that is told to hold a alone.
func (s *story) heldBy(l *Ladder, m model, a Artifact) {
	s.t.Helper()
	var by Stable
	var held bool
	s.ask(s.t, l, func(l *Ladder) (need Need) { by, held, need = l.HeldBy(a); return need })
	if held && !m.holds(by, a) {
		s.fail("%s does not hold %s back", by, a.Digest)
	}
}

// same holds a rule's answer against the model's.
func (s *story) same(l *Ladder, want bool, what digest.Digest, rule func(*Ladder) (bool, Need)) {
	s.t.Helper()
	var got bool
	s.ask(s.t, l, func(l *Ladder) (need Need) { got, need = rule(l); return need })
	if got != want {
		s.fail("%s: %v", what, got)
	}
}

// TestStories tells random stories. In each of them, whatever happens:
//
//   - what is due comes to an end, and is what the model says;
//   - a stable is written once, above all others, and by the rules never for an older commit of a line;
//   - no number is written for two digests, and none is rc.0;
//   - what a rollback passed gets neither a candidate nor a stable by the rules;
//   - a promotion by the rules holds back nothing that is newer;
//   - where GitHub can be asked of a line, nothing that may go live is below an older commit's candidate.
//
// At its end each rule is compared with the model.
func TestStories(t *testing.T) {
	stories := 2000
	if testing.Short() {
		stories = 200
	}
	for seed := range stories {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			s := newStory(t, uint64(seed))
			for range 40 {
				s.happen()
			}
			s.compare()
		})
	}
}
