package pipeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// What verify says where a path ends. Each message has what is wrong and the likely cause,
// each hint what to do.

// notBuilt is the end of a path that has not begun.
func (r *verifyRun) notBuilt() (Step, *Finding) {
	s := r.subject
	runs := r.heard.runs[s.commit]
	running, underWay := r.underWay(runs.others())
	failed, hasFailed := runs.failed()
	switch {
	case s.commit == "" && len(r.snap.ladder.Candidates)+len(r.snap.ladder.Stables) > 0:
		return at(Stopped, time.Time{}, Evidence{}), &Finding{
			Code: MissingBlob, Severity: Error,
			Message: fmt.Sprintf("%s lists versions of which none can be read", r.name),
			Hint:    "were their manifests deleted? build again",
		}
	case s.commit == "" && len(r.snap.tags) > 0:
		return at(Stopped, time.Time{}, Evidence{}), &Finding{
			Code: NoCandidate, Severity: Error,
			Message: fmt.Sprintf("none of the %d tags of %s is a candidate X.Y.Z-rc.N or a stable X.Y.Z", len(r.snap.tags), r.name),
			Hint:    "is this the repository that mode build pushes to? then run the build",
		}
	case s.commit == "":
		return at(Stopped, time.Time{}, Evidence{}), &Finding{
			Code: NotBuilt, Severity: Error,
			Message: fmt.Sprintf("%s has no tags: nothing was ever pushed", r.name),
			Hint:    "run mode build; if it fails to push, the job needs `permissions: packages: write`, and the package this repository under Manage Actions access",
		}
	case !full(s.commit) && r.Host != nil:
		return at(Stopped, time.Time{}, Evidence{}), &Finding{
			Code: NotBuilt, Severity: Error,
			Message: fmt.Sprintf("%s has no tag %q, and GitHub does not know which commit begins so", r.name, shaPrefix+s.commit),
			Hint:    "check the digits of artifact-sha, or give all 40",
		}
	case r.heard.subjectIn:
		return at(Followed, time.Time{}, Evidence{}), &Finding{
			Code: SupersededBy, Severity: Info,
			Message: fmt.Sprintf("commit %s has no artifact of its own; that of commit %s, which is newer, contains it", short(s.commit), short(r.newestCommit())),
			Hint:    fmt.Sprintf("follow that one: artifact-sha %s", short(r.newestCommit())),
		}
	case underWay:
		return at(Waiting, running.Started, Evidence{Run: running.URL}), nil
	case hasFailed:
		return at(Stopped, failed.Started, Evidence{Run: failed.URL}), r.buildFailed(s.commit, failed)
	}
	f := &Finding{
		Code: NotBuilt, Severity: Error,
		Message: fmt.Sprintf("commit %s is not built: %s has no tag %q%s", short(s.commit), r.name, r.commitTag(shaPrefix, s.commit), r.withoutRun(s.commit)),
		Hint:    "run the build of this commit; does its workflow's `paths` filter include what the commit touches, and does it push to this repository?",
	}
	if runs.built() != (Run{}) { // as skip-unchanged does
		f.Severity, f.Hint = Warning, skippedHint
	}
	return at(Stopped, time.Time{}, Evidence{}), f
}

const skippedHint = "if the build has skip-unchanged and the content is the same, all is well; else look at its log: does it push to this repository?"

