package pipeline

import (
	"fmt"
	"slices"
	"time"
)

// checkHead compares what is built with the newest commit that should be.
func (r *verifyRun) checkHead() []Finding {
	h := r.heard
	if h.head == "" || r.isBuilt(h.head) || h.headIn || h.head == r.subject.commit || h.head == r.newestCommit() {
		return nil
	}
	if announced := r.commitTag(shaPrefix, h.head); r.snap.has[announced] {
		if r.artifacts[announced] != nil || r.Now.Sub(h.headAt) <= crashedAfter {
			return nil // checkUnfinished tells
		}
		return []Finding{r.killedBuild(h.head, h.headAt)}
	}
	run, failed := h.runs[h.head].failed()
	_, underWay := r.underWay(h.runs[h.head].others())
	late := r.Now.Sub(h.headAt) > r.MaxAge
	switch {
	case underWay:
		return nil
	case failed: // it ran, so that its paths filter lets the commit in
		return []Finding{*r.buildFailed(h.head, run)}
	case !late:
		return nil
	}
	f := Finding{
		Code: HeadNotBuilt, Severity: Error, Stage: Built, Since: h.headAt,
		Message: fmt.Sprintf("commit %s is the newest that touches %q, and has no artifact%s", short(h.head), r.Path, r.withoutRun(h.head)),
		Hint:    "run the build workflow on the default branch; does its `paths` filter include this directory, and is the workflow enabled?",
	}
	if h.runs[h.head].built() != (Run{}) { // as skip-unchanged does
		f.Severity, f.Hint = Warning, skippedHint
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
	unfinished := r.unfinished()
	for _, tag := range r.waiting() {
		a := r.artifacts[tag]
		announced := r.commitTag(shaPrefix, a.Revision.Commit)
		if a.Revision.Commit != "" && slices.Contains(unfinished, announced) && r.Now.Sub(r.ready(a)) > crashedAfter {
			return []Finding{{
				Code: NotBuilt, Severity: Warning, Stage: Numbered, Since: r.ready(a),
				Message: fmt.Sprintf("the build of commit %s ended before its last tag: %s is there, %q is not, so that a report that names only the commit does not promote it",
					short(a.Revision.Commit), tag, integrationOf(announced)),
				Hint: "run the build of this commit again: it completes what is missing",
			}}
		}
	}
	for _, tag := range unfinished {
		a := r.artifacts[tag]
		if a == nil || a.Revision.Commit == "" || r.isStable(a) || r.isSubject(a) || r.highestOn(a.desc.Digest) != "" {
			continue
		}
		if a.Created.After(newest) && r.Now.Sub(r.ready(a)) > crashedAfter {
			return []Finding{r.killedBuild(a.Revision.Commit, r.ready(a))}
		}
	}
	if len(unfinished) > maxKilled && r.heard.head == "" {
		return []Finding{{
			Code: NoCandidate, Severity: Info, Stage: Numbered,
			Message: fmt.Sprintf("%d builds did not come to their end, such as %q, and only %d was looked at", len(unfinished), unfinished[0], maxKilled),
			Hint:    "with a token verify knows the newest commit, and looks at that one",
		}}
	}
	return nil
}

func (r *verifyRun) killedBuild(commit string, since time.Time) Finding {
	return Finding{
		Code: NoCandidate, Severity: Error, Stage: Numbered, Since: since,
		Message: fmt.Sprintf("the build of commit %s ended before its artifact had a number: no candidate names it, and there is no tag %q", short(commit), r.commitTag(integrationPrefix, commit)),
		Hint:    "run the build of this commit again: it completes what is missing",
	}
}
