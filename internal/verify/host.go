package verify

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// Host is what verify asks of the git repository's host. An error with a method Refused that
// reports true is a token that may not ask.
type Host interface {
	pipeline.History
	// Words are what the statuses of commit say of one of its artifacts, in one request.
	Words(ctx context.Context, commit string, d digest.Digest) (Words, error)
	// Head is the newest commit of the default branch that touches path; empty where none does.
	Head(ctx context.Context, path string) (commit string, at time.Time, err error)
	// Full is the commit of which short are the first digits; empty where none or more than one is.
	Full(ctx context.Context, short string) (string, error)
	// Builds are the workflow runs on commit that may have built it.
	Builds(ctx context.Context, commit string) ([]Run, error)
	// Promotions are the workflow runs that a report of a cluster's started since a time, the
	// newest first, at most mostRuns.
	Promotions(ctx context.Context, since time.Time) ([]Run, error)
	// FailedStep names the job and the step at which a run failed; may be empty.
	FailedStep(ctx context.Context, run Run) (string, error)
}

// Words are what the two clusters said by the statuses of one commit.
type Words struct {
	Integration Word      // its newest on the artifact; its state is empty where there is none
	Proven      time.Time // of its oldest on the artifact that proves health; zero for none
	Live        []Word    // live's, the newest of each context, on whatever artifact of the commit
}

// Word is what a cluster said of an artifact by a commit status. Text comes from outside.
type Word struct {
	State       string // success, failure, error, pending; empty for no word
	Context     string
	Description string
	Commit      string        // that the status is on
	Tag         string        // that its context names; empty where it names only a commit
	Digest      digest.Digest // as Tag
	Healthy     bool          // it proves health; a success need not (docs/facts.md 25)
	At          time.Time
}

func (w Word) String() string {
	if w.State == "" {
		return ""
	}
	s := w.Context + ": " + w.State
	if w.Description != "" {
		s += ", " + w.Description
	}
	return s
}

// bad reports whether the word is that the artifact is not healthy.
func (w Word) bad() bool { return w.State == "failure" || w.State == "error" }

// Run is a run of a workflow. Text comes from outside.
type Run struct {
	ID      int64
	Name    string
	State   string // success, failure, …; of one that is not done queued, in_progress, …
	Done    bool
	Builds  bool // its workflow calls itself a build
	Watches bool // its workflow calls itself verify, as ours does that live's status starts
	Own     bool // it is this run
	URL     string
	Started time.Time
	Ended   time.Time // zero while it is not done
}

// failed reports whether the run ended without doing its work.
func (r Run) failed() bool {
	return r.Done && r.State != "success" && r.State != "skipped" && r.State != "neutral"
}

// mostRuns bounds what the host tells of runs: of more it tells the newest.
const mostRuns = 100

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

// promotions are the runs that can be taken for promotions.
func (rs runs) promotions() runs {
	return slices.DeleteFunc(rs.others(), func(run Run) bool { return run.Watches })
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
func (r *reading) underWay(all runs) (Run, bool) {
	i := slices.IndexFunc(all, func(run Run) bool { return !run.Done && r.Now.Sub(run.Started) <= r.MaxAge })
	if i < 0 {
		return Run{}, false
	}
	return all[i], true
}
