package version

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Base is the base rule: the candidate that the artifact d of height n gets. Its base is the
// smallest, from the higher of from and the highest open base upwards by patch, at which the
// number is free or names d already, and above every open candidate.
//
// From is what a bump makes of the stable, or the first version of all. ok is false where no
// version is left that we could read back.
func (l *Ladder) Base(from Stable, n uint64, d digest.Digest) (c Candidate, ok bool, need Need) {
	top, open := l.Top()
	if open && top.Base.Compare(from) > 0 {
		from = top.Base
	}
	for c = (Candidate{from, n}); c.valid(); c.Base = c.Base.Bump(Patch) {
		_, listed := slices.BinarySearchFunc(l.Candidates, c, Candidate.Compare)
		if open && c.Compare(top) < 0 || !listed && !l.Open(c) {
			continue
		}
		if !listed {
			return c, true, need
		}
		if named, known := l.name(c.String(), &need); !known || named == d {
			return c, known, need
		}
	}
	return Candidate{}, false, need
}

// Due is the whole of promise 9, "the newest that may go live has the highest number": the
// candidate that must be written next, and the artifact that gets it; ok is false where
// nothing is due. From is the candidate that it has already. Whoever writes it writes the same.
//
// The newest is looked for among the artifacts that no stable names, that are newer than the
// stable's and not held back. Lifting one above an open candidate needs GitHub's word that
// its commit is ahead; where nothing is open the highest candidate that may go live gets
// another number.
func (l *Ladder) Due() (c Candidate, a Artifact, from Candidate, ok bool, need Need) {
	if top, open := l.Top(); open {
		a, ok, need = l.aboveTop(top)
	} else {
		a, ok, need = l.stranded()
	}
	if !ok || !need.None() {
		return c, a, from, false, need
	}
	if from, _, need = l.Rank(a); !need.None() {
		return c, a, from, false, need
	}
	s, _ := l.Stable()
	n := cmp.Or(a.Height, from.N, 1) // another tool, or hand, may have written any
	c, ok, need = l.Base(s.Bump(Patch), n, a.Digest)
	return c, a, from, ok && c != from, need
}

// aboveTop is the newest artifact that must be lifted above the highest open candidate,
// which is of an older commit. Only a greater height can be newer: the list mostly tells
// that there is none.
func (l *Ladder) aboveTop(top Candidate) (_ Artifact, ok bool, need Need) {
	if !l.Exceeds(top.N) {
		return Artifact{}, false, need
	}
	onTop, ok := l.artifact(top.String(), &need)
	if !ok {
		return Artifact{}, false, need
	}
	above, _, more := l.distinct(func(c Candidate) bool { return c.N > top.N })
	unasked := false
	above = slices.DeleteFunc(above, func(a Artifact) bool {
		relation, known := l.relation(a.Commit, onTop.Commit, &need)
		unasked = unasked || known && relation == Unasked
		return known && relation != Ahead
	})
	if unasked { // of the others too
		return Artifact{}, false, Need{}
	}
	if need = need.And(more); !need.None() {
		return Artifact{}, false, need
	}
	for len(above) > 0 {
		at, need := l.newest(above)
		if !need.None() {
			return Artifact{}, false, need
		}
		if may, need := l.mayGoLive(above[at], true); may || !need.None() {
			return above[at], may, need
		}
		above = slices.Delete(above, at, at+1)
	}
	return Artifact{}, false, need
}

// newest is the place of the newest of some artifacts.
func (l *Ladder) newest(all []Artifact) (at int, need Need) {
	for i := range all {
		newer, need := l.Newer(all[i], all[at])
		if !need.None() {
			return at, need
		}
		if newer {
			at = i
		}
	}
	return at, need
}

// stranded is the artifact that should go on where no candidate is open: no cluster can
// select it any more, since a stable took its base or more.
func (l *Ladder) stranded() (_ Artifact, ok bool, need Need) {
	waiting, need := l.Waiting()
	if !need.None() || len(waiting) == 0 {
		return Artifact{}, false, need
	}
	all, _, more := l.distinct(func(c Candidate) bool { return slices.Contains(waiting, c) })
	for _, a := range all { // the first mostly decides
		if may, need := l.mayGoLive(a, false); may || !need.None() {
			return a, may, need
		}
	}
	return Artifact{}, false, more
}

// Waiting are the candidates that may go live yet, the highest first and no more than 50:
// those that are open, and of those that a stable passed the ones of greater height or rank
// than what that names.
func (l *Ladder) Waiting() (waiting []Candidate, need Need) {
	var (
		live   Artifact
		rank   Candidate
		ranked bool
	)
	// Open ones are the highest: where the last that could count is open, what is live does not matter.
	if last := max(0, len(l.Candidates)-most); last < len(l.Candidates) && !l.Open(l.Candidates[last]) {
		s, _ := l.Stable()
		var ok bool
		if live, ok = l.artifact(s.String(), &need); ok {
			rank, ranked, need = l.Rank(live)
		}
		if !ok || !need.None() {
			return nil, need
		}
	}
	for _, c := range slices.Backward(l.Candidates) {
		if len(waiting) == most {
			break
		}
		switch {
		case l.Open(c), live.Height > 0 && c.N > live.Height, ranked && c.Compare(rank) > 0, live.Height == 0 && !ranked:
			waiting = append(waiting, c)
		}
	}
	return waiting, need
}

// mayGoLive reports whether a may get a number by promise 9. Own is whether the stable's own
// artifact may.
func (l *Ladder) mayGoLive(a Artifact, own bool) (bool, Need) {
	s, ok := l.Stable()
	if !ok {
		return true, Need{}
	}
	var need Need
	live, ok := l.artifact(s.String(), &need)
	switch {
	case !ok:
		return false, need
	case live.Digest == a.Digest:
		return own, need
	}
	if newer, need := l.Newer(a, live); !newer {
		return false, need
	}
	if held, need := l.HeldBack(a); held || !need.None() {
		return false, need
	}
	_, promoted, need := l.Promoted(a)
	return !promoted && need.None(), need
}
