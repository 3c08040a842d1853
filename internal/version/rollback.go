package version

import "slices"

// Rollback reports whether live went back with the stable s: a lower stable names the same
// artifact, or a newer one. Ranks alone do not tell: that of s's artifact may have risen since
// (promise 9), and that of a larger bump is above a newer one's.
// Live went back to what it had long ago if it went back at all, so that the 50 stables
// below s tell.
func (l *Ladder) Rollback(s Stable) (bool, Need) {
	_, back, need := l.WentBack(s)
	return back, need
}

// WentBack is Rollback, with the stable that shows it.
func (l *Ladder) WentBack(s Stable) (from Stable, back bool, need Need) {
	a, ok := l.artifact(s.String(), &need)
	if !ok {
		return from, false, need
	}
	for i, t := range l.below(s) {
		if i == most || len(need.Read)+len(need.Names)+len(need.Compare) >= window {
			break
		}
		lower, ok := l.artifact(t.String(), &need)
		switch {
		case !ok && i == 0 && !need.None():
			return from, false, need
		case !ok:
			continue
		case lower.Digest == a.Digest:
			return t, true, Need{}
		}
		newer, more := l.Newer(lower, a)
		if newer && lower.Height == 0 { // one whose candidates are gone, or too far down, is only old
			_, newer, more = l.Rank(lower)
		}
		if newer {
			return t, true, Need{}
		}
		need = need.And(more)
	}
	return from, false, need
}

// below are the stables below s, the highest first.
func (l *Ladder) below(s Stable) []Stable {
	all := slices.DeleteFunc(slices.Clone(l.Stables), func(t Stable) bool { return t.Compare(s) >= 0 })
	slices.Reverse(all)
	return all
}

// HeldBack reports whether a rollback has passed the artifact (promise 2): the base of its
// rank is not above that of a rollback, and it was not made stable again since.
func (l *Ladder) HeldBack(a Artifact) (bool, Need) {
	_, held, need := l.HeldBy(a)
	return held, need
}

// HeldBy is HeldBack, with the rollback that holds a.
func (l *Ladder) HeldBy(a Artifact) (by Stable, held bool, need Need) {
	rank, ranked, need := l.Rank(a)
	if !ranked {
		return by, false, need
	}
	for _, s := range slices.Backward(l.Stables) {
		if s.Compare(rank.Base) < 0 {
			break
		}
		if d, known := l.name(s.String(), &need); !known || d == a.Digest {
			return by, false, need
		}
		if back, need := l.Rollback(s); back || !need.None() {
			return s, back, need
		}
	}
	return by, false, need
}

// Promoted is the highest stable that names a; ok is false where none of the highest 50 does.
func (l *Ladder) Promoted(a Artifact) (s Stable, ok bool, need Need) {
	for i, s := range slices.Backward(l.Stables) {
		if len(l.Stables)-i > most || len(need.Names) == window {
			break
		}
		if d, known := l.name(s.String(), &need); known && d == a.Digest {
			return s, need.None(), need // a higher one that is not known yet may name it too
		}
	}
	return Stable{}, false, need
}
