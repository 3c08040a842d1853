package verify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// running: live runs the artifact, and is content with it. Its finding is the repository's
// (checkLive), since live can fail while a newer commit is on its way.
func (r *reading) running() (pipeline.Step, *pipeline.Finding) {
	d := r.subject.artifact.Desc.Digest
	if s := r.stable.artifact; s != nil && s.Desc.Digest == d {
		step, _ := r.live()
		return step, nil
	}
	w, _ := r.liveWord()
	if applied, _ := r.applied(); applied.Digest == d && !w.At.After(applied.At) { // what follows has not come so far yet
		return at(pipeline.Reached, applied.At, pipeline.Evidence{Tag: applied.Tag, Digest: d}), nil
	}
	return at(pipeline.Followed, time.Time{}, pipeline.Evidence{Tag: r.stable.tag}), r.followedOnLive()
}

// checkLive finds that live does not run what it should, whatever the subject is.
func (r *reading) checkLive() []pipeline.Finding {
	if r.stable.artifact == nil || r.digestOf(r.selected.Live) != r.stable.artifact.Desc.Digest {
		return nil
	}
	if _, f := r.live(); f != nil {
		f.Stage = pipeline.RunningOnLive
		return []pipeline.Finding{*f}
	}
	return nil
}

// live tells how far live has come with what it should run, the highest stable. It goes by live's
// newest report, since a word of before on the same artifact says nothing of a rollback to it; and
// by the cluster's own objects where they are newer, or know why there is no report.
func (r *reading) live() (pipeline.Step, *pipeline.Finding) {
	s := r.stable
	d := s.artifact.Desc.Digest
	w, tells := r.liveWord()
	applied, told := r.applied()
	about := r.isAbout(w, s.artifact)
	switch {
	case r.failsOnLive() != nil: // the finding is the cluster's
		return at(pipeline.Stopped, time.Time{}, pipeline.Evidence{Tag: s.tag}), nil
	case applied.Digest == d && !w.At.After(applied.At):
		return at(pipeline.Reached, applied.At, pipeline.Evidence{Tag: applied.Tag, Digest: d}), nil
	case tells && about:
		return r.reported(w)
	case told && applied.Digest != d: // its findings tell when that is late
		return at(pipeline.Waiting, r.since(s.tag), pipeline.Evidence{Tag: s.tag}), nil
	case !tells:
		return at(pipeline.Unknown, time.Time{}, pipeline.Evidence{}), nil
	}
	return r.notReported(w)
}

// reported is how far live is with the stable by its own word on it.
func (r *reading) reported(w Word) (pipeline.Step, *pipeline.Finding) {
	e := pipeline.Evidence{Tag: cmp.Or(w.Tag, r.stable.tag), Digest: r.stable.artifact.Desc.Digest, Status: w.String()}
	since, late := r.lateOnLive(w.At)
	switch {
	case w.Healthy:
		return at(pipeline.Reached, w.At, e), nil
	case w.bad():
		return at(pipeline.Stopped, w.At, e), r.liveFailed(w)
	case late == "":
		return at(pipeline.Waiting, since, e), nil
	}
	f := r.liveNoReport(w, since)
	f.Severity = late
	return at(pipeline.Stopped, since, e), f
}

// notReported is how far live is with the stable where it reported nothing of it; w is its newest
// word, on another one, or none.
func (r *reading) notReported(w Word) (pipeline.Step, *pipeline.Finding) {
	e := pipeline.Evidence{Tag: r.stable.tag, Status: w.String()}
	since, late := r.lateOnLive(time.Time{})
	if late == "" {
		return at(pipeline.Waiting, since, e), nil
	}
	f := r.liveNoReport(w, since)
	if w.State != "" {
		f = r.liveBehind(w, since)
	}
	f.Severity = late
	return at(pipeline.Stopped, since, e), f
}

// lateOnLive is since when live should run the stable, or since a later time, and how bad it is
// that it does not say so: nothing within max-age; a warning where it is not known when the stable
// was promoted.
func (r *reading) lateOnLive(later time.Time) (since time.Time, late pipeline.Severity) {
	if since = r.since(r.stable.tag); later.After(since) {
		since = later
	}
	switch {
	case !since.IsZero() && r.Now.Sub(since) <= r.MaxAge:
		return since, ""
	case r.knowsPromotion(cluster.Live):
		return since, pipeline.Error
	}
	return since, pipeline.Warning
}

// liveWord is live's newest word on any of the artifacts that were asked about; its state is empty
// where there is none. It tells nothing where live reports no statuses, where one of the stables
// could not be asked about, and where it does not name its artifact and that could be another one:
// after a rollback Flux posts no status that GitHub has already (docs/facts.md 4).
func (r *reading) liveWord() (newest Word, tells bool) {
	if !r.askedLive() {
		return Word{}, false
	}
	for _, commit := range r.commitsOnLive() {
		for _, w := range r.heard.live[commit] {
			if newest.State == "" || cmp.Or(w.At.Compare(newest.At), worse(w, newest)) > 0 {
				newest = w
			}
		}
	}
	if newest.State != "" && newest.Digest == "" && (r.stable.rollback || r.about(newest) == "") {
		return Word{}, false
	}
	return newest, true
}

// worse puts doubt before a proof of the same second.
func worse(w, than Word) int {
	rank := map[bool]int{true: -1}
	return rank[w.Healthy] - rank[than.Healthy]
}

