package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// release is the GitHub release that a promotion may get.
type release struct {
	wanted bool
	prefix string // of the git tag, before X.Y.Z
}

// gitRef is a part of a git ref's name that needs no rule beyond this (git check-ref-format).
var gitRef = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

func readRelease(r *action.Reader) release {
	return release{r.Bool("release"), action.Get(r, "release-prefix", func(s string) (string, error) {
		if len(s) > 100 || !gitRef.MatchString(s) || strings.Contains(s, "..") || strings.Contains(s, "//") || strings.Contains(s, "/.") {
			return "", fmt.Errorf("%q cannot begin a git tag; expected a prefix such as v or platform/v", s)
		}
		return s, nil
	})}
}

// publish creates the release of what was promoted, or of what an earlier run promoted without
// getting to it. A failure is a warning: the promotion has happened.
func (rel release) publish(ctx context.Context, api *github.Repository, r *pipeline.Report) {
	if !rel.wanted || r.Version == "" {
		return
	}
	tag := rel.prefix + r.Version
	switch {
	case r.Outcome == pipeline.Planned && r.Plan != nil:
		r.Notices = append(r.Notices, "would create the GitHub release "+tag)
		return
	case r.Outcome == pipeline.Promoted, r.Outcome == pipeline.Unchanged && r.Highest == r.Version:
	default:
		return
	}
	url, created, err := rel.create(ctx, api, tag, *r)
	switch {
	case err != nil:
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s is promoted, but its GitHub release %s is missing: %s", r.Version, tag, withHint(err)))
		return
	case created:
		r.Notices = append(r.Notices, "created the GitHub release "+tag)
	}
	r.Release = url
}

func (rel release) create(ctx context.Context, api *github.Repository, tag string, r pipeline.Report) (url string, created bool, err error) {
	switch {
	case api == nil:
		return "", false, &hinted{errors.New("there is no token or no GITHUB_REPOSITORY"), "set token, or create the release by hand"}
	case r.SHA == "":
		return "", false, &hinted{errors.New("the artifact does not tell its commit"), "create the release by hand"}
	}
	g := github.Release{Tag: tag, Commit: r.SHA, Latest: r.Highest == r.Version}
	if r.Previous != nil {
		g.Previous, g.PreviousCommit = rel.prefix+r.Previous.Version, r.Previous.SHA
	}
	if b := r.Rollback; b != nil {
		g.Body = fmt.Sprintf("Rollback from %s to the artifact of %s (commit %.7s).", r.Previous.Version, b.To, r.SHA)
	}
	return api.Publish(ctx, g)
}
