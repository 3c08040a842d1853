package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkHead compares what is built with the newest commit that should be.
func (r *verifyRun) checkHead() []Finding {
	h := r.heard
	if h.head == "" || r.isBuilt(h.head) || h.headIn || h.head == r.subject.commit || h.head == r.newestCommit() {
		return nil
	}
	if slices.ContainsFunc(r.unfinished(), func(tag string) bool { return strings.HasPrefix(shaPrefix+h.head, tag) }) {
		return nil // it is announced: checkUnfinished tells
	}
	runs := h.runs[h.head]
	late := r.Now.Sub(h.headAt) > r.MaxAge
	switch {
	case len(runs) > 0 && runs[0].failed():
		return r.onlyForPath(*r.buildFailed(h.head, runs[0]))
	case !late || len(runs) > 0 && !runs[0].Done:
		return nil
	}
	f := Finding{
		Code: HeadNotBuilt, Severity: Error, Stage: Built, Since: h.headAt,
		Message: fmt.Sprintf("commit %s is the newest that touches %q, and has no artifact%s", short(h.head), r.Path, r.withoutRun(h.head)),
		Hint:    "run the build workflow on the default branch; does its `paths` filter include this directory, and is the workflow enabled?",
	}
	if len(runs) > 0 && runs[0].State == "success" { // as skip-unchanged does
		f.Severity, f.Hint = Warning, "if the build has skip-unchanged and the content is the same, all is well; else look at its log: does it push to this repository?"
	}
	return r.onlyForPath(f)
}

// onlyForPath is a finding about the newest commit. Where no path is set, that may be one which
// the build's own paths filter leaves out, and no error.
func (r *verifyRun) onlyForPath(f Finding) []Finding {
	if r.Path == "." {
		f.Severity = Warning
		f.Hint += "; if only some directories are built, set the input path to them"
	}
	return []Finding{f}
}

// checkHealth tells when integration is no longer content with what it let through.
func (r *verifyRun) checkHealth() []Finding {
	if w := r.word(); r.subject.stable != "" && r.subject.stable == r.stable.tag && w.bad() {
		f := *r.validationFailed(w)
		f.Severity, f.Stage = Warning, Validated
		f.Message = fmt.Sprintf("%s was promoted, and integration reports now that it is not healthy: %s", r.subject.stable, w)
		f.Hint = fmt.Sprintf("see on integration `flux get kustomizations %s`; if live is ill too, roll back: mode tag with version: next and an older digest", r.kustomization())
		return []Finding{f}
	}
	return nil
}

// checkUnfinished finds a build that was killed before its end, and that no newer one has made
// up for.
func (r *verifyRun) checkUnfinished() []Finding {
	newest := time.Time{}
	for _, tag := range append(descending(r.snap.ladder.Candidates), r.stable.tag) {
		if a := r.artifacts[tag]; a != nil && a.Created.After(newest) {
			newest = a.Created
		}
	}
	for _, tag := range r.unfinished() {
		a := r.artifacts[tag]
		if a == nil || a.Revision.Commit == "" || r.isStable(a) || r.Now.Sub(r.ready(a)) <= crashedAfter {
			continue
		}
		switch candidate := r.highestOn(a.desc.Digest); {
		case slices.Contains(r.waiting(), candidate):
			return []Finding{{
				Code: NotBuilt, Severity: Warning, Stage: Numbered, Since: r.ready(a),
				Message: fmt.Sprintf("the build of commit %s ended before its last tag: %s is there, %q is not, so that a report that names only the commit does not promote it",
					short(a.Revision.Commit), candidate, integrationOf(tag)),
				Hint: "run the build of this commit again: it completes what is missing",
			}}
		case candidate == "" && a != r.subject.artifact && a.Created.After(newest):
			return []Finding{r.killedBuild(a.Revision.Commit, r.ready(a))}
		}
	}
	return nil
}

func (r *verifyRun) killedBuild(commit string, since time.Time) Finding {
	return Finding{
		Code: NoCandidate, Severity: Error, Stage: Numbered, Since: since,
		Message: fmt.Sprintf("the build of commit %s ended before its artifact had a number: no candidate names it, and there is no tag %q", short(commit), integrationPrefix+commit[:min(r.SHALength, len(commit))]),
		Hint:    "run the build of this commit again: it completes what is missing",
	}
}