// askedLive reports whether live's statuses on all stables that were read are known.
func (r *reading) askedLive() bool {
	if r.LiveContext == "" || r.Host == nil || r.stable.artifact == nil || r.stable.artifact.Revision.Commit == "" {
		return false
	}
	return !slices.ContainsFunc(r.stables(), func(tag string) bool {
		a := r.artifacts[tag]
		if a == nil || a.Revision.Commit == "" {
			return false
		}
		_, asked := r.heard.live[a.Revision.Commit]
		return !asked
	})
}

// commitsOnLive are the commits on which live's statuses were asked, always in the same order.
func (r *reading) commitsOnLive() []string {
	return slices.Sorted(maps.Keys(r.heard.live))
}

// about is the digest that a word of live's is about; empty where it names only a commit that has
// no artifact or two.
func (r *reading) about(w Word) digest.Digest {
	if only := r.onlyOf(w.Commit); w.Digest == "" && only != nil {
		return only.Desc.Digest
	}
	return w.Digest
}

func (r *reading) isAbout(w Word, a *pipeline.Artifact) bool {
	return w.State != "" && r.about(w) == a.Desc.Digest
}

// applied is what every live cluster that told of itself says that it has applied and found healthy,
// since the last of them has; zero where one has not, or has something else. Told reports whether any
// told of what applies the repository at all.
func (r *reading) applied() (has cluster.Revision, told bool) {
	for _, s := range r.States {
		if !s.Applies(cluster.Live, r.registry(cluster.Live), r.Gate) {
			continue
		}
		own, ok := s.Applied(cluster.Live, r.registry(cluster.Live), r.Gate)
		if !ok || told && own.Digest != has.Digest {
			return cluster.Revision{}, true
		}
		if !told || own.At.After(has.At) {
			has = own
		}
		told = true
	}
	return has, told
}

// failsOnLive is what a live cluster says is wrong with what applies the repository; nil for
// nothing.
func (r *reading) failsOnLive() *pipeline.Finding {
	return r.clusterError(cluster.Live, func(f pipeline.Finding) bool { return f.Stage == pipeline.RunningOnLive })
}

func (r *reading) liveFailed(w Word) *pipeline.Finding {
	return &pipeline.Finding{
		Code: pipeline.LiveFailed, Severity: pipeline.Error, Since: w.At,
		Message: fmt.Sprintf("live reports that %s (commit %s) is not healthy: %s", r.stable.tag, short(r.stable.artifact.Revision.Commit), w),
		Hint:    "see on live `flux get kustomizations -A` and the events of what it names; " + r.wayBack(w),
	}
}

// wayBack is what to roll back to from what fails on live: the highest stable that live was healthy
// with, below all that name the same artifact. Those in between were rolled back from.
func (r *reading) wayBack(w Word) string {
	lowest := r.stable.tag
	for _, tag := range r.stables() {
		if r.digestOf(tag) == r.stable.artifact.Desc.Digest {
			lowest = tag
		}
	}
	const first = "if integration did not find it, roll back first: mode tag with version: next and "
	switch previous, known := r.previousOf(lowest, w.At, false); {
	case known && previous == "":
		return "no earlier artifact is known to have been healthy there, so that there is none to roll back to: mend it with a new commit"
	case previous == "" || r.stable.rollback && lowest == r.stable.tag:
		return first + "the digest of a version that live was healthy with"
	default:
		return fmt.Sprintf("%sdigest %s, which is %s", first, r.digestOf(previous), previous)
	}
}

// liveNoReport is that live said nothing of the stable, or since a time no more than w.
func (r *reading) liveNoReport(w Word, since time.Time) *pipeline.Finding {
	what := fmt.Sprintf("%s (commit %s)", r.stable.tag, short(r.stable.artifact.Revision.Commit))
	said := fmt.Sprintf("live has not reported %s, although it selects it%s; there is no commit status %s/… on its commit or on those of the stables before",
		what, sinceWords(since), r.LiveContext)
	if w.State != "" {
		said = fmt.Sprintf("live does not report %s healthy:%s there is no more than %q, which proves nothing", what, sinceWords(since), w)
	}
	return &pipeline.Finding{
		Code: pipeline.LiveNoReport, Since: since,
		Message: said + ": it did not apply it, or its report did not arrive",
		Hint: "on live: `flux get kustomizations -A` and `kubectl logs -n flux-system deploy/notification-controller`; it needs a Provider and an Alert of its own," +
			" a token that may write commit statuses, and live-status-context must be how its contexts begin; with cluster-state verify looks at the cluster itself",
	}
}

func (r *reading) liveBehind(w Word, since time.Time) *pipeline.Finding {
	return &pipeline.Finding{
		Code: pipeline.LiveBehind, Since: since,
		Message: fmt.Sprintf("live selects %s (commit %s)%s, and its newest report is of %s: %s", r.stable.tag, short(r.stable.artifact.Revision.Commit), sinceWords(since), r.reportedAs(w), w),
		Hint: "on live: `flux get sources oci -A` shows what it has fetched, `flux get kustomizations -A` what it applies: is one suspended, pinned to a tag, or waiting for a dependency?" +
			" With cluster-state verify looks itself",
	}
}

// reportedAs names what a word of live's is about.
func (r *reading) reportedAs(w Word) string {
	return fmt.Sprintf("%s (commit %s)", cmp.Or(w.Tag, r.stableOf(r.about(w)), "an artifact"), short(w.Commit))
}

// stableOf is the highest stable that is known to name d; empty for none.
func (r *reading) stableOf(d digest.Digest) string {
	if s, ok := r.versionsOf(d).Stable(); ok {
		return s.String()
	}
	return ""
}