// withoutRun tells what GitHub knows of the build of a commit that has no artifact.
func (r *verifyRun) withoutRun(commit string) string {
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

func (r *verifyRun) buildFailed(commit string, run Run) *Finding {
	if !run.Done {
		return &Finding{
			Code: BuildFailed, Severity: Error, Stage: Built, Since: run.Started,
			Message: fmt.Sprintf("commit %s has no artifact: the workflow %q is %s and does not end, see %s", short(commit), run.Name, run.State, run.URL),
			Hint:    "does it wait for an approval, for a runner that is offline, or for another run of its concurrency group?",
		}
	}
	where := ""
	if step := r.heard.steps[run.ID]; step != "" {
		where = " at " + step
	}
	return &Finding{
		Code: BuildFailed, Severity: Error, Stage: Built, Since: run.Started,
		Message: fmt.Sprintf("commit %s has no artifact: the workflow %q ended with %s%s, see %s", short(commit), run.Name, run.State, where, run.URL),
		Hint: "read that log and run it again; where the push was denied, the job needs `permissions: packages: write`, and the package this repository" +
			" under Manage Actions access with the role Write",
	}
}

// below is the end at integration of a candidate that is not above the stable.
func (r *verifyRun) below(candidate string, a *artifact) (Step, *Finding) {
	since := r.ready(a)
	newest := r.snap.newestAbove()
	switch {
	case r.outranked(candidate, a):
		return at(Followed, since, Evidence{Tag: r.stable.tag}), r.supersededByStable()
	case newest != "":
		return at(Followed, since, Evidence{Tag: newest}), &Finding{
			Code: SupersededBy, Severity: Info, Since: since,
			Message: fmt.Sprintf("%s went live while %s was waiting, and %s carries it on", r.stable.tag, candidate, newest),
			Hint:    fmt.Sprintf("nothing to do: follow %s", newest),
		}
	}
	return at(Stopped, since, Evidence{Tag: candidate}), nil // the finding is the repository's
}

// outranked reports whether live has something newer than a candidate's artifact, or a
// rollback that holds it back.
func (r *verifyRun) outranked(candidate string, a *artifact) bool {
	s := r.stable
	if s.artifact == nil || s.artifact.desc.Digest == a.desc.Digest {
		return false
	}
	c, err := version.ParseCandidate(candidate)
	if err != nil {
		return s.artifact.Created.After(a.Created)
	}
	if s.lower != "" && !r.snap.ladder.Above(c) {
		return true
	}
	if rank, err := version.ParseCandidate(s.rank); err == nil {
		return c.Compare(rank) < 0
	}
	return s.artifact.Created.After(a.Created) && !r.snap.ladder.Above(c)
}

func (r *verifyRun) supersededByStable() *Finding {
	s, candidate := r.stable, r.subject.candidate
	f := &Finding{
		Code: SupersededBy, Severity: Info, Since: r.ready(r.subject.artifact),
		Message: fmt.Sprintf("%s will not go live: %s is of commit %s, which is newer", candidate, s.tag, short(s.artifact.Revision.Commit)),
		Hint:    "nothing to do; to go back to it by hand, run mode tag with version: next and its digest",
	}
	if s.lower != "" {
		f.Message = fmt.Sprintf("%s is held back: %s is a rollback to the artifact of %s", candidate, s.tag, s.lower)
		f.Hint = "the next build goes its usual way; to take this one after all, run mode tag with version: next and its digest"
	}
	return f
}

// followedOnLive is the end of a path of what was promoted, and is live no longer.
func (r *verifyRun) followedOnLive() *Finding {
	f := &Finding{
		Code: SupersededBy, Severity: Info,
		Message: fmt.Sprintf("%s was promoted, and %s has followed it", r.subject.stable, r.stable.tag),
		Hint:    "nothing to do",
	}
	if r.stable.lower != "" {
		f.Message = fmt.Sprintf("%s was rolled back: %s is the artifact of %s again", r.subject.stable, r.stable.tag, r.stable.lower)
		f.Hint = "nothing to do; the next build goes its usual way"
	}
	return f
}

func (r *verifyRun) validationFailed(w Word) *Finding {
	return &Finding{
		Code: ValidationFailed, Severity: Error, Since: w.At,
		Message: fmt.Sprintf("integration reports that %s (commit %s) is not healthy: %s", r.subject.candidate, short(r.subject.commit), w),
		Hint:    fmt.Sprintf("the gate holds it back from live, as it should; mend the manifests and merge, or see on integration `flux get kustomizations %s` and the events of what it names", r.kustomization()),
	}
}

func (r *verifyRun) noReport(w Word, since time.Time) *Finding {
	said := fmt.Sprintf("no commit status of Kustomization %s", r.Gate.Name)
	if r.Gate.Name == "" {
		said = "no commit status of Flux"
	}
	if w.State != "" {
		said = fmt.Sprintf("no more than %q", w)
	}
	return &Finding{
		Code: NoReport, Severity: Error, Since: since,
		Message: fmt.Sprintf("commit %s has %s, although integration selects %s%s: it did not apply it, or its report did not arrive"+
			" (no Alert, a Provider of the wrong type or address, a token that may not write commit statuses)", short(r.subject.commit), said, r.subject.candidate, sinceWords(since)),
		Hint: fmt.Sprintf("on integration: `flux get kustomizations %s` and `kubectl logs -n flux-system deploy/notification-controller`; with cluster-state verify looks at the Alert and the Provider itself;"+
			" if it is healthy there, promote it by hand: mode tag with artifact-sha %s", r.kustomization(), short(r.subject.commit)),
	}
}

func sinceWords(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.UTC().Format(time.RFC3339)
}

func short(commit string) string { return commit[:min(7, len(commit))] }

// kustomization is the gate's as an argument of flux.
func (r *verifyRun) kustomization() string {
	switch g := r.Gate; {
	case g.Name == "":
		return "-A"
	case g.Namespace == "":
		return g.Name
	default:
		return g.Name + " -n " + g.Namespace
	}
}
