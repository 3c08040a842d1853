package verify

import (
	"fmt"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// ready is since when a cluster could take an artifact: its commit's time, or its build's
// where that is later. A time to come is not believed. Zero is unknown.
func (r *reading) ready(a *pipeline.Artifact) time.Time {
	const skew = 5 * time.Minute
	built := r.heard.runs[a.Revision.Commit].built().Started
	switch {
	case a.Created.After(r.Now.Add(skew)), built.After(a.Created):
		return built
	}
	return a.Created
}

// waitsSince is since when a candidate could be validated, and how bad it is that it was not:
// nothing within max-age. What was rescued waits since the promotion that stranded it; where
// that time is not known, it is given a day more before it counts as late for certain.
func (r *reading) waitsSince(tag string, a *pipeline.Artifact) (since time.Time, late pipeline.Severity) {
	since = r.ready(a)
	severity, more := pipeline.Error, time.Duration(0)
	if s := r.stable.artifact; s != nil && r.isRescue(tag) {
		promoted := r.promotableSince(r.heard.words[s.Desc.Digest].Integration, r.stable.tag)
		if promoted.IsZero() {
			more = 24 * time.Hour
		} else if promoted.After(since) {
			since = promoted
		}
	}
	switch age := r.Now.Sub(since); {
	case since.IsZero():
		return since, pipeline.Error
	case age <= r.MaxAge:
		return since, ""
	case age <= r.MaxAge+more:
		severity = pipeline.Warning
	}
	return since, severity
}

// isRescue reports whether a candidate is not the first of its height, so that it may have been
// written long after its build (promise 9).
func (r *reading) isRescue(tag string) bool {
	c, err := version.ParseCandidate(tag)
	if err != nil {
		return false
	}
	all := r.snap.Ladder.At(c.N)
	return len(all) > 0 && all[0] != c
}

// since is since when clusters could take what a tag names; zero for unknown.
func (r *reading) since(tag string) (t time.Time) {
	if a := r.artifacts[tag]; a != nil {
		if _, err := version.ParseCandidate(tag); err == nil {
			t, _ = r.waitsSince(tag, a)
			return t
		}
		if at := r.promotableSince(r.heard.words[a.Desc.Digest].Integration, tag); !at.IsZero() {
			return at
		}
		return r.ready(a)
	}
	return t
}

// promotableSince is since when integration's word on an artifact let it become a stable: at the end of
// its soak, but for a word under the stable's own tag, which is of after that. What a person promotes
// sooner counts as promoted now. Zero is unknown.
func (r *reading) promotableSince(w Word, stable string) time.Time {
	if r.Soak == 0 || !w.Healthy || w.Tag == stable {
		return w.At
	}
	if due := w.At.Add(r.Soak); due.Before(r.Now) {
		return due
	}
	return r.Now
}

// checkStranded finds an artifact that has not the number that it is due (promise 9): the
// newest that may go live, where integration cannot select it any more, or selects what is older.
func (r *reading) checkStranded() []pipeline.Finding {
	d := r.due
	if !d.ok {
		return nil
	}
	f := pipeline.Finding{
		Code: pipeline.Stranded, Severity: pipeline.Error, Stage: pipeline.SelectedByIntegration,
		Message: fmt.Sprintf("%s (commit %s) is stranded: %s took its version, so that no cluster will select it; it is due %s", d.from, short(d.artifact.Commit), r.stable.tag, d.to),
		Hint:    fmt.Sprintf("run mode tag again, by its schedule or by hand: it gives the artifact %s; the next build does so too", d.to),
	}
	if a := r.artifacts[d.from.String()]; a != nil {
		f.Since = r.ready(a)
	}
	if top := r.top(); top != "" {
		f.Message = fmt.Sprintf("integration goes on with an older commit: %s is the highest candidate, and %s (commit %s), which is newer, is due %s", top, d.from, short(d.artifact.Commit), d.to)
	}
	return []pipeline.Finding{f}
}

// isDue reports whether an artifact waits for the number that it is due.
func (r *reading) isDue(a *pipeline.Artifact) bool {
	return r.due.ok && r.due.artifact.Digest == a.Desc.Digest
}

// checkStuck finds the candidate that waits for its promotion longest. The newest alone would
// not tell: on a busy repository that is always young.
func (r *reading) checkStuck() []pipeline.Finding {
	oldest := r.oldestWaiting()
	if oldest == "" {
		return nil
	}
	a := r.artifacts[oldest]
	since, late := r.waitsSince(oldest, a)
	if late == "" || r.soaks(a) {
		return nil
	}
	because := "what integration says of it is not known"
	if said, asked := r.heard.words[a.Desc.Digest]; asked {
		because = "integration reported nothing of it"
		if w := said.Integration; w.State != "" {
			because = fmt.Sprintf("integration's word on it is %q", w)
		}
	}
	f := pipeline.Finding{
		Code: pipeline.Stuck, Severity: late, Stage: pipeline.PromotedStage, Since: since,
		Message: fmt.Sprintf("nothing was promoted since %s (commit %s), which waits longer than %s; %s", oldest, short(a.Revision.Commit), pipeline.Span(r.MaxAge), because),
		Hint:    fmt.Sprintf("on integration: `flux get kustomizations %s`; where it may take this long, set a greater max-age", r.kustomization()),
	}
	if oldest != r.subject.candidate {
		f.Hint = fmt.Sprintf("verify with artifact-sha %s tells its path; ", short(a.Revision.Commit)) + f.Hint
	}
	return []pipeline.Finding{f}
}
