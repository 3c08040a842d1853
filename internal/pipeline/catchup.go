package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// maxAsked bounds the candidates that one catch-up asks about.
const maxAsked = 50

// catchUp promotes the newest candidate that outranks the stable and is proven healthy:
// Flux does not repeat a report that was missed (facts 4). A validated- tag that names the
// candidate's digest is the trace of a promotion that was killed, which had its proof.
func (r *tagRun) catchUp(ctx context.Context, now snapshot) (Report, error) {
	tags, err := r.outranking(ctx, now)
	if err != nil {
		return Report{}, err
	}
	var waiting []string // why each was not promoted
	seen := map[digest.Digest]bool{}
	for i, tag := range tags {
		if i == maxAsked {
			r.notice("of %d candidates above the stable only the newest %d were asked about", len(tags), maxAsked)
			break
		}
		a, err := r.read(ctx, tag)
		if err != nil {
			return Report{}, err
		}
		if a == nil || seen[a.desc.Digest] {
			continue
		}
		seen[a.desc.Digest] = true
		report, why, err := r.catchUpWith(ctx, now, a)
		if err != nil || why == "" {
			return report, err
		}
		waiting = append(waiting, tag+": "+why)
	}
	p := tagPlan{outcome: Unchanged, reason: "nothing to catch up with: no candidate outranks what is live", rescue: true}
	if len(waiting) > 0 {
		p.outcome, p.reason = Pending, "no candidate above the stable is proven healthy; "+waiting[0]
		p.next = "the report of integration starts a run, and so does the next catch-up"
		for _, w := range waiting[1:] {
			r.notice("%s", w)
		}
	}
	return r.nothingPromoted(ctx, p, now)
}

// catchUpWith promotes one artifact if it is proven, or tells why not.
func (r *tagRun) catchUpWith(ctx context.Context, now snapshot, a *artifact) (Report, string, error) {
	s, why, err := r.proofOf(ctx, now, a)
	if err != nil || s == nil {
		return Report{}, why, err
	}
	attempt := *r
	report, err := attempt.promote(ctx, *s, now)
	if err != nil || report.Outcome == Promoted || report.Outcome == Planned {
		return report, "", err
	}
	return report, fmt.Sprintf("%s, %s", report.Outcome, report.Reason), nil
}

func (r *tagRun) nothingPromoted(ctx context.Context, p tagPlan, now snapshot) (Report, error) {
	if r.DryRun {
		return r.planned(ctx, p, tagFacts{ladder: now.ladder}, now)
	}
	return r.finish(ctx, p, tagFacts{ladder: now.ladder}, now)
}

// outranking are the candidates above the rank of the stable's artifact. Where that is not
// known, and under a rollback, only those above the stable itself can be promoted.
func (r *tagRun) outranking(ctx context.Context, now snapshot) ([]string, error) {
	all := descending(now.ladder.Candidates)
	above := all[:len(all)-now.below()]
	if _, ok := now.ladder.Stable(); !ok || len(all) == 0 {
		return all, nil
	}
	known, err := r.completed(ctx, now, stableFacts{})
	if err != nil || known.rank == "" {
		return above, err
	}
	rank, err := version.ParseCandidate(known.rank)
	if err != nil {
		return nil, err
	}
	newer := all[:slices.Index(all, rank.String())]
	if len(newer) <= len(above) {
		return newer, nil
	}
	rollback, err := r.isRollback(ctx, now, known)
	if err != nil || rollback {
		return above, err
	}
	return newer, nil
}

// proofOf finds the proof of a candidate's health.
func (r *tagRun) proofOf(ctx context.Context, now snapshot, a *artifact) (*Subject, string, error) {
	if a.Revision.Commit == "" {
		return nil, "its artifact does not tell its commit", nil
	}
	if tag := r.validatedTag(a); now.has[tag] {
		named, err := r.resolve(ctx, tag)
		if err != nil {
			return nil, "", err
		}
		if named == a.desc.Digest {
			return &Subject{Digest: named, Tag: a.readBy, Proven: true, Because: fmt.Sprintf("tag %q names it: an earlier promotion had its proof and did not finish", tag)}, "", nil
		}
	}
	if r.Health == nil {
		return nil, "", errors.New("catching up: nobody can be asked for commit statuses")
	}
	s, why, err := r.Health(ctx, a.Revision.Commit, a.desc.Digest)
	if s != nil {
		s.Tag = a.readBy
	}
	return s, why, err
}
