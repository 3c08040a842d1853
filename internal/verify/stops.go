package verify

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// What verify says where a path ends. Each message has what is wrong and the likely cause,
// each hint what to do.

// notBuilt is the end of a path that has not begun.
func (r *reading) notBuilt() (pipeline.Step, *pipeline.Finding) {
	s := r.subject
	runs := r.heard.runs[s.commit]
	running, underWay := r.underWay(runs.others())
	failed, hasFailed := runs.failed()
	switch {
	case s.commit == "" && len(r.snap.Ladder.Candidates)+len(r.snap.Ladder.Stables) > 0:
		return at(pipeline.Stopped, time.Time{}, pipeline.Evidence{}), &pipeline.Finding{
			Code: pipeline.MissingBlob, Severity: pipeline.Error,
			Message: fmt.Sprintf("%s lists versions of which none can be read", r.Name),
			Hint:    "were their manifests deleted? build again",
		}
	case s.commit == "" && len(r.snap.Tags) > 0:
		return at(pipeline.Stopped, time.Time{}, pipeline.Evidence{}), &pipeline.Finding{
			Code: pipeline.NoCandidate, Severity: pipeline.Error,
			Message: fmt.Sprintf("none of the %d tags of %s is a candidate X.Y.Z-rc.N or a stable X.Y.Z", len(r.snap.Tags), r.Name),
			Hint:    "is this the repository that mode build pushes to? then run the build",
		}
	case s.commit == "":
		return at(pipeline.Stopped, time.Time{}, pipeline.Evidence{}), &pipeline.Finding{
			Code: pipeline.NotBuilt, Severity: pipeline.Error,
			Message: pipeline.NoTags(r.Name),
			Hint:    "compare repository with that of mode build, or run that; if it fails to push, the job needs `permissions: packages: write`, and the package this repository under Manage Actions access",
		}
	case !full(s.commit) && r.Host != nil:
		return at(pipeline.Stopped, time.Time{}, pipeline.Evidence{}), &pipeline.Finding{
			Code: pipeline.NotBuilt, Severity: pipeline.Error,
			Message: fmt.Sprintf("%s has no tag %q, and GitHub does not know which commit begins so", r.Name, pipeline.SHAPrefix+s.commit),
			Hint:    "check the digits of artifact-sha, or give all 40",
		}
	case r.heard.contained[s.commit]:
		return at(pipeline.Followed, time.Time{}, pipeline.Evidence{}), &pipeline.Finding{
			Code: pipeline.SupersededBy, Severity: pipeline.Info,
			Message: fmt.Sprintf("commit %s has no artifact of its own; that of commit %s, which is newer, contains it", short(s.commit), short(r.newestCommit())),
			Hint:    fmt.Sprintf("follow that one: artifact-sha %s", short(r.newestCommit())),
		}
	case underWay:
		return at(pipeline.Waiting, running.Started, pipeline.Evidence{Run: running.URL}), nil
	case hasFailed:
		return at(pipeline.Stopped, failed.Started, pipeline.Evidence{Run: failed.URL}), r.buildFailed(s.commit, failed)
	}
	f := &pipeline.Finding{
		Code: pipeline.NotBuilt, Severity: pipeline.Error,
		Message: fmt.Sprintf("commit %s has no artifact: %s has no tag %q%s", short(s.commit), r.Name, r.commitTag(pipeline.SHAPrefix, s.commit), r.withoutRun(s.commit)),
		Hint: "run the build of this commit; does its workflow's `paths` filter include what the commit touches, and does it push to this repository? " +
			"if mode prune or another retention deleted it, nothing is to be done",
	}
	if runs.built() != (Run{}) { // as skip-unchanged does
		f.Severity, f.Hint = pipeline.Warning, skippedHint
	}
	return at(pipeline.Stopped, time.Time{}, pipeline.Evidence{}), f
}

const skippedHint = "if the build has skip-unchanged and the content is the same, all is well; else look at its log: does it push to this repository?"

