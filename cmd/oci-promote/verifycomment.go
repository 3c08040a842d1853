package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// maxComments is how many comments one run writes. The next one goes on.
const maxComments = 30

// commenter tells the authors of pull requests what live runs.
type commenter struct {
	api    *github.Repository
	report *pipeline.Report // which it adds to
	pages  pages
	path   string // only pull requests that touch this directory; "." for any
	dryRun bool
	left   int // comments that it may still write
}

// comment tells the pull requests of each arrival, once each. A failure is a warning: the verdict stands without it. With
// nothing new it asks nothing.
func (c *command) comment(ctx context.Context, api *github.Repository, r *pipeline.Report, path string, told, dryRun bool) {
	switch {
	case api == nil:
		r.Warn("comment: true needs a token and GITHUB_REPOSITORY, and one of them is missing")
		return
	case len(r.Arrivals) == 0 && !told:
		r.Notice("comment: true writes nothing, since nobody tells what live runs: set live-status-context, or give cluster-state of live")
		return
	}
	w := &commenter{api, r, c.pages(*r), path, dryRun, maxComments}
	arrivals := slices.Clone(r.Arrivals)
	slices.SortStableFunc(arrivals, func(a, b pipeline.Arrival) int { return a.At.Compare(b.At) })
	for _, a := range arrivals {
		if stopped := w.tell(ctx, a); stopped {
			return
		}
	}
}

// tellsLive reports whether a run is told what live runs. Files that do not say whose they are may be live's.
func tellsLive(v action.Values, states []*cluster.State) bool {
	return strings.TrimSpace(v["live-status-context"]) != "" ||
		slices.ContainsFunc(states, func(s *cluster.State) bool { return s.Role != cluster.Integration })
}

// stretch is the commits by which live went on, or back.
type stretch struct {
	since, until string // after the one, up to the other
	back         bool
}

// tell lets the pull requests of one arrival know. Stopped reports that the others would fare no better.
func (w *commenter) tell(ctx context.Context, a pipeline.Arrival) (stopped bool) {
	s, why, err := w.stretch(ctx, a)
	switch {
	case err != nil:
		w.fail(a, err)
		return true
	case why != "":
		w.report.Notice("no pull request gets a comment about %s: %s", a.Version, why)
		return false
	case s == stretch{}:
		return false
	}
	pulls, more, err := w.api.Merged(ctx, s.since, s.until)
	switch {
	case errors.Is(err, github.ErrManyCommits):
		w.report.Notice("no pull request gets a comment about %s: it is %s from %s", a.Version, github.ErrManyCommits, a.Previous)
		return false
	case err != nil:
		w.fail(a, err)
		return true
	case more:
		w.report.Notice("too many pull requests were updated lately: one that was not, and is in %s, may get no comment", a.Version)
	}
	done, err := w.api.Announce(ctx, github.Announcement{
		About: strings.Join([]string{w.report.Repository, a.Version, s.word()}, " "), Text: w.text(a, s),
		Dir: w.path, Most: w.left, DryRun: w.dryRun,
	}, pulls)
	w.left -= len(done.Written)
	w.tellOf(a, s, done)
	if err != nil {
		w.fail(a, err)
	}
	return done.Stopped
}

// word is what a comment tells, as its marker has it.
func (s stretch) word() string {
	if s.back {
		return "back"
	}
	return "live"
}

// stretch asks GitHub how live moved. The commits decide, not the versions: what is a rollback by its number goes forward
// where it makes a version live again that was rolled back from. Why tells why nothing can be said of pull requests; a
// stretch of no commits is zero.
func (w *commenter) stretch(ctx context.Context, a pipeline.Arrival) (s stretch, why string, err error) {
	switch {
	case a.Previous == "":
		return s, "it is the first that is known to run on live, so that all would be new", nil
	case !someCommit.MatchString(a.Commit) || !someCommit.MatchString(a.PreviousCommit):
		return s, fmt.Sprintf("its artifact, or that of %s, does not tell its commit", a.Previous), nil
	}
	switch status, err := w.api.Compare(ctx, a.Commit, a.PreviousCommit); {
	case err != nil:
		return s, "", err
	case status == "ahead":
		return stretch{a.PreviousCommit, a.Commit, false}, "", nil
	case status == "behind":
		return stretch{a.Commit, a.PreviousCommit, true}, "", nil
	case status == "identical":
		return s, "", nil
	case status == "diverged":
		why = "its commit %.7s and that of %s before it, %.7s, have diverged: neither contains the other"
	default: // a commit of history that was rewritten
		why = "GitHub knows no history of both its commit %.7s and that of %s before it, %.7s"
	}
	return s, fmt.Sprintf(why, a.Commit, a.Previous, a.PreviousCommit), nil
}

func (w *commenter) fail(a pipeline.Arrival, err error) {
	for _, part := range each(err) {
		w.report.Warn("the comments about %s are not complete: %s", a.Version, withHint(part))
	}
}

// tellOf adds to the report what became of the comments about an arrival.
func (w *commenter) tellOf(a pipeline.Arrival, s stretch, done github.Announced) {
	did := pipeline.Commented{Version: a.Version, Back: s.back, Pulls: done.Written}
	switch {
	case len(did.Pulls) > 0 && w.dryRun:
		w.report.Notice("would comment on %s", commentsText(did))
	case len(did.Pulls) > 0:
		w.report.Commented = append(w.report.Commented, did)
	}
	if n := len(done.Left); n > 0 {
		w.report.Notice("and %s, without a comment yet, which the next runs write: %s", became(n, did), pullNumbers(done.Left))
	}
	if n := len(done.Unseen); n > 0 {
		w.report.Notice("not looked at for a comment about %s: %s", a.Version, pullNumbers(done.Unseen))
	}
	for _, skipped := range done.Skipped {
		w.report.Notice("no comment about %s on %s: %s", a.Version, pullNumbers(skipped.Pulls), skipped.Why)
	}
}
