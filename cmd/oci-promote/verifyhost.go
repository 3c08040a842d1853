package main

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/trigger"
	"github.com/oci-promote/oci-promote/internal/verify"
)

// host answers verify's questions from the GitHub API.
type host struct {
	*github.Repository
	gate trigger.Gate
	own  string // this run's own id
}

// Word is the newest status of the Kustomization on an artifact. Where none was named, any
// of Flux's statuses counts.
func (h host) Word(ctx context.Context, commit string, d digest.Digest) (verify.Word, error) {
	gate := h.gate
	if gate.Name == "" && gate.Context == nil {
		gate.Context = []string{"kustomization"}
	}
	found, err := h.Statuses(ctx, commit)
	if err != nil {
		return verify.Word{}, err
	}
	s, _, err := gate.Newest(statusesOf(commit, found), d)
	return verify.Word{State: clip(s.State), Context: clip(s.Context), Description: clip(s.Description), Healthy: s.Proves(), At: s.Updated}, err
}

func statusesOf(commit string, found []github.Status) []trigger.Status {
	statuses := make([]trigger.Status, len(found))
	for i, s := range found {
		statuses[i] = trigger.Status{Commit: commit, Context: s.Context, State: s.State, Description: s.Description, Updated: s.Updated}
	}
	return statuses
}

// Builds are the runs on a commit that a push started, or a person; of the latter only those of
// a workflow that calls itself a build, and this run. Others on the same commit, such as those of
// a schedule, build what is there at their time.
func (h host) Builds(ctx context.Context, commit string) ([]verify.Run, error) {
	found, err := h.RunsOf(ctx, commit)
	if err != nil {
		return nil, err
	}
	var runs []verify.Run
	for i, run := range runsOf(found) {
		run.Builds = strings.Contains(strings.ToLower(found[i].Name+" "+found[i].Path), "build")
		run.Own = strconv.FormatInt(run.ID, 10) == h.own
		switch event := found[i].Event; {
		case event == "push", event == "workflow_dispatch" && (run.Builds || run.Own):
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// Promotions are the runs that a commit status started or, where there is none, a
// repository_dispatch.
func (h host) Promotions(ctx context.Context, since time.Time) ([]verify.Run, error) {
	for _, event := range []string{trigger.StatusEvent, trigger.DispatchEvent} {
		found, err := h.RunsBy(ctx, event, since)
		if err != nil || len(found) > 0 {
			return runsOf(found), err
		}
	}
	return nil, nil
}

// FailedStep names the job and the step at which a run failed.
func (h host) FailedStep(ctx context.Context, run verify.Run) (string, error) {
	step, err := h.Repository.FailedStep(ctx, run.ID)
	return clip(step), err
}

// Full is the commit of which some first digits are known.
func (h host) Full(ctx context.Context, short string) (string, error) {
	return h.FullCommit(ctx, short)
}

// clip bounds a text that somebody wrote, and makes it one line.
func clip(s string) string {
	const most = 300
	s = action.Clean(s)
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func runsOf(found []github.Run) []verify.Run {
	runs := make([]verify.Run, len(found))
	for i, r := range found {
		runs[i] = verify.Run{ID: r.ID, Name: clip(cmp.Or(r.Name, r.Path)), State: clip(r.Status), URL: clip(r.URL), Started: r.Started}
		if r.Status == "completed" {
			runs[i].State, runs[i].Done = clip(r.Conclusion), true
		}
	}
	return runs
}