// withoutRun tells what GitHub knows of the build of a commit that has no artifact.
func (r *reading) withoutRun(commit string) string {
	all, asked := r.heard.runs[commit]
	others := all.others()
	switch {
	case !asked:
		return ""
	case len(others) == 0 && all.built().Own:
		return ", which this run does not change"
	case len(others) == 0:
		return ", and no workflow ran for it"
	}
	var ended []string
	for _, run := range others[:min(3, len(others))] {
		ended = append(ended, fmt.Sprintf("%q is %s (%s)", run.Name, run.State, run.URL))
	}
	return ", though of the workflows that ran for it " + strings.Join(ended, ", ")
}

func (r *reading) buildFailed(commit string, run Run) *pipeline.Finding {
	if !run.Done {
		return &pipeline.Finding{
			Code: pipeline.BuildFailed, Severity: pipeline.Error, Stage: pipeline.Built, Since: run.Started,
			Message: fmt.Sprintf("commit %s has no artifact: the workflow %q is %s and does not end, see %s", short(commit), run.Name, run.State, run.URL),
			Hint:    "does it wait for an approval, for a runner that is offline, or for another run of its concurrency group?",
		}
	}
	where := ""
	if step := r.heard.steps[run.ID]; step != "" {
		where = " at " + step
	}
	return &pipeline.Finding{
		Code: pipeline.BuildFailed, Severity: pipeline.Error, Stage: pipeline.Built, Since: run.Started,
		Message: fmt.Sprintf("commit %s has no artifact: the workflow %q ended with %s%s, see %s", short(commit), run.Name, run.State, where, run.URL),
		Hint: "read that log and run it again; where the push was denied, the job needs `permissions: packages: write`, and the package this repository" +
			" under Manage Actions access with the role Write",
	}
}

// below is the end at integration of a candidate that is not above the stable.
func (r *reading) below() (pipeline.Step, *pipeline.Finding) {
	candidate, since := r.subject.candidate, r.ready(r.subject.artifact)
	top := r.top()
	switch {
	case r.isPassed(r.subject.artifact):
		return at(pipeline.Followed, since, pipeline.Evidence{Tag: r.stable.tag}), r.supersededByStable()
	case top != "":
		return at(pipeline.Followed, since, pipeline.Evidence{Tag: top}), &pipeline.Finding{
			Code: pipeline.SupersededBy, Severity: pipeline.Info, Since: since,
			Message: fmt.Sprintf("%s went live while %s was waiting, and %s carries it on", r.stable.tag, candidate, top),
			Hint:    fmt.Sprintf("nothing to do: follow %s", top),
		}
	}
	return at(pipeline.Stopped, since, pipeline.Evidence{Tag: candidate}), nil // the finding is the repository's
}

// supersededUnnumbered tells of the subject, which has no candidate and needs none.
func (r *reading) supersededUnnumbered() *pipeline.Finding {
	s, by := r.subject, r.passed[r.subject.artifact.Desc.Digest].by
	f := &pipeline.Finding{
		Code: pipeline.SupersededBy, Severity: pipeline.Info, Since: r.ready(s.artifact),
		Message: fmt.Sprintf("commit %s is built and has no candidate: %s goes on in its place, of a newer commit", short(s.commit), by),
		Hint:    fmt.Sprintf("nothing to do: follow %s", by),
	}
	if a := r.artifacts[by]; a != nil && a.Revision.Commit != "" {
		f.Message = fmt.Sprintf("commit %s is built and has no candidate: %s is of commit %s, which is newer", short(s.commit), by, short(a.Revision.Commit))
		f.Hint = fmt.Sprintf("follow that one: artifact-sha %s", short(a.Revision.Commit))
	}
	return f
}

// supersededByCandidate tells of the subject that integration selects a higher candidate.
func (r *reading) supersededByCandidate() *pipeline.Finding {
	s, selected := r.subject, r.selected.Integration
	f := &pipeline.Finding{
		Code: pipeline.SupersededBy, Severity: pipeline.Info, Since: r.ready(s.artifact),
		Message: fmt.Sprintf("%s is followed by %s, which integration selects in its place", s.candidate, selected),
		Hint:    fmt.Sprintf("nothing to do: what %s is validated with carries this commit on", selected),
	}
	own, _ := version.ParseCandidate(s.candidate)
	if next, err := version.ParseCandidate(selected); err == nil && own.N > next.N { // of another branch; or nobody could be asked
		f.Hint = fmt.Sprintf("is %s of another branch? it does not carry this commit on; else the next build or promotion with a token gives this one a higher number", selected)
	}
	return f
}

