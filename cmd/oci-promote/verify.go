package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/trigger"
	"github.com/oci-promote/oci-promote/internal/verify"
)

// The values of fail-on.
const (
	failOnError   = "error"
	failOnWarning = "warning"
	failOnNever   = "never"
)

// verify turns inputs into a verify.Verify and runs it.
func (c *command) verify(ctx context.Context, values action.Values, s session) (report pipeline.Report, err error) {
	r := action.Read(values)
	in := c.common(r)
	gate := readGate(r)
	live := readLiveGate(r, gate)
	v := verify.Verify{
		Name: in.ref.String(), SHALength: in.shaLength, MaxAge: r.Duration("max-age"), Soak: r.Duration("soak"), LiveContext: strings.Join(live.Context, "/"),
		Clusters: in.clusters, Now: c.now().UTC(),
		Gate: cluster.Gate{Namespace: gate.Namespace, Name: gate.Name, Repository: c.getenv("GITHUB_REPOSITORY"), Server: c.getenv("GITHUB_SERVER_URL")},
	}
	asked := readAsked(r)
	v.Commit = asked.commit // "latest" is the newest candidate, as nothing is
	v.Path = action.Get(r, "path", func(name string) (string, error) { return inRepository(s.workspace, name) })
	v.States = readStates(r, s.workspace)
	if in.ref.Layout != "" && v.States != nil {
		r.Clash("cluster-state", errors.New("it is compared with the registry that clusters read, and repository is an OCI layout; give the registry's repository"), "repository")
	}
	failOn := action.Get(r, "fail-on", parseFailOn)
	v.Strict = failOn == failOnWarning
	issue, deployments, comment, places := r.Bool("issue"), r.Bool("deployments"), r.Bool("comment"), readPlaces(r)
	if err := r.Err(); err != nil {
		return report, err
	}
	transport := in.transport(s.log)
	api, err := c.history(in.token, transport)
	if err != nil {
		return report, err
	}
	v.NoHost = c.missingForGitHub(in.token)
	if api != nil {
		v.Host = host{api, gate, live, c.getenv("GITHUB_RUN_ID")}
	}
	dryRun := in.dryRun
	in.dryRun = true // it only reads the repository
	repo, closeRepo, err := in.open(ctx, oci.Options{Transport: transport})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, closeRepo()) }()
	v.Repo = repo
	if report, err = v.Run(ctx); err != nil {
		if issue && !dryRun && ctx.Err() == nil {
			err = errors.Join(err, c.trackFailure(ctx, api, v.Name, err))
		}
		return report, err
	}
	if c.fit(&report); issue {
		c.track(ctx, api, &report, dryRun)
	}
	told := tellsLive(values, v.States)
	if deployments {
		c.deploy(ctx, api, &report, places, told, dryRun)
	}
	if comment {
		c.comment(ctx, api, &report, v.Path, told, dryRun)
	}
	return report, nil
}

// readLiveGate reads by which statuses live reports; it has no context where live reports none. A
// status that could be integration's too would be of nobody.
func readLiveGate(r *action.Reader, integration trigger.Gate) trigger.Gate {
	const name = "live-status-context"
	live := trigger.Gate{Context: action.Get(r, name, trigger.ParseContext)}
	if of := anyFlux(integration); live.Context != nil && live.Overlaps(of) {
		r.Clash(name, fmt.Errorf("%q cannot be told from integration's commit statuses, which begin with %q; expected a context of live's own, such as kustomization/platform-live"+
			" where kustomization is platform", r.Text(name), of.Prefix()), "kustomization", "status-context")
	}
	return live
}

// missingForGitHub is what there must be to ask GitHub, and is not.
func (c *command) missingForGitHub(token string) string {
	switch repository := c.getenv("GITHUB_REPOSITORY"); {
	case token == "" && repository == "":
		return "token and no GITHUB_REPOSITORY"
	case token == "":
		return "token"
	case repository == "":
		return "GITHUB_REPOSITORY"
	}
	return ""
}

func parseFailOn(s string) (string, error) {
	all := []string{failOnError, failOnWarning, failOnNever}
	if !slices.Contains(all, s) {
		return "", fmt.Errorf("%q is none of %s", s, strings.Join(all, ", "))
	}
	return s, nil
}

// failed reports whether a run that ended well fails its job.
func failed(r pipeline.Report, v action.Values) bool {
	return r.Outcome == pipeline.Unhealthy && strings.TrimSpace(v["fail-on"]) != failOnNever
}

// inRepository is a directory's path in the git repository, as GitHub knows it. It need not
// be there: verify needs no checkout.
func inRepository(workspace, name string) (string, error) {
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(workspace, name)
		if err != nil {
			return "", fmt.Errorf("%q is outside the workspace %q", name, workspace)
		}
		name = rel
	}
	if name = path.Clean(filepath.ToSlash(name)); !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q leads out of the git repository; expected a directory in it", name)
	}
	return name, nil
}

// readStates reads the files of cluster-state: a line is FILE, integration=FILE or live=FILE.
// Files with the same role are of one cluster.
func readStates(r *action.Reader, workspace string) (states []*cluster.State) {
	for _, line := range r.Lines("cluster-state") {
		role, name := cluster.Role(""), strings.TrimSpace(line)
		for _, known := range []cluster.Role{cluster.Integration, cluster.Live} {
			if word, file, ok := strings.Cut(name, "="); ok && strings.TrimSpace(word) == string(known) {
				role, name = known, strings.TrimSpace(file)
				break
			}
		}
		if role == "" {
			role, _ = cluster.RoleOf(name)
		}
		i := slices.IndexFunc(states, func(s *cluster.State) bool { return s.Role == role })
		if i < 0 {
			i = len(states)
			states = append(states, &cluster.State{Role: role})
		}
		if err := readState(states[i], workspace, name); err != nil {
			r.Fail("cluster-state", err)
		}
	}
	return states
}

func readState(state *cluster.State, workspace, name string) error {
	file, err := clusterFile(workspace, name)
	if err != nil {
		return err
	}
	f, err := os.Open(file) //nolint:gosec // a file of the workspace that the workflow names
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	return state.Add(name, f)
}

// clusterFile is the file of that name, in the workspace where there is one. By hand a shell's
// <(kubectl …) will do; any other pipe could be one that nobody writes to.
func clusterFile(workspace, name string) (string, error) {
	if workspace == "" && strings.HasPrefix(name, "/dev/fd/") {
		return name, nil
	}
	const expected = "expected one file a line, with the output of kubectl get … -o json"
	file, _, err := below(workspace, name, "a file")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%q does not exist; %s", name, expected)
	case err != nil:
		return "", err
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return "", errors.Join(fmt.Errorf("%q is not a regular file; %s", name, expected), err)
	}
	return file, nil
}
