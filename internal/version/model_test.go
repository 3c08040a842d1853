package version

import (
	"cmp"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// model is the design's words, read by somebody who knows everything: no questions, no order
// in which to look, all artifacts of the world each time.
//
// Where it differs from the plain words, that is wanted:
//   - Due looks above the top open candidate only among the 8 artifacts of the highest
//     candidates whose N is greater. A top with the greatest N of the list, of another tool or
//     not, is above everything.
//   - Where nothing is open and S's artifact, of another tool, has a rank, Due looks only above
//     that: else each run would read all candidates.
//   - The rules look at no more than 50 stables and candidates; the worlds are smaller.
type model struct {
	*world
	stables    []Stable    // ascending
	candidates []Candidate // ascending
	names      map[Candidate]digest.Digest
	versions   map[Stable]digest.Digest
}

func newModel(w *world) model {
	l := w.ladder()
	m := model{w, l.Stables, l.Candidates, map[Candidate]digest.Digest{}, map[Stable]digest.Digest{}}
	for _, c := range l.Candidates {
		m.names[c] = w.tags[c.String()]
	}
	for _, s := range l.Stables {
		m.versions[s] = w.tags[s.String()]
	}
	return m
}

// all are the artifacts that tags name.
func (m model) all() (all []Artifact) {
	for _, d := range slices.Sorted(maps.Values(m.tags)) {
		if d != "" && (len(all) == 0 || all[len(all)-1].Digest != d) {
			all = append(all, m.artifacts[d])
		}
	}
	return all
}

func (m model) of(s Stable) (Artifact, bool) {
	d := m.versions[s]
	return m.artifacts[d], d != ""
}

func (m model) stable() (s Stable, a Artifact, ok bool) {
	if len(m.stables) == 0 {
		return s, a, false
	}
	s = m.stables[len(m.stables)-1]
	a, ok = m.of(s)
	return s, a, ok
}

// open: the base is above S.
func (m model) open() (open []Candidate) {
	for _, c := range m.candidates {
		if s, _, _ := m.stable(); len(m.stables) == 0 || c.Base.Compare(s) > 0 {
			open = append(open, c)
		}
	}
	return open
}

// rank is the highest of the tags with its height that names it; without a height the highest
// that names it.
func (m model) rank(a Artifact) (rank Candidate, ranked bool) {
	for _, c := range m.candidates {
		if m.names[c] == a.Digest && (a.Height == 0 || c.N == a.Height) {
			rank, ranked = c, true
		}
	}
	return rank, ranked
}

func (m model) newer(a, b Artifact) bool {
	if a.Digest == b.Digest {
		return false
	}
	rankA, rankedA := m.rank(a)
	rankB, rankedB := m.rank(b)
	switch {
	case a.Height > 0 && b.Height == 0:
		return true
	case a.Height == 0 && b.Height > 0:
		return false
	case a.Height == 0 && !rankedB:
		return false
	case a.Height == 0 && !rankedA:
		return true
	case a.Height == 0:
		return rankA.Compare(rankB) > 0
	}
	higher, above := cmp.Compare(a.Height, b.Height), rankA.Compare(rankB)
	if !rankedA || !rankedB || higher == above {
		return higher > 0
	}
	switch m.history.compare(a.Commit, b.Commit) {
	case Ahead:
		return true
	case Behind:
		return false
	case Unasked:
		if higher != 0 {
			return higher > 0
		}
	}
	return above > 0
}

// rollback: a lower stable names the artifact too, or a newer one; one without a height and a rank is only old.
func (m model) rollback(s Stable) bool {
	return slices.ContainsFunc(m.stables, func(t Stable) bool { return m.shows(t, s) })
}

// shows: t alone makes s a rollback.
func (m model) shows(t, s Stable) bool {
	a, ok := m.of(s)
	b, lower := m.of(t)
	_, ranked := m.rank(b)
	return ok && lower && t.Compare(s) < 0 && (b.Digest == a.Digest || (b.Height > 0 || ranked) && m.newer(b, a))
}

// held: the base of the rank is not above a rollback, and no stable from that on names it.
func (m model) held(a Artifact) bool {
	return slices.ContainsFunc(m.stables, func(s Stable) bool { return m.holds(s, a) })
}

// holds: s alone holds a back.
func (m model) holds(s Stable, a Artifact) bool {
	rank, ranked := m.rank(a)
	again := slices.ContainsFunc(m.stables, func(t Stable) bool { return t.Compare(s) >= 0 && m.versions[t] == a.Digest })
	return ranked && rank.Base.Compare(s) <= 0 && m.rollback(s) && !again
}

// superseded: not newer than what S names, held back, or contained in the newest candidate's commit. Where nobody can be
// asked, nothing contains another.
func (m model) superseded(a Artifact) bool {
	_, live, ok := m.stable()
	if len(m.stables) > 0 && (!ok || !m.newer(a, live) || m.held(a)) {
		return ok
	}
	if len(m.candidates) == 0 {
		return false
	}
	newest, ok := m.artifacts[m.names[m.candidates[len(m.candidates)-1]]]
	return ok && newest.Commit != a.Commit && m.history.compare(newest.Commit, a.Commit) == Ahead
}

func (m model) promoted(a Artifact) bool {
	return slices.ContainsFunc(m.stables, func(s Stable) bool { return m.versions[s] == a.Digest })
}

// base is the smallest from which the number is free or ours, and above every open candidate.
func (m model) base(from Stable, n uint64, d digest.Digest) Candidate {
	open := m.open()
	for _, c := range open {
		if c.Base.Compare(from) > 0 {
			from = c.Base
		}
	}
	for c := (Candidate{from, n}); ; c.Base = c.Base.Bump(Patch) {
		named, listed := m.names[c]
		if (!listed || named == d) && !slices.ContainsFunc(open, func(o Candidate) bool { return o.Compare(c) > 0 }) {
			return c
		}
	}
}

// mayGoLive: no stable names it, it is newer than S's, and not held back; or it is S's own
// while an open candidate exists.
func (m model) mayGoLive(a Artifact) bool {
	_, live, ok := m.stable()
	switch {
	case len(m.stables) == 0:
		return true
	case !ok:
		return false
	case a.Digest == live.Digest:
		return len(m.open()) > 0
	}
	return m.newer(a, live) && !m.held(a) && !m.promoted(a)
}

// due are the artifacts of which one is due a number, and the numbers. More than one only where
// branches have no newest: newer is no order there.
func (m model) due() map[digest.Digest]Candidate {
	s, _, _ := m.stable()
	var among []Artifact
	if open := m.open(); len(open) > 0 {
		among = m.newest(m.ahead(open[len(open)-1]))
	} else if a, ok := m.stranded(); ok {
		among = []Artifact{a}
	}
	due := map[digest.Digest]Candidate{}
	for _, a := range among {
		rank, _ := m.rank(a)
		due[a.Digest] = m.base(s.Bump(Patch), cmp.Or(a.Height, rank.N, 1), a.Digest)
	}
	return due
}

// ahead are the artifacts that may go live of commits ahead of the top's.
func (m model) ahead(top Candidate) (ahead []Artifact) {
	seen := map[digest.Digest]bool{}
	for _, c := range slices.Backward(m.candidates) {
		if c.N > top.N && len(seen) < 8 {
			seen[m.names[c]] = true
		}
	}
	onTop, ok := m.artifacts[m.names[top]], m.names[top] != ""
	for _, a := range m.all() {
		if ok && seen[a.Digest] && m.history.compare(a.Commit, onTop.Commit) == Ahead && m.mayGoLive(a) {
			ahead = append(ahead, a)
		}
	}
	return ahead
}

// newest is the one that is newer than all others; where there is none, those of which no other
// is a later commit.
func (m model) newest(all []Artifact) []Artifact {
	var tips []Artifact
	for _, a := range all {
		others := slices.DeleteFunc(slices.Clone(all), func(b Artifact) bool { return b.Digest == a.Digest })
		if !slices.ContainsFunc(others, func(b Artifact) bool { return !m.newer(a, b) }) {
			return []Artifact{a}
		}
		if !slices.ContainsFunc(others, func(b Artifact) bool { return m.history.compare(b.Commit, a.Commit) == Ahead }) {
			tips = append(tips, a)
		}
	}
	return tips
}

// stranded is the highest of those that may go live, where nothing is open.
func (m model) stranded() (highest Artifact, ok bool) {
	var top Candidate
	_, live, _ := m.stable()
	below, known := m.rank(live)
	for _, a := range m.all() {
		if rank, ranked := m.rank(a); live.Height == 0 && known && ranked && rank.Compare(below) < 0 {
			continue
		}
		if rank, ranked := m.rank(a); ranked && m.mayGoLive(a) && (!ok || rank.Compare(top) > 0) {
			highest, top, ok = a, rank, true
		}
	}
	return highest, ok
}