func (r *reading) supersededByStable() *pipeline.Finding {
	s, live := r.subject, r.stable
	what := cmp.Or(s.candidate, "commit "+short(s.commit))
	f := &pipeline.Finding{
		Code: pipeline.SupersededBy, Severity: pipeline.Info, Since: r.ready(s.artifact),
		Message: fmt.Sprintf("%s will not go live: %s is of commit %s, which is newer", what, live.tag, short(live.artifact.Revision.Commit)),
		Hint:    "nothing to do; to go back to it by hand, run mode tag with version: next and its digest",
	}
	switch {
	case s.artifact.Height == 0 && live.artifact.Height > 0:
		f.Message = fmt.Sprintf("%s will not go live: it does not tell the height of its commit, so that %s counts as newer", what, live.tag)
		f.Hint = "build its commit with mode build; to take this one by hand, run mode tag with version: next and its digest"
	case r.passed[s.artifact.Desc.Digest].held:
		f.Message = fmt.Sprintf("%s is held back: live was rolled back to %s (commit %s) since", what, live.tag, short(live.artifact.Revision.Commit))
		f.Hint = "the next build goes its usual way; to take this one after all, run mode tag with version: next and its digest"
	}
	return f
}

// followedOnLive is the end of a path of what was promoted, and is live no longer.
func (r *reading) followedOnLive() *pipeline.Finding {
	f := &pipeline.Finding{
		Code: pipeline.SupersededBy, Severity: pipeline.Info,
		Message: fmt.Sprintf("%s was promoted, and %s has followed it", r.subject.stable, r.stable.tag),
		Hint:    "nothing to do",
	}
	if r.stable.rollback {
		f.Message = fmt.Sprintf("%s was rolled back: %s is of commit %s, which was live before", r.subject.stable, r.stable.tag, short(r.stable.artifact.Revision.Commit))
		f.Hint = "nothing to do; the next build goes its usual way"
	}
	return f
}

func (r *reading) validationFailed(w Word) *pipeline.Finding {
	return &pipeline.Finding{
		Code: pipeline.ValidationFailed, Severity: pipeline.Error, Since: w.At,
		Message: fmt.Sprintf("integration reports that %s (commit %s) is not healthy: %s", r.subject.candidate, short(r.subject.commit), w),
		Hint:    fmt.Sprintf("the gate holds it back from live, as it should; mend the manifests and merge, or see on integration `flux get kustomizations %s` and the events of what it names", r.kustomization()),
	}
}

func (r *reading) noReport(w Word, since time.Time) *pipeline.Finding {
	said := fmt.Sprintf("no commit status of Kustomization %s", r.Gate.Name)
	if r.Gate.Name == "" {
		said = "no commit status of Flux"
	}
	if w.State != "" {
		said = fmt.Sprintf("no more than %q", w)
	}
	f := &pipeline.Finding{
		Code: pipeline.NoReport, Severity: pipeline.Error, Since: since,
		Message: fmt.Sprintf("commit %s has %s, although integration selects %s%s: it did not apply it, or its report did not arrive"+
			" (no Alert, a Provider of the wrong type or address, a token that may not write commit statuses)", short(r.subject.commit), said, r.subject.candidate, sinceWords(since)),
		Hint: fmt.Sprintf("on integration: `flux get kustomizations %s` and `kubectl logs -n flux-system deploy/notification-controller`; with cluster-state verify looks at the Alert and the Provider itself;"+
			" if it is healthy there, promote it by hand: mode tag with artifact-sha %s", r.kustomization(), short(r.subject.commit)),
	}
	if cause := r.misdirected(); cause != nil {
		f.Message += "; " + cause.Message
		f.Hint = cause.Hint
	}
	return f
}

func sinceWords(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.UTC().Format(time.RFC3339)
}

func short(commit string) string { return commit[:min(7, len(commit))] }

// kustomization is the gate's as an argument of flux.
func (r *reading) kustomization() string {
	switch g := r.Gate; {
	case g.Name == "":
		return "-A"
	case g.Namespace == "":
		return g.Name
	default:
		return g.Name + " -n " + g.Namespace
	}
}
