package github

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Run is one run of a workflow. Its text is as the workflow's author wrote it.
type Run struct {
	ID         int64
	Name       string    // of the workflow
	Path       string    // of the workflow's file, such as .github/workflows/build.yaml
	Event      string    // that started it
	Status     string    // queued, in_progress, completed, …
	Conclusion string    // of one that is completed: success, failure, cancelled, skipped, …
	URL        string    // page
	Attempt    int       // from 1; a re-run is the next one
	Started    time.Time // its latest attempt, UTC
	Updated    time.Time // UTC
}

// RunsOf are the workflow runs on commit (40 hex digits), those that started last first. Of
// more than 100 it gives the 100 that were created last.
func (r *Repository) RunsOf(ctx context.Context, commit string) ([]Run, error) {
	return r.runs(ctx, fmt.Sprintf("on commit %.7s", commit), url.Values{"head_sha": {commit}})
}

// RunsBy are the workflow runs that event started since a time, in the order and number of
// RunsOf. Those that a commit status started are on the default branch's newest commit,
// whatever commit the status is of.
func (r *Repository) RunsBy(ctx context.Context, event string, since time.Time) ([]Run, error) {
	return r.runs(ctx, "by event "+event, url.Values{"event": {event}, "created": {">=" + since.UTC().Format(time.RFC3339)}})
}

func (r *Repository) runs(ctx context.Context, which string, q url.Values) ([]Run, error) {
	var found struct {
		TotalCount *int `json:"total_count"`
		Runs       []struct {
			*github.WorkflowRun        // of our go-github knows no path
			Path                string `json:"path"`
		} `json:"workflow_runs"`
	}
	q.Set("per_page", strconv.Itoa(perPage))
	if _, err := r.get(ctx, "actions/runs", q, &found); err != nil {
		return nil, fmt.Errorf("reading workflow runs %s of %s/%s: %w", which, r.owner, r.name, explain(err, readActions))
	}
	if found.TotalCount == nil || found.Runs == nil { // any object would be an empty list
		return nil, fmt.Errorf("reading workflow runs %s of %s/%s: the answer has no total_count or no workflow_runs", which, r.owner, r.name)
	}
	runs := make([]Run, 0, len(found.Runs))
	for _, w := range found.Runs {
		run := Run{
			ID: w.GetID(), Name: w.GetName(), Event: w.GetEvent(), Status: w.GetStatus(), Conclusion: w.GetConclusion(),
			URL: w.GetHTMLURL(), Attempt: w.GetRunAttempt(), Started: w.GetRunStartedAt().UTC(), Updated: w.GetUpdatedAt().UTC(),
		}
		run.Path, _, _ = strings.Cut(w.Path, "@") // GitHub's documentation shows one with @main
		if run.Started.IsZero() {
			run.Started = w.GetCreatedAt().UTC()
		}
		runs = append(runs, run)
	}
	slices.SortStableFunc(runs, func(a, b Run) int { return b.Started.Compare(a.Started) })
	return runs, nil
}

// FailedStep names the job and the step at which a run's latest attempt failed, such as "job
// build, step Push"; empty where none of its first 100 jobs tells.
func (r *Repository) FailedStep(ctx context.Context, run int64) (string, error) {
	found, _, err := r.api.Actions.ListWorkflowJobs(ctx, r.owner, r.name, run,
		&github.ListWorkflowJobsOptions{Filter: "latest", ListOptions: github.ListOptions{PerPage: perPage}})
	if err != nil {
		return "", fmt.Errorf("reading the jobs of workflow run %d of %s/%s: %w", run, r.owner, r.name, explain(err, readActions))
	}
	if found == nil || found.TotalCount == nil || found.Jobs == nil {
		return "", fmt.Errorf("reading the jobs of workflow run %d of %s/%s: the answer has no total_count or no jobs", run, r.owner, r.name)
	}
	job, ok := culprit(found.Jobs)
	if !ok {
		return "", nil
	}
	if step, ok := culprit(job.Steps); ok {
		return fmt.Sprintf("job %s, step %s", job.GetName(), step.GetName()), nil
	}
	return "job " + job.GetName(), nil
}

// culprit is the first that failed. One that was cancelled comes last: with fail-fast, a
// failing job has its neighbours cancelled.
func culprit[T interface{ GetConclusion() string }](all []T) (found T, ok bool) {
	for _, conclusion := range []string{"failure", "startup_failure", "timed_out", "action_required", "cancelled"} {
		for _, one := range all {
			if one.GetConclusion() == conclusion {
				return one, true
			}
		}
	}
	return found, false
}
