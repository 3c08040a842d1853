package build

import (
	"context"
	"fmt"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// planned reports what apply would do.
func (r *run) planned(ctx context.Context, p plan) error {
	if p.number {
		r.report.Plan = append(r.report.Plan, p.known)
		r.now = r.now.With(p.known)
		r.now.Ladder.Learn(p.known, p.artifact.Known())
	}
	r.report.Plan = append(r.report.Plan, p.tags...)
	if p.outcome != pipeline.Superseded {
		due, now, err := r.store.WriteDue(ctx, r.now, true)
		if err != nil {
			return err
		}
		for _, d := range due {
			r.report.Plan = append(r.report.Plan, d.Candidate)
		}
		r.now = now
	}
	r.describe(p)
	r.report.Outcome = pipeline.Planned
	r.report.Reason = fmt.Sprintf("without dry-run the outcome would be %s: %s", p.outcome, p.reason)
	r.report.Tags = []string{}
	r.selection()
	return nil
}

// describe fills in the artifact that the report is about.
func (r *run) describe(p plan) {
	r.report.Outcome, r.report.Reason = p.outcome, p.reason
	if p.outcome == pipeline.Superseded {
		return // nothing was tagged: there is no artifact to name
	}
	r.report.Version = p.known
	if pipeline.IsCandidate(p.known) {
		r.report.Candidate = p.known
	}
	r.report.Digest = p.artifact.Desc.Digest
	r.report.Reference = r.Name + "@" + p.artifact.Desc.Digest.String()
	if commit := p.artifact.Revision.Commit; commit != "" {
		r.report.SHA = commit
	}
	r.report.Tags = append(append(r.report.Tags, p.known), p.tagged...)
	for _, rescued := range r.report.Rescued {
		if rescued.Digest == r.report.Digest {
			r.report.Version, r.report.Candidate = rescued.Candidate, rescued.Candidate
			r.report.Tags = append(r.report.Tags, rescued.Candidate)
		}
	}
}

// selection tells what each cluster picks, and warns where integration would never see the new
// candidate, and where live would take it before it is validated.
func (r *run) selection() {
	r.report.Selected = r.Clusters.Selected(r.now.Tags)
	if candidate := r.report.Candidate; candidate != "" {
		if why := r.Clusters.MissedByIntegration(candidate, r.report.Selected.Integration); why != "" {
			r.report.Warn("%s", why)
		}
		if f := r.Clusters.LetIn(candidate, r.report.Selected.Live); f != nil {
			r.report.Warn("%s; %s", f.Message, f.Hint)
		}
	}
}
