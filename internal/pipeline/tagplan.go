package pipeline

import (
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// tagFacts are what a promotion has read before it decides.
type tagFacts struct {
	subject Subject
	manual  *Manual
	ladder  version.Ladder

	artifact  *artifact // that the subject names; nil when it is not there
	foreign   string    // why it is not the subject's after all; empty when it is
	missing   string    // what of its build is not there yet
	doubt     string    // why a word on its commit alone does not count for it
	candidate string    // its rank, the highest candidate that names it; "" for none
	stable    string    // the highest stable that names it; "" for none
	tagged    bool      // its commit has a validated- tag, whatever that names

	taken     digest.Digest // by hand: what the version names already, or for "next" the stable
	validated bool          // by hand: its validated- tag names it

	highest     digest.Digest // what the stable names, where the rules ask
	outranked   bool          // a candidate above its rank names what the stable names
	highestRank string        // rank of what the stable names, where it is not above the stable; "" for unknown
	rollback    string        // a lower stable that names what the stable names: the stable is a rollback
}

// tagPlan is what a promotion will do. Writes come in the order of the fields.
type tagPlan struct {
	outcome  Outcome
	reason   string
	next     string // what happens now by itself, or what to do; may be empty
	validate bool   // write validated-
	version  version.Stable
	rescue   bool // a rescue may be due, though nothing is promoted
	wait     bool // a reading a little later may change the plan
}

// decideTag is pure: the first of the design's rules that fits. An error is a refusal.
func decideTag(f tagFacts) (tagPlan, error) {
	if f.foreign != "" { // rule 1
		return f.notTheSubject()
	}
	if f.manual != nil { // rule 2
		return f.byHand()
	}
	switch {
	case f.stable != "": // rule 3
		return f.unchanged(f.stable), nil
	case f.missing != "", f.doubt != "", f.candidate == "": // rule 4
		return f.pending(), nil
	}
	c, _ := version.ParseCandidate(f.candidate) // it is one of the ladder's
	if f.ladder.Above(c) {                      // rule 5
		if f.outranked {
			return f.superseded(fmt.Sprintf("the stable %s names an artifact with a candidate above %s", f.stableTag(), c)), nil
		}
		return f.promote(c.Base, fmt.Sprintf("%s is %s", c, f.word())), nil
	}
	rank, unknown := version.ParseCandidate(f.highestRank) // rule 6
	switch {
	case f.rollback != "":
		return f.superseded(fmt.Sprintf("the stable %s is a rollback (to the artifact of %s) and holds", f.stableTag(), f.rollback)), nil
	case f.outranked, unknown == nil && rank.Compare(c) >= 0:
		return f.superseded(fmt.Sprintf("the stable %s names a newer artifact, whose candidate is above %s", f.stableTag(), c)), nil
	case f.highestRank == "":
		return f.superseded(fmt.Sprintf("the stable %s was tagged by hand, on an artifact without a candidate, so that nobody knows whether %s is newer", f.stableTag(), c)), nil
	}
	next, err := f.ladder.NextStable()
	return f.promote(next, fmt.Sprintf("%s is %s; an older artifact has %s, so that this one gets the next patch", c, f.word(), f.stableTag())), err
}

func (f tagFacts) stableTag() string {
	s, _ := f.ladder.Stable()
	return s.String()
}

// notTheSubject: a cluster's word on something else is none on this; a person's is a
// mistake to be told.
func (f tagFacts) notTheSubject() (tagPlan, error) {
	if f.subject.Proven {
		return tagPlan{outcome: Ignore, reason: f.foreign}, nil
	}
	return tagPlan{}, &refusal{f.foreign, "give the digest alone, or the full commit; sha-length must be the same in every mode"}
}

// word is what a promotion goes by.
func (f tagFacts) word() string {
	if f.subject.Proven {
		return "validated"
	}
	return "approved"
}

func (f tagFacts) promote(v version.Stable, reason string) tagPlan {
	return tagPlan{outcome: Promoted, reason: reason, validate: true, version: v}
}

func (f tagFacts) unchanged(stable string) tagPlan {
	return tagPlan{
		outcome: Unchanged, reason: fmt.Sprintf("%s names this artifact already", stable),
		validate: !f.tagged && (f.manual == nil || f.subject.Proven), rescue: true,
	}
}

func (f tagFacts) superseded(reason string) tagPlan {
	return tagPlan{outcome: Superseded, reason: reason, next: "nothing has to be done: the next candidate that integration validates goes live; " +
		"to have exactly this artifact live, promote it by hand with version: next"}
}

func (f tagFacts) pending() tagPlan {
	p := tagPlan{outcome: Pending, wait: true}
	switch {
	case f.missing != "":
		p.reason = f.missing
	case f.doubt != "":
		p.reason, p.wait = f.doubt, false
	default:
		p.reason = fmt.Sprintf("no candidate names %s", f.artifact.desc.Digest)
	}
	return p
}

// byHand is rule 2. Which digest gets the version was chosen by a person; that it never
// moves, never goes down, and was validated, is checked all the same.
func (f tagFacts) byHand() (tagPlan, error) {
	if why := f.missing + f.doubt; f.artifact == nil || why != "" {
		return tagPlan{}, &refusal{why, "give the exact artifact with the input digest"}
	}
	d := f.artifact.desc.Digest
	following, err := f.ladder.Following()
	if err != nil {
		return tagPlan{}, err
	}
	v := f.manual.Version
	if f.manual.Next {
		v = following
	}
	stable, hasStable := f.ladder.Stable()
	accepted := fmt.Sprintf("accepted is any X.Y.Z above the highest stable, such as %s; or next", following)
	switch {
	case f.manual.Next && f.taken == d:
		return f.unchanged(stable.String()), nil
	case f.taken == d:
		return f.unchanged(v.String()), nil
	case !f.manual.Next && f.taken != "":
		return tagPlan{}, &refusal{fmt.Sprintf("version %s names another artifact, %s, and a stable never moves", v, f.taken), accepted}
	case hasStable && v.Compare(stable) <= 0:
		return tagPlan{}, &refusal{fmt.Sprintf("version %s is not above %s, the highest stable, so that live would not take it", v, stable), accepted}
	case !f.validated && !f.subject.Proven && !f.manual.Unvalidated:
		return tagPlan{}, &refusal{fmt.Sprintf("%s was never validated: no validated- tag of its commit names it", d),
			"let integration validate it first; to promote it all the same, set allow-unvalidated: true"}
	}
	return tagPlan{outcome: Promoted, reason: "a version by hand", validate: f.subject.Proven, version: v}, nil
}
