package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/trigger"
	semver "github.com/oci-promote/oci-promote/internal/version"
)

// build turns inputs into a pipeline.Build and runs it.
func (c *command) build(ctx context.Context, v action.Values, s session) (report pipeline.Report, err error) {
	r := action.Read(v)
	in := c.common(r)
	b := pipeline.Build{
		Name:          in.ref.String(),
		Initial:       action.Get(r, "initial-version", semver.ParseStable),
		SHALength:     in.shaLength,
		SkipUnchanged: r.Bool("skip-unchanged"),
		Overwrite:     r.Bool("overwrite"),
		DryRun:        in.dryRun,
		Clusters:      in.clusters,
		Pack:          bundle.Options{Ignore: r.Lines("ignore"), Progress: s.progress},
		Meta:          c.metadata(r),
		Log:           s.log,
	}
	b.Bump, b.AutoBump = readBump(r)
	firstBuild := r.Bool("first-build")
	b.Source, b.Path = c.source(r, s.workspace)
	if err := r.Err(); err != nil {
		return report, err
	}

	transport := in.transport(s.log)
	api, err := c.history(in.token, transport)
	if err != nil {
		return report, err
	}
	if api != nil {
		b.History = api
	}
	var warning string
	if b.Meta.Created, warning, err = c.created(ctx, b.Meta.Revision, api); err != nil {
		return report, err
	}
	repo, closeRepo, err := in.open(ctx, oci.Options{Transport: transport, FirstBuild: firstBuild})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, closeRepo()) }()
	b.Repo = repo
	report, err = b.Run(ctx)
	if errors.Is(err, bundle.ErrEmpty) {
		err = &hinted{err, "the directory is empty or everything in it is ignored; is there an actions/checkout step before this one?"}
	}
	if warning != "" {
		report.Warnings = append(report.Warnings, warning)
	}
	return report, err
}

func readBump(r *action.Reader) (bump semver.Bump, auto bool) {
	bump = action.Get(r, "bump", func(s string) (semver.Bump, error) {
		for _, b := range []semver.Bump{semver.Patch, semver.Minor, semver.Major} {
			if s == b.String() {
				return b, nil
			}
		}
		if auto = s == "auto"; !auto {
			return 0, fmt.Errorf("%q is none of patch, minor, major and auto", s)
		}
		return semver.Patch, nil
	})
	return bump, auto
}

// metadata is what the manifest says of the commit. The commit comes from the run's
// variables, never from the work tree, where git refuses to work (facts 21).
func (c *command) metadata(r *action.Reader) bundle.Metadata {
	m := bundle.Metadata{Source: r.Text("source"), Extra: r.Pairs("annotations")}
	m.Revision = action.Get(r, "revision", func(s string) (bundle.Revision, error) {
		if s == "" && c.getenv("GITHUB_SHA") != "" {
			s = c.getenv("GITHUB_REF_NAME") + "@sha1:" + c.getenv("GITHUB_SHA")
		}
		if s == "" {
			return bundle.Revision{}, errors.New(`not set, and there is no GITHUB_SHA; give it as "$(git branch --show-current)@sha1:$(git rev-parse HEAD)"`)
		}
		return bundle.ParseRevision(s)
	})
	if m.Source == "" && c.getenv("GITHUB_REPOSITORY") != "" {
		m.Source = c.getenv("GITHUB_SERVER_URL") + "/" + c.getenv("GITHUB_REPOSITORY")
	}
	for key := range m.Extra {
		if err := bundle.CheckAnnotation(key); err != nil {
			r.Fail("annotations", err)
		}
	}
	return m
}

// source opens the directory to pack as a file system that nothing leads out of, and
// gives its path in the git repository. Without a workspace any directory will do.
func (c *command) source(r *action.Reader, workspace string) (fs.FS, string) {
	var rel string
	fsys := action.Get(r, "path", func(name string) (fs.FS, error) {
		dir, err := resolveBelow(workspace, name)
		if err != nil {
			return nil, err
		}
		rel = filepath.ToSlash(filepath.Clean(name))
		if base, err := filepath.EvalSymlinks(workspace); err == nil && workspace != "" {
			if inside, err := filepath.Rel(base, dir); err == nil {
				rel = filepath.ToSlash(inside)
			}
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		return root.FS(), nil
	})
	return fsys, rel
}

// resolveBelow finds the directory behind name and refuses one outside workspace,
// also where a symlink leads there.
func resolveBelow(workspace, name string) (string, error) {
	dir := name
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(workspace, dir)
	}
	dir, err := filepath.EvalSymlinks(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%q does not exist; expected a directory, is there an actions/checkout step before this one?", name)
	case err != nil:
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", errors.Join(fmt.Errorf("%q is not a directory", name), err)
	}
	if workspace == "" {
		return dir, nil
	}
	base, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return "", fmt.Errorf("resolving the workspace: %w", err)
	}
	if rel, err := filepath.Rel(base, dir); err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%q is outside the workspace %s; expected a directory in it", name, workspace)
	}
	return dir, nil
}

// created is the time of the commit, so that the same commit gives the same digest
// on any machine: SOURCE_DATE_EPOCH (reproducible-builds.org), the push event, the
// GitHub API, in this order. The time of day is the last resort, with a warning.
func (c *command) created(ctx context.Context, rev bundle.Revision, api *github.Repository) (t time.Time, warning string, err error) {
	if epoch := c.getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseUint(epoch, 10, 33)
		if err != nil {
			return t, "", fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds since 1970", epoch)
		}
		return time.Unix(int64(seconds), 0).UTC(), "", nil
	}
	if t, err := c.pushTime(rev.Commit); err != nil || !t.IsZero() {
		return t, "", err
	}
	reason := "no GitHub token allows to ask"
	if api != nil {
		if t, err = api.CommitTime(ctx, rev.Commit); err == nil {
			return t, "", nil
		}
		reason = err.Error()
	}
	return time.Now().UTC().Truncate(time.Second), "the time of the commit is not known (" + reason + "), so the artifact is dated now:" +
		" the same commit packed again will have another digest; set SOURCE_DATE_EPOCH to the commit's time to avoid that", nil
}

// pushTime is the commit's time from the push event that started the run, or zero
// when another event did, or the artifact's commit is not the one that was pushed.
func (c *command) pushTime(commit string) (time.Time, error) {
	name := c.getenv("GITHUB_EVENT_PATH")
	if c.getenv("GITHUB_EVENT_NAME") != "push" || name == "" {
		return time.Time{}, nil
	}
	event, err := os.ReadFile(name)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the event: %w", err)
	}
	head, err := trigger.HeadCommit(event)
	if err != nil || head.ID != commit {
		return time.Time{}, err
	}
	return head.Time, nil
}
