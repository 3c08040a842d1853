package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// Tag promotes exactly the artifact that integration validated: its digest gets the
// stable tag X.Y.Z.
//
// Promoting twice is harmless. Moving a stable tag is refused, and so is everything that
// would let live go back, but for a rollback by hand. A promotion that was killed anywhere
// is completed by the next run.
type Tag struct {
	Repo      Repository
	Name      string   // of the repository, for messages and the reference
	Subject   *Subject // what to promote; nil to catch up with what was missed
	Manual    *Manual  // a version by hand; nil derives it
	Health    Health   // for catching up only
	SHALength int      // digits of the commit in its tags
	Wait      time.Duration
	Notes     bool // read the previous stable's commit, for release notes
	DryRun    bool // read and plan, write nothing
	Clusters  Clusters
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

// The tag of a commit that a promotion writes, before the stable (promise 5).
const validatedPrefix = "validated-"

// attempts bounds the plans that one run makes. Each one that is lost was won by
// another promotion.
const attempts = 20

// Run promotes. What it reports is true when it returns.
func (t Tag) Run(ctx context.Context) (Report, error) {
	r := &tagRun{Tag: t, store: store{t.Repo, t.Name}, candidates: map[string]*artifact{}}
	r.report = Report{Mode: "tag", Repository: r.name, Tags: []string{}}
	now, err := r.listAndGuess(ctx)
	if err != nil {
		return Report{}, err
	}
	if t.Subject == nil {
		return r.catchUp(ctx, now)
	}
	return r.promote(ctx, *t.Subject, now)
}

// Ignored is the report of a run whose event proves nothing. The registry was not asked.
func Ignored(name, reason string) Report {
	return Report{Mode: "tag", Outcome: Ignore, Reason: reason, Repository: name, Tags: []string{}}
}

// tagRun is one promotion under way.
type tagRun struct {
	Tag
	store
	report     Report
	waited     time.Duration
	lost       int                  // versions that other promotions took
	candidates map[string]*artifact // by tag, as read since the plan began; nil for one that is gone
	guessed    *artifact            // what was read beside the first list; nil for nothing, and once it was looked at
}

// promote plans and applies, again when another promotion was faster, and waits for a
// build whose tags are not all there yet.
func (r *tagRun) promote(ctx context.Context, s Subject, now snapshot) (Report, error) {
	r.report.Proof = s.Because
	for range attempts {
		f, p, settled, err := r.plan(ctx, s, now)
		if err != nil {
			return Report{}, err
		}
		switch {
		case r.DryRun:
			return r.planned(ctx, p, f, settled)
		case p.outcome != Promoted:
			return r.finish(ctx, p, f, settled)
		}
		after, held, err := r.write(ctx, p, f, settled)
		if err != nil {
			return Report{}, err
		}
		if held {
			return r.promoted(ctx, p, f, settled, after)
		}
		r.log("%s went to another promotion; planning again", p.version)
		now = after
		r.lost++
	}
	return Report{}, fmt.Errorf("promoting in %s: other promotions took %d versions before this one; run again when fewer are under way", r.name, attempts)
}

// plan reads and decides, until there is nothing left to wait for.
func (r *tagRun) plan(ctx context.Context, s Subject, now snapshot) (tagFacts, tagPlan, snapshot, error) {
	const pause = 2 * time.Second
	for {
		clear(r.candidates)
		f, err := r.look(ctx, s, now)
		if err != nil {
			return f, tagPlan{}, now, err
		}
		if f.candidate != "" {
			r.candidates[f.candidate] = f.artifact
		}
		p, err := decideTag(f)
		left := r.Wait - r.waited
		if err != nil || !p.wait || left <= 0 || r.DryRun {
			return f, p, now, err
		}
		if r.waited == 0 {
			r.log("waiting up to %s: %s", r.Wait, p.reason)
		}
		r.waited += min(pause, left)
		if err := sleep(ctx, min(pause, left)); err != nil {
			return f, p, now, err
		}
		if now, err = r.list(ctx); err != nil {
			return f, p, now, err
		}
	}
}

func (r *tagRun) log(format string, args ...any) {
	if r.Log != nil {
		r.Log(fmt.Sprintf(format, args...))
	}
}

func (r *tagRun) notice(format string, args ...any) {
	r.report.Notices = append(r.report.Notices, fmt.Sprintf(format, args...))
}

func (r *tagRun) warn(format string, args ...any) {
	r.report.Warnings = append(r.report.Warnings, fmt.Sprintf(format, args...))
}

// validatedTag is the tag that says a's commit was validated, or "" where a does not
// tell its commit.
func (r *tagRun) validatedTag(a *artifact) string {
	if a.Revision.Commit == "" {
		return ""
	}
	return validatedPrefix + a.Revision.Commit[:r.SHALength]
}

func isValidatedTag(tag string) bool {
	return strings.HasPrefix(tag, validatedPrefix) && isSHATag(shaPrefix+strings.TrimPrefix(tag, validatedPrefix))
}
