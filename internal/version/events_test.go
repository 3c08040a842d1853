package version

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// built is the artifact of a digest.
func (s *story) built(d string) Artifact { return s.artifacts[digest.Digest(d)] }

// pack makes an artifact of a commit, which has a height where our tool makes it.
func (s *story) pack(commit, d string) Artifact {
	a := Artifact{Digest: digest.Digest(d), Commit: commit}
	if !s.legacy {
		at, _ := strconv.Atoi(commit[1:])
		a.Height, a.Created = s.height[commit], time.Unix(int64(at), 0)
	}
	s.artifacts[a.Digest] = a
	s.digests = append(s.digests, d)
	return a
}

// from is what the bump of a commit makes of the stable.
func (s *story) from(commit string) Stable {
	stable, ok := s.ladder().Stable()
	if !ok {
		stable = Stable{0, 0, 0}
	}
	return stable.Bump(s.bump[commit])
}

// build builds a commit, mostly the tip. It reports whether its run writes what is due.
func (s *story) build(slow bool) bool {
	commit := s.tip
	if s.one(3) {
		commit = fmt.Sprintf("c%d", 1+s.rng.IntN(len(s.parents)))
	} else if len(s.branches) > 0 && s.one(3) {
		commit = pick(s, s.branches)
	}
	l := s.ladder()
	all := s.of(commit)
	if n := len(all); n == 0 || n < 3 && (s.artifacts[digest.Digest(commit)].Height == 0) == s.legacy && s.one(6) { // overwrite
		return s.number(l, s.pack(commit, commit+strings.Repeat("'", n)), slow)
	}
	a := all[len(all)-1]
	if _, ranked := s.rank(l, a); ranked || s.promoted(l, a) {
		return true
	}
	return !s.cleaned && !slow && !s.legacy && a.Height > 0 && s.number(l, a, false)
}

// of are the artifacts of a commit, the oldest first.
func (s *story) of(commit string) (all []Artifact) {
	for _, d := range s.digests {
		if a := s.built(d); a.Commit == commit {
			all = append(all, a)
		}
	}
	return all
}

// number gives a new artifact its candidate.
func (s *story) number(l *Ladder, a Artifact, slow bool) bool {
	from := s.from(a.Commit)
	if a.Height == 0 {
		c := Candidate{from, 0}
		if top, open := l.Top(); open && top.Base.Compare(from) > 0 {
			c.Base = top.Base
		}
		for _, other := range l.Candidates {
			if other.Base == c.Base {
				c.N = other.N
			}
		}
		c.N++
		return s.claim(claim{c, a}, "another tool builds")
	}
	var contained bool
	s.ask(s.t, l, func(l *Ladder) (need Need) { _, contained, need = l.Containing(a); return need })
	if stable, ok := l.Stable(); ok && !contained && len(l.Candidates) == 0 {
		s.ask(s.t, l, func(l *Ladder) (need Need) { contained, need = l.Follows(stable, a); return need })
	}
	if contained {
		s.note("build of %s: superseded", a.Digest)
		return false
	}
	var c Candidate
	var ok bool
	s.ask(s.t, l, func(l *Ladder) (need Need) { c, ok, need = l.Base(from, a.Height, a.Digest); return need })
	if want := newModel(s.world).base(from, a.Height, a.Digest); !ok || c != want {
		s.fail("the base of %s is %s, %v; want %s", a.Digest, c, ok, want)
	}
	if slow {
		s.note("slow build of %s: will be %s", a.Digest, c)
		s.slow = append(s.slow, claim{c, a})
		return false
	}
	return s.claim(claim{c, a}, "build")
}

// claim writes a candidate, read as absent just before.
func (s *story) claim(it claim, who string) bool {
	tag := it.c.String()
	if d, taken := s.tags[tag]; taken {
		return d == it.a.Digest
	}
	if it.c.N == 0 {
		s.fail("%s writes %s", who, tag)
	}
	s.write(tag, it.a.Digest)
	s.note("%s %s=%s", who, tag, it.a.Digest)
	return true
}

func (s *story) rank(l *Ladder, a Artifact) (rank Candidate, ranked bool) {
	s.ask(s.t, l, func(l *Ladder) (need Need) { rank, ranked, need = l.Rank(a); return need })
	return rank, ranked
}

func (s *story) promoted(l *Ladder, a Artifact) (ok bool) {
	s.ask(s.t, l, func(l *Ladder) (need Need) { _, ok, need = l.Promoted(a); return need })
	return ok
}

