package promote

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// planned reports what a run without dry-run would do.
func (r *run) planned(ctx context.Context, p plan, f facts, now pipeline.Snapshot) error {
	r.describe(p, f)
	if p.validate && f.artifact != nil {
		if tag := f.artifact.Tag(pipeline.ValidatedPrefix, r.SHALength); tag != "" {
			r.report.Plan = append(r.report.Plan, tag)
		}
	}
	if p.outcome == pipeline.Promoted {
		v := p.version.String()
		r.report.Plan = append(r.report.Plan, v)
		r.describeStable(ctx, p.version, f)
		r.vouch(ctx, f)
		now = now.With(v)
		now.Ladder.Learn(v, f.artifact.Known())
	}
	if p.outcome == pipeline.Promoted || p.due {
		due, after, err := r.store.WriteDue(ctx, now, true)
		if err != nil {
			return err
		}
		r.report.Plan = append(r.report.Plan, candidatesOf(due)...)
		now = after
	}
	r.report.Outcome = pipeline.Planned
	r.report.Reason = fmt.Sprintf("without dry-run the outcome would be %s: %s", p.outcome, r.report.Reason)
	r.report.Tags = []string{}
	r.selection(p, now)
	return nil
}

// finish reports a run that promotes nothing, and completes what an earlier one left out.
func (r *run) finish(ctx context.Context, p plan, f facts, now pipeline.Snapshot) error {
	if p.validate {
		if err := r.validate(ctx, f.artifact); err != nil {
			return err
		}
		p.reason += "; its validated- tag was missing and is added"
	}
	r.describe(p, f)
	if p.outcome == pipeline.Pending && p.next == "" {
		r.explainPending(f)
	}
	if p.due {
		var err error
		if now, err = r.writeDue(ctx, now); err != nil {
			return err
		}
	}
	r.selection(p, now)
	return nil
}

// promoted reports a promotion, after writing what it may have made due.
func (r *run) promoted(ctx context.Context, p plan, f facts, now pipeline.Snapshot) error {
	r.describe(p, f)
	now.Ladder.Learn(p.version.String(), f.artifact.Known())
	after, err := r.writeDue(ctx, now)
	if err != nil {
		return fmt.Errorf("after promoting %s, which stands: %w", p.version, err)
	}
	r.describeStable(ctx, p.version, f)
	r.selection(p, after)
	r.vouch(ctx, f)
	return nil
}

// writeDue applies promise 9 and gives the list with what that added.
func (r *run) writeDue(ctx context.Context, now pipeline.Snapshot) (pipeline.Snapshot, error) {
	due, now, err := r.store.WriteDue(ctx, now, false)
	r.report.Rescued = append(r.report.Rescued, due...)
	for _, d := range r.report.Rescued {
		r.report.Tags = append(r.report.Tags, d.Candidate)
		if d.Digest == r.report.Digest {
			r.report.Candidate = d.Candidate
		}
		if r.report.Next == "" {
			r.report.Next = fmt.Sprintf("integration takes %s: its artifact is that of %s, which no cluster would select any more", d.Candidate, d.From)
		}
	}
	return now, err
}

func candidatesOf(due []pipeline.Rescued) (tags []string) {
	for _, d := range due {
		tags = append(tags, d.Candidate)
	}
	return tags
}

// describe fills in the artifact that the report is about.
func (r *run) describe(p plan, f facts) {
	r.report.Outcome, r.report.Reason, r.report.Next = p.outcome, p.reason, p.next
	if len(f.subject.Commit) == 40 {
		r.report.SHA = f.subject.Commit
	}
	a := f.artifact
	if a == nil || f.foreign != "" {
		return
	}
	r.report.Digest, r.report.Reference = a.Desc.Digest, r.Name+"@"+a.Desc.Digest.String()
	r.report.SHA = cmp.Or(a.Revision.Commit, r.report.SHA)
	if r.report.Version = f.stable; p.outcome == pipeline.Promoted {
		r.report.Version = p.version.String()
	}
	if f.ranked {
		r.report.Candidate = f.rank.String()
	}
	tags := []string{r.report.Candidate}
	if f.tagged || p.validate {
		tags = append(tags, a.Tag(pipeline.ValidatedPrefix, r.SHALength))
	}
	r.report.Tags = slices.DeleteFunc(append(tags, r.report.Version), func(tag string) bool { return tag == "" })
}

