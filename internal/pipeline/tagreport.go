package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/oci-promote/oci-promote/internal/version"
)

// planned reports what a run without dry-run would do.
func (r *tagRun) planned(ctx context.Context, p tagPlan, f tagFacts, now snapshot) (Report, error) {
	r.describe(p, f)
	if p.validate && f.artifact != nil && r.validatedTag(f.artifact) != "" {
		r.report.Plan = append(r.report.Plan, r.validatedTag(f.artifact))
	}
	known := stableKnown(f)
	if p.outcome == Promoted {
		v := p.version.String()
		r.report.Plan = append(r.report.Plan, v)
		if now = newSnapshot(append(slices.Clip(now.tags), v)); topIs(now, p.version) {
			known = promotedKnown(f)
		}
		r.describeStable(ctx, p.version, f.stable, now.ladder)
		r.explainRollback(p.version)
	}
	if p.outcome == Promoted || p.rescue {
		s, err := r.stranded(ctx, now, known)
		if err != nil {
			return Report{}, err
		}
		if s != nil {
			r.report.Plan = append(r.report.Plan, s.to.String())
		}
	}
	r.report.Outcome = Planned
	r.report.Reason = fmt.Sprintf("without dry-run the outcome would be %s: %s", p.outcome, p.reason)
	r.report.Tags = []string{}
	r.selection(p, now)
	return r.report, nil
}

// finish reports a run that promotes nothing, and completes what an earlier one left out.
func (r *tagRun) finish(ctx context.Context, p tagPlan, f tagFacts, now snapshot) (Report, error) {
	if p.validate {
		if err := r.validate(ctx, f.artifact); err != nil {
			return Report{}, err
		}
		p.reason += "; its validated- tag was missing and is added"
	}
	r.describe(p, f)
	if stable, ok := now.ladder.Stable(); ok && p.outcome == Unchanged && f.stable == stable.String() {
		r.describeStable(ctx, stable, f.rollback, now.ladder)
	}
	if p.outcome == Pending && p.next == "" {
		r.explainPending(f)
	}
	if p.rescue {
		var err error
		if now, err = r.rescued(ctx, now, stableKnown(f)); err != nil {
			return Report{}, err
		}
	}
	r.selection(p, now)
	return r.report, nil
}

// promoted reports a promotion, after the rescue that it may have made due.
func (r *tagRun) promoted(ctx context.Context, p tagPlan, f tagFacts, before, now snapshot) (Report, error) {
	r.describe(p, f)
	known := stableFacts{}
	if topIs(now, p.version) {
		known = promotedKnown(f)
	}
	after, err := r.rescued(ctx, now, known)
	if err != nil {
		return Report{}, fmt.Errorf("after promoting %s, which stands: %w", p.version, err)
	}
	r.describeStable(ctx, p.version, f.stable, before.ladder)
	r.explainRollback(p.version)
	r.selection(p, after)
	return r.report, nil
}

func topIs(now snapshot, v version.Stable) bool {
	s, ok := now.ladder.Stable()
	return ok && s == v
}

// promotedKnown is what is known of the stable that f's artifact got: it is a rollback if it
// had one before.
func promotedKnown(f tagFacts) stableFacts {
	rollback := f.stable != ""
	return stableFacts{f.artifact.desc.Digest, f.candidate, &rollback}
}

// stableKnown is what f knows of the stable that was there.
func stableKnown(f tagFacts) stableFacts {
	if f.artifact != nil && f.stable != "" && f.stable == f.stableTag() {
		return stableFacts{digest: f.artifact.desc.Digest, rank: f.candidate}
	}
	return stableFacts{digest: f.highest}
}

// rescued applies promise 9 and gives the list with what that added.
func (r *tagRun) rescued(ctx context.Context, now snapshot, known stableFacts) (snapshot, error) {
	rescued, err := r.rescue(ctx, now, known)
	if err != nil || rescued == nil {
		return now, err
	}
	r.report.Rescued = rescued
	r.report.Tags = append(r.report.Tags, rescued.Candidate)
	if r.report.Next == "" {
		r.report.Next = fmt.Sprintf("integration takes %s: its artifact is that of %s, which no cluster would select any more", rescued.Candidate, rescued.From)
	}
	return newSnapshot(append(slices.Clip(now.tags), rescued.Candidate)), nil
}