// promote is the plan of mode tag, rules 3 to 6. It reports whether the run writes what is due.
func (s *story) promote(a Artifact) bool {
	l := s.ladder()
	for tag, d := range s.tags {
		c, err := ParseCandidate(tag)
		if d == a.Digest && err == nil && s.tags[c.Base.String()] == d {
			return true
		}
	}
	rank, ranked := s.rank(l, a)
	if !ranked {
		return false
	}
	stable, ok := l.Stable()
	if ok {
		live := s.artifacts[s.tags[stable.String()]]
		var newer, held bool
		if live.Digest == a.Digest {
			return true
		}
		s.ask(s.t, l, func(l *Ladder) (need Need) { newer, need = l.Newer(a, live); return need })
		if newer {
			s.ask(s.t, l, func(l *Ladder) (need Need) { held, need = l.HeldBack(a); return need })
		}
		if !newer || held {
			s.note("promotion of %s: superseded", a.Digest)
			return false
		}
		if s.linear && live.Height > 0 && a.Height > 0 && a.Commit != live.Commit && s.parents.leads(a.Commit, live.Commit) {
			s.fail("%s would be promoted over %s", a.Digest, live.Digest)
		}
	}
	to := rank.Base
	if ok && to.Compare(stable) <= 0 {
		to = stable.Bump(Patch)
	}
	if at, passed := s.passed[a.Digest]; passed {
		s.fail("%s would be promoted as %s, which the rollback %s passed", a.Digest, to, at)
	}
	before := newModel(s.world)
	s.promoteAs(to, a, "promoted")
	after := newModel(s.world)
	for _, b := range before.all() {
		if s.linear && b.Height > 0 && a.Height > 0 && a.Commit != b.Commit && !before.promoted(b) && s.parents.leads(a.Commit, b.Commit) && after.held(b) && !before.held(b) {
			s.fail("the promotion of %s holds back %s", a.Digest, b.Digest)
		}
	}
	return true
}

// promoteAs writes a stable, which is absent and above all others.
func (s *story) promoteAs(to Stable, a Artifact, how string) {
	if top, ok := s.ladder().Stable(); ok && to.Compare(top) <= 0 || s.tags[to.String()] != "" {
		s.fail("%s would be promoted as %s, which is not above %s", a.Digest, to, top)
	}
	s.write(to.String(), a.Digest)
	s.note("%s %s=%s", how, to, a.Digest)
}

// byHand promotes anything as a version, or as next, but for a branch whose build is under way.
func (s *story) byHand(a Artifact) bool {
	l := s.ladder()
	if !s.linear && slices.ContainsFunc(s.slow, func(it claim) bool { return it.a.Digest == a.Digest }) {
		return false
	}
	stable, _ := l.Stable()
	to, err := l.Following()
	if err != nil {
		s.fail("%v", err)
	}
	how := "by hand, next,"
	if s.one(2) {
		to, how = stable.Bump(Bump(s.rng.IntN(3))), "by hand, version,"
		if len(l.Candidates) > 0 && s.one(2) {
			if base := pick(s, l.Candidates).Base; base.Compare(stable) > 0 {
				to = base
			}
		}
	} else if s.tags[stable.String()] == a.Digest {
		return true
	}
	after := *s.world
	after.tags = maps.Clone(s.tags)
	after.write(to.String(), a.Digest)
	back := newModel(&after).rollback(to)
	if top, open := l.Top(); back && open && top.Base.Compare(to) >= 0 && how != "by hand, next," {
		return false // refused
	}
	delete(s.passed, a.Digest)
	s.promoteAs(to, a, how)
	if back {
		m := newModel(s.world)
		for _, other := range m.all() {
			if rank, ranked := m.rank(other); ranked && other.Digest != a.Digest && rank.Base.Compare(to) <= 0 {
				s.passed[other.Digest] = to
			}
		}
	}
	return true
}

// cleanUp deletes a candidate, but not the only word on an order: that of an artifact without a
// height, or of one of two of one height.
func (s *story) cleanUp() {
	l := s.ladder()
	if len(l.Candidates) == 0 {
		return
	}
	tag := pick(s, l.Candidates).String()
	for _, d := range s.digests {
		if a := s.artifacts[s.tags[tag]]; a.Height == 0 || d != string(a.Digest) && s.built(d).Height == a.Height {
			return
		}
	}
	delete(s.tags, tag)
	s.list = nil
	s.cleaned = true
	s.note("clean-up deletes %s", tag)
}
