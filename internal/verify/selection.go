package verify

import (
	"cmp"
	"fmt"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// checkSelection compares what each cluster selects with what the pipeline means it to.
func (r *reading) checkSelection() (integration, live []pipeline.Finding) {
	selected := r.selected
	want := cmp.Or(r.top(), r.stable.tag)
	if want != "" && selected.Integration != want && (r.digestOf(want) == "" || r.digestOf(selected.Integration) != r.digestOf(want)) {
		integration = append(integration, pipeline.Finding{
			Code: pipeline.NotSelectedByIntegration, Severity: pipeline.Error, Stage: pipeline.SelectedByIntegration, Since: r.since(want),
			Message: fmt.Sprintf("integration does not select %s: %s", want, lostTo(r.Clusters.Integration, selected.Integration, want)),
			Hint:    `the constraint on integration must admit candidates and end in -0, such as ">= 0.0.0-0", and nothing else in the repository may be a higher version; integration-semver must say what the cluster has`,
		})
	}
	if next := r.nextCandidate(); len(integration) == 0 && next != "" && r.Clusters.Integration.Select([]string{next}) == "" {
		integration = append(integration, pipeline.Finding{
			Code: pipeline.NotSelectedByIntegration, Severity: pipeline.Error, Stage: pipeline.SelectedByIntegration,
			Message: fmt.Sprintf("integration cannot select the next candidate, such as %s: its constraint %q excludes it", next, r.Clusters.Integration),
			Hint:    `the constraint on integration must end in -0, such as ">= 0.0.0-0"; integration-semver must say what the cluster has`,
		})
	}
	if next := r.nextCandidate(); next != "" && r.Clusters.Live.Select([]string{next}) != "" {
		return integration, []pipeline.Finding{{
			Code: pipeline.NotSelectedByLive, Severity: pipeline.Error, Stage: pipeline.SelectedByLive,
			Message: fmt.Sprintf("live takes what nobody validated: its constraint %q admits candidates such as %s, and selects %q now", r.Clusters.Live, next, selected.Live),
			Hint:    `the constraint on live must have no -0: ">= 0.0.0"; live-semver must say what the cluster has`,
		}}
	}
	if r.stable.tag != "" && selected.Live != r.stable.tag || r.stable.tag == "" && selected.Live != "" {
		f := pipeline.Finding{
			Code: pipeline.NotSelectedByLive, Severity: pipeline.Error, Stage: pipeline.SelectedByLive,
			Message: fmt.Sprintf("live does not select %s: %s", r.stable.tag, lostTo(r.Clusters.Live, selected.Live, r.stable.tag)),
			Hint:    `the constraint on live must admit stables and no candidates, such as ">= 0.0.0", and nothing else in the repository may be a higher version: delete it, or narrow the constraint on the cluster and in live-semver`,
		}
		if r.stable.tag == "" {
			f.Message = fmt.Sprintf("nothing was promoted, and live selects %q by its constraint %q", selected.Live, r.Clusters.Live)
		}
		live = append(live, f)
	}
	return integration, live
}

// lostTo tells why a constraint does not select the tag that it should.
func lostTo(c version.Constraint, selected, due string) string {
	switch {
	case c.Select([]string{due}) == "" && selected == "":
		return fmt.Sprintf("its constraint %q excludes it, and selects nothing", c)
	case c.Select([]string{due}) == "":
		return fmt.Sprintf("its constraint %q excludes it, and selects %q", c, selected)
	}
	if l := version.Read([]string{selected}); len(l.Candidates)+len(l.Stables) == 0 {
		return fmt.Sprintf("%q, which is not of this pipeline, is the higher version", selected)
	}
	return fmt.Sprintf("%q is the higher version for its constraint %q", selected, c)
}

// nextCandidate is what integration must be able to select: the highest open candidate, or one
// that the next build could get; empty where no number is left.
func (r *reading) nextCandidate() string {
	if top := r.top(); top != "" {
		return top
	}
	l, from, height := r.snap.Ladder, version.Stable{Patch: 1}, uint64(0)
	if s, ok := l.Stable(); ok {
		from = s.Bump(version.Patch)
	}
	for _, c := range l.Candidates {
		height = max(height, c.N)
	}
	next, ok, _ := l.Base(from, height+1, "") // which no candidate has
	if !ok {
		return ""
	}
	return next.String()
}
