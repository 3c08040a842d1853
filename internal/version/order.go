package version

import (
	"cmp"
	"slices"
)

// most bounds what one rule looks at, candidates or stables, the highest first.
const most = 50

// window is how many of a row of tags are asked for at once: the first alone, since it
// mostly is the one, then some.
const window = 8

// Rank is the highest candidate of an artifact: of the tags with its height the highest
// that names it; ranked is false where none does. One without a height is looked for among
// all candidates, the 50 highest.
func (l *Ladder) Rank(a Artifact) (rank Candidate, ranked bool, need Need) {
	looked := 0
	for _, c := range slices.Backward(l.tagsOf(a)) {
		if looked == most || len(need.Names) == window {
			break
		}
		d, known := l.name(c.String(), &need)
		switch {
		case !known && looked == 0:
			return c, false, need
		case known && d == a.Digest:
			return c, need.None(), need
		}
		looked++
	}
	return Candidate{}, false, need
}

// tagsOf are the candidates that may name a, ascending.
func (l *Ladder) tagsOf(a Artifact) []Candidate {
	if a.Height > 0 {
		return l.At(a.Height)
	}
	return l.Candidates
}

// Newer reports whether a is newer than b: the one of greater height is. Where their ranks
// say otherwise (rewritten or branched history, a larger bump of an older commit) GitHub's
// word decides; where it knows no order, the higher rank; where it cannot be asked, the
// height. An artifact without a height is older than one with; of two without, the higher
// rank is newer, and one without a rank counts as the newer.
func (l *Ladder) Newer(a, b Artifact) (bool, Need) {
	if a.Digest == b.Digest {
		return false, Need{}
	}
	if (a.Height == 0) != (b.Height == 0) {
		return a.Height > 0, Need{}
	}
	if a.Height > 0 && l.listed(a, b) {
		return a.Height > b.Height, Need{}
	}
	rankA, rankedA, needA := l.Rank(a)
	rankB, rankedB, needB := l.Rank(b)
	if need := needA.And(needB); !need.None() {
		return false, need
	}
	byRank, byHeight := rankA.Compare(rankB), cmp.Compare(a.Height, b.Height)
	switch {
	case a.Height == 0:
		return rankedB && (!rankedA || byRank > 0), Need{}
	case !rankedA || !rankedB || byRank == byHeight:
		return byHeight > 0, Need{}
	}
	var need Need
	relation, known := l.relation(a.Commit, b.Commit, &need)
	switch {
	case !known:
		return false, need
	case relation == Ahead || relation == Behind:
		return relation == Ahead, need
	case relation == Unasked && byHeight != 0:
		return byHeight > 0, need
	}
	return byRank > 0, need
}

// listed reports whether the list alone tells that the ranks of two artifacts say what their
// heights say: all tags of the greater height are above those of the other.
func (l *Ladder) listed(a, b Artifact) bool {
	lower, higher := l.At(min(a.Height, b.Height)), l.At(max(a.Height, b.Height))
	return a.Height != b.Height && (len(lower) == 0 || len(higher) == 0 || lower[len(lower)-1].Compare(higher[0]) < 0)
}

// Containing looks for a candidate whose commit contains that of a, which must then get no
// tag (promise 10): among those of its height or more, the highest first, at most 8. Where
// nobody can be asked, a greater height of a commit that is not older by its time counts.
func (l *Ladder) Containing(a Artifact) (container Candidate, found bool, need Need) {
	others, at, need := l.distinct(func(c Candidate) bool { return c.N >= a.Height })
	for i, other := range others {
		contains, more := l.contains(other, a)
		if contains || i == 0 && !more.None() { // the first mostly decides
			return at[i], contains, more
		}
		need = need.And(more)
	}
	return Candidate{}, false, need
}

// Follows reports whether the commit of the stable's artifact contains that of a.
func (l *Ladder) Follows(s Stable, a Artifact) (bool, Need) {
	var need Need
	live, ok := l.artifact(s.String(), &need)
	if !ok {
		return false, need
	}
	return l.contains(live, a)
}

// contains reports whether the commit of newer is a later one, that a's leads to.
func (l *Ladder) contains(newer, a Artifact) (bool, Need) {
	var need Need
	if newer.Commit == a.Commit || newer.Height > 0 && newer.Height <= a.Height {
		return false, need
	}
	switch r, known := l.relation(newer.Commit, a.Commit, &need); {
	case !known:
		return false, need
	case r == Unasked:
		return newer.Height > a.Height && !newer.Created.Before(a.Created), need
	default:
		return r == Ahead, need
	}
}

// distinct are the artifacts of some candidates, the 8 highest, and by which candidate each
// was met.
func (l *Ladder) distinct(wanted func(Candidate) bool) (all []Artifact, at []Candidate, need Need) {
	looked := 0
	for _, c := range slices.Backward(l.Candidates) {
		if looked == window {
			break
		}
		if !wanted(c) {
			continue
		}
		a, ok := l.artifact(c.String(), &need)
		if !ok && looked == 0 && !need.None() {
			break
		}
		looked++
		if ok && !slices.ContainsFunc(all, func(b Artifact) bool { return b.Digest == a.Digest }) {
			all, at = append(all, a), append(at, c)
		}
	}
	return all, at, need
}
