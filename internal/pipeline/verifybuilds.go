package pipeline

import (
	"slices"
	"time"
)

// What the workflow runs on a commit say of its build. Which workflow has mode build nobody
// tells: one that calls itself so, or the only one.

// buildRuns are the runs that can be taken for a commit's build.
func (r *verifyRun) buildRuns(commit string) []Run {
	runs := r.otherRuns(commit)
	named := slices.DeleteFunc(slices.Clone(runs), func(run Run) bool { return !run.Builds })
	if len(named) == 0 && len(runs) == 1 {
		return runs
	}
	return named
}

// builtBy is the first build of a commit that succeeded or, where none is known, this run
// itself, which may have a job that built. Zero for none.
func (r *verifyRun) builtBy(commit string) (built Run) {
	for _, run := range r.buildRuns(commit) {
		if run.State == "success" && (built == (Run{}) || run.Started.Before(built.Started)) {
			built = run
		}
	}
	if i := slices.IndexFunc(r.heard.runs[commit], func(run Run) bool { return run.Own }); i >= 0 && built == (Run{}) {
		built = r.heard.runs[commit][i]
	}
	return built
}

// buildUnderWay is a run on a commit that may still build it. One that does not end within
// max-age, such as for want of a runner or of an approval, is no excuse.
func (r *verifyRun) buildUnderWay(commit string) (Run, bool) {
	for _, run := range r.heard.runs[commit] {
		if !run.Done && !run.Own && r.Now.Sub(run.Started) <= r.MaxAge {
			return run, true
		}
	}
	return Run{}, false
}

// buildThatFailed is the run that should have built a commit, and failed or does not end.
func (r *verifyRun) buildThatFailed(commit string) (Run, bool) {
	runs := r.buildRuns(commit)
	if len(runs) == 0 {
		return Run{}, false
	}
	latest := slices.MaxFunc(runs, func(a, b Run) int { return a.Started.Compare(b.Started) })
	return latest, latest.failed() || !latest.Done
}

// otherRuns are the runs on a commit but this one.
func (r *verifyRun) otherRuns(commit string) []Run {
	return slices.DeleteFunc(slices.Clone(r.heard.runs[commit]), func(run Run) bool { return run.Own })
}

// ready is since when a cluster could take an artifact: its commit's time, or its build's
// where that is later. A time to come is not believed. Zero is unknown.
func (r *verifyRun) ready(a *artifact) time.Time {
	const skew = 5 * time.Minute
	built := r.builtBy(a.Revision.Commit).Started
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