// describe fills in the artifact that the report is about.
func (r *tagRun) describe(p tagPlan, f tagFacts) {
	r.report.Outcome, r.report.Reason, r.report.Next = p.outcome, p.reason, p.next
	if f.subject.Commit != "" && len(f.subject.Commit) == 40 {
		r.report.SHA = f.subject.Commit
	}
	a := f.artifact
	if a == nil || f.foreign != "" {
		return
	}
	r.report.Digest, r.report.Reference = a.desc.Digest, r.name+"@"+a.desc.Digest.String()
	r.report.Candidate, r.report.Version = f.candidate, f.stable
	if a.Revision.Commit != "" {
		r.report.SHA = a.Revision.Commit
	}
	if p.outcome == Promoted {
		r.report.Version = p.version.String()
	}
	tags := []string{f.candidate}
	if f.tagged || p.validate {
		tags = append(tags, r.validatedTag(a))
	}
	r.report.Tags = slices.DeleteFunc(append(tags, r.report.Version), func(tag string) bool { return tag == "" })
}

// describeStable tells what was live before v, as far as somebody asks. Lower is a stable
// below v that names the same artifact, for a rollback.
func (r *tagRun) describeStable(ctx context.Context, v version.Stable, lower string, before version.Ladder) {
	below := slices.DeleteFunc(slices.Clone(before.Stables), func(s version.Stable) bool { return s.Compare(v) >= 0 })
	if len(below) == 0 || !r.Notes && lower == "" {
		return
	}
	previous := below[len(below)-1]
	r.report.Previous = &Stable{Version: previous.String()}
	switch a, err := r.read(ctx, previous.String()); {
	case err != nil: // the promotion stands all the same
		r.warn("what was live before is not known: %s", withHint(err))
	case a != nil:
		r.report.Previous.Digest, r.report.Previous.SHA = a.desc.Digest, a.Revision.Commit
	}
	if lower != "" {
		held, notHeld := inFlight(before, previous, v)
		r.report.Rollback = &Rollback{To: lower, Held: held, NotHeld: notHeld}
	}
}

// explainRollback says from what to what, and how it goes on.
func (r *tagRun) explainRollback(v version.Stable) {
	if r.report.Rollback == nil {
		return
	}
	from, to := r.report.Previous.Version, r.report.Rollback.To
	r.report.Reason = fmt.Sprintf("rollback by hand from %s to the artifact of %s", from, to)
	if from == to {
		r.report.Reason = fmt.Sprintf("a new version by hand for the artifact of %s, which is live already", from)
	}
	r.report.Next = fmt.Sprintf("live follows when it reads its OCIRepository next (spec.interval; on live `flux reconcile source oci NAME` does it at once); "+
		"the next build gets a number above %s and goes its usual way", v)
}

// explainPending warns, and says how it goes on.
func (r *tagRun) explainPending(f tagFacts) {
	again := "a run of mode tag on a schedule promotes it when its build is complete"
	switch a := f.artifact; {
	case f.subject.Latest:
		r.report.Next = "build something first"
	case a == nil && f.subject.Digest != "":
		r.report.Next = "check that the Kustomization applies this repository; if the artifact was deleted, build its commit again"
	case a == nil, f.missing != "":
		r.report.Next = fmt.Sprintf("run the build of commit %.7s again; %s", f.subject.Commit, again)
	case f.doubt != "":
		r.report.Next = fmt.Sprintf("if this is the healthy one, promote it by hand: oci-promote tag --repository %s --digest %s", r.name, a.desc.Digest)
	default:
		r.report.Next = fmt.Sprintf("%s; by hand: oci-promote tag --repository %s --digest %s --version next --allow-unvalidated", again, r.name, a.desc.Digest)
	}
	r.warn("not promoted yet: %s; %s", r.report.Reason, r.report.Next)
}

// selection tells what each cluster picks from a list, and warns where live will not see
// the version that was promoted.
func (r *tagRun) selection(p tagPlan, now snapshot) {
	r.report.Selected = r.Clusters.selected(now.tags)
	if s, ok := now.ladder.Stable(); ok {
		r.report.Highest = s.String()
	}
	v, live := p.version.String(), r.report.Selected.Live
	if p.outcome != Promoted || live == v {
		return
	}
	alone := r.Clusters.Live.Select([]string{v}) == v
	switch ladder := version.Read([]string{live}); {
	case !alone:
		r.warn("live can never select %s: its constraint %q excludes it", v, r.Clusters.Live)
	case len(ladder.Stables) == 0:
		r.warn("live selects %q, not %s: for the constraint %q that tag, which is no stable of this pipeline, is the higher version; delete it,"+
			" or narrow the constraint on the cluster and in live-semver", live, v, r.Clusters.Live)
	}
}
