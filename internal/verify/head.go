package verify

import (
	"fmt"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// checkHead compares what is built with the newest commit that should be.
func (r *reading) checkHead() []pipeline.Finding {
	h := r.heard
	if h.head == "" || r.isBuilt(h.head) || h.contained[h.head] || h.head == r.subject.commit || h.head == r.newestCommit() {
		return nil // what is built may be cut short, or lack its number: checkUnfinished tells
	}
	run, failed := h.runs[h.head].failed()
	_, underWay := r.underWay(h.runs[h.head].others())
	late := r.Now.Sub(h.headAt) > r.MaxAge
	switch {
	case underWay:
		return nil
	case failed: // it ran, so that its paths filter lets the commit in
		return []pipeline.Finding{*r.buildFailed(h.head, run)}
	case !late:
		return nil
	}
	f := pipeline.Finding{
		Code: pipeline.HeadNotBuilt, Severity: pipeline.Error, Stage: pipeline.Built, Since: h.headAt,
		Message: fmt.Sprintf("commit %s is the newest that touches %q, and has no artifact%s", short(h.head), r.Path, r.withoutRun(h.head)),
		Hint:    "run the build workflow on the default branch; does its `paths` filter include this directory, and is the workflow enabled?",
	}
	if h.runs[h.head].built() != (Run{}) { // as skip-unchanged does
		f.Severity, f.Hint = pipeline.Warning, skippedHint
	}
	return r.onlyForPath(f)
}

// onlyForPath is a finding about the newest commit. Where no path is set, that may be one which
// the build's own paths filter leaves out, and no error.
func (r *reading) onlyForPath(f pipeline.Finding) []pipeline.Finding {
	if r.Path == "." {
		f.Severity = pipeline.Warning
		f.Hint += "; if only some directories are built, set the input path to them"
	}
	return []pipeline.Finding{f}
}

// checkHealth tells when integration is no longer content with what it let through.
func (r *reading) checkHealth() []pipeline.Finding {
	if w := r.word(); r.subject.stable != "" && r.subject.stable == r.stable.tag && w.bad() {
		f := *r.validationFailed(w)
		f.Severity, f.Stage = pipeline.Warning, pipeline.Validated
		f.Message = fmt.Sprintf("%s was promoted, and integration reports now that it is not healthy: %s", r.subject.stable, w)
		f.Hint = fmt.Sprintf("see on integration `flux get kustomizations %s`; if live is ill too, roll back: mode tag with version: next and an older digest", r.kustomization())
		return []pipeline.Finding{f}
	}
	return nil
}
