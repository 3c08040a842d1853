package main

import (
	"cmp"
	"context"
	"path"
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
	gate trigger.Gate // integration's
	live trigger.Gate // without a context where live reports no statuses
	own  string       // this run's own id
}

// anyFlux is the gate that counts where no Kustomization was named: each of Flux's statuses does.
func anyFlux(gate trigger.Gate) trigger.Gate {
	if !isNamed(gate) {
		gate.Context = []string{"kustomization"}
	}
	return gate
}

// Words are the newest status of integration's Kustomization on an artifact, and all of live's.
func (h host) Words(ctx context.Context, commit string, d digest.Digest) (w verify.Words, err error) {
	found, err := h.Statuses(ctx, commit)
	if err != nil {
		return w, err
	}
	statuses := statusesOf(commit, found)
	if w, err = integrationWords(anyFlux(h.gate), statuses, d); err != nil || h.live.Context == nil {
		return w, err
	}
	reports, err := h.live.Reports(statuses)
	for _, r := range reports {
		w.Live = append(w.Live, wordOf(r))
	}
	return w, err
}

// integrationWords are integration's half of what the statuses of a commit say.
func integrationWords(gate trigger.Gate, statuses []trigger.Status, d digest.Digest) (w verify.Words, err error) {
	newest, ok, err := gate.Newest(statuses, d)
	if err != nil || !ok {
		return w, err
	}
	reports, err := gate.Reports(statuses)
	for _, r := range reports {
		if r.Status == newest {
			w.Integration = wordOf(r)
		}
		if r.Proves() && (r.Digest == "" || r.Digest == d) && (w.Proven.IsZero() || r.Updated.Before(w.Proven)) {
			w.Proven = r.Updated
		}
	}
	return w, err
}

func wordOf(r trigger.Report) verify.Word {
	return verify.Word{
		State: clip(r.State), Context: clip(r.Context), Description: clip(r.Description), Commit: r.Commit, Tag: clip(r.Tag), Digest: r.Digest,
		Healthy: r.Proves(), At: r.Updated,
	}
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

// Promotions are the runs that a commit status started or, where none of those can be a promotion, a
// repository_dispatch. Live's status starts our own verify, and integration's starts it too, to be
// skipped.
func (h host) Promotions(ctx context.Context, since time.Time) (runs []verify.Run, err error) {
	for _, event := range []string{trigger.StatusEvent, trigger.DispatchEvent} {
		found, err := h.RunsBy(ctx, event, since)
		if err != nil {
			return nil, err
		}
		promotes := false
		for i, run := range runsOf(found) {
			run.Own = strconv.FormatInt(run.ID, 10) == h.own
			run.Watches = watches(found[i])
			promotes = promotes || !run.Own && !run.Watches
			runs = append(runs, run)
		}
		if promotes {
			break
		}
	}
	return runs, nil
}

// watches reports whether a run's workflow calls itself verify: by its name or by its file's.
func watches(run github.Run) bool {
	return strings.HasPrefix(strings.ToLower(run.Name), "verify") || strings.HasPrefix(strings.ToLower(path.Base(run.Path)), "verify")
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
			runs[i].State, runs[i].Done, runs[i].Ended = clip(r.Conclusion), true, r.Updated
		}
	}
	return runs
}
