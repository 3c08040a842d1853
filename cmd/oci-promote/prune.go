package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/prune"
)

// The bounds of what prune counts.
const (
	mostStables = 1000
	mostDeletes = 1000
)

// prune turns inputs into a prune.Prune and runs it.
func (c *command) prune(ctx context.Context, v action.Values, s session) (report pipeline.Report, err error) {
	r := action.Read(v)
	in := c.common(r)
	p := readRetention(r)
	p.Name, p.Clusters, p.NoHistory = in.ref.String(), in.clusters, "token, and by hand GITHUB_REPOSITORY too"
	p.Now, p.Progress = c.now().UTC(), s.counting
	asked := p.Apply
	p.Apply = asked && !in.dryRun
	readNeeds(r, s.workspace, &p)
	if err := r.Err(); err != nil {
		return report, err
	}
	transport := in.transport(s.log)
	api, err := c.history(in.token, transport)
	if err != nil {
		return report, err
	}
	if api != nil {
		p.History = api
	}
	pkg, err := c.packages(in, transport)
	if err != nil {
		return report, err
	}
	in.dryRun = !p.Apply || pkg != nil || in.noLayout() // then it is only read
	repo, closeRepo, err := in.open(ctx, oci.Options{Transport: transport, Delete: !in.dryRun})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, closeRepo()) }()
	p.Repo, p.Deleter = repo, manifests{repo}
	if pkg != nil {
		p.Deleter = pkg
	}
	report, err = p.Run(ctx)
	if asked && !p.Apply && report.Outcome == pipeline.Planned {
		report.Next = "without dry-run a run deletes what is still as it is now"
	}
	return report, err
}

// noLayout reports whether the repository is a layout that is not there, as by a mistyped name: a run that deletes makes none.
func (in common) noLayout() bool {
	if in.ref.Layout == "" {
		return false
	}
	_, err := os.Stat(in.ref.Layout)
	return errors.Is(err, os.ErrNotExist)
}

// readRetention reads what is to be kept.
func readRetention(r *action.Reader) prune.Prune {
	return prune.Prune{
		KeepStables: r.Int("keep-stables", 1, mostStables), KeepFor: r.Duration("keep-for"), MaxDeletes: r.Int("max-deletes", 1, mostDeletes),
		Apply: r.Bool("apply"),
	}
}

// readNeeds reads what clusters need from the files of cluster-state. One that tells of nothing is refused: it would protect
// nothing.
func readNeeds(r *action.Reader, workspace string, p *prune.Prune) {
	states := readStates(r, workspace)
	if r.Err() != nil {
		return
	}
	p.Running = map[digest.Digest]string{}
	for _, s := range states {
		digests := s.Digests()
		if len(digests) == 0 && !s.Reads(p.Name) {
			r.Fail("cluster-state", fmt.Errorf("%s has no revision of an artifact, and no OCIRepository that reads %s; "+
				"expected the output of kubectl get ocirepositories,kustomizations -A -o json", clusterName(s), p.Name))
		}
		for _, d := range digests {
			p.Running[d] = clusterName(s)
		}
	}
	p.Picks = func(tags []string) map[string]string {
		picked := map[string]string{}
		for _, s := range states {
			for _, tag := range s.Picks(p.Name, tags) {
				picked[tag] = clusterName(s)
			}
		}
		return picked
	}
}

func clusterName(s *cluster.State) string { return orElse(string(s.Role), "a cluster") }
