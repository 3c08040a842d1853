package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	semver "github.com/oci-promote/oci-promote/internal/version"
)

// build turns inputs into a build.Build and runs it.
func (c *command) build(ctx context.Context, v action.Values, s session) (report pipeline.Report, err error) {
	r := action.Read(v)
	in := c.common(r)
	b := build.Build{
		Name:          in.ref.String(),
		Initial:       action.Get(r, "initial-version", semver.ParseStable),
		SHALength:     in.shaLength,
		SkipUnchanged: r.Bool("skip-unchanged"),
		Overwrite:     r.Bool("overwrite"),
		DryRun:        in.dryRun,
		Clusters:      in.clusters,
		Pack:          bundle.Options{Ignore: action.Get(r, "ignore", bundle.ReadIgnore), Progress: s.packing},
		Meta:          c.metadata(r),
		Again:         c.isAgain(),
		Log:           s.log,
		Upload:        s.uploading,
	}
	b.Bump, b.AutoBump = readBump(r)
	firstBuild := r.Bool("first-build")
	height := readHeight(r)
	var dir string
	b.Source, dir, b.Path = c.source(r, s.workspace)
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
	var around *clone
	if s.byHand {
		around = &clone{dir}
	}
	where, err := c.origin(b.Meta.Revision, height, around, api)
	if err != nil {
		return report, err
	}
	b.Origin = func(ctx context.Context) (o build.Origin, err error) {
		o.Height, o.Created, o.Warning, err = where.ask(ctx)
		return o, err
	}
	repo, closeRepo, err := in.open(ctx, oci.Options{Transport: transport, FirstBuild: firstBuild, Build: true})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, closeRepo()) }()
	b.Repo = repo
	report, err = b.Run(ctx)
	if errors.Is(err, bundle.ErrEmpty) {
		err = &hinted{err, "the directory is empty or everything in it is ignored; in a workflow put an actions/checkout step before this one; by hand check path and ignore"}
	}
	return report, err
}

// isAgain reports whether GitHub runs the job again: then most likely nothing is left to upload.
func (c *command) isAgain() bool {
	attempt, err := strconv.Atoi(c.getenv("GITHUB_RUN_ATTEMPT"))
	return err == nil && attempt > 1
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
// variables, never from the work tree, where git refuses to work (docs/facts.md 21).
func (c *command) metadata(r *action.Reader) bundle.Metadata {
	m := bundle.Metadata{Source: action.Get(r, "source", withoutLogin), Extra: r.Pairs("annotations")}
	m.Revision = action.Get(r, "revision", func(s string) (bundle.Revision, error) {
		if s == "" && c.getenv("GITHUB_SHA") != "" {
			s = c.getenv("GITHUB_REF_NAME") + "@sha1:" + c.getenv("GITHUB_SHA")
		}
		if s == "" {
			return bundle.Revision{}, &hinted{errors.New("not set, and there is no GITHUB_SHA"), `give --revision "$(git branch --show-current)@sha1:$(git rev-parse HEAD)"`}
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

// withoutLogin refuses a URL with a login: it would stand in the artifact, for all who may read it, and the remote of a
// clone made with a token is such a URL. The user of SSH is no secret.
func withoutLogin(s string) (string, error) {
	u, err := url.Parse(s)
	secret := err != nil && strings.Contains(s, "://") && strings.Contains(s, "@") // such as a password with a slash
	if err == nil && u.User != nil {
		_, password := u.User.Password()
		secret = password || u.Scheme != "ssh" && u.Scheme != "git+ssh"
	}
	if secret {
		return "", errors.New("it holds a login, which is not shown here; expected a URL such as https://github.com/acme/fleet")
	}
	return s, nil
}
