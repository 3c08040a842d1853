package version

import (
	"fmt"
	"slices"
)

// Ladder is what a tag list says about versions. Tags that are neither stable
// nor candidate are not on it.
type Ladder struct {
	Stables    []Stable    // ascending
	Candidates []Candidate // ascending
}

// Read builds the ladder of a tag list, which may come in any order and name a
// tag more than once (pages of a registry may overlap).
func Read(tags []string) Ladder {
	var l Ladder
	for _, tag := range tags {
		if s, err := ParseStable(tag); err == nil {
			l.Stables = append(l.Stables, s)
		} else if c, err := ParseCandidate(tag); err == nil {
			l.Candidates = append(l.Candidates, c)
		}
	}
	slices.SortFunc(l.Stables, Stable.Compare)
	slices.SortFunc(l.Candidates, Candidate.Compare)
	l.Stables = slices.Compact(l.Stables)
	l.Candidates = slices.Compact(l.Candidates)
	return l
}

// Stable is the highest stable, the one that live selects.
func (l Ladder) Stable() (Stable, bool) {
	if len(l.Stables) == 0 {
		return Stable{}, false
	}
	return l.Stables[len(l.Stables)-1], true
}

// Newest is the highest candidate.
func (l Ladder) Newest() (Candidate, bool) {
	if len(l.Candidates) == 0 {
		return Candidate{}, false
	}
	return l.Candidates[len(l.Candidates)-1], true
}

// Above reports whether integration can select c at all: a candidate whose base
// is stable already, or below it, loses to the stable (facts 8).
func (l Ladder) Above(c Candidate) bool {
	s, ok := l.Stable()
	return !ok || c.Base.Compare(s) > 0
}

// Next is the candidate that the next build gets. Its base is the higher of what
// bump makes of the stable (initial, where there is none yet) and the highest
// candidate's base; its number is one above the highest of that base. Builds
// start at rc.1: rc.0 belongs to the rescue of a stranded candidate.
//
// It fails only where a number of the ladder has no successor that we can read back.
func (l Ladder) Next(bump Bump, initial Stable) (Candidate, error) {
	next := Candidate{initial, 1}
	if s, ok := l.Stable(); ok {
		next.Base = s.Bump(bump)
	}
	if newest, ok := l.Newest(); ok && newest.Base.Compare(next.Base) >= 0 {
		next = Candidate{newest.Base, newest.N + 1}
	}
	if _, err := ParseCandidate(next.String()); err != nil {
		return Candidate{}, fmt.Errorf("no version is left above the existing tags: %w", err)
	}
	return next, nil
}

// Following is the stable of a promotion by hand that leaves its number to us: one
// patch above the stable, and above the base of every candidate, so that nothing in
// flight is above it (a rollback holds).
//
// It fails only where a number of the ladder has no successor that we can read back.
func (l Ladder) Following() (Stable, error) {
	var top Stable
	if s, ok := l.Stable(); ok {
		top = s
	}
	if c, ok := l.Newest(); ok && c.Base.Compare(top) > 0 {
		top = c.Base
	}
	return l.after(top)
}

// NextStable is one patch above the stable; the first one, 0.0.1, where there is none.
func (l Ladder) NextStable() (Stable, error) {
	s, _ := l.Stable()
	return l.after(s)
}

func (Ladder) after(s Stable) (Stable, error) {
	next := s.Bump(Patch)
	if _, err := ParseStable(next.String()); err != nil {
		return Stable{}, fmt.Errorf("no version is left above %s: %w", s, err)
	}
	return next, nil
}
