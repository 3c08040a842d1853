package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// glance is the pause between two looks at promotions under way.
const glance = 250 * time.Millisecond

// waitForRivals waits before the claim until the promotions beside this one have their
// stables. Two that see each other would wait for ever: the first by tag waits half as long,
// which is enough for one that did not see it.
func (r *tagRun) waitForRivals(ctx context.Context, p tagPlan, f tagFacts, before, now snapshot) (snapshot, error) {
	rivals, err := r.rivals(ctx, p, f, before, now)
	if err != nil || len(rivals) == 0 {
		return now, err
	}
	now.fresh = false // when they are done, it is old
	limit := patience
	if r.validatedTag(f.artifact) < slices.Min(rivals) {
		limit /= 2
	}
	r.log("waiting for %d other promotions", len(rivals))
	for waited := time.Duration(0); ; waited += glance {
		if rivals, err = r.undecided(ctx, before, now, rivals); err != nil || len(rivals) == 0 || waited >= limit {
			return now, err
		}
		if err := sleep(ctx, glance); err != nil {
			return now, err
		}
		if now, err = r.list(ctx); err != nil {
			return now, err
		}
	}
}

// settle waits after the claim for promotions that may still write our version, since they
// saw nobody or waited long enough, and reports whether it is ours when the dust has settled.
func (r *tagRun) settle(ctx context.Context, p tagPlan, f tagFacts, before, now snapshot) (_ snapshot, held bool, err error) {
	rivals, err := r.rivals(ctx, p, f, before, now)
	if err != nil || len(rivals) == 0 {
		return now, err == nil, err
	}
	for waited := time.Duration(0); ; waited += glance {
		if rivals, err = r.undecided(ctx, before, now, rivals); err != nil {
			return now, false, err
		}
		// After that: one that is decided may have got its stable by taking ours.
		named, err := r.resolveWritten(ctx, p.version.String())
		if err != nil || named != f.artifact.desc.Digest || len(rivals) == 0 || waited >= patience {
			return now, named == f.artifact.desc.Digest, err
		}
		if err := sleep(ctx, glance); err != nil {
			return now, false, err
		}
		if now, err = r.listWith(ctx, p.version.String()); err != nil {
			return now, false, err
		}
		now.fresh = false // it was written some time ago
	}
}

// rivals are the validated- tags of promotions that may be under way beside this one: those
// announced since before, and of those announced then the ones whose candidate may lead to
// the same version.
func (r *tagRun) rivals(ctx context.Context, p tagPlan, f tagFacts, before, now snapshot) ([]string, error) {
	ours := r.validatedTag(f.artifact)
	var all []string
	older := 0
	for _, tag := range now.tags {
		switch {
		case !isValidatedTag(tag) || tag == ours:
		case before.has[tag]:
			older++
		default:
			all = append(all, tag)
		}
	}
	if older == 0 {
		return all, nil
	}
	c, err := version.ParseCandidate(f.candidate)
	byRank := err == nil && c.Base == p.version && r.lost == 0
	known := newest(now.ladder, func(c version.Candidate) bool { return c.Base == p.version })
	if !byRank || older > len(before.ladder.Stables) {
		if known, err = r.outrankingStable(ctx, before, now); err != nil {
			return nil, err
		}
	}
	if err := r.readAll(ctx, known); err != nil {
		return nil, err
	}
	for _, tag := range known {
		a := r.candidates[tag]
		if a == nil {
			continue
		}
		if theirs := r.validatedTag(a); now.has[theirs] && theirs != ours && !slices.Contains(all, theirs) {
			all = append(all, theirs)
		}
	}
	return all, nil
}

// newest are some of the highest candidates of a kind: integration deploys no others.
func newest(l version.Ladder, kind func(version.Candidate) bool) []string {
	const enough = 8
	var tags []string
	for _, c := range slices.Backward(l.Candidates) {
		if kind(c) && len(tags) < enough {
			tags = append(tags, c.String())
		}
	}
	return tags
}

// outrankingStable are the newest candidates down to the one of what was the stable before.
// All of them may lead to the next patch, so that they are asked where that is in play:
// ours is one, or was lost to one, or more artifacts are validated than there are stables.
func (r *tagRun) outrankingStable(ctx context.Context, before, now snapshot) ([]string, error) {
	tags := newest(now.ladder, func(version.Candidate) bool { return true })
	stable, ok := before.ladder.Stable()
	if !ok {
		return tags, nil
	}
	highest, err := r.resolve(ctx, stable.String())
	if err != nil {
		return nil, err
	}
	digests, err := r.resolveAll(ctx, tags)
	for i, tag := range tags {
		if digests[tag] == highest {
			return tags[:i], err
		}
	}
	return tags, err
}

// undecided are the rivals whose artifact has no stable yet, from the one up that was the
// highest before.
func (r *tagRun) undecided(ctx context.Context, before, now snapshot, rivals []string) ([]string, error) {
	from, _ := before.ladder.Stable()
	var stables []string
	for _, s := range now.ladder.Stables {
		if s.Compare(from) >= 0 {
			stables = append(stables, s.String())
		}
	}
	digests, err := r.resolveAll(ctx, append(stables, rivals...))
	if err != nil {
		return nil, err
	}
	decided := map[digest.Digest]bool{"": true} // a tag that is gone
	for _, s := range stables {
		decided[digests[s]] = true
	}
	return slices.DeleteFunc(slices.Clone(rivals), func(tag string) bool { return decided[digests[tag]] }), nil
}
