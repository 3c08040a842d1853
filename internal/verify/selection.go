package verify

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// checkSelection compares what each cluster selects with what the pipeline means it to.
func (r *reading) checkSelection() (integration, live []pipeline.Finding) {
	integration, live = r.checkIntegrationSelects(), r.checkLiveSelects()
	if says := r.bothReadings(r.Clusters.Integration); says != "" {
		integration = beside(integration, says, pipeline.Finding{
			Code: pipeline.NotSelectedByIntegration, Severity: pipeline.Warning, Stage: pipeline.SelectedByIntegration,
			Message: fmt.Sprintf("the constraint %q on integration is read in two ways: %s", r.Clusters.Integration, says),
			Hint:    `give each part of it a pre-release, such as ">= 0.0.0-0, < 2.0.0-0", on the cluster and in integration-semver: that is read in one`,
		})
	}
	if says := r.bothReadings(r.Clusters.Live); says != "" {
		live = beside(live, says, pipeline.Finding{
			Code: pipeline.NotSelectedByLive, Severity: pipeline.Warning, Stage: pipeline.SelectedByLive,
			Message: fmt.Sprintf("the constraint %q on live is read in two ways: %s", r.Clusters.Live, says),
			Hint:    `give no part of it a pre-release, and say from where on, such as ">= 0.0.0, < 2.0.0", on the cluster and in live-semver: that is read in one`,
		})
	}
	return integration, live
}

// beside adds words to the first finding, or is their own where there is none.
func beside(found []pipeline.Finding, says string, own pipeline.Finding) []pipeline.Finding {
	if len(found) == 0 {
		return []pipeline.Finding{own}
	}
	found[0].Message += "; " + says
	return found
}

func (r *reading) checkIntegrationSelects() []pipeline.Finding {
	selected := r.selected.Integration
	want := cmp.Or(r.top(), r.stable.tag)
	if want != "" && selected != want && (r.digestOf(want) == "" || r.digestOf(selected) != r.digestOf(want)) {
		return []pipeline.Finding{{
			Code: pipeline.NotSelectedByIntegration, Severity: pipeline.Error, Stage: pipeline.SelectedByIntegration, Since: r.since(want),
			Message: fmt.Sprintf("integration does not select %s: %s", want, lostTo(r.Clusters.Integration, selected, want)),
			Hint:    `the constraint on integration must admit candidates and end in -0, such as ">= 0.0.0-0", and nothing else in the repository may be a higher version; integration-semver must say what the cluster has`,
		}}
	}
	if next := r.nextCandidate(); next != "" && r.Clusters.Integration.Select([]string{next}) == "" {
		return []pipeline.Finding{{
			Code: pipeline.NotSelectedByIntegration, Severity: pipeline.Error, Stage: pipeline.SelectedByIntegration,
			Message: fmt.Sprintf("integration cannot select the next candidate, such as %s: its constraint %q excludes it", next, r.Clusters.Integration),
			Hint:    `the constraint on integration must end in -0, such as ">= 0.0.0-0"; integration-semver must say what the cluster has`,
		}}
	}
	return nil
}

func (r *reading) checkLiveSelects() []pipeline.Finding {
	selected := r.selected.Live
	if next := r.nextCandidate(); next != "" {
		if f := r.Clusters.LetIn(next, selected); f != nil {
			return []pipeline.Finding{*f}
		}
	}
	if selected == r.stable.tag {
		return nil
	}
	f := pipeline.Finding{
		Code: pipeline.NotSelectedByLive, Severity: pipeline.Error, Stage: pipeline.SelectedByLive,
		Message: fmt.Sprintf("live does not select %s: %s", r.stable.tag, lostTo(r.Clusters.Live, selected, r.stable.tag)),
		Hint:    `the constraint on live must admit stables and no candidates, such as ">= 0.0.0", and nothing else in the repository may be a higher version: delete it, or narrow the constraint on the cluster and in live-semver`,
	}
	if r.stable.tag == "" {
		f.Message = fmt.Sprintf("nothing was promoted, and live selects %q by its constraint %q", selected, r.Clusters.Live)
	}
	return []pipeline.Finding{f}
}

// bothReadings says what a constraint selects with source-controller 1.7.0 and later, and what with an older one
// (docs/facts.md 27); empty where that is the same, also with the next candidate.
func (r *reading) bothReadings(c version.Constraint) string {
	tags, when := r.snap.Tags, ""
	if next := r.nextCandidate(); next != "" && !r.snap.Has(next) && c.Select(tags) == c.SelectOlder(tags) {
		tags, when = append(slices.Clone(tags), next), fmt.Sprintf(" once %s is built", next)
	}
	newer, older := c.Select(tags), c.SelectOlder(tags)
	if newer == older {
		return ""
	}
	return fmt.Sprintf("source-controller 1.7.0 (Flux 2.7) and later selects %s%s, an older one %s", orNothing(newer), when, orNothing(older))
}

func orNothing(tag string) string {
	if tag == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", tag)
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
