package promote

import (
	"fmt"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// facts are what a promotion has read before it decides.
type facts struct {
	subject Subject
	manual  *Manual
	now     pipeline.Snapshot

	artifact *pipeline.Artifact // that the subject names; nil when it is not there
	foreign  string             // why it is not the subject's after all; empty when it is
	missing  string             // what of its build is not there yet
	absent   string             // what to do where nothing of it is there, so that missing is no matter of time; empty else
	doubt    string             // why a word on its commit alone does not count for it
	rank     version.Candidate  // the highest candidate that names it
	ranked   bool
	stable   string             // the highest stable that is known to name it; "" for none
	tagged   bool               // its commit has a validated- tag, whatever that names
	live     *pipeline.Artifact // what the stable names, where the rules ask
	older    bool               // it is not newer than that
	held     bool               // a rollback holds it back
	soak     *soak              // for how long integration ran it; nil where nobody asks
	hand     byHand
}

// plan is what a promotion will do. Writes come in the order of the fields.
type plan struct {
	outcome  pipeline.Outcome
	reason   string
	next     string // what happens now by itself, or what to do; may be empty
	validate bool   // write validated-
	version  version.Stable
	due      bool // what is due is written, though nothing is promoted
	wait     bool // a reading a little later may change the plan
}

// decide is pure: the first of the design's rules that fits. An error is a refusal.
func decide(f facts) (plan, error) {
	if f.foreign != "" { // rule 1
		return f.notTheSubject()
	}
	if f.absent != "" && !f.subject.Proven { // rule 4, of what a person named: nothing is under way
		return plan{}, pipeline.Refuse(f.absent, "%s", f.missing)
	}
	if f.manual != nil { // rule 2
		return f.byHand()
	}
	switch {
	case f.stable != "": // rule 3
		return f.unchanged(f.stable), nil
	case f.missing != "", f.doubt != "": // rule 4
		return f.pending(), nil
	case f.older: // rule 5, which no candidate to come can change
		return f.superseded("the stable %s names an artifact that is not older", f.highest()), nil
	case !f.ranked: // rule 4
		return f.pending(), nil
	case f.held: // rule 5
		return f.superseded("a rollback passed %s and holds", f.rank), nil
	case !f.soak.over(): // it would be rule 6
		return f.unsoaked(), nil
	case f.now.Ladder.Open(f.rank): // rule 6
		return f.promote(f.rank.Base, fmt.Sprintf("%s is %s", f.rank, f.word())), nil
	}
	next, err := f.now.Ladder.NextStable()
	return f.promote(next, fmt.Sprintf("%s is %s; an older artifact has %s, so that this one gets the next patch", f.rank, f.word(), f.highest())), err
}

func (f facts) highest() version.Stable {
	s, _ := f.now.Ladder.Stable()
	return s
}

// notTheSubject: a cluster's word on something else is none on this; a person's is a
// mistake to be told.
func (f facts) notTheSubject() (plan, error) {
	if f.subject.Proven {
		return plan{outcome: pipeline.Ignore, reason: f.foreign}, nil
	}
	return plan{}, pipeline.Refuse("give the digest alone, or the full commit; sha-length must be the same in every mode", "%s", f.foreign)
}

// word is what a promotion goes by.
func (f facts) word() string {
	word := "approved"
	switch {
	case f.subject.begun:
		word = "validated or approved"
	case f.subject.Proven:
		word = "validated"
	}
	if f.soak != nil {
		word += ", and healthy for " + f.soak.healthyFor()
	}
	return word
}

func (f facts) promote(v version.Stable, reason string) plan {
	return plan{outcome: pipeline.Promoted, reason: reason, validate: true, version: v}
}

func (f facts) unchanged(stable string) plan {
	return plan{
		outcome: pipeline.Unchanged, reason: fmt.Sprintf("%s names this artifact already", stable),
		validate: !f.tagged && (f.manual == nil || f.subject.Proven), due: true,
	}
}

func (f facts) superseded(format string, args ...any) plan {
	return plan{outcome: pipeline.Superseded, reason: fmt.Sprintf(format, args...),
		next: "nothing has to be done: the next candidate that integration validates goes live; " +
			"to have exactly this artifact live, promote it by hand with version: next"}
}

func (f facts) pending() plan {
	p := plan{outcome: pipeline.Pending, wait: true}
	switch {
	case f.missing != "":
		p.reason = f.missing
	case f.doubt != "":
		p.reason, p.wait = f.doubt, false
	default:
		p.reason = fmt.Sprintf("no candidate names %s", f.artifact.Desc.Digest)
	}
	return p
}
