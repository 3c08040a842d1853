package pipeline

import (
	"slices"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// runs are the workflow runs on one commit. Which workflow has mode build nobody tells: one
// that calls itself so, or the only one.
type runs []Run

// others are the runs but this one.
func (rs runs) others() runs {
	return slices.DeleteFunc(slices.Clone(rs), func(run Run) bool { return run.Own })
}

// builds are the runs that can be taken for the commit's build.
func (rs runs) builds() runs {
	others := rs.others()
	named := slices.DeleteFunc(slices.Clone(others), func(run Run) bool { return !run.Builds })
	if len(named) == 0 && len(others) == 1 {
		return others
	}
	return named
}

// built is the first build that succeeded or, where none is known, this run itself, which may
// have a job that built. Zero for none.
func (rs runs) built() (built Run) {
	for _, run := range rs.builds() {
		if run.State == "success" && (built == (Run{}) || run.Started.Before(built.Started)) {
			built = run
		}
	}
	if i := slices.IndexFunc(rs, func(run Run) bool { return run.Own }); i >= 0 && built == (Run{}) {
		built = rs[i]
	}
	return built
}

// failed is the run that should have built the commit, and failed or has not ended.
func (rs runs) failed() (Run, bool) {
	builds := rs.builds()
	if len(builds) == 0 {
		return Run{}, false
	}
	latest := slices.MaxFunc(builds, func(a, b Run) int { return a.Started.Compare(b.Started) })
	return latest, latest.failed() || !latest.Done
}

// underWay is the first of some runs that may still do its work. One that does not end within
// max-age, such as for want of a runner or of an approval, is no excuse.
func (r *verifyRun) underWay(all runs) (Run, bool) {
	i := slices.IndexFunc(all, func(run Run) bool { return !run.Done && r.Now.Sub(run.Started) <= r.MaxAge })
	if i < 0 {
		return Run{}, false
	}
	return all[i], true
}

// ready is since when a cluster could take an artifact: its commit's time, or its build's
// where that is later. A time to come is not believed. Zero is unknown.
func (r *verifyRun) ready(a *artifact) time.Time {
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
func (r *verifyRun) waitsSince(tag string, a *artifact) (since time.Time, late Severity) {
	since = r.ready(a)
	severity, more := Error, time.Duration(0)
	if s := r.stable.artifact; s != nil && isRescue(tag) {
		promoted := r.heard.words[s.desc.Digest].At
		if promoted.IsZero() {
			more = 24 * time.Hour
		} else if promoted.After(since) {
			since = promoted
		}
	}
	switch age := r.Now.Sub(since); {
	case since.IsZero():
		return since, Error
	case age <= r.MaxAge:
		return since, ""
	case age <= r.MaxAge+more:
		severity = Warning
	}
	return since, severity
}

// since is since when clusters could take what a tag names; zero for unknown.
func (r *verifyRun) since(tag string) (t time.Time) {
	if a := r.artifacts[tag]; a != nil {
		if _, err := version.ParseCandidate(tag); err == nil {
			t, _ = r.waitsSince(tag, a)
			return t
		}
		if at := r.heard.words[a.desc.Digest].At; !at.IsZero() {
			return at
		}
		return r.ready(a)
	}
	return t
}
