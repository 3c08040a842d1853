package version

import (
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// Ladder is what is known of the versions of one repository: which there are, and, as far
// as somebody asked, which artifact each of them names and how their commits stand to each
// other. The rules of the pipeline are its methods. They are pure: a rule that misses a fact
// answers with a Need, and is asked again when that is learnt.
//
// A candidate X.Y.Z-rc.N carries the height N of its commit, so that the newer of two
// commits has the greater N whoever wrote it, and when. Most questions are therefore
// answered by the list alone.
type Ladder struct {
	Stables    []Stable    // ascending
	Candidates []Candidate // ascending

	at        map[uint64][]Candidate   // by height, ascending
	names     map[string]digest.Digest // by tag; "" for one that is gone
	artifacts map[digest.Digest]Artifact
	relations map[[2]string]Relation
}

// Artifact is what the rules ask of an artifact.
type Artifact struct {
	Digest  digest.Digest
	Height  uint64    // of its commit; 0 where it does not tell (pushed by another tool)
	Commit  string    // 40 hex digits, or empty
	Created time.Time // the time of the commit
}

// Relation is how a commit stands to another one, in GitHub's words.
type Relation string

// The relations. Unknown: GitHub does not know one of the two. Unasked: nobody can be asked.
const (
	Ahead     Relation = "ahead"
	Behind    Relation = "behind"
	Diverged  Relation = "diverged"
	Identical Relation = "identical"
	Unknown   Relation = ""
	Unasked   Relation = "unasked"
)

// Need is what a rule does not know yet. The zero value is nothing: the rule's answer counts.
type Need struct {
	Names   []string    // tags: which digest do they name? (Name)
	Read    []string    // tags: which artifact do they name? (Learn)
	Compare [][2]string // commits: how does the first stand to the second? (Relate)
}

// None reports whether nothing is needed.
func (n Need) None() bool { return len(n.Names)+len(n.Read)+len(n.Compare) == 0 }

// And is what either of two needs.
func (n Need) And(more Need) Need {
	return Need{add(n.Names, more.Names...), add(n.Read, more.Read...), add(n.Compare, more.Compare...)}
}

// add adds what is not asked for yet.
func add[Q comparable](questions []Q, more ...Q) []Q {
	for _, q := range more {
		if !slices.Contains(questions, q) {
			questions = append(questions, q)
		}
	}
	return questions
}

// Read builds the ladder of a tag list, which may come in any order and name a tag more
// than once (pages of a registry may overlap). Tags that are neither stable nor candidate
// are not on it.
func Read(tags []string) *Ladder {
	l := &Ladder{
		at: map[uint64][]Candidate{}, names: map[string]digest.Digest{}, artifacts: map[digest.Digest]Artifact{}, relations: map[[2]string]Relation{},
	}
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
	for _, c := range l.Candidates {
		l.at[c.N] = append(l.at[c.N], c)
	}
	return l
}

// Keep takes over what an earlier list of the same repository knew. Versions do not move
// (promises 1 and 4), so that what was learnt of one stays true; one that was gone is asked again.
func (l *Ladder) Keep(before *Ladder) *Ladder {
	for tag, d := range before.names {
		if d != "" {
			l.names[tag] = d
		}
	}
	l.artifacts, l.relations = before.artifacts, before.relations
	return l
}

// Name tells which digest a tag names; empty for none.
func (l *Ladder) Name(tag string, d digest.Digest) { l.names[tag] = d }

// Learn tells which artifact a tag names.
func (l *Ladder) Learn(tag string, a Artifact) { l.names[tag], l.artifacts[a.Digest] = a.Digest, a }

// Relate tells how commit stands to other.
func (l *Ladder) Relate(commit, other string, r Relation) { l.relations[[2]string{commit, other}] = r }

// Named is the digest that a tag is known to name; empty where it is not known, or gone.
func (l *Ladder) Named(tag string) digest.Digest { return l.names[tag] }

// NeedNames is the need to know what tags name, as far as it is not known.
func (l *Ladder) NeedNames(tags ...string) (need Need) {
	for _, tag := range tags {
		l.name(tag, &need)
	}
	return need
}

// name is what a tag names; ok is false where need says that it must be asked.
func (l *Ladder) name(tag string, need *Need) (digest.Digest, bool) {
	d, known := l.names[tag]
	if !known {
		need.Names = add(need.Names, tag)
	}
	return d, known
}

// artifact is what a tag names; ok is false where that is gone, or must be read.
func (l *Ladder) artifact(tag string, need *Need) (a Artifact, ok bool) {
	d, named := l.names[tag]
	a, known := l.artifacts[d]
	if !named || d != "" && !known {
		need.Read = add(need.Read, tag)
	}
	return a, known
}

// relation is how commit stands to other; ok is false where need says that it must be asked.
func (l *Ladder) relation(commit, other string, need *Need) (r Relation, ok bool) {
	switch {
	case commit == "" || other == "":
		return Unknown, true
	case commit == other:
		return Identical, true
	}
	if r, ok = l.relations[[2]string{commit, other}]; !ok {
		need.Compare = add(need.Compare, [2]string{commit, other})
	}
	return r, ok
}

// Stable is the highest stable, the one that live selects.
func (l *Ladder) Stable() (Stable, bool) {
	if len(l.Stables) == 0 {
		return Stable{}, false
	}
	return l.Stables[len(l.Stables)-1], true
}

// Newest is the highest candidate.
func (l *Ladder) Newest() (Candidate, bool) {
	if len(l.Candidates) == 0 {
		return Candidate{}, false
	}
	return l.Candidates[len(l.Candidates)-1], true
}

// Open reports whether integration can select c: a candidate whose base is stable already,
// or below it, loses to the stable (docs/facts.md 8).
func (l *Ladder) Open(c Candidate) bool {
	s, ok := l.Stable()
	return !ok || c.Base.Compare(s) > 0
}

// Top is the highest open candidate, the one that integration selects.
func (l *Ladder) Top() (Candidate, bool) {
	c, ok := l.Newest()
	return c, ok && l.Open(c)
}

// At are the candidates of one height, ascending.
func (l *Ladder) At(height uint64) []Candidate { return slices.Clone(l.at[height]) }

// HasBase reports whether a candidate is listed whose base is s.
func (l *Ladder) HasBase(s Stable) bool {
	return slices.ContainsFunc(l.Candidates, func(c Candidate) bool { return c.Base == s })
}

// Exceeds reports whether a listed candidate has a greater height than n: where none has,
// what has n is newer than everything.
func (l *Ladder) Exceeds(n uint64) bool {
	return slices.ContainsFunc(l.Candidates, func(c Candidate) bool { return c.N > n })
}

// Following is the stable of a promotion by hand that leaves its number to us: one
// patch above the stable, and above the base of every candidate, so that nothing in
// flight is above it (a rollback holds).
//
// It fails only where a number of the ladder has no successor that we can read back.
func (l *Ladder) Following() (Stable, error) {
	top, _ := l.Stable()
	if c, ok := l.Newest(); ok && c.Base.Compare(top) > 0 {
		top = c.Base
	}
	return top.next()
}

// NextStable is one patch above the stable; the first one, 0.0.1, where there is none.
func (l *Ladder) NextStable() (Stable, error) {
	s, _ := l.Stable()
	return s.next()
}

func (s Stable) next() (Stable, error) {
	next := s.Bump(Patch)
	if next.Patch > maxNumber {
		return Stable{}, fmt.Errorf("no version is left above %s", s)
	}
	return next, nil
}