// describeStable tells what was live before v, as far as somebody asks, and what a rollback
// means.
func (r *run) describeStable(ctx context.Context, v version.Stable, f facts) {
	previous, ok := f.now.Ladder.Stable()
	if !ok || !r.Notes && !f.hand.rollback {
		return
	}
	r.report.Previous = &pipeline.Stable{Version: previous.String()}
	switch a, err := r.store.Read(ctx, previous.String()); {
	case err != nil: // the promotion stands all the same
		r.report.Warn("what was live before is not known: %s", pipeline.WithHint(err))
	case a != nil:
		r.report.Previous.Digest, r.report.Previous.SHA = a.Desc.Digest, a.Revision.Commit
	}
	if f.hand.rollback {
		r.explainRollback(v, f)
	}
}

// explainRollback says from what to what, what it holds back, and how it goes on.
func (r *run) explainRollback(v version.Stable, f facts) {
	from, to := r.report.Previous.Version, cmp.Or(f.stable, r.report.Candidate, f.artifact.Desc.Digest.String())
	back := &pipeline.Rollback{To: to}
	for _, c := range slices.Backward(f.now.Ladder.Candidates) {
		if f.now.Ladder.Open(c) && f.now.Ladder.Named(c.String()) != f.artifact.Desc.Digest {
			back.Held = append(back.Held, c.String())
		}
	}
	r.report.Rollback = back
	r.report.Reason = fmt.Sprintf("rollback by hand from %s to the artifact of %s", from, to)
	if from == to {
		r.report.Reason = fmt.Sprintf("a new version by hand for the artifact of %s, which is live already", from)
	}
	r.report.Next = fmt.Sprintf("live follows when it reads its OCIRepository next (spec.interval; on live `flux reconcile source oci NAME` does it at once); "+
		"the next build gets a number above %s and goes its usual way", v)
}

// explainPending warns, and says how it goes on.
func (r *run) explainPending(f facts) {
	again := f.again()
	switch a := f.artifact; {
	case a == nil && f.subject.Latest:
		r.report.Next = again
	case a == nil && f.subject.Digest != "":
		r.report.Next = "check that the Kustomization applies this repository; if the artifact was deleted, build its commit again"
	case a == nil, f.missing != "":
		r.report.Next = fmt.Sprintf("run the build of commit %.7s again; %s", f.subject.Commit, again)
	case f.doubt != "":
		r.report.Next = fmt.Sprintf("if this is the healthy one, promote it by hand: oci-promote tag --repository %s --digest %s", r.Name, a.Desc.Digest)
	default:
		r.report.Next = fmt.Sprintf("%s; by hand: oci-promote tag --repository %s --digest %s --version next --allow-unvalidated", again, r.Name, a.Desc.Digest)
	}
	r.report.Warn("not promoted yet: %s; %s", r.report.Reason, r.report.Next)
}

// again is what promotes an artifact once its build is complete. Nobody keeps an approval, or an
// event that left no status.
func (f facts) again() string {
	const byHand = "run this again when its build is complete"
	switch {
	case !f.subject.Proven:
		return byHand + ": a schedule promotes only what integration reports healthy"
	case !f.subject.Kept:
		return byHand + "; a schedule promotes it only where integration leaves a commit status too"
	}
	return "a run of mode tag on a schedule promotes it when its build is complete"
}

// selection tells what each cluster picks from a list, and warns where live will not see
// the version that was promoted.
func (r *run) selection(p plan, now pipeline.Snapshot) {
	r.report.Selected = r.Clusters.Selected(now.Tags)
	if s, ok := now.Ladder.Stable(); ok {
		r.report.Highest = s.String()
	}
	if p.outcome == pipeline.Promoted {
		if why := r.Clusters.MissedByLive(p.version.String(), r.report.Selected.Live); why != "" {
			r.report.Warn("%s", why)
		}
	}
}
