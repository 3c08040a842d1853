// Package promote is mode tag: it gives the artifact that integration validated, exactly that
// digest, its stable tag X.Y.Z.
package promote

import (
	"context"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// Promotion is one promotion.
//
// Promoting twice is harmless. Moving a stable tag is refused, and so is everything that
// would let live go back, but for a rollback by hand. A promotion that was killed anywhere
// is completed by the next run.
type Promotion struct {
	Repo      pipeline.Repository
	Name      string           // of the repository, for messages and the reference
	History   pipeline.History // nil where nobody can be asked for the order of commits
	Subject   *Subject         // what to promote; nil to catch up with what was missed
	Manual    *Manual          // a version by hand; nil derives it
	Health    Health           // for catching up only, and not with Soak
	Soak      time.Duration    // for which integration must have been healthy with exactly this artifact; 0 asks nothing
	Words     Words            // for Soak, and to tell what integration said of what a person promotes; nil where nobody can be asked
	NoWords   string           // why nobody can be asked
	Now       func() time.Time // nil is time.Now
	SHALength int              // digits of the commit in its tags
	Wait      time.Duration    // for a build whose tags are not all there yet
	Notes     bool             // read the previous stable's commit, for release notes
	DryRun    bool             // read and plan, write nothing
	Clusters  pipeline.Clusters
	Log       func(step string) // a step that takes time begins; may be nil
}

// Subject says which artifact a run is about, and on whose word.
type Subject struct {
	Commit   string        // 7 to 40 hex digits; may be empty with Digest
	Digest   digest.Digest // may be empty with Commit
	Tag      string        // by which the cluster selected Digest, to look there first; may be empty
	Latest   bool          // the newest candidate, in place of the three above
	ByCommit bool          // the word was given on the commit alone: it counts while all the commit's tags name one digest
	Proven   bool          // by a cluster; else approved by a person or a workflow
	Kept     bool          // the proof is a commit status, which a later run finds again
	begun    bool          // a promotion of it began, which had its proof or its approval: it need not soak
	Because  string        // one line: the proof, or who approved
}

// Manual is a promotion whose version a person chose.
type Manual struct {
	Version     version.Stable
	Next        bool // in place of Version: one patch above everything
	Unvalidated bool // promote what was never validated
}

// Health asks for the newest word of integration on an artifact: the subject to promote,
// or why not. An error is a question that got no answer.
type Health func(ctx context.Context, commit string, d digest.Digest) (proof *Subject, why string, err error)

// attempts bounds the plans that one run makes. Each one that is lost was won by
// another promotion.
const attempts = 20

// Run promotes. What it reports is true when it returns.
func (t Promotion) Run(ctx context.Context) (pipeline.Report, error) {
	r := &run{Promotion: t, report: &pipeline.Report{Mode: "tag", Repository: t.Name, Tags: []string{}}}
	r.store = &pipeline.Store{Repo: t.Repo, Name: t.Name, History: t.History, Warn: r.report.Warn}
	now, err := r.listAndGuess(ctx)
	switch {
	case err != nil:
	case t.Subject == nil:
		err = r.catchUp(ctx, now)
	default:
		err = r.promote(ctx, *t.Subject, now)
	}
	if err != nil {
		return r.store.Unfinished(*r.report), err
	}
	return *r.report, nil
}

// Ignored is the report of a run whose event proves nothing. The registry was not asked.
func Ignored(name, reason string) pipeline.Report {
	return pipeline.Report{Mode: "tag", Outcome: pipeline.Ignore, Reason: reason, Repository: name, Tags: []string{}}
}

// run is one promotion under way.
type run struct {
	Promotion
	store   *pipeline.Store
	report  *pipeline.Report
	waited  time.Duration
	guessed *pipeline.Artifact // what was read beside the first list; nil for nothing, and once it was looked at

	heard     map[digest.Digest]heard // the words that were asked for
	own       *heard                  // what catching up has just heard of the artifact at hand; nil for nothing, and once it was used
	validated bool                    // what is promoted on no cluster's word had its validated- tag before this run
}

// promote plans and applies.
func (r *run) promote(ctx context.Context, s Subject, now pipeline.Snapshot) error {
	f, p, now, err := r.plan(ctx, s, now)
	if err == nil && p.outcome == pipeline.Promoted && !s.Proven {
		if r.validated, err = r.isValidated(ctx, f); err == nil {
			err = r.store.Unpackable(ctx, f.artifact)
		}
	}
	if err != nil {
		return err
	}
	return r.apply(ctx, f, p, now)
}

// apply does what is planned, and plans again when another promotion was faster.
func (r *run) apply(ctx context.Context, f facts, p plan, now pipeline.Snapshot) error {
	r.report.Proof = f.subject.Because
	for range attempts {
		switch {
		case r.DryRun:
			return r.planned(ctx, p, f, now)
		case p.outcome != pipeline.Promoted:
			return r.finish(ctx, p, f, now)
		}
		after, held, err := r.write(ctx, p, f, now)
		if err != nil {
			return err
		}
		if held {
			return r.promoted(ctx, p, f, after)
		}
		r.log("%s went to another promotion; planning again", p.version)
		if f, p, now, err = r.plan(ctx, f.subject, after); err != nil {
			return err
		}
	}
	return fmt.Errorf("promoting in %s: other promotions took %d versions before this one; run again when fewer are under way", r.Name, attempts)
}

// plan reads and decides, until there is nothing left to wait for.
func (r *run) plan(ctx context.Context, s Subject, now pipeline.Snapshot) (facts, plan, pipeline.Snapshot, error) {
	const pause = 2 * time.Second
	for {
		f, p, err := r.decide(ctx, s, now)
		left := r.Wait - r.waited
		if err != nil || !p.wait || left <= 0 || r.DryRun {
			return f, p, now, err
		}
		if r.waited == 0 {
			r.log("waiting up to %s: %s", r.Wait, p.reason)
		}
		r.waited += min(pause, left)
		if err := pipeline.Sleep(ctx, min(pause, left)); err != nil {
			return f, p, now, err
		}
		if now, err = r.store.ListAgain(ctx, now); err != nil {
			return f, p, now, err
		}
	}
}

// decide reads and decides once. For how long integration ran the artifact is asked of what would
// be promoted otherwise.
func (r *run) decide(ctx context.Context, s Subject, now pipeline.Snapshot) (facts, plan, error) {
	f, err := r.look(ctx, s, now)
	if err != nil {
		return f, plan{}, err
	}
	p, err := decide(f)
	if err != nil || p.outcome != pipeline.Promoted || r.Soak == 0 || s.begun {
		return f, p, err
	}
	if err := r.lookAtSoak(ctx, now, &f); err != nil {
		return f, plan{}, err
	}
	p, err = decide(f)
	return f, p, err
}

func (r *run) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

func (r *run) log(format string, args ...any) {
	if r.Log != nil {
		r.Log(fmt.Sprintf(format, args...))
	}
}
