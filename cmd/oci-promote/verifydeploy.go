package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// place is a cluster and the environment that GitHub has for it.
type place struct{ cluster, environment string }

// readPlaces reads the names of the environments. Two clusters cannot share one: each would make
// inactive what the other runs.
func readPlaces(r *action.Reader) []place {
	places := []place{
		{string(cluster.Integration), action.Get(r, "integration-environment", parseEnvironment)},
		{string(cluster.Live), action.Get(r, "live-environment", parseEnvironment)},
	}
	if name := places[0].environment; name != "" && strings.EqualFold(name, places[1].environment) { // to GitHub case makes no other environment
		r.Fail("live-environment", fmt.Errorf("%q is integration-environment too; expected an environment for each cluster", name))
	}
	return places
}

// parseEnvironment accepts what GitHub takes for the name of an environment.
func parseEnvironment(s string) (string, error) {
	const most = 255
	if utf8.RuneCountInString(s) > most || action.Clean(s) != s {
		return "", fmt.Errorf("%q is no name of an environment; expected one line of at most %d characters", s, most)
	}
	return s, nil
}

// deploy lets GitHub's deployments follow what the clusters run. A failure is a warning: the
// verdict is told anyway. What nobody tells of leaves them as they are; told is whether somebody should tell what live runs.
func (c *command) deploy(ctx context.Context, api *github.Repository, r *pipeline.Report, places []place, told, dryRun bool) {
	if api == nil {
		r.Warn("deployments: true needs a token and GITHUB_REPOSITORY, and one of them is missing")
		return
	}
	do := api.Deploy
	if dryRun {
		do = api.WouldDeploy
	}
	deployed := pipeline.Deployed{Page: api.DeploymentsPage()}
	for _, p := range places {
		isLive := p.cluster == string(cluster.Live)
		e := github.Environment{
			Name: p.environment, Production: isLive, Artifact: r.Repository, Log: c.pages(*r).run, Has: deploymentsOn(p.cluster, r.Running),
		}
		switch {
		case !isLive || len(e.Has) > 0 || r.Selected.Live == "":
		case told:
			r.Notice("deployments of %s stay as they are: this time it is not known what live runs", p.environment)
		default:
			r.Notice("deployments of %s need live-status-context, or cluster-state of live: nobody tells what live runs", p.environment)
		}
		done, err := do(ctx, e)
		for _, d := range done {
			if dryRun && d.Did != github.Unchanged {
				r.Notice("would %s a deployment: %s %s is %s", strings.TrimSuffix(d.Did, "d"), p.environment, d.Version, d.State)
				continue
			}
			deployed.Deployments = append(deployed.Deployments, pipeline.Deployment{
				Environment: p.environment, Version: d.Version, Digest: digest.Digest(d.Digest), State: d.State, Did: d.Did,
			})
		}
		for _, failed := range each(err) {
			r.Warn("the deployments of %s could not be kept: %s", p.environment, withHint(failed))
		}
	}
	if len(deployed.Deployments) > 0 {
		r.Deployed = &deployed
	}
}

// deploymentsOn is what a cluster has, in GitHub's words.
func deploymentsOn(of string, running []pipeline.Running) (all []github.Deployment) {
	states := map[pipeline.RunningState]string{pipeline.Applying: github.InProgress, pipeline.Runs: github.Success, pipeline.Fails: github.Failure}
	for _, run := range running {
		if run.Cluster == of {
			all = append(all, github.Deployment{
				Version: run.Version, Digest: string(run.Digest), Commit: run.Commit, State: states[run.State], Says: clip(run.Says),
			})
		}
	}
	return all
}

// deployedLine is one deployment in words.
func deployedLine(d pipeline.Deployment) string {
	return fmt.Sprintf("%s %s is %s (%s)", d.Environment, d.Version, d.State, d.Did)
}

// deployedText is the deployments in a summary.
func deployedText(d pipeline.Deployed, p pages) string {
	lines := make([]string, 0, len(d.Deployments)+1)
	for _, one := range d.Deployments {
		lines = append(lines, fmt.Sprintf("%s %s is %s (%s)", action.Markdown(one.Environment), action.Code(one.Version), action.Markdown(one.State), one.Did))
	}
	return strings.Join(append(lines, p.address(d.Page)), "<br>")
}
